"""The members of one segment, as a set of object ids that follows the engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from datetime import datetime
from html import escape
from threading import RLock
from typing import Any

from segmentkit.errors import MissingExtraError
from segmentkit.index._segments import Segment
from segmentkit.index._table import Table
from segmentkit.schema import from_micros


class Members(Set[str]):
    """The ids of the objects in a segment, now and at every later look.

    Iteration is in order of id over the members at its beginning. `&`, `|` and `-` give frozensets.

    Cost: `len` and `in` are constant; iteration sorts the ids.
    """

    def __init__(self, segment: Segment, table: Table, lock: RLock, now: Any) -> None:
        self._segment = segment
        self._table = table
        self._lock = lock
        self._now = now

    @classmethod
    def _from_iterable(cls, ids: Iterable[str]) -> frozenset[str]:  # type: ignore[override]  # results do not follow
        return frozenset(ids)

    @property
    def as_of(self) -> datetime:
        """The instant up to which changes and time are taken into account."""
        return from_micros(self._now())

    @property
    def fresh(self) -> bool:
        """Whether the members are those of `as_of` and not of an earlier calculation."""
        return True

    def __len__(self) -> int:
        return len(self._segment.members)

    def __contains__(self, object_id: object) -> bool:
        number = self._table.number_by_id.get(object_id)  # type: ignore[call-overload]  # any object may be asked for
        return number is not None and number in self._segment.members

    def __iter__(self) -> Iterator[str]:
        return iter(self.page(limit=None))

    def page(self, *, after: str | None = None, limit: int | None = 100) -> list[str]:
        """Return up to `limit` ids in order, those above `after`."""
        with self._lock:
            ids = self._table.ids
            found = (ids[number] for number in self._segment.members)
            chosen = sorted(i for i in found if i is not None and (after is None or i > after))
        return chosen if limit is None else chosen[:limit]

    def snapshot(self) -> frozenset[str]:
        """Return the members of this moment, which stay."""
        return frozenset(self.page(limit=None))

    def to_arrow(self) -> Any:
        """Return the ids, in order, as an Arrow array; needs the extra `parquet`."""
        try:
            import pyarrow
        except ImportError:
            raise MissingExtraError(
                "to_arrow() needs pyarrow; install it with: pip install 'segmentkit[parquet]'"
            ) from None
        return pyarrow.array(self.page(limit=None), type=pyarrow.string())

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self.page(limit=5)))
        more = ", ..." if len(self) > 5 else ""
        return f"<{len(self):,} members of {self._segment.name!r}: {{{shown}{more}}}>"

    def _repr_html_(self) -> str:
        rows = "".join(f"<li>{escape(i)}</li>" for i in self.page(limit=10))
        return (
            f"<b>{escape(self._segment.name)}</b>: {len(self):,} members as of {self.as_of.isoformat()}<ul>{rows}</ul>"
        )

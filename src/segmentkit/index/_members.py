"""The members of one segment, as a set of object ids that follows the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from datetime import datetime
from html import escape
from threading import RLock
from typing import Any, NoReturn

from segmentkit.errors import ArgumentError, MissingExtraError, UnknownNameError, cannot_leave
from segmentkit.index._segments import Segment
from segmentkit.index._table import Table
from segmentkit.values import from_micros


class Members(Set[str]):
    """The ids of the objects in a segment, now and at every later look.

    It follows the segment through redefinitions; once that is dropped, a look is an UnknownNameError.
    Iteration is in order of id over the members at its beginning. `&`, `|` and `-` give frozensets.

    Cost: `len` and `in` are constant; iteration sorts the ids.
    """

    def __init__(
        self,
        name: str,
        find: Callable[[str], Segment],
        tables: Mapping[str, Table],
        lock: RLock,
        now: Callable[[], int],
    ) -> None:
        self._name = name
        self._find = find  # at every look: a definition may have put another segment in the place of this one
        self._tables = tables
        self._lock = lock
        self._now = now

    @property
    def _segment(self) -> Segment:
        """The segment as it is defined now; UnknownNameError if it is not any more."""
        return self._find(self._name)

    def __reduce__(self) -> NoReturn:
        raise cannot_leave("a view of members", "take snapshot() or page()")

    @classmethod
    def _from_iterable(cls, ids: Iterable[str]) -> frozenset[str]:  # type: ignore[override]  # results do not follow
        return frozenset(ids)

    @property
    def as_of(self) -> datetime:
        """The instant up to which changes and time are taken into account."""
        with self._lock:
            return from_micros(self._now())

    @property
    def fresh(self) -> bool:
        """Whether the members are those of `as_of` and not of an earlier calculation."""
        return True

    def __len__(self) -> int:
        with self._lock:  # or a batch that another thread is at would be half seen
            return len(self._segment.members)

    def __contains__(self, object_id: object) -> bool:
        with self._lock:
            segment = self._segment
            number = self._tables[segment.object_type].number_by_id.get(object_id)  # type: ignore[call-overload]  # any object may be asked for
            return number is not None and number in segment.members

    def __iter__(self) -> Iterator[str]:
        return iter(self.page(limit=None))

    def page(self, *, after: str | None = None, limit: int | None = 100) -> list[str]:
        """Return up to `limit` ids in order, those above `after`; ArgumentError if these are something else."""
        if after is not None and not isinstance(after, str):
            raise ArgumentError.of("after", "an id, or None", after)
        if limit is not None and (not isinstance(limit, int) or limit < 0):
            raise ArgumentError.of("limit", "a number of ids, or None", limit)
        with self._lock:
            segment = self._segment
            ids = self._tables[segment.object_type].ids
            found = (ids[number] for number in segment.members)
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
        try:
            first, count = self.page(limit=5), len(self)
        except UnknownNameError:
            return f"<members of {self._name!r}, which has been dropped>"
        shown = ", ".join(map(repr, first))
        more = ", ..." if count > 5 else ""
        return f"<{count:,} members of {self._name!r}: {{{shown}{more}}}>"

    def _repr_html_(self) -> str:
        rows = "".join(f"<li>{escape(i)}</li>" for i in self.page(limit=10))
        return f"<b>{escape(self._name)}</b>: {len(self):,} members as of {self.as_of.isoformat()}<ul>{rows}</ul>"

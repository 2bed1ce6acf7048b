"""The facts of some objects as arrays: what vectorised features read.

A `Block` is a stretch of object numbers, or a choice of them. Its arrays are copies, so that the
buffers behind them can grow again as soon as the block has been read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs
import numpy as np

from segmentkit.dsl.predicates import Predicate
from segmentkit.index._bulk_bitmaps import BLOCK, Array
from segmentkit.index._bulk_events import chosen, ranges, stretch
from segmentkit.index._columns import BooleanColumn, CodedColumn, IntegerColumn, NumberColumn
from segmentkit.index._table import Table

_FEW_LOOKS: Final = 2
_FEW_CUTS: Final = 24  # up to here, comparing with one cut after another is faster than bisection,
_FEW_VALUES: Final = 1_024  # unless there are so few values that calls count for more than comparisons


@attrs.frozen(eq=False)
class Histories:
    """Events of one name, of one object after another, each object's in order of (at, id).

    Those of the object at place i of the block are the ones from `starts[i]` to before `ends[i]`,
    and up to now those before `seen[i]`. `rows` are their places in `words`, None for all of it.
    """

    ats: Array
    words: Array
    rows: Array | None
    starts: Array
    ends: Array
    seen: Array

    def property_words(self, offset: int) -> Array:
        """Return the words of a property, one for each event."""
        words = self.words[:, offset]
        return words if self.rows is None else words[self.rows]

    def count_until(self, instant: int) -> Array:
        """Return how many events of each object are at `instant` or before."""
        until: Array = np.concatenate((_ZERO, np.cumsum(self.ats <= instant)))
        counts: Array = until[self.ends] - until[self.starts]
        return counts

    def of(self, places: Array) -> Histories:
        """Return the events of the objects at some places, one after another."""
        counts = self.ends[places] - self.starts[places]
        rows, ends = ranges(self.starts[places], counts), np.cumsum(counts)
        starts = ends - counts
        seen = ends if self.seen is self.ends else starts + self.seen[places] - self.starts[places]
        return Histories(self.ats[rows], self.words, rows if self.rows is None else self.rows[rows], starts, ends, seen)


_ZERO = np.zeros(1, np.int64)


class Block:
    """The objects of some numbers, at `now`.

    Args:
        table: the facts.
        numbers: a range, or an ascending array.
        now: the instant for which cells are asked.
    """

    def __init__(self, table: Table, numbers: range | Array, now: int) -> None:
        self.table = table
        self.now = now
        self.numbers = numbers
        self.n_objects = len(numbers)
        self._histories: dict[str, Histories | None] = {}
        self._asked: dict[str, int] = {}
        self._matching: dict[tuple[str, Predicate | None], Histories | None] = {}
        self._grouped: dict[tuple[str, int], tuple[Array, Array]] = {}
        self._owners: dict[str, Array] = {}

    def iter_numbers(self) -> Sequence[int]:
        """Return the numbers as Python integers."""
        numbers: Sequence[int] = self.numbers if isinstance(self.numbers, range) else self.numbers.tolist()
        return numbers

    def taken(self, buffer: Any, dtype: Any) -> Array:
        """Return the block's part of a buffer that has an item for each object."""
        view = np.frombuffer(buffer, dtype)
        if isinstance(self.numbers, range):
            return view[self.numbers.start : self.numbers.stop].copy()
        return view[self.numbers]

    def attribute(self, name: str) -> Array | None:
        """Return an attribute as machine words, with the column's own sign for missing; None if it has none."""
        column = self.table.columns[name]
        match column:
            case IntegerColumn():
                return None if isinstance(column.values, list) else self.taken(column.values, np.int64)
            case NumberColumn():
                return self.taken(column.values, np.float64)
            case BooleanColumn():
                return self.taken(column.values, np.int8)
            case CodedColumn():
                return self.taken(column.codes, np.int32)
            case _:
                return None

    def asks_little_of(self, name: str) -> bool:
        """Whether events of a name have been asked for so seldom that laying them out would not pay."""
        self._asked[name] = asked = self._asked.get(name, 0) + 1
        return asked <= _FEW_LOOKS and name not in self._histories

    def histories(self, name: str) -> Histories | None:
        """Return the events of a name; None if some have values that are no machine words."""
        if name not in self._histories:
            self._histories[name] = self._flattened(name)
        return self._histories[name]

    def _flattened(self, name: str) -> Histories | None:
        events, numbers = self.table.events[name], self.numbers
        if events.rows.any_list(self.iter_numbers()):
            return None
        if isinstance(numbers, range):
            words, ends = stretch(events, numbers.start, numbers.stop)
        else:
            words, ends = chosen(events, numbers)
        starts = np.concatenate((_ZERO, ends[:-1]))
        return _seen_at(self.now, (words[:, 0].copy(), words, None), starts, ends)

    def matching(self, name: str, where: Predicate | None, passes: Callable[[Histories], Array]) -> Histories | None:
        """Return the events of a name for which `passes` says that they match `where`; None as `histories`."""
        if where is None:
            return self.histories(name)
        key = name, where
        if key not in self._matching:
            every = self.histories(name)
            self._matching[key] = None if every is None else self._chosen(name, every, np.flatnonzero(passes(every)))
        return self._matching[key]

    def with_code(self, name: str, offset: int, code: int | None) -> Histories | None:
        """Return the events of which a coded property has a code; the events are sorted by code but once."""
        every = self.histories(name)
        if every is None:
            return None
        if code is None:
            return self._chosen(name, every, _NONE)
        grouped = self._grouped.get((name, offset))
        if grouped is None:
            codes = np.maximum(every.words[:, offset], -1) + 1
            if not len(codes) or codes.max() < 2**16:
                codes = codes.astype(np.uint16)  # for which sorting is much faster
            grouped = self._grouped[name, offset] = np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))
        order, ends = grouped
        if code + 1 >= len(ends):
            return self._chosen(name, every, _NONE)
        return self._chosen(name, every, order[ends[code] : ends[code + 1]])

    def _chosen(self, name: str, every: Histories, rows: Array) -> Histories:
        """Return the events at some places, ascending."""
        owners = self._owners.get(name)
        if owners is None:
            owners = self._owners[name] = np.repeat(np.arange(self.n_objects), every.ends - every.starts)
        counts = np.bincount(owners[rows], minlength=self.n_objects)
        ends = np.cumsum(counts)
        return _seen_at(self.now, (every.ats[rows], every.words, rows), ends - counts, ends)


_NONE = np.zeros(0, np.int64)


def _seen_at(now: int, events: tuple[Array, Array, Array | None], starts: Array, ends: Array) -> Histories:
    ats = events[0]
    if not len(ats) or ats.max() <= now:
        return Histories(*events, starts, ends, ends)
    until = np.concatenate((_ZERO, np.cumsum(ats <= now)))
    return Histories(*events, starts, ends, starts + until[ends] - until[starts])


def blocks_of(table: Table, numbers: Array | None, now: int) -> list[Block]:
    """Return blocks of all objects (None), or of those with the given ascending numbers."""
    if numbers is None:
        n_objects = len(table.ids)
        return [Block(table, range(s, min(s + BLOCK, n_objects)), now) for s in range(0, n_objects, BLOCK)]
    return [Block(table, numbers[s : s + BLOCK], now) for s in range(0, len(numbers), BLOCK)]


def n_cuts_until(values: Array, cuts: Sequence[Any], dtype: Any = np.int64) -> Array:
    """Return, for each value, how many of the sorted cuts are at most the value.

    >>> n_cuts_until(np.array([1, 5, 9]), [2, 5, 2**80]).tolist()
    [0, 2, 2]
    """
    always = 0
    if values.dtype == np.int64:
        always = sum(cut < -(2**63) for cut in cuts)
        cuts = [cut for cut in cuts if -(2**63) <= cut < 2**63]
    if len(cuts) > (_FEW_CUTS if len(values) > _FEW_VALUES else 2):
        return (np.searchsorted(np.array(cuts, values.dtype), values, "right") + always).astype(dtype)
    found = np.full(len(values), always, dtype)
    for cut in cuts:
        found += values >= values.dtype.type(cut)
    return found

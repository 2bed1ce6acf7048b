"""Features over events: for each event name and filter one `Series`, whose features move together.

`count(purchase in the last 30 days) >= 3` says that the third newest purchase is younger than 30
days. So counts need no counter: `NthFeature(n)` has the age of the nth newest matching event cut at
the windows in use, and an event that comes, goes or ages moves it from cell to cell. Sums over a
window are added up from the events in it, which are few; integers and decimals exactly, doubles
correctly rounded.

A series keeps one deadline per object: the next instant at which an event crosses a cut of one of
its features or, coming from the future, begins to count.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from segmentkit.dsl import _numbers
from segmentkit.dsl.evaluate import DictFacts, EventFact, evaluate
from segmentkit.dsl.predicates import Predicate, Relative
from segmentkit.index import _cells
from segmentkit.index._clauses import NthKey, SumKey, equal_property
from segmentkit.index._deadlines import Deadlines
from segmentkit.index._events import DecimalCodec, DictionaryCodec, EventTable, NumberCodec, doubles, is_missing_word
from segmentkit.index._features import MISSING, Feature, Move, Rows
from segmentkit.index._table import Table


class NthFeature(Feature):
    """The age of the nth newest event of a series, cut at the windows of its literals."""

    def __init__(self, key: NthKey, literals: Sequence[Predicate], rows: Rows, series: Series) -> None:
        super().__init__(key, literals, rows)
        self.events = frozenset((key.event,))
        self.is_timed = True
        self.n = key.n
        self.cuts, self.truths = _cells.cut_ages(literals)
        self.series = series

    def cell(self, number: int, now: int) -> int:
        return self.cell_among(self.series.visible(number, now), now)

    def cell_among(self, ats: Sequence[int], now: int) -> int:
        """Return the cell for the instants of the matching events up to now, in order."""
        if len(ats) < self.n:
            return MISSING
        return bisect_right(self.cuts, now - ats[-self.n]) + 2

    def deadline_among(self, ats: Sequence[int], now: int) -> int | None:
        """Return when the cell changes next by time alone, for the matching events up to now."""
        if len(ats) < self.n:
            return None
        at = ats[-self.n]
        place = bisect_right(self.cuts, now - at)
        return at + self.cuts[place] if place < len(self.cuts) else None


class SumFeature(Feature):
    """The sum of a property over the events of a series in one window, cut at the totals of its literals."""

    def __init__(
        self, key: SumKey, literals: Sequence[Predicate], rows: Rows, series: Series, table: Table, zone: str
    ) -> None:
        super().__init__(key, literals, rows)
        aggregate = key.aggregate
        assert aggregate.property is not None
        self.events = frozenset((aggregate.events.name,))
        self.is_timed = True
        window = aggregate.events.window
        self.length = window.duration.micros if isinstance(window, Relative) else None
        self.series = series
        events = table.events[aggregate.events.name]
        self.offset = events.position[aggregate.property.name]
        codec = events.codecs[self.offset - 2]
        self._is_double = isinstance(codec, NumberCodec)
        domain = _cells.Domain(codec.scale if isinstance(codec, DecimalCodec) else None, is_double=self._is_double)
        self._cutter = _cells.cut_aggregate(domain, literals, zone)
        self._cuts = self._cutter.cuts
        self.truths = self._cutter.truths()

    def recut(self) -> None:
        self._cutter.recut()
        self._cuts = self._cutter.cuts

    def cell(self, number: int, now: int) -> int:
        return self.cell_among(number, self.series.visible(number, now), now)

    def cell_among(self, number: int, ats: Sequence[int], now: int) -> int:
        """Return the cell for the instants of the matching events up to now, in order."""
        first = 0 if self.length is None else bisect_right(ats, now - self.length)
        words = self.series.words(number, self.offset)[first : len(ats)]
        if self._is_double:
            total: Any = _numbers.total(doubles([word for word in words if not is_missing_word(word)]))
            if total is None:
                return MISSING
        else:
            total = sum(word for word in words if not is_missing_word(word))
        return bisect_right(self._cuts, total) + 2

    def deadline_among(self, ats: Sequence[int], now: int) -> int | None:
        """Return when the next event leaves the window."""
        if self.length is None:
            return None
        first = bisect_right(ats, now - self.length)
        return ats[first] + self.length if first < len(ats) else None


class Series:
    """The events of one name that pass one filter, and the features that read them."""

    is_timed = True

    def __init__(
        self, event: str, where: Predicate | None, table: Table, zone: str, rows: Rows, deadlines: Deadlines
    ) -> None:
        self.event = event
        self.where = where
        self.events: EventTable = table.events[event]
        self.nths: list[NthFeature] = []
        self.sums: list[SumFeature] = []
        self.group = -1
        self._zone = zone
        self._rows = rows
        self._deadlines = deadlines
        self.dispatched: tuple[int, Any] | None = None
        """Place and value of the property that decides whether an event matches, if one does."""
        equal = equal_property(where)
        if equal is not None:
            name, value = equal
            self.dispatched = (self.events.names.index(name), value)
            self._offset = self.events.position[name]
            codec = self.events.codecs[self._offset - 2]
            assert isinstance(codec, DictionaryCodec)
            self._code_by_value = codec.dictionary.code_by_value

    # ------------------------------------------------------------------ what matches

    def passes(self, values: tuple[Any, ...]) -> bool:
        """Whether an event with these plain property values belongs to the series."""
        where = self.where
        if where is None:
            return True
        names = self.events.names
        fact = EventFact(0, "", {n: v for n, v in zip(names, values, strict=True) if v is not None})
        return evaluate(where, _NO_FACTS, 0, self._zone, fact)

    def _matching(self, number: int) -> list[int] | None:
        """Return the indexes of the object's matching events, or None when all match."""
        if self.where is None:
            return None
        row = self.events.rows[number]
        if row is None:
            return []
        if self.dispatched is not None:
            code = self._code_by_value.get(self.dispatched[1])
            if code is None:
                return []
            words = row[self._offset :: self.events.stride]
            return [i for i, word in enumerate(words) if word == code]
        count = len(row) // self.events.stride
        return [i for i in range(count) if self.passes(self.events.values(number, i))]

    def ats(self, number: int) -> Sequence[int]:
        """Return the instants of the object's matching events, in order, future ones included."""
        row = self.events.rows[number]
        if row is None:
            return ()
        ats: Sequence[int] = row[:: self.events.stride]
        matching = self._matching(number)
        return ats if matching is None else [ats[i] for i in matching]

    def visible(self, number: int, now: int) -> Sequence[int]:
        """Return the instants of the object's matching events up to now, in order."""
        ats = self.ats(number)
        return ats if not ats or ats[-1] <= now else ats[: bisect_right(ats, now)]

    def words(self, number: int, offset: int) -> Sequence[int]:
        """Return the words of a property of the object's matching events, in order."""
        row = self.events.rows[number]
        if row is None:
            return ()
        words: Sequence[int] = row[offset :: self.events.stride]
        matching = self._matching(number)
        return words if matching is None else [words[i] for i in matching]

    # ---------------------------------------------------------------------- movement

    def cells(self, number: int, ats: Sequence[int], now: int) -> list[int]:
        """Return the cells of all features for the matching events up to now: the nths, then the sums."""
        count, cells = len(ats), []
        for nth in self.nths:
            n = nth.n
            cells.append(MISSING if count < n else bisect_right(nth.cuts, now - ats[-n]) + 2)
        for total in self.sums:
            cells.append(total.cell_among(number, ats, now))
        return cells

    def next_deadline(self, number: int, now: int) -> int | None:
        """Return the next instant at which time alone can move a feature; None if there is none."""
        return self._next(self.ats(number), now)

    def _next(self, ats: Sequence[int], now: int) -> int | None:
        if not ats:
            return None
        found = []
        if ats[-1] > now:
            count = bisect_right(ats, now)
            found.append(ats[count])
            ats = ats[:count]
        count = len(ats)
        for nth in self.nths:
            if count >= nth.n:
                at, cuts = ats[-nth.n], nth.cuts
                place = bisect_right(cuts, now - at)
                if place < len(cuts):
                    found.append(at + cuts[place])
        for total in self.sums:
            deadline = total.deadline_among(ats, now)
            if deadline is not None:
                found.append(deadline)
        return min(found) if found else None

    def before(self, number: int, now: int) -> Any:
        """Remember cells and deadline of the object."""
        ats = self.ats(number)
        deadline = self._next(ats, now)
        if ats and ats[-1] > now:
            ats = ats[: bisect_right(ats, now)]
        return self.cells(number, ats, now), deadline

    def after(self, number: int, now: int, state: Any, moves: list[Move]) -> None:
        """Put the moves of the features since `before` returned `state` into `moves`; keep rows and deadline."""
        old_cells, old_deadline = state
        ats = self.ats(number)
        self._deadlines.move(self.group, number, old_deadline, self._next(ats, now))
        if ats and ats[-1] > now:
            ats = ats[: bisect_right(ats, now)]
        new_cells = self.cells(number, ats, now)
        if new_cells == old_cells:
            return
        rows = self._rows
        base = number * rows.stride
        for feature, old, new in zip(self.features, old_cells, new_cells, strict=True):
            if old != new:
                if feature.slot >= 0:
                    rows.cells[base + feature.slot] = new
                moves.append((feature, old, new))

    @property
    def features(self) -> list[Feature]:
        """All features, in the order of `cells`."""
        return [*self.nths, *self.sums]

    def enter(self, number: int, now: int) -> None:
        """Take a new object in."""
        ats = self.visible(number, now)
        base = number * self._rows.stride
        for feature, cell in zip(self.features, self.cells(number, ats, now), strict=True):
            if feature.slot >= 0:
                self._rows.cells[base + feature.slot] = cell
        self._deadlines.move(self.group, number, None, self.next_deadline(number, now))

    def leave(self, number: int, now: int) -> None:
        """Forget an object whose facts are still there."""
        self._deadlines.move(self.group, number, self.next_deadline(number, now), None)


_NO_FACTS = DictFacts({}, {})

__all__ = ["NthFeature", "Series", "SumFeature"]

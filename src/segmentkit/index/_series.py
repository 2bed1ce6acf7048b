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

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from segmentkit.dsl import _numbers
from segmentkit.dsl.evaluate import DictFacts, EventFact, evaluate
from segmentkit.dsl.predicates import Predicate, Relative
from segmentkit.index import _cells
from segmentkit.index._clauses import NthKey, SumKey, equal_property
from segmentkit.index._events import DecimalCodec, DictionaryCodec, EventTable, NumberCodec, doubles_in, integers_in
from segmentkit.index._features import MISSING, Context, Feature, Move


class NthFeature(Feature):
    """The age of the nth newest event of a series, cut at the windows of its literals.

    `edges` are the cuts, so padded that the number of edges up to an age is its cell, and that the
    edge of that number is the next one that the age will reach.
    """

    is_timed = True

    def __init__(self, key: NthKey, literals: Sequence[Predicate], context: Context, series: Series) -> None:
        super().__init__(key, literals, context)
        self.events = frozenset((key.event,))
        self.index, self.least = (-key.n, key.n) if key.n > 0 else (-1 - key.n, -key.n)
        """Where the event stands among the matching ones, and how many of them that takes."""
        self.series = series
        cuts = _cells.age_cuts(literals)
        self.truths = _cells.truths_of_ages(literals, cuts)
        self.edges = [-_NEVER, -_NEVER, *cuts, _NEVER]

    def cell(self, number: int, now: int) -> int:
        ats = self.series.visible(number, now)
        return MISSING if len(ats) < self.least else bisect_right(self.edges, now - ats[self.index])


class SumFeature(Feature):
    """The sum of a property over the events of a series in one window, cut at the totals of its literals."""

    is_timed = True

    def __init__(self, key: SumKey, literals: Sequence[Predicate], context: Context, series: Series) -> None:
        super().__init__(key, literals, context)
        aggregate = key.aggregate
        assert aggregate.property is not None
        self.events = frozenset((aggregate.events.name,))
        window = aggregate.events.window
        self.length = window.duration.micros if isinstance(window, Relative) else _NEVER
        self.series = series
        events = context.table.events[aggregate.events.name]
        self.offset = events.position[aggregate.property.name]
        codec = events.codecs[self.offset - 2]
        self._is_double = isinstance(codec, NumberCodec)
        domain = _cells.Domain(codec.scale if isinstance(codec, DecimalCodec) else None, is_double=self._is_double)
        self._cutter = _cells.cut_aggregate(domain, literals, context.zone)
        self.cuts = self._cutter.cuts
        self.truths = self._cutter.truths()

    def recut(self) -> None:
        self._cutter.recut()
        self.cuts = self._cutter.cuts

    def cell(self, number: int, now: int) -> int:
        matching = self.series.matching(number)
        ats = matching.until(now)
        return self.cell_of(self.total(matching.words(self.offset), bisect_right(ats, now - self.length), len(ats)))

    def total(self, words: Sequence[int], first: int, end: int) -> Any:
        """Return the sum over the events from `first` to before `end`; `words` are the property's of all of them."""
        words = words[first:end]
        return _numbers.total(doubles_in(words)) if self._is_double else sum(integers_in(words))

    def cell_of(self, total: Any) -> int:
        """Return the cell of a sum; None is out of range."""
        return MISSING if total is None else bisect_right(self.cuts, total) + 2


class Matching:
    """The events of one object that belong to a series, future ones included: their instants, and their words."""

    __slots__ = ("_indexes", "_row", "_stride", "ats")

    def __init__(self, row: Any, stride: int, indexes: list[int] | None) -> None:
        self._row = row
        self._stride = stride
        self._indexes = indexes
        ats: Sequence[int] = row[::stride]
        self.ats: Sequence[int] = ats if indexes is None else [ats[i] for i in indexes]
        """In order."""

    def until(self, now: int) -> Sequence[int]:
        """Return the instants up to now."""
        ats = self.ats
        return ats if not ats or ats[-1] <= now else ats[: bisect_right(ats, now)]

    def words(self, offset: int) -> Sequence[int]:
        """Return the words of a property, one for each of the events."""
        words: Sequence[int] = self._row[offset :: self._stride]
        return words if self._indexes is None else [words[i] for i in self._indexes]

    def without(self, index: int) -> Matching:
        """Return the same events but for the object's event at `index`, which is one of them."""
        stride = self._stride
        indexes = range(len(self._row) // stride) if self._indexes is None else self._indexes
        return Matching(self._row, stride, [i for i in indexes if i != index])


class Series:
    """The events of one name that pass one filter, and the features that read them."""

    is_timed = True

    def __init__(self, event: str, where: Predicate | None, context: Context) -> None:
        self.event = event
        self.where = where
        self.events: EventTable = context.table.events[event]
        self.nths: list[NthFeature] = []
        self.sums: list[SumFeature] = []
        self.features: list[Feature] = []
        self.block = -1
        """Place in the rows of the cells of all features, or -1 where they are worked out from the facts."""
        self._is_placed = False
        self._pending = array("q")  # with a block, the deadline of each object
        self.group = -1
        self._zone = context.zone
        self._rows = context.rows
        self._deadlines = context.deadlines
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

    @property
    def keeps_state(self) -> bool:
        """Whether new objects have to be taken in."""
        return True

    def settle(self) -> None:
        """Note whether cells are kept in the rows, once the places are given out."""
        self._is_placed = any(feature.place >= 0 for feature in self.features)

    # ------------------------------------------------------------------ what matches

    def passes(self, values: tuple[Any, ...]) -> bool:
        """Whether an event with these plain property values belongs to the series."""
        where = self.where
        if where is None:
            return True
        names = self.events.names
        fact = EventFact(0, "", {n: v for n, v in zip(names, values, strict=True) if v is not None})
        return evaluate(where, _NO_FACTS, 0, self._zone, fact)

    def matching(self, number: int) -> Matching:
        """Return the object's events that belong to the series."""
        row = self.events.rows[number]
        stride = self.events.stride
        if row is None:
            return _NOTHING
        if self.where is None:
            return Matching(row, stride, None)
        if self.dispatched is not None:
            code = self._code_by_value.get(self.dispatched[1])
            words = row[self._offset :: stride]
            return Matching(row, stride, [i for i, word in enumerate(words) if word == code])
        values = self.events.values
        return Matching(row, stride, [i for i in range(len(row) // stride) if self.passes(values(number, i))])

    def visible(self, number: int, now: int) -> Sequence[int]:
        """Return the instants of the object's matching events up to now, in order."""
        return self.matching(number).until(now)

    # ---------------------------------------------------------------------- movement

    def cut(self) -> None:
        """Settle the features once all of them are there.

        The order of cells is that of `features`: the nths by the number of events they take, then the sums.
        """
        self.nths.sort(key=lambda nth: (nth.least, nth.index))
        self.features = [*self.nths, *self.sums]
        self._leasts = [nth.least for nth in self.nths]
        self._indexes = [nth.index for nth in self.nths]
        self._is_run = self._indexes == list(range(-1, -1 - len(self.nths), -1))
        self._edges = [nth.edges for nth in self.nths]
        self._missing = [MISSING] * len(self.nths)
        self._lengths = [total.length for total in self.sums]
        self._offsets = sorted({total.offset for total in self.sums})

    def _look(self, matching: Matching, now: int) -> tuple[list[int], int]:
        """Return the cells of all features, and when time alone can next move one of them, or before."""
        ats = matching.ats
        deadline = _NEVER
        if ats and ats[-1] > now:
            count = bisect_right(ats, now)
            deadline, ats = ats[count], ats[:count]
        there = bisect_right(self._leasts, len(ats))
        # a filter for each count is common: the newest events as one slice (`bench_changes`)
        chosen = ats[: -1 - there : -1] if self._is_run else [ats[index] for index in self._indexes[:there]]
        cells = [bisect_right(edges, now - at) for edges, at in zip(self._edges, chosen, strict=False)]
        if cells:
            waits = zip(self._edges, chosen, cells, strict=False)
            deadline = min(deadline, *[at + edges[cell] for edges, at, cell in waits])
        cells += self._missing[there:]
        if self.sums:
            deadline = min(deadline, self._look_at_sums(matching, ats, now, cells))
        return cells, deadline

    def _look_at_sums(self, matching: Matching, ats: Sequence[int], now: int, cells: list[int]) -> int:
        """Append the cells of the sums; return when the next event leaves a window."""
        end = len(ats)
        words = {offset: matching.words(offset) for offset in self._offsets}
        known: dict[tuple[int, int], Any] = {}  # windows that hold the same events share their total
        deadline = _NEVER
        for feature, length in zip(self.sums, self._lengths, strict=True):
            key = offset, first = feature.offset, bisect_right(ats, now - length)
            if key in known:
                total = known[key]
            else:
                total = known[key] = feature.total(words[offset], first, end)
            cells.append(MISSING if total is None else bisect_right(feature.cuts, total) + 2)
            if first < end and ats[first] + length < deadline:
                deadline = ats[first] + length
        return deadline

    def next_deadline(self, number: int, now: int) -> int | None:
        """Return an instant, no later than the next at which time alone can move a feature; None if there is none."""
        if self.block >= 0 and now < self._pending[number] < _NEVER:
            return self._pending[number]
        deadline = self._look(self.matching(number), now)[1]
        if self.block >= 0:
            self._pending[number] = deadline
        return deadline if deadline < _FAR else None

    def added(self, number: int, index: int, now: int, moves: list[Move]) -> None:
        """See that the object has got the event at `index`, which belongs to the series."""
        matching = self.matching(number)
        if self.block < 0:
            before, _ = self._look(matching.without(index), now)
            self._go(number, before, matching, now, moves)
        else:
            self._update(number, matching, now, moves)

    def removing(self, number: int, index: int, now: int, moves: list[Move]) -> None:
        """See that the object is about to lose the event at `index`, which belongs to the series."""
        matching = self.matching(number)
        if self.block < 0:
            before, _ = self._look(matching, now)
            self._go(number, before, matching.without(index), now, moves)
        else:
            self._update(number, matching.without(index), now, moves)

    def pass_time(self, number: int, at: int, moves: list[Move]) -> None:
        """Put what time alone moves at the instant `at` into `moves`; the entry for `at` has been used up."""
        matching = self.matching(number)
        if not matching.ats:
            return
        if self.block < 0:
            before, _ = self._look(matching, at - 1)
            self._go(number, before, matching, at, moves)
        else:
            self._pending[number] = _NEVER
            self._update(number, matching, at, moves)

    def _go(self, number: int, before: Sequence[int], matching: Matching, now: int, moves: list[Move]) -> None:
        """Go from some cells to those of the events that match now."""
        after, deadline = self._look(matching, now)
        self._wait(number, deadline)
        self._place(number, after)
        for feature, old, new in zip(self.features, before, after, strict=True):
            if old != new:
                moves.append((feature, old, new))

    def _update(self, number: int, matching: Matching, now: int, moves: list[Move]) -> None:
        """Bring the cells in the rows to what matches now.

        `_look` and `_go` in one pass that writes what has changed: it runs for every event (`bench_changes`).
        """
        ats = matching.ats
        deadline = _NEVER
        if ats and ats[-1] > now:
            count = bisect_right(ats, now)
            deadline, ats = ats[count], ats[:count]
        cells, start = self._rows.cells, number * self._rows.stride
        held = cells[start + self.block : start + self.block + len(self.nths)]
        there = bisect_right(self._leasts, len(ats))
        chosen = ats[: -1 - there : -1] if self._is_run else [ats[index] for index in self._indexes[:there]]
        for nth, edges, at, old in zip(self.nths, self._edges, chosen, held, strict=False):
            cell = bisect_right(edges, now - at)
            due = at + edges[cell]
            if due < deadline:
                deadline = due
            if cell != old:
                cells[start + nth.place] = cell
                moves.append((nth, old, cell))
        if there < len(held) and held[there] != MISSING:
            for nth, old in zip(self.nths[there:], held[there:], strict=True):
                if old != MISSING:
                    cells[start + nth.place] = MISSING
                    moves.append((nth, old, MISSING))
        if self.sums:
            found: list[int] = []
            deadline = min(deadline, self._look_at_sums(matching, ats, now, found))
            for total, cell in zip(self.sums, found, strict=True):
                old = cells[start + total.place]
                if cell != old:
                    cells[start + total.place] = cell
                    moves.append((total, old, cell))
        self._wait(number, deadline)

    def _wait(self, number: int, deadline: int) -> None:
        """Let the object wait for a deadline.

        An entry that is too early stays: when its bucket comes due it finds its place. A new event mostly
        moves the deadline back, and then costs nothing here (`bench_changes`).
        """
        if deadline >= _FAR:
            return
        if self.block >= 0:
            if deadline >= self._pending[number]:
                return
            self._pending[number] = deadline
        self._deadlines.move(self.group, number, None, deadline)

    def enter(self, number: int, now: int) -> None:
        """Take a new object in."""
        if self.block >= 0:
            self._pending.extend([_NEVER] * (number + 1 - len(self._pending)))
            self._pending[number] = _NEVER
        matching = self.matching(number)
        if not matching.ats and not self._is_placed:
            return
        cells, deadline = self._look(matching, now)
        self._place(number, cells)
        self._wait(number, deadline)

    def _place(self, number: int, cells: Sequence[int]) -> None:
        """Write cells into the rows, as far as they are kept there."""
        rows = self._rows
        start = number * rows.stride
        if self.block >= 0:
            rows.cells[start + self.block : start + self.block + len(cells)] = array("H", cells)
        elif self._is_placed:
            for feature, cell in zip(self.features, cells, strict=True):
                if feature.place >= 0:
                    rows.cells[start + feature.place] = cell

    def leave(self, number: int, now: int) -> None:
        """Forget an object whose facts are still there; its entry, if it has one, is passed over."""
        if self.block >= 0:
            self._pending[number] = _NEVER


_NOTHING = Matching((), 1, None)
_NO_FACTS = DictFacts({}, {})
_NEVER = 2**62
_FAR = 2**61  # an instant, or a sum with `_NEVER`, beyond this is never

__all__ = ["NthFeature", "Series", "SumFeature"]

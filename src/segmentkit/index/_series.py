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
    """The age of the nth newest event of a series, cut at the windows of all features of its kind there.

    `reach[cell]` is how long after the event the next cut comes that changes a literal: a cut
    that matters for other n only wakes nobody.
    """

    is_timed = True

    def __init__(self, key: NthKey, literals: Sequence[Predicate], context: Context, series: Series) -> None:
        super().__init__(key, literals, context)
        self.events = frozenset((key.event,))
        self.index, self.least = (-key.n, key.n) if key.n > 0 else (-1 - key.n, -key.n)
        """Where the event stands among the matching ones, and how many of them that takes."""
        self.series = series
        self.reach: list[int] = []

    def cut(self, cuts: list[int]) -> None:
        """Cut the age at `cuts`, which hold those of the own literals."""
        self.truths = _cells.truths_of_ages(self.literals, cuts)
        self.reach = [_NEVER] * len(self.truths)
        for cell in range(len(self.truths) - 2, 1, -1):
            is_felt = self.truths[cell + 1] != self.truths[cell]
            self.reach[cell] = cuts[cell - 2] if is_felt else self.reach[cell + 1]

    def cell(self, number: int, now: int) -> int:
        ats = self.series.visible(number, now)
        return MISSING if len(ats) < self.least else bisect_right(self.series.cuts, now - ats[self.index]) + 2


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
        self._cuts = self._cutter.cuts
        self.truths = self._cutter.truths()

    def recut(self) -> None:
        self._cutter.recut()
        self._cuts = self._cutter.cuts

    def cell(self, number: int, now: int) -> int:
        return self.cell_among(number, self.series.visible(number, now), now, {})

    def cell_among(self, number: int, ats: Sequence[int], now: int, known: dict[tuple[int, int], Any]) -> int:
        """Return the cell for the instants of the matching events up to now, in order.

        `known` keeps totals by (property, first event): windows that hold the same events share them.
        """
        first = bisect_right(ats, now - self.length)
        total = known.get((self.offset, first), known)
        if total is known:
            total = known[self.offset, first] = self._total(number, first, len(ats))
        return MISSING if total is None else bisect_right(self._cuts, total) + 2

    def _total(self, number: int, first: int, end: int) -> Any:
        words = self.series.words(number, self.offset)[first:end]
        return _numbers.total(doubles_in(words)) if self._is_double else sum(integers_in(words))

    def deadline_among(self, ats: Sequence[int], now: int) -> int:
        """Return when the next event leaves the window."""
        first = bisect_right(ats, now - self.length)
        return ats[first] + self.length if first < len(ats) else _NEVER


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
        self.cuts: list[int] = []
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

    def _matching(self, number: int) -> list[int]:
        """Return the indexes of the object's matching events."""
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
        if self.where is None:
            return ats
        return [ats[i] for i in self._matching(number)]

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
        if self.where is None:
            return words
        return [words[i] for i in self._matching(number)]

    # ---------------------------------------------------------------------- movement

    def cut(self) -> None:
        """Settle the features once all of them are there.

        The order of cells is that of `features`: the nths by the number of events they take, then the sums.
        """
        self.nths.sort(key=lambda nth: (nth.least, nth.index))
        self.features = [*self.nths, *self.sums]
        self.cuts = sorted({cut for nth in self.nths for cut in _cells.age_cuts(nth.literals)})
        self._cut_set = frozenset(self.cuts)
        for nth in self.nths:
            nth.cut(self.cuts)
        self._leasts = [nth.least for nth in self.nths]
        self._indexes = [nth.index for nth in self.nths]
        self._reaches = [nth.reach for nth in self.nths]
        self._missing = [MISSING] * len(self.nths)

    def cells(self, number: int, ats: Sequence[int], now: int) -> list[int]:
        """Return the cells of all features for the matching events up to now."""
        there, cuts = bisect_right(self._leasts, len(ats)), self.cuts
        cells = [bisect_right(cuts, now - ats[index]) + 2 for index in self._indexes[:there]]
        cells += self._missing[there:]
        if self.sums:
            known: dict[tuple[int, int], Any] = {}
            for total in self.sums:
                cells.append(total.cell_among(number, ats, now, known))
        return cells

    def _crossed(self, number: int, ats: Sequence[int], now: int, cells: array[int]) -> array[int]:
        """Return the cells after time alone has brought some event to an age at which a feature is cut."""
        cells = cells[:]
        ages = {now - at for at in ats}
        if not ages.isdisjoint(self._cut_set):
            for place, index in enumerate(self._indexes[: bisect_right(self._leasts, len(ats))]):
                age = now - ats[index]
                if age in self._cut_set:
                    cells[place] = bisect_right(self.cuts, age) + 2
        known: dict[tuple[int, int], Any] = {}
        for place, total in enumerate(self.sums, start=len(self.nths)):
            if total.length in ages:
                cells[place] = total.cell_among(number, ats, now, known)
        return cells

    def next_deadline(self, number: int, now: int) -> int | None:
        """Return an instant, no later than the next at which time alone can move a feature; None if there is none."""
        if self.block >= 0 and now < self._pending[number] < _NEVER:
            return self._pending[number]
        ats = self.ats(number)
        visible = ats if not ats or ats[-1] <= now else ats[: bisect_right(ats, now)]
        deadline = self._next(ats, visible, now, self.cells(number, visible, now))
        if self.block >= 0:
            self._pending[number] = _NEVER if deadline is None else deadline
        return deadline

    def _next(self, ats: Sequence[int], visible: Sequence[int], now: int, cells: Sequence[int]) -> int | None:
        count = len(visible)
        deadline = ats[count] if count < len(ats) else _NEVER
        indexes = self._indexes[: bisect_right(self._leasts, count)]
        for index, reach, cell in zip(indexes, self._reaches, cells, strict=False):
            at = visible[index] + reach[cell]
            if at < deadline:
                deadline = at
        for total in self.sums:
            at = total.deadline_among(visible, now)
            if at < deadline:
                deadline = at
        return deadline if deadline < _FAR else None

    def before(self, number: int, now: int) -> Any:
        """Remember cells and deadline of the object."""
        if self.block < 0:
            ats = self.ats(number)
            visible = ats if not ats or ats[-1] <= now else ats[: bisect_right(ats, now)]
            cells = array("H", self.cells(number, visible, now))
            return cells, self._next(ats, visible, now, cells)
        base = number * self._rows.stride + self.block
        pending = self._pending[number]
        waits = now + 1 < pending < _NEVER  # what is due now has been taken out by whoever calls
        return self._rows.cells[base : base + len(self.features)], pending if waits else None

    def after(self, number: int, now: int, state: Any, moves: list[Move]) -> None:
        """Put the moves of the features since `before` returned `state` into `moves`; keep rows and deadline."""
        old_cells, old_deadline = state
        ats = self.ats(number)
        visible = ats if not ats or ats[-1] <= now else ats[: bisect_right(ats, now)]
        new_cells = array("H", self.cells(number, visible, now))
        self._schedule(number, old_deadline, self._next(ats, visible, now, new_cells))
        if new_cells != old_cells:
            self._move(number, old_cells, new_cells, moves)

    def pass_time(self, number: int, at: int, moves: list[Move]) -> None:
        """Put what time alone moves at the instant `at` into `moves`; the entry for `at` has been used up."""
        ats = self.ats(number)
        if not ats:
            return
        visible = ats if ats[-1] <= at else ats[: bisect_right(ats, at)]
        if self.block >= 0:
            base = number * self._rows.stride + self.block
            old_cells = self._rows.cells[base : base + len(self.features)]
        else:
            seen = visible if not visible or visible[-1] < at else visible[: bisect_right(visible, at - 1)]
            old_cells = array("H", self.cells(number, seen, at - 1))
        if visible and visible[-1] < at:
            new_cells = self._crossed(number, visible, at, old_cells)
        else:
            new_cells = array("H", self.cells(number, visible, at))
        self._schedule(number, None, self._next(ats, visible, at, new_cells))
        if new_cells != old_cells:
            self._move(number, old_cells, new_cells, moves)

    def _schedule(self, number: int, old: int | None, new: int | None) -> None:
        """Put the deadline from `old` to `new`.

        With a block, an entry that is too early stays: when its bucket comes due it finds its place. A new
        event mostly moves the deadline back, and then costs nothing here (`bench_changes`).
        """
        if self.block < 0:
            self._deadlines.move(self.group, number, old, new)
        elif old is None or (new is not None and new < old):
            self._pending[number] = _NEVER if new is None else new
            self._deadlines.move(self.group, number, old, new)

    def _move(self, number: int, old_cells: array[int], new_cells: array[int], moves: list[Move]) -> None:
        cells = self._rows.cells
        base = number * self._rows.stride
        if self.block >= 0:
            cells[base + self.block : base + self.block + len(new_cells)] = new_cells
        pairs = zip(old_cells, new_cells, strict=True)
        for place, (old, new) in [(i, pair) for i, pair in enumerate(pairs) if pair[0] != pair[1]]:
            feature = self.features[place]
            if feature.slot >= 0:
                cells[base + feature.slot] = new
            if feature.masks[old] is not feature.masks[new]:
                moves.append((feature, old, new))

    def enter(self, number: int, now: int) -> None:
        """Take a new object in."""
        ats = self.ats(number)
        if not ats and not self._is_placed:
            return
        visible = ats if not ats or ats[-1] <= now else ats[: bisect_right(ats, now)]
        new_cells = array("H", self.cells(number, visible, now))
        base = number * self._rows.stride
        if self.block >= 0:
            self._rows.cells[base + self.block : base + self.block + len(new_cells)] = new_cells
            self._pending.extend([_NEVER] * (number + 1 - len(self._pending)))
        for feature, cell in zip(self.features, new_cells, strict=True):
            if feature.slot >= 0:
                self._rows.cells[base + feature.slot] = cell
        self._schedule(number, None, self._next(ats, visible, now, new_cells))

    def leave(self, number: int, now: int) -> None:
        """Forget an object whose facts are still there."""
        old = self.next_deadline(number, now) if self.block < 0 else self._pending[number]
        if self.block >= 0:
            self._pending[number] = _NEVER
        self._deadlines.move(self.group, number, None if old == _NEVER else old, None)


_NO_FACTS = DictFacts({}, {})
_NEVER = 2**62
_FAR = 2**61  # an instant, or a sum with `_NEVER`, beyond this is never

__all__ = ["NthFeature", "Series", "SumFeature"]

"""Features: what the index knows of an object, cut into cells.

The literals of one feature cut its values into *cells* in which each of them is constant. For
every cell the feature keeps `masks[cell]`, one bit per clause: set when the clause puts no
constraint on the feature, or the cell satisfies it. The clauses an object satisfies are the AND of
one mask per feature; when one feature moves from cell a to cell b, only the bits of
`masks[a] ^ masks[b]` can flip.

Cell 0 is free (satisfies everything; used to leave a feature out of an AND), cell 1 is missing.
The literals of a feature never change; a definition with a new literal brings another feature.

A dense feature keeps its cell of each object in a row (`Rows`); the cell of the others comes from
the facts, or for boolean features from a bitmap. `before` is called while the facts are still the
old ones, `after` when they are the new ones; the latter puts what moved into `moves`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any, Final

from pyroaring import BitMap

from segmentkit.dsl import _calendar, _geo
from segmentkit.dsl._horizon import next_change
from segmentkit.dsl.evaluate import DictFacts, evaluate
from segmentkit.dsl.predicates import (
    And,
    Attribute,
    In,
    InBox,
    Literal,
    Not,
    Or,
    Predicate,
    SetTest,
    TextTest,
    Within,
    iter_nodes,
)
from segmentkit.index import _cells
from segmentkit.index._clauses import AgeKey, BooleanKey, FeatureKey, OrderedKey, TextKey, reads_of
from segmentkit.index._table import Table

FREE: Final = 0
MISSING: Final = 1
_FALSE: Final = 1
_TRUE: Final = 2
_MOST_OPEN_CELLS: Final = 4_096


class Rows:
    """One row of small integers per object: its cell of each dense feature.

    One flat array: an object's cells lie together, so that an AND over them reads one stretch of memory.
    `now` is the instant for which a cell is asked that is not in a row.
    """

    def __init__(self) -> None:
        self.stride = 0
        self.cells = array("H")
        self.now = 0

    def reset(self, stride: int, n_objects: int) -> None:
        """Make room for `stride` cells of `n_objects` objects, all free."""
        self.stride = stride
        self.cells = array("H", bytes(2 * stride * n_objects))

    def append(self) -> None:
        """Add an object whose cells are free."""
        self.cells.frombytes(bytes(2 * self.stride))


Move = tuple["Feature", int, int]
"""A feature and its cells before and after."""


class Feature:
    """The part that all features share: literals, their truth by cell, and masks."""

    is_timed = False

    def __init__(self, key: FeatureKey, literals: Sequence[Predicate], rows: Rows) -> None:
        self.key = key
        self.literals = tuple(literals)
        self.number_by_literal = {literal: i for i, literal in enumerate(self.literals)}
        self.bits_by_literal = [0] * len(self.literals)
        self.truths: list[int] = []
        self.masks: list[int] = []
        self.slot = -1
        self.place = -1
        """Where the rows have the cell: the slot of a dense feature, or a place in the block of a series; or -1."""
        self.rows = rows
        self.group = -1
        self.attributes: frozenset[str] = frozenset()
        self.events: frozenset[str] = frozenset()

    # -- masks

    def build_masks(self, ones: int) -> None:
        """Work `masks` out from the clauses bound to each literal; `ones` has every clause's bit set."""
        self.ones = ones
        bits = self.bits_by_literal
        last = self.truths[-1]
        mask = self._mask(last)
        masks = []
        for truth in self.truths:  # each from the one before: a clause has one literal here, so its bits toggle alone
            moved = (truth ^ last) & ((1 << len(bits)) - 1)
            while moved:
                low = moved & -moved
                mask ^= bits[low.bit_length() - 1]
                moved ^= low
            masks.append(mask)
            last = truth
        self.masks = masks

    def _mask(self, truth: int) -> int:
        violated = 0
        wrong = ~truth & ((1 << len(self.literals)) - 1)
        bits = self.bits_by_literal
        while wrong:
            low = wrong & -wrong
            violated |= bits[low.bit_length() - 1]
            wrong ^= low
        return self.ones & ~violated

    def bind(self, literal: int, bit: int) -> None:
        """Let the clause of `bit` need the literal."""
        self.bits_by_literal[literal] |= bit
        if self.masks:
            for cell, truth in enumerate(self.truths):
                if not truth >> literal & 1:
                    self.masks[cell] &= ~bit

    def release(self, literal: int, bit: int) -> None:
        """Let the clause of `bit` need the literal no more."""
        self.bits_by_literal[literal] &= ~bit
        for cell in range(len(self.masks)):
            self.masks[cell] |= bit

    def weight(self) -> float:
        """Return about how many clauses an object violates here, to AND the strongest masks first."""
        cells = self.typical_cells()
        return sum((self.ones & ~self.masks[cell]).bit_count() for cell in cells) / max(1, len(cells))

    def typical_cells(self) -> Sequence[int]:
        """Return cells that objects are likely to be in."""
        return range(2, len(self.masks))

    @property
    def cost(self) -> int:
        """How dear a test of a literal is, from 0: look-ups go before what has to be worked out."""
        return 0 if self.place >= 0 else 2 if self.events else 1

    # -- cells

    def recut(self) -> None:
        """Follow a decimal column whose scale has grown; the numbering of the cells stays."""

    def cell(self, number: int, now: int) -> int:
        """Return the cell of an object, worked out from its facts."""
        raise AssertionError("each kind of feature has its own")

    def current(self, number: int, now: int) -> int:
        """Return the cell that the index holds to be the object's."""
        if self.place >= 0:
            return self.rows.cells[number * self.rows.stride + self.place]
        return self.cell(number, now)

    def test(self, literal: int) -> Callable[[int], object]:
        """Return a function that tells of an object whether a literal holds (at `rows.now`).

        Made once for each clause, since it is the inner loop of checking one: `bench_changes`.
        """
        truths, rows, cell = self.truths, self.rows, self.cell
        if self.place >= 0:
            cells, stride, place = rows.cells, rows.stride, self.place
            return lambda number: truths[cells[number * stride + place]] >> literal & 1
        return lambda number: truths[cell(number, rows.now)] >> literal & 1

    def before(self, number: int, now: int) -> Any:
        """Remember what is needed to see later what has moved."""
        return self.current(number, now)

    def after(self, number: int, now: int, state: Any, moves: list[Move]) -> None:
        """Put the move of the feature, if it moved since `before` returned `state`, into `moves`."""
        cell = self.cell(number, now)
        if cell != state:
            if self.slot >= 0:
                self.rows.cells[number * self.rows.stride + self.slot] = cell
            moves.append((self, state, cell))

    def pass_time(self, number: int, at: int, moves: list[Move]) -> None:
        """Put what time alone moves at the instant `at` into `moves`; the entry for `at` has been used up."""
        self.after(number, at, self.before(number, at - 1), moves)

    @property
    def keeps_state(self) -> bool:
        """Whether new objects have to be taken in: the cells of others are always worked out."""
        return self.place >= 0 or self.is_timed

    def enter(self, number: int, now: int) -> None:
        """Take a new object in: its cell and its deadline."""
        if self.slot >= 0:
            self.rows.cells[number * self.rows.stride + self.slot] = self.cell(number, now)

    def leave(self, number: int, now: int) -> None:
        """Forget an object whose facts are still there."""

    def next_deadline(self, number: int, now: int) -> int | None:
        """Return the next instant at which time alone can move the object, or None."""
        return None


class OrderedFeature(Feature):
    """The value of an attribute with an order, cut by bisection."""

    def __init__(self, key: OrderedKey, literals: Sequence[Predicate], rows: Rows, table: Table, zone: str) -> None:
        super().__init__(key, literals, rows)
        self.attributes = frozenset((key.attribute,))
        self._column = table.columns[key.attribute]
        self._cutter = _cells.cut_attribute(self._column, literals, key.attribute, zone)
        self._cuts = self._cutter.cuts
        self.truths = self._cutter.truths()

    def recut(self) -> None:
        self._cutter.recut()
        self._cuts = self._cutter.cuts

    def cell(self, number: int, now: int) -> int:
        value = self._column.get(number)
        return MISSING if value is None else bisect_right(self._cuts, value) + 2


class TextFeature(Feature):
    """The value of a text, choice or boolean attribute.

    A closed one has a cell for each value its literals name, and one for all others. An open one
    makes a cell for each pattern of truths it meets, and remembers the values it has seen.
    """

    def __init__(self, key: TextKey, literals: Sequence[Predicate], rows: Rows, table: Table, zone: str) -> None:
        super().__init__(key, literals, rows)
        self.attributes = frozenset((key.attribute,))
        self._column = table.columns[key.attribute]
        self._attribute = key.attribute
        self._zone = zone
        self._tests = [self._test(literal) for literal in literals]
        self._closed = key.closed
        self._cell_by_value: dict[Any, int] = {}
        self.truths = [-1, self._truth(None), 0]
        self._reset()

    def _reset(self) -> None:
        del self.truths[3 if self._closed else 2 :]
        del self.masks[3 if self._closed else 2 :]
        self._cell_by_value = {None: MISSING}
        self._cell_by_truth: dict[int, int] = {}
        if self._closed:
            self._close()

    def _test(self, literal: Predicate) -> Callable[[Any], bool]:
        if isinstance(literal, TextTest) and not literal.ignoring_case:
            patterns = literal.patterns
            if literal.test == "ends with":
                return lambda value: value is not None and value.endswith(patterns)
            if literal.test == "starts with":
                return lambda value: value is not None and value.startswith(patterns)
            return lambda value: value is not None and any(pattern in value for pattern in patterns)
        if isinstance(literal, In) and not literal.ignoring_case:
            return frozenset(option.value for option in literal.options).__contains__
        attribute, zone = self._attribute, self._zone
        return lambda value: evaluate(literal, DictFacts({attribute: value}, {}), 0, zone)

    def _truth(self, value: Any) -> int:
        truth = 0
        for i, test in enumerate(self._tests):
            if test(value):
                truth |= 1 << i
        return truth

    def _close(self) -> None:
        named: dict[Any, list[int]] = {}
        for i, literal in enumerate(self.literals):
            for node in iter_nodes(literal):
                if isinstance(node, Literal):
                    named.setdefault(node.value, []).append(i)
        if self._column.type.kind == "boolean":
            named = {value: list(range(len(self.literals))) for value in (False, True)}
        base = self._truth("\0".join(["", *(value for value in named if isinstance(value, str))]))
        self.truths[2] = base
        for value, readers in named.items():
            truth = base
            for i in readers:
                truth = truth | 1 << i if self._tests[i](value) else truth & ~(1 << i)
            self._cell_by_value[value] = len(self.truths)
            self.truths.append(truth)

    def cell(self, number: int, now: int) -> int:
        value = self._column.get(number)
        cell = self._cell_by_value.get(value)
        if cell is None:
            return 2 if self._closed else self._open_cell(value)
        return cell

    def typical_cells(self) -> Sequence[int]:
        return (2,) if self._closed and self._column.type.kind != "boolean" else range(2, len(self.masks))

    def _open_cell(self, value: Any) -> int:
        truth = self._truth(value)
        cell = self._cell_by_truth.get(truth)
        if cell is None:
            cell = self._cell_by_truth[truth] = len(self.truths)
            self.truths.append(truth)
            if self.masks:
                self.masks.append(self._mask(truth))
        if len(self._cell_by_value) < _MOST_OPEN_CELLS:
            self._cell_by_value[value] = cell
        return cell


class AgeFeature(Feature):
    """How long ago the instant of an attribute was; time alone moves it from cell to cell."""

    is_timed = True

    def __init__(self, key: AgeKey, literals: Sequence[Predicate], rows: Rows, table: Table, deadlines: Any) -> None:
        super().__init__(key, literals, rows)
        self.attributes = frozenset((key.attribute,))
        self._column = table.columns[key.attribute]
        self._deadlines = deadlines
        self._cuts = _cells.age_cuts(literals)
        self.truths = _cells.truths_of_ages(literals, self._cuts)

    def _age(self, value: int, now: int) -> int:
        return now - value

    def _reaches(self, value: int, cut: int) -> int:
        """Return the instant at which the age becomes `cut`."""
        return value + cut

    def cell(self, number: int, now: int) -> int:
        value = self._column.get(number)
        return MISSING if value is None else bisect_right(self._cuts, self._age(value, now)) + 2

    def next_deadline(self, number: int, now: int) -> int | None:
        """Return the next instant at which the cell changes, if the facts stay; None if there is none."""
        value = self._column.get(number)
        if value is None:
            return None
        place = bisect_right(self._cuts, self._age(value, now))
        return self._reaches(value, self._cuts[place]) if place < len(self._cuts) else None

    def before(self, number: int, now: int) -> Any:
        return self.current(number, now), self.next_deadline(number, now)

    def after(self, number: int, now: int, state: Any, moves: list[Move]) -> None:
        cell, deadline = state
        super().after(number, now, cell, moves)
        self._deadlines.move(self.group, number, deadline, self.next_deadline(number, now))

    def pass_time(self, number: int, at: int, moves: list[Move]) -> None:
        value = self._column.get(number)
        if value is None:
            return
        super().after(number, at, self.current(number, at - 1), moves)
        self._deadlines.move(self.group, number, None, self.next_deadline(number, at))

    def enter(self, number: int, now: int) -> None:
        super().enter(number, now)
        self._deadlines.move(self.group, number, None, self.next_deadline(number, now))

    def leave(self, number: int, now: int) -> None:
        self._deadlines.move(self.group, number, self.next_deadline(number, now), None)


class DayAgeFeature(AgeFeature):
    """How many civil days ago the date of an attribute was, in a zone; it moves at midnight."""

    def __init__(
        self, key: AgeKey, literals: Sequence[Predicate], rows: Rows, table: Table, zone: str, deadlines: Any
    ) -> None:
        super().__init__(key, literals, rows, table, deadlines)
        self._zone = zone
        self._today: tuple[int | None, int] = (None, 0)

    def _age(self, value: int, now: int) -> int:
        at, today = self._today
        if at != now:
            today = _calendar.civil_day(now, self._zone)
            self._today = now, today
        return today - value

    def _reaches(self, value: int, cut: int) -> int:
        return _calendar.day_start(value + cut, self._zone)


class BooleanFeature(Feature):
    """Whether a predicate over anything holds; the objects for which it does are a bitmap."""

    def __init__(
        self, key: BooleanKey, literals: Sequence[Predicate], rows: Rows, table: Table, zone: str, deadlines: Any
    ) -> None:
        super().__init__(key, literals, rows)
        self.predicate = key.predicate
        self.attributes, self.events = reads_of(key.predicate)
        self.is_timed = bool(self.events) or _cells.reads_time(key.predicate)
        self.members = BitMap()
        self._table = table
        self._zone = zone
        self._deadlines = deadlines
        self._pending: dict[int, int] = {}
        self._holds = self._test()
        self.truths = [-1, self._truth(False), self._truth(True)]

    def _truth(self, value: bool) -> int:
        return sum(1 << i for i, literal in enumerate(self.literals) if _substituted(literal, self.predicate, value))

    def _test(self) -> Callable[[int, int], bool]:
        predicate, table, zone = self.predicate, self._table, self._zone
        if isinstance(predicate, InBox | Within) and isinstance(predicate.value, Attribute):
            return self._point_test(predicate, table.columns[predicate.value.name].get)
        if isinstance(predicate, SetTest) and not predicate.ignoring_case and isinstance(predicate.value, Attribute):
            get = table.columns[predicate.value.name].get
            wanted = frozenset(predicate.members)
            if predicate.quantifier == "any":
                return lambda number, now: not wanted.isdisjoint(get(number))
            return lambda number, now: wanted <= get(number)
        return lambda number, now: evaluate(predicate, table.facts(number), now, zone)

    @staticmethod
    def _point_test(predicate: InBox | Within, get: Callable[[int], Any]) -> Callable[[int, int], bool]:
        def holds(number: int, now: int) -> bool:
            point = get(number)
            return point is not None and is_inside(point)

        if isinstance(predicate, InBox):
            south, west, north, east = predicate.south, predicate.west, predicate.north, predicate.east
            is_inside: Callable[[tuple[float, float]], bool] = lambda point: _geo.in_box(point, south, west, north, east)  # noqa: E731
        else:
            centre, metres = predicate.centre, predicate.metres
            is_inside = lambda point: _geo.distance_metres(point, centre) <= metres  # noqa: E731
        return holds

    @property
    def keeps_state(self) -> bool:
        return True

    def cell(self, number: int, now: int) -> int:
        return _TRUE if self._holds(number, now) else _FALSE

    def current(self, number: int, now: int) -> int:
        return _TRUE if number in self.members else _FALSE

    @property
    def cost(self) -> int:
        return 0

    def test(self, literal: int) -> Callable[[int], object]:
        members = self.members
        false, true = (self.truths[cell] >> literal & 1 for cell in (_FALSE, _TRUE))
        if true and not false:
            return members.__contains__
        return lambda number: true if number in members else false

    def next_deadline(self, number: int, now: int) -> int | None:
        """Return an instant no later than the next at which the answer can change; None if it cannot."""
        return next_change(self.predicate, self._table.facts(number), now, self._zone)

    def after(self, number: int, now: int, state: Any, moves: list[Move]) -> None:
        cell = self.cell(number, now)
        if cell != state:
            self._store(number, cell)
            moves.append((self, state, cell))
        if self.is_timed:
            self._schedule(number, self.next_deadline(number, now))

    def _store(self, number: int, cell: int) -> None:
        if cell == _TRUE:
            self.members.add(number)
        else:
            self.members.discard(number)
        if self.slot >= 0:
            self.rows.cells[number * self.rows.stride + self.slot] = cell

    def _schedule(self, number: int, deadline: int | None) -> None:
        old = self._pending.pop(number, None) if deadline is None else self._pending.get(number)
        if deadline is not None:
            self._pending[number] = deadline
        self._deadlines.move(self.group, number, old, deadline)

    def enter(self, number: int, now: int) -> None:
        self._store(number, self.cell(number, now))
        if self.is_timed:
            self._schedule(number, self.next_deadline(number, now))

    def leave(self, number: int, now: int) -> None:
        self.members.discard(number)
        if self.is_timed:
            self._schedule(number, None)


def _substituted(literal: Predicate, predicate: Predicate, value: bool) -> bool:
    if literal == predicate:
        return value
    match literal:
        case Not(item):
            return not _substituted(item, predicate, value)
        case And(items):
            return all(_substituted(item, predicate, value) for item in items)
        case Or(items):
            return any(_substituted(item, predicate, value) for item in items)
        case _:
            raise AssertionError(f"{literal!r} is no formula over {predicate!r}")


__all__ = [
    "FREE",
    "MISSING",
    "AgeFeature",
    "BooleanFeature",
    "DayAgeFeature",
    "Feature",
    "Move",
    "OrderedFeature",
    "Rows",
    "TextFeature",
]

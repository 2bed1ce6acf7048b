"""Features over one attribute: its value in order, its text, and how long ago its instant or date was."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any, Final

from segmentkit.dsl import _calendar
from segmentkit.dsl.evaluate import DictFacts, evaluate
from segmentkit.dsl.predicates import (
    And,
    Compare,
    In,
    IsMissing,
    IsTrue,
    Literal,
    Not,
    Or,
    Predicate,
    TextTest,
    iter_nodes,
)
from segmentkit.index import _cells
from segmentkit.index._clauses import AgeKey, OrderedKey, TextKey
from segmentkit.index._features import MISSING, Context, Feature, Move
from segmentkit.index._steps import Step
from segmentkit.index.deltas import bits_of, mask_of

OTHER: Final = 2  # cell of the values that no literal of a closed feature names
_MOST_OPEN_CELLS: Final = 4_096  # values that an open feature remembers


class OrderedFeature(Feature):
    """The value of an attribute with an order, cut by bisection."""

    def __init__(self, key: OrderedKey, literals: Sequence[Predicate], context: Context) -> None:
        super().__init__(key, literals, context)
        self.attributes = frozenset((key.attribute,))
        self._column = context.table.columns[key.attribute]
        self._cutter = _cells.cut_attribute(self._column, literals, key.attribute, context.zone)
        self._cuts = self._cutter.cuts
        self.truths = self._cutter.truths()

    def recut(self) -> None:
        self._cutter.recut()
        self._cuts = self._cutter.cuts

    def cell(self, number: int, now: int) -> int:
        value = self._column.get(number)
        return MISSING if value is None else bisect_right(self._cuts, value) + 2

    def changed(self, number: int, old: Any, new: Any, now: int, moves: list[Move]) -> None:
        cuts = self._cuts
        before = MISSING if old is None else bisect_right(cuts, old) + 2
        after = MISSING if new is None else bisect_right(cuts, new) + 2
        if before != after:
            self.move(number, before, after, moves)


class TextFeature(Feature):
    """The value of a text, choice or boolean attribute.

    A closed one has a cell for each value its literals name, and one for all others. An open one
    makes a cell for each pattern of truths it meets, and remembers the values it has seen.
    """

    def __init__(self, key: TextKey, literals: Sequence[Predicate], context: Context) -> None:
        super().__init__(key, literals, context)
        self.attributes = frozenset((key.attribute,))
        self._column = context.table.columns[key.attribute]
        self._closed = key.closed
        self._cell_by_value: dict[Any, int] = {None: MISSING}
        self._cell_by_truth: dict[int, int] = {}
        self._apart: dict[int, frozenset[int]] = {}
        if key.closed:
            self._close()
        else:
            self._tests = [_test_of(literal, key.attribute, context.zone) for literal in literals]
            self._patterns = _Patterns(literals)
            self._others = [(1 << i, test) for i, test in enumerate(self._tests) if not self._patterns.told >> i & 1]
            self._truth_of_missing = sum(1 << i for i, test in enumerate(self._tests) if test(None))
            self.truths = [-1, self._truth_of_missing]

    def _close(self) -> None:
        """Give a cell to each value that is named: cells are missing, other, then the values."""
        values = {node.value for item in self.literals for node in iter_nodes(item) if isinstance(node, Literal)}
        if self._column.type.kind == "boolean":
            values = {False, True}
        bit_by_value = {value: 1 << 2 + place for place, value in enumerate(values)}

        def leaf_cells(leaf: Predicate) -> int:
            match leaf:
                case Compare("=", _, Literal(value)):
                    return bit_by_value[value]
                case In(_, options):
                    return mask_of((bit_by_value[o.value].bit_length() - 1 for o in options), 2 + len(values))
                case IsTrue():
                    return bit_by_value[True]
                case IsMissing():
                    return 1
                case _:
                    raise AssertionError(f"{leaf!r} asks for more than equality")

        n_cells = 2 + len(values)
        cells = [_cells.cells_where(item, leaf_cells, (1 << n_cells) - 1) for item in self.literals]
        self.truths = [-1, *_cells.truths_by_cell(cells, n_cells)]
        self._cell_by_value |= {value: 3 + place for place, value in enumerate(values)}

    def _truth(self, value: Any) -> int:
        """Return the literals that hold for a text, as bits."""
        if value is None:
            return self._truth_of_missing
        truth = self._patterns.truth(value)
        for bit, test in self._others:
            if test(value):
                truth |= bit
        return truth

    def cell(self, number: int, now: int) -> int:
        return self._cell_of(self._column.get(number))

    def _cell_of(self, value: Any) -> int:
        cell = self._cell_by_value.get(value)
        if cell is None:
            return OTHER if self._closed else self._open_cell(value)
        return cell

    def changed(self, number: int, old: Any, new: Any, now: int, moves: list[Move]) -> None:
        before, after = self._cell_of(old), self._cell_of(new)
        if before != after:
            self.move(number, before, after, moves)

    def test(self, literal: int) -> Callable[[int], object]:
        return super().test(literal) if self._closed else self.worked_out(literal)

    def truths_in_row(self, literal: int) -> bytes | None:
        return super().truths_in_row(literal) if self._closed else None

    @property
    def is_dear(self) -> bool:
        return self.place >= 0 and not self._closed

    def worked_out(self, literal: int) -> Callable[[int], object]:
        if self._closed:
            return super().worked_out(literal)
        get, test = self._column.get, self._tests[literal]  # one pattern is tried, not all of them
        return lambda number: test(get(number))

    def step(self, before: int, after: int) -> Step:
        """Return the clauses of the literals that tell one of the cells from that of other texts, and not both."""
        gained: list[int] = []
        lost: list[int] = []
        of_before, of_after = self._literals_apart(before), self._literals_apart(after)
        truth = self.truths[after]
        for literal in of_before ^ of_after:
            (gained if truth >> literal & 1 else lost).extend(self.clauses_of[literal])
        return gained, lost

    def _literals_apart(self, cell: int) -> frozenset[int]:
        """Return the literals that are true in a cell and not in that of other texts, or the other way round."""
        found = self._apart.get(cell)
        if found is None:
            full = (1 << len(self.literals)) - 1
            other = self.truths[OTHER if self._closed else MISSING]
            found = self._apart[cell] = frozenset(bits_of((self.truths[cell] ^ other) & full))
        return found

    def typical_cells(self) -> Sequence[int]:
        return (OTHER,) if self._closed and self._column.type.kind != "boolean" else range(2, len(self.masks))

    def _open_cell(self, value: Any) -> int:
        truth = self._truth(value)
        cell = self._cell_by_truth.get(truth)
        if cell is None:
            cell = self._cell_by_truth[truth] = len(self.truths)
            self.truths.append(truth)
            if self.masks:
                self.masks.append(self._mask(truth, self._bits_by_literal()))
        if len(self._cell_by_value) < _MOST_OPEN_CELLS:
            self._cell_by_value[value] = cell
        return cell


class _Patterns:
    """Tests of one text for beginnings, ends and parts, as they stand or negated, tried together.

    All beginnings of one length are one look-up, and so are all ends (`bench_changes`, email).
    """

    def __init__(self, literals: Sequence[Predicate]) -> None:
        self.told = self._negated = 0
        """The literals that are such a test, as bits, and those of them that are negated."""
        self._starts: dict[int, dict[str, int]] = {}
        self._ends: dict[int, dict[str, int]] = {}
        self._parts: dict[str, int] = {}
        for number, literal in enumerate(literals):
            test = literal.item if isinstance(literal, Not) else literal
            if not isinstance(test, TextTest) or test.ignoring_case or not all(test.patterns):
                continue
            bit = 1 << number
            self.told |= bit
            if test is not literal:
                self._negated |= bit
            for pattern in test.patterns:
                bits = self._parts
                if test.test != "contains":
                    by_length = self._starts if test.test == "starts with" else self._ends
                    bits = by_length.setdefault(len(pattern), {})
                bits[pattern] = bits.get(pattern, 0) | bit

    def truth(self, value: str) -> int:
        """Return those of the literals told that hold, as bits."""
        found = 0
        for length, bits in self._ends.items():
            found |= bits.get(value[-length:], 0)
        for length, bits in self._starts.items():
            found |= bits.get(value[:length], 0)
        for pattern, bit in self._parts.items():
            if pattern in value:
                found |= bit
        return found ^ self._negated


def _test_of(literal: Predicate, attribute: str, zone: str) -> Callable[[Any], bool]:
    """Return a function that tells whether a literal holds for a text."""
    match literal:
        case And(items):
            tests = [_test_of(item, attribute, zone) for item in items]
            return lambda value: all(test(value) for test in tests)
        case Or(items):
            tests = [_test_of(item, attribute, zone) for item in items]
            return lambda value: any(test(value) for test in tests)
        case Not(item):
            negated = _test_of(item, attribute, zone)
            return lambda value: not negated(value)
        case TextTest("ends with", patterns=patterns, ignoring_case=False):
            return lambda value: value is not None and value.endswith(patterns)
        case TextTest("starts with", patterns=patterns, ignoring_case=False):
            return lambda value: value is not None and value.startswith(patterns)
        case TextTest(patterns=patterns, ignoring_case=False):
            return lambda value: value is not None and any(pattern in value for pattern in patterns)
        case _:
            return lambda value: evaluate(literal, DictFacts({attribute: value}, {}), 0, zone)


class AgeFeature(Feature):
    """How long ago the instant of an attribute was; time alone moves it from cell to cell."""

    is_timed = True

    def __init__(self, key: AgeKey, literals: Sequence[Predicate], context: Context) -> None:
        super().__init__(key, literals, context)
        self.attributes = frozenset((key.attribute,))
        self._column = context.table.columns[key.attribute]
        self._deadlines = context.deadlines
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
        return self._cell_and_deadline(self._column.get(number), now)[1]

    def changed(self, number: int, old: Any, new: Any, now: int, moves: list[Move]) -> None:
        before, due = self._cell_and_deadline(old, now)
        after, next_due = self._cell_and_deadline(new, now)
        if before != after:
            self.move(number, before, after, moves)
        if next_due is not None and (due is None or next_due < due):  # an entry that is too early stays (`Series`)
            self._deadlines.add(self.group, number, next_due)

    def _cell_and_deadline(self, value: int | None, now: int) -> tuple[int, int | None]:
        if value is None:
            return MISSING, None
        cuts = self._cuts
        place = bisect_right(cuts, now - value)  # `_age` and `_reaches`, without the calls: `bench_changes`
        return place + 2, value + cuts[place] if place < len(cuts) else None

    def pass_time(self, number: int, at: int, moves: list[Move]) -> None:
        value = self._column.get(number)
        if value is None:
            return
        before = self.current(number, at - 1)
        after, due = self._cell_and_deadline(value, at)
        if before != after:
            self.move(number, before, after, moves)
        if due is not None:
            self._deadlines.add(self.group, number, due)

    def enter(self, number: int, now: int) -> None:
        super().enter(number, now)
        self._deadlines.move(self.group, number, None, self.next_deadline(number, now))

    def leave(self, number: int, now: int) -> None:
        self._deadlines.move(self.group, number, self.next_deadline(number, now), None)


class DayAgeFeature(AgeFeature):
    """How many civil days ago the date of an attribute was, in a zone; it moves at midnight."""

    def __init__(self, key: AgeKey, literals: Sequence[Predicate], context: Context) -> None:
        super().__init__(key, literals, context)
        self._zone = key.zone or context.zone
        self._today: tuple[int | None, int] = (None, 0)

    def _age(self, value: int, now: int) -> int:
        at, today = self._today
        if at != now:
            today = _calendar.civil_day(now, self._zone)
            self._today = now, today
        return today - value

    def _reaches(self, value: int, cut: int) -> int:
        return _calendar.day_start(value + cut, self._zone)

    def _cell_and_deadline(self, value: int | None, now: int) -> tuple[int, int | None]:
        if value is None:
            return MISSING, None
        cuts = self._cuts
        place = bisect_right(cuts, self._age(value, now))
        return place + 2, self._reaches(value, cuts[place]) if place < len(cuts) else None

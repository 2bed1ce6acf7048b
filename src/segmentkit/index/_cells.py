"""Where literals cut the values of a feature, and which of them hold in each piece.

Ordered values are cut at two places for each point p that a literal names: at the smallest value
of the domain that is at least p, and at the smallest above p. So `< p`, `= p` and `> p` are told
apart, and the numbering of the pieces does not depend on the scale of a decimal column. Whether
a literal holds in a piece is asked of the plain evaluator, at one value of the piece.

Ages are cut at the offsets that windows name: `in the last 40 days` holds for ages from 0 up to 40 days.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

import attrs

from segmentkit.dsl import _calendar
from segmentkit.dsl.evaluate import DictFacts, evaluate
from segmentkit.dsl.predicates import (
    Aggregate,
    And,
    AtLeast,
    Attribute,
    Between,
    Calendar,
    Compare,
    Events,
    In,
    InWindow,
    Literal,
    Not,
    Now,
    Or,
    Predicate,
    Relative,
    Today,
    Value,
    iter_nodes,
)
from segmentkit.index._columns import Column, DecimalColumn, NumberColumn, Scale
from segmentkit.index.deltas import bits_of, mask_of
from segmentkit.values import ValueType

_DAY = 86_400_000_000

Point: TypeAlias = int | float | Fraction
"""A number that a literal names, exactly."""

Test = Callable[[Predicate, Any], bool]
"""Whether a condition holds for a plain value; None is a missing one."""


def cells_where(predicate: Predicate, leaf_cells: Callable[[Predicate], int], every: int) -> int:
    """Return the cells in which a formula holds, as bits, from those of its leaves; `every` has all bits set."""
    match predicate:
        case And(items):
            found = every
            for item in items:
                found &= cells_where(item, leaf_cells, every)
            return found
        case Or(items):
            found = 0
            for item in items:
                found |= cells_where(item, leaf_cells, every)
            return found
        case AtLeast(count, items):
            reached = [every] + [0] * max(0, count)  # reached[k]: the cells in which at least k items so far hold
            for item in items:
                holding = cells_where(item, leaf_cells, every)
                for k in range(count, 0, -1):
                    reached[k] |= reached[k - 1] & holding
            return reached[max(0, count)]
        case Not(item):
            return every & ~cells_where(item, leaf_cells, every)
        case _:
            return leaf_cells(predicate)


def pieces(own: Sequence[Any], keys: Sequence[Any], holds: Callable[[int], bool]) -> int:
    """Return the cells between `keys` in which a leaf holds, as bits.

    `own` are the keys at which it may change, sorted; `holds(i)` is its truth from its ith own key on
    (-1: before the first).
    """
    cells, start, value = 0, 0, holds(-1)
    for place, key in enumerate(own):
        end = bisect_left(keys, key) + 1
        if value:
            cells |= (1 << end) - (1 << start)
        start, value = end, holds(place)
    return cells | (1 << len(keys) + 1) - (1 << start) if value else cells


def truths_by_cell(cells_by_literal: Sequence[int], n_cells: int) -> list[int]:
    """Return, for each cell, the literals that hold in it as bits: the table turned on its side."""
    toggles: list[list[int]] = [[] for _ in range(n_cells)]
    for literal, cells in enumerate(cells_by_literal):
        for cell in bits_of((cells ^ cells << 1) & (1 << n_cells) - 1):
            toggles[cell].append(literal)
    truths, truth = [], 0
    for toggled in toggles:
        for literal in toggled:
            truth ^= 1 << literal
        truths.append(truth)
    return truths


class Domain:
    """The ordered values of a column or aggregate: scaled integers, or doubles."""

    def __init__(self, scale: Scale | None, *, is_double: bool = False) -> None:
        self.scale = scale
        self.is_double = is_double

    def at_least(self, point: Point) -> Any:
        """Return the smallest value of the domain that is at least `point`."""
        if self.is_double:
            value = _as_double(point)
            return value if value >= point else math.nextafter(value, math.inf)
        return math.ceil(Fraction(point) * self._factor)

    def above(self, point: Point) -> Any:
        """Return the smallest value of the domain that is greater than `point`."""
        if self.is_double:
            value = _as_double(point)
            return value if value > point else math.nextafter(value, math.inf)
        return math.floor(Fraction(point) * self._factor) + 1

    @property
    def _factor(self) -> int:
        return 10**self.scale.places if self.scale else 1

    def sample_at(self, point: Point) -> Any:
        """Return a plain value for the piece that is just `point`."""
        return Fraction(point) if self.scale else self.at_least(point)

    def sample_above(self, point: Point, following: Point | None) -> Any:
        """Return a plain value above `point` and below `following`."""
        if not self.scale:
            return self.above(point)
        return Fraction(point) + 1 if following is None else (Fraction(point) + Fraction(following)) / 2

    def sample_below(self, point: Point) -> Any:
        """Return a plain value below `point`."""
        if self.scale:
            return Fraction(point) - 1
        return math.nextafter(self.at_least(point), -math.inf) if self.is_double else self.at_least(point) - 1


def _as_double(point: Point) -> float:
    try:
        return float(point)
    except OverflowError:
        return math.inf if point > 0 else -math.inf


class Cutter:
    """The cuts of an ordered feature and the truths of its literals between them.

    Args:
        domain: of the values to cut.
        literals: formulas over conditions on the one value.
        points_of_leaf: the points that a condition names.
        test: whether a condition holds for a value.
    """

    def __init__(
        self,
        domain: Domain,
        literals: Sequence[Predicate],
        points_of_leaf: Callable[[Predicate], Iterable[Point]],
        test: Test,
    ) -> None:
        self._domain = domain
        self._literals = literals
        self._own = {leaf: sorted(set(points_of_leaf(leaf))) for literal in literals for leaf in leaves_of(literal)}
        self._points = sorted({point for own in self._own.values() for point in own})
        self._test = test
        self.recut()

    def recut(self) -> None:
        """Work the cuts out again after the scale of the domain has changed."""
        domain = self._domain
        self.cuts = [cut for point in self._points for cut in (domain.at_least(point), domain.above(point))]

    def truths(self) -> list[int]:
        """Return the truths of all cells: the free one, the missing one, then those between the cuts."""
        keys = [(point, side) for point in self._points for side in (0, 1)]
        n_cells = len(keys) + 1
        every = (1 << n_cells) - 1
        by_leaf: dict[Predicate, int] = {}

        def leaf_cells(leaf: Predicate) -> int:
            cells = by_leaf.get(leaf)
            if cells is None:
                cells = by_leaf[leaf] = self._leaf_cells(leaf, keys)
            return cells

        missing = 0
        for i, literal in enumerate(self._literals):
            if holds(literal, lambda leaf: self._test(leaf, None)):
                missing |= 1 << i
        cells = [cells_where(literal, leaf_cells, every) for literal in self._literals]
        return [-1, missing, *truths_by_cell(cells, n_cells)]

    def _leaf_cells(self, leaf: Predicate, keys: Sequence[tuple[Point, int]]) -> int:
        own = self._own[leaf]
        if isinstance(leaf, In) and all(option.type.kind == leaf.value.type.kind for option in leaf.options):
            return mask_of((bisect_left(keys, (point, 0)) + 1 for point in own), len(keys) + 1)
        sides = [(point, side) for point in own for side in (0, 1)]
        return pieces(sides, keys, lambda place: self._holds(leaf, own, place))

    def _holds(self, leaf: Predicate, own: list[Point], place: int) -> bool:
        domain = self._domain
        if not own:
            value: Any = 0
        elif place < 0:
            value = domain.sample_below(own[0])
        elif place % 2:
            at = place // 2
            value = domain.sample_above(own[at], own[at + 1] if at + 1 < len(own) else None)
        else:
            value = domain.sample_at(own[place // 2])
        return self._test(leaf, value)


def domain_of(column: Column) -> Domain:
    """Return the domain of a column's values."""
    if isinstance(column, DecimalColumn):
        return Domain(column.scale)
    return Domain(None, is_double=isinstance(column, NumberColumn))


def cut_attribute(column: Column, literals: Sequence[Predicate], attribute: str, zone: str) -> Cutter:
    """Return the cuts of an attribute's values for literals that read it alone."""

    def test(leaf: Predicate, value: Any) -> bool:
        return evaluate(leaf, DictFacts({attribute: value}, {}), 0, zone)

    return Cutter(domain_of(column), literals, lambda leaf: points_of(leaf, column.type, zone), test)


def points_of(leaf: Predicate, value_type: ValueType, zone: str) -> Iterator[Point]:
    """Yield the points at which the truth of a condition on one ordered value may change."""
    leaf_zone = getattr(leaf, "zone", None) or zone
    for node in iter_nodes(leaf):
        if isinstance(node, Literal) and node.value is not None:
            yield from _points(node, value_type, leaf_zone)


def _points(literal: Literal, value_type: ValueType, zone: str) -> Iterator[Point]:
    value = literal.value
    if value_type.kind == "instant" and literal.type.kind == "date":
        for day in (value, value + 1):
            yield _calendar.day_start(day, zone)
    elif value_type.kind == "date" and literal.type.kind == "instant":
        day = _calendar.civil_day(value, zone)
        yield from (day - 1, day, day + 1)
    elif isinstance(value, int | float | Decimal | Fraction):
        yield _point(value)


def _point(value: Any) -> Point:
    """Return a number exactly, as an integer or double where it is one: they compare much faster than fractions."""
    if isinstance(value, int | float):
        return value
    exact = Fraction(value)
    return exact.numerator if exact.denominator == 1 else exact


def leaves_of(predicate: Predicate) -> Iterator[Predicate]:
    """Yield the conditions below the connectives."""
    match predicate:
        case And(items) | Or(items) | AtLeast(_, items):
            for item in items:
                yield from leaves_of(item)
        case Not(item):
            yield from leaves_of(item)
        case _:
            yield predicate


def holds(predicate: Predicate, leaf_holds: Callable[[Predicate], bool]) -> bool:
    """Return the truth of a formula from that of its leaves."""
    match predicate:
        case And(items):
            return all(holds(item, leaf_holds) for item in items)
        case Or(items):
            return any(holds(item, leaf_holds) for item in items)
        case AtLeast(count, items):
            return sum(holds(item, leaf_holds) for item in items) >= count
        case Not(item):
            return not holds(item, leaf_holds)
        case _:
            return leaf_holds(predicate)


def cut_aggregate(domain: Domain, literals: Sequence[Predicate], zone: str) -> Cutter:
    """Return the cuts of an aggregate's value for comparisons of it with constants."""

    def test(leaf: Predicate, value: Any) -> bool:
        return _holds_for(leaf, value, zone)

    def points(leaf: Predicate) -> list[Point]:
        return [_point(n.value) for n in iter_nodes(leaf) if isinstance(n, Literal) and not _in_events(leaf, n)]

    return Cutter(domain, literals, points, test)


def _in_events(predicate: Predicate, literal: Literal) -> bool:
    return any(
        node is literal
        for leaf in leaves_of(predicate)
        for events in iter_nodes(leaf)
        if isinstance(events, Events)
        for node in iter_nodes(events)
    )


def _holds_for(leaf: Predicate, value: Any, zone: str) -> bool:
    """Whether a comparison of an aggregate holds when the aggregate is `value`."""
    if isinstance(leaf, Compare) and isinstance(leaf.left, Aggregate):
        leaf = attrs.evolve(leaf, left=Literal(value, leaf.left.type))
    elif isinstance(leaf, Between) and isinstance(leaf.value, Aggregate):
        leaf = attrs.evolve(leaf, value=Literal(value, leaf.value.type))
    return evaluate(leaf, DictFacts({}, {}), 0, zone)


# ------------------------------------------------------------------------------- ages


def age_cuts(literals: Sequence[Predicate]) -> list[int]:
    """Return the ages in microseconds at which literals may change, sorted."""
    return sorted({cut for item in literals for leaf in leaves_of(item) for cut in _age_cuts(leaf)})


def truths_of_ages(literals: Sequence[Predicate], cuts: Sequence[int]) -> list[int]:
    """Return the truths of all cells (free, missing, then between `cuts`, which hold those of the literals)."""

    def leaf_cells(leaf: Predicate) -> int:
        own = sorted(set(_age_cuts(leaf)))

        def holds_from(place: int) -> bool:
            age = 0 if not own else own[0] - 1 if place < 0 else own[place]
            return _holds_at_age(leaf, age)

        return pieces(own, cuts, holds_from)

    n_cells = len(cuts) + 1
    missing = sum(1 << i for i, item in enumerate(literals) if holds(item, lambda leaf: False))
    cells = [cells_where(item, leaf_cells, (1 << n_cells) - 1) for item in literals]
    return [-1, missing, *truths_by_cell(cells, n_cells)]


def _age_cuts(leaf: Predicate) -> list[int]:
    match leaf:
        case InWindow(value, Relative() as window):
            return _window_cuts(window, _unit_of(value))
        case Compare(_, Attribute(), Now()):
            return [0, 1]
        case Compare(_, Attribute(), Today(days)):
            return [-days, 1 - days]
        case Compare(_, Aggregate(_, Events(_, _, window))):
            return [0] if window is None else [0, _exact(window).duration.micros]
        case _:
            raise AssertionError(f"{leaf!r} is not about an age")


def _unit_of(value: Value) -> int:
    """Return what ages of the value are counted in: days for a date, else microseconds."""
    return _DAY if value.type.kind == "date" else 1


def _exact(window: object) -> Relative:
    assert isinstance(window, Relative), f"{window!r} is no exact window"
    return window


def _window_cuts(window: Relative, unit: int) -> list[int]:
    length = window.duration.micros // unit
    match window.form:
        case "more than ago":
            return [length + 1]
        case "at least ago":
            return [length]
        case "last":
            return [0, length]
        case "between ago":
            assert window.second is not None
            return [length, window.second.micros // unit]
        case "next":
            return [-length, 0]
        case "more than from now":
            return [-length]
        case "at least from now":
            return [1 - length]


def _holds_at_age(leaf: Predicate, age: int) -> bool:
    match leaf:
        case InWindow(value, Relative() as window):
            return _in_window(window, age, _unit_of(value))
        case Compare(operator, Attribute(), Now()):
            return _compares(operator, -age)
        case Compare(operator, Attribute(), Today(days)):
            return _compares(operator, -age - days)
        case Compare(_, Aggregate(_, Events(_, _, window))):
            return age >= 0 and (window is None or age < _exact(window).duration.micros)
        case _:
            raise AssertionError(f"{leaf!r} is not about an age")


def _compares(operator: str, difference: int) -> bool:
    return {
        "=": difference == 0,
        "<": difference < 0,
        "<=": difference <= 0,
        ">": difference > 0,
        ">=": difference >= 0,
    }[operator]


def _in_window(window: Relative, age: int, unit: int) -> bool:
    length = window.duration.micros // unit
    match window.form:
        case "more than ago":
            return age > length
        case "at least ago":
            return age >= length
        case "last":
            return 0 <= age < length
        case "between ago":
            assert window.second is not None
            return length <= age < window.second.micros // unit
        case "next":
            return -length <= age < 0
        case "more than from now":
            return age < -length
        case "at least from now":
            return age <= -length


def reads_time(predicate: Predicate) -> bool:
    """Whether the truth of `predicate` can change with now alone, events aside."""
    return any(isinstance(node, Now | Today | Relative | Calendar) for node in iter_nodes(predicate))


__all__ = [
    "Cutter",
    "Domain",
    "age_cuts",
    "cut_aggregate",
    "cut_attribute",
    "domain_of",
    "holds",
    "leaves_of",
    "points_of",
    "reads_time",
    "truths_by_cell",
    "truths_of_ages",
]


def truths_by_literal(truths: Sequence[int], n_literals: int) -> list[bytes]:
    """Return, for each literal, a byte for each cell: 1 where the literal's bit is set in the cell's truth, else 0.

    Written out in binary, the truths are a table that slices turn around: a thousand literals in a thousand
    cells take 20 ms, and took half a second bit by bit.
    """
    every = (1 << n_literals) - 1
    digits = "".join([format(truth & every, f"0{n_literals}b") for truth in truths]).encode().translate(_BITS)
    return [digits[n_literals - 1 - literal :: n_literals] for literal in range(n_literals)]


_BITS = bytes.maketrans(b"01", bytes((0, 1)))

"""Cells: where literals cut the values of a feature, and that no cell hides a difference."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, strategies as st

from segmentkit import values as types
from segmentkit.dsl import parse
from segmentkit.dsl.evaluate import DictFacts, evaluate
from segmentkit.dsl.predicates import Predicate
from segmentkit.index._cells import Domain, age_cuts, cut_attribute, truths_by_cell, truths_by_literal, truths_of_ages
from segmentkit.index._columns import Column, DecimalColumn, Scale, column_for
from segmentkit.index.deltas import bits_of
from segmentkit.schema import ObjectType, Schema
from segmentkit.values import to_micros
from tests.examples import PARTS

WARSAW = "Europe/Warsaw"
DAY = 86_400_000_000
SCHEMA = Schema(
    ObjectType(
        "contact",
        {
            "orders": types.integer,
            "score": types.number,
            "spend": types.decimal,
            "seen": types.instant,
            "birthday": types.date,
        },
    ),
    zone=WARSAW,
)


def literals(*texts: str) -> list[Predicate]:
    """Return the trees of filters over contacts."""
    return [parse(text, SCHEMA, "contact") for text in texts]


def column_of(attribute: str) -> Column:
    """Return an empty column for the attribute."""
    return column_for(SCHEMA.type("contact").attributes[attribute], lambda: None)


def check_cells(attribute: str, texts: Sequence[str], values: Sequence[Any]) -> None:
    """The truths in the cell of each plain value are those of the plain evaluator."""
    column, trees = column_of(attribute), literals(*texts)
    encoded = [(value, column.encode(value)) for value in values if value is not None]
    encoded = [(value, column.encode(value)) for value, _ in encoded]  # the scale has all its places now
    cutter = cut_attribute(column, trees, attribute, WARSAW)
    truths = cutter.truths()
    assert len(truths) == len(cutter.cuts) + 3
    assert list(cutter.cuts) == sorted(cutter.cuts)
    assert truths[0] == -1, "in the free cell nothing stands in the way"
    assert truths[1] == holding(trees, attribute, None)
    for value, word in encoded:
        cell = 2 + bisect_right(cutter.cuts, word)
        assert truths[cell] == holding(trees, attribute, value), f"{attribute} = {value}"


def holding(trees: Sequence[Predicate], attribute: str, value: Any) -> int:
    """Return the literals that hold for a plain value, as bits, by the plain evaluator."""
    facts = DictFacts({attribute: value}, {})
    return sum(1 << i for i, tree in enumerate(trees) if evaluate(tree, facts, 0, WARSAW))


def around(day: date, zone_hour: int) -> list[int]:
    """Return the microseconds about the start of a civil day, which begins `zone_hour` hours before midnight UTC."""
    start = to_micros(datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=zone_hour))
    return [start - 1, start, start + 1]


# ------------------------------------------------------------------------------- domains


@pytest.mark.parametrize(
    ("point", "at_least", "above"),
    [(4, 4, 5), (Fraction(9, 2), 5, 5), (-4, -4, -3), (Fraction(-9, 2), -4, -4), (2**70, 2**70, 2**70 + 1)],
)
def test_integers_are_cut_at_the_next_whole_number(point: Any, at_least: int, above: int) -> None:
    """A point between two integers has nobody on it."""
    domain = Domain(None)
    assert (domain.at_least(point), domain.above(point)) == (at_least, above)


def test_doubles_are_cut_at_the_next_double() -> None:
    """0.1 as a decimal lies below the double 0.1, and a whole number beyond 2**53 between two doubles."""
    domain = Domain(None, is_double=True)
    tenth = Fraction(1, 10)
    assert (domain.at_least(tenth), domain.above(tenth)) == (0.1, 0.1)
    assert (domain.at_least(0.1), domain.above(0.1)) == (0.1, math.nextafter(0.1, 1))
    between = 2**53 + 1
    assert (domain.at_least(between), domain.above(between)) == (2.0**53 + 2, 2.0**53 + 2)
    assert domain.at_least(10**400) == math.inf
    assert domain.above(-(10**400)) <= -1.7976931348623157e308


def test_decimals_are_cut_at_the_scale_of_their_column() -> None:
    """The same point is another integer once the column has more places, and is asked for as it is."""
    scale = Scale(lambda factor: None)
    domain = Domain(scale)
    assert (domain.at_least(Fraction(1, 200)), domain.above(Fraction(1, 200))) == (1, 1)
    assert (domain.at_least(Fraction(1, 100)), domain.above(Fraction(1, 100))) == (1, 2)
    scale.encode(Decimal("0.001"))
    assert (domain.at_least(Fraction(1, 200)), domain.above(Fraction(1, 200))) == (5, 6)
    assert domain.sample_at(Fraction(1, 3)) == Fraction(1, 3)


@PARTS
@given(
    st.integers(-20, 20) | st.fractions(-5, 5, max_denominator=300) | st.floats(-5, 5),
    st.lists(st.integers(-20, 20)),
)
def test_a_cut_parts_what_is_below_from_what_is_not(point: Any, values: list[int]) -> None:
    """`at_least` parts `< p` from `>= p`, `above` parts `<= p` from `> p`, in whole and in scaled numbers."""
    for domain, unit in ((Domain(None), Fraction(1)), (Domain(Scale(lambda factor: None)), Fraction(1, 100))):
        for value in values:
            assert (value >= domain.at_least(point)) == (value * unit >= Fraction(point))
            assert (value >= domain.above(point)) == (value * unit > Fraction(point))
            assert (value - 1 >= domain.at_least(point)) == ((value - 1) * unit >= Fraction(point))


# --------------------------------------------------------------------------------- cells


def test_a_point_makes_three_cells() -> None:
    """Below, on and above it; literals that name the same point share them."""
    trees = literals("orders < 4", "orders = 4", "orders > 4", "orders >= 4", "orders is missing")
    cutter = cut_attribute(column_of("orders"), trees, "orders", WARSAW)
    assert cutter.cuts == [4, 5]
    assert cutter.truths() == [-1, 0b10000, 0b00001, 0b01010, 0b01100]


def test_integers_are_told_apart_by_literals_of_every_kind() -> None:
    """Equality, order, ranges, lists, halves, complements and formulas over them."""
    texts = [
        "orders = 4",
        "orders > 4.5",
        "orders = 4.5",
        "orders between 2 and 6",
        "orders between 6 and 2",
        "orders in (1, 3, 8)",
        "not orders < 3",
        "orders != 4",
        "orders < 2 or orders > 7",
        "orders > 2 and not orders = 5",
        "at least 2 of (orders > 1, orders > 3, orders = 5)",
        "orders is known",
    ]
    check_cells("orders", texts, [None, *range(-1, 12), 2**70, -(2**70)])


def test_doubles_are_compared_with_literals_exactly() -> None:
    """At the point, one step before and one step after it."""
    texts = [
        "score < 0.1",
        "score = 0.1",
        "score >= 0.5",
        f"score > {10**300}",
        f"score = {10**300}",
        "score between -0.5 and 0.5",
        "score in (0, 2)",
    ]
    points = [0.1, 0.5, 1e300, -0.5, 0.0, 2.0]
    values = [v for p in points for v in (math.nextafter(p, -math.inf), p, math.nextafter(p, math.inf))]
    check_cells("score", texts, [None, *values])


def test_decimals_are_compared_with_literals_between_their_places() -> None:
    """A literal may name a point that the column cannot store, and later can."""
    texts = ["spend < 0.005", "spend = 0.005", "spend > 0.005", "spend <= 8.50", "spend in (1, 8.50)", "spend > 800"]
    coarse = [Decimal(cents).scaleb(-2) for cents in (-1, 0, 1, 99, 100, 849, 850, 851, 80_000, 80_001)]
    check_cells("spend", texts, [None, *coarse])
    check_cells("spend", texts, [*coarse, Decimal("0.005"), Decimal("0.0049"), Decimal("0.0051")])


def test_cuts_follow_the_scale_and_the_numbering_of_the_cells_does_not() -> None:
    """After a rescaling a value lies in the cell in which it lay before."""
    column = DecimalColumn(types.decimal, lambda: None)
    cutter = cut_attribute(column, literals("spend < 0.005", "spend > 8.50"), "spend", WARSAW)
    values = [Decimal(cents).scaleb(-2) for cents in (-1, 0, 1, 850, 851)]
    truths = cutter.truths()
    before = [bisect_right(cutter.cuts, column.encode(value)) for value in values]
    column.encode(Decimal("0.00001"))
    cutter.recut()
    assert [bisect_right(cutter.cuts, column.encode(value)) for value in values] == before
    assert cutter.truths() == truths


@PARTS
@given(
    st.lists(st.tuples(st.sampled_from(["<", "<=", "=", ">=", ">", "!="]), st.integers(-6, 6)), min_size=1, max_size=6),
    st.lists(st.integers(-8, 8)),
)
def test_no_cell_hides_a_difference(comparisons: list[tuple[str, int]], values: list[int]) -> None:
    """Whatever halves are compared with, each value's cell has the truths of the value."""
    halves = [f"{operator} {Decimal(point) / 2}" for operator, point in comparisons]
    check_cells("orders", [f"orders {half}" for half in halves], values)
    check_cells("spend", [f"spend {half}" for half in halves], [Decimal(value) / 4 for value in values])
    check_cells("score", [f"score {half}" for half in halves], [value / 4 for value in values])


def test_an_instant_is_compared_with_the_whole_civil_day_of_its_zone() -> None:
    """A day of 23 hours, a day of 24, and a rule with a zone of its own."""
    texts = [
        "seen before 2026-03-29",
        "seen since 2026-03-29",
        "seen on 2026-03-29",
        "seen after 2026-03-29",
        "seen until 2026-03-29",
        "seen between 2026-03-28 and 2026-03-29",
        'seen on 2026-03-29 in zone "UTC"',
        "seen = 2026-03-29T12:00:00Z",
        "seen > 2026-03-29T12:00:00Z",
    ]
    edges = [date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30)]
    values = [value for day in edges for hours in (0, 1, 2) for value in around(day, hours)]
    noon = to_micros(datetime(2026, 3, 29, 12, tzinfo=UTC))
    check_cells("seen", texts, [None, *values, noon - 1, noon, noon + 1])


def test_a_date_is_compared_with_dates_and_with_instants() -> None:
    """Its whole day counts where an instant stands against it."""
    texts = [
        "birthday = 2026-03-29",
        "birthday < 2026-03-29",
        "birthday between 2026-03-28 and 2026-03-29",
        "birthday in (2026-03-27, 2026-03-31)",
        "birthday before 2026-03-28T22:30:00Z",
        "birthday after 2026-03-28T23:00:00Z",
        "birthday since 2026-03-28T23:00:00Z",
        "birthday until 2026-03-29T12:00:00Z",
    ]
    first = date(2026, 3, 25).toordinal()
    check_cells("birthday", texts, [None, *range(first, first + 10)])


# ---------------------------------------------------------------------------------- ages


def at_age(texts: Sequence[str], ages: Sequence[int]) -> list[str]:
    """Return for each age the truths of literals on it, first literal first, as a text of 0 and 1."""
    trees = literals(*texts)
    cuts = age_cuts(trees)
    truths = truths_of_ages(trees, cuts)
    assert truths[0] == -1
    found = [truths[2 + bisect_right(cuts, age)] for age in ages]
    return ["".join(str(truth >> i & 1) for i in range(len(trees))) for truth in found]


def test_the_last_days_are_half_open() -> None:
    """What happens now counts, what happened exactly 40 days ago no more; the future does not count yet."""
    assert at_age(["seen in the last 40 days"], [-1, 0, 1, 40 * DAY - 1, 40 * DAY]) == ["0", "1", "1", "1", "0"]


def test_more_than_and_at_least_ago_differ_by_one_microsecond() -> None:
    """`at least` includes the instant itself."""
    texts = ["seen more than 40 days ago", "seen at least 40 days ago"]
    assert at_age(texts, [40 * DAY - 1, 40 * DAY, 40 * DAY + 1]) == ["00", "01", "11"]


def test_between_ago_takes_the_younger_end_and_leaves_the_older_one() -> None:
    """Two such windows side by side share no instant and leave none out."""
    texts = ["seen between 30 and 60 days ago", "seen between 60 and 90 days ago"]
    ages = [30 * DAY - 1, 30 * DAY, 60 * DAY - 1, 60 * DAY, 90 * DAY - 1, 90 * DAY]
    assert at_age(texts, ages) == ["00", "10", "10", "01", "01", "00"]


def test_the_next_days_end_with_their_last_instant_and_begin_after_now() -> None:
    """Ages in the future are negative."""
    texts = ["seen in the next 14 days", "seen more than 14 days from now", "seen at least 14 days from now"]
    assert at_age(texts, [-14 * DAY - 1, -14 * DAY, -1, 0]) == ["011", "101", "100", "000"]


@pytest.mark.parametrize(
    "text",
    [
        "seen in the last 2 days",
        "seen more than 2 days ago",
        "seen at least 2 days ago",
        "seen between 1 and 2 days ago",
        "seen in the next 2 days",
        "seen more than 2 days from now",
        "seen at least 2 days from now",
        "seen < now",
        "seen <= now",
        "seen = now",
        "seen >= now",
        "seen > now",
        "not seen in the last 2 days",
        "seen in the last 2 days or seen more than 2 days from now",
    ],
)
def test_the_truth_at_an_age_is_that_of_the_evaluator(text: str) -> None:
    """About every edge, and for a missing instant."""
    (tree,) = trees = literals(text)
    now = to_micros(datetime(2026, 11, 22, 12, tzinfo=UTC))
    ages = [edge * DAY + step for edge in (-2, -1, 0, 1, 2) for step in (-1, 0, 1)]
    expected = [evaluate(tree, DictFacts({"seen": now - age}, {}), now, WARSAW) for age in ages]
    assert at_age([text], ages) == [str(int(value)) for value in expected]
    assert truths_of_ages(trees, age_cuts(trees))[1] == evaluate(tree, DictFacts({"seen": None}, {}), now, WARSAW)


@pytest.mark.parametrize(
    "text",
    [
        "birthday in the last 2 days",
        "birthday more than 2 days ago",
        "birthday at least 2 days ago",
        "birthday between 1 and 2 days ago",
        "birthday in the next 2 days",
        "birthday more than 2 days from now",
        "birthday at least 2 days from now",
        "birthday < today",
        "birthday = tomorrow",
        "birthday >= yesterday",
        "birthday between yesterday and tomorrow",
    ],
)
def test_the_age_of_a_date_counts_civil_days(text: str) -> None:
    """Whole days from the day of now, which in Warsaw is the next one already."""
    (tree,) = literals(text)
    now = to_micros(datetime(2026, 11, 21, 23, 30, tzinfo=UTC))
    today = date(2026, 11, 22).toordinal()
    ages = range(-4, 5)
    expected = [evaluate(tree, DictFacts({"birthday": today - age}, {}), now, WARSAW) for age in ages]
    if "between yesterday" in text:  # reads the day twice, and is no literal on an age
        assert [age for age, value in zip(ages, expected, strict=True) if value] == [-1, 0, 1]
    else:
        assert at_age([text], ages) == [str(int(value)) for value in expected]


# --------------------------------------------------------------------------------- tables


@PARTS
@given(st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.integers(0, 2**n - 1), max_size=8))))
def test_truths_by_cell_turn_the_table_on_its_side(table: tuple[int, list[int]]) -> None:
    """Literal by cell becomes cell by literal."""
    n_cells, cells_by_literal = table
    truths = truths_by_cell(cells_by_literal, n_cells)
    assert [bits_of(truth) for truth in truths] == [
        [literal for literal, cells in enumerate(cells_by_literal) if cells >> cell & 1] for cell in range(n_cells)
    ]


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.integers(-1, 2**n - 1), min_size=1))))
def test_truths_of_all_literals_are_those_of_each(case: tuple[int, list[int]]) -> None:
    n_literals, truths = case
    expected = [bytes(truth >> literal & 1 for truth in truths) for literal in range(n_literals)]
    assert truths_by_literal(truths, n_literals) == expected

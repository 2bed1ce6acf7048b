"""The evaluator apart from the language's rows (`tests/language`): zones, brackets, order, depth."""

from __future__ import annotations

import inspect
import subprocess
import sys
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Context, Decimal, FloatOperation, Inexact, localcontext
from typing import Any

import pytest

from segmentkit import values as types
from segmentkit.dsl.evaluate import DictFacts, EventFact, evaluate, value_of
from segmentkit.dsl.predicates import (
    Absolute,
    Aggregate,
    And,
    Arithmetic,
    Attribute,
    Calendar,
    Call,
    Compare,
    Constant,
    Duration,
    Events,
    In,
    InWindow,
    IsEmpty,
    IsMissing,
    Literal,
    Negate,
    Not,
    Now,
    Or,
    Predicate,
    Property,
    Relative,
    Today,
    Value,
)
from segmentkit.values import to_micros

NOW = to_micros(datetime(2026, 10, 31, 23, 30, tzinfo=UTC))  # already November in Warsaw
DAY = 86_400_000_000
WARSAW = "Europe/Warsaw"
NOVEMBER = Literal(11, types.integer)
NOTHING = DictFacts()

seen = Attribute("seen", types.instant)
spend = Attribute("spend", types.decimal)
amount = Property("amount", types.decimal)


def month_of(value: Value) -> Call:
    return Call("month", (value,), types.integer)


def aggregate(function: Any, events: Events, of: Property | None = None, as_type: Any = types.integer) -> Aggregate:
    return Aggregate(function, events, of, as_type)


# ------------------------------------------------------------------------------ zones


def test_a_condition_without_a_zone_has_the_caller_s() -> None:
    in_november = Compare("=", month_of(Now()), NOVEMBER)
    assert evaluate(in_november, NOTHING, NOW, WARSAW)
    assert not evaluate(in_november, NOTHING, NOW, "UTC")


def test_the_zone_of_a_comparison_goes_before_the_caller_s() -> None:
    assert evaluate(Compare("=", month_of(Now()), NOVEMBER, zone=WARSAW), NOTHING, NOW, "UTC")
    assert not evaluate(Compare("=", month_of(Today()), NOVEMBER, zone="UTC"), NOTHING, NOW, WARSAW)


def test_the_zone_of_a_window_goes_before_the_one_of_the_comparison_around_it() -> None:
    facts = DictFacts({}, {"visit": [EventFact(NOW, "1", {}), EventFact(NOW - DAY // 24, "2", {})]})
    days = aggregate("days", Events("visit", None, Calendar("year", 0, 0, zone=WARSAW)))
    assert evaluate(Compare("=", days, Literal(2, types.integer), zone="UTC"), facts, NOW, "UTC")
    late = aggregate("count", Events("visit", None, Calendar("month", 0, 0, zone=WARSAW)))
    assert evaluate(Compare("=", late, Literal(1, types.integer), zone="UTC"), facts, NOW, "UTC")


def test_the_zone_of_a_window_does_not_reach_into_the_bracket_but_that_of_the_comparison_does() -> None:
    bracket = Compare("=", month_of(Now()), NOVEMBER)
    facts = DictFacts({}, {"visit": [EventFact(NOW, "1", {})]})
    count = aggregate("count", Events("visit", bracket, Relative("last", Duration(1, "day"), zone=WARSAW)))
    assert not evaluate(Compare("=", count, Literal(1, types.integer)), facts, NOW, "UTC")
    assert evaluate(Compare("=", count, Literal(1, types.integer), zone=WARSAW), facts, NOW, "UTC")


# ----------------------------------------------------------------------------- events


def test_events_may_be_given_in_any_order() -> None:
    facts = DictFacts(
        {}, {"buy": [EventFact(2, "a", {"n": 3}), EventFact(1, "b", {"n": 2}), EventFact(1, "a", {"n": 1})]}
    )
    number = Property("n", types.integer)
    assert [event.properties["n"] for event in facts.events("buy")] == [1, 2, 3]
    assert value_of(aggregate("first", Events("buy"), number), facts, 5, "UTC") == 1
    assert value_of(aggregate("last", Events("buy"), number), facts, 5, "UTC") == 3


def test_a_property_of_no_event_is_missing() -> None:
    assert value_of(amount, NOTHING, NOW, "UTC") is None
    assert evaluate(IsMissing(amount), NOTHING, NOW, "UTC")


def test_brackets_see_the_event_s_properties_and_the_object_s_attributes() -> None:
    facts = DictFacts(
        {"spend": Decimal(5)}, {"buy": [EventFact(1, "1", {"amount": Decimal(9)}), EventFact(1, "2", {})]}
    )
    count = aggregate("count", Events("buy", Compare(">", amount, spend)))
    assert value_of(count, facts, NOW, "UTC") == 1


@pytest.mark.parametrize(
    "bound", [Arithmetic("-", Now(), Literal(Duration(5_000, "year"), types.duration), types.instant)]
)
def test_a_window_whose_bound_is_missing_holds_no_event(bound: Value) -> None:
    facts = DictFacts({}, {"buy": [EventFact(1, "1", {})]})
    assert value_of(aggregate("count", Events("buy", None, Absolute(bound, None))), facts, NOW, "UTC") == 0
    assert value_of(aggregate("count", Events("buy", None, Absolute(None, bound))), facts, NOW, "UTC") == 0


def test_a_set_is_never_missing_wherever_it_comes_from() -> None:
    facts = DictFacts({}, {"buy": [EventFact(1, "1", {})]})
    labels = Property("labels", types.text_set)
    for name in ("buy", "none such"):
        last = aggregate("last", Events(name), labels, types.text_set)
        assert value_of(last, facts, NOW, "UTC") == frozenset()
        assert evaluate(IsEmpty(last), facts, NOW, "UTC")
        assert not evaluate(IsMissing(last), facts, NOW, "UTC")


def test_the_sum_of_no_doubles_is_a_double() -> None:
    total = value_of(aggregate("sum", Events("buy"), Property("x", types.number), types.number), NOTHING, NOW, "UTC")
    assert isinstance(total, float)
    assert total == 0


# ----------------------------------------------------------------------------- values


def test_a_date_among_options_holds_the_instants_of_its_day() -> None:
    last_of_october = Literal(datetime(2026, 10, 31, tzinfo=UTC).toordinal(), types.date)
    at_night = DictFacts({"seen": NOW})
    assert evaluate(In(seen, (last_of_october,)), at_night, NOW, "UTC")
    assert not evaluate(In(seen, (last_of_october,)), at_night, NOW, WARSAW)


def test_dates_outside_the_calendar_are_missing() -> None:
    last_day = to_micros(datetime(9999, 12, 31, tzinfo=UTC))
    assert value_of(Today(1), NOTHING, last_day, "UTC") is None
    assert value_of(Today(1), NOTHING, last_day - DAY, "UTC") is not None


def test_the_difference_of_instants_is_in_microseconds() -> None:
    apart = Arithmetic("-", Now(), seen, types.duration)
    assert value_of(apart, DictFacts({"seen": NOW - 7}), NOW, "UTC") == 7


def test_a_calendar_length_has_no_place_among_exact_ones() -> None:
    month, day = (Literal(Duration(1, unit), types.duration) for unit in ("month", "day"))
    assert value_of(Arithmetic("+", month, day, types.duration), NOTHING, NOW, "UTC") is None
    assert not evaluate(Compare("<", day, month), NOTHING, NOW, "UTC")


@pytest.mark.parametrize("operator", ["=", "<", "<=", ">", ">="])
def test_a_hostile_decimal_context_changes_no_answer(operator: Any) -> None:
    long = Literal(Decimal("12345.6789"), types.decimal)
    facts = DictFacts({"spend": Decimal("-12345.6788")})
    comparison = Compare(operator, Negate(spend), long)
    usual = evaluate(comparison, facts, NOW, "UTC")
    with localcontext(Context(prec=3, rounding=ROUND_DOWN, traps=[FloatOperation, Inexact])):
        assert evaluate(comparison, facts, NOW, "UTC") == usual
        assert value_of(Arithmetic("+", Negate(spend), spend, types.decimal), facts, NOW, "UTC") == 0


# ------------------------------------------------------------------------------ depth


def deep_predicate(depth: int) -> Predicate:
    tree: Predicate = InWindow(seen, Relative("last", Duration(1, "day")))
    for level in range(depth):
        tree = (And((Constant(True), tree)), Or((Constant(False), tree)), Not(tree))[level % 3]
    return tree


def deep_value(depth: int) -> Value:
    value: Value = Literal(1, types.integer)
    for _ in range(depth):
        value = Arithmetic("+", value, Literal(1, types.integer), types.decimal)
    return value


def test_two_hundred_levels_fit_under_half_of_the_usual_recursion_limit() -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 500)
    try:
        evaluate(deep_predicate(200), DictFacts({"seen": NOW}), NOW, "UTC")
        assert value_of(deep_value(200), NOTHING, NOW, "UTC") == 201
    finally:
        sys.setrecursionlimit(limit)


def test_the_evaluator_is_imported_without_time_zones_and_numpy() -> None:
    code = "import sys, segmentkit.dsl.evaluate; print({'zoneinfo', 'numpy', 'lark'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=None)
    assert found.stdout.strip() == "set()"

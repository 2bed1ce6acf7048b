"""The horizon: nothing changes before it, and where windows are plain it is the change itself.

The law draws facts, clocks and literals from instants around changes of offset, ends of
months and leap days, and looks for a change near everything that could cause one.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeAlias

import pytest
from hypothesis import given, strategies as st

from segmentkit import values as types
from segmentkit.dsl import _calendar, _horizon
from segmentkit.dsl._horizon import next_change
from segmentkit.dsl._lines import Scene
from segmentkit.dsl.evaluate import DictFacts, EventFact, evaluate, value_of
from segmentkit.dsl.predicates import (
    Absolute,
    Aggregate,
    And,
    Arithmetic,
    AtLeast,
    Attribute,
    Between,
    Calendar,
    Call,
    Compare,
    Constant,
    Duration,
    Events,
    In,
    InWindow,
    IsMissing,
    Literal,
    Not,
    Now,
    Or,
    Predicate,
    Property,
    Relative,
    Today,
    Value,
    Window,
)
from segmentkit.values import to_micros
from tests.examples import PARTS


def utc(*parts: int) -> int:
    return to_micros(datetime(*parts, tzinfo=UTC))  # type: ignore[arg-type]  # year, month, day, ...


DAY, HOUR = _calendar.DAY, _calendar.HOUR

PLACES = (
    ("UTC", utc(2026, 3, 31)),
    ("UTC", utc(2024, 2, 29, 12)),
    ("Europe/Warsaw", utc(2026, 3, 29, 1)),
    ("Europe/Warsaw", utc(2026, 10, 25, 0, 30)),
    ("America/Sao_Paulo", utc(2018, 11, 4, 3)),
    ("America/Sao_Paulo", utc(2018, 2, 18, 2)),
    ("Africa/Cairo", utc(2023, 4, 27, 22)),
    ("Pacific/Apia", utc(2011, 12, 30, 10)),
    ("Australia/Lord_Howe", utc(2026, 4, 4, 15)),
    ("Australia/Lord_Howe", utc(2026, 10, 3, 15, 30)),
    ("America/St_Johns", utc(2006, 10, 29, 2, 31)),
)
"""Zones, each with an instant around which its civil time is not straight."""

EXACT = tuple(
    Duration(*length) for length in ((0, "day"), (1, "second"), (1, "hour"), (1, "day"), (2, "week"), (30, "day"))
)
CALENDAR = tuple(Duration(*length) for length in ((1, "month"), (2, "month"), (13, "month"), (1, "year")))
LENGTHS = (*EXACT, *CALENDAR)
DAYS = tuple(length for length in LENGTHS if not length.micros % DAY)
FORMS = ("more than ago", "at least ago", "last", "between ago", "next", "more than from now", "at least from now")
UNITS = ("day", "week", "month", "quarter", "year")
OPERATORS = st.sampled_from(("=", "<", "<=", ">", ">="))

a, b = Attribute("a", types.instant), Attribute("b", types.instant)
d = Attribute("d", types.date)
n = Property("n", types.integer)
due = Property("due", types.instant)


# ------------------------------------------------------------------------- strategies

Case: TypeAlias = tuple[Predicate | Value, DictFacts, int, str]
"""A condition or a value, facts, a clock and a zone."""

STEPS = st.sampled_from(("+", "-"))
ZONES = st.sampled_from((None, None, "Europe/Warsaw", "Pacific/Apia"))


def near(base: int, zone: str) -> st.SearchStrategy[int]:
    """Instants at a distance of up to two lengths from the base, and a microsecond around."""
    steps = sorted({at - base for at in moved({base}, zone)}, key=abs)
    step = st.sampled_from(steps)
    return st.builds(
        lambda x, y, hours, nudge: base + x + y + hours * HOUR + nudge,
        step,
        st.just(0) | step,
        st.sampled_from((0, 0, 1, -1, 12)),
        st.sampled_from((0, -1, 1)),
    )


def moved(instants: set[int], zone: str) -> set[int]:
    """Return the instants, and each of them moved by each length."""
    shifted = {_calendar.shift(at, length, sign, zone) for at in instants for length in LENGTHS for sign in (1, -1)}
    return instants | {at for at in shifted if at is not None}


def lengths(options: tuple[Duration, ...]) -> st.SearchStrategy[Literal]:
    return st.sampled_from(options).map(lambda length: Literal(length, types.duration))


def windows(options: tuple[Duration, ...], zones: st.SearchStrategy[Any] = ZONES) -> st.SearchStrategy[Any]:
    length = st.sampled_from(options)
    calendar = st.builds(Calendar, st.sampled_from(UNITS), st.integers(-2, 1), st.integers(0, 1), zones)
    return st.builds(Relative, st.sampled_from(FORMS), length, length, zones) | calendar


def compare(left: st.SearchStrategy[Value], right: st.SearchStrategy[Value]) -> st.SearchStrategy[Predicate]:
    return st.builds(Compare, OPERATORS, left, right, st.just(False), ZONES)


def moving(value: st.SearchStrategy[Value], by: tuple[Duration, ...], of: types.ValueType) -> st.SearchStrategy[Value]:
    return st.builds(Arithmetic, STEPS, value, lengths(by), st.just(of))


class Material:
    """Strategies for values and conditions around one instant, in one zone.

    They are made once, because to make a strategy takes longer than to draw from it.
    """

    def __init__(self, zone: str, base: int) -> None:
        self.zone = zone
        self.at = near(base, zone)
        self.on = self.at.map(lambda at: _calendar.civil_day(at, zone))
        self.number = st.integers(0, 31).map(lambda value: Literal(value, types.integer))
        self.fixed: st.SearchStrategy[Value] = st.sampled_from((a, b)) | self.at.map(
            lambda at: Literal(at, types.instant)
        )
        self.instant = self._instants()
        self.day = self._days()
        self.part = self._parts()
        self.events = self._events()
        last = st.builds(Aggregate, st.sampled_from(("first", "last")), self.events, st.none(), st.just(types.instant))
        self.last: st.SearchStrategy[Value] = last
        self.apart: st.SearchStrategy[Value] = st.builds(
            Arithmetic, st.just("-"), self.instant, self.instant, st.just(types.duration)
        )

    def _instants(self) -> st.SearchStrategy[Value]:
        simple = self.fixed | st.just(Now())
        once = moving(simple, LENGTHS, types.instant)
        return simple | once | moving(once, LENGTHS, types.instant)

    def _days(self) -> st.SearchStrategy[Value]:
        literal = self.on.map(lambda ordinal: Literal(ordinal, types.date))
        simple: st.SearchStrategy[Value] = st.just(d) | st.builds(Today, st.integers(-1, 1)) | literal
        return simple | moving(simple, DAYS, types.date)

    def _parts(self) -> st.SearchStrategy[Value]:
        functions = st.sampled_from(("year", "month", "day", "weekday"))
        of_days = st.builds(lambda name, of: Call(name, (of,), types.integer), functions, self.instant | self.day)
        return of_days | self.instant.map(lambda of: Call("hour", (of,), types.integer))

    def _events(self) -> st.SearchStrategy[Events]:
        now, today = (st.just(value) for value in (Now(), Today()))
        bound = (
            self.at.map(lambda at: Literal(at, types.instant))
            | self.on.map(lambda ordinal: Literal(ordinal, types.date))
            | moving(now, LENGTHS, types.instant)
            | moving(today, DAYS, types.date)
        )
        absolute = st.builds(Absolute, st.none() | bound, bound, st.booleans(), st.booleans(), ZONES)
        bracket = st.builds(InWindow, st.just(due), windows(LENGTHS)) | compare(st.just(due), self.instant)
        return st.builds(Events, st.just("e"), st.none() | bracket, st.none() | windows(LENGTHS) | absolute)

    def aggregates(self) -> st.SearchStrategy[Value]:
        counts = st.sampled_from(("count", "days"))
        functions = st.sampled_from(("sum", "max", "distinct", "first"))
        return st.builds(Aggregate, counts, self.events, st.none(), st.just(types.integer)) | st.builds(
            Aggregate, functions, self.events, st.just(n), st.just(types.integer)
        )

    def conditions(self) -> st.SearchStrategy[Predicate]:
        options = st.tuples(
            self.at.map(lambda at: Literal(at, types.instant)), self.on.map(lambda on: Literal(on, types.date))
        )
        return (
            st.builds(InWindow, self.fixed | self.last, windows(LENGTHS))
            | st.builds(InWindow, st.just(d), windows(DAYS))
            | compare(self.instant, self.instant)
            | compare(self.instant | self.last, self.day | self.instant)
            | compare(self.day, self.day | self.instant)
            | compare(self.apart, lengths(EXACT) | self.apart)
            | compare(self.part, self.number | self.part)
            | compare(self.aggregates(), self.number)
            | st.builds(Between, self.instant | self.day, self.instant, self.day, ZONES)
            | st.builds(In, self.instant, options)
            | st.builds(IsMissing, self.instant | self.last)
            | st.builds(Constant, st.booleans())
        )

    def nodes(self) -> st.SearchStrategy[Predicate | Value]:
        """Conditions, connectives of some, and values."""
        condition = self.conditions()
        pair = st.tuples(condition, condition)
        return (
            condition
            | condition.map(Not)
            | pair.map(And)
            | pair.map(Or)
            | st.builds(AtLeast, st.integers(0, 4), st.tuples(condition, condition, condition))
            | self.part
            | self.instant
            | self.day
            | self.aggregates()
        )

    def facts(self) -> st.SearchStrategy[DictFacts]:
        properties = st.fixed_dictionaries({"n": st.integers(-1, 2), "due": self.at})
        event = st.builds(EventFact, self.at, st.just(""), properties)
        attributes = st.fixed_dictionaries({"a": self.at, "b": self.at | st.none(), "d": self.on})
        return st.builds(DictFacts, attributes, st.fixed_dictionaries({"e": st.lists(event, max_size=3)}))


@cache
def cases_at(place: tuple[str, int]) -> st.SearchStrategy[Case]:
    material = Material(*place)
    return st.tuples(material.nodes(), material.facts(), material.at, st.just(material.zone))


def cases() -> st.SearchStrategy[Case]:
    """Anything, anywhere."""
    return st.sampled_from(PLACES).flatmap(cases_at)


# ------------------------------------------------------------------------------- laws


def probes(facts: DictFacts, now: int, until: int, zone: str) -> Iterator[int]:
    """Yield instants in (now, until), close to whatever could change an answer."""
    anchors = {now, facts.attribute("a"), facts.attribute("b"), min(until, now + 800 * DAY)}
    anchors |= {at for event in facts.events("e") for at in (event.at, event.properties["due"])}
    anchors |= {_calendar.day_start(facts.attribute("d") + step, zone) for step in (0, 1)}
    known = {anchor for anchor in anchors if anchor is not None}
    midnights = {_calendar.unit_start("day", offset, at, zone) for at in known for offset in range(-1, 4)}
    spread = {now + step * HOUR for step in range(26)} | {now + step * 23 * DAY for step in range(35)} | {until - 1}
    edges = {at + nudge for at in moved(known, zone) | midnights for nudge in (-1, 0, 1)}
    yield from sorted(at for at in edges | spread if now < at < until)


def answer(node: Predicate | Value, facts: DictFacts, now: int, zone: str) -> Any:
    return value_of(node, facts, now, zone) if isinstance(node, Value) else evaluate(node, facts, now, zone)


@PARTS
@given(cases())
def test_nothing_changes_before_the_horizon(case: Case) -> None:
    node, facts, now, zone = case
    known, horizon = answer(node, facts, now, zone), next_change(node, facts, now, zone)
    assert horizon is None or horizon > now
    for instant in probes(facts, now, now + 800 * DAY if horizon is None else horizon, zone):
        assert answer(node, facts, instant, zone) == known
    if not isinstance(node, Value):
        assert _horizon._outlook(node, Scene(facts, now, zone))[0] == known


@cache
def plain_windows_at(place: tuple[str, int]) -> st.SearchStrategy[tuple[InWindow, DictFacts, int, str]]:
    zone, base = place
    instants = near(base, zone)
    facts = st.builds(lambda at, day: DictFacts({"a": at, "d": _calendar.civil_day(day, zone)}), instants, instants)
    tree = st.builds(InWindow, st.just(a), windows(LENGTHS, zones=st.none()))
    tree |= st.builds(InWindow, st.just(d), windows(DAYS, zones=st.none()))
    return st.tuples(tree, facts, instants, st.just(zone))


def plain_windows() -> st.SearchStrategy[tuple[InWindow, DictFacts, int, str]]:
    """An attribute in any window, months included."""
    return st.sampled_from(PLACES).flatmap(plain_windows_at)


@PARTS
@given(plain_windows())
def test_the_horizon_of_an_attribute_in_a_window_is_the_flip_itself(case: tuple[InWindow, DictFacts, int, str]) -> None:
    tree, facts, now, zone = case
    horizon = next_change(tree, facts, now, zone)
    if horizon is not None:
        assert evaluate(tree, facts, horizon, zone) != evaluate(tree, facts, now, zone)


@PARTS
@given(plain_windows())
def test_a_window_is_looked_at_a_few_times_in_three_years(case: tuple[InWindow, DictFacts, int, str]) -> None:
    tree, facts, now, zone = case
    looks, horizon = 0, next_change(tree, facts, now, zone)
    while horizon is not None and horizon < now + 1_100 * DAY:
        looks, horizon = looks + 1, next_change(tree, facts, horizon, zone)
    assert looks <= 16


# -------------------------------------------------------------------------- exactness

SEEN = utc(2026, 1, 15, 12)
FACTS = DictFacts({"a": SEEN, "d": datetime(2026, 1, 15, tzinfo=UTC).toordinal()})
LAST_30 = Relative("last", Duration(30, "day"))


@pytest.mark.parametrize(
    ("tree", "now", "horizon"),
    [
        (InWindow(a, Relative("more than ago", Duration(40, "day"))), SEEN, SEEN + 40 * DAY + 1),
        (InWindow(a, Relative("at least ago", Duration(40, "day"))), SEEN, SEEN + 40 * DAY),
        (InWindow(a, LAST_30), SEEN - DAY, SEEN),
        (InWindow(a, LAST_30), SEEN, SEEN + 30 * DAY),
        (InWindow(a, LAST_30), SEEN + 30 * DAY, None),
        (InWindow(a, Relative("last", Duration(1, "month"))), SEEN, utc(2026, 2, 15, 12)),
        (InWindow(a, Relative("more than ago", Duration(1, "year"))), SEEN, utc(2027, 1, 15, 12) + 1),
        (InWindow(a, Calendar("month", 0, 0)), SEEN, utc(2026, 2, 1)),
        (InWindow(a, Calendar("month", -3, -1)), SEEN, utc(2026, 2, 1)),
        (InWindow(a, Calendar("year", 1, 1)), SEEN, None),
        (Compare("<", a, Now()), SEEN - 5, SEEN + 1),
        (Compare("=", a, Now()), SEEN - 5, SEEN),
        (Compare("=", a, Now()), SEEN, SEEN + 1),
        (
            Compare(">", Arithmetic("-", Now(), a, types.duration), Literal(Duration(1, "hour"), types.duration)),
            SEEN,
            SEEN + HOUR + 1,
        ),
        (Compare("=", d, Today(-7)), SEEN, utc(2026, 1, 22)),
        (Compare("=", Call("year", (Today(),), types.integer), Literal(2028, types.integer)), SEEN, utc(2028, 1, 1)),
        (Compare("=", Call("hour", (Now(),), types.integer), Literal(9, types.integer)), SEEN, utc(2026, 1, 16, 9)),
        (Compare("<", a, Literal(SEEN + 1, types.instant)), SEEN, None),
        (IsMissing(a), SEEN, None),
        (Constant(True), SEEN, None),
    ],
)
def test_the_horizon_is_the_very_instant(tree: Predicate, now: int, horizon: int | None) -> None:
    assert next_change(tree, FACTS, now, "UTC") == horizon


def test_a_month_window_is_left_for_good_only_after_its_last_bend() -> None:
    """28 February is more than a month ago four times: at noon on 28, 29, 30 and 31 March."""
    tree = InWindow(a, Relative("more than ago", Duration(1, "month")))
    facts = DictFacts({"a": utc(2026, 2, 28, 12)})
    found, now = [], utc(2026, 3, 1)
    while (horizon := next_change(tree, facts, now, "UTC")) is not None:
        assert evaluate(tree, facts, horizon, "UTC") != evaluate(tree, facts, now, "UTC")
        found.append(horizon)
        now = horizon
    noons = [utc(2026, 3, day, 12) + 1 for day in (28, 29, 30, 31)]
    midnights = [utc(2026, 3, day) for day in (29, 30, 31)]
    assert found == sorted(noons + midnights)


def test_a_false_conjunction_waits_for_the_last_of_its_false_parts() -> None:
    soon, late = (InWindow(a, Relative("at least ago", Duration(days, "day"))) for days in (1, 90))
    assert next_change(And((soon, late)), FACTS, SEEN, "UTC") == SEEN + 90 * DAY
    assert next_change(Or((soon, late)), FACTS, SEEN, "UTC") == SEEN + DAY
    assert next_change(And((soon, Constant(False))), FACTS, SEEN, "UTC") is None
    assert next_change(AtLeast(2, (soon, late, Constant(True))), FACTS, SEEN, "UTC") == SEEN + DAY


def events(*at: int) -> DictFacts:
    return DictFacts({}, {"e": [EventFact(instant, str(instant), {"n": 1}) for instant in at]})


def count(window: Window | None = None, where: Predicate | None = None) -> Compare:
    return Compare(">=", Aggregate("count", Events("e", where, window), None, types.integer), Literal(2, types.integer))


def test_a_count_is_looked_at_when_an_event_happens_enters_or_leaves() -> None:
    facts = events(SEEN, SEEN + 10 * DAY)
    tree, now, looks = count(LAST_30), SEEN - DAY, []
    while (horizon := next_change(tree, facts, now, "UTC")) is not None:
        looks.append(horizon)
        now = horizon
    assert looks == [SEEN, SEEN + 10 * DAY, SEEN + 30 * DAY, SEEN + 40 * DAY]


def test_events_that_cannot_pass_the_bracket_are_not_waited_for() -> None:
    two = Compare("=", n, Literal(2, types.integer))
    assert next_change(count(where=two), events(SEEN), SEEN - DAY, "UTC") is None
    assert next_change(count(where=Not(two)), events(SEEN), SEEN - DAY, "UTC") == SEEN


def test_a_window_of_fixed_bounds_waits_only_for_events_within_them() -> None:
    window = Absolute(Literal(SEEN, types.instant), Literal(SEEN + DAY, types.instant))
    assert next_change(count(window), events(SEEN + 2 * DAY), SEEN - DAY, "UTC") is None
    assert next_change(count(window), events(SEEN + HOUR), SEEN - DAY, "UTC") == SEEN + HOUR
    assert next_change(count(window), events(SEEN - HOUR), SEEN, "UTC") is None


def test_what_leaves_the_calendar_becomes_missing_at_an_instant() -> None:
    far = Arithmetic("+", Now(), Literal(Duration(7_000 * 365, "day"), types.duration), types.instant)
    horizon = next_change(IsMissing(far), FACTS, SEEN, "UTC")
    assert horizon is not None
    assert value_of(far, FACTS, horizon - 1, "UTC") is not None
    assert value_of(far, FACTS, horizon, "UTC") is None


def test_nothing_happens_after_the_last_instant_of_the_calendar() -> None:
    facts = DictFacts({"a": _calendar.MAX_INSTANT - 5, "d": _calendar.MAX_ORDINAL})
    for window in (LAST_30, Relative("last", Duration(1, "month")), Calendar("year", 0, 0)):
        assert next_change(InWindow(a, window), facts, _calendar.MAX_INSTANT, "Europe/Warsaw") is None
        assert next_change(InWindow(d, window), facts, _calendar.MAX_INSTANT, "Europe/Warsaw") is None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("months", [8_000 * 12, 2_500 * 12, 3_000 * 12 + 1])
@pytest.mark.parametrize("tree", ["window", "comparison", "days"])
def test_months_beyond_the_calendar_leave_everything_as_it_is_until_they_reach_it(
    form: Any, months: int, tree: str
) -> None:
    length = Duration(months, "month")
    step = Literal(length, types.duration)
    sign = "-" if "ago" in form or form == "last" else "+"
    predicate: Predicate = {
        "window": InWindow(a, Relative(form, length, length)),
        "days": InWindow(d, Relative(form, length, length)),
        "comparison": Compare("<", a, Arithmetic(sign, Now(), step, types.instant)),  # type: ignore[arg-type]  # + or -
    }[tree]
    now, at = SEEN + DAY, next_change(predicate, FACTS, SEEN + DAY, "UTC")
    assert _horizon._outlook(predicate, Scene(FACTS, now, "UTC"))[0] == evaluate(predicate, FACTS, now, "UTC")
    for later in range(now, _calendar.MAX_INSTANT if at is None else at, 40 * 365 * DAY):
        assert evaluate(predicate, FACTS, later, "UTC") == evaluate(predicate, FACTS, now, "UTC")


def test_two_hundred_levels_fit_under_the_usual_recursion_limit() -> None:
    tree: Predicate = InWindow(a, LAST_30)
    for level in range(200):
        tree = (And((Constant(True), tree)), Or((Constant(False), tree)), Not(tree))[level % 3]
    value: Value = Literal(Decimal(1), types.decimal)
    for _ in range(198):
        value = Arithmetic("+", value, Literal(Decimal(1), types.decimal), types.decimal)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 500)
    try:
        assert next_change(tree, FACTS, SEEN, "UTC") == SEEN + 30 * DAY
        assert next_change(value, FACTS, SEEN, "UTC") is None
    finally:
        sys.setrecursionlimit(limit)

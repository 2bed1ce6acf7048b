"""Laws of time at the ends of the calendar: the evaluator and the horizon agree in the first and the last hours."""

from __future__ import annotations

from datetime import date

from hypothesis import given, strategies as st

import segmentkit as sk
from segmentkit.dsl._calendar import MAX_INSTANT, MAX_ORDINAL, MIN_INSTANT, civil_day, day_start
from segmentkit.dsl._horizon import next_change
from segmentkit.dsl.evaluate import DictFacts, EventFact, evaluate
from segmentkit.values import from_micros
from tests.examples import RELATED

DAY = 86_400_000_000
SCHEMA = sk.Schema(
    sk.ObjectType("c", {"at": sk.instant, "day": sk.date}, {"visit": {"due": sk.instant, "day": sk.date}})
)
ZONES = (
    "UTC", "Europe/Warsaw", "America/New_York", "Pacific/Apia", "Asia/Kathmandu", "Pacific/Kiritimati", "Etc/GMT+12",
)  # fmt: skip
LENGTHS = ("1 day", "1 month", "2 months", "1 year", "9998 years", "9999 years", "30 days")
MOVING = (
    "{} more than {} ago", "{} at least {} ago", "{} in the last {}", "{} in the next {}", "{} more than {} from now",
    "{} at least {} from now", "{} between 1 day and {} ago",
)  # fmt: skip
CALENDAR = (
    "{} in this {}", "{} in last {}", "{} in next {}", "{} in the last 3 calendar {}s",
    "{} in the next 200000 calendar {}s",
)  # fmt: skip
READING = (
    "at + {} < now", "now - {} > at", "now + {} > at", "now - {} is missing", "now + {} is missing",
    "did visit within {} after at", "did visit then not visit within {}", "did visit since now - {}",
    "did visit before now + {}", "year(now + {}) > 5", "day(now - {}) < 15", "hour(now + {}) < 12", "today - {} < day",
    "today + {} < at", "day + {} > today", "today + {} is missing", "did visit[due in the last {}]",
)  # fmt: skip
OTHERS = (
    "day anniversary in the next 7 days", "at anniversary in last month", "at on today", "at < tomorrow", "day = today",
    "did visit yesterday", "tomorrow is missing", "year(now) = 1", "hour(now) = 0", "did visit[day < today]",
    "days(visit in the last 1 month) >= 1", "count(visit in the last 2 months) = 1", "now - at > 3 days",
)  # fmt: skip
FILTERS = (
    *(form.format(of, length) for form in MOVING for of in ("at", "day", "did visit") for length in LENGTHS),
    *(
        form.format(of, unit)
        for form in CALENDAR
        for of in ("at", "day", "did visit")
        for unit in ("day", "month", "year")
    ),
    *(form.format(length) for form in READING for length in LENGTHS),
    *OTHERS,
)
_AWAY = [days * DAY + nudge for days in (0, 0.5, 1, 2, 28, 30, 31, 32, 59, 60, 62, 365, 366, 730) for nudge in (0, 1)]
INSTANTS = sorted({int(at) for away in _AWAY for at in (MIN_INSTANT + away, MAX_INSTANT - away)})
DATES = sorted({day for away in (0, 1, 30, 31, 59, 365) for day in (1 + away, MAX_ORDINAL - away)})


@RELATED
@given(
    st.sampled_from(FILTERS),
    st.sampled_from(ZONES),
    st.sampled_from(INSTANTS),
    st.sampled_from(DATES),
    st.lists(st.sampled_from(INSTANTS), min_size=3, max_size=3),
)
def test_nothing_changes_before_the_horizon(text: str, zone: str, now: int, day: int, instants: list[int]) -> None:
    tree = sk.parse(text, SCHEMA, on="c")
    at, *visits = sorted(instants)
    events = [EventFact(visit, str(n), {"due": at, "day": day}) for n, visit in enumerate(visits)]
    facts = DictFacts({"at": at, "day": day}, {"visit": events}, object_type="c", object_id="a")
    holds, horizon = evaluate(tree, facts, now, zone), next_change(tree, facts, now, zone)
    assert horizon is None or horizon > now
    last = MAX_INSTANT if horizon is None else horizon - 1
    for later in {*INSTANTS, now + 1, last, (now + last) // 2}:
        if now < later <= last:
            assert evaluate(tree, facts, later, zone) is holds, f"changed at {from_micros(later)}, before {horizon}"


@given(st.sampled_from(INSTANTS), st.sampled_from(ZONES))
def test_every_instant_lies_in_a_civil_day_that_there_is(at: int, zone: str) -> None:
    day = civil_day(at, zone)
    assert 1 <= day <= MAX_ORDINAL
    assert day_start(day, zone) <= at < day_start(day + 1, zone)


@RELATED
@given(
    st.sampled_from([*(form.format("at", length) for form in MOVING for length in LENGTHS), *OTHERS]),
    st.sampled_from(INSTANTS),
    st.sampled_from(DATES),
    st.integers(0, len(INSTANTS) - 1),
    st.sampled_from(ZONES),
)
def test_an_engine_keeps_its_members_right(text: str, at: int, day: int, start: int, zone: str) -> None:
    """Also the engine, which works out its deadlines another way; the millennia between the ends are left out."""
    schema = sk.Schema(*SCHEMA.types.values(), zone=zone)
    engine = sk.Engine(schema, clock=sk.ManualClock(from_micros(INSTANTS[start])))
    engine.define("s", on="c", where=text)
    engine.put("c", "a", at=from_micros(at), day=date.fromordinal(day))
    engine.track("c", "a", "visit", at=from_micros(at), due=from_micros(at))
    is_early = INSTANTS[start] < 0
    for later in [instant for instant in INSTANTS[start + 1 :: 3] if (instant < 0) is is_early]:
        engine.advance(from_micros(later))
        assert engine.verify() == [], from_micros(later)

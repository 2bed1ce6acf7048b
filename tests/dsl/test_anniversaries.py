"""When an anniversary enters and leaves a window, compared with looking at every day."""

from __future__ import annotations

from datetime import date

from hypothesis import given, strategies as st

from segmentkit import values as types
from segmentkit.dsl import _calendar
from segmentkit.dsl._horizon import next_change
from segmentkit.dsl.evaluate import DictFacts, evaluate
from segmentkit.dsl.predicates import Anniversary, Attribute, Calendar, Duration, Relative
from tests.examples import PARTS

BIRTHDAYS = tuple(
    date(*day).toordinal()
    for day in ((2024, 2, 29), (2024, 2, 28), (1990, 3, 1), (1999, 12, 31), (2000, 1, 1), (1990, 6, 15), (2030, 1, 31))
)
LENGTHS = (Duration(0, "day"), Duration(1, "day"), Duration(2, "week"), Duration(1, "month"), Duration(13, "month"))
UNITS = ("day", "week", "month", "quarter", "year")

windows = st.builds(Relative, st.sampled_from(("last", "next")), st.sampled_from(LENGTHS)) | st.builds(
    Calendar, st.sampled_from(UNITS), st.sampled_from((-3, -1, 0)), st.sampled_from((-1, 0))
)
zones = st.sampled_from(("UTC", "Europe/Warsaw", "Pacific/Apia"))
todays = st.integers(date(2023, 1, 1).toordinal(), date(2026, 12, 31).toordinal())


def filter_and_facts(window: Relative | Calendar, birthday: int) -> tuple[Anniversary, DictFacts]:
    return Anniversary(Attribute("birthday", types.date), window), DictFacts({"birthday": birthday})


@PARTS
@given(windows, st.sampled_from(BIRTHDAYS), todays, zones)
def test_nothing_changes_on_the_days_before_the_horizon(
    window: Relative | Calendar, birthday: int, today: int, zone: str
) -> None:
    tree, facts = filter_and_facts(window, birthday)
    now = _calendar.day_start(today, zone)
    horizon, holds = next_change(tree, facts, now, zone), evaluate(tree, facts, now, zone)
    assert horizon is None or horizon > now
    for ahead in range(1, 800):
        instant = _calendar.day_start(today + ahead, zone)
        if horizon is not None and instant >= horizon:
            break
        assert evaluate(tree, facts, instant, zone) == holds


@PARTS
@given(windows, st.sampled_from(BIRTHDAYS), todays, zones)
def test_an_anniversary_is_looked_at_a_few_times_a_year(
    window: Relative | Calendar, birthday: int, today: int, zone: str
) -> None:
    """Not every day: a host with a million birthdays has a few looks a year for each."""
    tree, facts = filter_and_facts(window, birthday)
    now = _calendar.day_start(today, zone)
    looks, horizon = 0, next_change(tree, facts, now, zone)
    while horizon is not None and horizon < now + 1_000 * _calendar.DAY:
        looks, horizon = looks + 1, next_change(tree, facts, horizon, zone)
    assert looks <= 8


@PARTS
@given(windows, st.sampled_from(BIRTHDAYS), st.integers(_calendar.MAX_ORDINAL - 800, _calendar.MAX_ORDINAL))
def test_the_end_of_the_calendar_is_no_anniversary(window: Relative | Calendar, birthday: int, today: int) -> None:
    """A horizon at the end of the range lies after now or is none."""
    tree, facts = filter_and_facts(window, birthday)
    now = _calendar.day_start(today, "UTC")
    horizon = next_change(tree, facts, now, "UTC")
    assert horizon is None or now < horizon <= _calendar.MAX_INSTANT

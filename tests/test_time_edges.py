"""Where time is awkward: changes of offset, ends of months, leap days, zones, and clocks that stand or go back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import segmentkit as sk

MICROSECOND = timedelta(microseconds=1)


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """Return an instant in UTC."""
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def host(where: str, start: datetime, zone: str = "Europe/Warsaw") -> tuple[sk.Engine, sk.ManualClock]:
    """Return an engine with one segment over contacts."""
    contact = sk.ObjectType("contact", {"signup": sk.instant, "birthday": sk.date}, {"visit": {}})
    clock = sk.ManualClock(start)
    engine = sk.Engine(sk.Schema(contact, zone=zone), clock=clock)
    engine.define("segment", on="contact", where=where)
    return engine, clock


def flips(engine: sk.Engine, clock: sk.ManualClock, to: datetime) -> list[tuple[datetime, bool]]:
    """Let time pass, and return when the one object enters and leaves."""
    clock.set(to)
    return [(delta.at, delta.entered) for delta in engine.advance(to=to)]


# ------------------------------------------------------------------- changes of offset


def test_a_calendar_step_into_the_gap_ends_at_the_first_instant_after_it() -> None:
    """29 January 02:30 in Warsaw + 2 months falls into the gap of 29 March and means 03:00."""
    engine, clock = host("signup + 2 months <= now", utc(2026, 3, 1))
    engine.put("contact", "c1", signup=utc(2026, 1, 29, 1, 30))
    assert flips(engine, clock, utc(2026, 4, 1)) == [(utc(2026, 3, 29, 1), True)]


def test_a_calendar_step_into_the_overlap_means_the_earlier_hour() -> None:
    """25 September 02:30 in Warsaw + 1 month is 02:30 for the first time, in summer time."""
    engine, clock = host("signup + 1 month <= now", utc(2026, 10, 1))
    engine.put("contact", "c1", signup=utc(2026, 9, 25, 0, 30))
    assert flips(engine, clock, utc(2026, 11, 1)) == [(utc(2026, 10, 25, 0, 30), True)]


@pytest.mark.parametrize(
    ("start", "first", "last"),
    [
        (utc(2026, 3, 28, 12), utc(2026, 3, 28, 23), utc(2026, 3, 29, 22)),
        (utc(2026, 10, 24, 12), utc(2026, 10, 24, 22), utc(2026, 10, 25, 23)),
    ],
    ids=["23 hours in spring", "25 hours in autumn"],
)
def test_today_is_as_long_as_its_civil_day(start: datetime, first: datetime, last: datetime) -> None:
    """A visit of a day with a change of offset is of today from local midnight to local midnight."""
    engine, clock = host("did visit today", start)
    engine.put("contact", "c1")
    engine.track("contact", "c1", "visit", at=first)
    assert flips(engine, clock, last + timedelta(days=2)) == [(first, True), (last, False)]


def test_days_are_24_hours_even_when_clocks_change() -> None:
    """`in the last 1 day` goes by the length of a day, not by the wall clock."""
    engine, clock = host("signup in the last 1 day", utc(2026, 3, 28, 12))
    engine.put("contact", "c1", signup=utc(2026, 3, 28, 12))
    assert flips(engine, clock, utc(2026, 4, 1)) == [(utc(2026, 3, 29, 12), False)]


# ----------------------------------------------------------------- ends of months, leap days


@pytest.mark.parametrize(
    ("signup", "duration", "due"),
    [
        (utc(2026, 1, 31, 12), "1 month", utc(2026, 2, 28, 12)),
        (utc(2024, 1, 31, 12), "1 month", utc(2024, 2, 29, 12)),
        (utc(2024, 2, 29, 12), "1 year", utc(2025, 2, 28, 12)),
        (utc(2024, 2, 29, 12), "4 years", utc(2028, 2, 29, 12)),
        (utc(2025, 12, 31, 23), "2 months", utc(2026, 2, 28, 23)),
    ],
    ids=str,
)
def test_months_and_years_stop_at_the_last_day_of_a_short_month(signup: datetime, duration: str, due: datetime) -> None:
    """31 January + 1 month is the last day of February, 29 February + 1 year is the 28th."""
    engine, clock = host(f"signup + {duration} <= now", signup, zone="UTC")
    engine.put("contact", "c1", signup=signup)
    assert flips(engine, clock, due + timedelta(days=40)) == [(due, True)]


def test_the_last_month_ends_when_its_start_has_passed_the_event() -> None:
    """What happened at noon of 31 January is within the last month until 1 March begins.

    On 28 February the month reaches back to 28 January; there is no day that reaches back to the 31st.
    """
    engine, clock = host("did visit in the last 1 month", utc(2026, 1, 31, 12), zone="UTC")
    engine.put("contact", "c1")
    engine.track("contact", "c1", "visit", at=utc(2026, 1, 31, 12))
    assert flips(engine, clock, utc(2026, 6, 1)) == [(utc(2026, 3, 1), False)]


def test_the_last_days_of_march_reach_back_to_the_same_day_of_february() -> None:
    """28 to 31 March all reach back to 28 February, so what happened there at noon comes back each morning."""
    engine, clock = host("did visit in the last 1 month", utc(2026, 2, 28, 12), zone="UTC")
    engine.put("contact", "c1")
    engine.track("contact", "c1", "visit", at=utc(2026, 2, 28, 12))
    expected = [(utc(2026, 3, 28, 12), False)]
    for day in (29, 30, 31):
        expected += [(utc(2026, 3, day), True), (utc(2026, 3, day, 12), False)]
    assert flips(engine, clock, utc(2026, 6, 1)) == expected


def test_a_leap_day_is_a_day_of_its_own() -> None:
    """A visit on 29 February is of today for that day, and of last month throughout March."""
    for where, first, last in (
        ("did visit today", utc(2024, 2, 29), utc(2024, 3, 1)),
        ("did visit in last month", utc(2024, 3, 1), utc(2024, 4, 1)),
    ):
        engine, clock = host(where, utc(2024, 2, 28), zone="UTC")
        engine.put("contact", "c1")
        engine.track("contact", "c1", "visit", at=utc(2024, 2, 29))
        assert flips(engine, clock, utc(2024, 6, 1)) == [(first, True), (last, False)]


# -------------------------------------------------------------------------------- zones


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [
        ("Europe/Warsaw", utc(2026, 5, 31, 22, 30), utc(2026, 6, 30, 22)),
        ("America/New_York", utc(2026, 5, 31, 22, 30), utc(2026, 6, 1, 4)),
        ("Asia/Kathmandu", utc(2026, 5, 31, 22, 30), utc(2026, 6, 30, 18, 15)),
    ],
)
def test_a_calendar_month_is_that_of_its_zone(zone: str, first: datetime, last: datetime) -> None:
    """Half past midnight of 1 June in Warsaw is still May in New York."""
    engine, clock = host(f'did visit in this month in zone "{zone}"', utc(2026, 5, 31, 12), zone="UTC")
    engine.put("contact", "c1")
    engine.track("contact", "c1", "visit", at=first)
    assert flips(engine, clock, utc(2026, 8, 1)) == [(first, True), (last, False)]


def test_two_zones_in_one_filter_keep_their_own_months() -> None:
    """Only while both zones are in the month of the visit do both conditions hold."""
    where = 'did visit in this month in zone "Europe/Warsaw" and not did visit in this month in zone "America/New_York"'
    engine, clock = host(where, utc(2026, 5, 31, 12))
    engine.put("contact", "c1")
    engine.track("contact", "c1", "visit", at=utc(2026, 5, 31, 22, 30))
    # from 04:00 UTC it is June in New York too, and the visit was in May there
    assert flips(engine, clock, utc(2026, 8, 1)) == [(utc(2026, 6, 1, 4), True), (utc(2026, 6, 30, 22), False)]


def test_a_date_is_its_whole_day_in_the_zone_of_the_rule() -> None:
    """`birthday = today` holds from one local midnight to the next."""
    engine, clock = host("birthday = today", utc(2026, 3, 28))
    engine.put("contact", "c1", birthday=utc(2026, 3, 29).date())
    assert flips(engine, clock, utc(2026, 4, 1)) == [(utc(2026, 3, 28, 23), True), (utc(2026, 3, 29, 22), False)]


# ------------------------------------------------------------------------------- clocks


def test_a_clock_that_stands_still_changes_nothing() -> None:
    """Advancing to now brings no delta and no sequence number, however often."""
    engine, _ = host("signup in the last 1 day", utc(2026, 1, 1))
    engine.put("contact", "c1", signup=utc(2026, 1, 1))
    before = list(engine.deltas(after=0))
    for _ in range(3):
        assert list(engine.advance(to=utc(2026, 1, 1))) == []
    assert list(engine.deltas(after=0)) == before
    engine.check_invariants()


def test_a_clock_that_goes_back_is_refused_and_changes_nothing() -> None:
    """ClockError, and the engine goes on from where it was."""
    engine, clock = host("signup in the last 1 day", utc(2026, 1, 1))
    engine.put("contact", "c1", signup=utc(2026, 1, 1))
    before = list(engine.deltas(after=0))
    with pytest.raises(sk.ClockError):
        engine.advance(to=utc(2026, 1, 1) - MICROSECOND)
    assert set(engine.members("segment")) == {"c1"}
    assert list(engine.deltas(after=0)) == before
    assert flips(engine, clock, utc(2026, 1, 3)) == [(utc(2026, 1, 2), False)]


def test_a_naive_instant_is_refused() -> None:
    """ClockError for an instant without a zone; nothing changes."""
    engine, _ = host("signup in the last 1 day", utc(2026, 1, 1))
    with pytest.raises(sk.ClockError):
        engine.advance(to=datetime(2026, 1, 2))  # noqa: DTZ001  # being naive is the point
    assert list(engine.advance(to=utc(2026, 1, 1))) == []


# ------------------------------------------------------------------ the ends of the calendar

LAST = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Warsaw", "America/New_York", "Pacific/Kiritimati"])
def test_the_last_month_does_not_jump_open_in_the_last_hour(zone: str) -> None:
    """In Warsaw clocks show the year 10000 for the last hour; a month before that is December all the same."""
    engine, clock = host("signup in the last 1 month", utc(9999, 1, 1), zone=zone)
    engine.put("contact", "c1", signup=utc(9998, 12, 25))
    assert [entered for _, entered in flips(engine, clock, LAST)] == [False]
    assert engine.verify() == []


@pytest.mark.parametrize("zone", ["UTC", "Europe/Warsaw", "America/New_York", "Pacific/Kiritimati"])
def test_the_last_day_lasts_until_the_end_and_the_first_one_from_the_beginning(zone: str) -> None:
    """There is a today at every instant; on the last day there is no tomorrow, on the first no yesterday."""
    for where, start, holds in (
        ("today is known", utc(1, 1, 1), True),
        ("yesterday is missing", utc(1, 1, 1), True),
        ("tomorrow is missing", LAST, True),
        ("year(now) = 9999 and day(now) = 31", LAST, True),
        ("year(now) = 1 and day(now) = 1", utc(1, 1, 1), True),
        ("signup on today", LAST, True),
    ):
        engine, _ = host(where, start, zone=zone)
        engine.put("contact", "c1", signup=start)
        assert (list(engine.members("segment")) == ["c1"]) is holds, where
        assert engine.verify() == []

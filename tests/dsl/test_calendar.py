"""Civil time: days, month steps and windows where clocks change, months end and the calendar stops."""

from __future__ import annotations

from calendar import isleap
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from segmentkit.dsl import _calendar, _stays
from segmentkit.dsl.predicates import Calendar, CalendarUnit, Duration, Relative, RelativeForm
from segmentkit.values import from_micros, to_micros
from tests.examples import PARTS

WARSAW, SAO_PAULO, CAIRO, APIA = "Europe/Warsaw", "America/Sao_Paulo", "Africa/Cairo", "Pacific/Apia"
LORD_HOWE, ST_JOHNS = "Australia/Lord_Howe", "America/St_Johns"
ZONES = ("UTC", WARSAW, SAO_PAULO, CAIRO, APIA, LORD_HOWE, ST_JOHNS, "America/New_York", "Asia/Kathmandu")

zones = st.sampled_from(ZONES)
instants = st.integers(to_micros(datetime(1985, 1, 1, tzinfo=UTC)), to_micros(datetime(2035, 1, 1, tzinfo=UTC)))
all_instants = st.integers(_calendar.MIN_INSTANT, _calendar.MAX_INSTANT)
units = st.sampled_from(("day", "week", "month", "quarter", "year"))
forms = st.sampled_from(
    ("more than ago", "at least ago", "last", "between ago", "next", "more than from now", "at least from now")
)


def utc(*parts: int) -> int:
    return to_micros(datetime(*parts, tzinfo=UTC))  # type: ignore[arg-type]  # year, month, day, ...


def local(zone: str, *parts: int, fold: int = 0) -> int:
    return to_micros(datetime(*parts, tzinfo=ZoneInfo(zone), fold=fold))  # type: ignore[arg-type,misc]  # as above


def day(*parts: int) -> int:
    return date(*parts).toordinal()


def iso(at: int | None) -> str:
    assert at is not None
    return from_micros(at).isoformat()


# ------------------------------------------------------------------------------- days


@PARTS
@given(instants, zones)
def test_every_instant_lies_within_its_civil_day(at: int, zone: str) -> None:
    ordinal = _calendar.civil_day(at, zone)
    assert _calendar.day_start(ordinal, zone) <= at < _calendar.day_start(ordinal + 1, zone)


@PARTS
@given(instants, instants, zones)
def test_civil_days_never_go_back(a: int, b: int, zone: str) -> None:
    assert (a <= b) <= (_calendar.civil_day(a, zone) <= _calendar.civil_day(b, zone))


@pytest.mark.parametrize(
    ("zone", "on", "start"),
    [
        (WARSAW, (2026, 3, 29), "2026-03-28T23:00:00+00:00"),
        (WARSAW, (2026, 3, 30), "2026-03-29T22:00:00+00:00"),
        (SAO_PAULO, (2018, 11, 4), "2018-11-04T03:00:00+00:00"),  # clocks go from 00:00 to 01:00
        (CAIRO, (2023, 4, 28), "2023-04-27T22:00:00+00:00"),  # so they do here
        (APIA, (2011, 12, 29), "2011-12-29T10:00:00+00:00"),
        (APIA, (2011, 12, 30), "2011-12-30T10:00:00+00:00"),  # a day that never was
        (APIA, (2011, 12, 31), "2011-12-30T10:00:00+00:00"),
        (LORD_HOWE, (2026, 10, 4), "2026-10-03T13:30:00+00:00"),
        (LORD_HOWE, (2026, 10, 5), "2026-10-04T13:00:00+00:00"),
        (ST_JOHNS, (2006, 10, 29), "2006-10-29T02:30:00+00:00"),  # at 00:01 clocks go back to 23:01
    ],
)
def test_a_day_begins_at_the_first_instant_that_clocks_show_midnight_or_later(
    zone: str, on: tuple[int, int, int], start: str
) -> None:
    assert iso(_calendar.day_start(day(*on), zone)) == start


def test_a_day_that_a_zone_skipped_is_empty() -> None:
    before = _calendar.day_start(day(2011, 12, 30), APIA) - 1
    assert _calendar.civil_day(before, APIA) == day(2011, 12, 29)
    assert _calendar.civil_day(before + 1, APIA) == day(2011, 12, 31)


def test_the_hour_before_midnight_that_comes_again_belongs_to_the_new_day() -> None:
    """In St John's the clocks of 29 October 2006 went back across a midnight that had passed."""
    again = local(ST_JOHNS, 2006, 10, 28, 23, 30, fold=1)
    assert _calendar.civil_day(again, ST_JOHNS) == day(2006, 10, 29)
    assert _calendar.civil_day(local(ST_JOHNS, 2006, 10, 28, 23, 30), ST_JOHNS) == day(2006, 10, 28)


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        (WARSAW, (2026, 3, 29, 2, 30), "2026-03-29T01:00:00+00:00"),  # in the gap
        (WARSAW, (2026, 3, 29, 1, 59), "2026-03-29T00:59:00+00:00"),
        (WARSAW, (2026, 3, 29, 3, 0), "2026-03-29T01:00:00+00:00"),
        (WARSAW, (2026, 10, 25, 2, 30), "2026-10-25T00:30:00+00:00"),  # the first of two
        (LORD_HOWE, (2026, 10, 4, 2, 15), "2026-10-03T15:30:00+00:00"),  # a gap of half an hour
        (LORD_HOWE, (2026, 4, 5, 1, 45), "2026-04-04T14:45:00+00:00"),
        (SAO_PAULO, (2018, 11, 4, 0, 59), "2018-11-04T03:00:00+00:00"),
        (APIA, (2011, 12, 30, 15, 0), "2011-12-30T10:00:00+00:00"),
    ],
)
def test_a_wall_time_in_a_gap_is_its_end_and_a_repeated_one_the_first(
    zone: str, wall: tuple[int, ...], instant: str
) -> None:
    assert iso(_calendar.instant_of(utc(*wall), zone)) == instant


@PARTS
@given(instants, zones)
def test_no_clock_shows_the_wall_time_before_the_instant_it_stands_for(at: int, zone: str) -> None:
    wall = at + _calendar.offset_at(at, zone)
    first = _calendar.instant_of(wall, zone)
    assert first <= at
    assert first + _calendar.offset_at(first, zone) == wall


@pytest.mark.parametrize(
    ("zone", "at", "hour"),
    [(WARSAW, (2026, 3, 29, 0, 59), 1), (WARSAW, (2026, 3, 29, 1, 0), 3), (LORD_HOWE, (2026, 10, 3, 15, 30), 2)],
)
def test_the_hour_is_what_local_clocks_show(zone: str, at: tuple[int, ...], hour: int) -> None:
    assert _calendar.hour_of(utc(*at), zone) == hour


# -------------------------------------------------------------------------- durations


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ((2026, 1, 31), 1, (2026, 2, 28)),
        ((2024, 1, 31), 1, (2024, 2, 29)),
        ((2024, 2, 29), 12, (2025, 2, 28)),
        ((2024, 2, 29), 48, (2028, 2, 29)),
        ((2026, 3, 31), -1, (2026, 2, 28)),
        ((2026, 3, 30), -1, (2026, 2, 28)),
        ((2026, 12, 15), 1, (2027, 1, 15)),
        ((2026, 1, 15), -1, (2025, 12, 15)),
        ((2026, 5, 31), -6, (2025, 11, 30)),
    ],
)
def test_a_month_step_keeps_the_day_or_takes_the_last_of_the_month(
    start: tuple[int, int, int], months: int, end: tuple[int, int, int]
) -> None:
    duration, sign = Duration(abs(months), "month"), 1 if months > 0 else -1
    assert _calendar.shift_date(day(*start), duration, sign) == day(*end)
    noon = utc(*start, 12, 30)
    assert _calendar.shift(noon, duration, sign, "UTC") == utc(*end, 12, 30)


def test_a_month_step_keeps_the_wall_time_over_a_change_of_offset() -> None:
    assert _calendar.shift(local(WARSAW, 2026, 3, 15, 9), Duration(1, "month"), 1, WARSAW) == local(
        WARSAW, 2026, 4, 15, 9
    )


def test_a_day_is_24_hours_and_a_month_is_not() -> None:
    noon = local(WARSAW, 2026, 3, 28, 12)
    assert _calendar.shift(noon, Duration(1, "day"), 1, WARSAW) == local(WARSAW, 2026, 3, 29, 13)
    assert _calendar.shift(noon, Duration(1, "month"), 1, WARSAW) == local(WARSAW, 2026, 4, 28, 12)


def test_a_month_step_into_a_gap_ends_at_its_first_valid_instant() -> None:
    assert _calendar.shift(local(WARSAW, 2026, 2, 28, 2, 30), Duration(1, "month"), 1, WARSAW) == local(
        WARSAW, 2026, 3, 28, 2, 30
    )
    assert _calendar.shift(local(WARSAW, 2026, 1, 29, 2, 30), Duration(2, "month"), 1, WARSAW) == utc(2026, 3, 29, 1)


def test_a_month_step_into_an_overlap_takes_the_earlier_instant() -> None:
    assert _calendar.shift(local(WARSAW, 2026, 9, 25, 2, 30), Duration(1, "month"), 1, WARSAW) == utc(
        2026, 10, 25, 0, 30
    )


def test_a_month_ago_is_not_monotone() -> None:
    """Within an hour of 30 and 31 March, a month ago jumps back by almost a day."""
    late = _calendar.shift(utc(2026, 3, 30, 23), Duration(1, "month"), -1, "UTC")
    later = _calendar.shift(utc(2026, 3, 31, 0), Duration(1, "month"), -1, "UTC")
    assert (iso(late), iso(later)) == ("2026-02-28T23:00:00+00:00", "2026-02-28T00:00:00+00:00")


@pytest.mark.parametrize("duration", [Duration(9_000, "year"), Duration(500_000, "week")])
@pytest.mark.parametrize("sign", [1, -1])
def test_arithmetic_that_leaves_the_calendar_has_no_result(duration: Duration, sign: int) -> None:
    assert _calendar.shift(utc(2026, 1, 1), duration, sign, WARSAW) is None
    assert _calendar.shift_date(day(2026, 1, 1), duration, sign) is None


def test_part_of_a_day_moves_no_date() -> None:
    assert _calendar.shift_date(day(2026, 1, 1), Duration(36, "hour"), 1) is None
    assert _calendar.shift_date(day(2026, 1, 1), Duration(48, "hour"), 1) == day(2026, 1, 3)


@PARTS
@given(st.sampled_from((_calendar.MIN_INSTANT, _calendar.MAX_INSTANT)), zones, units, st.integers(-3, 3))
def test_both_ends_of_the_calendar_have_days_units_and_windows(at: int, zone: str, unit: CalendarUnit, n: int) -> None:
    _calendar.hour_of(at, zone)
    assert abs(_calendar.civil_day(at, zone) - at // _calendar.DAY - day(1970, 1, 1)) <= 1
    start = _calendar.unit_start(unit, n, at, zone)
    assert _calendar.MIN_INSTANT <= start <= _calendar.MAX_INSTANT + 1
    for duration in (Duration(1, "month"), Duration(1, "day")):
        _calendar.window_bounds(Relative("last", duration), at, zone)
        _calendar.window_bounds(Relative("next", duration), at, zone)


# ------------------------------------------------------------------------------ units


@pytest.mark.parametrize(
    ("unit", "offset", "start"),
    [
        ("day", 0, (2026, 11, 22)),
        ("day", -1, (2026, 11, 21)),
        ("week", 0, (2026, 11, 16)),
        ("week", 1, (2026, 11, 23)),
        ("month", 0, (2026, 11, 1)),
        ("month", 2, (2027, 1, 1)),
        ("month", -11, (2025, 12, 1)),
        ("quarter", 0, (2026, 10, 1)),
        ("quarter", -3, (2026, 1, 1)),
        ("quarter", 1, (2027, 1, 1)),
        ("year", 0, (2026, 1, 1)),
        ("year", -26, (2000, 1, 1)),
    ],
)
def test_units_begin_on_their_first_day(unit: CalendarUnit, offset: int, start: tuple[int, int, int]) -> None:
    sunday = day(2026, 11, 22)
    assert _calendar.unit_day(unit, offset, sunday) == day(*start)
    now = local(WARSAW, 2026, 11, 22, 23, 59)
    assert _calendar.unit_start(unit, offset, now, WARSAW) == local(WARSAW, *start)


def test_a_month_begins_at_another_instant_in_another_zone() -> None:
    now = utc(2026, 10, 31, 23, 30)
    assert iso(_calendar.unit_start("month", 0, now, "UTC")) == "2026-10-01T00:00:00+00:00"
    assert iso(_calendar.unit_start("month", 0, now, WARSAW)) == "2026-10-31T23:00:00+00:00"


@PARTS
@given(instants, zones, units, st.integers(-5, 5))
def test_units_follow_each_other_without_a_hole(at: int, zone: str, unit: CalendarUnit, n: int) -> None:
    start, end = (_calendar.unit_start(unit, offset, at, zone) for offset in (n, n + 1))
    assert start <= end
    if n == 0:
        assert start <= at < end


# ---------------------------------------------------------------------------- windows

NOW = utc(2026, 11, 22, 10)
DAY = _calendar.DAY


@pytest.mark.parametrize(
    ("form", "start", "end"),
    [
        ("more than ago", None, NOW - 40 * DAY),
        ("at least ago", None, NOW - 40 * DAY + 1),
        ("last", NOW - 40 * DAY + 1, NOW + 1),
        ("between ago", NOW - 60 * DAY + 1, NOW - 40 * DAY + 1),
        ("next", NOW + 1, NOW + 40 * DAY + 1),
        ("more than from now", NOW + 40 * DAY + 1, None),
        ("at least from now", NOW + 40 * DAY, None),
    ],
)
def test_relative_windows_are_half_open_to_the_microsecond(
    form: RelativeForm, start: int | None, end: int | None
) -> None:
    window = Relative(form, Duration(40, "day"), Duration(60, "day") if form == "between ago" else None)
    assert _calendar.window_bounds(window, NOW, "UTC") == (start, end)


@pytest.mark.parametrize(
    ("form", "start", "end"),
    [
        ("more than ago", None, -7),
        ("at least ago", None, -6),
        ("last", -6, 1),
        ("between ago", -13, -6),
        ("next", 1, 8),
        ("more than from now", 8, None),
        ("at least from now", 7, None),
    ],
)
def test_windows_of_dates_count_whole_days_from_today(form: RelativeForm, start: int | None, end: int | None) -> None:
    today = day(2026, 11, 22)
    window = Relative(form, Duration(7, "day"), Duration(2, "week") if form == "between ago" else None)
    expected = tuple(None if bound is None else today + bound for bound in (start, end))
    assert _calendar.day_bounds(window, today) == expected


def test_a_window_of_part_of_a_day_holds_no_date() -> None:
    window = Relative("last", Duration(36, "hour"))
    start, end = _calendar.day_bounds(window, day(2026, 11, 22))
    assert start == end


def test_the_last_three_calendar_months_are_whole_months_before_this_one() -> None:
    bounds = _calendar.window_bounds(Calendar("month", -3, -1), NOW, WARSAW)
    assert bounds == (local(WARSAW, 2026, 8, 1), local(WARSAW, 2026, 11, 1))


def test_the_zone_of_a_window_goes_before_the_zone_of_the_rule() -> None:
    now = utc(2026, 10, 31, 23, 30)
    inside = _calendar.window_bounds(Calendar("month", 0, 0, zone=WARSAW), now, "UTC")
    assert inside == (local(WARSAW, 2026, 11, 1), local(WARSAW, 2026, 12, 1))


def test_a_bound_before_the_calendar_is_open_and_one_after_it_too() -> None:
    ages = Duration(5_000, "year")
    assert _calendar.window_bounds(Relative("last", ages), NOW, "UTC") == (None, NOW + 1)
    assert _calendar.window_bounds(Relative("next", Duration(9_000, "year")), NOW, "UTC") == (NOW + 1, None)


def test_nothing_happened_more_than_five_thousand_years_ago() -> None:
    _, end = _calendar.window_bounds(Relative("more than ago", Duration(5_000, "year")), NOW, "UTC")
    assert end is not None
    assert end <= _calendar.MIN_INSTANT


# ------------------------------------------------------------------------------ stays

durations = st.builds(Duration, st.integers(0, 50), st.sampled_from(("second", "hour", "day", "week")))
day_lengths = st.builds(Duration, st.integers(0, 50), st.sampled_from(("day", "week")))
calendars = st.builds(Calendar, units, st.integers(-3, 1), st.integers(-1, 3))


def relatives(lengths: st.SearchStrategy[Duration]) -> st.SearchStrategy[Relative]:
    return st.builds(Relative, forms, lengths, lengths)


@PARTS
@given(calendars | relatives(durations), instants, zones, st.data())
def test_an_instant_stays_in_a_window_exactly_during_its_stay(
    window: Relative | Calendar, at: int, zone: str, data: st.DataObject
) -> None:
    begin, end = _stays.stay(window, at, zone)
    near = {at, begin, end}
    now = data.draw(st.sampled_from(sorted(near)).flatmap(lambda t: st.sampled_from((t - 1, t, t + 1))) | instants)
    now = max(_calendar.MIN_INSTANT, min(now, _calendar.MAX_INSTANT))
    start, stop = _calendar.window_bounds(window, now, zone)
    inside = (start is None or start <= at) and (stop is None or at < stop)
    assert inside == (begin <= now < end)


@PARTS
@given(calendars | relatives(day_lengths), instants, zones, st.integers(-60, 60), st.booleans())
def test_a_date_stays_in_a_window_exactly_during_its_stay(
    window: Relative | Calendar, now: int, zone: str, apart: int, at_an_edge: bool
) -> None:
    today = _calendar.civil_day(now, zone)
    now = _calendar.day_start(today, zone) - 1 if at_an_edge else now
    start, stop = _calendar.day_bounds(window, _calendar.civil_day(now, zone))
    begin, end = _stays.day_stay(window, today + apart, zone)
    inside = (start is None or start <= today + apart) and (stop is None or today + apart < stop)
    assert inside == (begin <= now < end)


@PARTS
@given(instants, st.builds(Duration, st.integers(1, 30), st.just("month")), st.sampled_from((1, -1)), zones, st.data())
def test_a_month_step_is_straight_within_its_piece(
    at: int, duration: Duration, sign: int, zone: str, data: st.DataObject
) -> None:
    low, high, slope = _stays.straight_piece(at, duration, sign, zone)
    assert low <= at < high
    moved, here = _calendar.shift(at, duration, sign, zone), data.draw(st.integers(low, high - 1))
    assert moved is not None
    assert _calendar.shift(here, duration, sign, zone) == moved + slope * (here - at)


@pytest.mark.parametrize(("zone", "changes"), [(APIA, (2011, 12, 30, 10)), (WARSAW, (2026, 3, 29, 1))])
def test_month_steps_onto_a_gap_are_straight_in_pieces_too(zone: str, changes: tuple[int, ...]) -> None:
    """Looks at every half hour of the days around, moved onto the gap and moved off it."""
    half_hour, month = _calendar.HOUR // 2, Duration(1, "month")
    for sign, centre in ((1, -31), (-1, 31), (1, 0), (-1, 0)):
        for step in range(-100, 100):
            at = utc(*changes) + centre * DAY + step * half_hour
            low, high, slope = _stays.straight_piece(at, month, sign, zone)
            moved = _calendar.shift(at, month, sign, zone)
            assert moved is not None
            for here in (low, (low + high) // 2, high - 1):
                assert _calendar.shift(here, month, sign, zone) == moved + slope * (here - at)


def test_only_whole_calendar_units_and_exact_lengths_have_a_stay() -> None:
    assert _stays.has_stay(Calendar("month", 0, 0))
    assert _stays.has_stay(Relative("last", Duration(30, "day")))
    assert not _stays.has_stay(Relative("last", Duration(1, "month")))
    assert not _stays.has_stay(Relative("between ago", Duration(30, "day"), Duration(1, "year")))


def test_the_offset_changes_at_one_instant_of_a_day() -> None:
    noon = utc(2026, 3, 28, 12)
    assert _calendar.transition_between(noon, noon + DAY, WARSAW) == utc(2026, 3, 29, 1)
    assert _calendar.transition_between(noon - DAY, noon, WARSAW) is None
    assert timedelta(microseconds=_calendar.offset_at(noon, WARSAW)) == timedelta(hours=1)


# ---------------------------------------------------------------------- anniversaries


@PARTS
@given(st.integers(1, _calendar.MAX_ORDINAL), st.integers(1, _calendar.MAX_ORDINAL - 800))
def test_the_next_anniversary_is_the_first_day_that_shares_month_and_day(day: int, start: int) -> None:
    """29 February falls on 1 March where there is none."""
    original = date.fromordinal(day)

    def shares(ordinal: int) -> bool:
        candidate = date.fromordinal(ordinal)
        leap_day = (original.month, original.day) == (2, 29)
        if leap_day and not isleap(candidate.year):
            return (candidate.month, candidate.day) == (3, 1)
        return (candidate.month, candidate.day) == (original.month, original.day)

    expected = next(ordinal for ordinal in range(start, start + 800) if shares(ordinal))
    assert _calendar.next_anniversary(day, start) == expected


def test_after_the_last_year_there_is_no_anniversary() -> None:
    assert _calendar.next_anniversary(1, _calendar.MAX_ORDINAL) == _calendar.MAX_ORDINAL + 1
    assert _calendar.next_anniversary(_calendar.MAX_ORDINAL, _calendar.MAX_ORDINAL) == _calendar.MAX_ORDINAL
    assert _calendar.next_anniversary(5, 0) == 5

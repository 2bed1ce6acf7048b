"""Civil time in IANA zones, on plain values: instants are microseconds, dates are ordinals.

Everything rests on two functions. `offset_at` is how far local clocks are ahead of UTC.
`instant_of` is its inverse: the first instant at which a local clock shows a given time or
later, which picks the earlier of two where clocks went back, and the end of the gap where
they went forward.

A civil day lasts from the first instant of its midnight to the first of the next one.
`civil_day` follows those bounds, so it never goes back, even in zones whose clocks have
gone back across midnight; and a day that a zone skipped is empty.

Instants outside the years 1 to 9999 do not exist: arithmetic that would give one gives
None, and window bounds beyond the range are open (or nothing, on the far side). Instants go by
UTC. Where local clocks show the year 0 or 10000, hours before or after, the civil day is the
first or the last one that there is; times of day and months are counted on as if there were more.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias, assert_never

import attrs

from segmentkit.dsl.predicates import Calendar, CalendarUnit, Duration, Relative

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = [
    "DAY",
    "HOUR",
    "MAX_INSTANT",
    "MAX_ORDINAL",
    "MIN_INSTANT",
    "Bounds",
    "Edge",
    "calendar_fields",
    "civil_day",
    "counts_days",
    "day_bounds",
    "day_start",
    "edge_at",
    "edge_on",
    "edges",
    "existing_day",
    "has_anniversary",
    "hour_of",
    "instant_of",
    "moved",
    "moved_date",
    "next_anniversary",
    "offset_at",
    "shift",
    "shift_date",
    "transition_between",
    "unit_day",
    "unit_start",
    "window_bounds",
]

Bounds: TypeAlias = tuple[int | None, int | None]
"""Half-open: `start <= x < end`, where None is no bound on that side."""

DAY: Final = 86_400_000_000
HOUR: Final = 3_600_000_000
MIN_INSTANT: Final = -62_135_596_800_000_000
"""The first microsecond of year 1, UTC."""
MAX_INSTANT: Final = 253_402_300_799_999_999
"""The last microsecond of year 9999, UTC."""
MAX_ORDINAL: Final = 3_652_059
"""31 December 9999."""

_EPOCH_ORDINAL = 719_163
_CYCLE = 146_097  # the days of 400 years
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SAFE = 2 * DAY  # the standard library cannot represent local times within a day of either end of the range


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def _within_range(micros: int) -> int:
    return max(MIN_INSTANT + _SAFE, min(micros, MAX_INSTANT - _SAFE))


def _micros(delta: timedelta | None) -> int:
    if delta is None:
        raise AssertionError("an IANA zone has an offset at every instant")
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def offset_at(at: int, zone: str) -> int:
    """Return the microseconds that local clocks are ahead of UTC at an instant."""
    if zone == "UTC":
        return 0
    moment = _EPOCH + timedelta(microseconds=_within_range(at))
    return _micros(moment.astimezone(_zone(zone)).utcoffset())


def transition_between(low: int, high: int, zone: str) -> int | None:
    """Return the instant in `(low, high]` at which the offset changes, or None if both ends share it.

    Zones change their offset at most once within the day or so that callers ask for.
    """
    before = offset_at(low, zone)
    if before == offset_at(high, zone):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset_at(middle, zone) == before else (low, middle)
    return high


@lru_cache(maxsize=65_536)
def instant_of(local: int, zone: str) -> int:
    """Return the first instant at which a clock in the zone shows `local` or later.

    `local` counts microseconds as if the local clock were UTC.

    >>> warsaw_gap = instant_of(1_774_751_400_000_000, "Europe/Warsaw")  # 2026-03-29 02:30 does not exist
    >>> _EPOCH + timedelta(microseconds=warsaw_gap)
    datetime.datetime(2026, 3, 29, 1, 0, tzinfo=datetime.timezone.utc)
    """
    if zone == "UTC":
        return local
    wall = (_EPOCH + timedelta(microseconds=_within_range(local))).replace(tzinfo=_zone(zone))
    before, after = _micros(wall.utcoffset()), _micros(wall.replace(fold=1).utcoffset())
    if after > before:  # the gap: clocks jump over `local` at the transition between these two instants
        return transition_between(local - after, local - before, zone) or local - before
    return local - before


def civil_day(at: int, zone: str) -> int:
    """Return the ordinal of the civil day in the zone that an instant belongs to."""
    ordinal = max(1, min((at + offset_at(at, zone)) // DAY + _EPOCH_ORDINAL, MAX_ORDINAL))
    if zone != "UTC" and at >= day_start(ordinal + 1, zone):  # clocks went back across midnight
        return ordinal + 1
    return ordinal


def day_start(ordinal: int, zone: str) -> int:
    """Return the first instant of a civil day, or the end of the range that it lies beyond."""
    if ordinal <= 1:
        return MIN_INSTANT
    if ordinal > MAX_ORDINAL:
        return MAX_INSTANT + 1
    start = instant_of((ordinal - _EPOCH_ORDINAL) * DAY, zone)
    return max(MIN_INSTANT, min(start, MAX_INSTANT + 1))


def existing_day(ordinal: int) -> int | None:
    """Return the ordinal if it is one of a date in the years 1 to 9999, or None."""
    return ordinal if 1 <= ordinal <= MAX_ORDINAL else None


def hour_of(at: int, zone: str) -> int:
    """Return the hour, 0 to 23, that local clocks show."""
    return (at + offset_at(at, zone)) % DAY // HOUR


def calendar_fields(ordinal: int) -> tuple[int, int, int, int] | None:
    """Return year, month, day and weekday (Monday is 1) of a date, or None outside the range."""
    if not 1 <= ordinal <= MAX_ORDINAL:
        return None
    day = date.fromordinal(ordinal)
    return day.year, day.month, day.day, day.isoweekday()


# ------------------------------------------------------------------------- arithmetic


def _length(duration: Duration | int) -> tuple[int, int]:
    """Return a duration as months and microseconds; a plain number counts microseconds."""
    return (0, duration) if isinstance(duration, int) else (duration.months, duration.micros)


def moved(at: int, duration: Duration | int, sign: int, zone: str) -> int:
    """Return an instant moved by a duration, forward for sign 1 and back for -1, out of the range too.

    Months and years keep the local time of day; the day is the last of the month where the
    month is too short for it.
    """
    months, micros = _length(duration)
    if not months:
        return at + sign * micros
    days, time = divmod(at + offset_at(at, zone), DAY)
    ordinal = _add_months(days + _EPOCH_ORDINAL, sign * months)
    return instant_of((ordinal - _EPOCH_ORDINAL) * DAY + time, zone)


def shift(at: int, duration: Duration | int, sign: int, zone: str) -> int | None:
    """Return an instant moved by a duration as `moved` does; None out of range."""
    found = moved(at, duration, sign, zone)
    return found if MIN_INSTANT <= found <= MAX_INSTANT else None


def moved_date(ordinal: int, duration: Duration | int, sign: int) -> int | None:
    """Return a date moved by whole days or by months, out of the range too; None for part of a day."""
    months, micros = _length(duration)
    if months:
        return _add_months(ordinal, sign * months)
    days, rest = divmod(micros, DAY)
    return None if rest else ordinal + sign * days


def shift_date(ordinal: int, duration: Duration | int, sign: int) -> int | None:
    """Return a date moved by whole days or by months; None out of range or for part of a day."""
    found = moved_date(ordinal, duration, sign)
    return None if found is None else existing_day(found)


def _add_months(ordinal: int, months: int) -> int:
    """Return a day moved by months, both of any year: the calendar repeats itself every 400 years."""
    cycle, days = divmod(ordinal - 1, _CYCLE)
    day = date.fromordinal(days + 1)
    year, month0 = divmod((day.year - 1) * 12 + day.month - 1 + months, 12)
    further, year0 = divmod(year, 400)
    last = monthrange(year0 + 1, month0 + 1)[1]
    return date(year0 + 1, month0 + 1, min(day.day, last)).toordinal() + (cycle + further) * _CYCLE


# ---------------------------------------------------------------------- calendar units

_UNIT_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def unit_day(unit: CalendarUnit, offset: int, today: int) -> int:
    """Return the first day of the calendar unit that lies `offset` units from today's.

    A unit outside the range gives 0 or `MAX_ORDINAL + 1`.
    """
    today = max(1, min(today, MAX_ORDINAL))
    if unit == "day":
        first = today + offset
    elif unit == "week":
        first = today - (today - 1) % 7 + 7 * offset  # ordinal 1 was a Monday
    else:
        months = _UNIT_MONTHS[unit]
        day = date.fromordinal(today)
        year, month0 = divmod(((day.year * 12 + day.month - 1) // months + offset) * months, 12)
        if not 1 <= year <= 9999:
            return 0 if year < 1 else MAX_ORDINAL + 1
        first = date(year, month0 + 1, 1).toordinal()
    return max(0, min(first, MAX_ORDINAL + 1))


def unit_start(unit: CalendarUnit, offset: int, now: int, zone: str) -> int:
    """Return the first instant of the calendar unit that lies `offset` units from the one of `now`."""
    return day_start(unit_day(unit, offset, civil_day(now, zone)), zone)


# ---------------------------------------------------------------------------- windows


@attrs.frozen
class Edge:
    """A bound of a relative window: now moved by `duration` in the direction `sign`, plus `plus`.

    `plus` is 1 where the contract's bound is `<=` or, at the start, `<`: then the bound itself
    is inside, or outside, and the half-open one is a microsecond (or a day) further.
    """

    duration: Duration | int
    sign: int
    plus: int


def edges(window: Relative) -> tuple[Edge | None, Edge | None]:
    """Return the start and end of a relative window; the one place that says what its forms mean."""
    length, now = window.duration, Edge(0, 1, 1)
    match window.form:
        case "more than ago":
            return None, Edge(length, -1, 0)
        case "at least ago":
            return None, Edge(length, -1, 1)
        case "last":
            return Edge(length, -1, 1), now
        case "between ago":
            return Edge(window.second or length, -1, 1), Edge(length, -1, 1)
        case "next":
            return now, Edge(length, 1, 1)
        case "more than from now":
            return Edge(length, 1, 1), None
        case "at least from now":
            return Edge(length, 1, 0), None
        case _:
            assert_never(window.form)


def window_bounds(window: Relative | Calendar, now: int, zone: str) -> Bounds:
    """Return the bounds of a window of instants at `now`; the window's own zone goes before `zone`."""
    zone = window.zone or zone
    match window:
        case Relative():
            start, end = (None if edge is None else edge_at(edge, now, zone) for edge in edges(window))
        case Calendar(unit, first, last):
            start, end = unit_start(unit, first, now, zone), unit_start(unit, last + 1, now, zone)
        case _:
            assert_never(window)
    return _open(start, end, MIN_INSTANT, MAX_INSTANT)


def counts_days(window: Relative | Calendar) -> bool:
    """Return whether the window's lengths are whole days or months, so that it can hold dates."""
    if isinstance(window, Calendar):
        return True
    return not (window.duration.micros % DAY or (window.second is not None and window.second.micros % DAY))


def day_bounds(window: Relative | Calendar, today: int) -> Bounds:
    """Return the bounds of a window of dates, as ordinals, on the day `today`.

    The forms mean the same as for instants, with days for microseconds and today for now. A
    length that is no whole number of days holds no date.
    """
    if not counts_days(window):
        return 1, 1
    match window:
        case Relative():
            start, end = (None if edge is None else edge_on(edge, today) for edge in edges(window))
        case Calendar(unit, first, last):
            start, end = unit_day(unit, first, today), unit_day(unit, last + 1, today)
        case _:
            assert_never(window)
    return _open(start, end, 1, MAX_ORDINAL)


def has_anniversary(day: int, window: Relative | Calendar, today: int) -> bool:
    """Return whether an anniversary of a date lies in a window of dates, on the day `today`."""
    start, end = day_bounds(window, today)
    return next_anniversary(day, 1 if start is None else start) < (MAX_ORDINAL + 1 if end is None else end)


def next_anniversary(day: int, start: int) -> int:
    """Return the first anniversary of a date on or after the day `start`, or `MAX_ORDINAL + 1`.

    Each year has one, whether it lies before or after the date itself; the one of 29 February
    is 1 March in common years.
    """
    start = max(1, start)
    if start > MAX_ORDINAL:
        return MAX_ORDINAL + 1
    first, original = date.fromordinal(start).year, date.fromordinal(day)
    for year in range(first, min(first + 1, 9999) + 1):
        if (original.month, original.day) == (2, 29) and monthrange(year, 2)[1] == 28:
            anniversary = date(year, 3, 1)
        else:
            anniversary = original.replace(year=year)
        if anniversary.toordinal() >= start:
            return anniversary.toordinal()
    return MAX_ORDINAL + 1


def edge_at(edge: Edge, now: int, zone: str) -> int:
    """Return where the edge is at `now`, out of the range of instants too."""
    return moved(now, edge.duration, edge.sign, zone) + edge.plus


def edge_on(edge: Edge, today: int) -> int:
    """Return where the edge, a whole number of days or months away, is for dates on the day `today`, as an ordinal."""
    found = moved_date(today, edge.duration, edge.sign)
    assert found is not None  # `counts_days` was asked
    return found + edge.plus


def _open(start: int | None, end: int | None, least: int, greatest: int) -> Bounds:
    return (
        None if start is None or start <= least else start,
        None if end is None or end > greatest else end,
    )

"""Windows seen from the fixed value: from when until when `now` keeps it inside.

A window is a stretch of values that moves with `now`. Turned around, a value that stands
still is inside from one instant on until another: its stay. `last_visit in the last 40
days` is true from `last_visit` on until 40 days after it. The two ends are the only
instants at which time alone can change the answer, so they are the deadlines.

Windows of months have no such stay: `now - 1 month` goes back when `now` passes from
30 to 31 March, so a value may leave and come back. `straight_piece` serves those: it says
how far around an instant a calendar step is a plain addition.
"""

from __future__ import annotations

from typing import TypeAlias, assert_never

from segmentkit.dsl import _calendar
from segmentkit.dsl.predicates import Calendar, Duration, Relative

__all__ = ["Stay", "day_stay", "has_stay", "stay", "straight_piece"]

Stay: TypeAlias = tuple[int, int]
"""`start <= now < end`; nothing is outside `MIN_INSTANT` and `MAX_INSTANT`, and an empty stay never begins."""

_MARGIN = 3 * _calendar.HOUR


def has_stay(window: Relative | Calendar) -> bool:
    """Return whether the window keeps a fixed value for one stretch of time: not if it counts months."""
    if isinstance(window, Calendar):
        return True
    return not (window.duration.months or (window.second is not None and window.second.months))


def stay(window: Relative | Calendar, at: int, zone: str) -> Stay:
    """Return for which instants `now` the instant `at` lies in the window, which has to have a stay."""
    zone = window.zone or zone
    match window:
        case Relative():
            begin, end = _turned(window, at, 1)
            return _calendar.MIN_INSTANT if begin is None else begin, _calendar.MAX_INSTANT + 1 if end is None else end
        case Calendar(unit, first, last):
            return _calendar.unit_start(unit, -last, at, zone), _calendar.unit_start(unit, 1 - first, at, zone)
        case _:
            assert_never(window)


def day_stay(window: Relative | Calendar, day: int, zone: str) -> Stay:
    """Return for which instants `now` the date `day` lies in the window, which has to have a stay."""
    zone = window.zone or zone
    if not _calendar.counts_days(window):
        return 0, 0
    match window:
        case Relative():
            begin, end = _turned(window, day, _calendar.DAY)
        case Calendar(unit, first, last):
            begin, end = _calendar.unit_day(unit, -last, day), _calendar.unit_day(unit, 1 - first, day)
        case _:
            assert_never(window)
    return (
        _calendar.day_start(0 if begin is None else begin, zone),
        _calendar.day_start(_calendar.MAX_ORDINAL + 1 if end is None else end, zone),
    )


def _turned(window: Relative, x: int, unit: int) -> _calendar.Bounds:
    """Return the stay of `x`, in units of so many microseconds.

    `x` is on the near side of the edge `now + length + plus` as long as `now < x - length - plus + 1`.
    """
    start, end = (
        None if edge is None else x - edge.sign * _micros(edge.duration) // unit - edge.plus + 1
        for edge in _calendar.edges(window)
    )
    return end, start


def _micros(duration: Duration | int) -> int:
    return duration if isinstance(duration, int) else duration.micros


def straight_piece(at: int, duration: Duration, sign: int, zone: str) -> tuple[int, int, int]:
    """Return `(low, high, slope)`: for u in `[low, high)`, which holds `at`, `shift(u)` is straight.

    Its slope there is 1, or 0 while all of it falls into one gap. A piece is a local day, cut
    where clocks change on that day or on the day it is moved to.
    """
    offset = _calendar.offset_at(at, zone)
    low = at - (at + offset) % _calendar.DAY
    high = low + _calendar.DAY
    target_wall = _calendar.moved(low + offset, duration, sign, "UTC")
    ahead = target_wall - (low + offset)  # how far a wall time of this day is moved
    source = _calendar.transition_between(low - _MARGIN, high + _MARGIN, zone)
    first, last = (_calendar.instant_of(wall, zone) for wall in (target_wall, target_wall + _calendar.DAY))
    target = _calendar.transition_between(first - _MARGIN, last + _MARGIN, zone)
    if source is None and target is None:
        return low, high, 1
    offsets, walls = _sides(source, zone), {low + offset, high + offset}
    if target is not None:
        walls |= {target + there - ahead for there in _sides(target, zone)}
    cuts = {wall - here for wall in walls for here in offsets | {offset}}
    if source is not None:
        cuts.add(source)
    low, high = max(cut for cut in cuts if cut <= at), min(cut for cut in cuts if cut > at)
    if at + 1 == high:
        return low, high, 1
    return low, high, _calendar.moved(at + 1, duration, sign, zone) - _calendar.moved(at, duration, sign, zone)


def _sides(transition: int | None, zone: str) -> set[int]:
    """Return the offsets just before and after a transition."""
    return set() if transition is None else {_calendar.offset_at(at, zone) for at in (transition - 1, transition)}

"""Values as straight lines in time: how each goes on while nothing but time happens.

For a while every value is a straight line: attributes stand still, `now` rises by a
microsecond each microsecond, `today` by a day each day, `now - signup` as `now` does, and
`now - 1 month` too, until the end of the local day, where it may bend. Here lines are made
out of other lines; `_horizon` walks the tree and asks where they cross.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import attrs

from segmentkit import values as _values
from segmentkit.dsl import _calendar, _operations, _stays
from segmentkit.dsl.evaluate import EventFact, Facts
from segmentkit.dsl.predicates import (
    Arithmetic,
    Calendar,
    CalendarUnit,
    Call,
    Duration,
    Literal,
    Now,
    Relative,
    Today,
    Value,
)

__all__ = [
    "NEVER",
    "Line",
    "Scene",
    "against",
    "anniversary_change",
    "arithmetic_line",
    "bound_lines",
    "call_line",
    "civil_line",
    "coalesced",
    "holds",
    "leaves",
    "meeting",
    "next_step",
    "today_line",
]

NEVER: Final = _calendar.MAX_INSTANT + 1
"""An instant that no clock reaches."""
_BEND: Final = 5 * _calendar.DAY
"""Farther than this from the nominal instant, the bends of a month step do not matter."""
_PART_UNITS: Final[dict[str, CalendarUnit]] = {"year": "year", "month": "month"}


@attrs.frozen
class Scene:
    """The arguments of an evaluation."""

    facts: Facts
    now: int
    zone: str
    event: EventFact | None = None

    def in_zone(self, zone: str | None) -> Scene:
        """Return the scene in a zone of its own, if the node names one."""
        return self if zone is None else attrs.evolve(self, zone=zone)

    def of(self, other: Facts) -> Scene:
        """Return the scene of another object."""
        return attrs.evolve(self, facts=other, event=None)

    def at(self, now: int) -> Scene:
        """Return the scene at another instant."""
        return attrs.evolve(self, now=now)


@attrs.frozen
class Line:
    """A value that is straight in time from now to `until`.

    `slope` is in microseconds for each microsecond for instants and durations, in days for
    each civil day for dates, and 0 for all else. `moves` if it depends on the clock itself.
    """

    value: Any
    until: int = NEVER
    slope: int = 0
    moves: bool = False


def next_step(value: Value, scene: Scene) -> int:
    """Return the next instant at which a rising value has another value."""
    return _calendar.unit_start("day", 1, scene.now, scene.zone) if value.type.kind == "date" else scene.now + 1


# -------------------------------------------------------------------------- crossings


def civil_line(kind: str, line: Line, scene: Scene) -> Line:
    """Return the line of the civil day that an instant belongs to; a date's line is that already."""
    if kind == "date" or line.value is None:
        return line
    day = _calendar.civil_day(line.value, scene.zone)
    low, high = _calendar.day_start(day, scene.zone), _calendar.day_start(day + 1, scene.zone)
    return Line(day, min(line.until, leaves(line, low, high, scene)), moves=line.moves)


def meeting(operator: str, a: Line, b: Line, days: bool, scene: Scene) -> int:
    """Return when the comparison of two known lines flips, or where one of them ends."""
    until = min(a.until, b.until)
    if isinstance(a.value, Duration) or isinstance(b.value, Duration):
        return until  # a calendar length compares with nothing
    steps = _first_flip(operator, a.value - b.value, a.slope - b.slope)
    return until if steps is None else min(until, _after(steps, days, scene))


def _after(steps: int, days: bool, scene: Scene) -> int:
    """Return the instant that many days, or microseconds, from now."""
    if not days:
        return scene.now + steps
    return _calendar.day_start(_calendar.civil_day(scene.now, scene.zone) + steps, scene.zone)


def _first_flip(operator: str, difference: int, slope: int) -> int | None:
    """Return the least n >= 1 for which `difference + n * slope` compares with 0 otherwise than `difference`."""
    if not slope:
        return None
    meets, rest = divmod(-difference, slope)
    truth = holds(operator, difference)
    candidates = (meets + 1,) if rest else (meets, meets + 1)
    return next((n for n in candidates if n >= 1 and holds(operator, difference + n * slope) != truth), None)


def holds(operator: str, difference: int) -> bool:
    """Return whether a difference compares with 0."""
    return _operations.compare(operator, difference, _values.instant, 0, _values.instant, zone="UTC")


def leaves(line: Line, low: int, high: int, scene: Scene) -> int:
    """Return when a line in microseconds is no longer, or is for the first time, in `low <= x < high`."""
    flips = (_first_flip(">=", line.value - low, line.slope), _first_flip("<", line.value - high, line.slope))
    return min((scene.now + n for n in flips if n is not None), default=NEVER)


# ----------------------------------------------------------------------------- values


def today_line(days: int, scene: Scene) -> Line:
    """Return the line of today, moved by days: one day a day, while there is such a date."""
    day = _calendar.civil_day(scene.now, scene.zone) + days
    begins, ends = (_calendar.day_start(limit - days, scene.zone) for limit in (1, _calendar.MAX_ORDINAL + 1))
    if _calendar.existing_day(day) is None:
        return Line(None, begins if scene.now < begins else NEVER, moves=True)
    return Line(day, ends, slope=1, moves=True)


def coalesced(lines: Iterable[Line]) -> Line:
    """Return the first line with a value, up to where it or one before it ends."""
    until, moves = NEVER, False
    for line in lines:
        until, moves = min(until, line.until), moves or line.moves
        if line.value is not None:
            return attrs.evolve(line, until=until, moves=moves)
    return Line(None, until, moves=moves)


def arithmetic_line(node: Arithmetic, a: Line, b: Line, scene: Scene) -> Line:
    """Return the line of `a operator b`; instants and durations add up, and their slopes with them."""
    until, moves = min(a.until, b.until), a.moves or b.moves
    if a.value is None or b.value is None:
        return Line(None, until, moves=moves)
    left, right = node.left.type, node.right.type
    known = _operations.arithmetic(node.operator, a.value, left, b.value, right, zone=scene.zone)
    line = Line(known, until, moves=moves)
    if not (a.slope or b.slope):
        return line
    sign = -1 if node.operator == "-" else 1
    if "date" in (left.kind, right.kind):
        return _moving_date(node, line, a, b, scene)
    if node.type.kind == "instant" and isinstance(b.value, Duration):
        return _moving_month_step(line, a, b.value, sign, scene)
    if isinstance(a.value, Duration) or isinstance(b.value, Duration):
        return line  # a calendar length and an exact one: missing for ever
    straight = attrs.evolve(line, value=a.value + sign * b.value, slope=a.slope + sign * b.slope)
    if node.type.kind == "duration":
        return straight
    limit = leaves(straight, _calendar.MIN_INSTANT, NEVER, scene)
    slope = 0 if known is None else straight.slope
    return Line(known, min(until, limit), slope, moves=True)


def _moving_date(node: Arithmetic, line: Line, date: Line, length: Line, scene: Scene) -> Line:
    """Return the line of arithmetic with a date: it goes on by days where whole days move it."""
    if node.type.kind == "date" and line.value is not None and not (length.slope or isinstance(length.value, Duration)):
        ends = _after(_calendar.MAX_ORDINAL + 1 - line.value, True, scene)
        return attrs.evolve(line, until=min(line.until, ends), slope=date.slope)
    return attrs.evolve(line, until=min(line.until, _calendar.unit_start("day", 1, scene.now, scene.zone)))


def _moving_month_step(line: Line, instant: Line, length: Duration, sign: int, scene: Scene) -> Line:
    """Return the line of a moving instant moved by months: straight for about a day."""
    low, high, slope = _stays.straight_piece(instant.value, length, sign, scene.zone)
    straight = Line(_calendar.moved(instant.value, length, sign, scene.zone), slope=slope * instant.slope)
    until = min(line.until, leaves(instant, low, high, scene), leaves(straight, _calendar.MIN_INSTANT, NEVER, scene))
    return attrs.evolve(line, until=until, slope=0 if line.value is None else straight.slope)


def call_line(node: Call, line: Line, scene: Scene) -> Line:
    """Return the line of a function of one argument: level until the argument reaches its next unit."""
    if line.value is None:
        return attrs.evolve(line, slope=0)
    function, argument = node.function, node.arguments[0]
    known = Line(_operations.call(function, line.value, argument.type, scene.zone), line.until, moves=line.moves)
    if not line.slope:
        return known
    unit = _PART_UNITS.get(function, "day")
    if argument.type.kind == "date":
        ends = _after(_calendar.unit_day(unit, 1, line.value) - line.value, True, scene)
    elif function == "hour":
        ends = leaves(line, *_hour_around(line.value, scene.zone), scene)
    elif argument.type.kind == "instant":
        low, high = (_calendar.unit_start(unit, offset, line.value, scene.zone) for offset in (0, 1))
        ends = leaves(line, low, high, scene)
    else:
        ends = scene.now + 1
    return attrs.evolve(known, until=min(known.until, ends))


def _hour_around(at: int, zone: str) -> tuple[int, int]:
    """Return bounds within which local clocks show the same hour as at an instant."""
    low = at - (at + _calendar.offset_at(at, zone)) % _calendar.HOUR
    high = low + _calendar.HOUR
    change = _calendar.transition_between(low, high, zone)
    if change is None:
        return low, high
    return (low, change) if at < change else (change, high)


# ---------------------------------------------------------------------------- windows


def bound_lines(window: Relative | Calendar, x: Line, days: bool, scene: Scene) -> Sequence[Line | None]:
    """Return the lines of the window's start and end, for a value whose line is `x`."""
    if isinstance(window, Relative):
        return [None if edge is None else _edge_line(edge, x, days, scene) for edge in _calendar.edges(window)]
    today = _calendar.civil_day(scene.now, scene.zone)
    firsts = [_calendar.unit_day(window.unit, offset, today) for offset in (window.first, window.last + 1)]
    until = _calendar.unit_start(window.unit, 1, scene.now, scene.zone)
    return [Line(first if days else _calendar.day_start(first, scene.zone), until, moves=True) for first in firsts]


def _edge_line(edge: _calendar.Edge, x: Line, days: bool, scene: Scene) -> Line:
    """Return the line of an edge, as far as comparing with `x` goes."""
    now, zone, duration = scene.now, scene.zone, edge.duration
    today = _calendar.civil_day(now, zone)
    if isinstance(duration, int) or not duration.months:
        length = duration if isinstance(duration, int) else duration.micros
        base, unit = (today, _calendar.DAY) if days else (now, 1)
        return Line(base + edge.sign * (length // unit) + edge.plus, slope=1, moves=True)
    if not x.moves:
        straight = _straightened(edge, x.value, days, scene)
        if straight is not None:
            return straight
    if days:
        return Line(_calendar.edge_on(edge, today), _calendar.day_start(today + 1, zone), moves=True)
    _, high, slope = _stays.straight_piece(now, duration, edge.sign, zone)
    return Line(_calendar.edge_at(edge, now, zone), high, slope, moves=True)


def _straightened(edge: _calendar.Edge, x: int, days: bool, scene: Scene) -> Line | None:
    """Return a straight line that is before and after a fixed `x` when the edge of months is, or None.

    A month step bends only where months end and clocks change, and there by a few days. If it
    meets `x` anywhere else, it meets it once, and the line through that point does as well.
    If it meets `x` at a bend, it still stays on one side of it until it comes near.
    """
    now = _calendar.civil_day(scene.now, scene.zone) if days else scene.now
    target = x - edge.plus
    if days:
        meets = _calendar.moved_date(target, edge.duration, -edge.sign)
        assert meets is not None  # months have no part of a day
    else:
        meets = _calendar.moved(target, edge.duration, -edge.sign, scene.zone)
    near = _BEND // _calendar.DAY if days else _BEND
    if _is_smooth(target, days, scene.zone) and _is_smooth(meets, days, scene.zone):
        return Line(now + target - meets + edge.plus, slope=1, moves=True)
    if now > meets + near:
        return Line(x + 1, moves=True)
    return Line(x - 1, _after(meets - near - now, days, scene), moves=True) if now < meets - near else None


def _is_smooth(x: int, days: bool, zone: str) -> bool:
    """Return whether a date, or an instant, is far enough from ends of months and changes of offset."""
    if days:
        fields = _calendar.calendar_fields(x)
        return fields is not None and 2 <= fields[2] <= 27
    two_days = 2 * _calendar.DAY
    return _calendar.transition_between(x - two_days, x + two_days, zone) is None and _is_smooth(
        _calendar.civil_day(x, zone), True, zone
    )


def against(value: Value, line: Line, other: Line, days: bool, scene: Scene) -> Line:
    """Return a line that compares with `other` as `line` does; straight for `now - 1 month` and its like."""
    match value:
        case Arithmetic(operator, Now() | Today(0), Literal(Duration() as length)) if length.months:
            sign = -1 if operator == "-" else 1
        case _:
            return line
    if line.value is None or other.value is None or other.moves or days != (value.left.type.kind == "date"):
        return line
    straight = _edge_line(_calendar.Edge(length, sign, 0), other, days, scene)
    last = _calendar.shift(_calendar.MAX_INSTANT, length, -1, scene.zone) if sign > 0 else NEVER
    until = min(straight.until, NEVER if last is None else last - _BEND)  # then it becomes missing
    return attrs.evolve(straight, until=until) if until > scene.now else line


# ---------------------------------------------------------------------- anniversaries


def anniversary_change(kind: str, x: Line, window: Relative | Calendar, scene: Scene) -> int:
    """Return when an anniversary of a date, or of an instant's civil day, may enter or leave the window.

    The bounds of a window of days never go back. So of all anniversaries only the first one that is
    not before the window matters: when it is inside, until the window begins after it; when it
    is not, until the window reaches it.
    """
    if x.value is None:
        return NEVER
    if x.moves:
        return scene.now + 1
    today = _calendar.civil_day(scene.now, scene.zone)
    start, _ = _bounds_on(window, today)
    coming = _calendar.next_anniversary(x.value if kind == "date" else _calendar.civil_day(x.value, scene.zone), start)

    def place(day: int) -> tuple[bool, bool]:
        begin, end = _bounds_on(window, day)
        return begin <= coming, coming < end

    here = place(today)
    return _calendar.day_start(_first_day(lambda day: place(day) != here, today), scene.zone)


def _bounds_on(window: Relative | Calendar, today: int) -> tuple[int, int]:
    start, end = _calendar.day_bounds(window, today)
    return 1 if start is None else start, _calendar.MAX_ORDINAL + 1 if end is None else end


def _first_day(is_past: Callable[[int], bool], today: int) -> int:
    """Return the first day after today that is past something, where all days after such a day are."""
    step = 1
    while today + step <= _calendar.MAX_ORDINAL and not is_past(today + step):
        step *= 2
    low, high = today + step // 2, min(today + step, _calendar.MAX_ORDINAL + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_past(middle) else (middle, high)
    return high

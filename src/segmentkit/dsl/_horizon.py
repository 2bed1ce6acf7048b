"""When time alone may change an answer: the next instant worth looking at again.

The idea: for a while, every value is a straight line in time. Attributes stand still, `now`
rises by a microsecond each microsecond, `now - signup` rises with it, a count stands still
until an event enters or leaves its window. `_line` gives the line of a value and the
instant up to which it holds; where two lines cross, a comparison may flip.

`_outlook` gives a predicate's truth now and the instant up to which it surely stays. Of a
conjunction that is false, one false part that stays false is enough, so it looks as far as
the farthest of them.

Never later than the first change; for windows of exact lengths, calendar windows and
comparisons with `now` it is that change itself. NEVER is an instant no clock reaches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias, assert_never

import attrs

from segmentkit import schema as _schema
from segmentkit.dsl import _calendar, _stays, evaluate as _evaluate
from segmentkit.dsl.evaluate import EventFact, Facts
from segmentkit.dsl.predicates import (
    Absolute,
    Aggregate,
    And,
    Arithmetic,
    AtLeast,
    Attribute,
    Between,
    Calendar,
    CalendarUnit,
    Call,
    Compare,
    Constant,
    Duration,
    In,
    InBox,
    InWindow,
    IsEmpty,
    IsMissing,
    IsTrue,
    Literal,
    Negate,
    Not,
    Now,
    Or,
    Predicate,
    Property,
    Relative,
    SetTest,
    TextTest,
    Today,
    Value,
    Window,
    Within,
)

__all__ = ["next_change"]

NEVER: Final = _calendar.MAX_INSTANT + 1
_STEPS: Final = 64
"""How many pieces of a bent line a comparison follows before it settles for a look in between."""
_BEND: Final = 5 * _calendar.DAY
"""Farther than this from the nominal instant, the bends of a month step do not matter."""

_PART_UNITS: Final[dict[str, CalendarUnit]] = {"year": "year", "month": "month"}

Outlook: TypeAlias = tuple[bool, int]
"""Truth now, and an instant not after the first at which it may differ."""


def next_change(node: Predicate | Value, facts: Facts, now: int, zone: str) -> int | None:
    """Return an instant after `now` up to which time alone changes nothing, or None for ever.

    Before that instant, `evaluate` (or `value_of`) gives what it gives at `now`, as long as
    the facts stay. There something may change, but need not.

    Cost:
        As one evaluation; twice for each event with a window or bracket of its own.
    """
    scene = _Scene(facts, now, zone)
    if isinstance(node, Value):
        line = _line(node, scene)
        change = line.until if not line.slope else min(line.until, _next_step(node, scene))
    else:
        _, change = _outlook(node, scene)
    return None if change >= NEVER else change


@attrs.frozen
class _Scene:
    """The arguments of an evaluation."""

    facts: Facts
    now: int
    zone: str
    event: EventFact | None = None

    def in_zone(self, zone: str | None) -> _Scene:
        return self if zone is None else attrs.evolve(self, zone=zone)

    def at(self, now: int) -> _Scene:
        return attrs.evolve(self, now=now)


@attrs.frozen
class _Line:
    """A value that is straight in time from now to `until`.

    `slope` is in microseconds for each microsecond for instants and durations, in days for
    each civil day for dates, and 0 for all else. `moves` if it depends on the clock itself.
    """

    value: Any
    until: int = NEVER
    slope: int = 0
    moves: bool = False


def _next_step(value: Value, scene: _Scene) -> int:
    """Return the next instant at which a rising value has another value."""
    return _calendar.unit_start("day", 1, scene.now, scene.zone) if value.type.kind == "date" else scene.now + 1


# ------------------------------------------------------------------------- predicates


def _outlook(predicate: Predicate, scene: _Scene) -> Outlook:
    match predicate:
        case Constant(truth):
            return truth, NEVER
        case And(items):
            return _at_least(len(items), [_outlook(item, scene) for item in items])
        case Or(items):
            return _at_least(1, [_outlook(item, scene) for item in items])
        case AtLeast(count, items):
            return _at_least(count, [_outlook(item, scene) for item in items])
        case Not(item):
            truth, change = _outlook(item, scene)
            return not truth, change
        case Compare(operator, left, right):
            return _compare(operator, left, right, scene.in_zone(predicate.zone), predicate.ignoring_case)
        case Between(value, low, high):
            scene = scene.in_zone(predicate.zone)
            return _at_least(2, [_compare("<=", low, value, scene), _compare("<=", value, high, scene)])
        case In(value, options, ignoring_case):
            line = _line(value, scene)
            if not line.slope:
                return _truth(predicate, scene), line.until
            return _at_least(1, [_compare("=", value, option, scene, ignoring_case) for option in options])
        case IsMissing(value) | IsTrue(value) | IsEmpty(value):
            return _truth(predicate, scene), _line(value, scene).until
        case TextTest(_, value) | SetTest(_, value) | Within(value) | InBox(value):
            return _truth(predicate, scene), _line(value, scene).until
        case InWindow(value, window):
            return _in_window(value, window, scene.in_zone(window.zone))
        case _:
            assert_never(predicate)


def _truth(predicate: Predicate, scene: _Scene) -> bool:
    return _evaluate.evaluate(predicate, scene.facts, scene.now, scene.zone, scene.event)


def _at_least(count: int, outlooks: Sequence[Outlook]) -> Outlook:
    """Return the outlook of "at least `count` of these"; all of them is And, one is Or.

    It stays true while `count` of its true parts do, and false while enough false ones do.
    """
    truth = sum(part for part, _ in outlooks) >= count
    needed = count if truth else len(outlooks) - count + 1
    if needed <= 0:
        return truth, NEVER
    changes = sorted((change for part, change in outlooks if part == truth), reverse=True)
    return truth, changes[needed - 1]


def _follow(step: Callable[[_Scene], Outlook], scene: _Scene) -> Outlook:
    """Return the outlook over the pieces that `step` sees one at a time, up to a number of them."""
    truth, change = step(scene)
    for _ in range(_STEPS):
        if change >= NEVER:
            break
        found, further = step(scene.at(change))
        if found != truth:
            break
        change = further
    return truth, change


def _compare(operator: str, left: Value, right: Value, scene: _Scene, ignoring_case: bool = False) -> Outlook:
    def step(scene: _Scene) -> Outlook:
        a, b = _line(left, scene), _line(right, scene)
        truth = _evaluate.compare(
            operator, a.value, left.type, b.value, right.type, zone=scene.zone, ignoring_case=ignoring_case
        )
        days = "date" in (left.type.kind, right.type.kind)
        if days:
            a, b = _civil(left.type.kind, a, scene), _civil(right.type.kind, b, scene)
        if a.slope == b.slope or a.value is None or b.value is None:
            return truth, min(a.until, b.until)
        return truth, _meeting(operator, a, b, days, scene)

    moves = _line(left, scene).moves or _line(right, scene).moves
    return _follow(step, scene) if moves else step(scene)


def _civil(kind: str, line: _Line, scene: _Scene) -> _Line:
    """Return the line of the civil day that an instant belongs to; a date's line is that already."""
    if kind == "date" or line.value is None:
        return line
    day = _calendar.civil_day(line.value, scene.zone)
    low, high = _calendar.day_start(day, scene.zone), _calendar.day_start(day + 1, scene.zone)
    return _Line(day, min(line.until, _leaves(line, low, high, scene)), moves=line.moves)


def _meeting(operator: str, a: _Line, b: _Line, days: bool, scene: _Scene) -> int:
    """Return when the comparison of two known lines flips, or where one of them ends."""
    until = min(a.until, b.until)
    if isinstance(a.value, Duration) or isinstance(b.value, Duration):
        return until  # a calendar length compares with nothing
    steps = _first_flip(operator, a.value - b.value, a.slope - b.slope)
    return until if steps is None else min(until, _after(steps, days, scene))


def _after(steps: int, days: bool, scene: _Scene) -> int:
    """Return the instant that many days, or microseconds, from now."""
    if not days:
        return scene.now + steps
    return _calendar.day_start(_calendar.civil_day(scene.now, scene.zone) + steps, scene.zone)


def _first_flip(operator: str, difference: int, slope: int) -> int | None:
    """Return the least n >= 1 for which `difference + n * slope` compares with 0 otherwise than `difference`."""
    if not slope:
        return None
    meets, rest = divmod(-difference, slope)
    truth = _holds(operator, difference)
    candidates = (meets + 1,) if rest else (meets, meets + 1)
    return next((n for n in candidates if n >= 1 and _holds(operator, difference + n * slope) != truth), None)


def _holds(operator: str, difference: int) -> bool:
    return _evaluate.compare(operator, difference, _schema.instant, 0, _schema.instant, zone="UTC")


def _leaves(line: _Line, low: int, high: int, scene: _Scene) -> int:
    """Return when a line in microseconds is no longer, or is for the first time, in `low <= x < high`."""
    flips = (_first_flip(">=", line.value - low, line.slope), _first_flip("<", line.value - high, line.slope))
    return min((scene.now + n for n in flips if n is not None), default=NEVER)


# ---------------------------------------------------------------------------- windows


def _in_window(value: Value, window: Relative | Calendar, scene: _Scene) -> Outlook:
    days = value.type.kind == "date"
    x = _line(value, scene)
    if x.value is None:
        return False, x.until
    if not x.moves and _stays.has_stay(window):
        begin, end = (_stays.day_stay if days else _stays.stay)(window, x.value, scene.zone)
        truth = begin <= scene.now < end
        return truth, min(x.until, end if truth else begin if scene.now < begin < end else NEVER)

    def step(scene: _Scene) -> Outlook:
        x = _line(value, scene)
        start, end = _bound_lines(window, x, days, scene)
        parts = [(op, bound) for op, bound in ((">=", start), ("<", end)) if bound is not None]
        if x.value is None:
            return False, x.until
        return _at_least(
            len(parts), [(_holds(op, x.value - y.value), _meeting(op, x, y, days, scene)) for op, y in parts]
        )

    return _follow(step, scene)


def _bound_lines(window: Relative | Calendar, x: _Line, days: bool, scene: _Scene) -> Sequence[_Line | None]:
    """Return the lines of the window's start and end, for a value whose line is `x`."""
    if isinstance(window, Relative):
        return [None if edge is None else _edge_line(edge, x, days, scene) for edge in _calendar.edges(window)]
    today = _calendar.civil_day(scene.now, scene.zone)
    firsts = [_calendar.unit_day(window.unit, offset, today) for offset in (window.first, window.last + 1)]
    until = _calendar.unit_start(window.unit, 1, scene.now, scene.zone)
    return [_Line(first if days else _calendar.day_start(first, scene.zone), until, moves=True) for first in firsts]


def _edge_line(edge: _calendar.Edge, x: _Line, days: bool, scene: _Scene) -> _Line:
    now, zone, duration = scene.now, scene.zone, edge.duration
    today = _calendar.civil_day(now, zone)
    place = _calendar.edge_on(edge, today) if days else _calendar.edge_at(edge, now, zone)
    tomorrow = _calendar.day_start(today + 1, zone)
    if isinstance(duration, int) or not duration.months:
        length = duration if isinstance(duration, int) else duration.micros
        base, unit = (today, _calendar.DAY) if days else (now, 1)
        if length % unit:
            return _Line(place, tomorrow, moves=True)
        return _Line(base + edge.sign * (length // unit) + edge.plus, slope=1, moves=True)
    if not x.moves:
        far = _far_from_bends(edge, x.value, days, scene)
        if far is not None:
            return _Line(place, far, moves=True)
    if days:
        return _Line(place, tomorrow, moves=True)
    _, high, slope = _stays.straight_piece(now, duration, edge.sign, zone)
    return _Line(place, high, slope, moves=True)


def _far_from_bends(edge: _calendar.Edge, x: int, days: bool, scene: _Scene) -> int | None:
    """Return up to when the edge is surely on the same side of a fixed `x`, or None if it comes near.

    A month step bends only by a few days around the instant at which it nominally meets `x`.
    """
    if days:
        met = _calendar.shift_date(x, edge.duration, -edge.sign)
        meets = None if met is None else _calendar.day_start(met, scene.zone)
    else:
        meets = _calendar.shift(x, edge.duration, -edge.sign, scene.zone)
    if meets is None or scene.now > meets + _BEND:
        return NEVER
    return meets - _BEND if scene.now < meets - _BEND else None


# ----------------------------------------------------------------------------- values


def _line(value: Value, scene: _Scene) -> _Line:
    match value:
        case Now():
            return _Line(scene.now, slope=1, moves=True)
        case Today(days):
            return _today(days, scene)
        case Literal(Duration() as length):
            return _Line(length if length.months else length.micros)
        case Literal() | Attribute() | Property():
            return _Line(_evaluate.value_of(value, scene.facts, scene.now, scene.zone, scene.event))
        case Negate(operand):
            line = _line(operand, scene)
            return attrs.evolve(line, value=_evaluate.negative(line.value), slope=-line.slope)
        case Arithmetic(_, left, right):
            return _arithmetic(value, _line(left, scene), _line(right, scene), scene)
        case Call("coalesce", arguments):
            return _coalesced(_line(argument, scene) for argument in arguments)
        case Call(_, arguments):
            return _called(value, _line(arguments[0], scene), scene)
        case Aggregate():
            known = _evaluate.value_of(value, scene.facts, scene.now, scene.zone)
            return _Line(known, _events_change(value, scene))
        case _:
            assert_never(value)


def _today(days: int, scene: _Scene) -> _Line:
    day = _calendar.civil_day(scene.now, scene.zone) + days
    begins, ends = (_calendar.day_start(limit - days, scene.zone) for limit in (1, _calendar.MAX_ORDINAL + 1))
    if _calendar.existing_day(day) is None:
        return _Line(None, begins if scene.now < begins else NEVER, moves=True)
    return _Line(day, ends, slope=1, moves=True)


def _coalesced(lines: Iterable[_Line]) -> _Line:
    until, moves = NEVER, False
    for line in lines:
        until, moves = min(until, line.until), moves or line.moves
        if line.value is not None:
            return attrs.evolve(line, until=until, moves=moves)
    return _Line(None, until, moves=moves)


def _arithmetic(node: Arithmetic, a: _Line, b: _Line, scene: _Scene) -> _Line:
    until, moves = min(a.until, b.until), a.moves or b.moves
    if a.value is None or b.value is None:
        return _Line(None, until, moves=moves)
    left, right = node.left.type, node.right.type
    known = _evaluate.arithmetic(node.operator, a.value, left, b.value, right, zone=scene.zone)
    line = _Line(known, until, moves=moves)
    if not (a.slope or b.slope):
        return line
    sign = -1 if node.operator == "-" else 1
    if "date" in (left.kind, right.kind):
        return _moving_date(node, line, a, b, scene)
    if isinstance(a.value, Duration) or isinstance(b.value, Duration):
        return _moving_month_step(node, line, a, b, scene)
    straight = attrs.evolve(line, value=a.value + sign * b.value, slope=a.slope + sign * b.slope)
    if node.type.kind == "duration":
        return straight
    limit = _leaves(straight, _calendar.MIN_INSTANT, NEVER, scene)
    slope = 0 if known is None else straight.slope
    return _Line(known, min(until, limit), slope, moves=True)


def _moving_date(node: Arithmetic, line: _Line, a: _Line, b: _Line, scene: _Scene) -> _Line:
    """Return the line of arithmetic with a date: it goes on by whole days where it can."""
    date, length = (a, b) if node.left.type.kind == "date" else (b, a)
    tomorrow = _calendar.unit_start("day", 1, scene.now, scene.zone)
    if node.type.kind == "date" and length.slope:  # known only while the length is a whole number of days
        low = length.value - length.value % _calendar.DAY
        whole = low == length.value
        again = _leaves(length, low + (not whole), low + (1 if whole else _calendar.DAY), scene)
        return attrs.evolve(line, until=min(line.until, again, tomorrow if date.slope else NEVER))
    if node.type.kind == "date" and line.value is not None and not isinstance(length.value, Duration):
        ends = _after(_calendar.MAX_ORDINAL + 1 - line.value, True, scene)
        return attrs.evolve(line, until=min(line.until, ends), slope=date.slope)
    return attrs.evolve(line, until=min(line.until, tomorrow))


def _moving_month_step(node: Arithmetic, line: _Line, a: _Line, b: _Line, scene: _Scene) -> _Line:
    """Return the line of a moving instant moved by months: straight for about a day."""
    instant, length = (a, b) if node.left.type.kind == "instant" else (b, a)
    if node.type.kind != "instant":
        return line  # a calendar length and an exact one: missing for ever
    sign = -1 if node.operator == "-" else 1
    low, high, slope = _stays.straight_piece(instant.value, length.value, sign, scene.zone)
    line = attrs.evolve(line, until=min(line.until, _leaves(instant, low, high, scene)))
    if line.value is None:
        return line
    straight = attrs.evolve(line, slope=slope * instant.slope)
    return attrs.evolve(straight, until=min(line.until, _leaves(straight, _calendar.MIN_INSTANT, NEVER, scene)))


def _called(node: Call, line: _Line, scene: _Scene) -> _Line:
    if line.value is None:
        return attrs.evolve(line, slope=0)
    function, argument = node.function, node.arguments[0]
    known = _Line(_evaluate.call(function, line.value, argument.type, scene.zone), line.until, moves=line.moves)
    if not line.slope:
        return known
    unit = _PART_UNITS.get(function, "day")
    if argument.type.kind == "date":
        ends = _after(_calendar.unit_day(unit, 1, line.value) - line.value, True, scene)
    elif function == "hour":
        ends = _leaves(line, *_hour_around(line.value, scene.zone), scene)
    elif argument.type.kind == "instant":
        low, high = (_calendar.unit_start(unit, offset, line.value, scene.zone) for offset in (0, 1))
        ends = _leaves(line, low, high, scene)
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


# ----------------------------------------------------------------------------- events


def _events_change(node: Aggregate, scene: _Scene) -> int:
    """Return when the first event joins or leaves the ones that the aggregate is over."""
    events = scene.facts.events(node.events.name)
    return min((_event_outlook(node, attrs.evolve(scene, event=event), event)[1] for event in events), default=NEVER)


def _event_outlook(node: Aggregate, scene: _Scene, event: EventFact) -> Outlook:
    """Return the outlook of: it has happened, lies in the window, and passes the bracket."""
    parts = [(True, NEVER) if event.at <= scene.now else (False, event.at)]
    if node.events.window is not None:
        parts.append(_window_outlook(event.at, node.events.window, scene.in_zone(node.events.window.zone)))
    if node.events.where is not None:
        parts.append(_outlook(node.events.where, scene))
    return _at_least(len(parts), parts)


def _window_outlook(at: int, window: Window, scene: _Scene) -> Outlook:
    instant = Literal(at, _schema.instant)
    if not isinstance(window, Absolute):
        return _in_window(instant, window, scene)
    outside_event = attrs.evolve(scene, event=None)
    parts = []
    if window.start is not None:
        parts.append(_compare(">" if window.after else ">=", instant, window.start, outside_event))
    if window.end is not None:
        parts.append(_compare("<=" if window.until else "<", instant, window.end, outside_event))
    return _at_least(len(parts), parts)

"""When time alone may change an answer: the next instant worth looking at again.

The idea: for a while, every value is a straight line in time (`_lines`). A count stands
still until an event enters or leaves its window. `_line` gives the line of a value and
the instant up to which it holds; where two lines cross, a comparison may flip.

`_outlook` gives a predicate's truth now and the instant up to which it surely stays. Of a
conjunction that is false, one false part that stays false is enough, so it looks as far as
the farthest of them.

A node that reaches other objects changes when the first of them does. What a segment or a rank
answers is not foreseen here, only kept: whoever knows the segment, or everybody's value, tells.

Never later than the first change; for windows of exact lengths, calendar windows and
comparisons with `now` it is that change itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, assert_never

import attrs

from segmentkit import values as _values
from segmentkit.dsl import _calendar, _chains, _numbers, _operations, _stays, evaluate as _evaluate
from segmentkit.dsl._lines import (
    NEVER,
    Line,
    Scene,
    against,
    anniversary_change,
    arithmetic_line,
    bound_lines,
    call_line,
    civil_line,
    coalesced,
    holds,
    meeting,
    next_step,
    today_line,
)
from segmentkit.dsl.evaluate import EventFact, Facts
from segmentkit.dsl.predicates import (
    Absolute,
    Aggregate,
    And,
    Anniversary,
    AnyRelated,
    Arithmetic,
    AtLeast,
    Attribute,
    Between,
    Calendar,
    Call,
    Chain,
    Compare,
    Constant,
    Crossing,
    Duration,
    Events,
    In,
    InBox,
    InPolygon,
    InSegment,
    InWindow,
    IsEmpty,
    IsMissing,
    IsTrue,
    Literal,
    Matches,
    Negate,
    Not,
    Now,
    OneRelated,
    Or,
    Path,
    Predicate,
    Property,
    Rank,
    Related,
    RelatedAggregate,
    Relative,
    Sample,
    SetTest,
    TextTest,
    Today,
    Value,
    Window,
    Within,
)

__all__ = ["next_change"]

_STEPS: Final = 64
"""How many pieces of a bent line a comparison follows before it settles for a look in between."""

Outlook: TypeAlias = tuple[bool, int]
"""Truth now, and an instant not after the first at which it may differ."""


def next_change(node: Predicate | Value, facts: Facts, now: int, zone: str) -> int | None:
    """Return an instant after `now` up to which time alone changes nothing, or None for ever.

    Before that instant, `evaluate` (or `value_of`) gives what it gives at `now`, as long as
    the facts stay, those of related objects included, and the members of segments and the order
    of ranks with them. There something may change, but need not.

    Cost:
        As one evaluation; twice for each event with a window or bracket of its own.
    """
    scene = Scene(facts, now, zone)
    if isinstance(node, Value):
        line = _line(node, scene)
        change = line.until if not line.slope else min(line.until, next_step(node, scene))
    else:
        _, change = _outlook(node, scene)
    return None if change >= NEVER else change


# ------------------------------------------------------------------------- predicates


def _outlook(predicate: Predicate, scene: Scene) -> Outlook:  # noqa: C901  # one arm for each node
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
        case TextTest(_, value) | Matches(value) | SetTest(_, value) | Within(value) | InBox(value) | InPolygon(value):
            return _truth(predicate, scene), _line(value, scene).until
        case Chain():
            return _chain(predicate, scene.in_zone(predicate.zone))
        case Anniversary(value, window):
            line = _line(value, scene.in_zone(window.zone))
            change = anniversary_change(value.type.kind, line, window, scene.in_zone(window.zone))
            return _truth(predicate, scene), min(line.until, change)
        case InWindow(value, window):
            return _in_window(value, window, scene.in_zone(window.zone))
        case OneRelated(relation, where):
            other = scene.facts.related_one(relation)
            return (False, NEVER) if other is None else _outlook(where, scene.of(other))
        case AnyRelated(related):
            outlooks = [outlook for _, outlook in _related_outlooks(related, scene)]
            return _at_least(1, outlooks)
        case InSegment() | Rank():
            return _truth(predicate, scene), NEVER
        case Crossing(direction, segment, window):
            return _crossing(direction, segment, window, scene)
        case _:
            assert_never(predicate)


def _truth(predicate: Predicate, scene: Scene) -> bool:
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


def _follow(step: Callable[[Scene], Outlook], scene: Scene) -> Outlook:
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


def _line_at(value: Value, scene: Scene) -> Callable[[Scene], Line]:
    """Return what gives the line of a value at later and later instants; one that stands still is kept."""
    latest = _line(value, scene)

    def line_at(later: Scene) -> Line:
        nonlocal latest
        if latest.moves or later.now >= latest.until:
            latest = _line(value, later)
        return latest

    return line_at


def _compare(operator: str, left: Value, right: Value, scene: Scene, ignoring_case: bool = False) -> Outlook:
    left_at, right_at = _line_at(left, scene), _line_at(right, scene)
    days = "date" in (left.type.kind, right.type.kind)

    def step(scene: Scene) -> Outlook:
        a, b = left_at(scene), right_at(scene)
        truth = _operations.compare(
            operator, a.value, left.type, b.value, right.type, zone=scene.zone, ignoring_case=ignoring_case
        )
        if days:
            a, b = civil_line(left.type.kind, a, scene), civil_line(right.type.kind, b, scene)
        a, b = against(left, a, b, days, scene), against(right, b, a, days, scene)
        if a.slope == b.slope or a.value is None or b.value is None:
            return truth, min(a.until, b.until)
        return truth, meeting(operator, a, b, days, scene)

    moves = left_at(scene).moves or right_at(scene).moves
    return _follow(step, scene) if moves else step(scene)


# ---------------------------------------------------------------------------- windows


def _in_window(value: Value, window: Relative | Calendar, scene: Scene) -> Outlook:
    days = value.type.kind == "date"
    line_at = _line_at(value, scene)
    x = line_at(scene)
    if days and not _calendar.counts_days(window):
        return False, NEVER
    if not x.moves and _stays.has_stay(window):
        return _outlook_of_stay(x, window, days, scene)

    def step(scene: Scene) -> Outlook:
        x = line_at(scene)
        if x.value is None:
            return False, x.until
        start, end = bound_lines(window, x, days, scene)
        sides = [(op, bound) for op, bound in ((">=", start), ("<", end)) if bound is not None]
        return _at_least(
            len(sides), [(holds(op, x.value - y.value), meeting(op, x, y, days, scene)) for op, y in sides]
        )

    return _follow(step, scene)


def _outlook_of_stay(x: Line, window: Relative | Calendar, days: bool, scene: Scene) -> Outlook:
    if x.value is None:
        return False, x.until
    begin, end = (_stays.day_stay if days else _stays.stay)(window, x.value, scene.zone)
    if begin <= scene.now < end:
        return True, min(x.until, end)
    return False, min(x.until, begin if scene.now < begin < end else NEVER)


# ----------------------------------------------------------------------------- values


def _line(value: Value, scene: Scene) -> Line:
    match value:
        case Now():
            return Line(scene.now, slope=1, moves=True)
        case Today(days):
            return today_line(days, scene)
        case Literal(Duration() as length):
            return Line(length if length.months else length.micros)
        case Literal() | Attribute() | Property() | Sample():
            return Line(_evaluate.value_of(value, scene.facts, scene.now, scene.zone, scene.event))
        case Negate(operand):
            line = _line(operand, scene)
            return attrs.evolve(line, value=None if line.value is None else _numbers.negative(line.value))
        case Arithmetic(_, left, right):
            return arithmetic_line(value, _line(left, scene), _line(right, scene), scene)
        case Call("coalesce", arguments):
            return coalesced(_line(argument, scene) for argument in arguments)
        case Call(_, arguments):
            return call_line(value, _line(arguments[0], scene), scene)
        case Aggregate():
            known = _evaluate.value_of(value, scene.facts, scene.now, scene.zone)
            return Line(known, _events_change(value, scene))
        case Path(relation, further):
            other = scene.facts.related_one(relation)
            known = _evaluate.value_of(value, scene.facts, scene.now, scene.zone)
            return Line(known, NEVER if other is None else _line(further, scene.of(other)).until)
        case RelatedAggregate(_, related, taken):
            known = _evaluate.value_of(value, scene.facts, scene.now, scene.zone)
            return Line(known, _related_change(related, taken, scene))
        case _:
            assert_never(value)


# ----------------------------------------------------------------------------- events


def _events_change(node: Aggregate, scene: Scene) -> int:
    """Return when the first event joins or leaves the ones that the aggregate is over."""
    events, until = _settled(node.events, scene)
    return min([until, *(_event_outlook(events, scene, event)[1] for event in scene.facts.events(events.name))])


def _chain(chain: Chain, scene: Scene) -> Outlook:
    """Return the outlook of a chain: until an event joins or leaves a step, or a gap is over."""
    change, instants = NEVER, []
    for step in chain.events:
        events, until = _settled(step, scene)
        outlooks = [(event.at, _event_outlook(events, scene, event)) for event in scene.facts.events(events.name)]
        change = min(change, until, *(further for _, (_, further) in outlooks))
        instants.append([at for at, (counts, _) in outlooks if counts])
    truth = _chains.holds(chain, instants, scene.now, scene.zone)
    return truth, min(change, _chains.next_deadline(chain, instants, scene.now, scene.zone))


def _settled(events: Events, scene: Scene) -> tuple[Events, int]:
    """Return the events with bounds that stand still as constants, and the instant up to which they do.

    A bound such as `last(visit)` is worked out once, and not for each of the events.
    """
    window = events.window
    if not isinstance(window, Absolute):
        return events, NEVER
    until, bounds = NEVER, []
    for bound in (window.start, window.end):
        line = None if bound is None else _line(bound, scene.in_zone(window.zone))
        if bound is None or line is None or line.slope or line.moves:
            bounds.append(bound)
        else:
            until = min(until, line.until)
            bounds.append(Literal(line.value, bound.type))
    return attrs.evolve(events, window=attrs.evolve(window, start=bounds[0], end=bounds[1])), until


def _event_outlook(events: Events, scene: Scene, event: EventFact) -> Outlook:
    """Return the outlook of: it has happened, lies in the window, and passes the bracket."""
    parts = [(True, NEVER) if event.at <= scene.now else (False, event.at)]
    if events.window is not None:
        parts.append(_window_outlook(event.at, events.window, scene.in_zone(events.window.zone)))
    if events.where is not None:
        parts.append(_outlook(events.where, attrs.evolve(scene, event=event)))
    return _at_least(len(parts), parts)


def _window_outlook(at: int, window: Window, scene: Scene) -> Outlook:
    instant = Literal(at, _values.instant)
    if not isinstance(window, Absolute):
        stays = _stays.has_stay(window)
        return _outlook_of_stay(Line(at), window, False, scene) if stays else _in_window(instant, window, scene)
    outside_event = attrs.evolve(scene, event=None)
    parts = []
    if window.start is not None:
        parts.append(_compare(">" if window.after else ">=", instant, window.start, outside_event))
    if window.end is not None:
        parts.append(_compare("<=" if window.until else "<", instant, window.end, outside_event))
    return _at_least(len(parts), parts)


# -------------------------------------------------------- related objects and segments


def _related_outlooks(related: Related, scene: Scene) -> list[tuple[Scene, Outlook]]:
    """Return the scene of each related object, and its outlook on passing the bracket."""
    scenes = [scene.of(other) for other in scene.facts.related_many(related.relation)]
    where = related.where
    return [(there, (True, NEVER) if where is None else _outlook(where, there)) for there in scenes]


def _related_change(related: Related, taken: Value | None, scene: Scene) -> int:
    """Return when the first object joins or leaves those of the aggregate, or the value of one that is in changes."""
    change = NEVER
    for there, (passes, further) in _related_outlooks(related, scene):
        change = min(change, further)
        if passes and taken is not None:
            change = min(change, _line(taken, there).until)
    return change


def _crossing(direction: str, segment: str, window: Window | None, scene: Scene) -> Outlook:
    """Return the outlook of: some entry into the segment, or exit from it, lies in the window."""
    instants = _evaluate.crossings(direction, scene.facts.stays(segment))
    outlooks = []
    for at in instants:
        parts = [(True, NEVER) if at <= scene.now else (False, at)]
        if window is not None:
            parts.append(_window_outlook(at, window, scene.in_zone(window.zone)))
        outlooks.append(_at_least(len(parts), parts))
    return _at_least(1, outlooks)

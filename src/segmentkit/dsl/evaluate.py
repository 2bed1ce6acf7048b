"""What the language means: is a predicate true, and what is a value, for given facts at `now`.

Everything else that answers such a question (the index, the bulk path, a compiler) has to
give the same answer as this module. So it is written to be read, not to be fast.

A value is in the plain form of `segmentkit.values`, or None when it is missing. Predicates
are two-valued: whatever is asked of a missing value is false, and `Not` turns it around.

The zone of a condition, or of a window, holds for everything inside it; otherwise the
zone of the caller does. An event's bracket has the zone of the condition around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

from segmentkit.dsl import _calendar, _chains, _geo, _numbers, _operations, _rank, _regex, _sample
from segmentkit.dsl._facts import Alone, DictFacts, EventFact, Facts, Stay
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
from segmentkit.values import ValueType

__all__ = ["Alone", "DictFacts", "EventFact", "Facts", "Stay", "evaluate", "value_of"]


# ------------------------------------------------------------------------- predicates


def evaluate(  # noqa: C901, PLR0915  # one arm for each node
    predicate: Predicate, facts: Facts, now: int, zone: str, event: EventFact | None = None
) -> bool:
    """Return whether the predicate holds for the facts at `now`.

    Args:
        predicate: a checked tree, at most as deep as the language allows.
        facts: of one object.
        now: microseconds since 1970 UTC.
        zone: IANA name, for conditions that name none.
        event: the event at hand, inside event brackets.
    """
    match predicate:
        case Constant(value):
            return value
        case And(items):
            return all(evaluate(item, facts, now, zone, event) for item in items)
        case Or(items):
            return any(evaluate(item, facts, now, zone, event) for item in items)
        case Not(item):
            return not evaluate(item, facts, now, zone, event)
        case AtLeast(count, items):
            return sum(evaluate(item, facts, now, zone, event) for item in items) >= count
        case Compare(operator, left, right, ignoring_case):
            zone = predicate.zone or zone
            a, b = value_of(left, facts, now, zone, event), value_of(right, facts, now, zone, event)
            return _operations.compare(operator, a, left.type, b, right.type, zone=zone, ignoring_case=ignoring_case)
        case Between(value, low, high):
            zone = predicate.zone or zone
            x = value_of(value, facts, now, zone, event)
            a, b = value_of(low, facts, now, zone, event), value_of(high, facts, now, zone, event)
            above = _operations.compare("<=", a, low.type, x, value.type, zone=zone)
            return above and _operations.compare("<=", x, value.type, b, high.type, zone=zone)
        case In(value, options, ignoring_case):
            x = value_of(value, facts, now, zone, event)
            return any(
                _operations.compare(
                    "=", x, value.type, option.value, option.type, zone=zone, ignoring_case=ignoring_case
                )
                for option in options
            )
        case IsMissing(value):
            return value_of(value, facts, now, zone, event) is None
        case IsTrue(value):
            return value_of(value, facts, now, zone, event) is True
        case TextTest(test, value, patterns, ignoring_case):
            text = value_of(value, facts, now, zone, event)
            return text is not None and _operations.text_test(test, text, patterns, ignoring_case)
        case Matches(value, pattern, ignoring_case):
            text = value_of(value, facts, now, zone, event)
            return text is not None and _regex.is_found(pattern, ignoring_case, text)
        case SetTest(quantifier, value, members, ignoring_case):
            return _operations.set_test(quantifier, value_of(value, facts, now, zone, event), members, ignoring_case)
        case IsEmpty(value):
            return not value_of(value, facts, now, zone, event)
        case Within(value, _, _, centre):
            point = value_of(value, facts, now, zone, event)
            return point is not None and _geo.distance_metres(point, centre) <= predicate.metres
        case InBox(value, south, west, north, east):
            point = value_of(value, facts, now, zone, event)
            return point is not None and _geo.in_box(point, south, west, north, east)
        case InPolygon(value, corners):
            point = value_of(value, facts, now, zone, event)
            return point is not None and _geo.in_polygon(point, corners)
        case Chain():
            zone = predicate.zone or zone
            instants = [[found.at for found in _matching(step, facts, now, zone)] for step in predicate.events]
            return _chains.holds(predicate, instants, now, zone)
        case Anniversary(value, window):
            zone = window.zone or zone
            x = value_of(value, facts, now, zone, event)
            if x is None:
                return False
            day = x if value.type.kind == "date" else _calendar.civil_day(x, zone)
            return _calendar.has_anniversary(day, window, _calendar.civil_day(now, zone))
        case InWindow(value, window):
            zone = window.zone or zone
            x = value_of(value, facts, now, zone, event)
            if value.type.kind == "date":
                return _inside(x, _calendar.day_bounds(window, _calendar.civil_day(now, zone)))
            return _inside(x, _calendar.window_bounds(window, now, zone))
        case OneRelated(relation, where):
            other = facts.related_one(relation)
            return other is not None and evaluate(where, other, now, zone)
        case AnyRelated(related):
            return bool(_related(related, facts, now, zone))
        case InSegment(segment):
            return facts.in_segment(segment, now)
        case Crossing():
            return _has_crossed(predicate, facts, now, zone)
        case Rank():
            return _is_ranked(predicate, facts, now, predicate.zone or zone)
        case _:
            assert_never(predicate)


def _inside(x: int | None, bounds: _calendar.Bounds) -> bool:
    start, end = bounds
    return x is not None and (start is None or start <= x) and (end is None or x < end)


# ----------------------------------------------------------------------------- values


def value_of(  # noqa: C901  # one arm for each node
    value: Value, facts: Facts, now: int, zone: str, event: EventFact | None = None
) -> Any:
    """Return the plain value for the facts at `now`, or None if it is missing; arguments as `evaluate`."""
    match value:
        case Literal(constant):
            return constant
        case Now():
            return now
        case Today(days):
            return _calendar.existing_day(_calendar.civil_day(now, zone) + days)
        case Attribute(name, value_type):
            return _or_empty(facts.attribute(name), value_type)
        case Property(name, value_type):
            return _or_empty(None if event is None else event.properties.get(name), value_type)
        case Sample(salt):
            return _sample.sample(salt, facts.object_id)
        case Arithmetic(operator, left, right):
            a, b = value_of(left, facts, now, zone, event), value_of(right, facts, now, zone, event)
            if a is None or b is None:
                return None
            return _operations.arithmetic(operator, a, left.type, b, right.type, zone=zone)
        case Negate(operand):
            x = value_of(operand, facts, now, zone, event)
            return None if x is None else _numbers.negative(x)
        case Call("coalesce", arguments):
            known = (value_of(argument, facts, now, zone, event) for argument in arguments)
            return next((x for x in known if x is not None), None)
        case Call(function, arguments):
            x = value_of(arguments[0], facts, now, zone, event)
            return None if x is None else _operations.call(function, x, arguments[0].type, zone)
        case Aggregate(_, events):
            return _or_empty(aggregate(value, _matching(events, facts, now, zone), zone), value.type)
        case Path(relation, further):
            other = facts.related_one(relation)
            return _or_empty(None if other is None else value_of(further, other, now, zone), value.type)
        case RelatedAggregate(function, related, taken):
            others = _related(related, facts, now, zone)
            if taken is None:
                return len(others)
            read = [value_of(taken, other, now, zone) for other in others]
            return _operations.combine(function, [x for x in read if x is not None], taken.type)
        case _:
            assert_never(value)


def _or_empty(value: Any, value_type: ValueType) -> Any:
    return frozenset() if value is None and value_type.kind == "text_set" else value


# ----------------------------------------------------------------------------- events


def _matching(events: Events, facts: Facts, now: int, zone: str) -> list[EventFact]:
    """Return the events that have happened, lie in the window and pass the bracket, by (at, id)."""
    start, end = window_bounds(events.window, facts, now, zone)
    return [
        event
        for event in facts.events(events.name)
        if event.at <= now
        and (start is None or start <= event.at)
        and (end is None or event.at < end)
        and (events.where is None or evaluate(events.where, facts, now, zone, event))
    ]


def window_bounds(window: Window | None, facts: Facts, now: int, zone: str) -> _calendar.Bounds:
    """Return the half-open bounds of an event window; one with a missing bound holds nothing."""
    match window:
        case None:
            return None, None
        case Relative() | Calendar():
            return _calendar.window_bounds(window, now, zone)
        case Absolute(start, end, after, until):
            zone = window.zone or zone
            low = None if start is None else _bound(start, after, facts, now, zone)
            high = None if end is None else _bound(end, until, facts, now, zone)
            missing = (start is not None and low is None) or (end is not None and high is None)
            return (0, 0) if missing else (low, high)
        case _:
            assert_never(window)


def _bound(bound: Value, past: bool, facts: Facts, now: int, zone: str) -> int | None:
    """Return the first instant of a bound, or if `past` the first one after it."""
    x = value_of(bound, facts, now, zone)
    if x is None:
        return None
    return _calendar.day_start(x + past, zone) if bound.type.kind == "date" else int(x + past)


def aggregate(node: Aggregate, matching: Sequence[EventFact], zone: str) -> Any:
    """Return the aggregate's value over its matching events, given by (at, id)."""
    window = node.events.window
    zone = (window and window.zone) or zone
    function, wanted = node.function, node.property
    if function == "count":
        return len(matching)
    if function == "days":
        return len({_calendar.civil_day(event.at, zone) for event in matching})
    if wanted is None:
        values: list[Any] = [event.at for event in matching]
    else:
        read = (_or_empty(event.properties.get(wanted.name), wanted.type) for event in matching)
        values = [x for x in read if x is not None]
    return _operations.combine(function, values, wanted.type if wanted else None)


# ------------------------------------------------------- related objects, segments, ranks


def _related(related: Related, facts: Facts, now: int, zone: str) -> list[Facts]:
    """Return the related objects that pass the bracket, by id."""
    return [
        other
        for other in facts.related_many(related.relation)
        if related.where is None or evaluate(related.where, other, now, zone)
    ]


def _has_crossed(crossing: Crossing, facts: Facts, now: int, zone: str) -> bool:
    """Return whether the object entered, or left, the segment in the window."""
    bounds = window_bounds(crossing.window, facts, now, zone)
    instants = crossings(crossing.direction, facts.stays(crossing.segment))
    return any(at <= now and _inside(at, bounds) for at in instants)


def crossings(direction: str, stays: Sequence[Stay]) -> list[int]:
    """Return the instants at which an object entered, or left, a segment."""
    if direction == "entered":
        return [entered for entered, _ in stays]
    return [left for _, left in stays if left is not None]


def _is_ranked(rank: Rank, facts: Facts, now: int, zone: str) -> bool:
    """Return whether the object is among the first, by ranking everybody."""
    found = [_entry(rank, other, now, zone) for other in facts.population()]
    entries = [entry for entry in found if entry is not None]
    own = next((entry for entry in entries if entry.id == facts.object_id), None)
    return own is not None and _rank.is_among_first(rank, own, entries, zone)


def _entry(rank: Rank, facts: Facts, now: int, zone: str) -> _rank.Entry | None:
    """Return what an object is ranked by, or None if it is not."""
    if rank.of is not None and not evaluate(rank.of, facts, now, zone):
        return None
    by = value_of(rank.by, facts, now, zone)
    per = None if rank.per is None else value_of(rank.per, facts, now, zone)
    return None if by is None or (rank.per is not None and per is None) else _rank.Entry(facts.object_id, by, per)

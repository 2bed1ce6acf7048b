"""What the language means: is a predicate true, and what is a value, for given facts at `now`.

Everything else that answers such a question (the index, the bulk path, a compiler) has to
give the same answer as this module. So it is written to be read, not to be fast.

A value is in the plain form of `segmentkit.schema`, or None when it is missing. Predicates
are two-valued: whatever is asked of a missing value is false, and `Not` turns it around.

The zone of a condition, or of a window, holds for everything inside it; otherwise the
zone of the caller does. An event's bracket has the zone of the condition around it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, assert_never

import attrs

from segmentkit.dsl import _calendar, _geo, _numbers
from segmentkit.dsl.predicates import (
    Absolute,
    Aggregate,
    And,
    Arithmetic,
    AtLeast,
    Attribute,
    Between,
    Calendar,
    Call,
    Compare,
    Constant,
    Duration,
    Events,
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
from segmentkit.schema import ValueType

__all__ = ["DictFacts", "EventFact", "Facts", "evaluate", "value_of"]


@attrs.frozen
class EventFact:
    """One event of an object: when it happened, its id, and its known properties."""

    at: int
    id: str
    properties: Mapping[str, Any]


class Facts(Protocol):
    """What is known about one object."""

    def attribute(self, name: str) -> Any:
        """Return the plain value of an attribute, or None."""

    def events(self, name: str) -> Sequence[EventFact]:
        """Return the object's events of one name by (at, id), those of the future included."""


@attrs.frozen
class DictFacts:
    """Facts in two dictionaries. Events may be listed in any order."""

    attributes: Mapping[str, Any] = attrs.field(factory=dict)
    events_by_name: Mapping[str, Sequence[EventFact]] = attrs.field(factory=dict)

    def attribute(self, name: str) -> Any:
        """Return the plain value of an attribute, or None."""
        return self.attributes.get(name)

    def events(self, name: str) -> Sequence[EventFact]:
        """Return the object's events of one name by (at, id)."""
        return sorted(self.events_by_name.get(name, ()), key=lambda event: (event.at, event.id))


# ------------------------------------------------------------------------- predicates


def evaluate(  # noqa: C901  # one arm for each node
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
            return compare(operator, a, left.type, b, right.type, zone=zone, ignoring_case=ignoring_case)
        case Between(value, low, high):
            zone = predicate.zone or zone
            x = value_of(value, facts, now, zone, event)
            a, b = value_of(low, facts, now, zone, event), value_of(high, facts, now, zone, event)
            above = compare("<=", a, low.type, x, value.type, zone=zone)
            return above and compare("<=", x, value.type, b, high.type, zone=zone)
        case In(value, options, ignoring_case):
            x = value_of(value, facts, now, zone, event)
            return any(
                compare("=", x, value.type, option.value, option.type, zone=zone, ignoring_case=ignoring_case)
                for option in options
            )
        case IsMissing(value):
            return value_of(value, facts, now, zone, event) is None
        case IsTrue(value):
            return value_of(value, facts, now, zone, event) is True
        case TextTest(test, value, patterns, ignoring_case):
            text = value_of(value, facts, now, zone, event)
            return text is not None and text_test(test, text, patterns, ignoring_case)
        case SetTest(quantifier, value, members, ignoring_case):
            return set_test(quantifier, value_of(value, facts, now, zone, event), members, ignoring_case)
        case IsEmpty(value):
            return not value_of(value, facts, now, zone, event)
        case Within(value, _, _, centre):
            point = value_of(value, facts, now, zone, event)
            return point is not None and _geo.distance_metres(point, centre) <= predicate.metres
        case InBox(value, south, west, north, east):
            point = value_of(value, facts, now, zone, event)
            return point is not None and _geo.in_box(point, south, west, north, east)
        case InWindow(value, window):
            zone = window.zone or zone
            x = value_of(value, facts, now, zone, event)
            if value.type.kind == "date":
                return _inside(x, _calendar.day_bounds(window, _calendar.civil_day(now, zone)))
            return _inside(x, _calendar.window_bounds(window, now, zone))
        case _:
            assert_never(predicate)


def compare(
    operator: str,
    left: Any,
    left_type: ValueType,
    right: Any,
    right_type: ValueType,
    *,
    zone: str,
    ignoring_case: bool = False,
) -> bool:
    """Return whether both plain values are known and the comparison holds.

    An instant against a date is its civil day in the zone against that date: before the
    day's first instant is `<`, from the next day's first instant on is `>`.
    """
    if left is None or right is None:
        return False
    if left_type.kind == "instant" and right_type.kind == "date":
        left = _calendar.civil_day(left, zone)
    elif left_type.kind == "date" and right_type.kind == "instant":
        right = _calendar.civil_day(right, zone)
    elif left_type.is_numeric:
        left, right = _numbers.compare(left, right), 0
    elif left_type.kind == "duration":
        left, right = _length(left), _length(right)
        if left is None or right is None:
            return False
    elif ignoring_case:
        left, right = _casefold(left), _casefold(right)
    match operator:
        case "=":
            return bool(left == right)
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
        case ">=":
            return bool(left >= right)
        case _:
            raise AssertionError(f"no comparison operator {operator!r}")


def _length(duration: int | Duration) -> int | None:
    """Return the microseconds of a duration value; a calendar length has no fixed number of them."""
    if isinstance(duration, Duration):
        return None if duration.months else duration.micros
    return duration


def _casefold(value: str | frozenset[str]) -> str | frozenset[str]:
    return value.casefold() if isinstance(value, str) else frozenset(member.casefold() for member in value)


def text_test(test: str, text: str, patterns: Sequence[str], ignoring_case: bool) -> bool:
    """Return whether a known text passes the test with any of the patterns."""
    if ignoring_case:
        text, patterns = text.casefold(), tuple(pattern.casefold() for pattern in patterns)
    match test:
        case "contains":
            return any(pattern in text for pattern in patterns)
        case "starts with":
            return text.startswith(tuple(patterns))
        case "ends with":
            return text.endswith(tuple(patterns))
        case _:
            raise AssertionError(f"no text test {test!r}")


def set_test(quantifier: str, members: frozenset[str], wanted: Sequence[str], ignoring_case: bool) -> bool:
    """Return whether the set has any, or all, of the wanted members."""
    if ignoring_case:
        members, wanted = frozenset(m.casefold() for m in members), [w.casefold() for w in wanted]
    return (any if quantifier == "any" else all)(member in members for member in wanted)


def _inside(x: int | None, bounds: _calendar.Bounds) -> bool:
    start, end = bounds
    return x is not None and (start is None or start <= x) and (end is None or x < end)


# ----------------------------------------------------------------------------- values


def value_of(value: Value, facts: Facts, now: int, zone: str, event: EventFact | None = None) -> Any:
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
        case Arithmetic(operator, left, right):
            a, b = value_of(left, facts, now, zone, event), value_of(right, facts, now, zone, event)
            return None if a is None or b is None else arithmetic(operator, a, left.type, b, right.type, zone=zone)
        case Negate(operand):
            return negative(value_of(operand, facts, now, zone, event))
        case Call("coalesce", arguments):
            known = (value_of(argument, facts, now, zone, event) for argument in arguments)
            return next((x for x in known if x is not None), None)
        case Call(function, arguments):
            x = value_of(arguments[0], facts, now, zone, event)
            return None if x is None else call(function, x, arguments[0].type, zone)
        case Aggregate(_, events):
            return _or_empty(aggregate(value, _matching(events, facts, now, zone), zone), value.type)
        case _:
            assert_never(value)


def _or_empty(value: Any, value_type: ValueType) -> Any:
    return frozenset() if value is None and value_type.kind == "text_set" else value


def arithmetic(operator: str, left: Any, left_type: ValueType, right: Any, right_type: ValueType, *, zone: str) -> Any:
    """Return `left operator right` for known plain values, or None if there is no result."""
    kinds = left_type.kind, right_type.kind
    if left_type.is_numeric and right_type.is_numeric:
        return _numbers.arithmetic(operator, left, right)
    sign = -1 if operator == "-" else 1
    match kinds:
        case "instant", "duration":
            return _calendar.shift(left, right, sign, zone)
        case "duration", "instant":
            return _calendar.shift(right, left, 1, zone)
        case "date", "duration":
            return _calendar.shift_date(left, right, sign)
        case "duration", "date":
            return _calendar.shift_date(right, left, 1)
        case "instant", "instant":
            return left - right
        case "date", "date":
            return (left - right) * _calendar.DAY
        case "duration", "duration":
            return _add_durations(left, right, sign)
        case _:
            raise AssertionError(f"no arithmetic {operator!r} between {left_type!r} and {right_type!r}")


def _add_durations(left: int | Duration, right: int | Duration, sign: int) -> int | Duration | None:
    a, b = _length(left), _length(right)
    if a is not None and b is not None:
        return a + sign * b
    if isinstance(left, Duration) and isinstance(right, Duration) and left.months and right.months:
        return Duration(left.months + sign * right.months, "month")
    return None  # a month and a day have no common measure


def negative(number: Any) -> Any:
    """Return a number or a duration with its sign changed; missing stays missing."""
    if isinstance(number, Duration):
        return Duration(-number.count, number.unit)
    return None if number is None else _numbers.negative(number)


def call(function: str, x: Any, x_type: ValueType, zone: str) -> Any:
    """Return a function of one known plain value; the parts of an instant are those of its civil day."""
    match function:
        case "length" | "size":
            return len(x)
        case "lower":
            return x.lower()
        case "abs":
            return _numbers.absolute(x)
        case "round":
            return _numbers.rounded(x)
        case "hour":
            return _calendar.hour_of(x, zone)
        case "year" | "month" | "day" | "weekday":
            fields = _calendar.calendar_fields(_calendar.civil_day(x, zone) if x_type.kind == "instant" else x)
            return None if fields is None else fields[("year", "month", "day", "weekday").index(function)]
        case _:
            raise AssertionError(f"no function {function!r}")


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
    return combine(function, values, wanted.type if wanted else None)


def combine(function: str, values: Sequence[Any], value_type: ValueType | None) -> Any:
    """Return `function` of the known values of a property, in the order of their events."""
    match function:
        case "sum":
            zero = 0.0 if value_type is not None and value_type.kind == "number" else 0
            return _numbers.total(values) if values else zero
        case "distinct":
            return len(set(values))
        case "avg":
            return _numbers.average(values)
        case "median":
            return _numbers.median(values)
        case "min":
            return min(values, default=None)
        case "max":
            return max(values, default=None)
        case "first":
            return values[0] if values else None
        case "last":
            return values[-1] if values else None
        case _:
            raise AssertionError(f"no aggregate {function!r}")

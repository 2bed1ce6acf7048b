"""Events and windows: `did ...`, aggregates, and the stretches of time behind both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from segmentkit import schema as types
from segmentkit.dsl import _literals
from segmentkit.dsl._check_types import aggregate_type, described
from segmentkit.dsl._check_values import check_amount, check_length, check_value, check_values
from segmentkit.dsl._scope import Scope, bare, name_of, span
from segmentkit.dsl.predicates import (
    Absolute,
    Aggregate,
    Attribute,
    Between,
    Calendar,
    Compare,
    CompareOperator,
    Duration,
    Events,
    Literal,
    Not,
    Predicate,
    Property,
    Relative,
    RelativeForm,
    Span,
    Value,
    Window,
    iter_nodes,
)
from segmentkit.errors import SchemaError
from segmentkit.schema import EventType

if TYPE_CHECKING:
    from lark import Token, Tree

__all__ = ["check_aggregate", "check_did", "check_stretch", "check_zone", "zone_of"]

_COUNTS: dict[str, CompareOperator] = {
    "at least": ">=",
    "at most": "<=",
    "exactly": "=",
    "more than": ">",
    "fewer than": "<",
    "less than": "<",
}
_AGO: dict[str, RelativeForm] = {"more than": "more than ago", "at least": "at least ago", "less than": "last"}
_FROM_NOW: dict[str, RelativeForm] = {
    "more than": "more than from now",
    "at least": "at least from now",
    "less than": "next",
}
_UNITS = {"this_unit": (0, 0), "last_unit": (-1, -1), "next_unit": (1, 1)}
_LATER = {"anchored_later": "windows anchored at an attribute"}


def words_of(tree: Tree[Token]) -> str:
    """Return the keywords of a tree in lower case, such as `at least`."""
    return " ".join(str(word).lower() for word in tree.children)


# ------------------------------------------------------------------------------ zones


def zone_of(parts: Sequence[Any]) -> Tree[Token] | None:
    """Return the zone among the trees behind a condition."""
    return next((part for part in parts if part.data == "zone"), None)


def check_zone(tree: Tree[Token] | None, scope: Scope) -> str | None:
    """Return the name of a zone, or None if there is none or nobody knows it."""
    if tree is None:
        return None
    token: Any = tree.children[0]
    zone = _literals.read_text(str(token))
    try:
        types.check_zone(zone)
    except SchemaError:
        from zoneinfo import available_timezones

        from segmentkit.dsl._scope import nearest

        near = nearest(zone, sorted(available_timezones()))
        hint = f"did you mean '{near}'?" if near else "use an IANA name such as 'Europe/Warsaw'"
        scope.report(token, f"unknown time zone '{zone}'", hint)
        return None
    return zone


# ---------------------------------------------------------------------------- windows


def check_stretch(tree: Tree[Token], zone: str | None, scope: Scope) -> Relative | Calendar | None:
    """Return a window that moves with now, or None after a report."""
    where = span(tree)
    match tree.data:
        case "last" | "next":
            length = check_length(tree.children[0], scope)  # type: ignore[arg-type]
            form: RelativeForm = "last" if tree.data == "last" else "next"
            return None if length is None else Relative(form, length, None, zone, span=where)
        case "ago" | "from_now":
            return _relative(tree, zone, scope)
        case "last_calendar" | "next_calendar":
            count = check_amount(tree.children[0], scope, "a number of calendar units")  # type: ignore[arg-type]
            unit = _calendar_unit(tree.children[1], scope)
            if count == 0:
                scope.report(tree.children[0], "a window has at least one calendar unit")
            if not count or unit is None:
                return None
            first, last = (-count, -1) if tree.data == "last_calendar" else (1, count)
            return Calendar(unit, first, last, zone, span=where)
        case _:
            unit = _calendar_unit(tree.children[0], scope)
            return None if unit is None else Calendar(unit, *_UNITS[tree.data], zone, span=where)


def _calendar_unit(tree: Any, scope: Scope) -> Any:
    unit = words_of(tree).removesuffix("s")
    if unit in ("day", "week", "month", "quarter", "year"):
        return unit
    scope.report(tree, f"'{unit}' is no calendar unit", "use days, weeks, months, quarters or years")
    return None


def _relative(tree: Tree[Token], zone: str | None, scope: Scope) -> Relative | None:
    bound, tail = tree.children
    words, forms = words_of(bound), _AGO if tree.data == "ago" else _FROM_NOW  # type: ignore[arg-type]
    length = check_length(tail, scope)  # type: ignore[arg-type]
    form = forms.get(words)
    if form is None:
        which = "ago" if tree.data == "ago" else "from now"
        hint = f"write 'more than', 'at least' or 'less than ... {which}'"
        scope.report(bound, f"'{words}' does not go with '{which}'", hint)
        return None
    return None if length is None else Relative(form, length, None, zone, span=span(tree))


def check_between_ago(
    first: Tree[Token], second: Tree[Token], where: Span, zone: str | None, scope: Scope
) -> Relative | None:
    """Return the window `between 30 and 60 days ago`; the first unit may be left out."""
    far = _ago_length(second, None, scope)
    near = _ago_length(first, far, scope)
    if far is None or near is None:
        return None
    return Relative("between ago", near, far, zone, span=where)


def _ago_length(tree: Tree[Token], other: Duration | None, scope: Scope) -> Duration | None:
    """Return the duration of one side; a bare number has the unit of the other side."""
    tree = bare(tree)
    value = check_value(tree, scope, types.duration)
    if not isinstance(value, Literal):
        if value is not None:
            scope.report(tree, "expected a length of time, such as '60 days'")
        return None
    if isinstance(value.value, Duration):
        return check_length(tree, scope)
    if value.type.kind == "integer" and value.value >= 0 and other is not None:
        return Duration(value.value, other.unit)
    if value.type.kind != "integer" or value.value < 0 or not isinstance(other, Duration):
        hint = "" if value.type.kind != "integer" else f"say the unit, such as '{value.value} days'"
        scope.report(tree, "expected a length of time, such as '60 days'", hint)
    return None


def _check_window(tree: Tree[Token], zone: str | None, scope: Scope) -> Window | None:
    """Return the window behind an event, or None after a report."""
    where = span(tree)
    match tree.data:
        case "window_today":
            return Calendar("day", 0, 0, zone, span=where)
        case "window_yesterday":
            return Calendar("day", -1, -1, zone, span=where)
        case "window_between_ago":
            first, second = tree.children
            return check_between_ago(first, second, where, zone, scope)  # type: ignore[arg-type]
        case "window_between":
            low, high = (_bound(child, scope) for child in tree.children)
            return None if low is None or high is None else Absolute(low, high, until=True, zone=zone, span=where)
        case "window_on":
            day = _bound(tree.children[0], scope)
            if day is not None and day.type.kind != "date":
                scope.report(tree, "'on' takes a date", "an exact instant is 'between T and T'")
                return None
            return None if day is None else Absolute(day, day, until=True, zone=zone, span=where)
        case "window_bounds":
            return _bounds(tree, zone, scope)
        case data if data in _LATER:
            scope.report(tree, f"{_LATER[data]} are not supported yet")
            return None
        case _:
            return check_stretch(tree, zone, scope)


def _bounds(tree: Tree[Token], zone: str | None, scope: Scope) -> Absolute | None:
    start = end = None
    after = until = failed = False
    for part in tree.children:
        word, operand = part.children  # type: ignore[union-attr]
        value = _bound(operand, scope)
        failed = failed or value is None
        if part.data == "from":  # type: ignore[union-attr]
            start, after = value, str(word).lower() == "after"
        else:
            end, until = value, str(word).lower() == "until"
    return None if failed else Absolute(start, end, after, until, zone, span=span(tree))


def _bound(tree: Any, scope: Scope) -> Value | None:
    value = check_value(tree, scope)
    if value is None:
        return None
    if value.type.kind not in ("instant", "date"):
        scope.report(tree, f"a window begins and ends at an instant or a date, not {described(value)}")
        return None
    if any(isinstance(node, Attribute | Property | Aggregate) for node in iter_nodes(value)):
        hint = "use a fixed instant or date, 'now', 'today' or arithmetic on them"
        scope.report(tree, "windows anchored at an attribute or an event are not supported yet", hint)
        return None
    return value


# ----------------------------------------------------------------------------- events


def _events(
    tree: Tree[Token], window: Window | None, scope: Scope, where: Span | None = None
) -> tuple[Events, EventType] | None:
    """Return the events of `name` or `name[filter]`; other children of the tree are left alone."""
    name_tree: Any = tree.children[0]
    name = name_of(name_tree)
    event = scope.object_type.events.get(name)
    if event is None:
        hint = ""
        if name in scope.object_type.relations:
            hint = f"'{name}' is a relation; conditions on related objects are not supported yet"
        scope.unknown(name_tree, "event", name, f"'{scope.object_type.name}'", scope.object_type.events, hint)
        return None
    inner: Any = tree.children[1] if len(tree.children) > 1 else None
    if inner is None or tree.data == "path":
        return Events(name, None, window, span=where or span(tree)), event
    condition = scope.condition(inner, scope.inside(event))
    return None if condition is None else (Events(name, condition, window, span=where or span(tree)), event)


def _refuse_inside(tree: Tree[Token], scope: Scope) -> bool:
    if scope.event is not None:
        scope.report(tree, "conditions on events cannot stand inside the brackets of an event", "join two conditions")
    return scope.event is not None


def check_did(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `did ...` as a comparison of a count."""
    if _refuse_inside(tree, scope):
        return None
    event_tree: Any = tree.children[0]
    rest: list[Any] = list(tree.children[1:])
    zone_tree = zone_of(rest)
    zone = check_zone(zone_tree, scope)
    counts = [part for part in rest if part.data in ("times", "times_between", "days", "days_between")]
    windows = [part for part in rest if part is not zone_tree and part not in counts]
    window = _check_window(windows[0], zone, scope) if windows else None
    found = _events(event_tree, window, scope)
    by_days = bool(counts) and counts[0].data.startswith("days")
    bounds = _count_bounds(counts[0], scope) if counts else (">=", 1, None)
    if found is None or bounds is None or (windows and window is None) or (zone_tree is not None and zone is None):
        return None
    where = span(tree)
    count = Aggregate("days" if by_days else "count", found[0], None, types.integer, span=where)
    rule_zone = zone if by_days or window is None else None
    operator, low, high = bounds
    limit = Literal(low, types.integer)
    positive: Predicate
    if high is None:
        positive = Compare(operator, count, limit, zone=rule_zone, span=where)
    else:
        positive = Between(count, limit, Literal(high, types.integer), zone=rule_zone, span=where)
    return Not(positive, span=where) if tree.data == "did_not" else positive


def _count_bounds(tree: Tree[Token], scope: Scope) -> tuple[CompareOperator, int, int | None] | None:
    if tree.data in ("times", "days"):
        bound, amount = tree.children
        number = check_amount(amount, scope, "a count")  # type: ignore[arg-type]
        return None if number is None else (_COUNTS[words_of(bound)], number, None)  # type: ignore[arg-type]
    first, second = (bare(child) for child in tree.children)  # type: ignore[arg-type]
    if tree.data == "days_between":
        if second.data != "length" or words_of(second.children[1]) not in ("day", "days"):  # type: ignore[arg-type]
            scope.report(tree, "expected a number of days", "write 'on between 2 and 5 days'")
            return None
        second = second.children[0]  # type: ignore[assignment]
    low, high = _whole(first, scope), _whole(second, scope)
    return None if low is None or high is None else ("=", low, high)


def _whole(tree: Tree[Token], scope: Scope) -> int | None:
    if tree.data in ("number", "parameter"):
        number: int | None = check_amount(tree, scope, "a count")
        return number
    scope.report(tree, "a count is a whole number")
    return None


def check_aggregate(tree: Tree[Token], scope: Scope) -> Value | None:
    """Return an aggregate over events."""
    if _refuse_inside(tree, scope):
        return None
    function: Any = str(tree.children[0]).lower()
    arguments: list[Any] = list(tree.children[1:])
    if len(arguments) != 1:
        hint = f"write '{function}(event ...)' or '{function}(event.property ...)'"
        if function in ("min", "max"):
            hint += "; the smaller of two values is not in the language"
        scope.report(tree, f"'{function}' is taken over the events of one name, got {len(arguments)} arguments", hint)
        return None
    operand, *rest = arguments[0].children
    operand = bare(operand)
    if operand.data not in ("path", "filtered"):
        check_values([operand], scope)
        scope.report(operand, f"'{function}' is taken over events", f"write '{function}(event ...)'")
        return None
    return _aggregate(function, tree, operand, rest, scope)


def _aggregate(function: Any, tree: Tree[Token], operand: Any, rest: list[Any], scope: Scope) -> Value | None:
    zone_tree = zone_of(rest)
    zone = check_zone(zone_tree, scope)
    windows = [part for part in rest if part is not zone_tree]
    window = _check_window(windows[0], zone, scope) if windows else None
    failed = bool(windows) and window is None
    if zone_tree is not None and not windows:
        scope.report(zone_tree, "a zone belongs to a window", "write it behind the comparison")
        failed = True
    found = _events(operand, window, scope, span(operand)[:1] + span(tree.children[-1])[1:])
    if found is None:
        return None
    events, event = found
    names = operand.children[1:] if operand.data == "path" else _path_names(operand)
    if len(names) > 1:
        scope.report(operand, "a property has no parts; a name with a dot stands in backticks")
        return None
    property_name = name_of(names[0]) if names else None
    value_type = None if property_name is None else event.properties.get(property_name)
    if names and value_type is None:
        scope.unknown(names[0], "property", str(property_name), f"event '{event.name}'", event.properties)
        return None
    result, why = aggregate_type(function, value_type)
    if result is None:
        scope.report(tree, *why)
        return None
    if failed or (zone_tree is not None and zone is None):
        return None
    taken = Property(str(property_name), value_type, span=span(names[0])) if value_type is not None else None
    return Aggregate(function, events, taken, result, span=span(tree))


def _path_names(filtered: Tree[Token]) -> list[Any]:
    """Return the names behind the brackets of `event[...].property`."""
    path: Any = filtered.children[2:]
    return list(path[0].children) if path else []

"""Events and windows: `did ...`, aggregates, and the stretches of time behind both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmentkit import values as types
from segmentkit.dsl._check_constants import check_amount
from segmentkit.dsl._check_hops import how_to_reach
from segmentkit.dsl._check_relations import check_related_aggregate, is_related
from segmentkit.dsl._check_types import aggregate_type
from segmentkit.dsl._check_values import check_values
from segmentkit.dsl._check_windows import check_window, check_zone, zone_of
from segmentkit.dsl._scope import Scope, bare, name_of, span, words_of
from segmentkit.dsl.predicates import (
    Aggregate,
    Between,
    Compare,
    CompareOperator,
    Events,
    Literal,
    Not,
    Predicate,
    Property,
    Span,
    Value,
    Window,
    goes_by_days,
)
from segmentkit.schema import EventType

if TYPE_CHECKING:
    from lark import Token, Tree

__all__ = ["check_aggregate", "check_did", "check_event", "refuse_inside"]

_COUNTS: dict[str, CompareOperator] = {
    "at least": ">=",
    "at most": "<=",
    "exactly": "=",
    "more than": ">",
    "fewer than": "<",
    "less than": "<",
}


# ----------------------------------------------------------------------------- events


def check_event(
    tree: Tree[Token], window: Window | None, scope: Scope, where: Span | None = None
) -> tuple[Events, EventType] | None:
    """Return the events of `name` or `name[filter]`; other children of the tree are left alone."""
    name_tree: Any = tree.children[0]
    if name_tree.data == "path":  # the brackets of a value may stand behind several names
        name_tree = name_tree.children[0]
    name = name_of(name_tree)
    event = scope.object_type.events.get(name)
    if event is None:
        hint = ""
        if name in scope.object_type.relations:
            hint = f"'{name}' is a relation; {how_to_reach(name, scope)}"
        declared, what = scope.object_type, "event" if tree.data == "event" else "event or relation"
        known = declared.events if tree.data == "event" else [*declared.events, *declared.relations]
        scope.unknown(name_tree, what, name, f"'{declared.name}'", known, hint)
        return None
    inner: Any = tree.children[1] if len(tree.children) > 1 else None
    if inner is None or tree.data == "path":
        return Events(name, None, window, span=where or span(tree)), event
    condition = scope.condition(inner, scope.inside(event))
    return None if condition is None else (Events(name, condition, window, span=where or span(tree)), event)


def refuse_inside(tree: Tree[Token], scope: Scope) -> bool:
    """Report events in the brackets of an event, and in a bound of a window that is itself in a bound."""
    if scope.event is not None:
        scope.report(tree, "conditions on events cannot stand inside the brackets of an event", "join two conditions")
    elif scope.windows > 1:
        hint = "use a window without events there, such as 'last(visit in the last 30 days)'"
        scope.report(tree, "the window of an event that bounds a window cannot be bounded by events in turn", hint)
    else:
        return False
    return True


def check_did(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `did ...` as a comparison of a count."""
    if refuse_inside(tree, scope):
        return None
    event_tree: Any = tree.children[0]
    rest: list[Any] = list(tree.children[1:])
    zone_tree = zone_of(rest)
    zone = check_zone(zone_tree, scope)
    counts = [part for part in rest if part.data in ("times", "times_between", "days", "days_between")]
    windows = [part for part in rest if part is not zone_tree and part not in counts]
    window = check_window(windows[0], zone, scope) if windows else None
    found = check_event(event_tree, window, scope)
    by_days = bool(counts) and counts[0].data.startswith("days")
    bounds = _count_bounds(counts[0], scope) if counts else (">=", 1, None)
    if found is None or bounds is None or (windows and window is None) or (zone_tree is not None and zone is None):
        return None
    where = span(tree)
    count = Aggregate("days" if by_days else "count", found[0], None, types.integer, span=where)
    rule_zone = zone if by_days or window is None or goes_by_days(found[0].where) else None
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
    if refuse_inside(tree, scope):
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
    if operand.data not in ("path", "filtered", "reached"):
        check_values([operand], scope)
        scope.report(operand, f"'{function}' is taken over events", f"write '{function}(event ...)'")
        return None
    if is_related(operand, scope):
        return check_related_aggregate(function, tree, operand, rest, scope, _aggregate)
    return _aggregate(function, tree, operand, rest, scope)


def _aggregate(function: Any, tree: Tree[Token], operand: Any, rest: list[Any], scope: Scope) -> Value | None:
    zone_tree = zone_of(rest)
    zone = check_zone(zone_tree, scope)
    windows = [part for part in rest if part is not zone_tree]
    window = check_window(windows[0], zone, scope) if windows else None
    failed = bool(windows) and window is None
    if zone_tree is not None and not windows:
        scope.report(zone_tree, "a zone belongs to a window", "write it behind the comparison")
        failed = True
    found = check_event(operand, window, scope, span(operand)[:1] + span(tree.children[-1])[1:])
    if found is None:
        return None
    events, event = found
    names = operand.children[1:] if operand.data == "path" else _path_names(operand)
    if names is None:
        scope.report(operand, "a property of the event stands behind its brackets, and no function")
        return None
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


def _path_names(operand: Tree[Token]) -> list[Any] | None:
    """Return the names of `event[...].property` behind the event, or None if something else is there."""
    before, _, *behind = [*operand.children, None] if operand.data == "reached" else operand.children
    path: Any = behind
    if operand.data == "reached" or (path and path[0].data != "path"):
        return None
    return [*before.children[1:], *(path[0].children if path else ())]  # type: ignore[union-attr]

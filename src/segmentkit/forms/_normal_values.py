"""Values in normal form: durations in their largest unit, sums and products in order, plain numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from attrs import evolve

from segmentkit import values as types
from segmentkit.dsl.predicates import (
    Absolute,
    Aggregate,
    Arithmetic,
    Attribute,
    Call,
    Compare,
    Duration,
    Literal,
    Negate,
    Node,
    Now,
    Property,
    Relative,
    Today,
    Value,
    Window,
    children,
)
from segmentkit.forms._normal_order import key_of, weight_of

__all__ = [
    "is_clockwork",
    "largest_unit",
    "moves_with_now",
    "normal_arithmetic",
    "normal_literal",
    "normal_negate",
    "plain_number",
    "reads_zone",
]

_UNITS = (("day", 86_400_000_000), ("hour", 3_600_000_000), ("minute", 60_000_000), ("second", 1_000_000))


def largest_unit(duration: Duration) -> Duration:
    """Return an equal duration in the largest of day, hour, minute, second, or in years, that is whole.

    >>> largest_unit(Duration(2, "week")), largest_unit(Duration(36, "hour")), largest_unit(Duration(12, "month"))
    (Duration(count=14, unit='day'), Duration(count=36, unit='hour'), Duration(count=1, unit='year'))
    """
    if duration.months:
        years, rest = divmod(duration.months, 12)
        return Duration(duration.months, "month") if rest else Duration(years, "year")
    unit, length = next((u, n) for u, n in _UNITS if duration.micros % n == 0)
    return Duration(duration.micros // length, unit)  # type: ignore[arg-type]  # the table has the units


def normal_literal(node: Literal) -> Literal:
    """Return a constant; a duration in its largest unit."""
    return evolve(node, value=largest_unit(node.value)) if isinstance(node.value, Duration) else node


def plain_number(node: Any) -> Any:
    """Return a whole decimal as the integer that it is; only where its type has no say."""
    if not isinstance(node, Literal) or node.type.kind != "decimal" or node.value != node.value.to_integral_value():
        return node
    return Literal(int(node.value), types.integer)


def normal_negate(node: Negate) -> Value:
    """Return what is negated twice, and constants with their sign."""
    match node.operand:
        case Negate(operand):
            return operand
        case Literal(value, value_type):
            return Literal(value.copy_negate() if isinstance(value, Decimal) else -value, value_type)
        case _:
            return node


def normal_arithmetic(node: Arithmetic) -> Arithmetic:
    """Return sums and products of two numbers in order, constants last."""
    if not (node.left.type.is_numeric and node.right.type.is_numeric):
        return node
    left, right = plain_number(node.left), plain_number(node.right)
    if node.operator in "+*" and (weight_of(left), key_of(left)) > (weight_of(right), key_of(right)):
        left, right = right, left
    return evolve(node, left=left, right=right)


# ----------------------------------------------------------------------------- zones


def is_clockwork(window: Window) -> bool:
    """Return whether a window of instants is the same in every zone: exact lengths, fixed instants."""
    match window:
        case Relative(_, duration, second):
            return not duration.months and not (second is not None and second.months)
        case Absolute(start, end):
            bounds = [bound for bound in (start, end) if bound is not None]
            return all(bound.type.kind == "instant" and not reads_zone(bound) for bound in bounds)
        case _:
            return False


def reads_zone(node: Node) -> bool:
    """Return whether the zone around a value may change it; when in doubt it may."""
    stack: list[Node] = [node]
    while stack:
        found = stack.pop()
        match found:
            case Literal(Duration() as duration) if duration.months:
                return True
            case Literal() | Now() | Attribute() | Property() | Arithmetic() | Negate():
                pass
            case Call(function) if function in ("length", "lower", "abs", "round", "coalesce", "size"):
                pass
            case Compare(_, left, right) if "date" not in (left.type.kind, right.type.kind):
                pass
            case Aggregate(function, events) if (
                function != "days" and events.where is None and (events.window is None or is_clockwork(events.window))
            ):
                continue
            case _:
                return True
        stack.extend(children(found))
    return False


def moves_with_now(value: Value) -> bool:
    """Return whether a value is computed from the clock itself, which windows refuse."""
    stack: list[Node] = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, Now | Today):
            return True
        if not isinstance(node, Aggregate):
            stack.extend(children(node))
    return False

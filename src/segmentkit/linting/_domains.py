"""Which values a feature can have: counts are not negative, a choice is one of its own, a set is never missing."""

from __future__ import annotations

from typing import Final

from segmentkit.dsl.predicates import (
    Aggregate,
    Attribute,
    Call,
    Literal,
    Now,
    Property,
    RelatedAggregate,
    Sample,
    Value,
)
from segmentkit.linting._keys import (
    AxisKey,
    DistanceKey,
    FoldKey,
    Key,
    MemberKey,
    OpaqueKey,
    PairKey,
    ValueKey,
)
from segmentkit.linting._regions import ALL, KNOWN, Region, above, below, between, of_points

__all__ = ["can_be_missing", "domain"]

_PARTS: Final = {"year": (1, 9999), "month": (1, 12), "day": (1, 31), "weekday": (1, 7), "hour": (0, 23)}
_TRUTH: Final = of_points([0, 1])


def domain(key: Key) -> Region:
    """Return all values that a feature can have."""
    match key:
        case OpaqueKey() | MemberKey():
            return _TRUTH
        case PairKey():
            return _or_missing(between(-1, 1, whole=True), True)
        case DistanceKey():
            return _or_missing(above(0.0, or_equal=True), True)
        case AxisKey(_, axis):
            limit = 90.0 if axis == "latitude" else 180.0
            return _or_missing(between(-limit, limit), True)
        case FoldKey():
            return _or_missing(above("", or_equal=True), True)
        case ValueKey(value):
            return _or_missing(_known_values(value), can_be_missing(value))
        case _:
            return ALL


def can_be_missing(value: Value) -> bool:
    """Return whether the value may be missing for some object."""
    match value:
        case Literal() | Now() | Sample():
            return False
        case Attribute(_, value_type) | Property(_, value_type):
            return value_type.kind != "text_set"
        case Aggregate(function) | RelatedAggregate(function):
            exact = function in ("count", "days", "distinct")
            return not (exact or (function == "sum" and value.type.kind != "number"))
        case Call("coalesce", arguments):
            return all(can_be_missing(argument) for argument in arguments)
        case Call("length" | "size" | "lower" | "abs" | "round" | "hour", (argument,)):
            return can_be_missing(argument)
        case _:
            return True


def _known_values(value: Value) -> Region:
    kind = value.type.kind
    if kind == "boolean":
        return between(0, 1, whole=True)
    if kind == "choice":
        return of_points(value.type.choices)
    if kind == "text":
        return above("", or_equal=True)
    match value:
        case (
            Call("length" | "size") | Aggregate("count" | "days" | "distinct") | RelatedAggregate("count" | "distinct")
        ):
            return above(0, or_equal=True, whole=True)
        case Sample():
            return above(0.0, or_equal=True) & below(1.0, or_equal=False)
        case Call("abs"):
            return above(0, or_equal=True, whole=kind == "integer")
        case Call(function) if function in _PARTS:
            return between(*_PARTS[function], whole=True)
        case _:
            return KNOWN


def _or_missing(region: Region, missing: bool) -> Region:
    return Region(missing, region.stretches)

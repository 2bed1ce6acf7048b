"""Features: what a condition reads, as one value for each object at one instant.

Equal keys are one feature. All but `ValueKey` are made from values and are missing when
those are; `bases` names them.
"""

from __future__ import annotations

from typing import Literal as OneOf, TypeAlias

import attrs

from segmentkit.dsl.predicates import Arithmetic, Attribute, Literal, Node, Now, Path, Property, Sample, Value

__all__ = [
    "AxisKey",
    "CalendarKey",
    "DistanceKey",
    "FoldKey",
    "Key",
    "MemberKey",
    "OpaqueKey",
    "PairKey",
    "PositionKey",
    "ValueKey",
    "bases",
    "value_key",
]


@attrs.frozen(cache_hash=True)
class ValueKey:
    """A value; the zone counts only where the value depends on it."""

    value: Value
    zone: str | None = None


@attrs.frozen(cache_hash=True)
class FoldKey:
    """A text with case folded."""

    base: ValueKey


@attrs.frozen(cache_hash=True)
class PositionKey:
    """How far an instant lies after now, or a date after today: in microseconds or days, or among edges of months.

    Edges that are so many months from now have an order among themselves; `months` counts in
    quarters of a step there, to leave room for what is just behind an edge.
    """

    base: ValueKey
    scale: OneOf["micros", "days", "months"]
    zone: str | None = None


@attrs.frozen(cache_hash=True)
class CalendarKey:
    """In which calendar unit a time lies, counted from the current one."""

    base: ValueKey
    unit: str
    zone: str


@attrs.frozen(cache_hash=True)
class DistanceKey:
    """How many metres a point is from a centre."""

    base: ValueKey
    centre: tuple[float, float]


@attrs.frozen(cache_hash=True)
class AxisKey:
    """The latitude or longitude of a point."""

    base: ValueKey
    axis: OneOf["latitude", "longitude"]


@attrs.frozen(cache_hash=True)
class PairKey:
    """How two values compare: -1, 0 or 1; missing when one of them is."""

    left: ValueKey
    right: ValueKey
    zone: str | None = None
    ignoring_case: bool = False


@attrs.frozen(cache_hash=True)
class MemberKey:
    """Whether a set has a member: 1 or 0, never missing."""

    set: ValueKey
    member: str
    folded: bool = False


@attrs.frozen(cache_hash=True)
class OpaqueKey:
    """Whether a condition holds of which nothing else is known: 1 or 0, never missing."""

    node: Node
    zone: str


Key: TypeAlias = (
    ValueKey | FoldKey | PositionKey | CalendarKey | DistanceKey | AxisKey | PairKey | MemberKey | OpaqueKey
)


def value_key(value: Value, zone: str) -> ValueKey:
    """Return the feature of a value."""
    end = value
    while isinstance(end, Path):
        end = end.value
    plain = isinstance(end, Attribute | Property | Literal | Now | Sample)
    exact = isinstance(value, Arithmetic) and value.type.is_numeric
    parts = (value.left, value.right) if exact and isinstance(value, Arithmetic) else ()
    if plain or (parts and all(isinstance(part, Attribute | Property | Literal) for part in parts)):
        return ValueKey(value)
    return ValueKey(value, zone)


def bases(key: object) -> tuple[ValueKey, ...]:
    """Return the values that a feature is made of, which it is missing with."""
    match key:
        case FoldKey(base) | PositionKey(base) | CalendarKey(base) | DistanceKey(base) | AxisKey(base):
            return (base,)
        case PairKey(left, right):
            return left, right
        case _:
            return ()

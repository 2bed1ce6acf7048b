"""Conditions on points: within a distance, and in a box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmentkit import schema as types
from segmentkit.dsl._check_constants import check_amount, check_constant, parameter_value
from segmentkit.dsl._check_types import described
from segmentkit.dsl._check_values import check_value
from segmentkit.dsl._scope import Scope, span, words_of
from segmentkit.dsl.predicates import InBox, Predicate, Value, Within

if TYPE_CHECKING:
    from lark import Token, Tree

__all__ = ["check_box", "check_within"]


def check_within(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `p within 25 km of (lat, lon)`."""
    value_tree, amount, unit_tree, centre_tree = tree.children
    value = _point(value_tree, scope)
    distance = check_amount(amount, scope, "a distance", fractions=True)  # type: ignore[arg-type]
    centre = _centre(centre_tree, scope)
    if value is None or distance is None or centre is None:
        return None
    unit: Any = words_of(unit_tree)  # type: ignore[arg-type]
    return Within(value, distance, unit, centre, span=span(tree))


def check_box(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `p in box (south, west, north, east)`."""
    value_tree, *sides = tree.children
    value = _point(value_tree, scope)
    south, west, north, east = (
        _coordinate(side, limit, scope) for side, limit in zip(sides, (90, 180, 90, 180), strict=True)
    )
    if value is None or south is None or west is None or north is None or east is None:
        return None
    if south > north:
        scope.report(tree, "the south of the box is north of its north", "write 'in box (south, west, north, east)'")
        return None
    return InBox(value, south, west, north, east, span=span(tree))


def _point(tree: Any, scope: Scope) -> Value | None:
    value = check_value(tree, scope)
    if value is not None and value.type.kind != "point":
        scope.report(tree, f"places are asked of points, not of {described(value)}")
        return None
    return value


def _centre(tree: Any, scope: Scope) -> tuple[float, float] | None:
    if tree.data == "parameter":
        given = parameter_value(tree.children[0], scope)
        try:
            point: tuple[float, float] | None = given and types.point.convert(given[0])
        except ValueError as error:
            scope.report(tree, f"parameter '{tree.children[0]}' does not fit: {error}")
            return None
        return point
    latitude, longitude = (_coordinate(c, limit, scope) for c, limit in zip(tree.children, (90, 180), strict=True))
    return None if latitude is None or longitude is None else (latitude, longitude)


def _coordinate(tree: Any, limit: int, scope: Scope) -> float | None:
    negative = tree.data == "minus"
    literal = check_constant((tree.children[0] if negative else tree).children[0], scope, types.number)
    if literal is None:
        return None
    what = "latitude" if limit == 90 else "longitude"
    if literal.type.kind != "number" or not -limit <= literal.value <= limit:
        swapped = "; the latitude comes first" if limit == 90 else ""
        scope.report(tree, f"a {what} is a number between -{limit} and {limit}{swapped}")
        return None
    return 0.0 - literal.value if negative else float(literal.value)

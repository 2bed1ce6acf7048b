"""Conditions on points: within a distance, in a box, in a polygon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmentkit import values as types
from segmentkit.dsl import _geo
from segmentkit.dsl._check_constants import check_amount, check_constant, parameter_value
from segmentkit.dsl._check_types import described
from segmentkit.dsl._check_values import check_value
from segmentkit.dsl._scope import Scope, span, words_of
from segmentkit.dsl.predicates import InBox, InPolygon, Predicate, Value, Within
from segmentkit.errors import repr_of

if TYPE_CHECKING:
    from lark import Token, Tree

__all__ = ["check_box", "check_polygon", "check_within"]


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


def check_polygon(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `p in polygon ((lat, lon), ...)`; the first corner may be repeated at the end."""
    value_tree, corners_tree = tree.children
    value = _point(value_tree, scope)
    corners = _corners(corners_tree, scope)
    if value is None or corners is None:
        return None
    if corners[0] == corners[-1]:
        corners = corners[:-1]
    if len(set(corners)) < 3:
        scope.report(corners_tree, f"a polygon has three corners or more, got {len(set(corners))}")
        return None
    if _geo.winds_round_pole(corners):
        hint = "ask for what lies around a pole with 'in box (60, -180, 90, 180)'"
        scope.report(corners_tree, "the polygon goes round a pole, so that it has no inside on the map", hint)
        return None
    return InPolygon(value, corners, span=span(tree))


def _corners(tree: Any, scope: Scope) -> tuple[_geo.Point, ...] | None:
    """Return one or more corners, or None after a report."""
    if tree.data != "parameter":
        found = [_centre(corner, scope) for corner in tree.children]
        known = tuple(corner for corner in found if corner is not None)
        return known if len(known) == len(found) else None
    given = parameter_value(tree.children[0], scope)
    if given is None:
        return None
    if not isinstance(given[0], list | tuple) or not given[0]:
        scope.report(tree, f"parameter '{tree.children[0]}' is not a list of points, got {repr_of(given[0])}")
        return None
    try:
        return tuple(types.point.convert(corner) for corner in given[0])
    except ValueError as error:
        scope.report(tree, f"parameter '{tree.children[0]}' does not fit: {error}")
        return None


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

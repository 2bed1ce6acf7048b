"""Distances, boxes and polygons on the sphere; points are (latitude, longitude) in degrees.

A polygon's edges are straight in latitude and longitude, which are taken as coordinates of a plane.
Whether a point lies on an edge or beside it is decided exactly: doubles first, and fractions where
rounding could have a say. So borders mean what they say, and neighbours share exactly their edge.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

__all__ = ["EARTH_RADIUS_METRES", "Point", "distance_metres", "in_box", "in_polygon", "winds_round_pole"]

Point: TypeAlias = tuple[float, float]

EARTH_RADIUS_METRES: Final = 6_371_008.8
"""The mean radius of the Earth."""


def distance_metres(a: Point, b: Point) -> float:
    """Return the great-circle distance on the mean sphere, by the haversine formula.

    >>> round(distance_metres((52.2297, 21.0122), (50.0614, 19.9366)))  # Warsaw to Cracow
    252502
    """
    lat_a, lon_a, lat_b, lon_b = map(math.radians, (*a, *b))
    across = math.sin((lat_b - lat_a) / 2) ** 2
    along = math.sin((lon_b - lon_a) / 2) ** 2
    haversine = across + math.cos(lat_a) * math.cos(lat_b) * along
    return 2 * EARTH_RADIUS_METRES * math.asin(min(1.0, math.sqrt(haversine)))


def in_box(point: Point, south: float, west: float, north: float, east: float) -> bool:
    """Return whether the point lies in the box, borders included.

    A box with `west > east` crosses the 180 degree meridian, which is one line with two names.
    """
    latitude, longitude = point
    if not south <= latitude <= north:
        return False
    names = (180.0, -180.0) if abs(longitude) == 180 else (longitude,)
    return any(west <= name <= east if west <= east else name >= west or name <= east for name in names)


# -------------------------------------------------------------------------- polygons


class _Corner(NamedTuple):
    """A corner on a map that goes on beyond 180 degrees: its longitude there is `longitude + 360 * turn`."""

    latitude: float
    longitude: float
    turn: int


_Edge: TypeAlias = tuple[_Corner, _Corner]

_SURE: Final = 1e-6
"""A sum of products of degrees of two turns is off by less than this when computed with doubles."""


def in_polygon(point: Point, corners: tuple[Point, ...]) -> bool:
    """Return whether the point lies in the polygon, its edges included.

    Each edge goes the short way round, and as written where both ways are equal. Of a polygon whose
    edges cross, what they go round an odd number of times is inside.

    Cost:
        O(n) for n corners.

    >>> in_polygon((-17.0, 179.0), ((-20, 177), (-12, 177), (-12, -178), (-20, -178)))  # Fiji
    True
    """
    edges, first, last = _edges(corners)
    return any(_is_inside(_Corner(*point, turn), edges) for turn in range(first - 1, last + 2))


def winds_round_pole(corners: Sequence[Point]) -> bool:
    """Return whether the edges go round a pole, so that they have no inside on the map."""
    turns = _turns([*corners, corners[0]])
    return turns[-1] != turns[0]


def _turns(corners: Sequence[Point]) -> list[int]:
    """Return how often the way along the corners has crossed the 180 degree meridian eastwards, at each."""
    turns = [0]
    for (_, a), (_, b) in itertools.pairwise(corners):
        turns.append(turns[-1] + (1 if a - b > 180 else -1 if b - a > 180 else 0))
    return turns


@lru_cache(maxsize=1_024)
def _edges(corners: tuple[Point, ...]) -> tuple[list[_Edge], int, int]:
    """Return the edges, and the least and greatest turn on them."""
    turns = _turns(corners)
    ring = [_Corner(latitude, longitude, turn) for (latitude, longitude), turn in zip(corners, turns, strict=True)]
    return list(zip(ring, [*ring[1:], ring[0]], strict=True)), min(turns), max(turns)


def _is_inside(point: _Corner, edges: Sequence[_Edge]) -> bool:
    """Return whether a ray to the east from the point crosses an odd number of edges, or the point is on one."""
    inside = False
    for a, b in edges:
        rises = a.latitude <= point.latitude < b.latitude
        if rises or b.latitude <= point.latitude < a.latitude:
            side = _side(a, b, point)
            if side == 0:
                return True
            inside ^= (side > 0) == rises
        elif point.latitude in (a.latitude, b.latitude) and _is_on(point, a, b):
            return True
    return inside


def _is_on(point: _Corner, a: _Corner, b: _Corner) -> bool:
    """Return whether the point lies on the edge, given that its latitude does."""
    if _side(a, b, point) != 0:
        return False
    x, (low, high) = _longitude(point), sorted((_longitude(a), _longitude(b)))
    return low <= x <= high and min(a.latitude, b.latitude) <= point.latitude <= max(a.latitude, b.latitude)


def _longitude(corner: _Corner) -> Fraction:
    return Fraction(corner.longitude) + 360 * corner.turn


def _side(a: _Corner, b: _Corner, point: _Corner) -> int:
    """Return 1 if the point lies to the left of the way from a to b, -1 to the right, 0 on it; longitude goes right."""
    side = (b.longitude - a.longitude + 360 * (b.turn - a.turn)) * (point.latitude - a.latitude) - (
        b.latitude - a.latitude
    ) * (point.longitude - a.longitude + 360 * (point.turn - a.turn))
    if abs(side) < _SURE:
        east, north = _longitude(b) - _longitude(a), Fraction(b.latitude) - Fraction(a.latitude)
        exact = east * (Fraction(point.latitude) - Fraction(a.latitude)) - north * (_longitude(point) - _longitude(a))
        return (exact > 0) - (exact < 0)
    return 1 if side > 0 else -1

"""Distances and boxes on the sphere; points are (latitude, longitude) in degrees."""

from __future__ import annotations

import math
from typing import Final, TypeAlias

__all__ = ["EARTH_RADIUS_METRES", "Point", "distance_metres", "in_box"]

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

"""Distances on the sphere, and boxes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from segmentkit.dsl._geo import EARTH_RADIUS_METRES, distance_metres, in_box
from tests.examples import PARTS

points = st.tuples(st.floats(-90, 90), st.floats(-180, 180))
QUARTER = math.pi / 2 * EARTH_RADIUS_METRES


@pytest.mark.parametrize(
    ("a", "b", "metres"),
    [
        ((0, 0), (0, 90), QUARTER),
        ((0, 0), (90, 0), QUARTER),
        ((90, 17), (-90, -120), 2 * QUARTER),
        ((0, 0), (0, 180), 2 * QUARTER),
        ((0, 179), (0, -179), QUARTER / 45),
        ((90, 0), (90, 123), 0),
    ],
)
def test_known_arcs_have_their_length(a: tuple[float, float], b: tuple[float, float], metres: float) -> None:
    assert distance_metres(a, b) == pytest.approx(metres, abs=1e-6)


@PARTS
@given(points, points)
def test_the_distance_agrees_with_the_angle_between_vectors(a: tuple[float, float], b: tuple[float, float]) -> None:
    """Vectors are good to a few metres at both ends of the scale, the haversine to much less."""
    (x1, y1, z1), (x2, y2, z2) = map(_vector, (a, b))
    cross = math.hypot(y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2)
    angle = math.atan2(cross, x1 * x2 + y1 * y2 + z1 * z2)
    assert distance_metres(a, b) == pytest.approx(angle * EARTH_RADIUS_METRES, abs=1)


def _vector(point: tuple[float, float]) -> tuple[float, float, float]:
    latitude, longitude = map(math.radians, point)
    return (
        math.cos(latitude) * math.cos(longitude),
        math.cos(latitude) * math.sin(longitude),
        math.sin(latitude),
    )


@PARTS
@given(points, points)
def test_the_distance_is_the_same_both_ways_and_never_negative(a: tuple[float, float], b: tuple[float, float]) -> None:
    assert distance_metres(a, b) == distance_metres(b, a) >= 0


@PARTS
@given(points)
def test_a_point_is_at_no_distance_from_itself(point: tuple[float, float]) -> None:
    assert distance_metres(point, point) == 0


@pytest.mark.parametrize(
    ("point", "inside"),
    [((50, 20), True), ((49, 14), True), ((55, 24), True), ((48.999, 20), False), ((50, 24.001), False)],
)
def test_a_box_holds_its_borders(point: tuple[float, float], inside: bool) -> None:
    assert in_box(point, 49, 14, 55, 24) is inside


@pytest.mark.parametrize(
    ("longitude", "inside"),
    [(175, True), (-175, True), (180, True), (-180, True), (170, True), (-170, True), (169.9, False), (0, False)],
)
def test_a_box_whose_west_is_greater_than_its_east_crosses_the_180_degree_meridian(
    longitude: float, inside: bool
) -> None:
    assert in_box((0, longitude), -10, 170, 10, -170) is inside


@pytest.mark.parametrize("longitude", [180, -180])
def test_the_180_degree_meridian_is_one_line_with_two_names(longitude: float) -> None:
    assert in_box((0, longitude), -10, 170, 10, 180)
    assert in_box((0, longitude), -10, -180, 10, -170)
    assert not in_box((0, longitude), -10, -170, 10, 170)

"""Polygons whose edges are straight in latitude and longitude."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given, strategies as st

from segmentkit.dsl._geo import Point, in_box, in_polygon, winds_round_pole
from tests.dsl.shop import read
from tests.examples import PARTS

SQUARE = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))
FIJI = ((-20.0, 177.0), (-12.0, 177.0), (-12.0, -178.0), (-20.0, -178.0))

degrees = st.integers(-8, 8).map(float)
coarse = st.tuples(degrees, degrees)
"""Corners and points of a coarse grid, so that points lie on edges, and edges on each other."""
anywhere = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize("point", [(0, 0), (10, 10), (0, 5), (5, 0), (10, 5), (5, 10), (5, 5)])
def test_edges_and_corners_belong_to_the_polygon(point: Point) -> None:
    assert in_polygon(point, SQUARE)
    assert in_polygon(point, SQUARE[::-1])


@pytest.mark.parametrize("point", [(-0.1, 5), (10.1, 5), (5, -1e-9), (5, 10.000000001), (0, -1), (10, 11), (-5, -5)])
def test_what_lies_beside_the_edges_does_not(point: Point) -> None:
    assert not in_polygon(point, SQUARE)


def test_a_point_on_a_slanted_edge_is_told_from_its_neighbours_in_the_last_bit() -> None:
    """A third of a degree is no double, so that no double lies on this edge; three of them do on the next."""
    corner = ((0.0, 0.0), (3.0, 1.0), (3.0, 0.0))
    assert in_polygon((1.5, 0.5), corner)
    assert not in_polygon((1.5, 0.5000000000000001), corner)
    third = 1 / 3
    assert in_polygon((1.0, third), corner) is (Fraction(third) * 3 <= 1)


@pytest.mark.parametrize(
    ("longitude", "inside"),
    [(177, True), (176.9, False), (180, True), (-180, True), (-178, True), (-177.9, False), (0, False), (179, True)],
)
def test_an_edge_goes_the_short_way_round(longitude: float, inside: bool) -> None:
    for shift in range(4):
        turned = FIJI[shift:] + FIJI[:shift]
        assert in_polygon((-17, longitude), turned) is inside
        assert in_polygon((-17, longitude), turned[::-1]) is inside


def test_a_polygon_may_end_at_the_180_degree_meridian_under_either_name() -> None:
    west, east = ((0.0, 170.0), (5.0, 180.0), (-5.0, 180.0)), ((0.0, -170.0), (5.0, -180.0), (-5.0, -180.0))
    for name in (180.0, -180.0):
        assert in_polygon((0, name), west)
        assert in_polygon((0, name), east)


def test_edges_that_go_round_a_pole_have_no_inside() -> None:
    assert winds_round_pole(((80, 0), (80, 120), (80, -120)))
    assert winds_round_pole(((-80, -120), (-80, 120), (-80, 0)))
    assert not winds_round_pole(FIJI)
    assert not winds_round_pole(SQUARE)


def test_a_corner_repeated_at_the_end_changes_nothing() -> None:
    closed = read("location in polygon ((1, 2), (3, 4), (5, 6), (1, 2))")
    assert closed == read("location in polygon ((1, 2), (3, 4), (5, 6))")


def _odd(point: Point, corners: tuple[Point, ...]) -> bool:
    """Say the same with fractions alone, and a ray to the north in place of one to the east."""
    latitude, longitude = map(Fraction, point)
    crossings = 0
    for place, corner in enumerate(corners):
        (south, west), (north, east) = (tuple(map(Fraction, c)) for c in (corners[place - 1], corner))
        if west == east:
            if longitude == west and min(south, north) <= latitude <= max(south, north):
                return True
            continue
        if not min(west, east) <= longitude <= max(west, east):
            continue
        edge = south + (north - south) * (longitude - west) / (east - west)
        if edge == latitude:
            return True
        crossings += edge > latitude and longitude < max(west, east)
    return crossings % 2 == 1


@PARTS
@given(st.lists(coarse, min_size=3, max_size=7).map(tuple), coarse | anywhere)
def test_inside_is_what_edges_go_round_an_odd_number_of_times(corners: tuple[Point, ...], point: Point) -> None:
    assert in_polygon(point, corners) == _odd(point, corners)


@PARTS
@given(st.lists(anywhere, min_size=3, max_size=6).map(tuple), anywhere, st.integers(0, 5), st.booleans())
def test_where_a_polygon_begins_and_which_way_it_goes_does_not_matter(
    corners: tuple[Point, ...], point: Point, shift: int, back: bool
) -> None:
    assume(not winds_round_pole(corners))
    turned = corners[shift:] + corners[:shift]
    assert in_polygon(point, turned[::-1] if back else turned) == in_polygon(point, corners)


@PARTS
@given(anywhere, anywhere, anywhere)
def test_a_polygon_of_four_right_angles_is_a_box(a: Point, b: Point, point: Point) -> None:
    (south, west), (north, east) = (min(a[0], b[0]), a[1]), (max(a[0], b[0]), b[1])
    width = (east - west) % 360
    assume(0 < width < 179)
    corners = ((south, west), (south, east), (north, east), (north, west))
    assert in_polygon(point, corners) == in_box(point, south, west, north, east)


@PARTS
@given(degrees, st.integers(-8, 0), st.integers(1, 8), coarse, coarse, coarse)
def test_neighbours_share_exactly_their_edge(
    middle: float, south: int, north: int, east: Point, west: Point, point: Point
) -> None:
    """A polygon is its two halves on either side of a line: no point falls between them."""
    a, c = (float(south), middle), (float(north), middle)
    b, d = (east[0], middle + 1 + abs(east[1])), (west[0], middle - 1 - abs(west[1]))
    halves = in_polygon(point, (a, b, c)), in_polygon(point, (a, c, d))
    assert any(halves) == in_polygon(point, (a, b, c, d))

"""The feature over one attribute that is a point: all boxes and circles that filters name, at once.

The edges of the boxes cut latitudes and longitudes into bands, and each band knows, as bits, the
conditions it lies within. So the conditions that a point satisfies are the AND of two look-ups,
however many there are; only circles on whose band it lies are measured (`bench_changes`, location).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from operator import xor
from typing import Any, Final, TypeAlias

from segmentkit.dsl import _geo
from segmentkit.dsl.predicates import InBox, Predicate, Within
from segmentkit.index._cells import holds, leaves_of
from segmentkit.index._clauses import PointKey
from segmentkit.index._features import Context, Feature, Move
from segmentkit.index._steps import Step
from segmentkit.index.deltas import bits_of

_SLACK: Final = 1e-4  # degrees, about 11 m: far more than the rounding of a computed distance

Range: TypeAlias = tuple[int, float, float]
"""A condition and the least and greatest value that it allows."""


class Bands:
    """Which conditions a value satisfies, each of which allows some closed ranges that do not overlap.

    >>> bands = Bands([(0, 1.0, 3.0), (1, 3.0, 4.0)])
    >>> [bands.at(value) for value in (0.5, 1.0, 3.0, 3.5)]
    [0, 1, 3, 2]
    """

    def __init__(self, ranges: Sequence[Range]) -> None:
        allowed = [one for one in ranges if one[1] <= one[2]]
        self._edges = edges = sorted({edge for _, low, high in allowed for edge in (low, high)})
        toggles = [0] * (2 * len(edges) + 2)
        for condition, low, high in allowed:
            toggles[2 * bisect_left(edges, low) + 1] ^= 1 << condition
            toggles[2 * bisect_left(edges, high) + 2] ^= 1 << condition
        self._masks: list[int] = list(accumulate(toggles, xor))
        """Below the first edge, on it, between it and the second, and so on."""

    def at(self, value: float) -> int:
        """Return the conditions that the value satisfies, as bits."""
        return self._masks[bisect_left(self._edges, value) + bisect_right(self._edges, value)]


class PointFeature(Feature):
    """Which places a point lies in. Its cell is the set of conditions that hold, as bits; no row keeps it."""

    def __init__(self, key: PointKey, literals: Sequence[Predicate], context: Context) -> None:
        super().__init__(key, literals, context)
        self.attributes = frozenset((key.attribute,))
        self._column = context.table.columns[key.attribute]
        leaves: dict[Predicate, int] = {}
        self._literals_of: list[list[int]] = []  # by condition
        self._alone: dict[int, int] = {}
        """The literals that are one condition and nothing else, with its number."""
        for number, literal in enumerate(self.literals):
            for leaf in leaves_of(literal):
                if leaves.setdefault(leaf, len(leaves)) == len(self._literals_of):
                    self._literals_of.append([])
                self._literals_of[leaves[leaf]].append(number)
            if literal in leaves:
                self._alone[number] = leaves[literal]
        self._leaves = leaves
        latitudes: list[Range] = []
        longitudes: list[Range] = []
        self._circles: dict[int, tuple[_geo.Point, float]] = {}  # centre and metres
        for leaf, condition in leaves.items():
            if isinstance(leaf, InBox):
                latitudes.append((condition, leaf.south, leaf.north))
                if leaf.west <= leaf.east:
                    longitudes.append((condition, leaf.west, leaf.east))
                else:
                    longitudes += [(condition, -math.inf, leaf.east), (condition, leaf.west, math.inf)]
            else:
                assert isinstance(leaf, Within), f"{leaf!r} is no place"
                reach = math.degrees(leaf.metres / _geo.EARTH_RADIUS_METRES) + _SLACK
                latitudes.append((condition, leaf.centre[0] - reach, leaf.centre[0] + reach))
                longitudes.append((condition, -math.inf, math.inf))
                self._circles[condition] = leaf.centre, leaf.metres
        self._round = sum(1 << condition for condition in self._circles)
        self._latitudes, self._longitudes = Bands(latitudes), Bands(longitudes)

    def _places(self, point: tuple[float, float] | None) -> int:
        """Return the conditions that hold for a point, as bits."""
        if point is None:
            return 0
        latitude, longitude = point
        places = self._latitudes.at(latitude)
        if not places:
            return 0
        if abs(longitude) == 180:  # one line with two names
            places &= self._longitudes.at(180.0) | self._longitudes.at(-180.0)
        else:
            places &= self._longitudes.at(longitude)
        circles = places & self._round
        if circles:
            for condition in bits_of(circles):
                centre, metres = self._circles[condition]
                if _geo.distance_metres(point, centre) > metres:
                    places ^= 1 << condition
        return places

    def _holds(self, literal: int, places: int) -> bool:
        condition = self._alone.get(literal)
        if condition is not None:
            return bool(places >> condition & 1)
        return holds(self.literals[literal], lambda leaf: bool(places >> self._leaves[leaf] & 1))

    def step(self, before: int, after: int) -> Step:
        """Return the clauses whose literal flips: of those that ask for a place that has been entered or left."""
        gained: list[int] = []
        lost: list[int] = []
        for literal in {n for condition in bits_of(before ^ after) for n in self._literals_of[condition]}:
            held, holds = self._holds(literal, before), self._holds(literal, after)
            if held is not holds:
                (gained if holds else lost).extend(self.clauses_of[literal])
        return gained, lost

    def cell(self, number: int, now: int) -> int:
        return self._places(self._column.get(number))

    def changed(self, number: int, old: Any, new: Any, now: int, moves: list[Move]) -> None:
        before, after = self._places(old), self._places(new)
        if before != after:
            moves.append((self, before, after))

    @property
    def keeps_state(self) -> bool:
        return False

    def test(self, literal: int) -> Callable[[int], object]:
        get, condition = self._column.get, self.literals[literal]
        if isinstance(condition, InBox):
            box = condition.south, condition.west, condition.north, condition.east
            return lambda number: (point := get(number)) is not None and _geo.in_box(point, *box)
        if isinstance(condition, Within):
            centre, metres = condition.centre, condition.metres
            return lambda number: (point := get(number)) is not None and _geo.distance_metres(point, centre) <= metres
        return lambda number: self._holds(literal, self._places(get(number)))

    worked_out = test

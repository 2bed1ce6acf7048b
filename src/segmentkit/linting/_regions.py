"""Sets of values of one ordered thing, the missing value among them, as stretches between cuts.

A cut is a place between values: `(x, 0)` just below x, `(x, 1)` just above it. A stretch
reaches from one cut to the next, None meaning without end. Whole numbers have cuts below a
number only, so that `> 4` and `< 5` leave nothing. Values of one region have one kind, so
that they compare: fractions, text, or whole numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

import attrs

__all__ = ["ALL", "KNOWN", "MISSING", "NONE", "Cut", "Region", "above", "below", "between", "of_points"]

Cut: TypeAlias = tuple[Any, int]
Stretch: TypeAlias = tuple[Cut | None, Cut | None]


@attrs.frozen
class Region:
    """A set of values: whether missing is in it, and the stretches in their order, apart from each other."""

    missing: bool
    stretches: tuple[Stretch, ...]

    @property
    def is_empty(self) -> bool:
        """Whether not even the missing value is in it."""
        return not self.missing and not self.stretches

    def __and__(self, other: Region) -> Region:
        """Return what is in both."""
        found: list[Stretch] = []
        mine, theirs = list(self.stretches), list(other.stretches)
        i = j = 0
        while i < len(mine) and j < len(theirs):
            start = _later(mine[i][0], theirs[j][0])
            end = _earlier(mine[i][1], theirs[j][1])
            if _is_before(start, end):
                found.append((start, end))
            if end == mine[i][1]:
                i += 1
            else:
                j += 1
        return Region(self.missing and other.missing, tuple(found))

    def __or__(self, other: Region) -> Region:
        """Return what is in one of them."""
        return ~(~self & ~other)

    def __invert__(self) -> Region:
        """Return what is not in it."""
        found: list[Stretch] = []
        start: Cut | None = None
        for low, high in self.stretches:
            if low is not None:
                found.append((start, low))
            if high is None:
                return Region(not self.missing, tuple(found))
            start = high
        return Region(not self.missing, (*found, (start, None)))

    def points(self, limit: int) -> list[Any] | None:
        """Return the known values if they are single ones, at most `limit`; None if there are more."""
        found = [low[0] for low, high in self.stretches if low is not None and high == (low[0], 1)]
        return found if len(found) == len(self.stretches) <= limit else None

    @property
    def least(self) -> Any:
        """The smallest of whole numbers; minus infinity without bound, infinity where there is none."""
        if not self.stretches:
            return math.inf
        low = self.stretches[0][0]
        return -math.inf if low is None else low[0]

    @property
    def greatest(self) -> Any:
        """The greatest of whole numbers; infinity without bound, minus infinity where there is none."""
        if not self.stretches:
            return -math.inf
        high = self.stretches[-1][1]
        return math.inf if high is None else high[0] - 1


ALL: Final = Region(True, ((None, None),))
KNOWN: Final = Region(False, ((None, None),))
MISSING: Final = Region(True, ())
NONE: Final = Region(False, ())


def _later(a: Cut | None, b: Cut | None) -> Cut | None:
    return b if a is None else a if b is None else max(a, b)


def _earlier(a: Cut | None, b: Cut | None) -> Cut | None:
    return b if a is None else a if b is None else min(a, b)


def _is_before(start: Cut | None, end: Cut | None) -> bool:
    return start is None or end is None or start < end


def above(value: Any, *, or_equal: bool, whole: bool = False) -> Region:
    """Return the known values above one."""
    return Region(False, ((_cut(value, 0 if or_equal else 1, whole), None),))


def below(value: Any, *, or_equal: bool, whole: bool = False) -> Region:
    """Return the known values below one."""
    return Region(False, ((None, _cut(value, 1 if or_equal else 0, whole)),))


def between(low: Any, high: Any, *, whole: bool = False) -> Region:
    """Return the known values from `low` to `high`, both in it."""
    return above(low, or_equal=True, whole=whole) & below(high, or_equal=True, whole=whole)


def of_points(values: Iterable[Any], *, whole: bool = False) -> Region:
    """Return the known values that are listed; whole numbers leave out the fractions among them."""
    if not whole:
        return Region(False, tuple(((value, 0), (value, 1)) for value in sorted(set(values))))
    found: list[tuple[Cut, Cut]] = []
    for value in sorted({int(value) for value in values if value == int(value)}):
        if found and found[-1][1] == (value, 0):
            found[-1] = (found[-1][0], (value + 1, 0))
        else:
            found.append(((value, 0), (value + 1, 0)))
    return Region(False, tuple(found))


def _cut(value: Any, side: int, whole: bool) -> Cut:
    if not whole:
        return value, side
    return (math.floor(value) + 1 if side else math.ceil(value)), 0

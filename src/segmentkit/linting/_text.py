"""Tests of text against each other, and against texts that are known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, permutations
from typing import Final, TypeAlias

from segmentkit.dsl._operations import text_test
from segmentkit.dsl.predicates import TextTest
from segmentkit.linting._regions import Region, of_points

__all__ = ["exclude_each_other", "passing"]

Tests: TypeAlias = Sequence[tuple[TextTest, bool]]
"""Each with whether it is passed; all of one value."""

_MOST_POINTS: Final = 1_000
_MOST_PATTERNS: Final = 400


def passing(region: Region, tests: Tests) -> Region:
    """Return the region without what is certain to fail: single texts, and the missing value."""
    missing = region.missing and not any(passes for _, passes in tests)
    points = region.points(_MOST_POINTS)
    if points is None:
        return Region(missing, region.stretches)
    kept = [point for point in points if all(_passes(test, point) == passes for test, passes in tests)]
    return Region(missing, of_points(kept).stretches)


def _passes(test: TextTest, text: str) -> bool:
    return text_test(test.test, text, test.patterns, test.ignoring_case)


def exclude_each_other(tests: Tests) -> bool:
    """Return True only if no text passes, and fails, them all."""
    passed = [test for test, passes in tests if passes]
    failed = [test for test, passes in tests if not passes]
    if any(_implies(test, other) for test in passed for other in failed):
        return True
    return any(_apart(a, b) for a, b in combinations(passed, 2))


def _is_long(a: TextTest, b: TextTest) -> bool:
    return len(a.patterns) * len(b.patterns) > _MOST_PATTERNS


def _implies(a: TextTest, b: TextTest) -> bool:
    """Return True only if every text that passes `a` passes `b`."""
    if _is_long(a, b) or (a.ignoring_case and not b.ignoring_case):
        return a == b
    folds = b.ignoring_case
    return all(any(_holds(a, x, b, y, folds) for y in b.patterns) for x in a.patterns)


def _holds(a: TextTest, x: str, b: TextTest, y: str, folds: bool) -> bool:
    """Return whether a text that passes `a` with pattern `x` passes `b` with pattern `y`.

    Case folding goes character by character, so it keeps what a text begins with, ends with and contains.
    """
    if folds:
        x, y = x.casefold(), y.casefold()
    match b.test:
        case "contains":
            return y in x
        case "starts with":
            return a.test == "starts with" and x.startswith(y)
        case "ends with":
            return a.test == "ends with" and x.endswith(y)


def _apart(a: TextTest, b: TextTest) -> bool:
    """Return True only if no text passes both: they begin, or end, differently."""
    if a.test != b.test or a.test == "contains" or _is_long(a, b):
        return False
    folds = a.ignoring_case or b.ignoring_case
    begins = a.test == "starts with"
    for x, y in ((x, y) for x in a.patterns for y in b.patterns):
        pair = (x.casefold(), y.casefold()) if folds else (x, y)
        for p, q in permutations(pair):
            if p.startswith(q) if begins else p.endswith(q):
                return False
    return True

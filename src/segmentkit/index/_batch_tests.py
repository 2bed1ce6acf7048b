"""Literals that rows do not tell of, asked of many objects at once.

Sets are looked up and compared one by one, without a call of Python for each; boxes are comparisons of arrays,
and ages and sums of events are worked out together where many are asked. Whatever else there is, is asked
object by object, as `Feature.test` does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from segmentkit.dsl.predicates import InBox, Not
from segmentkit.index._batch_lists import runs_in
from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._bulk_cells import Cells
from segmentkit.index._bulk_facts import Block
from segmentkit.index._features import Feature
from segmentkit.index._plan import Plan
from segmentkit.index._points import PointFeature
from segmentkit.index._series import NthFeature, SumFeature
from segmentkit.index._sets import SetFeature

Bound: TypeAlias = tuple[Feature, int]
"""A feature and the number of one of its literals."""

MANY: Final = 48
"""Questions about events of one name from which on histories are read together."""


class Tests:
    """Numbered literals, and their answers for the facts of the moment."""

    def __init__(self, plan: Plan, bounds: Sequence[Bound]) -> None:
        self._plan = plan
        self._bounds = bounds
        self._holds = [feature.test(literal) for feature, literal in bounds]
        self._event = [feature.series.event if isinstance(feature, _OF_EVENTS) else "" for feature, _ in bounds]

    def truths(self, numbers: Array, tests: Array) -> Array:
        """Return whether each test holds for the object of the number beside it, at `rows.now`."""
        truths = np.zeros(len(tests), bool)
        order = np.argsort(tests.astype(np.uint16) if len(self._bounds) < 2**16 else tests, kind="stable")
        by_event: dict[str, list[Array]] = {}
        for start, end in runs_in(tests[order]):
            rows = order[start:end]
            test = int(tests[rows[0]])
            if self._event[test]:
                by_event.setdefault(self._event[test], []).append(rows)
            else:
                truths[rows] = self._answers(test, numbers[rows])
        for parts in by_event.values():
            if sum(map(len, parts)) < MANY:
                for rows in parts:
                    truths[rows] = self._one_by_one(int(tests[rows[0]]), numbers[rows])
            else:
                self._read_histories(numbers, tests, parts, truths)
        return truths

    def _answers(self, test: int, numbers: Array) -> Array:
        feature, literal = self._bounds[test]
        if isinstance(feature, SetFeature):
            return _set_answers(feature, literal, numbers)
        if isinstance(feature, PointFeature):
            return self._point_answers(feature, literal, test, numbers)
        return self._one_by_one(test, numbers)

    def _one_by_one(self, test: int, numbers: Array) -> Array:
        return np.array([bool(holds) for holds in map(self._holds[test], numbers.tolist())], bool)

    def _point_answers(self, feature: PointFeature, literal: int, test: int, numbers: Array) -> Array:
        condition = feature.literals[literal]
        if len(numbers) < _FEW or not isinstance(condition, InBox) or condition.west > condition.east:
            return self._one_by_one(test, numbers)
        column: Any = feature._column
        latitudes = np.frombuffer(column.latitudes, np.float64)[numbers]
        longitudes = np.frombuffer(column.longitudes, np.float64)[numbers]
        if (np.abs(longitudes) == _MERIDIAN).any():
            return self._one_by_one(test, numbers)
        found: Array = (latitudes >= condition.south) & (latitudes <= condition.north)
        found &= (longitudes >= condition.west) & (longitudes <= condition.east)
        return found

    def _read_histories(self, numbers: Array, tests: Array, parts: Sequence[Array], truths: Array) -> None:
        """Answer questions about events of one name."""
        plan = self._plan
        asked = np.unique(np.concatenate([numbers[rows] for rows in parts]))
        block = Block(plan.table, asked, plan._rows.now)
        cells = Cells(plan.zone, plan.loose_feature)
        for rows in parts:
            feature, literal = self._bounds[int(tests[rows[0]])]
            found = cells.of(feature, block)[np.searchsorted(asked, numbers[rows])]
            truths[rows] = np.frombuffer(feature.truths_of(literal), bool)[found]


_OF_EVENTS = NthFeature | SumFeature
_FEW = 8
_MERIDIAN = 180.0  # one line with two names
_NO_MEMBERS: frozenset[str] = frozenset()


def _set_answers(feature: SetFeature, literal: int, numbers: Array) -> Array:
    column: Any = feature._column
    values = column.dictionary.values
    codes = np.frombuffer(column.codes, np.int32)[numbers].tolist()
    sets = [values[code] if code >= 0 else _NO_MEMBERS for code in codes]
    are_none = np.fromiter(map(feature._wanted[literal].isdisjoint, sets), bool, len(sets))
    return are_none if isinstance(feature.literals[literal], Not) else ~are_none

"""Literals that rows do not tell of, asked of many objects at once.

The members of a set bring the literals that they satisfy as bits, so that a set is read once for all that is
asked of it. Boxes are comparisons of arrays; ages and sums of events are worked out together where many are
asked. Whatever else there is, is asked object by object, as `Feature.test` does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from segmentkit.dsl.predicates import InBox, Not
from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._bulk_cells import Cells
from segmentkit.index._bulk_facts import Block
from segmentkit.index._event_features import NthFeature, SumFeature
from segmentkit.index._features import Feature
from segmentkit.index._plan import Plan
from segmentkit.index._points import PointFeature
from segmentkit.index._runs import runs_in
from segmentkit.index._sets import SetFeature

Bound: TypeAlias = tuple[Feature, int]
"""A feature and the number of one of its literals."""

Asked: TypeAlias = tuple[Array, Array, Array, int]
"""Places of objects, the test for each, who asks it, and how many ask."""

MANY: Final = 150
"""Questions about events of one name from which on histories are read together (`bench_batches`)."""

FEW_POINTS: Final = 8  # points that are looked at one by one
_MERIDIAN: Final = 180.0  # one line with two names


class Tests:
    """Numbered literals, and their answers for the facts of the moment."""

    def __init__(self, plan: Plan, bounds: Sequence[Bound]) -> None:
        self._plan = plan
        self._bounds = bounds
        self._holds = [feature.test(literal) for feature, literal in bounds]
        group_of: list[str] = []
        self._sets: dict[str, _SetTests] = {}
        for test, (feature, literal) in enumerate(bounds):
            match feature:
                case SetFeature():
                    name = _group_of_sets(feature)
                    self._sets.setdefault(name, _SetTests(feature._column, len(bounds))).add(test, feature, literal)
                    group_of.append(name)
                case NthFeature() | SumFeature():
                    group_of.append(f"event {feature.series.event}")
                case _:
                    group_of.append("")
        self._groups = [*self._sets, "", *dict.fromkeys(name for name in group_of if name and name not in self._sets)]
        self._group_by_test = np.array([self._groups.index(name) for name in group_of], np.int64)
        self._is_timed = np.array([feature.is_timed for feature, _ in bounds], bool)

    def flipped_by_sets(self, moves: Sequence[tuple[int, str, Any, Any]]) -> tuple[Array, Array, Array]:
        """Return which tests change their answer as sets change: places of the moves, tests, whether they hold now."""
        found = [(_NONE, _NONE, _NONE > 0)]
        for name in dict.fromkeys(move[1] for move in moves):
            tests = self._sets.get(f"set {name}")
            if tests is not None:
                places = np.array([move[0] for move in moves if move[1] == name])
                rows, which, holds = tests.flipped([move[2:] for move in moves if move[1] == name])
                found.append((places[rows], which, holds))
        places, which, holds = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return places, which, holds

    def all_hold(self, numbers: Array, asked: Asked, ats: Array | None = None) -> Array:
        """Return for each asker whether all tests hold that it asks of the objects of some numbers.

        Cheap ones are asked first, and an asker that has got a no asks no more. Tests hold, or do not, at the
        instant in `ats` that stands where the object's number does; without `ats`, at `rows.now`.
        """
        places, tests, askers, n_askers = asked
        holds = np.ones(n_askers, bool)
        groups = self._group_by_test[tests]
        if ats is not None:
            groups[self._is_timed[tests]] = len(self._groups)
        for group, name in enumerate((*self._groups, "time")):
            rows = np.flatnonzero(groups == group)
            rows = rows[holds[askers[rows]]]
            if not len(rows):
                continue
            if group == len(self._groups):
                assert ats is not None
                truths = self._at_instants(numbers[places[rows]], ats[places[rows]], tests[rows])
            elif not name or (name not in self._sets and len(rows) < MANY):
                truths = self._in_runs(numbers[places[rows]], tests[rows])
            else:
                there, which = _distinct(places[rows], len(numbers))
                answer = self._sets[name].truths if name in self._sets else self._of_histories
                truths = answer(numbers[there], which, tests[rows])
            holds[askers[rows[~truths]]] = False
        return holds

    def _at_instants(self, numbers: Array, ats: Array, tests: Array) -> Array:
        """Return whether tests hold, each at an instant of its own."""
        found = []
        for number, at, test in zip(numbers.tolist(), ats.tolist(), tests.tolist(), strict=True):
            feature, literal = self._bounds[test]
            found.append(feature.truths[feature.cell(number, at)] >> literal & 1)
        return np.array(found, bool)

    def _in_runs(self, numbers: Array, tests: Array) -> Array:
        """Return whether tests hold, test after test."""
        truths = np.zeros(len(tests), bool)
        order = np.argsort(tests, kind="stable")
        for start, end in runs_in(tests[order]):
            rows = order[start:end]
            truths[rows] = self._answers(int(tests[rows[0]]), numbers[rows])
        return truths

    def _answers(self, test: int, numbers: Array) -> Array:
        feature, literal = self._bounds[test]
        if isinstance(feature, PointFeature) and len(numbers) >= FEW_POINTS:
            found = _in_box(feature, literal, numbers)
            if found is not None:
                return found
        return np.array([bool(holds) for holds in map(self._holds[test], numbers.tolist())], bool)

    def _of_histories(self, numbers: Array, which: Array, tests: Array) -> Array:
        """Return what features over events of one name say; `which` of the numbers is asked each test."""
        plan = self._plan
        block = Block(plan.table, numbers, plan._rows.now)
        cells = Cells(plan.zone, plan.loose_feature)
        truths = np.zeros(len(tests), bool)
        order = np.argsort(tests, kind="stable")
        for start, end in runs_in(tests[order]):
            rows = order[start:end]
            feature, literal = self._bounds[int(tests[rows[0]])]
            truths[rows] = np.frombuffer(feature.truths_of(literal), bool)[cells.of(feature, block)[which[rows]]]
        return truths


class _SetTests:
    """The tests of one attribute that is a set: each member brings, as bits, those that ask for it."""

    def __init__(self, column: Any, n_tests: int) -> None:
        self._column = column
        self._bits_by_member: dict[str, int] = {}
        self._bit_by_test = np.zeros(n_tests, np.int64)
        self._is_negated = np.zeros(n_tests, bool)
        self._tests: list[int] = []
        self._n_bits = 0

    def add(self, test: int, feature: SetFeature, literal: int) -> None:
        """Take a test in."""
        self._bit_by_test[test] = self._n_bits
        self._tests.append(test)
        self._is_negated[test] = isinstance(feature.literals[literal], Not)
        for member in feature._wanted[literal]:
            self._bits_by_member[member] = self._bits_by_member.get(member, 0) | 1 << self._n_bits
        self._n_bits += 1

    def truths(self, numbers: Array, which: Array, tests: Array) -> Array:
        """Return whether tests hold; `which` of the numbers is asked each."""
        values = self._column.dictionary.values
        codes = np.frombuffer(self._column.codes, np.int32)[numbers].tolist()
        table, size = self._table([values[code] if code >= 0 else () for code in codes])
        bit = self._bit_by_test[tests]
        truths: Array = (table[which * size + (bit >> 3)] >> (bit & 7) & 1).astype(bool)
        return truths ^ self._is_negated[tests]

    def _table(self, sets: Sequence[Iterable[str]]) -> tuple[Array, int]:
        """Return the bits that the members of each set bring, as bytes, and how many bytes they are."""
        bits_of, size = self._bits_by_member.get, (self._n_bits >> 3) + 1
        found = []
        for members in sets:
            bits = 0
            for member in members:
                bits |= bits_of(member, 0)
            found.append(bits.to_bytes(size, "little"))
        return np.frombuffer(b"".join(found), np.uint8), size

    def flipped(self, moves: Sequence[tuple[Any, ...]]) -> tuple[Array, Array, Array]:
        """Return which tests change their answer from one set to another: rows of `moves`, tests, whether they hold."""
        before, size = self._table([move[0] for move in moves])
        after, _ = self._table([move[1] for move in moves])
        differing: Array = before ^ after
        bits = np.flatnonzero(np.unpackbits(differing, bitorder="little").view(bool))
        rows, bit = np.divmod(bits, 8 * size)
        tests = np.array(self._tests)[bit]
        holds = (after[bits >> 3] >> (bits & 7) & 1).astype(bool)
        return rows, tests, holds ^ self._is_negated[tests]


_NONE = np.zeros(0, np.int64)


def _group_of_sets(feature: SetFeature) -> str:
    (name,) = feature.attributes
    return f"set {name}"


def _distinct(places: Array, n_places: int) -> tuple[Array, Array]:
    """Return the places that there are, ascending, and for each of those given which of them it is."""
    is_there = np.zeros(n_places, bool)
    is_there[places] = True
    return np.flatnonzero(is_there), np.cumsum(is_there)[places] - 1


def _in_box(feature: PointFeature, literal: int, numbers: Array) -> Array | None:
    """Return whether points lie in a box; None for what is no plain box, or a point on its edge of the map."""
    condition = feature.literals[literal]
    if not isinstance(condition, InBox) or condition.west > condition.east:
        return None
    column: Any = feature._column
    latitudes = np.frombuffer(column.latitudes, np.float64)[numbers]
    longitudes = np.frombuffer(column.longitudes, np.float64)[numbers]
    if (np.abs(longitudes) == _MERIDIAN).any():
        return None
    found: Array = (latitudes >= condition.south) & (latitudes <= condition.north)
    return found & (longitudes >= condition.west) & (longitudes <= condition.east)

"""The clauses of a plan as arrays: what many objects ask of many clauses at once is looked up in them.

A literal that rows tell of is a place in the rows and a stretch of `truths`, one byte for each cell of
its feature; the others are numbered, and asked last. All of it follows from the plan, and is made anew
once definitions have changed it.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from segmentkit.index._batch_lists import Lists
from segmentkit.index._batch_steps import Steps
from segmentkit.index._batch_tests import Bound, Tests
from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._features import Feature
from segmentkit.index._plan import Plan

_LONGEST_ROW: Final = 2**16
_SAMPLE: Final = 256  # objects from which is learnt which literals hold seldom


class Clauses:
    """The clauses of one edition of a plan.

    places, bases: for each round of looking, and each clause, the place of a cell in the rows and where in
        `truths` the literal begins; a clause without a literal for the round has one that always holds.
    rest: the numbers of the tests of each clause, for literals that rows do not tell of.
    clauses_of_test: the clauses of each such test.
    owners: the head of the segment for a clause that is one of several; -1 for one that is a whole segment.
    siblings: all clauses of the segment, by head.
    """

    def __init__(self, plan: Plan) -> None:
        self._edition = plan.edition
        self.n_clauses = len(plan._literals)
        bounds = dict.fromkeys(bound for literals in plan._literals for bound in literals)
        is_told = {feature: feature.truths_in_row(0) is not None for feature in dict.fromkeys(f for f, _ in bounds)}
        pieces, end = [np.ones(_LONGEST_ROW, bool)], _LONGEST_ROW
        base_by_literal: dict[Bound, int] = {}
        for feature in (feature for feature, told in is_told.items() if told):
            pieces.append(_truths_of(feature))
            n_cells = len(feature.truths)
            base_by_literal |= {(feature, literal): end + literal * n_cells for literal in range(len(feature.literals))}
            end += len(pieces[-1])
        self.truths: Array = np.concatenate(pieces)
        test_by_literal = {bound: n for n, bound in enumerate(b for b in bounds if not is_told[b[0]])}
        self.tests = Tests(plan, list(test_by_literal))
        self.features = {feature: n for n, feature in enumerate(dict.fromkeys(f for f, _ in test_by_literal))}
        """The features that rows do not tell of, numbered."""
        clauses_by_test: list[list[int]] = [[] for _ in test_by_literal]
        for clause, some in enumerate(plan._literals):
            for bound in some:
                if bound in test_by_literal:
                    clauses_by_test[test_by_literal[bound]].append(clause)
        self.clauses_of_test = Lists([np.array(some, np.int64) for some in clauses_by_test])
        self.feature_of_test = np.array([self.features[feature] for feature, _ in test_by_literal], np.int64)
        self.rest = Lists(
            [
                np.array([test_by_literal[b] for b in bounds if b in test_by_literal], np.int64)
                for bounds in plan._literals
            ]
        )
        self._lay_out(plan, base_by_literal)
        self.owners = np.array([-1 if owner is None else owner[0] for owner in plan._owners], np.int64)
        self.siblings = Lists(
            [np.array(owner if owner and owner[0] == n else (), np.int64) for n, owner in enumerate(plan._owners)]
        )
        self.steps = Steps(self.n_clauses)
        self.by_place: list[Any] = [None] * plan._rows.stride
        """The feature of each place in the rows."""
        for features in plan._features.values():
            for feature in features:
                if feature.place >= 0:
                    self.by_place[feature.place] = feature
        self.untold = np.array([self.features.get(feature, -1) for feature in self.by_place], np.int64)
        """The numbers of those that have a place, but whose literals rows do not tell; else -1."""

    def is_of(self, plan: Plan) -> bool:
        """Whether the plan is still the same."""
        return self._edition == plan.edition

    def _lay_out(self, plan: Plan, base_by_literal: dict[Bound, int]) -> None:
        """Give each literal its round: those that hold most seldom come first."""
        shares = self._shares(plan, base_by_literal)
        ordered = [sorted((b for b in some if b in shares), key=shares.__getitem__) for some in plan._literals]
        n_rounds = max(map(len, ordered), default=0)
        self.places = np.zeros((n_rounds, self.n_clauses), np.int64)
        self.bases = np.zeros((n_rounds, self.n_clauses), np.int64)
        for clause, bounds in enumerate(ordered):
            for nth, bound in enumerate(bounds):
                self.places[nth, clause] = bound[0].place
                self.bases[nth, clause] = base_by_literal[bound]

    def _shares(self, plan: Plan, base_by_literal: dict[Bound, int]) -> dict[Bound, float]:
        """Return how many objects of a sample satisfy each literal."""
        alive = plan.table.alive
        if not base_by_literal or not alive:
            return dict.fromkeys(base_by_literal, 0.0)
        sample = np.array([alive[n] for n in range(0, len(alive), -(-len(alive) // _SAMPLE))])
        cells = np.frombuffer(plan._rows.cells, np.uint16).reshape(-1, plan._rows.stride)[sample]
        places = np.array([feature.place for feature, _ in base_by_literal])
        held = self.truths[cells[:, places] + np.array(list(base_by_literal.values()))].mean(axis=0)
        return dict(zip(base_by_literal, held.tolist(), strict=True))


def _truths_of(feature: Feature) -> Array:
    """Return, for one literal after another, whether it holds in each cell.

    All at once from the bits of the cells: `Feature.truths_of` for each literal takes ten times as long.
    """
    n_literals = len(feature.literals)
    size, every = (n_literals >> 3) + 1, (1 << n_literals) - 1
    data = b"".join([(truth & every).to_bytes(size, "little") for truth in feature.truths])
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little").reshape(len(feature.truths), 8 * size)
    truths: Array = bits[:, :n_literals].T.astype(bool).ravel()
    return truths

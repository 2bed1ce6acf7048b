"""The clauses of a plan as arrays: what many objects ask of many clauses at once is looked up in them.

Literals that rows tell of are sifted as for one object (`_wide`); the others are numbered, and asked last.
All of it follows from the plan, and is made anew once definitions have changed it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from segmentkit.index._batch_lists import Lists
from segmentkit.index._batch_steps import Steps
from segmentkit.index._batch_tests import Tests
from segmentkit.index._plan import Plan
from segmentkit.index._wide import WideTests


class Clauses:
    """The clauses of one edition of a plan.

    in_rows: the tests of all clauses that rows answer.
    rest: the numbers of the tests of each clause, for literals that rows do not tell of.
    clauses_of_test: the clauses of each such test.
    owners: the head of the segment for a clause that is one of several; -1 for one that is a whole segment.
    siblings: all clauses of the segment, by head.
    """

    def __init__(self, plan: Plan) -> None:
        self._edition = plan.edition
        self.n_clauses = len(plan._literals)
        self.in_rows = WideTests()
        self.in_rows.extend(plan._in_rows, plan._not_in_rows)
        bounds = dict.fromkeys(bound for literals in plan._literals for bound in literals)
        test_by_literal = {bound: n for n, bound in enumerate(b for b in bounds if not b[0].is_in_rows)}
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
        self.owners = np.array([-1 if owner is None else owner[0] for owner in plan._owners], np.int64)
        self.siblings = Lists(
            [np.array(owner if owner and owner[0] == n else (), np.int64) for n, owner in enumerate(plan._owners)]
        )
        self.steps = Steps()
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

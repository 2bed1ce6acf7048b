"""The tests of the clauses of one object type: what is looked up to see whether a clause holds, in which order.

A clause holds if all of its literals do. Those of features with cells in rows are looked up there by place and
cell; for each of the others, which are read from the facts, a function is called. The tests of a literal are
made once and shared by all clauses that have it.

Most clauses that are looked at fail, and then do so at the first test, if what holds most seldom comes first
(`bench_changes`). A sample of the objects tells what does; while there are none, what is cheap comes first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from segmentkit.index._clauses import FeatureKey
from segmentkit.index._features import Feature, Rows
from segmentkit.index._table import Table
from segmentkit.index._wide import WideTests

_SAMPLE: Final = 64  # objects whose facts tell how often a test holds

Test: TypeAlias = Callable[[int], object]
"""Whether a literal holds for the object of a number."""


class ClauseTests:
    """The clauses of one object type by number, and the tests of each.

    `Plan` numbers the clauses, and `Matcher` tests them, in loops that read the lists here without a call.
    """

    def __init__(self, table: Table) -> None:
        self.table = table

    def _reset_clauses(self) -> None:
        """Begin with no clause."""
        self._rows = Rows()
        self._features: dict[FeatureKey, list[Feature]] = {}
        self._literals: list[tuple[tuple[Feature, int], ...]] = []
        """Of each clause, its literals, by feature and number."""
        self._owners: list[tuple[int, ...] | None] = []
        """Of each clause that is one of several, the clauses of its segment, the head first."""
        self._shared: set[int] = set()
        """n and ~n for each of these."""
        self._in_rows: list[tuple[tuple[int, bytes], ...]] = []
        """Of each clause, the literals that rows tell: place of the cell, and by cell whether it holds."""
        self._not_in_rows: list[tuple[tuple[Feature, Test], ...]] = []
        """Of each clause, the other literals."""
        self._sparse: list[tuple[tuple[Feature, Test], ...]] = []
        """Of each clause, the literals that masks do not tell, in rows or not."""
        self._plain = 0
        """The clauses that are a whole segment, and have no sparse literal."""
        self._wide: WideTests | None = None
        self._tests: dict[tuple[Feature, int], tuple[Test, bytes | None]] = {}
        self._rank_at = 0
        """How many objects there have to be for tests to be ranked anew."""

    def _add_clauses(self, count: int) -> None:
        """Make room for so many clauses more."""
        self._literals += [()] * count
        self._owners += [None] * count
        self._in_rows += [()] * count
        self._not_in_rows += [()] * count
        self._sparse += [()] * count

    def _forget_clause(self, bit: int) -> None:
        """Leave the place of a clause empty."""
        self._literals[bit] = self._sparse[bit] = self._in_rows[bit] = ()
        self._not_in_rows[bit] = ()
        self._owners[bit] = None
        self._shared -= {bit, ~bit}
        self._plain &= ~(1 << bit)

    def _note_tests(self, bit: int, counted: Sequence[tuple[int, tuple[Feature, int]]] = ()) -> None:
        """Note how to check a clause: what holds most seldom first, if that is known, or what is cheap."""
        owner = self._owners[bit]
        if counted:
            ranked = [bound for _, bound in sorted(counted, key=lambda one: (one[0], one[1][0].cost))]
        else:
            alike = self._literals[owner[0]] if owner else ()
            ranked = sorted(self._literals[bit], key=lambda bound: (bound in alike, bound[0].cost))
        tests = [(feature, *self._test(feature, literal), feature.place) for feature, literal in ranked]
        self._in_rows[bit] = tuple((place, truths) for _, _, truths, place in tests if truths is not None)
        self._not_in_rows[bit] = tuple((feature, test) for feature, test, truths, _ in tests if truths is None)
        self._sparse[bit] = tuple((feature, test) for feature, test, _, _ in tests if not feature.is_dense)
        if owner is None and not self._sparse[bit]:
            self._plain |= 1 << bit

    def _test(self, feature: Feature, literal: int) -> tuple[Test, bytes | None]:
        """Return how to test a literal, shared by all clauses that need it."""
        test = self._tests.get((feature, literal))
        if test is None:
            test = self._tests[feature, literal] = feature.test(literal), feature.truths_in_row(literal)
        return test

    def rank_tests(self, now: int) -> None:
        """Let the tests of a clause that hold for the fewest objects come first, as far as a sample tells."""
        alive = self.table.alive
        self._rank_at = 8 * len(self.table.ids) + 8
        if not alive:
            return
        self._rows.now = now
        sample = [alive[place] for place in range(0, len(alive), max(1, len(alive) // _SAMPLE))]
        cells, stride = self._rows.cells, self._rows.stride
        found: dict[tuple[Feature, int], int] = {}
        counted: dict[int, Counter[int]] = {}

        def count(feature: Feature, literal: int) -> int:
            """Return for how many of the sample a literal holds."""
            n_found = found.get((feature, literal))
            if n_found is None:
                if feature.is_in_rows:
                    place = feature.place
                    if place not in counted:
                        counted[place] = Counter(cells[number * stride + place] for number in sample)
                    truths = feature.truths
                    n_found = sum(n for cell, n in counted[place].items() if truths[cell] >> literal & 1)
                else:
                    test, _ = self._test(feature, literal)
                    n_found = sum(1 for number in sample if test(number))
                found[feature, literal] = n_found
            return n_found

        self._wide = None
        for clause, literals in enumerate(self._literals):
            if len(literals) > 1:
                self._note_tests(clause, [(count(*bound), bound) for bound in literals])
        for features in self._features.values():
            for feature in features:
                feature.forget_trials()

    def follow_growth(self, now: int) -> None:
        """Rank the tests anew if there are many more objects than when that was done."""
        if len(self.table.ids) > self._rank_at:
            self.rank_tests(now)

"""Crossings beside the definition: the literals of a clause before and after."""

from __future__ import annotations

from hypothesis import given, strategies as st

from segmentkit.index._steps import Crossings, literals_at_cuts
from segmentkit.index._wide import WIDE


@st.composite
def features(draw: st.DrawFn) -> tuple[list[int], list[list[int]]]:
    """Truths by cell of a few literals, and the clauses of each literal: sometimes so many that arrays hold them."""
    n_literals = draw(st.integers(1, 6))
    truths = draw(st.lists(st.integers(0, (1 << n_literals) - 1), min_size=2, max_size=8))
    sizes = draw(st.lists(st.sampled_from([0, 1, 2, WIDE]), min_size=n_literals, max_size=n_literals))
    numbers = iter(range(sum(sizes)))
    return [-1, *truths], [[next(numbers) for _ in range(size)] for size in sizes]


@given(features(), st.data())
def test_a_step_has_the_clauses_whose_literal_flips(
    feature: tuple[list[int], list[list[int]]], data: st.DataObject
) -> None:
    truths, clauses_of = feature
    low, high = sorted(data.draw(st.lists(st.integers(1, len(truths) - 1), min_size=2, max_size=2, unique=True)))
    gained, lost = Crossings(truths, literals_at_cuts(truths, len(clauses_of)), clauses_of).between(low, high)
    rising, falling = truths[high] & ~truths[low], truths[low] & ~truths[high]
    for found, literals in ((gained, rising), (lost, falling)):
        expected = [
            clause for literal, clauses in enumerate(clauses_of) if literals >> literal & 1 for clause in clauses
        ]
        assert sorted(map(int, found)) == expected

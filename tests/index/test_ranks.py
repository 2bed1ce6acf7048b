"""Ranks: who is inside a cut-off, who flips by a change, and how little is looked at for it."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from fractions import Fraction
from functools import total_ordering
from typing import Any, ClassVar

import pytest
from hypothesis import given, strategies as st

from segmentkit.index._ranks import EVERYONE, Cutoff, Flip, Ranking, Row
from tests.examples import PARTS

TOP_2, TOP_2_TIES = Cutoff(2), Cutoff(2, ties=True)
HALF = Cutoff(50, percent=True)


def serving(*cutoffs: Cutoff, is_top: bool = True) -> Ranking:
    """Return a ranking of nobody that serves some cut-offs."""
    made = Ranking(is_top=is_top)
    for cutoff in cutoffs:
        assert not made.add_cutoff(cutoff)
    return made


def ranking(*cutoffs: Cutoff, is_top: bool = True, **value_by_id: Any) -> Ranking:
    """Return a ranking without groups over objects numbered in the order given."""
    made = serving(*cutoffs, is_top=is_top)
    made.set_many((number, id, EVERYONE, value) for number, (id, value) in enumerate(value_by_id.items()))
    return made


def inside(made: Ranking, cutoff: Cutoff) -> list[int]:
    """Return the numbers inside a cut-off, ascending."""
    return list(made.members(cutoff))


def plainly(rows: dict[int, Row], cutoff: Cutoff, is_top: bool) -> set[int]:
    """Return who is inside, by the words of the language: group, sort, count."""
    found: set[int] = set()
    for group in {row[2] for row in rows.values()} - {None}:
        own = [row for row in rows.values() if row[2] == group and row[3] is not None]
        own.sort(key=lambda row: row[1])
        own.sort(key=lambda row: Fraction(row[3]), reverse=is_top)
        wanted = math.ceil(len(own) * Fraction(cutoff.count) / 100) if cutoff.percent else int(Fraction(cutoff.count))
        first = own[:wanted]
        found |= {row[0] for row in first}
        if cutoff.ties and first:
            found |= {row[0] for row in own if row[3] == first[-1][3]}
    return found


# ------------------------------------------------------------------------------ who is inside


def test_the_top_are_the_largest_and_the_bottom_the_smallest() -> None:
    """Equal values or not, both have as many."""
    values = {"a": 5, "b": 9, "c": 1, "d": 7}
    assert inside(ranking(TOP_2, **values), TOP_2) == [1, 3]
    assert inside(ranking(TOP_2, is_top=False, **values), TOP_2) == [0, 2]


@pytest.mark.parametrize("is_top", [True, False])
def test_ties_go_to_the_smaller_id_in_text_order(is_top: bool) -> None:
    """At both ends; "c10" is smaller than "c9"."""
    made = ranking(TOP_2, TOP_2_TIES, is_top=is_top, c9=1, c2=1, c10=1)
    assert inside(made, TOP_2) == [1, 2]
    assert inside(made, TOP_2_TIES) == [0, 1, 2]


def test_with_ties_adds_only_those_that_tie_with_the_last() -> None:
    """Ties above it are inside anyway, ties below it are not."""
    made = ranking(TOP_2_TIES, a=9, b=9, c=8, d=8)
    assert inside(made, TOP_2_TIES) == [0, 1]
    made.set_many([(0, "a", EVERYONE, 8)])
    assert inside(made, TOP_2_TIES) == [0, 1, 2, 3]


def test_objects_without_a_value_do_not_rank() -> None:
    """Not even when there are places left, and they do not count for a percentage."""
    made = ranking(Cutoff(10), HALF, a=1, b=None, c=None, d=2)
    assert inside(made, Cutoff(10)) == [0, 3]
    assert inside(made, HALF) == [3]


def test_objects_without_a_group_do_not_rank() -> None:
    """A missing owner is nobody's owner: those without one do not rank among themselves."""
    made = serving(TOP_2)
    assert made.set_many([(0, "a", None, 5), (1, "b", None, 6)]) == []
    assert inside(made, TOP_2) == []


def test_each_group_has_its_own_places() -> None:
    """The best of a weak group are inside, the third of a strong one is not."""
    made = serving(TOP_2)
    made.set_many((n, str(n), "strong" if n < 5 else "weak", 100 - n) for n in range(8))
    assert inside(made, TOP_2) == [0, 1, 5, 6]


@pytest.mark.parametrize(
    ("percent", "size", "places"),
    [
        (10, 0, 0),
        (10, 1, 1),
        (10, 10, 1),
        (10, 11, 2),
        (100, 7, 7),
        (200, 7, 7),
        (0, 7, 0),
        (Decimal("0.1"), 1000, 1),
        (Decimal("0.1"), 1001, 2),
        (Decimal("33.3"), 3, 1),
        (Decimal("33.34"), 3, 2),
        (Decimal(7), 100, 7),
        (Decimal("0.07"), 10_000, 7),  # a product of doubles would be 7.000000000000001, and its ceiling 8
        (Decimal("1e-30"), 10**6, 1),
    ],
)
def test_a_percentage_is_the_exact_ceiling_of_those_that_rank(percent: Any, size: int, places: int) -> None:
    """No rounding on the way, whatever the digits."""
    assert Cutoff(percent, percent=True).places(size) == places


@pytest.mark.parametrize("is_top", [True, False])
@pytest.mark.parametrize(
    "ascending",
    [
        [-(2**70), -1, 0, 2**53, 2**53 + 1, 2**70],
        [-1e308, -5e-324, 0.0, 5e-324, 0.1, 1e308],
        [Decimal("-1." + "0" * 40 + "1"), Decimal(-1), Decimal("1e-60"), Decimal("1." + "0" * 40 + "1")],
        [Fraction(-1, 3), Fraction(1, 3), Fraction(333334, 1000000)],
        [float(2**53), 2**53 + 1, Decimal(2**53) + Decimal("1.5")],
    ],
    ids=["integers", "doubles", "decimals", "fractions", "mixed"],
)
def test_values_of_every_ordered_type_rank_by_their_exact_value(ascending: list[Any], is_top: bool) -> None:
    """Decimals beyond the context's precision too."""
    numbers = range(len(ascending))
    made = serving(*(Cutoff(n) for n in numbers), is_top=is_top)
    made.set_many((n, str(n), EVERYONE, value) for n, value in enumerate(ascending))
    in_order = numbers[::-1] if is_top else numbers
    assert [inside(made, Cutoff(n)) for n in numbers] == [sorted(in_order[:n]) for n in numbers]


# -------------------------------------------------------------------------------- who flips


def test_an_object_that_takes_a_place_takes_it_from_the_last() -> None:
    """Two flips, and as many when it falls back."""
    made = ranking(TOP_2, a=9, b=8, c=7)
    assert sorted(made.set_many([(2, "c", EVERYONE, 10)])) == [Flip(1, TOP_2, False), Flip(2, TOP_2, True)]
    assert sorted(made.set_many([(2, "c", EVERYONE, 1)])) == [Flip(1, TOP_2, True), Flip(2, TOP_2, False)]


def test_a_change_that_crosses_no_cut_off_flips_nobody() -> None:
    """Within the inside, within the outside, or to the same value."""
    made = ranking(TOP_2, a=9, b=8, c=7, d=6)
    for number, id, value in ((0, "a", 8), (1, "b", 100), (3, "d", 7), (2, "c", 7), (3, "d", 1)):
        assert made.set_many([(number, id, EVERYONE, value)]) == []


def test_a_missing_value_makes_room() -> None:
    """So does a deleted object, and one that leaves the population."""
    made = ranking(TOP_2, a=9, b=8, c=7, d=6)
    assert sorted(made.set_many([(0, "a", EVERYONE, None)])) == [Flip(0, TOP_2, False), Flip(2, TOP_2, True)]
    assert sorted(made.remove(1)) == [Flip(1, TOP_2, False), Flip(3, TOP_2, True)]
    assert made.remove(1) == made.remove(77) == []
    made.check_invariants()


def test_the_end_of_a_percentage_moves_with_the_population() -> None:
    """A third object below the others lets the second one in; without it, it goes."""
    made = ranking(HALF, a=9, b=8)
    assert made.set_many([(2, "c", EVERYONE, 1)]) == [Flip(1, HALF, True)]
    assert made.remove(2) == [Flip(1, HALF, False)]


def test_a_tie_flips_as_a_whole() -> None:
    """When its only better falls to it, and when one of it rises above it."""
    first = Cutoff(1, ties=True)
    made = ranking(first, a=9, b=5, c=5, d=5)
    assert sorted(made.set_many([(0, "a", EVERYONE, 5)])) == [Flip(n, first, True) for n in (1, 2, 3)]
    assert sorted(made.set_many([(3, "d", EVERYONE, 6)])) == [Flip(n, first, False) for n in (0, 1, 2)]


def test_an_object_that_changes_groups_flips_others_in_both() -> None:
    """It may stay inside on the way: then it does not flip itself."""
    best = Cutoff(1)
    made = serving(best)
    made.set_many([(0, "a", "x", 9), (1, "b", "x", 8), (2, "c", "y", 7)])
    assert sorted(made.set_many([(0, "a", "y", 9)])) == [Flip(1, best, True), Flip(2, best, False)]
    assert made.set_many([(0, "a", "z", 9)]) == [Flip(2, best, True)]
    made.check_invariants()


def test_a_batch_flips_what_differs_at_its_end() -> None:
    """Objects that change places within a batch do not flip; the last row of an object counts."""
    made = ranking(TOP_2, a=9, b=8, c=7)
    assert made.set_many([(0, "a", EVERYONE, 8), (1, "b", EVERYONE, 9)]) == []
    rows: list[Row] = [(2, "c", EVERYONE, 10), (0, "a", EVERYONE, 1), (2, "c", EVERYONE, 1), (0, "a", EVERYONE, 9)]
    assert made.set_many(rows) == []
    made.check_invariants()


def test_cut_offs_come_and_go_beside_others() -> None:
    """A new one knows at once who is inside; flips of one that went are told no longer."""
    made = ranking(TOP_2, a=9, b=8, c=7)
    assert list(made.add_cutoff(HALF)) == [0, 1]
    made.remove_cutoff(TOP_2)
    assert sorted(made.set_many([(2, "c", EVERYONE, 10)])) == [Flip(1, HALF, False), Flip(2, HALF, True)]
    assert (made.is_inside(2, HALF), made.is_inside(1, HALF), made.is_inside(77, HALF)) == (True, False, False)
    made.check_invariants()


# --------------------------------------------------------------------------- how much work


@total_ordering
class Counted:
    """A number that counts how often it is compared."""

    comparisons: ClassVar[int] = 0

    def __init__(self, value: int) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        Counted.comparisons += 1
        return isinstance(other, Counted) and self.value == other.value

    def __lt__(self, other: Counted) -> bool:
        Counted.comparisons += 1
        return self.value < other.value

    def __neg__(self) -> Counted:
        return Counted(-self.value)

    __hash__ = None  # type: ignore[assignment]  # values are ordered, never looked up


@pytest.mark.parametrize("n_values", [10**6, 20], ids=["few ties", "many ties"])
@pytest.mark.parametrize("with_ties", [False, True])
def test_a_change_looks_at_the_flips_and_at_little_else(with_ties: bool, n_values: int) -> None:
    """Whatever the number of objects: entries as many as flips, and searches of logarithmic length."""
    draw = random.Random(1)
    cutoffs = [Cutoff(10, ties=with_ties), Cutoff(100, ties=with_ties), Cutoff(10, True, with_ties)]
    for n_objects in (300, 30_000):
        made = serving(*cutoffs)
        made.set_many((n, f"c{n}", EVERYONE, Counted(draw.randrange(n_values))) for n in range(n_objects))
        for step in range(200):
            number = draw.randrange(n_objects)
            value = Counted(draw.randrange(n_values)) if step % 9 else None
            Counted.comparisons, made.examined = 0, 0
            flips = made.set_many([(number, f"c{number}", EVERYONE, value)])
            assert made.examined <= 1 + 2 * len(cutoffs) + len(flips)
            assert Counted.comparisons <= 30 * len(cutoffs) * math.log2(n_objects)


def test_a_change_in_one_group_leaves_the_others_alone() -> None:
    """Thousands of groups cost nothing but the search."""
    made = serving(TOP_2, HALF)
    made.set_many((n, f"c{n}", n % 5_000, n) for n in range(20_000))
    made.examined = 0
    made.set_many([(7, "c7", 7, 10**6)])
    assert made.examined <= 1 + 2 * 2 + 4


# -------------------------------------------------------------------------------- all of it

cutoffs = st.builds(
    Cutoff,
    st.integers(0, 6) | st.sampled_from([Decimal("33.3"), Decimal("12.5"), 20, 50, 100]),
    st.booleans(),
    st.booleans(),
)
values = st.none() | st.integers(-2, 2) | st.sampled_from([0.0, -0.0, 1.5, Decimal("1.5"), Decimal("-0.5")])
rows = st.tuples(st.integers(0, 11), st.sampled_from([None, "x", "y", "z"]), values)


@PARTS
@given(
    st.booleans(),
    st.lists(cutoffs, max_size=4, unique=True),
    st.permutations([f"c{n}" for n in range(12)]),
    st.lists(st.lists(rows, max_size=14), max_size=12),
)
def test_flips_lead_from_one_plain_ranking_to_the_next(
    is_top: bool, cutoffs: list[Cutoff], ids: list[str], batches: list[list[tuple[int, str | None, Any]]]
) -> None:
    """After each batch the members are those of the plain ranking, and the flips are the difference, each once."""
    made = serving(*cutoffs, is_top=is_top)
    facts: dict[int, Row] = {}
    before: set[tuple[int, Cutoff]] = set()
    for batch in batches:
        new: list[Row] = [(number, ids[number], group, value) for number, group, value in batch]
        flips = made.set_many(new)
        facts |= {row[0]: row for row in new}
        after = {(number, cutoff) for cutoff in cutoffs for number in plainly(facts, cutoff, is_top)}
        assert sorted(map(repr, flips)) == sorted(
            repr(Flip(number, cutoff, (number, cutoff) in after)) for number, cutoff in before ^ after
        )
        for cutoff in cutoffs:
            assert {(number, cutoff) for number in made.members(cutoff)} == {p for p in after if p[1] == cutoff}
        made.check_invariants()
        before = after


@pytest.mark.parametrize("ties", [False, True])
@PARTS
@given(
    st.booleans(),
    st.lists(st.integers(0, 3), min_size=3, max_size=9),
    st.lists(st.tuples(st.integers(0, 8), st.none() | st.integers(0, 3)), max_size=30),
)
def test_single_steps_among_ties_look_at_every_cut_off_that_they_cross(
    ties: bool, is_top: bool, first: list[int], steps: list[tuple[int, int | None]]
) -> None:
    """Into a tie at the edge, out of it, along it and past it, when few values are left to have."""
    cutoffs = [Cutoff(1, ties=ties), Cutoff(3, ties=ties), Cutoff(50, True, ties)]
    made = serving(*cutoffs, is_top=is_top)
    facts: dict[int, Row] = {number: (number, f"c{number}", EVERYONE, value) for number, value in enumerate(first)}
    made.set_many(facts.values())
    for number, value in steps:
        facts[number] = (number, f"c{number}", EVERYONE, value)
        made.set_many([facts[number]])
        made.check_invariants()
        for cutoff in cutoffs:
            assert set(made.members(cutoff)) == plainly(facts, cutoff, is_top)


@PARTS
@given(st.booleans(), st.lists(rows, min_size=1, max_size=30), st.lists(rows, max_size=6))
def test_setting_the_rows_of_before_again_returns_the_opposite_flips(
    is_top: bool, first: list[tuple[int, str | None, Any]], second: list[tuple[int, str | None, Any]]
) -> None:
    """A batch that could not be kept is taken back in the same way."""
    cutoffs = [TOP_2, TOP_2_TIES, HALF]
    made = serving(*cutoffs, is_top=is_top)
    facts: dict[int, Row] = {number: (number, f"c{number}", group, value) for number, group, value in first}
    made.set_many(facts.values())
    members = [made.members(cutoff) for cutoff in cutoffs]
    before = [facts.get(number, (number, f"c{number}", None, None)) for number, _, _ in second]
    flips = made.set_many((number, f"c{number}", group, value) for number, group, value in second)
    back = made.set_many(before)
    assert {(n, c, not entered) for n, c, entered in flips} == set(back)
    assert [made.members(cutoff) for cutoff in cutoffs] == members
    made.check_invariants()


def test_a_large_ranking_follows_a_stream_of_single_and_many_changes() -> None:
    """Long enough for the sorted list to split, merge and be made again."""
    draw = random.Random(2)
    cutoffs = [Cutoff(100), Cutoff(10, True), Cutoff(Decimal("0.5"), True, True)]
    made = serving(*cutoffs, is_top=False)
    facts: dict[int, Row] = {}
    members: dict[Cutoff, set[int]] = {cutoff: set() for cutoff in cutoffs}
    for size in (4_000, 1, 5, 3_000, 1, 200, 1, 3_900, 1, 1, 700):
        batch: list[Row] = []
        for number in draw.sample(range(5_000), size):
            value = draw.choice([None, draw.randrange(1_000), draw.randrange(10**9)])
            batch.append((number, f"c{number}", number % 3, value))
        flips = made.set_many(batch)
        facts |= {row[0]: row for row in batch}
        for cutoff in cutoffs:
            now = plainly(facts, cutoff, is_top=False)
            assert {f.number for f in flips if f.cutoff == cutoff} == members[cutoff] ^ now
            assert set(made.members(cutoff)) == now
            members[cutoff] = now
    made.check_invariants()

"""Strata: no node is settled before one that it reads, and a circle is found before it is closed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from segmentkit.index._strata import Strata, find_levels
from tests.examples import PARTS


def strata_of(**reads: str) -> Strata[str]:
    """Return strata of nodes that each read the letters of a word."""
    strata = Strata[str]()
    for key, word in reads.items():
        strata.put(key, word)
    return strata


def test_a_node_that_reads_facts_alone_is_at_the_bottom() -> None:
    """So is one that reads nothing; one that reads both stands on the node."""
    strata = strata_of(a="", b="X", c="Xb", d="abX")
    assert [strata.level(key) for key in "abcd"] == [0, 0, 1, 1]


def test_the_end_of_a_diamond_is_above_both_sides() -> None:
    """However unequal they are."""
    strata = strata_of(a="X", b="a", c="b", d="ac")
    assert [strata.level(key) for key in "abcd"] == [0, 1, 2, 3]


def test_readers_rise_and_sink_with_what_they_read() -> None:
    """A node comes late, reads something else, and goes."""
    strata = strata_of(b="a", c="b")
    assert [strata.level(key) for key in "bc"] == [0, 1]
    strata.put("a", "X")
    assert [strata.level(key) for key in "abc"] == [0, 1, 2]
    strata.put("X", "")
    assert [strata.level(key) for key in "Xabc"] == [0, 1, 2, 3]
    strata.put("b", "X")
    assert [strata.level(key) for key in "Xabc"] == [0, 1, 1, 2]
    strata.remove("X")
    assert [strata.level(key) for key in "abc"] == [0, 0, 1]
    strata.check_invariants()


def test_a_node_may_read_another_twice() -> None:
    """That counts once, also when it goes."""
    strata = strata_of(a="X", b="aa", c="ba")
    assert [strata.level(key) for key in "abc"] == [0, 1, 2]
    strata.remove("b")
    assert (["a" in strata, "b" in strata, "c" in strata], strata.level("c")) == ([True, False, True], 1)
    strata.check_invariants()


@pytest.mark.parametrize(
    ("key", "reads", "path"),
    [
        ("a", "a", "aa"),
        ("a", "Xb", "aba"),
        ("a", "d", "adba"),
        ("a", "cd", "acba"),
        ("a", "db", "aba"),
        ("a", "X", None),
        ("e", "abcd", None),
        ("c", "bd", None),
        ("X", "c", "XcX"),
        ("new", "a", None),
    ],
)
def test_the_shortest_circle_is_found_before_it_is_closed(key: str, reads: str, path: str | None) -> None:
    """Also one through what was given so far; a circle begins and ends with the node."""
    strata = strata_of(a="X", b="aX", c="bX", d="bX")
    assert strata.cycle_of(key, reads) == (None if path is None else tuple(path))
    strata.check_invariants()


def test_a_circle_is_refused() -> None:
    """Whoever did not ask is told; nothing changes."""
    strata = strata_of(a="X", b="a")
    with pytest.raises(AssertionError, match=r"'a' reads itself: \('a', 'b', 'a'\)"):
        strata.put("a", "b")
    strata.check_invariants()
    with pytest.raises(AssertionError, match=r"a circle among \['a', 'b'\]"):
        find_levels({"a": "b", "b": "a", "c": ""})


def test_a_chain_of_ten_thousand_needs_no_recursion() -> None:
    """From either end, and a circle through all of it."""
    forward, backward = Strata[int](), Strata[int]()
    for n in range(10_000):
        forward.put(n, [n - 1])
    assert forward.level(9_999) == 9_999
    circle = forward.cycle_of(0, [9_999])
    assert circle is not None
    assert len(circle) == 10_001
    forward.put(-1, [])
    assert forward.level(9_999) == 10_000
    for n in range(300, 0, -1):
        backward.put(n, [n - 1])
    assert backward.level(300) == 299


def plain_levels(reads: dict[str, str]) -> dict[str, int]:
    """Return the levels by raising until nothing rises; a level above the number of nodes is a circle."""
    levels = dict.fromkeys(reads, 0)
    for _ in range(len(reads) + 1):
        levels = {
            key: max((levels[other] + 1 for other in word if other in levels), default=0) for key, word in reads.items()
        }
    return levels


steps = st.tuples(st.sampled_from("abcdef"), st.none() | st.text("abcdefX", max_size=3))


@PARTS
@given(st.lists(steps, max_size=30))
def test_levels_and_circles_are_the_plain_ones_after_every_step(steps: list[tuple[str, str | None]]) -> None:
    """Nodes are added in any order, replaced and removed; what would close a circle is found and left out."""
    strata, reads = Strata[str](), dict[str, str]()
    for key, word in steps:
        if word is None:
            if key in reads:
                strata.remove(key)
                del reads[key]
            continue
        changed = reads | {key: word}
        circle = strata.cycle_of(key, word)
        assert (circle is not None) == (max(plain_levels(changed).values()) > len(changed) - 1)
        if circle is not None:
            assert (circle[0], circle[-1]) == (key, key)
            assert all(after in changed[before] for before, after in pairwise(circle))
            continue
        strata.put(key, word)
        reads = changed
        strata.check_invariants()
        assert {key: strata.level(key) for key in reads} == plain_levels(reads) == find_levels(reads)

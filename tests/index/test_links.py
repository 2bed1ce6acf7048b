"""Links: whatever form the set of sources has, it is the set of those that point to the target."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import pytest
from hypothesis import given, strategies as st
from pyroaring import BitMap

from segmentkit.index._links import Links
from tests.examples import PARTS


def links_of(numbers: Iterable[int]) -> Links:
    """Return links of objects to one target, "acme"."""
    links = Links()
    for number in numbers:
        links.link(number, "acme")
    return links


def test_a_target_that_nobody_points_to_has_no_sources() -> None:
    """It was never heard of, or its last source went elsewhere."""
    links = Links()
    assert (list(links.sources("acme")), links.count("acme"), links.bitmap("acme")) == ([], 0, BitMap())
    links.link(1, "acme")
    links.unlink(1, "acme")
    assert (list(links.sources("acme")), links.count("acme")) == ([], 0)
    links.check_invariants()


def test_linking_again_and_unlinking_a_stranger_change_nothing() -> None:
    """In each form of the set: none, one, few, many."""
    for size in (0, 1, 5, 500):
        links = links_of(range(size))
        assert not links.unlink(1_000, "acme")
        assert not any(links.link(number, "acme") for number in range(size))
        assert links.count("acme") == size
        links.check_invariants()


@pytest.mark.parametrize("order", [range(200), range(199, -1, -1), [n * 77 % 200 for n in range(200)]])
def test_sources_come_in_ascending_order_at_every_size(order: list[int]) -> None:
    """While they gather one by one, and while they go."""
    links = Links()
    seen: set[int] = set()
    for change, effect in ((links.link, seen.add), (links.unlink, seen.discard)):
        for number in order:
            assert change(number, "acme")
            effect(number)
            assert list(links.sources("acme")) == sorted(seen)
            links.check_invariants()


def test_sources_at_the_edge_of_a_form_are_not_converted_by_each_change() -> None:
    """A bitmap stays one when it loses the source that made it a bitmap."""
    links = links_of(range(65))
    kept = links.sources("acme")
    for _ in range(3):
        links.unlink(64, "acme")
        links.link(64, "acme")
        assert links.sources("acme") is kept


def test_a_bitmap_belongs_to_who_asked_for_it() -> None:
    """Taking from it leaves the links alone, and the links leave it alone."""
    links = links_of(range(1_000))
    own = links.bitmap("acme")
    own.clear()
    links.unlink(0, "acme")
    assert (links.count("acme"), own) == (999, BitMap())


def test_links_take_little_memory_for_small_and_for_large_targets() -> None:
    """Less than 150 bytes for a target of one source, less than two bytes for a source among many."""
    small, large = Links(), links_of(range(100_000))
    for number in range(10_000):
        small.link(number, f"company {number}")
    assert small.nbytes < 150 * 10_000
    assert large.nbytes < 2 * 100_000
    assert large.nbytes > sys.getsizeof({})


steps = st.tuples(st.booleans(), st.integers(0, 70), st.sampled_from("ab"))


@PARTS
@given(st.lists(steps, max_size=300), st.sets(st.integers(0, 200), max_size=150))
def test_links_are_a_dictionary_of_sets(steps: list[tuple[bool, int, str]], many: set[int]) -> None:
    """Whatever is linked and unlinked, in whatever order."""
    links = Links()
    expected: dict[str, set[int]] = {"a": set(many), "b": set()}
    assert all(links.link(number, "a") for number in many)
    for is_link, number, target in steps:
        changed = (number in expected[target]) is not is_link
        if is_link:
            assert links.link(number, target) is changed
            expected[target].add(number)
        else:
            assert links.unlink(number, target) is changed
            expected[target].discard(number)
    links.check_invariants()
    for target, numbers in expected.items():
        assert list(links.sources(target)) == list(links.bitmap(target)) == sorted(numbers)
        assert links.count(target) == len(numbers)

"""Segments that refer to segments: what a filter refers to, and the order of many."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from segmentkit.dsl._dependencies import evaluation_order, segments_read
from segmentkit.errors import CycleError
from tests.dsl.related import read
from tests.examples import PARTS


def test_a_filter_refers_to_the_segments_in_all_its_brackets() -> None:
    """Also to those inside related objects, and in what a rank goes by."""
    tree = read(
        "in segment 'Loyal' or company[was ever in segment 'Enterprise']"
        " or top 3 of (left segment 'Lapsed' today) by company.count(contacts[in segment 'Loyal'])"
    )
    assert segments_read(tree) == {"Loyal", "Enterprise", "Lapsed"}


def test_a_filter_without_segments_refers_to_none() -> None:
    assert segments_read(read("any deals[value > 3]")) == frozenset()


def test_a_segment_comes_after_those_that_it_refers_to() -> None:
    assert evaluation_order({"top": ["left", "right"], "left": ["base"], "right": ["base"], "base": []}) == [
        "base",
        "left",
        "right",
        "top",
    ]


def test_segments_that_do_not_refer_to_each_other_keep_their_order() -> None:
    assert evaluation_order({"b": [], "a": [], "c": ["elsewhere"]}) == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("references", "path"),
    [
        ({"A": ["A"]}, ("A", "A")),
        ({"A": ["B"], "B": ["A"]}, ("A", "B", "A")),
        ({"start": ["A"], "A": ["fine", "B"], "fine": [], "B": ["C"], "C": ["A"]}, ("A", "B", "C", "A")),
    ],
)
def test_a_circle_is_refused_with_its_path(references: dict[str, list[str]], path: tuple[str, ...]) -> None:
    with pytest.raises(CycleError) as caught:
        evaluation_order(references)
    assert caught.value.path == path
    assert " -> ".join(path) in str(caught.value)


def test_a_long_circle_is_told_in_a_line() -> None:
    """`path` has all segments; the message names the first ones, and how many there are."""
    with pytest.raises(CycleError) as caught:
        evaluation_order({str(number): [str((number + 1) % 5_000)] for number in range(5_000)})
    assert len(caught.value.path) == 5_001
    assert "5,000 segments refer to each other in a circle: 0 -> 1 ->" in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_long_chain_needs_no_stack() -> None:
    references = {str(number): [str(number + 1)] for number in range(20_000)}
    assert evaluation_order(references)[-1] == "0"


@PARTS
@given(st.lists(st.sets(st.integers(0, 9)), min_size=10, max_size=10))
def test_an_order_is_found_exactly_if_there_is_no_circle(reads: list[set[int]]) -> None:
    """An order has each name once, after all that it refers to; a circle found is one of the references."""
    references = {str(number): sorted(map(str, read)) for number, read in enumerate(reads)}
    order, path = _order(references)
    assert all(b in references[a] for a, b in pairwise(path))
    if path:
        assert path[0] == path[-1]
    else:
        assert sorted(order) == sorted(references)
        assert all(order.index(below) < order.index(name) for name in references for below in references[name])


def _order(references: dict[str, list[str]]) -> tuple[list[str], tuple[str, ...]]:
    """Return the order, or the circle."""
    try:
        return evaluation_order(references), ()
    except CycleError as error:
        return [], error.path

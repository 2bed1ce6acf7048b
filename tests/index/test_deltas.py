"""The vocabulary of change: masks and their bits, deltas made when looked at, and what cancels."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from segmentkit.index.deltas import Backfill, Delta, Deltas, Record, bits_of, consolidate, mask_of, net_flips
from tests.examples import PARTS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@attrs.frozen
class Head:
    """A segment, as far as a record needs it."""

    name: str


HEADS = [Head("a"), Head("b"), None, Head("c")]


def record(seq: int, *flips: int, object_id: str = "c1", at: int = 5) -> Record:
    """Return the flips of one object over three segments."""
    return Record(seq, at, "contact", object_id, flips, HEADS, "update")


def delta(seq: int, segment: str, object_id: str, *, entered: bool) -> Delta:
    """Return one delta of a contact."""
    return Delta(segment, object_id, entered, EPOCH, seq, "update", object_type="contact")


THREE = [record(1, ~3, 1, ~0), Backfill(4, 7, "contact", "d", ("c2", "c3"), True, "define"), record(6, 0)]


# -------------------------------------------------------------------------------- masks

bit_sets = st.frozensets(st.integers(0, 40) | st.integers(500, 530) | st.integers(0, 5_000))


@PARTS
@given(bit_sets)
def test_the_bits_of_a_mask_are_the_places_of_its_ones(bits: frozenset[int]) -> None:
    """Lowest first, for masks of a word and of many."""
    mask = sum(1 << bit for bit in bits)
    assert bits_of(mask) == [place for place, digit in enumerate(reversed(f"{mask:b}")) if digit == "1"]


@PARTS
@given(bit_sets, st.integers(0, 9))
def test_a_mask_of_bits_has_ones_in_those_places(bits: frozenset[int], more: int) -> None:
    """Given in any order, twice or once, with room to spare or none."""
    n_bits = max(bits, default=0) + 1 + more
    assert mask_of([*bits, *bits], n_bits) == sum(1 << bit for bit in bits)


def test_no_bits_are_no_mask() -> None:
    """Nothing set is 0, for however many places."""
    assert (bits_of(0), mask_of([], 0), mask_of([], 5_000)) == ([], 0, 0)


# ------------------------------------------------------------------------------- deltas


def test_a_record_stands_for_the_deltas_of_its_flips() -> None:
    """In the order of the segments, numbered from its own number on, each entered or left."""
    assert list(record(3, 3, ~1, 0).iter_deltas()) == [
        Delta("a", "c1", True, EPOCH + timedelta(microseconds=5), 3, "update", False, "contact"),
        Delta("b", "c1", False, EPOCH + timedelta(microseconds=5), 4, "update", False, "contact"),
        Delta("c", "c1", True, EPOCH + timedelta(microseconds=5), 5, "update", False, "contact"),
    ]


def test_a_backfill_stands_for_one_delta_an_object() -> None:
    """All of one segment, marked as coming from its definition."""
    found = list(Backfill(4, 7, "contact", "d", ("c2", "c3"), False, "drop").iter_deltas())
    assert [(d.segment, d.object, d.entered, d.seq, d.cause, d.backfill) for d in found] == [
        ("d", "c2", False, 4, "drop", True),
        ("d", "c3", False, 5, "drop", True),
    ]


def test_deltas_are_a_sequence_numbered_without_gaps() -> None:
    """Length, order, indices from both ends, slices and membership are those of the list."""
    deltas = Deltas(THREE)
    expected = list(deltas)
    assert len(deltas) == 6
    assert [d.seq for d in deltas] == [1, 2, 3, 4, 5, 6]
    assert [deltas[i] for i in range(6)] == expected
    assert [deltas[i] for i in range(-6, 0)] == expected
    assert (deltas[1:4], deltas[::-1], deltas[4:]) == (expected[1:4], expected[::-1], expected[4:])
    assert expected[3] in deltas
    assert list(reversed(deltas)) == expected[::-1]
    for index in (6, -7):
        with pytest.raises(IndexError, match="of 6"):
            deltas[index]


def test_deltas_equal_lists_with_the_same_deltas() -> None:
    """And other deltas, but nothing else; they are no keys of dictionaries."""
    deltas = Deltas(THREE)
    assert deltas == list(deltas)
    assert deltas == Deltas(list(THREE))
    assert deltas != Deltas(THREE[:2])
    assert deltas != [*list(deltas)[:-1], deltas[-1]._replace(seq=9)]
    assert Deltas([]) == []
    assert deltas != "deltas"
    with pytest.raises(TypeError, match="unhashable"):
        hash(deltas)


def test_the_length_of_deltas_needs_no_delta() -> None:
    """Records count their flips: with heads that cannot be read, length and truth are known all the same."""
    blind: list[Any] = []
    deltas = Deltas([Record(1, 5, "contact", "c1", (~0, ~1, ~2), blind, "time")])
    assert (len(deltas), bool(deltas)) == (3, True)
    with pytest.raises(IndexError):
        list(deltas)


def test_no_deltas_are_false() -> None:
    """As an empty list is."""
    assert not Deltas([])
    assert (len(Deltas([])), list(Deltas([])), repr(Deltas([]))) == (0, [], "[]")


def test_many_deltas_show_the_first_ten_and_their_number() -> None:
    """A million deltas do not fill a terminal."""
    shown = repr(Deltas([record(i + 1, 0, object_id=f"c{i}") for i in range(12)]))
    assert (shown.count("Delta("), shown.endswith(", ... 2 more]")) == (10, True)


# -------------------------------------------------------------------------- consolidation


def test_an_entry_and_an_exit_cancel() -> None:
    """What flips twice did not flip; other pairs do not matter for it."""
    entered = delta(1, "s", "c1", entered=True)
    other = delta(2, "t", "c1", entered=True)
    third = delta(3, "s", "c2", entered=True)
    left = delta(4, "s", "c1", entered=False)
    assert consolidate([entered, other, third, left]) == [other, third]


def test_of_an_odd_number_of_flips_the_last_stays() -> None:
    """In its own place in the order."""
    flips = [delta(seq, "s", "c1", entered=seq % 2 == 1) for seq in (1, 2, 3)]
    between = delta(2, "t", "c1", entered=True)
    assert consolidate([flips[0], flips[1], between, flips[2]]) == [between, flips[2]]


def test_objects_of_two_types_with_one_id_do_not_cancel() -> None:
    """A pair is one of a segment and an object of its type."""
    contact = delta(1, "s", "x", entered=True)
    company = delta(2, "s", "x", entered=False)._replace(object_type="company")
    assert consolidate([contact, company]) == [contact, company]


@PARTS
@given(st.lists(st.lists(st.integers(0, 5), unique=True), max_size=6))
def test_net_flips_lead_to_the_same_segments(turns: list[list[int]]) -> None:
    """What one lot of flips does and the next undoes is gone, whatever the order within a lot."""
    held: set[int] = set()
    net: tuple[int, ...] = ()
    for turn in turns:
        flips = tuple(~head if head in held else head for head in turn)
        held ^= set(turn)
        net = net_flips(net, flips)
    assert sorted(net) == sorted(held)


@PARTS
@given(st.lists(st.tuples(st.sampled_from("st"), st.sampled_from("xy"))))
def test_what_remains_leads_to_the_same_members(flips: list[tuple[str, str]]) -> None:
    """Consolidated or not, the changelog ends in the same memberships; doing it twice changes nothing."""
    counts: Counter[tuple[str, str]] = Counter()
    deltas = []
    for seq, pair in enumerate(flips, start=1):
        counts[pair] += 1
        deltas.append(delta(seq, *pair, entered=counts[pair] % 2 == 1))
    remaining = consolidate(deltas)
    assert {(d.segment, d.object) for d in remaining if d.entered} == {p for p, n in counts.items() if n % 2}
    assert all(d.entered for d in remaining)
    assert consolidate(remaining) == remaining

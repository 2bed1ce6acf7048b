"""Event histories: rows in the order of (at, id), whatever arrives when, and exact values in them."""

from __future__ import annotations

import struct
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from segmentkit import values as types
from segmentkit.index._events import MISSING_WORD, EventTable, doubles_in, id_of_tag, integer_of, tag_of_id
from segmentkit.schema import EventType
from tests.examples import PARTS

SMALLEST = -(2**63)


def table_of(*objects: int, **properties: types.ValueType) -> EventTable:
    """Return an empty table for the objects, which nobody follows the scale of."""
    return EventTable(EventType("purchase", properties), lambda: None)


def id_of(number: int, tag: int) -> str:
    return id_of_tag(tag)


def insert(table: EventTable, number: int, at: int, tag: int, **properties: Any) -> None:
    """Add an event without an id of its own."""
    table.insert(number, at, tag, table.accept(properties), id_of)


def seen(table: EventTable, number: int = 0) -> list[tuple[int, str]]:
    """Return instants and ids of an object's events, in order."""
    return [(fact.at, fact.id) for fact in table.facts(number, id_of_tag)]


# ------------------------------------------------------------------------------ order


def test_events_lie_in_the_order_of_their_instants() -> None:
    """A late event goes to its place, not to the end."""
    table = table_of(0)
    for tag, at in enumerate([50, 10, 30, -20], start=1):
        insert(table, 0, at, tag)
    assert [at for at, _ in seen(table)] == [-20, 10, 30, 50]
    assert [table.at(0, index) for index in range(4)] == [-20, 10, 30, 50]


def test_events_at_one_instant_without_ids_lie_in_the_order_of_arrival() -> None:
    """Their ids are numbers of arrival, so (at, id) says the same."""
    table = table_of(0)
    for tag in (1, 2, 10, 11):
        insert(table, 0, 5, tag)
    assert seen(table) == [(5, id_of_tag(tag)) for tag in (1, 2, 10, 11)]


def test_events_at_one_instant_with_ids_lie_in_the_order_of_the_ids() -> None:
    """The order of arrival does not matter."""
    table = table_of(0)
    ids = {-1: "b", -2: "a", -3: "c", 4: id_of_tag(4), -5: "~~"}
    for tag in ids:
        table.insert(0, 5, tag, (), lambda _, t: ids[t])
    assert [fact.id for fact in table.facts(0, ids.__getitem__)] == sorted(ids.values())


@PARTS
@given(st.lists(st.tuples(st.integers(-3, 3), st.sampled_from("abcdef")), unique_by=lambda event: event[1]))
def test_a_row_is_a_sorted_list(events: list[tuple[int, str]]) -> None:
    """In whatever order events arrive, they are read by (at, id)."""
    table = table_of(0)
    ids = {-tag: event_id for tag, (_, event_id) in enumerate(events, start=1)}
    for tag, (at, _) in zip(ids, events, strict=True):
        table.insert(0, at, tag, (), lambda _, t: ids[t])
    assert [(fact.at, fact.id) for fact in table.facts(0, ids.__getitem__)] == sorted(events)
    assert table.n_events == len(events)


@pytest.mark.parametrize("tag", [1, 42, 10**15 - 1])
def test_the_id_of_an_event_without_one_tells_its_tag(tag: int) -> None:
    """There and back; other ids have no tag."""
    assert tag_of_id(id_of_tag(tag)) == tag


@pytest.mark.parametrize(
    "event_id",
    ["", "~", "e-17", "~12", "~1000000000000000", "~00000000000000²³", "~" + "\u0660" * 16, "0000000000000001~"],
)
def test_an_id_of_another_shape_has_no_tag(event_id: str) -> None:
    """Only the engine's own ids are numbers."""
    assert tag_of_id(event_id) is None


def test_an_id_of_nothing_but_zeros_has_no_tag() -> None:
    """Tags count from 1: a host's id that looks like the engine's own with 0 in it is an id like any other."""
    assert tag_of_id("~0000000000000000") is None


# ------------------------------------------------------------------------------ values


def test_values_come_back_as_they_were_given() -> None:
    """Each type of property has its own form in the row."""
    table = table_of(
        0,
        count=types.integer,
        score=types.number,
        amount=types.decimal,
        paid=types.boolean,
        label=types.text,
        tags=types.text_set,
        place=types.point,
    )
    given_properties = {
        "count": 3,
        "score": 0.1,
        "amount": Decimal("19.90"),
        "paid": False,
        "label": "",
        "tags": frozenset({"vip"}),
        "place": (52.0, 21.0),
    }
    insert(table, 0, 5, 1, **given_properties)
    insert(table, 0, 6, 2)
    first, second = table.facts(0, id_of_tag)
    assert dict(first.properties) == given_properties
    assert dict(second.properties) == {"tags": frozenset()}
    assert table.values(0, 0) == tuple(given_properties.values())


@pytest.mark.parametrize("value", [SMALLEST, SMALLEST - 1, SMALLEST + 1, 2**63 - 1, 2**63, -(10**30)])
def test_an_integer_at_the_edge_of_a_word_is_no_missing_value(value: int) -> None:
    """Beside an ordinary one and a missing one, before and after it."""
    table = table_of(0, count=types.integer)
    for tag, count in enumerate([1, value, None], start=1):
        insert(table, 0, tag, tag, count=count)
    assert [table.values(0, index)[0] for index in range(3)] == [1, value, None]
    words = list(table.rows[0])[2 :: table.stride]
    assert [integer_of(word) for word in words if word != MISSING_WORD] == [1, value]
    assert seen(table) == [(tag, id_of_tag(tag)) for tag in (1, 2, 3)]


def test_a_decimal_with_more_places_rescales_the_rows_and_tells_it() -> None:
    """All rows of all objects, missing values aside, and other properties untouched."""
    told: list[str] = []
    table = EventTable(
        EventType("purchase", {"count": types.integer, "amount": types.decimal}), lambda: told.append("rescaled")
    )
    insert(table, 0, 1, 1, count=7, amount="19.90")
    insert(table, 0, 2, 2, count=8)
    insert(table, 1, 1, 3, count=9, amount=Decimal(2**62).scaleb(-2))
    assert told == []
    insert(table, 1, 2, 4, amount="0.0001")
    assert told == ["rescaled"]
    assert [table.values(0, index) for index in range(2)] == [(7, Decimal("19.9")), (8, None)]
    assert [table.values(1, index) for index in range(2)] == [
        (9, Decimal(2**62).scaleb(-2)),
        (None, Decimal("0.0001")),
    ]


@PARTS
@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False)))
def test_doubles_are_kept_bit_by_bit(values: list[float | None]) -> None:
    """Zero has no sign here, as its signs are equal; everything else comes back as it was."""
    table = table_of(0, score=types.number)
    for tag, value in enumerate(values, start=1):
        insert(table, 0, tag, tag, score=value)
    expected = [value + 0.0 for value in values if value is not None]
    words = [] if not values else table.rows[0][2 :: table.stride]
    assert doubles_in(words).tolist() == expected
    assert struct.pack(f"{len(expected)}d", *doubles_in(words)) == struct.pack(f"{len(expected)}d", *expected)


def test_unknown_and_wrong_properties_are_refused() -> None:
    """A name nobody declared is a KeyError, a value that does not fit a ValueError."""
    table = table_of(0, count=types.integer)
    with pytest.raises(KeyError, match="cuont"):
        table.accept({"cuont": 1})
    with pytest.raises(ValueError, match="integer"):
        table.accept({"count": "1"})


# ---------------------------------------------------------------------------- taking back


def test_an_event_taken_out_leaves_the_others() -> None:
    """Its values are let go, and the last one leaves no row."""
    table = table_of(0, label=types.text)
    for tag, label in enumerate(["a", "b", "a"], start=1):
        insert(table, 0, tag * 10, tag, label=label)
    index = table.find(0, 2)
    assert index == 1
    table.remove(0, index)
    assert seen(table) == [(10, id_of_tag(1)), (30, id_of_tag(3))]
    assert table.find(0, 2) is None
    table.remove(0, 1)
    table.remove(0, 0)
    assert (table.rows[0], table.n_events, seen(table)) == (None, 0, [])
    codec = table.codecs[0]
    assert codec.dictionary.code_by_value == {}


def test_clearing_an_object_leaves_the_other_objects() -> None:
    """And lets go of its values only."""
    table = table_of(0, 1, label=types.text)
    insert(table, 0, 1, 1, label="mine")
    insert(table, 0, 2, 2, label="both")
    insert(table, 1, 1, 3, label="both")
    table.clear(0)
    table.clear(0)
    assert (seen(table, 0), table.n_events) == ([], 1)
    assert dict(table.facts(1, id_of_tag)[0].properties) == {"label": "both"}
    assert set(table.codecs[0].dictionary.code_by_value) == {"both"}

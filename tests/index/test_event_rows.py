"""Rows in pages and outside of them: one mapping from numbers to words, however they are kept."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from segmentkit.index import _event_rows
from segmentkit.index._bulk_events import chosen, stretch
from segmentkit.index._event_rows import EventRows
from segmentkit.index._events import EventTable, id_of_tag
from segmentkit.schema import EventType
from segmentkit.values import integer
from tests.examples import PARTS
from tests.small_pages import fold_all, small_pages

N_OBJECTS = 9
LONG = 2**70


@pytest.fixture(autouse=True, scope="module")
def _small_pages() -> Iterator[None]:
    with small_pages():
        yield


numbers = st.integers(0, N_OBJECTS - 1)
steps = st.one_of(
    st.tuples(st.just("add"), numbers, st.integers(0, 50)),
    st.tuples(st.just("add long"), numbers, st.integers(0, 50)),
    st.tuples(st.just("remove"), numbers, st.integers(0, 5)),
    st.tuples(st.just("clear"), numbers, st.just(0)),
    st.tuples(st.just("fold"), numbers, st.just(0)),
)


def play(steps: list[tuple[str, int, int]]) -> tuple[EventTable, dict[int, list[tuple[int, int]]]]:
    """Return a table after the steps, and the instants and values that each object has, in order."""
    table = EventTable(EventType("visit", {"n": integer}), lambda: None)
    model: dict[int, list[tuple[int, int]]] = {number: [] for number in range(N_OBJECTS)}
    for tag, (step, number, at) in enumerate(steps, start=1):
        events = model[number]
        match step:
            case "add" | "add long":
                value = LONG if step == "add long" else at
                table.insert(number, at, tag, (value,), lambda _, tag: id_of_tag(tag))
                events.append((at, value))
                events.sort(key=lambda event: event[0])
            case "remove" if at < len(events):
                table.remove(number, at)
                del events[at]
            case "clear":
                table.clear(number)
                events.clear()
            case "fold":
                fold_all(table.rows)
    return table, model


def words(events: list[tuple[int, int]]) -> list[int]:
    """Return instants and values, without the tags."""
    return [word for event in events for word in event]


def read(row: Any) -> list[int]:
    """Return the instants and values in a row."""
    return [] if row is None else [word for place, word in enumerate(row) if place % 3 != 1]


@PARTS
@given(st.lists(steps, max_size=40))
def test_rows_are_what_was_put_wherever_they_are(steps: list[tuple[str, int, int]]) -> None:
    """Folding and taking out show in no row, and the count of events is right."""
    table, model = play(steps)
    for number in range(N_OBJECTS + 3):
        events = model.get(number, [])
        assert read(table.rows[number]) == words(events)
        assert [table.at(number, i) for i in range(len(events))] == [at for at, _ in events]
        assert [table.values(number, i) for i in range(len(events))] == [(value,) for _, value in events]
    assert table.n_events == sum(map(len, model.values()))
    assert {number for number in table.rows.iter_numbers() if table.rows[number]} == {n for n in model if model[n]}


@PARTS
@given(st.lists(steps, max_size=40), numbers, numbers, st.sets(numbers, min_size=1))
def test_arrays_of_many_rows_hold_what_the_rows_hold(
    steps: list[tuple[str, int, int]], start: int, length: int, picked: set[int]
) -> None:
    """Stretches leave lists out; a choice has none."""
    table, model = play(steps)
    listed = {n for n in model if type(table.rows[n]) is list}
    assert all(table.rows.any_list([n]) == (n in listed) for n in model)
    stop = min(start + length + 1, N_OBJECTS)
    in_order = [range(start, stop), sorted(picked - listed)]
    found = [stretch(table, start, stop), chosen(table, np.array(in_order[1], np.int64))]
    for asked, (rows, ends) in zip(in_order, found, strict=True):
        held = [[] if number in listed else model[number] for number in asked]
        assert ends.tolist() == np.cumsum([len(events) for events in held], dtype=int).tolist()
        assert rows[:, ::2].tolist() == [list(event) for events in held for event in events]


def test_rows_that_change_leave_their_page_and_return() -> None:
    """No more of them are outside than may be."""
    rows = EventRows()
    for number in range(_event_rows.PAGE):
        rows[number] = array("q", [number])
        assert len(rows) <= _event_rows._MOST_TAKEN
    fold_all(rows)
    assert len(rows) == 0
    assert [list(rows[number]) for number in range(_event_rows.PAGE)] == [[n] for n in range(_event_rows.PAGE)]
    assert rows.take(1) is rows[1]
    assert len(rows) == 1

"""Many objects, or many events of one name, go into a table at once.

What is left is what one `Put`, or one `Event`, after another leaves. Values are checked before.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._bulk_store import TooWideError, clear_values, event_words, extend, set_values
from segmentkit.index._bulk_values import Coded, Doubles, Pairs, Plain, Values, Words
from segmentkit.index._events import DictionaryCodec, EventTable, id_of_tag
from segmentkit.index._table import Table

_MISSING: Final = -(2**63)


def put_objects(table: Table, ids: Sequence[str], values_by_name: Mapping[str, Values], now: int) -> tuple[Array, int]:
    """Put objects, whose attributes that are not named are missing.

    Of rows with one id, the last one counts.

    Returns:
        The numbers of the objects, ascending, and the first number that is new.
    """
    row_by_id = dict(zip(ids, range(len(ids)), strict=True))
    rows = None if len(row_by_id) == len(ids) else np.fromiter(row_by_id.values(), np.int64, len(row_by_id))
    numbers, first_new = numbers_of(table, list(row_by_id), now)
    for name, column in table.columns.items():
        values = values_by_name.get(name)
        if values is None:
            clear_values(column, numbers[numbers < first_new])
        else:
            set_values(column, numbers, values if rows is None else taken(values, rows))
    return np.sort(numbers), first_new


def numbers_of(table: Table, ids: Sequence[str], now: int) -> tuple[Array, int]:
    """Return the numbers of objects, those created at `now` that are not there yet, and the first that is new."""
    known, first_new = table.number_by_id, len(table.ids)
    new = list(ids) if not known else [object_id for object_id in ids if object_id not in known]
    known.update(zip(new, range(first_new, first_new + len(new)), strict=True))
    table.ids.extend(new)
    table.born.extend([now] * len(new))
    if new:
        table.alive.add_range(first_new, first_new + len(new))
        for column in table.columns.values():
            extend(column, len(new))
        for events in table.events.values():
            events.rows.extend([None] * len(new))
    if len(new) == len(ids):
        return np.arange(first_new, first_new + len(new)), first_new
    return np.fromiter(map(known.__getitem__, ids), np.int64, len(ids)), first_new


def taken(values: Values, rows: Array) -> Values:
    """Return the values of some rows."""
    match values:
        case Words():
            return Words(values.values[rows], values.missing[rows], values.places)
        case Doubles():
            return Doubles(values.values[rows], values.missing[rows])
        case Coded():
            return Coded(values.codes[rows], values.values)
        case Pairs():
            return Pairs(values.values[rows])
        case Plain():
            return Plain([values.values[row] for row in rows.tolist()])


def add_events(
    table: Table,
    name: str,
    numbers: Array,
    ats: Array,
    *,
    ids: Sequence[str | None] | None,
    values_by_name: Mapping[str, Values],
) -> None:
    """Add events, in order of arrival, none of which is there yet.

    Raises:
        TooWideError: they hold a value that fits no machine word; nothing was added.
    """
    if not len(numbers):
        return
    events = table.events[name]
    touched = np.flatnonzero(np.bincount(numbers))
    if _has_lists(events, touched):
        raise TooWideError
    columns: list[Array | None] = [None] * len(events.names)
    order = sorted(range(len(events.names)), key=lambda i: isinstance(events.codecs[i], DictionaryCodec))
    for place in order:  # dictionaries last: once they hold something, nothing can go wrong any more
        values = values_by_name.get(events.names[place])
        if values is not None:
            columns[place] = event_words(events.codecs[place], values)
    if _has_lists(events, touched):
        raise TooWideError  # a scale has grown, and with it a value out of its word
    old = {number: row for number in touched.tolist() if (row := events.rows[number]) is not None}
    n_old = sum(map(len, old.values())) // events.stride
    words = np.full((n_old + len(numbers), events.stride), _MISSING, np.int64)
    words[n_old:, 0] = ats
    words[n_old:, 1] = tags_of(table, numbers, ids)
    for place, column in enumerate(columns, start=2):
        if column is not None:
            words[n_old:, place] = column
    owners = numbers
    if n_old:
        words[:n_old] = np.frombuffer(b"".join(old.values()), np.int64).reshape(-1, events.stride)
        counts = [len(row) // events.stride for row in old.values()]
        owners = np.concatenate((np.repeat(np.array(list(old), np.int64), counts), numbers))
    _lay_out(table, events, owners, words)
    events.n_events += len(numbers)


def _has_lists(events: EventTable, numbers: Array) -> bool:
    return list in {type(events.rows[number]) for number in numbers.tolist()}


def tags_of(table: Table, numbers: Array, ids: Sequence[str | None] | None) -> Array:
    """Return a tag for each event, and note the ids that the host gave."""
    first = table._last_tag + 1
    tags = np.arange(first, first + len(numbers), dtype=np.int64)
    table._last_tag += len(numbers)
    if ids is not None:
        tags_by_event_id = table._tags_by_event_id
        given = np.array([event_id is not None for event_id in ids], bool)
        tags[given] = -tags[given]
        for number, event_id, tag in zip(numbers.tolist(), ids, tags.tolist(), strict=True):
            if event_id is not None:
                tags_by_event_id.setdefault(number, {})[event_id] = tag
    return tags


def _lay_out(table: Table, events: EventTable, owners: Array, words: Array) -> None:
    """Make the rows of some objects from all of their events, which stand in order of arrival."""
    order = _order_of(owners, words[:, 0])
    owners, words = owners[order], words[order]
    _order_ties(table, owners, words)
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    ends = np.append(starts[1:], len(owners))
    size = 8 * events.stride
    view = words.reshape(-1).view(np.uint8).data
    rows = events.rows
    for number, start, end in zip(
        owners[starts].tolist(), (starts * size).tolist(), (ends * size).tolist(), strict=True
    ):
        row = array("q")
        row.frombytes(view[start:end])
        rows[number] = row


def _order_of(owners: Array, ats: Array) -> Array:
    """Return the order by owner, instant and arrival; logs mostly come in order of time, which saves most of it."""
    order = None if (ats[1:] >= ats[:-1]).all() else np.argsort(ats, kind="stable")
    for shift in (0, 16, 32):  # numpy sorts sixteen bits at a time in one pass
        digits = (owners >> shift & 0xFFFF).astype(np.uint16)
        if shift and not digits.any():
            continue
        step = np.argsort(digits if order is None else digits[order], kind="stable")
        order = step if order is None else order[step]
    assert order is not None
    return order


def _order_ties(table: Table, owners: Array, words: Array) -> None:
    """Put events of one object at one instant in order of their ids.

    Those without an id of the host's own are in order already: their ids count up as they arrive.
    """
    tied = (owners[1:] == owners[:-1]) & (words[1:, 0] == words[:-1, 0])
    if not tied.any():
        return
    steps = np.diff(np.concatenate(([False], tied, [False])).astype(np.int8))
    firsts, lasts = np.flatnonzero(steps > 0), np.flatnonzero(steps < 0)
    named = np.concatenate(([0], np.cumsum(words[:, 1] < 0)))
    for start, end in zip(firsts.tolist(), (lasts + 1).tolist(), strict=True):
        if named[end] == named[start]:
            continue
        id_by_tag = {tag: i for i, tag in table._tags_by_event_id[int(owners[start])].items()}
        ids = [id_of_tag(tag) if tag > 0 else id_by_tag[tag] for tag in words[start:end, 1].tolist()]
        words[start:end] = words[start:end][np.array(sorted(range(len(ids)), key=ids.__getitem__))]


__all__ = ["add_events", "numbers_of", "put_objects"]

"""Many objects, or many events of one name, go into a table at once.

What is left is what one `Put`, or one `Event`, after another leaves. Values are checked before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._bulk_layout import lay_out
from segmentkit.index._bulk_store import TooWideError, clear_values, event_words, extend, set_values
from segmentkit.index._bulk_values import Coded, Doubles, Pairs, Plain, Values, Words
from segmentkit.index._events import DictionaryCodec, EventTable
from segmentkit.index._table import Table


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
    if _any_list(events, numbers):
        raise TooWideError
    columns: list[Array | None] = [None] * len(events.names)
    coded = [isinstance(codec, DictionaryCodec) for codec in events.codecs]
    for is_coded in (False, True):  # dictionaries last: once they hold something, nothing may go wrong any more
        for place, name_of in enumerate(events.names):
            values = values_by_name.get(name_of)
            if coded[place] is is_coded and values is not None:
                columns[place] = event_words(events.codecs[place], values)
        if not is_coded and _any_list(events, numbers):
            raise TooWideError  # a scale has grown, and with it a value out of its word
    lay_out(table, events, numbers, (ats, tags_of(table, numbers, ids), *columns))


def _any_list(events: EventTable, numbers: Array) -> bool:
    return bool(events.rows.lists) and events.rows.any_list(numbers.tolist())


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


__all__ = ["add_events", "numbers_of", "put_objects", "tags_of"]

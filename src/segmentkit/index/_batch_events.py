"""Events of one name go into the histories of many objects, one for each.

Most come last in a history. So the words of all events are worked out together, and each event is one copy of
a few words to the end of a row; `_bulk_load.add_events`, for many events of each object, sorts histories anew.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

import numpy as np

from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._bulk_load import tags_of
from segmentkit.index._bulk_store import event_words
from segmentkit.index._bulk_values import Values
from segmentkit.index._events import DictionaryCodec
from segmentkit.index._table import Table


def insert_events(
    table: Table,
    name: str,
    numbers: Array,
    ats: Array,
    *,
    ids: Sequence[str | None] | None,
    values_by_name: Mapping[str, Values],
) -> Array:
    """Add events that are not there yet, each to another object; return their tags.

    Raises:
        TooWideError: they hold a value that fits no machine word; nothing was added.
    """
    events = table.events[name]
    words = np.empty((len(numbers), events.stride), np.int64)
    order = sorted(range(len(events.names)), key=lambda i: isinstance(events.codecs[i], DictionaryCodec))
    for place in order:  # dictionaries last: once they hold something, nothing can go wrong any more
        words[:, 2 + place] = event_words(events.codecs[place], values_by_name[events.names[place]])
    words[:, 0] = ats
    words[:, 1] = tags = tags_of(table, numbers, ids)
    rows, stride, size = events.rows, events.stride, 8 * events.stride
    data = memoryview(words.tobytes())
    start = 0
    for number, at in zip(numbers.tolist(), ats.tolist(), strict=True):
        row = rows.take(number)
        if type(row) is array and row[-stride] < at:
            row.frombytes(data[start : start + size])
        elif row is None:
            row = array("q", data[start : start + size].tobytes())
            rows[number] = row
        else:
            events.insert_words(number, words[start // size].tolist(), table.event_id)
        start += size
    events.n_events += len(numbers)
    return tags

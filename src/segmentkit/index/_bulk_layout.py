"""Many events of one name go into the histories of a table at once.

They are parted by page first, so that the sorting within a page, and the gathering of its words, stays in the
processor's cache. A page of which many objects get events is laid out anew; where there are few, the rows of
these are made (`bench_bulk`, loading).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final

import numpy as np

from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._bulk_events import chosen, stretch
from segmentkit.index._event_rows import PAGE, PAGE_BITS, memory_of
from segmentkit.index._events import EventTable, id_of_tag
from segmentkit.index._table import Table

_MISSING: Final = -(2**63)
_FEW: Final = 8  # a page is laid out anew if one object in so many gets events


def lay_out(table: Table, events: EventTable, numbers: Array, columns: Sequence[Array | None]) -> None:
    """Add events to the histories.

    Args:
        table: whose event ids decide among events of one instant.
        events: of the table; none of the objects has a row that is a list.
        numbers: the object of each event, in order of arrival.
        columns: the instants, the tags, then the words of each property; None is all missing.
    """
    pages = numbers >> PAGE_BITS
    ends = np.cumsum(np.bincount(pages)).tolist()
    order = None if len(ends) == 1 else _stable_order(pages)
    for page, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        if start < end:
            part = slice(start, end) if order is None else order[start:end]
            found = [None if column is None else column[part] for column in columns]
            _lay_out_page(table, events, page, numbers[part] - (page << PAGE_BITS), found)
    events.n_events += len(numbers)


def _lay_out_page(table: Table, events: EventTable, page: int, places: Array, columns: Sequence[Array | None]) -> None:
    """Add events to the histories of one page; `places` are of their objects in it."""
    first = page << PAGE_BITS
    n_objects = min(PAGE, len(table.ids) - first)
    touched = np.flatnonzero(np.bincount(places, minlength=n_objects))
    is_anew = len(touched) * _FEW >= n_objects
    old, old_ends = stretch(events, first, first + n_objects) if is_anew else chosen(events, first + touched)
    new = np.full((len(places), events.stride), _MISSING, np.int64)
    for place, column in enumerate(columns):
        if column is not None:
            new[:, place] = column
    if len(old):
        owners = np.arange(n_objects) if is_anew else touched
        places = np.concatenate((np.repeat(owners, np.diff(old_ends, prepend=0)), places))
        new = np.concatenate((old, new))
    order = _order_of(places, new[:, 0])
    places = places[order]
    data = memory_of(8 * new.size)
    words = np.take(new, order, axis=0, out=np.frombuffer(data, np.int64).reshape(new.shape), mode="clip")
    _order_ties(table, first + places, words)
    ends = np.cumsum(np.bincount(places, minlength=n_objects) * events.stride)
    if is_anew:
        bounds = array("i", [0])
        bounds.frombytes(ends.astype(np.int32).tobytes())
        events.rows.replace(page, data, bounds)
        return
    starts = ends[touched - 1] * (touched > 0)
    for place, start, end in zip(touched.tolist(), starts.tolist(), ends[touched].tolist(), strict=True):
        events.rows[first + place] = array("q", data[8 * start : 8 * end])


def _stable_order(pages: Array) -> Array:
    few = pages.astype(np.uint16 if not len(pages) or pages.max() < 2**16 else np.uint32)
    return np.argsort(few, kind="stable")  # of sixteen bits in one pass


def _order_of(places: Array, ats: Array) -> Array:
    """Return the order by object, instant and arrival; logs mostly come in order of time, which saves half of it."""
    digits = places.astype(np.uint16)  # which numpy sorts in one pass
    if (ats[1:] >= ats[:-1]).all():
        return np.argsort(digits, kind="stable")
    order = np.argsort(ats, kind="stable")
    found: Array = order[np.argsort(digits[order], kind="stable")]
    return found


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


__all__ = ["lay_out"]

"""Event histories as arrays: read from the pages of an event table, and laid out into them.

Bounds and ends count events here, not words.
"""

from __future__ import annotations

from itertools import repeat
from typing import Final

import numpy as np

from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._event_rows import PAGE, PAGE_BITS, EventRows
from segmentkit.index._events import EventTable

BEGINNING: Final = -(2**62)
"""An instant before all others."""


def stretch(events: EventTable, start: int, stop: int) -> tuple[Array, Array]:
    """Return the events of the objects from `start` to before `stop`, a row of words for each, and where each's end.

    Histories that are lists are left out. What is returned may be what is kept: it is not to be written to.
    """
    rows, stride = events.rows, events.stride
    counts = np.zeros(stop - start, np.int64)
    pieces = []
    for index in range(start >> PAGE_BITS, min((stop - 1 >> PAGE_BITS) + 1, len(rows.pages))):
        words, bounds = _current(rows, index)
        first = index << PAGE_BITS
        begin, end = max(start - first, 0), min(stop - first, len(bounds) - 1)
        if begin < end:
            pieces.append(words[bounds[begin] : bounds[end]])
            counts[first + begin - start : first + end - start] = np.diff(bounds[begin : end + 1])
    words = pieces[0] if len(pieces) == 1 else np.concatenate([np.zeros(0, np.int64), *pieces])
    return words.reshape(-1, stride), np.cumsum(counts // stride)


def _current(rows: EventRows, index: int) -> tuple[Array, Array]:
    """Return words and bounds of a page with the rows that are outside of it."""
    page = rows.pages[index]
    data, bounds = rows.spliced(index) if page.taken else (page.data, page.bounds)
    return np.frombuffer(data, np.int64), np.frombuffer(bounds, np.int32)


def chosen(events: EventTable, numbers: Array) -> tuple[Array, Array]:
    """Return the same for objects with ascending numbers, none of whose histories is a list."""
    rows, stride = events.rows, events.stride
    counts = np.zeros(len(numbers), np.int64)
    froms = np.zeros(len(numbers), np.int64)  # where the events of each begin in its page
    cuts = np.searchsorted(numbers, np.arange(len(rows.pages) + 1) << PAGE_BITS).tolist()
    for page, first, begin, end in zip(rows.pages, range(0, 2**62, PAGE), cuts, cuts[1:], strict=False):
        bounds = np.frombuffer(page.bounds, np.int32)
        places = np.minimum(numbers[begin:end, None] - first + np.arange(2), len(bounds) - 1)
        there = bounds[places] // stride
        froms[begin:end], counts[begin:end] = there[:, 0], there[:, 1] - there[:, 0]
    found = list(map(rows.get, numbers.tolist(), repeat(_INSIDE)))
    outside = [place for place, row in enumerate(found) if row is not _INSIDE]
    own = [found[place] or b"" for place in outside]
    counts[outside] = [len(row) // stride for row in own]
    ends = np.cumsum(counts)
    words = np.empty((int(counts.sum()), stride), np.int64)
    is_inside = np.ones(len(numbers), bool)
    is_inside[outside] = False
    for page, begin, end in zip(rows.pages, cuts, cuts[1:], strict=False):
        inside = begin + np.flatnonzero(is_inside[begin:end])
        there = ranges((ends - counts)[inside], counts[inside])
        words[there] = np.frombuffer(page.data, np.int64).reshape(-1, stride)[ranges(froms[inside], counts[inside])]
    if own:
        there = ranges((ends - counts)[outside], counts[outside])
        words[there] = np.frombuffer(b"".join(own), np.int64).reshape(-1, stride)
    return words, ends


_INSIDE = object()  # what stands for the row of an object that is in its page


def nth_newest(words: Array, starts: Array, ends: Array, n_words: int) -> Array:
    """Return when the event was whose words begin so many before each end; `BEGINNING` where that is before the start.

    >>> nth_newest(np.array([5, 1, 7, 1]), np.array([0, 4]), np.array([4, 4]), 2).tolist() == [7, BEGINNING]
    True
    """
    places = ends - n_words
    found: Array = words[np.maximum(places, 0)]
    found[places < starts] = BEGINNING
    return found


def ranges(starts: Array, counts: Array) -> Array:
    """Return the numbers of some stretches, one stretch after another.

    >>> ranges(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    numbers: Array = np.arange(total) + np.repeat(starts - ends + counts, counts)
    return numbers

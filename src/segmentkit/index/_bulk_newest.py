"""The nth newest event of each object, read from where it lies.

A filter that is new asks of a million histories only when one event of each was. Laid out as arrays, these
histories are copied whole; here a look goes straight to the event in its page, or, where the filter asks for one
value of a coded property, to the events with its code, which a page sorts but once (`bench_bulk`, new filters).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._event_features import NthFeature
from segmentkit.index._event_rows import PAGE, PAGE_BITS, Page
from segmentkit.index._features import MISSING
from segmentkit.index._series import Series

_BEGINNING: Final = -(2**63)


def newest_cells(feature: NthFeature, start: int, stop: int, now: int, dtype: Any) -> Array | None:
    """Return the cells of the objects from `start` to before `stop`.

    None where this way does not lead: some event lies in the future, some value is no machine word, it is the
    nth oldest that is asked for, or it takes more than the code of one property to tell which events count.
    """
    series, rows = feature.series, feature.series.events.rows
    is_plain = series.where is None or series.dispatched is not None
    if feature.index >= 0 or not is_plain or rows.any_list(range(start, stop)):
        return None
    cells = np.full(stop - start, MISSING, dtype)
    since = [now - cut for cut in feature.edges[2:-1]]  # of which instant on an event is younger than a cut
    for index in range(start >> PAGE_BITS, min((stop - 1 >> PAGE_BITS) + 1, len(rows.pages))):
        page, first = rows.pages[index], index << PAGE_BITS
        if page.latest is None:
            page.latest = _latest(page, series.events.stride)
        if page.latest > now:
            return None
        places, ats = _in_page(page, series, feature.least)
        found = np.full(len(ats), 2, dtype)
        for instant in since:
            found += ats <= instant
        if first < start or first + PAGE > stop:
            inside = (places >= start - first) & (places < stop - first)
            places, found = places[inside], found[inside]
        cells[places + (first - start)] = found
        for number in page.taken:
            if start <= number < stop:
                cells[number - start] = feature.cell(number, now)
    return cells


def _latest(page: Page, stride: int) -> int:
    ats = np.frombuffer(page.data, np.int64)[::stride]
    return int(ats.max()) if len(ats) else _BEGINNING


def _in_page(page: Page, series: Series, n: int) -> tuple[Array, Array]:
    """Return the places of the objects with n events that match, and when the nth newest was."""
    if series.dispatched is None and n in page.newest:
        return page.newest[n]
    stride = series.events.stride
    bounds = np.frombuffer(page.bounds, np.int32) // stride
    ats = np.frombuffer(page.data, np.int64)[::stride]
    if series.dispatched is None:
        places = np.flatnonzero(np.diff(bounds) >= n)
        found = page.newest[n] = places, ats[bounds[places + 1] - n]
        return found
    events = _with_code(page, series)
    owners = np.searchsorted(bounds, events, "right") - 1
    ends = np.flatnonzero(np.diff(owners, append=-1)) + 1  # of the events of each owner
    nths = ends - n
    nths = nths[nths >= np.concatenate(([0], ends))[:-1]]
    return owners[nths], ats[events[nths]]


def _with_code(page: Page, series: Series) -> Array:
    """Return the places of the events in a page of which a property has the code that the series asks for."""
    assert series.dispatched is not None
    code = series._code_by_value.get(series.dispatched[1])
    offset, stride = series._offset, series.events.stride
    grouped = page.grouped.get(offset)
    if grouped is None:
        words = np.frombuffer(page.data, np.int64)[offset::stride]
        codes = np.maximum(words, -1) + 1
        few = codes.astype(np.uint16) if not len(codes) or codes.max() < 2**16 else codes
        order = np.argsort(few, kind="stable").astype(np.int32)
        grouped = page.grouped[offset] = order, np.cumsum(np.bincount(codes, minlength=1))
    order, ends = grouped
    found: Array = order[:0] if code is None or code + 1 >= len(ends) else order[ends[code] : ends[code + 1]]
    return found


__all__ = ["newest_cells"]

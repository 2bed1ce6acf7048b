"""The nth newest event of some objects, or what the events in a window add up to, read from where the events lie.

A filter that is new asks of each history only for one event, or for the few in its window. Laid out as arrays,
histories are copied whole; here a look goes straight to the events in their page, of those objects alone that are
asked for. Where the filter asks for one value of a coded property, and few events have it, they are
found by it: a page sorts its events by code but once (`bench_filters`).
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import attrs
import numpy as np

from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._bulk_events import BEGINNING, nth_newest, ranges
from segmentkit.index._bulk_facts import n_cuts_until
from segmentkit.index._bulk_totals import cells_of_totals
from segmentkit.index._event_features import NEVER, NthFeature, SumFeature
from segmentkit.index._event_rows import PAGE, PAGE_BITS, Page
from segmentkit.index._events import EventTable
from segmentkit.index._features import MISSING
from segmentkit.index._runs import runs_of
from segmentkit.index._series import Series

_ZERO: Final = np.zeros(1, np.int64)

_Events: TypeAlias = tuple[Array, Array]
"""Whose some events are, and the places of their words; those of one object together, in order."""


@attrs.frozen(eq=False)
class _Part:
    """Objects whose events lie in one array: the words of each are those from its start to before its end."""

    objects: Array
    """Their places among all that are asked for."""
    words: Array
    starts: Array
    ends: Array
    page: Page | None
    inside: Array
    """Their places in the page."""


@attrs.frozen(eq=False)
class _Question:
    """Whose cells are wanted, and when; and whether no nth event may count as one older than every window."""

    parts: list[_Part]
    n_objects: int
    now: int
    dtype: Any
    none_is_old: bool


def cells_in_windows(
    feature: NthFeature | SumFeature, numbers: Array, now: int, dtype: Any, *, none_is_old: bool = False
) -> Array | None:
    """Return the cells of the objects with the ascending numbers.

    None where this way does not lead: some event lies in the future, some value is no machine word, it is the
    nth oldest that is asked for, or it takes more than the code of one property to tell which events count.

    Args:
        feature: over events.
        numbers: of the objects.
        now: the instant for which.
        dtype: of the cells.
        none_is_old: whether an object without an nth newest event may get the cell of one for whom it is older
            than every window; older events are then not looked for.
    """
    series = feature.series
    is_plain = series.where is None or series.dispatched is not None
    if not is_plain or series.events.rows.any_list(numbers.tolist() if series.events.rows.lists else ()):
        return None
    parts = _parts_of(series.events, numbers, now)
    if parts is None:
        return None
    question = _Question(parts, len(numbers), now, dtype, none_is_old)
    if isinstance(feature, SumFeature):
        return _cells_of_sum(feature, question)
    if feature.index >= 0:
        return None
    return _cells_of_nth(feature, question) if series.where is None else _cells_of_coded_nth(feature, question)


def _parts_of(events: EventTable, numbers: Array, now: int) -> list[_Part] | None:
    """Return the objects that have events, page by page and then those outside; None if an event is yet to come."""
    rows, stride = events.rows, events.stride
    objects, parts = np.arange(len(numbers)), []
    outside = _outside(rows, numbers)
    if outside is not None:
        objects, outside = np.flatnonzero(~outside), np.flatnonzero(outside)
        outsiders, numbers = numbers[outside].tolist(), numbers[objects]
    cuts = np.searchsorted(numbers, np.arange(len(rows.pages) + 1) << PAGE_BITS).tolist()
    for index, (page, begin, end) in enumerate(zip(rows.pages, cuts, cuts[1:], strict=False)):
        if begin == end or not len(page.data):
            continue
        if page.latest(stride) > now:
            return None
        bounds = np.frombuffer(page.bounds, np.int32)
        inside = numbers[begin:end] - (index << PAGE_BITS)
        if inside[-1] + 1 >= len(bounds):  # objects past the last bound have no events
            inside = inside[: np.searchsorted(inside, len(bounds) - 1)]
        words, asked = np.frombuffer(page.data, np.int64), objects[begin : begin + len(inside)]
        parts.append(_Part(asked, words, bounds[inside], bounds[inside + 1], page, inside))
    if outside is not None and len(outside):
        own = [rows[number] or b"" for number in outsiders]
        ends = np.cumsum([len(row) for row in own])
        words = np.frombuffer(b"".join(own), np.int64)
        if len(words) and words[::stride].max() > now:
            return None
        if len(words):
            parts.append(_Part(outside, words, np.append(0, ends[:-1]), ends, None, outside))
    return parts


def _outside(rows: Any, numbers: Array) -> Array | None:
    """Return which objects have their rows outside of pages; None if there are no such rows."""
    if not len(rows) or not len(numbers):
        return None
    outside = np.fromiter(rows, np.int64, len(rows))
    known = np.zeros(max(int(outside.max()), int(numbers[-1])) + 1, bool)
    known[outside] = True
    found: Array = known[numbers]
    return found


# ------------------------------------------------------------------------- the nth newest


def _cells_of_nth(feature: NthFeature, question: _Question) -> Array:
    n_words = feature.least * feature.series.events.stride
    ats = np.full(question.n_objects, BEGINNING)
    for part in question.parts:
        ats[part.objects] = nth_newest(part.words, part.starts, part.ends, n_words)
    cells = _cells_at(feature, ats, question)
    if not question.none_is_old:
        cells[ats == BEGINNING] = MISSING
    return cells


def _cells_of_coded_nth(feature: NthFeature, question: _Question) -> Array:
    since = question.now - feature.edges[-2] if question.none_is_old else None
    owners, ats, _ = _matching(feature.series, question.parts, since, 0)
    first, end = runs_of(owners)
    there = np.flatnonzero(end - first >= feature.least)
    cells = np.full(question.n_objects, len(feature.edges) - 1 if question.none_is_old else MISSING, question.dtype)
    cells[owners[first[there]]] = _cells_at(feature, ats[end[there] - feature.least], question)
    return cells


def _cells_at(feature: NthFeature, ats: Array, question: _Question) -> Array:
    """Return the cell of each instant."""
    found: Array = n_cuts_until(question.now - ats, feature.edges[2:-1], question.dtype)
    found += question.dtype(2)
    return found


# ---------------------------------------------------------------------------------- sums


def _cells_of_sum(feature: SumFeature, question: _Question) -> Array | None:
    since = question.now - feature.length if feature.length < NEVER else None
    owners, _, words = _matching(feature.series, question.parts, since, feature.offset)
    first, end = runs_of(owners)
    found = cells_of_totals(feature, words, first, end, question.dtype)
    nothing = cells_of_totals(feature, words[:0], _ZERO, _ZERO, question.dtype)
    if found is None or nothing is None:
        return None
    cells = np.full(question.n_objects, nothing[0], question.dtype)
    cells[owners[first]] = found
    return cells


# ------------------------------------------------------------------- events that match


def _matching(series: Series, parts: list[_Part], since: int | None, offset: int) -> tuple[Array, Array, Array]:
    """Return of the matching events after `since` whose they are, their instants, and their words at an offset."""
    code = -1
    if series.dispatched is not None:
        code = series._code_by_value.get(series.dispatched[1], -1)
        parts = parts if code >= 0 else []
    none = np.zeros(0, np.int64)
    found: list[tuple[Array, Array, Array]] = [(none, none, none)]
    for part in parts:
        owners, places = _events_in(part, series, code, since)
        found.append((part.objects[owners], part.words[places], part.words[places + offset]))
    owners, ats, words = (np.concatenate(each) for each in zip(*found, strict=True))
    if parts and parts[-1].page is None:
        order = np.argsort(owners, kind="stable")
        return owners[order], ats[order], words[order]
    return owners, ats, words


def _events_in(part: _Part, series: Series, code: int, since: int | None) -> _Events:
    """Return the matching events of a part after `since`, those of an object with one of its places in the part."""
    if code >= 0 and part.page is not None:
        order = _with_code(part.page, series, code)
        if len(order) * series.events.stride < int((part.ends - part.starts).sum()):
            return _asked_for(part, order * series.events.stride, since)
    return _gathered(part, series, code, since)


def _asked_for(part: _Part, places: Array, since: int | None) -> _Events:
    """Return those of the events of a page that are after `since` and of objects in the part."""
    assert part.page is not None
    if since is not None:
        places = places[part.words[places] > since]
    owners = np.searchsorted(np.frombuffer(part.page.bounds, np.int32), places, "right") - 1
    among = np.full(PAGE, -1, np.int32)
    among[part.inside] = np.arange(len(part.inside))
    found = among[owners]
    asked = found >= 0
    return found[asked], places[asked]


def _gathered(part: _Part, series: Series, code: int, since: int | None) -> _Events:
    """Return the events of the objects in the part that match and are after `since`."""
    stride, starts, ends = series.events.stride, part.starts, part.ends
    if since is None:
        owners = np.flatnonzero(starts < ends)
    else:
        newest = part.words[np.maximum(ends - stride, 0)]
        owners = np.flatnonzero((newest > since) & (starts < ends))
    starts = starts[owners]
    counts = (ends[owners] - starts) // stride
    places = ranges(starts // stride, counts) * stride
    owners = np.repeat(owners, counts)
    if code >= 0:
        kept = np.flatnonzero(part.words[places + series._offset] == code)
        owners, places = owners[kept], places[kept]
    if since is not None:
        kept = np.flatnonzero(part.words[places] > since)
        owners, places = owners[kept], places[kept]
    return owners, places


def _with_code(page: Page, series: Series, code: int) -> Array:
    """Return which events of a page have a code, as numbers in order."""
    offset, stride = series._offset, series.events.stride
    grouped = page.grouped.get(offset)
    if grouped is None:
        words = np.frombuffer(page.data, np.int64)[offset::stride]
        codes = np.maximum(words, -1) + 1
        few = codes.astype(np.uint16) if codes.max() < 2**16 else codes
        order = np.argsort(few, kind="stable").astype(np.int32)
        grouped = page.grouped[offset] = order, np.cumsum(np.bincount(codes))
    order, ends = grouped
    found: Array = order[:0] if code + 1 >= len(ends) else order[ends[code] : ends[code + 1]]
    return found


__all__ = ["cells_in_windows"]

"""What ages past its cuts in a stretch of time, of many objects at once: `Watcher.pass_time`, and the instants too.

Nothing happens in a stretch but time. So all that moves in it follows from the facts: the instant of an
attribute, or of the nth newest event, crosses those cuts that lie between its age at the beginning and its age
at the end, each of them at an instant of its own; and a sum changes where events leave its window.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np

from segmentkit.index._attributes import AgeFeature
from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._bulk_cells import Cells, cell_type, reached
from segmentkit.index._bulk_events import ranges
from segmentkit.index._bulk_facts import Block, Histories, n_cuts_until
from segmentkit.index._bulk_totals import cells_of_totals
from segmentkit.index._event_features import NEVER, NthFeature, SumFeature
from segmentkit.index._features import Feature
from segmentkit.index._series import Series

_MISSING_WORD: Final = -(2**63)


@attrs.frozen(eq=False)
class Crossings:
    """How one feature moves: `places` of objects in the block, the instants, and the cells before and after."""

    feature: Feature
    places: Array
    ats: Array
    before: Array
    after: Array


@attrs.frozen(eq=False)
class Aged:
    """What a watcher makes of a stretch.

    crossings: the moves of its features.
    deadlines: for each object asked, when time alone next moves it after the stretch (or `2**62`).
    left: places, among the objects asked, of those that have to go one by one; of these nothing is told.
    """

    crossings: Sequence[Crossings]
    deadlines: Array
    left: Array


def age_attribute(feature: AgeFeature, block: Block, places: Array, until: int) -> Aged | None:
    """Let the instants of an attribute age from the block's now until `until`; None if there is no vectorised form."""
    words = block.attribute(feature.key.attribute)  # type: ignore[union-attr]  # an AgeKey
    if words is None:
        return None
    deadlines = np.full(len(places), NEVER, np.int64)
    there = np.flatnonzero(words[places] != _MISSING_WORD)
    values, cuts = words[places[there]], feature._cuts
    before, after = (n_cuts_until(feature._age(values, at), cuts) for at in (block.now, until))  # type: ignore[arg-type]
    rows, crossed = _crossed(before, after)
    ats = reached(feature, values[rows], crossed)
    waits = after < len(cuts)
    deadlines[there[waits]] = reached(feature, values[waits], after[waits])
    return Aged([Crossings(feature, places[there[rows]], ats, crossed + 2, crossed + 3)], deadlines, _NONE)


def age_series(series: Series, cells: Cells, block: Block, places: Array, until: int) -> Aged | None:
    """Let the events of a series age; None if there is no vectorised form."""
    matching = cells.matching(series, block)
    if matching is None:
        return None
    events = matching.of(places)
    deadlines = np.full(len(places), NEVER, np.int64)
    left = _NONE
    if events.seen is not events.ends:
        comes = np.flatnonzero(events.seen < events.ends)
        deadlines[comes] = events.ats[events.seen[comes]]
        left = np.flatnonzero(deadlines <= until)  # an event of the future comes to count
    crossings = [_age_nth(nth, events, block.now, until, deadlines) for nth in series.nths]
    for total in series.sums:
        found = _age_sum(total, events, block.now, until, deadlines)
        if found is None:
            return None
        crossings.append(found)
    crossings = [attrs.evolve(one, places=places[one.places]) for one in crossings if len(one.places)]
    if len(left):
        gone = places[left]
        crossings = [_without(one, gone) for one in crossings]
    return Aged(crossings, deadlines, left)


_NONE = np.zeros(0, np.int64)


def _without(crossings: Crossings, places: Array) -> Crossings:
    stays = np.flatnonzero(~np.isin(crossings.places, places))
    feature, others = crossings.feature, (crossings.places, crossings.ats, crossings.before, crossings.after)
    return Crossings(feature, *(column[stays] for column in others))


def _crossed(before: Array, after: Array) -> tuple[Array, Array]:
    """Return each number from `before` up to `after`, which is left out, and the row that it is of.

    >>> rows, numbers = _crossed(np.array([0, 5]), np.array([2, 5]))
    >>> rows.tolist(), numbers.tolist()
    ([0, 0], [0, 1])
    """
    counts = after - before
    return np.repeat(np.arange(len(counts)), counts), ranges(before, counts)


def _age_nth(feature: NthFeature, events: Histories, now: int, until: int, deadlines: Array) -> Crossings:
    """Return the crossings of the nth newest event, and lower `deadlines` to the next ones."""
    there = np.flatnonzero(events.seen - events.starts >= feature.least)
    bounds = events.seen if feature.index < 0 else events.starts
    ats = events.ats[bounds[there] + feature.index]
    before, after = (n_cuts_until(at - ats, feature.edges[2:-1]) for at in (now, until))
    edges = np.array(feature.edges, np.int64)
    deadlines[there] = np.minimum(deadlines[there], ats + edges[after + 2])
    rows, crossed = _crossed(before, after)
    return Crossings(feature, there[rows], ats[rows] + edges[crossed + 2], crossed + 2, crossed + 3)


def _age_sum(feature: SumFeature, events: Histories, now: int, until: int, deadlines: Array) -> Crossings | None:
    """Return the same of a sum, which changes where events leave its window; None if it has no vectorised form."""
    if feature.length >= NEVER:  # of all events, none of which ever leaves
        return Crossings(feature, _NONE, _NONE, _NONE, _NONE)
    n_seen = events.seen - events.starts
    first, last = (events.starts + np.minimum(events.count_until(at - feature.length), n_seen) for at in (now, until))
    stays = np.flatnonzero(last < events.seen)
    deadlines[stays] = np.minimum(deadlines[stays], events.ats[last[stays]] + feature.length)
    rows, gone = _crossed(first, last)
    is_new = np.ones(len(rows), bool)  # events of one instant leave together
    is_new[1:] = (rows[1:] != rows[:-1]) | (events.ats[gone[1:]] != events.ats[gone[:-1]])
    begins = np.flatnonzero(is_new)
    lasts = np.append(begins[1:], len(rows))[: len(begins)] - 1
    rows, ends = rows[begins], events.seen[rows[begins]]
    firsts, words = np.concatenate((gone[begins], gone[lasts] + 1)), events.property_words(feature.offset)
    cells = cells_of_totals(feature, words, firsts, np.concatenate((ends, ends)), cell_type(feature))
    if cells is None:
        return None
    before, after = cells[: len(rows)], cells[len(rows) :]
    moved = np.flatnonzero(before != after)
    ats = events.ats[gone[begins[moved]]] + feature.length
    return Crossings(feature, rows[moved], ats, before[moved], after[moved])

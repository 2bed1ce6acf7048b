"""Which objects satisfy a literal over events: digests of events say it of most, and only the rest is looked at.

What a digest of the nth newest event tells is all of a count without a filter of its own. Of a sum, or of
events that have to match, it tells who has nothing in the window, and what holds of nothing holds of all these.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

import numpy as np

from segmentkit.index._bulk_bitmaps import Array, count_of, packed, places_of
from segmentkit.index._bulk_cells import cell_type
from segmentkit.index._bulk_windows import cells_in_windows
from segmentkit.index._event_features import NEVER, NthFeature, SumFeature
from segmentkit.index._features import MISSING
from segmentkit.index._table import Table

_FEW: Final = 64  # objects up to which to look at one after another is faster


def with_events(
    bits: Array | None, feature: NthFeature | SumFeature, literal: int, table: Table, now: int
) -> Array | None:
    """Return those of some objects (None: all) that satisfy a literal; None if it takes more to tell."""
    left = packed(np.ones(len(table.ids), bool)) if bits is None else bits
    holds = np.frombuffer(feature.truths_of(literal), bool)
    if isinstance(feature, NthFeature) and feature.index >= 0:
        return None
    found, open_ = _told(left, feature, holds, table, now)
    numbers = places_of(open_)
    if len(numbers) <= _FEW:
        is_held = feature.worked_out(literal)
        held = np.array([number for number in numbers.tolist() if is_held(number)], np.int64)
    else:
        is_old = bool(holds[MISSING] == holds[-1])
        cells = cells_in_windows(feature, numbers, now, cell_type(feature), none_is_old=is_old)
        if cells is None:
            return None
        held = numbers[holds[cells]]
    truths = np.zeros(64 * len(left), bool)
    truths[held] = True
    return packed(truths) | found


def _told(left: Array, feature: NthFeature | SumFeature, holds: Array, table: Table, now: int) -> tuple[Array, Array]:
    """Return those of some objects that satisfy a literal, as far as a digest tells, and those still to look at."""
    series, nobody = feature.series, np.zeros_like(left)
    if isinstance(feature, SumFeature):
        n, length, otherwise = 1, feature.length, holds[bisect_right(feature.edges, 0)]
    else:
        n, length, otherwise = feature.least, feature.edges[-2], holds[-1]
    is_count = isinstance(feature, NthFeature) and series.where is None
    if not is_count and (length >= NEVER or (isinstance(feature, NthFeature) and holds[MISSING] != otherwise)):
        return nobody, left
    digest = table.event_digests.newest(series.event, n, count_of(left), len(table.ids), now)
    if digest is None:
        return nobody, left
    if is_count:
        cuts = [now - cut + 1 for cut in reversed(feature.edges[2:-1])]  # the later an event, the less its age
        may_hold, unsure = digest.told(cuts, holds[:MISSING:-1].tolist(), bool(holds[MISSING]))
        return (left & may_hold, nobody) if unsure is None else (left & may_hold & ~unsure, left & unsure)
    is_near, _ = digest.told([now - length + 1], [False, True], False)
    return left & ~is_near if otherwise else nobody, left & is_near


__all__ = ["with_events"]

"""The cells of sums over stretches of events: exact where a cut is near, and only there.

Sums of doubles are the exact result rounded once, which takes each object by itself. Added up as machines do they
are off by a known bound, and which of two cuts a total lies between is mostly settled by that (`bench_filters`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from segmentkit.dsl import _numbers
from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._bulk_facts import n_cuts_until
from segmentkit.index._event_features import SumFeature
from segmentkit.index._events import MISSING_WORD
from segmentkit.index._features import MISSING

_FINE: Final = 2.0**20
_FEW_TOTALS: Final = 256  # up to here they are added up one by one
_LARGE: Final = 1e300  # sums of more may be out of range
_SLACK: Final = 2.0**-52
"""Times the number of summands and their sum without signs: more than a plain sum is off by, rounding included."""


def cells_of_totals(feature: SumFeature, words: Array, first: Array, end: Array, dtype: Any) -> Array | None:
    """Return the cell of the sum of the property's words in each stretch; None if it might not fit a machine word."""
    known = words != MISSING_WORD
    values = np.where(known, words, 0)
    if feature.is_double:
        return _cells_of_doubles(feature, values.view(np.float64), known, (first, end), dtype)
    sums = _integer_totals(values, first, end)
    return None if sums is None else n_cuts_until(sums, feature.edges[2:], dtype) + dtype(2)


def _cells_of_doubles(
    feature: SumFeature, values: Array, known: Array, stretches: tuple[Array, Array], dtype: Any
) -> Array:
    cuts, (first, end) = feature.edges[2:], stretches
    with np.errstate(over="ignore", invalid="ignore"):
        totals = _plain_totals(values, first, end)
        sizes = _plain_totals(np.abs(values), first, end) if len(values) and values.min() < 0 else totals
        off = sizes * ((end - first) * _SLACK)
        cells = n_cuts_until(totals - off, cuts, dtype)
        is_unsure = (cells != n_cuts_until(totals + off, cuts, dtype)) | ~(sizes < _LARGE)
    cells += dtype(2)
    unsure = np.flatnonzero(is_unsure)
    if len(unsure):
        exact = double_totals(values, known, first[unsure], end[unsure])
        cells[unsure] = n_cuts_until(exact, cuts, dtype) + dtype(2)
        cells[unsure[np.isnan(exact)]] = MISSING
    return cells


def _plain_totals(values: Array, first: Array, end: Array) -> Array:
    """Return the sums of stretches as machines add them up."""
    if not len(first):
        return np.zeros(0)
    totals: Array = np.add.reduceat(np.append(values, 0.0), np.column_stack((first, end)).ravel())[::2]
    return np.where(first < end, totals, 0.0)


def _integer_totals(values: Array, first: Array, end: Array) -> Array | None:
    """Return the exact sums of stretches; None if they might not fit a machine word."""
    if not len(values):
        return np.zeros(len(first), np.int64)
    largest = max(int(values.max()), -int(values.min()))
    if largest * len(values) >= 2**62:
        return None
    running = np.concatenate((np.zeros(1, np.int64), np.cumsum(values)))
    sums: Array = running[end] - running[first]
    return sums


def double_totals(values: Array, known: Array, first: Array, end: Array) -> Array:
    """Return the correctly rounded sums of the known doubles of stretches, NaN where out of range."""
    if len(first) > _FEW_TOTALS and len(values) and float(np.abs(values).max()) < 2.0**30:
        fine = values * _FINE
        whole = fine.astype(np.int64)
        if (whole == fine).all():  # multiples of 2**-20 add up exactly as integers, and one rounding is left
            sums = _integer_totals(whole, first, end)
            if sums is not None:
                return sums.astype(np.float64) / _FINE
    totals = np.zeros(len(first))
    for place, (start, stop) in enumerate(zip(first.tolist(), end.tolist(), strict=True)):
        total = _numbers.total(values[start:stop][known[start:stop]].tolist())
        totals[place] = np.nan if total is None else total
    return totals


__all__ = ["cells_of_totals"]

"""Runs: where equal values stand side by side in an array."""

from __future__ import annotations

import numpy as np

from segmentkit.index._bulk_bitmaps import Array

__all__ = ["runs_in", "runs_of"]


def runs_of(values: Array) -> tuple[Array, Array]:
    """Return where each run of equal values begins, and where it ends.

    It takes less than half of what `np.diff` does with its `prepend` (`bench_bulk`, `bench_batches`).

    >>> runs_of(np.array([7, 7, 7, 9, 9]))
    (array([0, 3]), array([3, 5]))
    """
    begins = np.empty(len(values), bool)
    begins[:1] = True
    np.not_equal(values[1:], values[:-1], out=begins[1:])
    starts = np.flatnonzero(begins)
    ends = np.empty_like(starts)
    ends[:-1] = starts[1:]
    ends[-1:] = len(values)
    return starts, ends


def runs_in(values: Array) -> list[tuple[int, int]]:
    """Return the same run by run.

    >>> runs_in(np.array([7, 7, 9]))
    [(0, 2), (2, 3)]
    """
    starts, ends = runs_of(values)
    return list(zip(starts.tolist(), ends.tolist(), strict=True))

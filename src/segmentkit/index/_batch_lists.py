"""Lists of numbers as arrays, of which many can be read at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segmentkit.index._bulk_bitmaps import Array


class Lists:
    """Lists of numbers, put one behind the other: list i is `items[starts[i] : starts[i] + sizes[i]]`."""

    def __init__(self, lists: Sequence[Array]) -> None:
        self._sizes = np.fromiter(map(len, lists), np.int64, len(lists))
        self._starts = np.cumsum(self._sizes) - self._sizes
        self._items = np.concatenate([np.zeros(0, np.int64), *lists])

    def of(self, which: Array) -> tuple[Array, Array]:
        """Return where in `which` the list of each item is, and the items: those of some lists, one after another.

        >>> owners, items = Lists([np.array([7, 8]), np.array([], int), np.array([9])]).of(np.array([2, 0]))
        >>> owners.tolist(), items.tolist()
        ([0, 1, 1], [9, 7, 8])
        """
        counts = self._sizes[which]
        owners = np.repeat(np.arange(len(which)), counts)
        firsts = self._starts[which] - np.cumsum(counts) + counts
        return owners, self._items[firsts[owners] + np.arange(len(owners))]

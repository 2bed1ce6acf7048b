"""Which clauses moves concern: `Feature.step`, for many moves of many features at once.

A step from one cell to another is worked out once, as an array of signed clauses, and remembered; those that
a wave meets for the first time are worked out together, from the masks as one matrix of bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._features import Feature

_MOST_REMEMBERED: Final = 50_000
_TOGETHER: Final = 1_024  # steps that are worked out in one matrix


class Steps:
    """The steps of the features of one edition of a plan: n is a clause that gains its literal, ~n one that loses it.

    Cost: of a step that is new, some bytes for each 8 clauses; of one that is known, a look-up.
    """

    def __init__(self, n_clauses: int) -> None:
        self._n_bytes = (n_clauses >> 3) + 1
        self._known: dict[tuple[Feature, int, int], Array] = {}

    def between_cells(self, moves: Sequence[tuple[Feature, int, int]]) -> list[Array]:
        """Return the step of each of some moves from cell to cell."""
        known = self._known
        if len(known) > _MOST_REMEMBERED:
            known.clear()
        new = [move for move in moves if move not in known]
        known.update(zip(new, self.between(new), strict=True))
        return [known[move] for move in moves]

    def between(self, moves: Sequence[tuple[Feature, Any, Any]]) -> list[Array]:
        """Return the step of each of some moves, and remember none: sets hardly ever move alike."""
        found: list[Array] = []
        for start in range(0, len(moves), _TOGETHER):
            found += self._worked_out(moves[start : start + _TOGETHER])
        return found

    def _worked_out(self, moves: Sequence[tuple[Feature, Any, Any]]) -> list[Array]:
        size = self._n_bytes
        all_bits = (1 << 8 * size) - 1
        before = b"".join([(feature.mask_at(old) & all_bits).to_bytes(size, "little") for feature, old, _ in moves])
        after = b"".join([(feature.mask_at(new) & all_bits).to_bytes(size, "little") for feature, _, new in moves])
        held = np.frombuffer(after, np.uint8)
        differing = held ^ np.frombuffer(before, np.uint8)
        places = np.flatnonzero(differing != 0)  # few bytes differ: only these are taken apart
        bits = np.flatnonzero(np.unpackbits(differing[places], bitorder="little").view(bool))
        found = places[bits >> 3]
        rows, clauses = found // size, (found % size << 3) + (bits & 7)
        signed = np.where(held[found] >> (bits & 7) & 1, clauses, ~clauses)
        ends = np.searchsorted(rows, np.arange(len(moves)), "right").tolist()
        return [signed[start:end] for start, end in zip([0, *ends], ends, strict=False)]

"""Which clauses moves concern: `Feature.step`, for many moves of many features at once.

A step from one cell to another is turned into an array of signed clauses once, and remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._features import Move

_MOST_REMEMBERED: Final = 50_000


class Steps:
    """The steps of the features of one edition of a plan: n is a clause that gains its literal, ~n one that loses it.

    Cost: of a step that is new, that of `Feature.step`; of one that is known, a look-up.
    """

    def __init__(self) -> None:
        self._known: dict[Move, Array] = {}

    def between(self, moves: Sequence[Move]) -> list[Array]:
        """Return the step of each of some moves from cell to cell."""
        known = self._known
        if len(known) > _MOST_REMEMBERED:
            known.clear()
        for move in moves:
            if move not in known:
                known[move] = _signed(move)
        return [known[move] for move in moves]


def _signed(move: Move) -> Array:
    feature, before, after = move
    gained, lost = feature.step(before, after)
    return np.concatenate((np.asarray(gained, np.int64), ~np.asarray(lost, np.int64)))

"""Who is in which segment: a bitmap for each segment, and the flips that the bitmaps have not seen yet.

A change flips a few segments of one object, each in another bitmap. So flips wait in a log, and are
carried over together when somebody reads or the log is long. One after another: sorting them by segment first
costs more than it saves, with ten or a thousand flips a segment alike (`bench_changes`).
"""

from __future__ import annotations

from typing import Final

from pyroaring import BitMap

from segmentkit.index.deltas import Flips

_MOST_WAITING: Final = 20_000


class Memberships:
    """The members of the segments of one plan, as numbers of objects.

    Segment n has `bitmaps[n]`; None is no segment.
    """

    def __init__(self) -> None:
        self.bitmaps: list[BitMap | None] = []
        self._at_once: set[int] = set()
        """The flips that do not wait: n and ~n for each segment that is kept up."""
        self._flips: list[int] = []
        self._numbers: list[int] = []

    def flip(self, number: int, flips: Flips) -> None:
        """Let an object enter and leave segments."""
        self._flips += flips
        self._numbers += (number,) * len(flips)
        for flip in self._at_once.intersection(flips):
            if flip >= 0:
                self.bitmaps[flip].add(number)  # type: ignore[union-attr]  # what flips is a segment
            else:
                self.bitmaps[~flip].discard(number)  # type: ignore[union-attr]
        if len(self._flips) >= _MOST_WAITING:
            self.settle()

    def keep_up(self, head: int) -> None:
        """Let the bitmap of a segment wait no more: other filters read it, or the matcher to settle its clauses."""
        self._at_once |= {head, ~head}

    def clear(self) -> None:
        """Forget which segment has which place; nothing may wait."""
        self.bitmaps = []
        self._at_once = set()

    def settle(self) -> None:
        """Carry the flips that wait into the bitmaps."""
        bitmaps = self.bitmaps
        for flip, number in zip(self._flips, self._numbers, strict=True):
            if flip >= 0:
                bitmaps[flip].add(number)  # type: ignore[union-attr]  # what flips is a segment
            else:
                bitmaps[~flip].discard(number)  # type: ignore[union-attr]
        self._flips.clear()
        self._numbers.clear()

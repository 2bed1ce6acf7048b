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
        self.at_once: set[int] = set()
        """Segments whose bitmaps do not wait: other filters read them, or the matcher does to settle their clauses."""
        self._flips: list[int] = []
        self._numbers: list[int] = []

    def flip(self, number: int, flips: Flips) -> None:
        """Let an object enter and leave segments."""
        self._flips += flips
        self._numbers += (number,) * len(flips)
        if self.at_once:
            self._flip_at_once(number, flips)
        if len(self._flips) >= _MOST_WAITING:
            self.settle()

    def _flip_at_once(self, number: int, flips: Flips) -> None:
        at_once, bitmaps = self.at_once, self.bitmaps
        for flip in flips:
            if flip >= 0:
                if flip in at_once:
                    bitmaps[flip].add(number)  # type: ignore[union-attr]  # what flips is a segment
            elif ~flip in at_once:
                bitmaps[~flip].discard(number)  # type: ignore[union-attr]

    def clear(self) -> None:
        """Forget which segment has which place; nothing may wait."""
        self.bitmaps = []
        self.at_once = set()

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

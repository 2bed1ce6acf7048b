"""Who is in which segment: a bitmap for each segment, and the flips that the bitmaps have not seen yet.

A change flips a few segments of one object, each in another bitmap. So flips wait in a log, and are
carried over together when somebody reads or the log is long: a bitmap at a time (`bench_changes`).
"""

from __future__ import annotations

from typing import Final

from pyroaring import BitMap

from segmentkit.index.deltas import Flips, head_of

_MOST_WAITING: Final = 20_000
_FEW: Final = 500  # up to here, one after another is faster, and numpy need not be imported


class Memberships:
    """The members of the segments of one plan, as numbers of objects.

    Segment n has `bitmaps[n]`; None is no segment.
    """

    def __init__(self) -> None:
        self.bitmaps: list[BitMap | None] = []
        self.at_once: set[int] = set()
        """Segments whose bitmaps do not wait, since other filters read them."""
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
        for flip in flips:
            head = head_of(flip)
            bitmap = self.bitmaps[head]
            if bitmap is not None and head in self.at_once:
                (bitmap.add if flip >= 0 else bitmap.discard)(number)

    def clear(self) -> None:
        """Forget which segment has which place; nothing may wait."""
        self.bitmaps = []
        self.at_once = set()

    def settle(self) -> None:
        """Carry the flips that wait into the bitmaps."""
        if not self._flips:
            return
        if len(self._flips) <= _FEW:
            self._settle_singly()
        else:
            self._settle_sorted()
        self._flips.clear()
        self._numbers.clear()

    def _settle_singly(self) -> None:
        bitmaps = self.bitmaps
        for flip, number in zip(self._flips, self._numbers, strict=True):
            if flip >= 0:
                bitmaps[flip].add(number)  # type: ignore[union-attr]  # what flips is a segment
            else:
                bitmaps[~flip].discard(number)  # type: ignore[union-attr]

    def _settle_sorted(self) -> None:
        """Carry over segment by segment; of several flips of one object, the last one counts."""
        import numpy as np

        flips = np.array(self._flips, dtype=np.int64)
        heads = np.where(flips >= 0, flips, ~flips)
        numbers = np.array(self._numbers, dtype=np.uint32)
        order = np.lexsort((numbers, heads))  # stable: flips of the same pair stay in their order
        heads, numbers, entered = heads[order], numbers[order], flips[order] >= 0
        is_last = np.append((heads[1:] != heads[:-1]) | (numbers[1:] != numbers[:-1]), True)
        heads, numbers, entered = heads[is_last], numbers[is_last], entered[is_last]
        starts = np.flatnonzero(np.diff(heads, prepend=-1))
        ends = [*starts[1:].tolist(), len(heads)]
        for head, start, end in zip(heads[starts].tolist(), starts.tolist(), ends, strict=True):
            bitmap = self.bitmaps[head]
            assert bitmap is not None, f"{head} is no segment"
            came = entered[start:end]
            bitmap |= BitMap(numbers[start:end][came])
            bitmap -= BitMap(numbers[start:end][~came])

"""Steps: which clauses a move of one feature from cell to cell can flip.

The cells of most features are in order, cut by the literals: `orders > 4` flips on the way from 4 to 5
and nowhere else. So each cut knows the clauses that gain their literal on the way up, and those that
lose it, and a step is what lies between two cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate, chain, pairwise
from typing import Any, Final, TypeAlias

from segmentkit.index._wide import WIDE, Clauses
from segmentkit.index.deltas import bits_of

_MISSING: Final = 1  # the cell of a value that is not there

Step: TypeAlias = tuple[Any, Any]
"""The clauses that gain their literal when a feature moves, and those that lose it; many are arrays."""


class Crossings:
    """The clauses that flip at each cut of a feature whose cells, from 1 on, are in order.

    Args:
        truths: by cell, the literals that hold, as bits.
        clauses_of: by literal, the clauses that need it; each clause needs one.

    >>> crossings = Crossings([-1, 0b10, 0b00, 0b01, 0b11], [[7], [8, 9]])
    >>> crossings.between(2, 4), crossings.between(1, 2)
    (([7, 8, 9], []), ([], [8, 9]))
    """

    def __init__(self, truths: Sequence[int], clauses_of: Sequence[Sequence[int]]) -> None:
        full = (1 << len(clauses_of)) - 1
        self._come: list[list[int]] = [[], []]
        """By cell, who gains a literal on the way into it from the cell below."""
        self._go: list[list[int]] = [[], []]
        """By cell, who loses one."""
        for below, truth in pairwise(truths[1:]):
            come: list[int] = []
            go: list[int] = []
            for literal in bits_of((truth ^ below) & full):
                (come if truth >> literal & 1 else go).extend(clauses_of[literal])
            self._come.append(come)
            self._go.append(go)
        counts = Counter(chain(*self._come[3:], *self._go[3:]))
        self._repeating = {clause for clause, count in counts.items() if count > 1}
        """Clauses that flip more than once among the cells of values; on the way from missing, others may too."""
        self._arrays: tuple[Any, ...] = ()
        if counts.total() >= 2 * WIDE:
            self._build_arrays(max(counts) + 1)

    def _build_arrays(self, n_clauses: int) -> None:
        import numpy as np

        self._arrays = tuple(np.fromiter(chain(*lists), np.int32) for lists in (self._come, self._go))
        self._ends = [list(accumulate(map(len, lists))) for lists in (self._come, self._go)]
        self._repeats = np.zeros(n_clauses, bool)
        self._repeats[list(self._repeating)] = True

    def between(self, low: int, high: int) -> Step:
        """Return the clauses that flip on the way up from a cell to a higher one."""
        if high - low == 1:
            return self._come[high], self._go[high]
        if self._arrays:
            come, go = self._ends
            if low > _MISSING and come[high] - come[low] + go[high] - go[low] >= WIDE:
                return self._many_between(low, high)
        come_lists, go_lists = self._come[low + 1 : high + 1], self._go[low + 1 : high + 1]
        gained, lost = list(chain(*come_lists)), list(chain(*go_lists))
        return _net(gained, lost) if self._repeating or low == _MISSING else (gained, lost)

    def _many_between(self, low: int, high: int) -> tuple[Clauses, Clauses]:
        import numpy as np

        (come, go), repeats = self._ends, self._repeats
        gained = self._arrays[0][come[low] : come[high]]
        lost = self._arrays[1][go[low] : go[high]]
        if self._repeating:
            gains, loses = repeats[gained], repeats[lost]
            more, less = _net(gained[gains].tolist(), lost[loses].tolist())
            gained = np.concatenate((gained[~gains], np.array(more, np.int32)))
            lost = np.concatenate((lost[~loses], np.array(less, np.int32)))
        return gained, lost


def _net(gained: list[int], lost: list[int]) -> tuple[list[int], list[int]]:
    """Return what remains of clauses that flip several times on the way."""
    both = set(gained).intersection(lost)
    if not both:
        return gained, lost
    came, went = Counter(c for c in gained if c in both), Counter(c for c in lost if c in both)
    more = [clause for clause in both if came[clause] > went[clause]]
    less = [clause for clause in both if came[clause] < went[clause]]
    return [c for c in gained if c not in both] + more, [c for c in lost if c not in both] + less

"""Steps: which clauses a move of one feature from cell to cell can flip.

The cells of most features are in order, cut by the literals: `orders > 4` flips on the way from 4 to 5
and nowhere else. So each cut knows the clauses that gain their literal on the way up, and those that
lose it, and a step is what lies between two cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain, pairwise
from typing import Any, Final, TypeAlias

from segmentkit.index._wide import WIDE, WideStep
from segmentkit.index.deltas import bits_of

_MISSING: Final = 1  # the cell of a value that is not there

Step: TypeAlias = tuple[Any, Any]
"""The clauses that gain their literal when a feature moves, and those that lose it; many are arrays."""

Trials: TypeAlias = "list[Trial] | WideStep"
"""What to try when a feature moves: clause by clause, or together if those are many."""

Trial: TypeAlias = tuple[int, Sequence[tuple[int, bytes]], Sequence[Callable[[int], object]]]
"""What a step can flip (n, a clause that gains its literal, or ~n, one that loses it), and what else has to hold:
of the clause's other literals, those that rows tell (place, by cell whether it holds), and the tests of the rest."""


def literals_at_cuts(truths: Sequence[int], n_literals: int) -> list[Step]:
    """Return, for each cell from 2 on, the literals that begin to hold on the way into it, and those that cease.

    >>> literals_at_cuts([-1, 0b10, 0b00, 0b01, 0b11], 2)
    [([], [1]), ([0], []), ([1], [])]
    """
    full = (1 << n_literals) - 1
    cuts = []
    for below, truth in pairwise(truths[1:]):
        flipped = bits_of((truth ^ below) & full)
        cuts.append(([n for n in flipped if truth >> n & 1], [n for n in flipped if below >> n & 1]))
    return cuts


class Crossings:
    """The clauses that flip at each cut of a feature whose cells, from 1 on, are in order.

    Args:
        truths: by cell, the literals that hold in it, as bits.
        cuts: the literals that flip at each, as `literals_at_cuts` returns them.
        clauses_of: by literal, the clauses that need it; each clause needs one.

    >>> truths = [-1, 0b10, 0b00, 0b01, 0b11]
    >>> crossings = Crossings(truths, literals_at_cuts(truths, 2), [[7], [8, 9]])
    >>> crossings.between(2, 4), crossings.between(1, 2)
    (([7, 8, 9], []), ([], [8, 9]))
    """

    def __init__(self, truths: Sequence[int], cuts: Sequence[Step], clauses_of: Sequence[Sequence[int]]) -> None:
        self._truths, self._clauses_of = truths, clauses_of
        self._arrays: tuple[Any, Any] | None = None
        """All clauses, and the literal that each needs, once a step has been asked for that has many."""
        self._come: list[int] = []
        """Who gains a literal on the way up, from cell to cell."""
        self._go: list[int] = []
        """Who loses one."""
        self._n_come, self._n_go = [0, 0], [0, 0]
        """By cell, how many do up to it."""
        for come, go in cuts:
            for literal in come:
                self._come += clauses_of[literal]
            for literal in go:
                self._go += clauses_of[literal]
            self._n_come.append(len(self._come))
            self._n_go.append(len(self._go))
        n_come, n_go = (ends[min(2, len(ends) - 1)] for ends in (self._n_come, self._n_go))
        counts = Counter(chain(self._come[n_come:], self._go[n_go:]))
        self._repeating = {clause for clause, count in counts.items() if count > 1}
        """Clauses that flip more than once among the cells of values; on the way from missing, others may too."""

    def between(self, low: int, high: int) -> Step:
        """Return the clauses that flip on the way up from a cell to a higher one."""
        come = slice(self._n_come[low], self._n_come[high])
        go = slice(self._n_go[low], self._n_go[high])
        if come.stop - come.start + go.stop - go.start >= WIDE:
            return self._many_between(low, high)
        gained, lost = self._come[come], self._go[go]
        return _net(gained, lost) if self._repeating or low == _MISSING else (gained, lost)

    def _many_between(self, low: int, high: int) -> Step:
        """Return the same as arrays, from the literals that hold in one cell and not in the other."""
        import numpy as np

        if self._arrays is None:
            clauses = np.fromiter(chain.from_iterable(self._clauses_of), np.int32)
            self._arrays = clauses, np.repeat(np.arange(len(self._clauses_of)), list(map(len, self._clauses_of)))
        clauses, literals = self._arrays
        n_literals = len(self._clauses_of)
        below, above = self._truths[low], self._truths[high]

        def clauses_of(truth: int) -> Any:
            data = np.frombuffer((truth & (1 << n_literals) - 1).to_bytes(n_literals + 7 >> 3, "little"), np.uint8)
            return clauses[np.unpackbits(data, bitorder="little").view(bool)[literals]]

        return clauses_of(above & ~below), clauses_of(below & ~above)


def _net(gained: list[int], lost: list[int]) -> tuple[list[int], list[int]]:
    """Return what remains of clauses that flip several times on the way."""
    both = set(gained).intersection(lost)
    if not both:
        return gained, lost
    more, less = [c for c in gained if c not in both], [c for c in lost if c not in both]
    if len(gained) == len(more) + len(both) and len(lost) == len(less) + len(both):
        return more, less  # each once
    came, went = Counter(gained), Counter(lost)
    more += [clause for clause in both if came[clause] > went[clause]]
    less += [clause for clause in both if came[clause] < went[clause]]
    return more, less

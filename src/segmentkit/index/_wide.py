"""Steps that concern many clauses, sifted together.

A plan that changes from free to pro concerns every clause that asks for either. What the rows say of
these is looked up in one flat table of truths, with arrays, the tests of all clauses together:

    truths[where the truths of the clause's test begin + the object's cell for that test]

so that only clauses that pass, and have more to be asked, are looked at one by one (`bench_changes`).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias

Clauses: TypeAlias = Any
"""An array of numbers of clauses, 32 bits each."""

WIDE: Final = 40
"""Clauses from which on they are sifted together."""

_MOST_TOGETHER: Final = 4  # tests after the first that are looked up together
_MOST_CELLS: Final = 2**16  # of any feature that has a place in the rows

_NO_CELLS: Final = array("H", (0,))  # the row where no feature has a place
_ALWAYS: Final = b"\1"
_NOTHING: Final = 0, _ALWAYS  # a test that every object passes


class WideStep(NamedTuple):
    """The clauses of a step, as arrays, and the first test of each."""

    flips: Any
    clauses: Any
    places: Any
    begins: Any


class WideTests:
    """The tests of all clauses that rows answer, as arrays. Clauses are added as they come."""

    def __init__(self) -> None:
        import numpy as np

        self.n_clauses = 0
        """How many clauses are known."""
        self._starts: dict[int, int] = {}
        self._size = _MOST_CELLS
        self._tables = [b"\1" * _MOST_CELLS]  # whatever is at the first place, of which rows may tell no literal
        """Kept, so that what `_starts` knows by its identity stays what it is."""
        self._truths = np.zeros(0, bool)
        self._places: list[Any] = [np.zeros(0, np.intp)]
        """For the first test of each clause, the second, ...: the place of its cell."""
        self._begins: list[Any] = [np.zeros(0, np.intp)]
        """Where its truths begin."""
        self._next = np.zeros((0, 0), np.intp)
        """By clause, the places and then the begins of the tests after the first, some of which are looked up together.
        """
        self._asks_more = np.zeros(0, bool)
        """Which clauses ask what rows do not tell."""

    def extend(self, in_rows: Sequence[Sequence[tuple[int, bytes]]], not_in_rows: Sequence[Sequence[object]]) -> None:
        """Take clauses in.

        Args:
            in_rows: for each clause its tests: place of the cell, and by cell whether the literal holds.
            not_in_rows: for each clause what else it asks.
        """
        import numpy as np

        n_turns = max(map(len, in_rows), default=0)
        for turn in range(max(n_turns, len(self._places))):
            if turn == len(self._places):
                self._places.append(np.zeros(self.n_clauses, np.intp))
                self._begins.append(np.zeros(self.n_clauses, np.intp))
            asked = [some[turn] if turn < len(some) else _NOTHING for some in in_rows]
            places, begins = [place for place, _ in asked], [self._start(truths) for _, truths in asked]
            self._places[turn] = np.concatenate((self._places[turn], np.array(places, np.intp)))
            self._begins[turn] = np.concatenate((self._begins[turn], np.array(begins, np.intp)))
        self._truths = np.frombuffer(b"".join(self._tables), dtype=bool)
        some_turns = slice(1, 1 + _MOST_TOGETHER)
        if len(self._places) > 1:
            self._next = np.stack((*self._places[some_turns], *self._begins[some_turns]), 1)
        self._asks_more = np.concatenate((self._asks_more, np.array(list(map(bool, not_in_rows)), bool)))
        self.n_clauses += len(in_rows)

    def _start(self, truths: bytes) -> int:
        """Return where the truths of a literal begin."""
        if truths is _ALWAYS:
            return 0
        start = self._starts.get(id(truths))
        if start is None:
            start = self._starts[id(truths)] = self._size
            self._tables.append(truths)
            self._size += len(truths)
        return start

    def step(self, gained: Sequence[int] | Clauses, lost: Sequence[int] | Clauses) -> WideStep:
        """Return a step for `sift`; its clauses are known."""
        import numpy as np

        gained, lost = np.asarray(gained, np.intp), np.asarray(lost, np.intp)
        clauses = np.concatenate((lost, gained))
        flips = np.concatenate((~lost, gained))
        return WideStep(flips, clauses, self._places[0].take(clauses), self._begins[0].take(clauses))

    def sift(self, step: WideStep, row: array[int]) -> tuple[list[int], list[int]]:
        """Return what flips of a step (n, a clause that gains its literal, or ~n), and what does if all else holds.

        `row` has the cells of the object, a free one of the feature that moves.
        """
        import numpy as np

        cells, truths = np.frombuffer(row or _NO_CELLS, np.uint16), self._truths
        held = truths.take(step.begins + cells.take(step.places)).nonzero()[0]
        clauses = step.clauses.take(held)
        n_next = self._next.shape[1] >> 1
        if n_next:
            following = self._next.take(clauses, 0)
            still = truths.take(following[:, n_next:] + cells.take(following[:, :n_next])).all(1).nonzero()[0]
            held, clauses = held.take(still), clauses.take(still)
            for places, begins in zip(self._places[1 + n_next :], self._begins[1 + n_next :], strict=True):
                still = truths.take(begins.take(clauses) + cells.take(places.take(clauses))).nonzero()[0]
                held, clauses = held.take(still), clauses.take(still)
        flips = step.flips.take(held)
        more = self._asks_more.take(clauses)
        return flips[~more].tolist(), flips[more].tolist()

    def sift_pairs(self, cells: Any, objects: Any, clauses: Clauses) -> Any:
        """Return of which of many pairs of an object and a clause all literals hold that rows tell, ascending.

        Args:
            cells: a row for each object, as one matrix.
            objects: for each pair the place of its object in the matrix.
            clauses: for each pair its clause.
        """
        import numpy as np

        flat, stride, truths = cells.reshape(-1), cells.shape[1], self._truths
        left = np.arange(len(clauses))
        for places, begins in zip(self._places, self._begins, strict=True) if stride else ():
            held = np.flatnonzero(truths[begins[clauses] + flat[objects * stride + places[clauses]]])
            left, objects, clauses = left[held], objects[held], clauses[held]
        return left

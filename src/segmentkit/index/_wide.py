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
"""An array of numbers of clauses."""

WIDE: Final = 64
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
        self._tables: list[bytes] = []
        """Kept, so that what `_starts` knows by its identity stays what it is."""
        self._size = _MOST_CELLS
        self._truths = np.ones(_MOST_CELLS, bool)  # true at first, for clauses that have no test, or no more
        self._places: list[Any] = []
        """For the first test of each clause, the second, ...: the place of its cell."""
        self._begins: list[Any] = []
        """Where its truths begin."""
        self._next = np.zeros((0, 2 * _MOST_TOGETHER), np.intp)
        """By clause, the places and then the begins of some tests after the first, which are looked up together."""
        self._asks_more = np.zeros(0, bool)
        """Which clauses ask what rows do not tell."""
        self._deepen(1)

    def extend(self, in_rows: Sequence[Sequence[tuple[int, bytes]]], not_in_rows: Sequence[Sequence[object]]) -> None:
        """Take clauses in.

        Args:
            in_rows: for each clause its tests: place of the cell, and by cell whether the literal holds.
            not_in_rows: for each clause what else it asks.

        Cost: that of the clauses, amortised; a definition on a live engine brings one or two (`bench_define`).
        """
        old, new, n_tables = self.n_clauses, self.n_clauses + len(in_rows), len(self._tables)
        self._deepen(max(map(len, in_rows), default=0))
        self._next, self._asks_more = _with_room(self._next, new), _with_room(self._asks_more, new)
        for turn in range(len(self._places)):
            asked = [some[turn] if turn < len(some) else _NOTHING for some in in_rows]
            places, begins = [place for place, _ in asked], [self._start(truths) for _, truths in asked]
            self._places[turn] = _with_room(self._places[turn], new)
            self._begins[turn] = _with_room(self._begins[turn], new)
            self._places[turn][old:new], self._begins[turn][old:new] = places, begins
            if 1 <= turn <= _MOST_TOGETHER:
                self._next[old:new, turn - 1], self._next[old:new, _MOST_TOGETHER + turn - 1] = places, begins
        self._asks_more[old:new] = list(map(bool, not_in_rows))
        self.n_clauses = new
        self._add_truths(b"".join(self._tables[n_tables:]))

    def _deepen(self, n_turns: int) -> None:
        """Make room for so many tests of each clause."""
        import numpy as np

        while len(self._places) < n_turns:
            self._places.append(np.zeros(self.n_clauses, np.intp))
            self._begins.append(np.zeros(self.n_clauses, np.intp))

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

    def _add_truths(self, truths: bytes) -> None:
        """Write those of literals that are new at the end."""
        import numpy as np

        self._truths = _with_room(self._truths, self._size)
        self._truths[self._size - len(truths) : self._size] = np.frombuffer(truths, bool)

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
        following = self._next.take(clauses, 0)
        cells_after, begins_after = cells.take(following[:, :_MOST_TOGETHER]), following[:, _MOST_TOGETHER:]
        still = truths.take(begins_after + cells_after).all(1).nonzero()[0]
        held, clauses = held.take(still), clauses.take(still)
        for places, begins in zip(self._places[1 + _MOST_TOGETHER :], self._begins[1 + _MOST_TOGETHER :], strict=True):
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


def _with_room(held: Any, length: int) -> Any:
    """Return an array of at least a length, with what is held at its beginning and zeros after it."""
    import numpy as np

    if len(held) >= length:
        return held
    grown = np.zeros((max(length, 2 * len(held)), *held.shape[1:]), held.dtype)
    grown[: len(held)] = held
    return grown

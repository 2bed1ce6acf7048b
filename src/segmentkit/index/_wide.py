"""Steps that concern many clauses, sifted together.

A plan that changes from free to pro concerns every clause that asks for either. What the rows say of
these is looked up in one flat table of truths, with arrays, a test of all clauses at a time:

    truths[where the truths of the clause's test begin + the object's cell for that test]

so that only clauses that pass are looked at one by one (`bench_changes`, ten thousand segments).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from array import array

Clauses: TypeAlias = Any  # an array of numbers of clauses, 32 bits each

WIDE: Final = 64
"""Clauses from which on they are sifted together."""

_MOST_CELLS: Final = 2**16  # of any feature that has a place in the rows


def as_clauses(numbers: Sequence[int]) -> Sequence[int] | Clauses:
    """Return numbers of clauses in the form in which they are looked at: many as an array."""
    if len(numbers) < WIDE:
        return numbers
    import numpy as np

    return np.asarray(numbers, np.int32)


class WideTests:
    """The tests of all clauses that the rows answer, as arrays.

    Args:
        in_rows: for each clause its tests: place of the cell, and by cell whether the literal holds.
    """

    def __init__(self, in_rows: Sequence[Sequence[tuple[int, bytes]]]) -> None:
        import numpy as np

        self.n_clauses = len(in_rows)
        """How many clauses are known; later ones have to be looked at one by one."""
        starts: dict[int, int] = {}
        tables: list[bytes] = []
        size = 0
        for tests in in_rows:
            for _, truths in tests:
                if id(truths) not in starts:
                    starts[id(truths)] = size
                    tables.append(truths)
                    size += len(truths)
        always = b"\1" * _MOST_CELLS  # whatever is at the first place, of which rows may tell no literal
        self._truths = np.frombuffer(b"".join([*tables, always]), dtype=bool)
        self._tests: list[tuple[Any, Any]] = []  # for the first test of each clause, the second, ...: places, starts
        for turn in range(max(map(len, in_rows), default=0)):
            places = np.zeros(self.n_clauses, np.intp)
            begins = np.full(self.n_clauses, size, np.intp)
            for clause, tests in enumerate(in_rows):
                if turn < len(tests):
                    places[clause], begins[clause] = tests[turn][0], starts[id(tests[turn][1])]
            self._tests.append((places, begins))

    def sift(self, clauses: Clauses, row: array[int]) -> tuple[list[int], bool]:
        """Return the clauses that pass test after test until few are left, and whether they have passed all tests.

        `row` has the cells of the object.
        """
        import numpy as np

        cells, truths = np.frombuffer(row, np.uint16), self._truths
        for turn, (places, begins) in enumerate(self._tests):
            if turn and len(clauses) < WIDE:
                return clauses.tolist(), False
            clauses = clauses[truths[begins[clauses] + cells[places[clauses]]]]
        return clauses.tolist(), True

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
        for places, begins in self._tests:
            held = np.flatnonzero(truths[begins[clauses] + flat[objects * stride + places[clauses]]])
            left, objects, clauses = left[held], objects[held], clauses[held]
        return left

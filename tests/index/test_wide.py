"""Many clauses sifted together, and many pairs of an object and a clause."""

from __future__ import annotations

from array import array

import numpy as np
import pytest

from segmentkit.index._wide import WideTests

HIGH = b"\0\0\1"
LOW = b"\0\1\0"
EITHER = b"\0\1\1"
IN_ROWS = [((1, HIGH),), (), ((1, LOW), (2, HIGH)), ((2, HIGH),)]
DEEP = tuple((place, EITHER) for place in range(1, 9))  # more tests than are looked up together
NOT_IN_ROWS: list[tuple[object, ...]] = [(), (), (), ("what else it asks",)]
ROWS = [[900, 2, 2], [0, 1, 2], [65_535, 1, 1]]
PASSING = [[0, 1, 3], [1, 2, 3], [1]]


@pytest.fixture(params=[4, 0, 1, 3], ids=["together", "one by one", "one first", "three first"])
def tests(request: pytest.FixtureRequest) -> WideTests:
    """All clauses, known from the beginning or taken in later."""
    early: int = request.param
    found = WideTests()
    found.extend(IN_ROWS[:early], NOT_IN_ROWS[:early])
    if early:
        found.extend(IN_ROWS[early:], NOT_IN_ROWS[early:])
    else:
        for clause in range(4):
            found.extend(IN_ROWS[clause : clause + 1], NOT_IN_ROWS[clause : clause + 1])
    return found


def test_clauses_pass_of_which_all_literals_hold_that_rows_tell(tests: WideTests) -> None:
    """A clause without any passes, whatever the cell in the first place, of which rows may tell nothing."""
    step = tests.step(range(4), ())
    for row, passing in zip(ROWS, PASSING, strict=True):
        asked = [clause for clause in passing if clause == 3]
        assert tests.sift(step, array("H", row)) == ([clause for clause in passing if clause != 3], asked)


def test_a_step_tells_losses_from_gains(tests: WideTests) -> None:
    step = tests.step([3, 1], [0, 2])
    assert tests.sift(step, array("H", ROWS[0])) == ([~0, 1], [3])


def test_a_clause_may_have_any_number_of_tests(tests: WideTests) -> None:
    tests.extend([DEEP, ()], [(), ()])
    step = tests.step([4, 5], ())
    for wrong in range(9):
        row = array("H", [2] * 9)
        row[wrong] = 0
        assert tests.sift(step, row) == ([5] if wrong else [4, 5], [])


def test_pairs_pass_as_the_clauses_of_their_objects_do(tests: WideTests) -> None:
    """Whatever their order."""
    cells = np.array(ROWS, np.uint16)
    pairs = [(0, 3), (2, 0), (1, 2), (2, 1), (0, 0), (1, 0)]
    passed = tests.sift_pairs(cells, *np.array(pairs).T)
    assert [pairs[row] for row in passed] == [pair for pair in pairs if pair[1] in PASSING[pair[0]]]

"""Many clauses sifted together, and many pairs of an object and a clause."""

from __future__ import annotations

from array import array

import numpy as np
import pytest

from segmentkit.index import _wide
from segmentkit.index._wide import WideTests

HIGH = b"\0\0\1"
LOW = b"\0\1\0"
TESTS = WideTests([((1, HIGH),), (), ((1, LOW), (2, HIGH)), ((2, HIGH),)])
ROWS = [[900, 2, 2], [0, 1, 2], [65_535, 1, 1]]
PASSING = [[0, 1, 3], [1, 2, 3], [1]]


def test_clauses_pass_of_which_all_literals_hold_that_rows_tell() -> None:
    """A clause without any passes, whatever the cell in the first place, of which rows may tell nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_wide, "WIDE", 0)
        assert [TESTS.sift(np.arange(4), array("H", row)) for row in ROWS] == [(found, True) for found in PASSING]


def test_pairs_pass_as_the_clauses_of_their_objects_do() -> None:
    """Whatever their order."""
    cells = np.array(ROWS, np.uint16)
    pairs = [(0, 3), (2, 0), (1, 2), (2, 1), (0, 0), (1, 0)]
    passed = TESTS.sift_pairs(cells, *np.array(pairs).T)
    assert [pairs[row] for row in passed] == [pair for pair in pairs if pair[1] in PASSING[pair[0]]]

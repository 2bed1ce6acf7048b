"""Sums of many stretches at once, against the sum of each."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Any, cast

import attrs
import numpy as np
import pytest
from hypothesis import given, strategies as st

from segmentkit.dsl import _numbers
from segmentkit.index import _bulk_totals
from segmentkit.index._bulk_totals import cells_of_totals
from segmentkit.index._event_features import SumFeature
from segmentkit.index._events import MISSING_WORD
from segmentkit.index._features import MISSING
from tests.examples import PARTS


@attrs.define
class Cut:
    """What the cells of sums need to know of a feature."""

    is_double: bool
    edges: list[Any]


NEAR = st.sampled_from([0.1, 0.2, 0.3, 0.7, -0.1, -0.2, 1e16, -1e16, 1e308, -1e308, 2.0**-1074, 25.0, 0.0])
TENTHS = st.lists(st.none() | st.sampled_from([0.1, 0.2, 0.3, 0.7, -0.1]), min_size=2, max_size=9)
DOUBLES = TENTHS | st.lists(st.none() | NEAR | st.floats(allow_nan=False, allow_infinity=False), max_size=6)


def stretched(lists: list[list[Any]]) -> tuple[Any, Any]:
    """Return where each list begins and ends, with one value between them that counts for none."""
    ends = np.cumsum([len(values) + 1 for values in lists])
    return ends - [len(values) + 1 for values in lists], ends - 1


@PARTS
@given(st.lists(DOUBLES, min_size=1, max_size=8), st.lists(NEAR, max_size=3), st.sampled_from([0, 256]))
def test_sums_of_doubles_lie_where_the_rounded_sum_lies(
    lists: list[list[float | None]], cuts: list[float], few: int
) -> None:
    """Cuts are values, sums of all the lists, and the doubles around these."""
    totals = [
        cast("float | None", _numbers.total([value for value in values if value is not None])) for values in lists
    ]
    near = {math.nextafter(total, to) for total in totals if total is not None for to in (-math.inf, total, math.inf)}
    edges = sorted({*cuts, *filter(math.isfinite, near)})
    words = [
        MISSING_WORD if value is None else int(np.float64(value + 0.0).view(np.int64))
        for values in lists
        for value in (*values, 1.0)
    ]
    first, end = stretched(lists)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_bulk_totals, "_FEW_TOTALS", few)
        feature = cast("SumFeature", Cut(True, [-np.inf, -np.inf, *edges]))
        found = cells_of_totals(feature, np.array(words, np.int64), first, end, np.uint8)
    assert found is not None
    assert found.tolist() == [MISSING if total is None else 2 + bisect_right(edges, total) for total in totals]


@PARTS
@given(st.lists(st.lists(st.none() | st.integers(-5, 5), max_size=6), min_size=1, max_size=8))
def test_sums_of_integers_are_exact(lists: list[list[int | None]]) -> None:
    """A value too large for sums of machine words is told."""
    edges = [-3, 0, 1, 7]
    words = [MISSING_WORD if value is None else value for values in lists for value in (*values, 1)]
    first, end = stretched(lists)
    feature = cast("SumFeature", Cut(False, [-np.inf, -np.inf, *edges]))
    found = cells_of_totals(feature, np.array(words, np.int64), first, end, np.uint8)
    assert found is not None
    assert found.tolist() == [2 + bisect_right(edges, sum(value or 0 for value in values)) for values in lists]
    assert cells_of_totals(feature, np.array([*words, 2**62], np.int64), first, end, np.uint8) is None

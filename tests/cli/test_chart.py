from __future__ import annotations

import io

import pytest
from hypothesis import given, strategies as st

from segmentkit.cli._chart import resample, sparkline
from segmentkit.cli._progress import bar_line, progress_bar


@given(st.lists(st.integers(0, 10_000), max_size=200), st.integers(1, 80), st.booleans())
def test_a_chart_is_as_wide_as_it_may_be_and_no_wider(series: list[int], width: int, blocks: bool) -> None:
    assert len(sparkline(series, width, blocks=blocks)) == min(len(series), width)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=200), st.integers(1, 80))
def test_a_chart_ends_with_the_last_value(series: list[int], width: int) -> None:
    assert resample(series, width)[-1] == series[-1]


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=80))
def test_only_zero_gets_the_lowest_mark(series: list[int]) -> None:
    assert [mark == "▁" for mark in sparkline(series, 80)] == [value == 0 for value in series]


def test_a_chart_without_blocks_is_plain_ascii() -> None:
    assert sparkline(range(8), 8, blocks=False).isascii()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_progress_bar_leaves_the_terminal_as_it_was() -> None:
    terminal = _Terminal()
    with progress_bar("load", terminal) as progress:
        progress(1, 2, "half")
        progress(2, 2, "all")
    drawn = terminal.getvalue()
    assert "100 %" in drawn
    assert drawn.split("\r")[-2].strip() == ""
    assert drawn.endswith("\r")


def test_nothing_is_drawn_where_nobody_looks() -> None:
    pipe = io.StringIO()
    with progress_bar("load", pipe) as progress:
        progress(1, 2, "")
    assert pipe.getvalue() == ""


@pytest.mark.parametrize(("done", "total"), [(0, 0), (0, 10), (10, 10), (20, 10)])
@pytest.mark.parametrize("width", [0, 10, 200])
def test_a_bar_fits_its_width_whatever_the_counts(done: int, total: int, width: int) -> None:
    assert len(bar_line("replay", done, total, "1997-01-01", width)) <= width

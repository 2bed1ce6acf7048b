"""Regular expressions of RE2, and filters on a machine that does not have it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest

from segmentkit.dsl import _regex
from segmentkit.dsl.evaluate import DictFacts, evaluate
from segmentkit.errors import FilterTypeError, MissingExtraError
from tests.dsl.shop import read


@pytest.fixture
def _without_re2(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make importing RE2 fail, as it does where the extra is not installed."""
    monkeypatch.setitem(sys.modules, "re2", None)
    _regex._compiled.cache_clear()
    yield
    _regex._compiled.cache_clear()


@pytest.mark.usefixtures("_without_re2")
def test_without_re2_a_filter_is_refused_with_what_to_install() -> None:
    with pytest.raises(FilterTypeError) as caught:
        read("orders > 4 and country matches '^P'")
    (problem,) = caught.value.problems
    assert problem.message == "'matches' needs RE2, which is not installed"
    assert problem.hint == "pip install 'segmentkit[regex]'"
    assert (problem.start, problem.end) == (31, 35)


@pytest.mark.usefixtures("_without_re2")
def test_without_re2_all_other_filters_work() -> None:
    assert evaluate(read("country contains 'P'"), DictFacts({"country": "PL"}), 0, "UTC")


def test_a_tree_that_comes_where_re2_is_missing_says_what_to_install(request: pytest.FixtureRequest) -> None:
    tree = read("country matches '^P'")
    request.getfixturevalue("_without_re2")
    with pytest.raises(MissingExtraError, match=r"pip install 'segmentkit\[regex\]'"):
        evaluate(tree, DictFacts({"country": "PL"}), 0, "UTC")


def test_reading_a_filter_without_a_pattern_does_not_import_re2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "re2", raising=False)
    read("country starts with 'P'")
    assert "re2" not in sys.modules


@pytest.mark.parametrize(("pattern", "text"), [("(a+)+$", "a" * 50_000 + "b"), ("(a|aa)*b", "a" * 50_000)])
def test_no_pattern_takes_more_than_linear_time(pattern: str, text: str) -> None:
    """Patterns that would take a backtracking matcher longer than the age of the universe."""
    begun = time.monotonic()
    assert not _regex.is_found(pattern, False, text)
    assert time.monotonic() - begun < 5


def test_a_pattern_that_is_too_large_is_a_problem_with_a_caret() -> None:
    with pytest.raises(FilterTypeError, match="pattern too large") as caught:
        read(r"country matches '\\pL{1000}\\pL{1000}\\pL{1000}'")
    (problem,) = caught.value.problems
    assert problem.start == 16


def test_nothing_is_written_to_the_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    assert _regex.problem("[a", False) is not None
    assert capfd.readouterr().err == ""


def test_one_problem_does_not_hide_the_others() -> None:
    with pytest.raises(FilterTypeError) as caught:
        read("country matches '[a' and ordrs > 3 and country matches 'a{2,1}'")
    assert len(caught.value.problems) == 3

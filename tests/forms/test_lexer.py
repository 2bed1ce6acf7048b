"""The Pygments lexer: nothing of a filter is an error, and words are what they are."""

from __future__ import annotations

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from pygments.token import Comment, Error, Keyword, Name, Operator

from segmentkit.forms.lexer import SegmentLexer
from tests.forms.shop import FILTERS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("text", FILTERS)
def test_every_filter_is_highlighted_whole(text: str) -> None:
    tokens = list(SegmentLexer().get_tokens(text))
    assert "".join(value for _, value in tokens).strip() == text
    assert not [value for kind, value in tokens if kind is Error]


def test_words_are_what_they_are() -> None:
    text = 'Segment "A" on contact # note\n where COUNT(visit in the last 3 days) > 1 AND `in` = 2 and company.last = 1'
    kinds = {value: kind for kind, value in SegmentLexer().get_tokens(text) if value.strip()}
    assert kinds["Segment"] is Keyword.Declaration
    assert kinds["# note"] is Comment.Single
    assert kinds["COUNT"] is Name.Function
    assert kinds["AND"] is Operator.Word
    assert kinds["`in`"] is Name


def test_the_lexer_is_declared_for_whoever_looks_by_file_name() -> None:
    """Installing the package makes this entry point known; here its declaration is followed."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    lexer = EntryPoint("segmentkit", declared["pygments.lexers"]["segmentkit"], "pygments.lexers").load()
    assert lexer is SegmentLexer
    assert "*.seg" in lexer.filenames

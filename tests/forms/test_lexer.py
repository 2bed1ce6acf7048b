"""The Pygments lexer: nothing of a filter is an error, and words are what they are."""

from __future__ import annotations

import pytest
from pygments.lexers import get_lexer_for_filename
from pygments.token import Comment, Error, Keyword, Name, Operator
from pygments.util import ClassNotFound

from segmentkit.forms.lexer import SegmentLexer
from tests.forms.shop import FILTERS


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


def test_the_lexer_is_found_by_file_name_once_installed() -> None:
    try:
        lexer = get_lexer_for_filename("segments.seg")
    except ClassNotFound:
        pytest.skip("the package is installed without this entry point")
    assert type(lexer).__name__ == "SegmentLexer"

"""A Pygments lexer for filters and `.seg` files, for documentation and editors.

Installed as an entry point, so that `segmentkit` is known wherever Pygments is. Which words
are names depends on where they stand; the lexer goes by the word alone, and by what can
follow it, which is right for how filters are usually written.
"""

from __future__ import annotations

import re
from typing import ClassVar

from pygments.lexer import RegexLexer, words
from pygments.token import (
    Comment,
    Keyword,
    Literal,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Whitespace,
)

__all__ = ["SegmentLexer"]

_LOGIC = ("and", "or", "not", "then")
_CONSTANTS = ("true", "false", "now", "today", "yesterday", "tomorrow")
_CLAUSES = ("describe", "hide", "refresh", "tags", "where", "every", "segment")
_KEYWORDS = (
    "after", "ago", "all", "anniversary", "any", "at", "before", "between", "bottom", "box", "by", "calendar", "case",
    "contains", "did", "empty", "ends", "entered", "ever", "exactly", "fewer", "from", "has", "ignoring", "in", "is",
    "known", "last", "least", "left", "less", "matches", "missing", "more", "most", "next", "no", "none", "of", "on",
    "per", "polygon", "since", "starts", "than", "the", "this", "ties", "times", "time", "top", "until", "was", "with",
    "within", "zone",
)  # fmt: skip
_UNITS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
_FUNCTIONS = (
    "abs", "avg", "coalesce", "count", "day", "days", "distinct", "first", "hour", "last", "length", "lower", "max",
    "median", "min", "month", "round", "sample", "size", "sum", "weekday", "year",
)  # fmt: skip


class SegmentLexer(RegexLexer):
    """Filters and files of segment definitions."""

    name = "segmentkit"
    aliases: ClassVar[list[str]] = ["segmentkit", "filter", "seg"]
    filenames: ClassVar[list[str]] = ["*.seg"]
    flags = re.IGNORECASE

    tokens: ClassVar = {
        "root": [
            (r"\s+", Whitespace),
            (r"#[^\n]*", Comment.Single),
            (r'"(?:[^"\\\n]|\\.)*"', String.Double),
            (r"'(?:[^'\\\n]|\\.)*'", String.Single),
            (r"`[^`\n]+`", Name),
            (r"\$[^\W\d]\w*", Name.Variable),
            (r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T][0-9:.]+(?:Z|[+-][0-9:]+)?", Literal.Date),
            (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", Literal.Date),
            (r"[0-9]+(?:_[0-9]+)*\.[0-9]+(?:_[0-9]+)*", Number.Float),
            (r"[0-9]+(?:_[0-9]+)*", Number.Integer),
            (r"(<=|>=|!=|=|<|>|[+*/%-])", Operator),
            (r"[()\[\],.]", Punctuation),
            (words(_FUNCTIONS, prefix=r"\b", suffix=r"(?=\()"), Name.Function),
            (words(_LOGIC, prefix=r"(?<!\.)\b", suffix=r"\b"), Operator.Word),
            (words(_CONSTANTS, prefix=r"(?<!\.)\b", suffix=r"\b"), Keyword.Constant),
            (words(_CLAUSES, prefix=r"(?<!\.)\b", suffix=r"\b(?!\s*[=<>!])"), Keyword.Declaration),
            (words(_UNITS, prefix=r"(?<!\.)\b", suffix=r"s?\b(?!\s*[=<>!])"), Keyword.Type),
            (words(_KEYWORDS, prefix=r"(?<!\.)\b", suffix=r"\b(?!\s*[=<>!])"), Keyword),
            (r"[^\W\d]\w*", Name),
        ]
    }

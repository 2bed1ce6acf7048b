r"""Text to tokens: words, names in backticks, constants, parameters and symbols.

Whether a word is a keyword depends on where it stands, so that is left to `_parse`. Constants
are validated here; what cannot be read becomes a `bad` token with a `Problem` that says how to
write it. Scanning goes on behind it: a file of definitions reports all its problems.

>>> [token.text for token in scan("orders > 4 # many").tokens]
['orders', '>', '4']
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from segmentkit.dsl import _literals
from segmentkit.errors import Problem

__all__ = ["MAX_PROBLEMS", "Scan", "Token", "scan", "shown"]

MAX_PROBLEMS: Final = 100
"""Problems reported of one text; nobody reads more, and a megabyte of nonsense has many."""

Kind = Literal["word", "backticked", "number", "text", "instant", "date", "parameter", "symbol", "bad"]


class Token(NamedTuple):
    """A piece of the text and where it stood."""

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def lower(self) -> str:
        """The keyword that a word may be, in lower case; other tokens as they are."""
        return self.text.lower() if self.kind == "word" and self.text.isascii() else self.text


class Scan(NamedTuple):
    """All tokens of a text, and what is wrong with single ones."""

    tokens: list[Token]
    problems: list[Problem]


_TOKEN: Final = re.compile(
    r"""
      (?P<space> [\s\ufeff]+ | \#[^\n]* )
    | (?P<instant> [0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9][0-9:.]*(?:[Zz]|[+-][0-9][0-9:]*)? )
    | (?P<date> [0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9]) )
    | (?P<number> [0-9]+(?:_[0-9]+)*(?:\.[0-9]+(?:_[0-9]+)*)? )
    | (?P<text> "[^"\\\n\r]*(?:\\[^\n\r][^"\\\n\r]*)*" | '[^'\\\n\r]*(?:\\[^\n\r][^'\\\n\r]*)*' )
    | (?P<backticked> `[^`\n]+` )
    | (?P<parameter> \$[^\W\d]\w* )
    | (?P<word> [^\W\d]\w* )
    | (?P<symbol> <=(?!>) | >= | !=(?!=) | =(?![=<>]) | <(?![>=]) | [>()\[\],+*/%-] | \.(?![0-9]) )
    | (?P<bad> ==+ | !==? | <=?> | =[<>] | &&? | \|\|? | \.[0-9]+ | ["'`][^\n\r]*
             | [\u201c-\u201f\u00ab][^\n\r"\u201c-\u201f\u00bb]*["\u201c-\u201f\u00bb]?
             | [\u2018-\u201b][^\n\r'\u2018-\u201b]*['\u2018-\u201b]? | . )
    """,
    re.VERBOSE | re.DOTALL,
)

_QUOTES: Final = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab"

_READERS: Final[dict[str, Callable[[str], object]]] = {
    "number": _literals.read_number,
    "text": _literals.read_text,
    "instant": _literals.read_instant,
    "date": _literals.read_date,
}

_INSTEAD: Final = {
    "==": "'=' compares",
    "===": "'=' compares",
    "!==": "'!=' compares",
    "!": "write 'not', or '!=' to compare",
    "<>": "'!=' compares",
    "<=>": "'=' compares",
    "=>": "'at least' is written '>='",
    "=<": "'at most' is written '<='",
    "&": "write 'and'",
    "&&": "write 'and'",
    "|": "write 'or'",
    "||": "write 'or'",
    ";": "a filter is one condition; join conditions with 'and' or 'or'",
    "%": "write a share as a number, such as 0.25",
    "$": "a parameter has a name, such as $agent",
    "{": "a list stands in parentheses, such as (1, 2)",
}


def scan(source: str, start: int = 0, end: int | None = None) -> Scan:
    """Return the tokens of `source[start:end]`; positions count from the beginning of `source`."""
    end = len(source) if end is None else end
    tokens: list[Token] = []
    problems: list[Problem] = []
    position = start
    while position < end:
        match = _TOKEN.match(source, position, end)
        assert match is not None  # the last alternative takes any character
        kind, text, at, position = match.lastgroup, match[0], position, match.end()
        if kind == "space":
            continue
        problem = _complaint(str(kind), text)
        if problem is not None:
            kind = "bad"
            problems.append(Problem.at(problem[0], source, at, position, problem[1]))
            if len(problems) == MAX_PROBLEMS:
                break
        tokens.append(Token(kind, text, at, position))  # type: ignore[arg-type]  # the groups are the kinds
    return Scan(tokens, problems)


def _complaint(kind: str, text: str) -> tuple[str, str] | None:
    """Return message and hint if a token cannot be read."""
    if kind in _READERS:
        try:
            _READERS[kind](text)
        except ValueError as error:
            return str(error), ""
    return _bad(text) if kind == "bad" else None


def _bad(text: str) -> tuple[str, str]:
    first = text[0]
    if first in "\"'":
        return (
            f"the text that begins here has no closing {first}",
            "a text ends on its line; write a quote in it as \\" + first,
        )
    if first == "`":
        empty = text.startswith("``")
        return ("a name in backticks is empty" if empty else "the name that begins here has no closing backtick"), ""
    if first in _QUOTES:
        return f"found {shown(first)}, a typographic quote", "text stands in straight quotes: \"...\" or '...'"
    if first == "." and len(text) > 1:
        return f"found {shown(text)}", f"write 0{text}"
    if set(text) == {"="}:
        text = text[:3]
    return f"{shown(text)} is not in the language", _INSTEAD.get(text, "")


def shown(text: str, limit: int = 40) -> str:
    """Return a piece of the filter in quotes, shortened, with invisible characters spelled out."""
    if len(text) > limit:
        text = text[: limit - 3] + "..."
    visible = "".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in text)
    return f'"{visible}"' if "'" in visible else f"'{visible}'"

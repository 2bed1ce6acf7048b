"""What stands before the cursor: whole tokens, and the beginning of a word, name or text that is being written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal as OneOf

import attrs

from segmentkit.dsl._scan import Token, scan

__all__ = ["Cursor", "find_cursor"]

_WORD: Final = re.compile(r"\w*")
_QUOTES: Final = "\"'"


@attrs.frozen
class Cursor:
    """The tokens before the cursor, and what it completes.

    `started` is the beginning that is there already, without its quote or backtick; `inside` says
    what it is the beginning of. `replaces` is the piece of the text that a completion takes the place of.
    """

    tokens: Sequence[Token]
    started: str
    inside: OneOf["word", "name", "text"]
    replaces: tuple[int, int]


def find_cursor(text: str, position: int) -> Cursor | None:
    """Return what the cursor completes; None in a comment, behind a number, or in what is no token."""
    position = max(0, min(position, len(text)))
    tokens = scan(text, 0, position).tokens
    end = tokens[-1].end if tokens else 0
    if "#" in text[end:position].rsplit("\n", 1)[-1]:
        return None
    if end < position or not tokens:
        rest = _WORD.match(text, position)
        return Cursor(tokens, "", "word", (position, position if end < position or rest is None else rest.end()))
    last, before = tokens[-1], tokens[:-1]
    first = last.text[0]
    if last.kind == "bad" and first in _QUOTES:
        return Cursor(before, last.text[1:], "text", (last.start, _end_of(text, position, first)))
    if last.kind == "bad" and first == "`":
        return Cursor(before, last.text[1:], "name", (last.start, _end_of(text, position, "`")))
    if last.kind == "word":
        rest = _WORD.match(text, position)
        return Cursor(before, last.text, "word", (last.start, position if rest is None else rest.end()))
    if last.kind in ("bad", "number", "parameter", "instant", "date"):
        return None
    return Cursor(tokens, "", "word", (position, position))


def _end_of(text: str, position: int, quote: str) -> int:
    """Return where a text or name in quotes ends, when it is closed on its line, and the cursor otherwise."""
    line_end = text.find("\n", position)
    close = text.find(quote, position, len(text) if line_end < 0 else line_end)
    between = text[position:close] if close >= 0 else ""
    return close + 1 if close >= 0 and not (set(between) & set("\"'`")) and not between.strip(" \t") else position

"""The formatter: definition files laid out anew, token by token, with every comment kept.

Nothing is rewritten: the words stay, keywords become lower case, and blanks and line breaks
are set anew. Each part of a definition begins a line; a filter that joins conditions has each
on a line; brackets that are too long for a line, or hold comments, are broken open. A comment
behind code stays behind it, one on its own line stays above what followed it.

What is a keyword is what the grammar takes as one, so the tokens are fed to the parser.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import attrs

from segmentkit.dsl._parse import Language, language
from segmentkit.dsl._scan import Token, scan
from segmentkit.dsl.definitions import CLAUSES, parse_definitions, split_tokens

__all__ = ["WIDTH", "format_file"]

WIDTH: Final = 100
"""Longest line that the formatter makes of something that it can break."""

_OPEN: Final = frozenset({"(", "["})
_CLOSED: Final = frozenset({")", "]"})
_COMMENT: Final = re.compile(r"#[^\n]*")


def format_file(text: str, origin: str = "") -> str:
    """Return a file of definitions in its one layout; formatting that again changes nothing.

    Args:
        text: the contents of the file.
        origin: what errors call it, such as its path.

    Raises:
        FilterSyntaxError, LimitError: as `parse_definitions`; a file that cannot be read is not laid out.

    Cost:
        Linear in the length, about that of parsing it twice.

    >>> print(format_file('SEGMENT "Loyal"  ON contact WHERE orders>4 AND email is known # both'), end="")
    segment "Loyal" on contact
      where orders > 4
        and email is known  # both
    """
    parse_definitions(text, origin)
    tokens = scan(text).tokens
    pieces = _pieces(text, tokens)
    lines = _Lines()
    position = 0
    for part in split_tokens(tokens):
        _write_definition(lines, pieces[position : position + len(part)], part)
        position += len(part)
    lines.begin(0)
    for comment in _comments(text[tokens[-1].end if tokens else 0 :], behind=bool(tokens)):
        lines.add(comment)
    return lines.text()


@attrs.define
class _Piece:
    """A token as it will be written, with the comments around it."""

    text: str
    kind: str
    above: list[str]
    """Comments on lines of their own before it; an empty one is a blank line."""
    behind: str = ""
    """The comment behind it on its line."""
    is_keyword: bool = False
    glued: bool = False
    """Whether it stands right behind what is before it, without a blank."""
    joins: bool = False
    """Whether it is the `and` or `or` between two conditions, so that a line may begin here."""


def _pieces(text: str, tokens: Sequence[Token]) -> list[_Piece]:
    """Return a piece for each token."""
    pieces: list[_Piece] = []
    end = 0
    for token in tokens:
        between = text[end : token.start]
        if pieces:
            pieces[-1].behind = _trailing(between)
        pieces.append(_Piece(token.text, token.kind, _comments(between, behind=bool(pieces), before=True)))
        end = token.end
    if pieces:
        pieces[-1].behind = _trailing(text[end:])
    return pieces


def _trailing(between: str) -> str:
    """Return the comment that ends the line of the token before."""
    found = _COMMENT.search(between.partition("\n")[0])
    return "" if found is None else _tidy(found[0])


def _comments(between: str, *, behind: bool, before: bool = False) -> list[str]:
    """Return the comments on lines of their own, with "" for blank lines between and after them.

    `behind` says that a token stands before them, and `before` that one stands after them, so that
    the first line, or the last one, is that of the token.
    """
    lines = between.split("\n")
    found: list[str] = []
    for line in lines[1 if behind else 0 : len(lines) - before]:
        comment = _COMMENT.search(line)
        if comment is not None:
            found.append(_tidy(comment[0]))
        elif found and found[-1]:
            found.append("")
    return found


def _tidy(comment: str) -> str:
    """Return a comment with a blank behind its sign, and none at its end."""
    comment = comment.rstrip()
    return f"# {comment[1:]}" if len(comment) > 1 and comment[1] not in " #!" else comment


# ---------------------------------------------------------------------------- classifying

_HEAD: Final = 4
"""`segment "NAME" on TYPE`."""
_ENDS_OPERAND: Final = frozenset({"now", "today", "yesterday", "tomorrow", "true", "false"}) | {
    unit + ending for unit in ("second", "minute", "hour", "day", "week", "month", "year") for ending in ("", "s")
}
_OPERATORS: Final = frozenset({"=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "(", "[", ","})


def _classify(grammar: Language, tokens: Sequence[Token], pieces: Sequence[_Piece]) -> None:
    """Find out what is a keyword, what is glued, and what joins conditions, by feeding a filter to the parser."""
    parser = grammar.begin()
    betweens = [0]
    for index, (token, piece) in enumerate(zip(tokens, pieces, strict=True)):
        state = parser.parser_state
        terminal = grammar.terminal(token, state.parse_conf.parse_table.states[state.position])
        piece.is_keyword = token.kind == "word" and terminal != "NAME"
        piece.glued = index > 0 and _is_glued(pieces[max(0, index - 2) : index], piece)
        if piece.text in _OPEN:
            betweens.append(0)
        elif piece.text in _CLOSED:
            betweens.pop()
        elif piece.is_keyword and token.lower == "between":
            betweens[-1] += 1
        elif piece.is_keyword and token.lower in ("and", "or"):
            piece.joins = not betweens[-1]
            betweens[-1] = max(0, betweens[-1] - 1)
        grammar.feed(parser, token)


def _is_glued(before: Sequence[_Piece], piece: _Piece) -> bool:
    last = before[-1]
    if piece.text in (")", "]", ",", ".", "[", "%") or last.text in ("(", "[", "."):
        return True
    if piece.text == "(":  # that of a function, and not of a list or a group
        return last.kind == "word" and not last.is_keyword
    if last.text != "-" or last.kind != "symbol":
        return False
    # a sign stands right before its number; behind an operand it subtracts
    earlier = before[0] if len(before) > 1 else None
    if earlier is None or earlier.text in _OPERATORS:
        return True
    return earlier.is_keyword and earlier.text.lower() not in _ENDS_OPERAND


# ------------------------------------------------------------------------------- writing


class _Lines:
    """Lines so far, and the one that is being written."""

    def __init__(self) -> None:
        self._done: list[str] = []
        self._indent = 0
        self._open = ""

    def text(self) -> str:
        """Return everything, with one line break at the end."""
        self.begin(0)
        text = "\n".join(self._done).strip("\n")
        return text + "\n" if text else ""

    def begin(self, indent: int) -> None:
        """Begin a line; one that nothing was written to is begun anew."""
        if self._open:
            self._done.append(" " * self._indent + self._open)
        self._indent, self._open = indent, ""

    def add(self, line: str) -> None:
        """Write a whole line, such as a comment, where the next one begins."""
        self.begin(self._indent)
        self._done.append(" " * self._indent + line if line else "")

    def blank(self) -> None:
        """Write a blank line, unless there is one or nothing is before it."""
        self.begin(0)
        if self._done and self._done[-1]:
            self._done.append("")

    def room(self) -> int:
        """Return how much fits on the line."""
        return WIDTH - self._indent - len(self._open)

    def put(self, piece: _Piece, indent: int) -> None:
        """Write a piece behind the others, its comments where they stood."""
        for comment in piece.above:
            if comment:
                self.begin(indent)
                self.add(comment)
        text = piece.text.lower() if piece.is_keyword else piece.text
        self._open += text if piece.glued or not self._open else f" {text}"
        if piece.behind:
            self._open += f"  {piece.behind}"
            self.begin(indent)


def _write_definition(lines: _Lines, pieces: Sequence[_Piece], tokens: Sequence[Token]) -> None:
    """Write a definition, after a blank line."""
    lines.blank()
    for comment in pieces[0].above:
        lines.add(comment)
    pieces[0].above = []
    start = len(pieces)
    for index, piece in enumerate(pieces):
        piece.is_keyword = index in (0, 2) or (index >= _HEAD and piece.kind == "word")
        piece.glued = piece.text == ","
        starts = index >= _HEAD and piece.is_keyword and piece.text.lower() in CLAUSES
        if starts:
            lines.begin(2)
        lines.put(piece, 2 if starts else 4)
        if index >= _HEAD and piece.is_keyword and piece.text.lower() == "where":
            start = index + 1
            break
    _classify(language(), tokens[start:], pieces[start:])
    _write_filter(lines, pieces[start:])


def _write_filter(lines: _Lines, pieces: Sequence[_Piece]) -> None:
    """Write a filter: each condition that is joined on a line, long brackets broken open."""
    closing = _closing(pieces)
    widths = _widths(pieces)
    opened = [True]  # whether each bracket around, and the filter itself, is broken into lines
    for index, piece in enumerate(pieces):
        if piece.kind == "symbol" and piece.text in _CLOSED and opened.pop():
            lines.begin(2 + 2 * sum(opened))
        indent = 2 + 2 * sum(opened)
        comma = index > 0 and pieces[index - 1].text == "," and len(opened) > 1
        if opened[-1] and (piece.joins or comma):
            lines.begin(indent)
        lines.put(piece, indent)
        if index in closing:
            inside = pieces[index : closing[index]]
            commented = piece.behind or any(p.above or p.behind for p in inside[1:]) or pieces[closing[index]].above
            opened.append(bool(commented) or widths[closing[index] + 1] - widths[index + 1] > lines.room())
            if opened[-1]:
                lines.begin(2 + 2 * sum(opened))


def _closing(pieces: Sequence[_Piece]) -> dict[int, int]:
    """Return where each bracket is closed."""
    found: dict[int, int] = {}
    stack: list[int] = []
    for index, piece in enumerate(pieces):
        if piece.kind == "symbol" and piece.text in _OPEN:
            stack.append(index)
        elif piece.kind == "symbol" and piece.text in _CLOSED:
            found[stack.pop()] = index
    return found


def _widths(pieces: Sequence[_Piece]) -> list[int]:
    """Return how wide the pieces before each place are on one line."""
    found = [0]
    for piece in pieces:
        found.append(found[-1] + len(piece.text) + (not piece.glued))
    return found

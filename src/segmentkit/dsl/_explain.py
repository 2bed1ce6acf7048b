"""Syntax errors in words: what was found, what could stand there, and what was probably meant.

Works on tokens after the parser has stopped: the tokens before the culprit are fed again,
and the parser tells which terminals it would take next. No lark name reaches a message.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

from segmentkit.dsl._literals import RESERVED
from segmentkit.dsl._parse import Language
from segmentkit.dsl._scan import Token, shown
from segmentkit.errors import Problem

__all__ = ["explain"]

_NOTHING: Final = Token("symbol", "", 0, 0)

_COMPARISONS: Final = frozenset({"=", "!=", "<", "<=", ">", ">="})
_UNITS: Final = frozenset(
    {"seconds", "minutes", "hours", "days", "weeks", "months", "quarters", "years"}
    | {"second", "minute", "hour", "day", "week", "month", "quarter", "year"}
)
_AFTER_VALUE: Final = _COMPARISONS | {
    "before", "after", "since", "until", "on", "between", "in", "not", "is", "contains", "starts", "ends", "has",
    "more", "less", "fewer", "at", "exactly", "within", "matches", "anniversary",
}  # fmt: skip
_AFTER_EVENT: Final = frozenset(
    {"at", "exactly", "more", "fewer", "less", "between", "on", "in", "since", "after", "before", "until", "today"}
    | {"yesterday", "within", "then"}
)
_BEGIN_VALUE: Final = frozenset(
    {"NAME", "BACKTICKED", "NUMBER", "TEXT", "INSTANT", "DATE", "PARAMETER", "(", "-", "at", "exactly"}
    | {"now", "today", "yesterday", "tomorrow", "true", "false", "did", "not"}
    | {"in", "all", "any", "bottom", "entered", "left", "no", "top", "was"}
)
_AFTER_OPERAND: Final = frozenset({"+", "-", "*", "/", "(", "[", "."})
_LONGER: Final = {"ignoring": "ignoring case", "in": "in zone"}
_KINDS: Final = {
    "NAME": "a name",
    "NUMBER": "a number",
    "TEXT": "text in quotes",
    "INSTANT": "an instant",
    "DATE": "a date",
}
_BEGINNINGS: Final = {
    "any": "'any' stands before a relation to many objects, such as 'any deals[...]'",
    "all": "'all' stands before a relation to many objects, such as 'all deals[...]'",
    "no": "'no' stands before a relation to many objects, such as 'no deals[...]'",
    "top": "a rank is 'top 10 by ltv' or 'top 10% by ltv'",
    "bottom": "a rank is 'bottom 10 by ltv' or 'bottom 10% by ltv'",
    "entered": "write 'entered segment \"...\"', with a window behind it if need be",
    "left": "write 'left segment \"...\"', with a window behind it if need be",
    "was": "write 'was ever in segment \"...\"'",
}
"""What was probably begun with words that are names too."""


def explain(language: Language, tokens: Sequence[Token], position: int, source: str, end: int) -> Problem:
    """Return the problem of the token at `position`, which is the end of the text if there is none."""
    found = tokens[position] if position < len(tokens) else None
    bracket = _bracket_problem(tokens, position, source)
    if bracket is not None:
        return bracket
    accepted = _accepted(language, tokens[:position])
    before = [_NOTHING, _NOTHING, *tokens[:position]]
    message = f"expected {_expectation(accepted)}, found {shown(found.text) if found else 'the end'}"
    hint = _hint(found or _NOTHING, before, accepted)
    last = tokens[-1].end if tokens else end
    start, stop = (found.start, found.end) if found else (last, last)
    return Problem.at(message, source, start, stop, hint)


def _accepted(language: Language, tokens: Sequence[Token]) -> frozenset[str]:
    """Return what may follow the tokens: keywords and symbols as they are written, kinds in capitals."""
    parser = language.begin()
    for token in tokens:
        language.feed(parser, token)
    written = {terminal: word for word, terminal in language.terminals.items()}
    return frozenset(written.get(terminal, terminal) for terminal in parser.accepts())  # type: ignore[no-untyped-call]  # lark is typed in part


def _bracket_problem(tokens: Sequence[Token], position: int, source: str) -> Problem | None:
    """Return the problem if a bracket is left open at the end, or one is closed that is not open."""
    pairs = {")": "(", "]": "["}
    stack: list[Token] = []
    for token in tokens[:position]:
        if token.kind == "symbol" and token.text in ("(", "["):
            stack.append(token)
        elif token.kind == "symbol" and token.text in pairs:
            stack.pop()
    if position == len(tokens):
        if not stack:
            return None
        opened = stack[-1]
        return Problem.at(f"'{opened.text}' is never closed", source, opened.start, opened.end)
    found = tokens[position]
    if found.kind == "symbol" and found.text in pairs:
        if not stack:
            return Problem.at(f"'{found.text}' closes nothing", source, found.start, found.end)
        if stack[-1].text != pairs[found.text]:
            message = f"'{found.text}' does not close the '{stack[-1].text}' that is open"
            return Problem.at(message, source, found.start, found.end)
    return None


def _expectation(accepted: frozenset[str]) -> str:
    """Return what may follow, in words: the kinds of things first, single words only if they are few."""
    phrases: list[str] = []
    rest = set(accepted)
    if {"NAME", "NUMBER", "TEXT"} <= rest:
        phrases.append("a condition" if "not" in rest else "a value")
        rest -= _BEGIN_VALUE
    elif {"NUMBER", "TEXT"} <= rest:
        phrases.append("a constant (text in quotes, a number, a date, true or false)")
        rest -= _BEGIN_VALUE
    if "=" in rest:
        phrases.append("a comparison (such as '=', 'in', 'is missing')")
        rest -= _AFTER_VALUE | _AFTER_OPERAND
    elif {"more", "on"} <= rest:
        phrases += ["a count (such as 'at least 3 times')"] if "fewer" in rest and "[" in rest else []
        phrases.append("a window (such as 'in the last 30 days')")
        rest -= _AFTER_EVENT | _AFTER_OPERAND
    elif {"in", "tomorrow"} <= rest:
        phrases.append("'today' or a window of days (such as 'in the next 7 days')")
        rest -= {"in", "today", "tomorrow", "yesterday"}
    if rest & _UNITS:
        phrases.append("a unit (such as 'days')")
        rest -= _UNITS
    phrases += [_KINDS[kind] for kind in _KINDS if kind in rest]
    rest -= {"at", "exactly", *_BEGINNINGS} if "NAME" in rest else set()
    rest -= _KINDS.keys() | {"BACKTICKED", "PARAMETER", "$END"}
    rest -= _AFTER_OPERAND if len(rest) > 3 else set()
    phrases += [f"'{_LONGER.get(word, word)}'" for word in sorted(rest)[:8]]
    phrases += ["the end"] if "$END" in accepted else []
    return " or ".join(part for part in (", ".join(phrases[:-1]), phrases[-1]) if part)


def _hint(  # noqa: C901  # a table of mistakes, the particular ones first
    found: Token, before: Sequence[Token], accepted: frozenset[str]
) -> str:
    word, previous, earlier = found.lower, before[-1].lower, before[-2].lower
    if word == "not" and previous == "not" and earlier == "did":
        return "one 'not' is enough; a condition that is negated twice is the condition"
    in_sequence = any(token.lower == "then" for token in before)
    is_step = word in ("then", "followed") or previous == "then" or (word == "times" and in_sequence)
    if is_step and "than" not in accepted:
        return _sequence_hint(word, previous, accepted)
    if word in ("null", "none", "nil") and previous in ("is", "not"):
        return f"write 'is {'known' if previous == 'not' else 'missing'}'"
    if previous == "is" and found.text:
        return "'is' goes with missing, known or empty; to compare write '='"
    if word in ("like", "ilike", "includes", "include"):
        return "write 'contains \"...\"', 'starts with \"...\"' or 'ends with \"...\"'"
    if word in ("equals", "eq"):
        return "write '='"
    if before[-1].kind == "number" and found.kind == "word" and found.start == before[-1].end:
        return "numbers are written out, such as 100000 or 0.001"
    if before[-1].kind == "number" and accepted & {"days", "hours"} and not accepted & {"="}:
        return f"say the unit, such as '{before[-1].text} days'"
    if before[-1].kind == "number" and word in ("ago", "from"):
        return f"say the unit and how it compares, such as 'more than {before[-1].text} days ago'"
    if word in _COMPARISONS and "and" in accepted:
        return "comparisons do not chain; write 'a < b and b < c', or 'b between a and c'"
    if word in _UNITS and "NUMBER" in accepted and previous in ("last", "next"):
        return f"say how many, such as 'the {previous} 1 {word}'; or 'in {previous} {word}' for the calendar"
    if previous == "in" and accepted == {"segment"}:
        return "to use 'in' as a name, put it in backticks: `in`; a condition on a segment is 'in segment \"...\"'"
    if word == "segment" and previous == "in" and "box" in accepted:
        alone = "'in segment \"...\"' stands without a value before it"
        return _BEGINNINGS["was"] if earlier == "was" else alone
    if {"%", "by"} <= accepted:
        return (
            "write '10%'" if word in ("percent", "pct") else "a rank is 'top 10 of (...) by ltv per country with ties'"
        )
    if word == "by" and "=" in accepted and previous not in _BEGINNINGS:
        return _BEGINNINGS["top"]
    if word in ("(", "with", "where", "that", "which") and "[" in accepted and "=" not in accepted:
        return "a filter stands in brackets: '[...]'"
    if word == "." and "fewer" in accepted:
        return "events of a related object stand in its brackets, such as 'company[did login]'"
    if previous == "segment" and found.kind in ("word", "backticked"):
        return f'the name of a segment stands in quotes: "{found.text.strip("`")}"'
    if previous in _BEGINNINGS and found.text and "of" not in accepted and "=" in accepted:
        return _BEGINNINGS[previous]
    if word in ("exists", "unless", "except", "xor"):
        return "join conditions with 'and', 'or' and 'not'"
    if word in ("and", "or"):
        return f"a condition is missing before '{word}'"
    if found.kind == "word" and "TEXT" in accepted and "NAME" not in accepted and word not in RESERVED:
        return f'text stands in quotes: "{found.text}"'
    if word in RESERVED and "NAME" in accepted:
        return f"to use {shown(found.text)} as a name, put it in backticks: `{found.text}`"
    if found.kind == "word":
        near = difflib.get_close_matches(word, [w for w in accepted if w.isalpha() and w.islower()], 1, 0.7)
        if near:
            return f"did you mean '{near[0]}'?"
    return ""


def _sequence_hint(word: str, previous: str, accepted: frozenset[str]) -> str:
    """Return what was probably meant by a sequence of events."""
    if word == "followed":
        return "write 'did a then b'"
    if previous == "then":
        return "'did' stands once, in front of the first step: 'did a then b'" if word == "did" else ""
    if word != "then":
        return "a step of a sequence has no count; join two conditions"
    if "=" in accepted:
        return "a sequence of events begins with 'did': 'did a then b'"
    return "counts do not go with sequences, and the window stands behind the last step: 'did a then b today'"

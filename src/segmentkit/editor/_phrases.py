"""Operators and keywords in the phrases in which they are written, and the types of values they go with.

A phrase is offered where the parser reads all of it as keywords. What stands to the left of it
has one of its kinds: that of a value's type, "event" behind `did`, "relation" behind the name of
one, or "start" at the beginning of a condition. A phrase without kinds goes with everything.
Words of the grammar that begin no phrase are offered by themselves.
"""

from __future__ import annotations

from typing import Final

import attrs

__all__ = ["PHRASES", "TYPED_WORDS", "UNITS", "Phrase"]

_NUMBERS: Final = ("integer", "number", "decimal")
_TEXTS: Final = ("text", "choice")
_TIMES: Final = ("instant", "date")
_ORDERED: Final = (*_NUMBERS, *_TEXTS, *_TIMES, "duration")
_START: Final = ("start",)
_WINDOWED: Final = (*_TIMES, "event")


@attrs.frozen
class Phrase:
    """Words that belong together, what they mean, and the kinds of what stands to the left of them."""

    text: str
    detail: str
    kinds: tuple[str, ...] = ()


PHRASES: Final = (
    Phrase("=", "equal", (*_ORDERED, "boolean")),
    Phrase("!=", "not equal; also holds where the value is missing", (*_ORDERED, "boolean")),
    Phrase("<", "less", _ORDERED),
    Phrase("<=", "less or equal", _ORDERED),
    Phrase(">", "greater", _ORDERED),
    Phrase(">=", "greater or equal", _ORDERED),
    Phrase("between", "from one value to another, both included", (*_ORDERED, "event")),
    Phrase("in (", "one of a list", (*_NUMBERS, *_TEXTS, *_TIMES)),
    Phrase("not in (", "none of a list", (*_NUMBERS, *_TEXTS, *_TIMES)),
    Phrase("(", "a list", (*_NUMBERS, *_TEXTS, *_TIMES, "text_set", "point")),
    Phrase("contains", "has this text in it", _TEXTS),
    Phrase("starts with", "begins with this text", _TEXTS),
    Phrase("ends with", "ends with this text", _TEXTS),
    Phrase("with", "this text", _TEXTS),
    Phrase("any of (", "one of several", (*_TEXTS, "text_set")),
    Phrase("matches", "a regular expression is found in it", _TEXTS),
    Phrase("has", "has this member", ("text_set",)),
    Phrase("has any of (", "has one of these members", ("text_set",)),
    Phrase("has all of (", "has all of these members", ("text_set",)),
    Phrase("has none of (", "has none of these members", ("text_set",)),
    Phrase("all of (", "all of several", ("text_set",)),
    Phrase("none of (", "none of several", ("text_set",)),
    Phrase("is empty", "has no members", ("text_set",)),
    Phrase("empty", "has no members", ("text_set",)),
    Phrase("is missing", "has no value", (*_ORDERED, "boolean", "point")),
    Phrase("is known", "has a value", (*_ORDERED, "boolean", "point", "relation")),
    Phrase("missing", "has no value", (*_ORDERED, "boolean", "point")),
    Phrase("known", "has a value", (*_ORDERED, "boolean", "point", "relation")),
    Phrase("within", "near a place", ("point",)),
    Phrase("within", "a time before or after an instant of the object, or the step before", ("event",)),
    Phrase("in box (", "between south, west, north and east", ("point",)),
    Phrase("in polygon (", "within borders", ("point",)),
    Phrase("box (", "between south, west, north and east", ("point",)),
    Phrase("polygon (", "within borders", ("point",)),
    Phrase("more than", "longer ago, or further ahead", _TIMES),
    Phrase("at least", "so long ago or longer", _TIMES),
    Phrase("less than", "not so long ago", _TIMES),
    Phrase("in the last", "up to so long ago", _WINDOWED),
    Phrase("in the next", "up to so long ahead", _TIMES),
    Phrase("in this", "the current calendar unit", _WINDOWED),
    Phrase("in last", "the calendar unit before", _WINDOWED),
    Phrase("in next", "the calendar unit after", _TIMES),
    Phrase("the last", "up to so long ago", _WINDOWED),
    Phrase("the next", "up to so long ahead", _TIMES),
    Phrase("this", "the current calendar unit", _WINDOWED),
    Phrase("last", "the calendar unit before", _WINDOWED),
    Phrase("next", "the calendar unit after", _TIMES),
    Phrase("before", "earlier", _WINDOWED),
    Phrase("after", "later", _WINDOWED),
    Phrase("since", "then or later", _WINDOWED),
    Phrase("until", "then or earlier", _WINDOWED),
    Phrase("on", "on a day", _WINDOWED),
    Phrase("anniversary", "the same day of another year", _TIMES),
    Phrase("at least", "so many times or more", ("event",)),
    Phrase("at most", "so many times or fewer", ("event",)),
    Phrase("exactly", "so many times", ("event",)),
    Phrase("more than", "more often, or longer ago", ("event",)),
    Phrase("fewer than", "less often", ("event",)),
    Phrase("less than", "less often, or not so long ago", ("event",)),
    Phrase("on at least", "on so many days or more", ("event",)),
    Phrase("today", "on the current day", ("event",)),
    Phrase("yesterday", "on the day before", ("event",)),
    Phrase("then", "and after that", ("event",)),
    Phrase("then not", "and after that none", ("event",)),
    Phrase("ignoring case", "upper and lower case are alike", (*_TEXTS, "text_set")),
    Phrase("in zone", "days and months as in this zone", (*_TIMES, "duration", "event")),
    Phrase("+", "plus", (*_NUMBERS, *_TIMES, "duration")),
    Phrase("-", "minus", (*_NUMBERS, *_TIMES, "duration")),
    Phrase("*", "times", _NUMBERS),
    Phrase("/", "divided by", _NUMBERS),
    Phrase("and", "both hold"),
    Phrase("or", "one of them holds"),
    Phrase("[", "those that pass a filter", ("event", "relation")),
    Phrase(".", "an attribute of the related object", ("relation",)),
    Phrase("ago", "before now", _WINDOWED),
    Phrase("from now", "after now", _WINDOWED),
    Phrase("now", "the current instant", (*_WINDOWED, "start")),
    Phrase("today", "the current day", (*_TIMES, "start")),
    Phrase("yesterday", "the day before", (*_TIMES, "start")),
    Phrase("tomorrow", "the day after", (*_WINDOWED, "start")),
    Phrase("not", "none", ("event",)),
    Phrase("did", "there is such an event", _START),
    Phrase("did not", "there is no such event", _START),
    Phrase("not", "does not hold", _START),
    Phrase("(", "conditions that belong together", _START),
    Phrase("at least 2 of (", "so many of these conditions hold", _START),
    Phrase("at most 2 of (", "no more of these conditions hold", _START),
    Phrase("exactly 2 of (", "so many of these conditions hold", _START),
    Phrase("in segment", "is a member of a segment", _START),
    Phrase("entered segment", "became a member", _START),
    Phrase("left segment", "ceased to be a member", _START),
    Phrase("was ever in segment", "is a member, or was", _START),
    Phrase("top", "the first by a value", _START),
    Phrase("bottom", "the last by a value", _START),
    Phrase("true", "everybody", _START),
    Phrase("false", "nobody", _START),
)

TYPED_WORDS: Final = frozenset(
    {word for phrase in PHRASES for word in phrase.text.split()}
    - {"than", "with", "case", "zone", "least", "most", "of", "segment", "ever"}
    | {"is", "not", "true", "false", "(", "[", "any", "all", "no", "none"}
)
"""Words and symbols that are offered by a phrase, or as a value or unit, and never by themselves."""

UNITS: Final = frozenset(
    {"seconds", "minutes", "hours", "days", "weeks", "months", "quarters", "years"}
    | {"second", "minute", "hour", "day", "week", "month", "quarter", "year", "m", "km", "mi", "time", "times"}
)

"""Expressions as pieces of text: how they are written, and how tightly they bind.

The builder writes filters, and nothing else: what an expression means and whether it fits a
schema is found out when its text is parsed, as for every other filter. A piece has two
spellings, because in the brackets of an event bare names are the event's, and the object's
own attributes are written `object.name`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias

import attrs

from segmentkit import values as types
from segmentkit.dsl._literals import quote_name, write_date, write_instant, write_number, write_text
from segmentkit.dsl._parse import MAX_LENGTH
from segmentkit.dsl._render import AND, ATOM, CONDITION, NOT, OR, PRODUCT, SIGN, SUM
from segmentkit.dsl._render_windows import write_length
from segmentkit.dsl.predicates import Duration
from segmentkit.errors import ClockError, FilterTypeError, LimitError, Problem, repr_of

__all__ = [
    "AND",
    "ATOM",
    "CONDITION",
    "NOT",
    "OR",
    "PRODUCT",
    "SIGN",
    "SUM",
    "Piece",
    "Written",
    "constant",
    "length",
    "misuse",
    "named",
    "text",
    "write",
]


@attrs.frozen
class Written:
    """A piece of a filter: its text, that in the brackets of an event, and the level of its outermost operator."""

    text: str
    inside: str
    level: int

    def at(self, level: int, inside: bool) -> str:
        """Return the text for a place that asks for a level, in parentheses if it binds less."""
        found = self.inside if inside else self.text
        return found if self.level >= level else f"({found})"


Piece: TypeAlias = str | tuple[Written, int]
"""Text as it is, or an expression in a place that asks for a level."""


def write(level: int, *pieces: Piece) -> Written:
    """Return pieces one after the other as an expression of some level.

    Raises:
        LimitError: no filter is as long.
    """
    plain, within = (
        "".join(p if isinstance(p, str) else p[0].at(p[1], inside) for p in pieces) for inside in (False, True)
    )
    found = max(len(plain), len(within))
    if found > MAX_LENGTH:
        message = f"the filter has {found:,} characters, over the limit of {MAX_LENGTH:,}"
        raise LimitError(f"{message}; split it into several segments", what="length", limit=MAX_LENGTH, found=found)
    return Written(plain, within, level)


def misuse(message: str, written: Written | None = None, hint: str = "") -> FilterTypeError:
    """Return the error for an expression that is used in a way that has no meaning."""
    source = "" if written is None else written.text
    return FilterTypeError([Problem(message, 0, len(source), hint=hint)], source, "expression")


def named(name: Any, what: str) -> str:
    """Return a name as filters spell it.

    Raises:
        FilterTypeError: it cannot be a name.
    """
    if not isinstance(name, str) or not 0 < len(name) <= 200 or "`" in name or "\n" in name:
        raise misuse(f"{what} has a name of 1 to 200 characters without backtick or line break, got {repr_of(name)}")
    return quote_name(str(name))


# ---------------------------------------------------------------------------- constants


def _instant(value: datetime) -> str:
    try:
        return write_instant(types.to_micros(value))
    except ClockError as error:
        raise misuse(str(error)) from None


def _period(value: timedelta) -> str:
    seconds, rest = divmod(value, timedelta(seconds=1))
    if rest or seconds < 0:
        raise misuse(f"a duration is a whole number of seconds and not negative, got {repr_of(value)}")
    unit, length = next((u, n) for u, n in _EXACT if seconds % n == 0)
    return write_length(Duration(seconds // length, unit))  # type: ignore[arg-type]  # the table has the units


def _calendar_length(value: Duration) -> str:
    constant(value.count)  # a number too long to be written is refused
    return write_length(value)


_EXACT: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def _converted(value_type: types.ValueType, write_it: Callable[[Any], str]) -> Callable[[Any], str]:
    def convert(value: Any) -> str:
        try:
            return write_it(value_type.convert(value))
        except ValueError as error:
            raise misuse(str(error)) from None

    return convert


_CONSTANTS: Final[tuple[tuple[type, Callable[[Any], str]], ...]] = (
    (bool, lambda value: "true" if value else "false"),
    (int, _converted(types.integer, write_number)),
    (float, _converted(types.number, write_number)),
    (Decimal, _converted(types.decimal, write_number)),
    (str, _converted(types.text, write_text)),
    (datetime, _instant),
    (date, lambda value: write_date(value.toordinal())),
    (timedelta, _period),
    (Duration, _calendar_length),
)


def constant(value: Any) -> Written:
    """Return a Python value as a constant.

    Raises:
        FilterTypeError: there are no constants of its type.
    """
    for kind, write_it in _CONSTANTS:
        if isinstance(value, kind):
            found = write_it(value)
            return Written(found, found, SIGN if found[0] == "-" else ATOM)
    if value is None:
        raise misuse("None is no constant", hint="ask with .is_missing() or .is_known()")
    raise misuse(
        "expected text, a number, a boolean, a date, an aware datetime or a duration, "
        f"got {repr_of(value)} ({type(value).__name__})"
    )


def text(value: Any) -> str:
    """Return text in quotes.

    Raises:
        FilterTypeError: it is no text.
    """
    if not isinstance(value, str):
        raise misuse(f"expected text, got {repr_of(value)} ({type(value).__name__})")
    return constant(value).text


def length(value: Any) -> str:
    """Return a duration.

    Raises:
        FilterTypeError: it is none.
    """
    if not isinstance(value, Duration | timedelta):
        raise misuse(f"expected a duration such as days(30), got {repr_of(value)} ({type(value).__name__})")
    return constant(value).text

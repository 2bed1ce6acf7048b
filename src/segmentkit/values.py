"""Value types: which values fit, and what they are inside.

Values pass `ValueType.convert` once, at the door; behind it everything is in one plain form:

==========  ==========================================  =============================
type        accepted from the host                      plain form
==========  ==========================================  =============================
text        str                                         str
integer     int                                         int
number      float, or an int that a double can hold     float
decimal     Decimal, int, numeric str, float            Decimal (a float is taken as it prints)
boolean     bool                                        bool
instant     aware datetime                              int, microseconds since 1970 UTC
date        date                                        int, proleptic ordinal (1 = 0001-01-01)
text_set    set, frozenset, list or tuple of str        frozenset of str
point       (latitude, longitude) in degrees            tuple of two floats
choice      one of the declared str                     str
==========  ==========================================  =============================

None is a missing value for each of them; a missing set is the empty set.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date as _date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal, TypeGuard

import attrs

from segmentkit.errors import ClockError, SchemaError, repr_of

__all__ = [
    "MAX_TEXT",
    "ValueType",
    "boolean",
    "choice",
    "date",
    "decimal",
    "from_micros",
    "instant",
    "integer",
    "number",
    "point",
    "text",
    "text_set",
    "to_micros",
]

Kind = Literal[
    "text", "integer", "number", "decimal", "boolean", "instant", "date", "text_set", "point", "choice", "duration"
]

MAX_TEXT: Final = 65_536
"""Longest text value, in characters."""
MAX_DIGITS: Final = 1_000
"""Most digits of an integer or decimal, before and after the point together."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_DAY = (datetime.min.replace(tzinfo=UTC) - _EPOCH).days
_LAST_DAY = (datetime.max.replace(tzinfo=UTC) - _EPOCH).days


def to_micros(value: datetime) -> int:
    """Return an aware datetime as microseconds since 1970 UTC.

    Raises:
        ClockError: `value` is no datetime, has no zone, or lies outside of the years 1 to 9999 in UTC.

    >>> to_micros(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    if type(value) is datetime and value.tzinfo is UTC:  # most are, and none of these can be out of range
        return (value - _EPOCH) // _MICROSECOND
    if not isinstance(value, datetime):
        raise ClockError(f"expected an aware datetime, got {repr_of(value)} ({type(value).__name__})")
    if value.utcoffset() is None:
        raise ClockError(f"{value!r} has no time zone; pass an aware datetime, such as datetime(..., tzinfo=UTC)")
    delta = value - _EPOCH
    if not _FIRST_DAY <= delta.days <= _LAST_DAY:
        raise ClockError(f"{value.isoformat()} lies outside of the years 1 to 9999 in UTC")
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_micros(micros: int) -> datetime:
    """Return microseconds since 1970 UTC as an aware datetime in UTC."""
    return _EPOCH + micros * _MICROSECOND  # half of what a new timedelta takes


@attrs.frozen(repr=False)
class ValueType:
    """The type of an attribute, a property or an expression."""

    kind: Kind
    choices: tuple[str, ...] = ()

    def __repr__(self) -> str:
        if self.kind == "choice":
            return f"choice({', '.join(map(repr, self.choices))})"
        return self.kind

    @property
    def is_numeric(self) -> bool:
        """Whether values are integers, doubles or decimals."""
        return self.kind in ("integer", "number", "decimal")

    @property
    def is_text(self) -> bool:
        """Whether values are text, free or chosen from a list."""
        return self.kind in ("text", "choice")

    @property
    def described(self) -> str:
        """What a value has to be, for messages."""
        if self.kind == "choice":
            return "one of " + ", ".join(repr(c) for c in self.choices)
        return _DESCRIBED[self.kind]

    @property
    def converter(self) -> Callable[[Any, ValueType], Any]:
        """What `convert` does with a value that is there, the type being its second argument."""
        return _CONVERTERS[self.kind]

    def convert(self, value: Any) -> Any:
        """Return the plain form of a host's value; None stays None.

        Raises:
            ValueError: the value does not fit; the message says what was expected.
        """
        if value is None:
            return None
        return _CONVERTERS[self.kind](value, self)

    def restore(self, value: Any) -> Any:
        """Return a plain value in the form that hosts use: the inverse of `convert`."""
        if value is None:
            return None
        if self.kind == "instant":
            return from_micros(value)
        if self.kind == "date":
            return _date.fromordinal(value)
        return value


def _refuse(value: Any, expected: ValueType, why: str = "") -> ValueError:
    return ValueError(f"expected {expected.described}, got {repr_of(value, 80)} ({type(value).__name__}){why}")


def _convert_text(value: Any, expected: ValueType) -> str:
    if type(value) is str and len(value) <= MAX_TEXT and value.isascii():  # most are: `bench_changes`
        return value
    if not isinstance(value, str):
        raise _refuse(value, expected)
    if len(value) > MAX_TEXT:
        raise ValueError(f"text of {len(value):,} characters is over the limit of {MAX_TEXT:,}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _refuse(value, expected, ": it holds half of a surrogate pair") from None
    return str(value)


def is_text(value: object) -> TypeGuard[str]:
    """Whether it is text that can be written down, which halves of surrogate pairs cannot."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _convert_integer(value: Any, expected: ValueType) -> int:
    if type(value) is not int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _refuse(value, expected)
        value = int(value)
    if value.bit_length() > 3_300 and abs(value) >= 10**MAX_DIGITS:
        raise ValueError(f"an integer of more than {MAX_DIGITS:,} digits is over the limit")
    return int(value)


def _convert_number(value: Any, expected: ValueType) -> float:
    if type(value) is float or isinstance(value, float):
        if not math.isfinite(value):
            raise _refuse(value, expected, ": NaN and infinities are refused")
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _refuse(value, expected)
    try:
        converted = float(value)
    except OverflowError:
        raise _refuse(value, expected, ": too large for a double") from None
    if converted != value:
        raise _refuse(value, expected, ": a double cannot hold it exactly; declare the attribute as decimal")
    return converted


def _convert_decimal(value: Any, expected: ValueType) -> Decimal:
    if isinstance(value, bool):
        raise _refuse(value, expected)
    if isinstance(value, Decimal):
        converted = value
    elif isinstance(value, int):
        converted = Decimal(_convert_integer(value, integer))
    elif isinstance(value, float):
        converted = Decimal(repr(float(value)))
    elif isinstance(value, str):
        try:
            converted = Decimal(value if len(value) <= 2 * MAX_DIGITS else "too long")
        except InvalidOperation:
            raise _refuse(value, expected, ": the text is not a number") from None
    else:
        raise _refuse(value, expected)
    sign, digits, exponent = converted.as_tuple()
    if not isinstance(exponent, int):
        raise _refuse(value, expected, ": NaN and infinities are refused")
    if not any(digits):
        return Decimal(0)
    if len(digits) + abs(exponent) > MAX_DIGITS:
        raise ValueError(f"a decimal of more than {MAX_DIGITS:,} digits is over the limit: {repr_of(value, 40)}")
    return converted


def _convert_boolean(value: Any, expected: ValueType) -> bool:
    if type(value) is not bool:
        raise _refuse(value, expected)
    return bool(value)


def _convert_instant(value: Any, expected: ValueType) -> int:
    if not isinstance(value, datetime):
        raise _refuse(value, expected)
    if value.utcoffset() is None:
        raise _refuse(value, expected, ": it has no time zone")
    return to_micros(value)


def _convert_date(value: Any, expected: ValueType) -> int:
    if isinstance(value, datetime) or not isinstance(value, _date):
        raise _refuse(value, expected)
    return value.toordinal()


def _convert_text_set(value: Any, expected: ValueType) -> frozenset[str]:
    if not isinstance(value, set | frozenset | list | tuple):
        raise _refuse(value, expected)
    return frozenset(_convert_text(member, text) for member in value)


def _convert_point(value: Any, expected: ValueType) -> tuple[float, float]:
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise _refuse(value, expected)
    try:
        latitude, longitude = _convert_number(value[0], number), _convert_number(value[1], number)
    except ValueError:
        raise _refuse(value, expected) from None
    if not -90 <= latitude <= 90:
        raise _refuse(value, expected, ": the latitude is not between -90 and 90")
    if not -180 <= longitude <= 180:
        raise _refuse(value, expected, ": the longitude is not between -180 and 180")
    return (latitude, longitude)


def _convert_choice(value: Any, expected: ValueType) -> str:
    if not isinstance(value, str) or value not in expected.choices:
        raise _refuse(value, expected)
    return str(value)


def _convert_duration(value: Any, expected: ValueType) -> int:
    if not isinstance(value, timedelta):
        raise _refuse(value, expected)
    return value // _MICROSECOND


_CONVERTERS: dict[str, Callable[[Any, ValueType], Any]] = {
    "text": _convert_text,
    "integer": _convert_integer,
    "number": _convert_number,
    "decimal": _convert_decimal,
    "boolean": _convert_boolean,
    "instant": _convert_instant,
    "date": _convert_date,
    "text_set": _convert_text_set,
    "point": _convert_point,
    "choice": _convert_choice,
    "duration": _convert_duration,
}

_DESCRIBED = {
    "text": "text",
    "integer": "an integer",
    "number": "a number",
    "decimal": "a decimal",
    "boolean": "true or false",
    "instant": "an instant (an aware datetime)",
    "date": "a date",
    "text_set": "a set of text",
    "point": "a point (latitude, longitude)",
    "duration": "a duration",
}

text: Final = ValueType("text")
integer: Final = ValueType("integer")
number: Final = ValueType("number")
decimal: Final = ValueType("decimal")
boolean: Final = ValueType("boolean")
instant: Final = ValueType("instant")
date: Final = ValueType("date")
text_set: Final = ValueType("text_set")
point: Final = ValueType("point")
duration: Final = ValueType("duration")
"""The type of expressions such as `now - signup`; attributes cannot have it."""


def choice(*choices: str) -> ValueType:
    """Return the type of text restricted to `choices`.

    >>> choice("free", "pro").convert("trial")
    Traceback (most recent call last):
    ValueError: expected one of 'free', 'pro', got 'trial' (str)
    """
    if not choices:
        raise SchemaError("a choice needs at least one value")
    for value in choices:
        if not isinstance(value, str):
            raise SchemaError(f"a choice lists text values, got {repr_of(value)} ({type(value).__name__})")
        if len(value) > MAX_TEXT or not is_text(value):
            raise SchemaError(f"a choice lists text of up to {MAX_TEXT:,} characters, got {repr_of(value)}")
    if len(set(choices)) != len(choices):
        raise SchemaError(f"a choice lists each value once, got {repr_of(choices)}")
    return ValueType("choice", tuple(choices))

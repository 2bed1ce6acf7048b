"""Constants as they are written, and the plain values they stand for: both directions.

`read_*` take the text of one token and raise ValueError with a reason; `write_*` give text
that reads back as an equal value.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from segmentkit.values import MAX_DIGITS, from_micros, text, to_micros

__all__ = [
    "CONTINUING",
    "quote_name",
    "read_date",
    "read_instant",
    "read_number",
    "read_text",
    "write_date",
    "write_instant",
    "write_number",
    "write_text",
]

RESERVED: Final = frozenset(
    {"and", "between", "did", "false", "has", "in", "is", "not", "now", "or", "then", "today", "tomorrow", "true"}
    | {"yesterday"}
)
"""Words that are never names without backticks; every other keyword may be a name where no keyword fits."""

_GUARDED: Final = RESERVED | {
    "all", "any", "at", "bottom", "entered", "exactly", "left", "no", "top", "was",
}  # fmt: skip
"""Names the printer puts in backticks: those that can begin a condition are easier to read that way."""

CONTINUING: Final = frozenset(
    {"after", "anniversary", "before", "contains", "ends", "fewer", "less", "matches", "more", "on", "since", "starts"}
    | {"until", "within"}
)
"""Words that may follow a name, and so end the name `any` where a relation behind the word `any` was meant."""

_NAME = re.compile(r"[^\W\d]\w*")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {'"': '"', "'": "'", "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(?:([Zz])|([+-])(\d{2}):(\d{2}))?", re.ASCII
)


def quote_name(name: str) -> str:
    """Return a name as filters spell it: in backticks if it is a reserved word or has odd characters."""
    if _NAME.fullmatch(name) and name.lower() not in _GUARDED:
        return name
    return f"`{name}`"


def read_text(raw: str) -> str:
    """Return the text between the quotes, escapes replaced as in JSON."""
    body = raw[1:-1]
    if "\\" in body:
        body = _ESCAPE.sub(_unescape, body)
        try:  # two escapes may be the halves of one character
            body = body.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise ValueError("an escape is half of a surrogate pair") from None
    checked: str = text.convert(body)
    return checked


def _unescape(match: re.Match[str]) -> str:
    escape = match[1]
    if len(escape) == 5:
        return chr(int(escape[1:], 16))
    if escape not in _ESCAPED:
        raise ValueError(rf"unknown escape '\{escape}'; a backslash is written '\\'")
    return _ESCAPED[escape]


def write_text(value: str) -> str:
    """Return text in double quotes, on one line, with everything invisible escaped."""
    quoted = json.dumps(value, ensure_ascii=False)
    if quoted.isprintable():
        return quoted
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in quoted)


def read_number(raw: str) -> int | Decimal:
    """Return a whole number as int; with a point it is a Decimal, without trailing zeros."""
    whole, point, part = raw.replace("_", "").partition(".")
    whole, part = whole.lstrip("0") or "0", part.rstrip("0")
    if len((whole + part).lstrip("0")) + len(part) > MAX_DIGITS:  # as `schema` counts them: digits and exponent
        raise ValueError(f"a number of more than {MAX_DIGITS:,} digits is over the limit")
    return Decimal(f"{whole}.{part}" if part else whole) if point else int(whole)


def write_number(value: int | float | Decimal) -> str:
    """Return a number in plain notation; a Decimal always has a point, which is what makes it one."""
    if isinstance(value, int):
        return str(value)
    whole = isinstance(value, Decimal)
    written = format(Decimal(value) if whole else Decimal(repr(value)), "f")
    if "." in written:
        written = written.rstrip("0").removesuffix(".")
    if written == "-0":
        written = "0"
    return written + ".0" if whole and "." not in written else written


def read_date(raw: str) -> int:
    """Return a date as its ordinal."""
    try:
        return date.fromisoformat(raw).toordinal()
    except ValueError:
        raise ValueError(f"{raw!r} is not a date of the calendar") from None


def write_date(ordinal: int) -> str:
    """Return `2026-11-22`."""
    return date.fromordinal(ordinal).isoformat()


def read_instant(raw: str) -> int:
    """Return an instant as microseconds since 1970 UTC."""
    match = _INSTANT.fullmatch(raw)
    if match is None:
        raise ValueError(f"{raw!r} is not an instant; write it like 2026-11-22T10:00:00Z or 2026-11-22T10:00+01:00")
    day, hour, minute, second, fraction, utc, sign, offset_hours, offset_minutes = match.groups()
    if not utc and not sign:
        raise ValueError(f"{raw!r} has no time zone; add Z for UTC, or an offset such as +01:00")
    try:
        micros = int((fraction or "").ljust(6, "0"))
        moment = datetime.fromordinal(read_date(day)).replace(tzinfo=UTC)
        instant = moment.replace(hour=int(hour), minute=int(minute), second=int(second or 0), microsecond=micros)
        if sign:
            if int(offset_hours) > 23 or int(offset_minutes) > 59:
                raise ValueError
            offset = timedelta(hours=int(offset_hours), minutes=int(offset_minutes))
            instant = instant - offset if sign == "+" else instant + offset
    except (ValueError, OverflowError):
        raise ValueError(f"{raw!r} is not an instant of the calendar") from None
    return to_micros(instant)


def write_instant(micros: int) -> str:
    """Return `2026-11-22T10:00:00Z`, with a fraction only when there is one."""
    return from_micros(micros).replace(tzinfo=None).isoformat().rstrip("0" if micros % 1_000_000 else "") + "Z"

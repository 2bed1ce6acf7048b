"""The scalars of nodes as JSON and back: numbers, texts, names, types, durations, points, constants.

`write_*` give what `json.dumps` takes; `read_*` take anything and raise ValueError with what was
expected. Integers beyond those that a double holds exactly, and all decimals, are strings, because
JSON numbers are doubles in most languages that read them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, get_args

from segmentkit import values as types
from segmentkit.dsl import _literals
from segmentkit.dsl.predicates import Duration
from segmentkit.errors import SchemaError
from segmentkit.schema import check_zone
from segmentkit.values import ValueType

__all__ = ["READERS", "WRITERS", "did_you_mean", "read_constant", "read_word", "shown", "write_constant"]

SAFE: Final = 2**53 - 1
"""The largest integer up to which a double holds all of them."""
UNITS: Final = ("second", "minute", "hour", "day", "week", "month", "year")
MAX_COUNT: Final = 10**12
"""Longest duration or farthest calendar unit, in units; the language itself ends at 10,000 years."""

_INTEGER: Final = re.compile(r"-?[0-9]{1,1000}", re.ASCII)
_DECIMAL: Final = re.compile(r"-?[0-9]{1,1000}(?:\.[0-9]{1,1000})?", re.ASCII)


def shown(value: Any) -> str:
    """Return a value as an error shows it: short, and never by the `repr` of a whole document."""
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return repr(value if len(value) <= 60 else value[:57] + "...")
        case int() | float():
            return str(value) if not isinstance(value, int) or abs(value) < 10**40 else "a very large integer"
        case _:
            return f"a {type(value).__name__}, which JSON does not have"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the nearest known word as a question, or "" if none is near."""
    near = difflib.get_close_matches(word, list(known), 1, 0.6) if len(word) <= 100 else []
    return f"did you mean '{near[0]}'?" if near else ""


def _expected(what: str, found: Any) -> ValueError:
    return ValueError(f"expected {what}, found {shown(found)}")


# --------------------------------------------------------------------------- reading


def read_word(value: Any, words: tuple[str, ...]) -> str:
    """Return one of a few words."""
    if isinstance(value, str) and value in words:
        return str(value)
    listed = ", ".join(f"'{word}'" for word in words)
    raise _expected(f"one of {listed}" if len(words) > 1 else listed, value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _expected("true or false", value)
    return value


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_COUNT:
        raise _expected(f"a whole number up to {MAX_COUNT:,}", value)
    return int(value)


def _double(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _expected("a number", value)
    return float(types.number.convert(value))


def _amount(value: Any) -> int | float | Decimal:
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _expected('a number, or a decimal in quotes such as "2.5"', value)
    return int(types.integer.convert(value)) if isinstance(value, int) else float(types.number.convert(value))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _expected("text", value)
    return str(types.text.convert(value))


def read_name(value: Any) -> str:
    """Return a name of the schema: text that can stand in backticks."""
    if not isinstance(value, str) or not 0 < len(value) <= 200 or "`" in value or "\n" in value:
        raise _expected("a name of 1 to 200 characters without backtick or line break", value)
    return _text(value)


def _zone(value: Any) -> str:
    text = _text(value)
    try:
        check_zone(text)
    except SchemaError as error:
        raise ValueError(str(error)) from None
    return text


def _point(value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise _expected("a point, such as [52.2297, 21.0122]", value)
    latitude, longitude = types.point.convert([_double(value[0]), _double(value[1])])
    return latitude, longitude


def _duration(value: Any) -> Duration:
    if not isinstance(value, dict) or set(value) != {"count", "unit"}:
        raise _expected('a duration, such as {"count": 40, "unit": "day"}', value)
    count, unit = _count(value["count"]), read_word(value["unit"], UNITS)
    if count < 0:
        raise _expected("a duration that is not negative", count)
    return Duration(count, unit)  # type: ignore[arg-type]  # UNITS has them


KINDS: Final = tuple(kind for kind in get_args(types.Kind) if kind != "choice")


def _type(value: Any) -> ValueType:
    if isinstance(value, dict) and set(value) == {"choice"}:
        choices = value["choice"]
        if not isinstance(choices, list) or not 0 < len(choices) <= 10_000:
            raise _expected("a list of the declared values", choices)
        try:
            return types.choice(*(_text(choice) for choice in choices))
        except SchemaError as error:
            raise ValueError(str(error)) from None
    if isinstance(value, str) and value in KINDS:
        return ValueType(value)  # type: ignore[arg-type]  # KINDS has them
    hint = did_you_mean(value, KINDS) if isinstance(value, str) else ""
    raise _expected(
        'a type, such as "integer" or {"choice": ["free", "pro"]}', value if not hint else f"{value}; {hint}"
    )


READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "boolean": _boolean,
    "count": _count,
    "double": _double,
    "amount": _amount,
    "text": _text,
    "name": read_name,
    "zone": _zone,
    "point": _point,
    "duration": _duration,
    "type": _type,
}


def _integer_constant(value: Any) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _expected('an integer, in quotes beyond 2^53 such as "9007199254740993"', value)
    return int(types.integer.convert(value))


def _decimal_constant(value: Any) -> Decimal:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise _expected('a decimal in quotes, such as "19.90"', value)
    converted: Decimal = types.decimal.convert(value)
    return converted


def _time(value: Any, what: str, read: Callable[[str], int]) -> int:
    if not isinstance(value, str) or len(value) > 40:
        raise _expected(what, value)
    return read(value)


def read_constant(value: Any, value_type: ValueType) -> Any:
    """Return the plain value of a literal of this type."""
    match value_type.kind:
        case "text":
            return _text(value)
        case "choice":
            return types.choice(*value_type.choices).convert(value)
        case "integer":
            return _integer_constant(value)
        case "number":
            return _double(value) + 0.0
        case "decimal":
            return _decimal_constant(value)
        case "boolean":
            return _boolean(value)
        case "instant":
            return _time(value, 'an instant, such as "2026-11-22T10:00:00Z"', _literals.read_instant)
        case "date":
            return _time(value, 'a date, such as "2026-11-22"', _literals.read_date)
        case "duration":
            return _duration(value)
        case _:
            raise ValueError(f"there are no constants of type {value_type!r}")


# --------------------------------------------------------------------------- writing


def _write_integer(value: int) -> int | str:
    return value if -SAFE <= value <= SAFE else str(value)


def _write_decimal(value: Decimal) -> str:
    return format(value, "f")


def _write_amount(value: int | float | Decimal) -> int | float | str:
    return _write_decimal(value) if isinstance(value, Decimal) else value


def _write_duration(value: Duration) -> dict[str, Any]:
    return {"count": value.count, "unit": value.unit}


def _write_type(value: ValueType) -> str | dict[str, Any]:
    return {"choice": list(value.choices)} if value.kind == "choice" else value.kind


def _same(value: Any) -> Any:
    return value


WRITERS: Final[Mapping[str, Callable[[Any], Any]]] = dict.fromkeys(READERS, _same) | {
    "word": _same,
    "amount": _write_amount,
    "point": list,
    "duration": _write_duration,
    "type": _write_type,
}

_CONSTANTS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "integer": _write_integer,
    "decimal": _write_decimal,
    "instant": _literals.write_instant,
    "date": _literals.write_date,
    "duration": _write_duration,
}


def write_constant(value: Any, value_type: ValueType) -> Any:
    """Return the plain value of a literal of this type as JSON."""
    return _CONSTANTS.get(value_type.kind, _same)(value)

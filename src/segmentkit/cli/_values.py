"""Values of data files, made into what the schema accepts.

CSV has nothing but text, so the declared type decides how a cell is read (`from_text`).
JSON and Parquet have types of their own, and nothing is guessed there: the text "5" is not
a number, but instants, dates and exact decimals, which JSON lacks, are written as text
(`from_native`). Both return values that `ValueType.convert` takes, or raise ValueError
with what was expected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from segmentkit.values import ValueType

_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
_BOOLEANS: Mapping[str, bool] = {"true": True, "false": False}
_SPELLING: Mapping[str, str] = {
    "boolean": "true or false",
    "instant": "an instant in ISO 8601 with a zone, such as 2026-11-22T10:00:00Z",
    "date": "a date in ISO 8601, such as 2026-11-22",
    "point": "a point as latitude,longitude in degrees, such as 52.2297,21.0122",
}


def from_text(cell: str, value_type: ValueType) -> Any:
    """Return the value that the text of a CSV cell stands for; an empty cell is missing.

    Sets are separated by ``|``, points are ``latitude,longitude`` or ``latitude longitude``.
    Blanks around anything but text do not count.

    >>> from segmentkit.values import integer, text_set
    >>> from_text(" 42 ", integer)
    42
    >>> sorted(from_text("vip|early", text_set))
    ['early', 'vip']
    """
    if not cell:
        return None
    if value_type.is_text:
        return cell
    stripped = cell.strip()
    return _FROM_TEXT[value_type.kind](stripped, value_type) if stripped else None


def from_native(value: Any, value_type: ValueType) -> Any:
    """Return a value of a JSON line or a Parquet row in the form that the schema accepts.

    >>> from segmentkit.values import date, number
    >>> from_native("2026-11-22", date), from_native(Decimal("0.10"), number)
    (datetime.date(2026, 11, 22), 0.1)
    """
    if isinstance(value, str) and value_type.kind in ("instant", "date"):
        return _FROM_TEXT[value_type.kind](value, value_type)
    if isinstance(value, Decimal) and value_type.kind == "number":
        return float(value)
    if value_type.kind == "point" and isinstance(value, list):
        return [float(part) if isinstance(part, Decimal) else part for part in value]
    return value


def _refuse(cell: str, value_type: ValueType, why: str = "") -> ValueError:
    shown = repr(cell if len(cell) <= 60 else cell[:57] + "...")
    return ValueError(f"expected {_SPELLING.get(value_type.kind, value_type.described)}, got {shown}{why}")


def _integer(cell: str, value_type: ValueType) -> int:
    if not _INTEGER.fullmatch(cell):
        raise _refuse(cell, value_type)
    try:
        return int(cell)
    except ValueError:  # more digits than the interpreter converts
        raise _refuse(cell, value_type, f": {len(cell):,} digits are too many") from None


def _number(cell: str, value_type: ValueType) -> float:
    if not _NUMBER.fullmatch(cell):
        raise _refuse(cell, value_type)
    return float(cell)


def _decimal(cell: str, value_type: ValueType) -> str:
    if not _NUMBER.fullmatch(cell):
        raise _refuse(cell, value_type)
    return cell


def _boolean(cell: str, value_type: ValueType) -> bool:
    try:
        return _BOOLEANS[cell.lower()]
    except KeyError:
        raise _refuse(cell, value_type) from None


def _instant(cell: str, value_type: ValueType) -> datetime:
    try:
        instant = datetime.fromisoformat(cell)
    except ValueError:
        raise _refuse(cell, value_type) from None
    if instant.utcoffset() is None:
        raise _refuse(cell, value_type, ": it has no zone; add Z or an offset such as +01:00")
    return instant


def _date(cell: str, value_type: ValueType) -> date:
    try:
        return date.fromisoformat(cell)
    except ValueError:
        raise _refuse(cell, value_type) from None


def _text_set(cell: str, _: ValueType) -> frozenset[str]:
    return frozenset(member for part in cell.split("|") if (member := part.strip()))


def _point(cell: str, value_type: ValueType) -> tuple[float, float]:
    parts = cell.replace(",", " ").split()
    if len(parts) != 2 or not all(_NUMBER.fullmatch(part) for part in parts):
        raise _refuse(cell, value_type)
    return (float(parts[0]), float(parts[1]))


_FROM_TEXT: Mapping[str, Callable[[str, ValueType], Any]] = {
    "integer": _integer,
    "number": _number,
    "decimal": _decimal,
    "boolean": _boolean,
    "instant": _instant,
    "date": _date,
    "text_set": _text_set,
    "point": _point,
}

"""From the columns of a frame to checked values: whole columns at once where that is sure to mean the same.

`ValueType.convert` says what fits and what a value is in plain form. A shortcut is taken where it
cannot differ from that; whatever a shortcut does not cover, wrong values above all, goes value by value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final, TypeAlias

import attrs
import numpy as np

from segmentkit.index._bulk_bitmaps import Array
from segmentkit.values import MAX_TEXT, ValueType

_FIRST_WORD: Final = -(2**63)
_FIRST_MICROS: Final = -62_135_596_800_000_000
_LAST_MICROS: Final = 253_402_300_799_999_999
_DAYS_BEFORE_1970: Final = 719_163
_LAST_DAY: Final = 3_652_059
_SURE_DIGITS: Final = 10.0**15
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NO_TIME: Final = timedelta()
_PARTS: Final = (attrgetter("days"), attrgetter("seconds"), attrgetter("microseconds"))


@attrs.frozen(eq=False)
class Words:
    """Integers, instants, dates, booleans (0 and 1), or decimals of so many `places`; what is missing is 0."""

    values: Array
    missing: Array
    places: int = 0


@attrs.frozen(eq=False)
class Doubles:
    """Doubles; what is missing is 0."""

    values: Array
    missing: Array


@attrs.frozen(eq=False)
class Coded:
    """The distinct plain values, and the place among them of each value; -1 is missing."""

    codes: Array
    values: Sequence[Any]


@attrs.frozen(eq=False)
class Pairs:
    """Points, each a row of latitude and longitude; NaN is missing."""

    values: Array


@attrs.frozen(eq=False)
class Plain:
    """Plain values as Python objects, None where missing: what fits nothing else."""

    values: Sequence[Any]


Values: TypeAlias = Words | Doubles | Coded | Pairs | Plain


class BadValueError(Exception):
    """A value of a column does not fit; `row` counts from 0."""

    def __init__(self, row: int, value: object, why: str) -> None:
        super().__init__(why)
        self.row = row
        self.value = value


def converted(value_type: ValueType, column: Any, host_values: Callable[[Any], list[Any]]) -> Values:
    """Return the values of a column, checked.

    Args:
        value_type: what the values have to be.
        column: a list, a numpy array, or an array of pyarrow.
        host_values: how to read the column value by value.

    Raises:
        BadValueError: the first value that does not fit.
    """
    found: Values | None
    if isinstance(column, list):
        found = _from_list(value_type, column)
    elif hasattr(column, "to_pylist"):
        from segmentkit.index._bulk_arrow import from_arrow

        found = from_arrow(value_type, column)
    else:
        found = from_numpy(value_type, column, None)
    return _one_by_one(value_type, host_values(column)) if found is None else found


def _one_by_one(value_type: ValueType, values: list[Any]) -> Values:
    convert, plain = value_type.convert, []
    for row, value in enumerate(values):
        try:
            plain.append(convert(value))
        except ValueError as error:
            raise BadValueError(row, value, str(error)) from None
    return _packed(value_type, plain)


def _packed(value_type: ValueType, values: list[Any]) -> Values:
    """Return plain values in the narrowest form."""
    match value_type.kind:
        case "decimal":
            return Plain(values)
        case "number":
            return Doubles(np.array([0.0 if v is None else v for v in values], np.float64), _missing(values))
        case "integer" | "instant" | "date" | "boolean":
            try:
                words = np.array([0 if v is None else v for v in values], np.int64)
            except OverflowError:
                return Plain(values)
            return Plain(values) if len(words) and words.min() == _FIRST_WORD else Words(words, _missing(values))
        case _:
            code_by_value: dict[Any, int] = {}
            codes = [-1 if v is None else code_by_value.setdefault(v, len(code_by_value)) for v in values]
            return Coded(np.array(codes, np.int32), list(code_by_value))


def _missing(values: list[Any]) -> Array:
    return np.array([value is None for value in values], bool)


def _from_list(value_type: ValueType, values: list[Any]) -> Values | None:
    kinds = set(map(type, values))
    if value_type.is_text and kinds <= {str, type(None)}:
        distinct = dict.fromkeys(values)
        distinct.pop(None, None)
        code_by_value: dict[Any, int] = dict(zip(distinct, range(len(distinct)), strict=True))
        code_by_value[None] = -1
        codes = np.fromiter(map(code_by_value.__getitem__, values), np.int32, len(values))
        return checked_codes(value_type, codes, list(distinct))
    if kinds in ({float}, {bool}, {int}):
        return from_numpy(value_type, np.array(values), None)
    if value_type.kind == "instant" and kinds <= {datetime, type(None)}:
        return _moments(values)
    return None


def _moments(values: list[Any]) -> Words | None:
    """Return datetimes as instants; None if some have no zone, or lie too far.

    The parts of a difference come one after another: numpy takes four times as long to convert one by itself.
    """
    missing = _missing(values)
    try:
        since = [_NO_TIME if value is None else value - _EPOCH for value in values]
    except TypeError:
        return None
    days, seconds, micros = (np.fromiter(map(part, since), np.int64, len(since)) for part in _PARTS)
    return micros_of((days * 86_400 + seconds) * 1_000_000 + micros, missing)


def checked_codes(value_type: ValueType, codes: Array, values: Iterable[Any]) -> Coded:
    """Return coded values of which each distinct one fits.

    Raises:
        BadValueError: the first row whose value does not fit.
    """
    values = list(values)
    if value_type.kind == "text" and all(map(str.isascii, values)) and max(map(len, values), default=0) <= MAX_TEXT:
        return Coded(codes, values)
    plain: list[Any] = []
    refused: dict[int, tuple[Any, str]] = {}
    for code, value in enumerate(values):
        try:
            plain.append(value_type.convert(value))
        except ValueError as error:
            plain.append(None)
            refused[code] = value, str(error)
    if refused:
        rows = np.flatnonzero(np.isin(codes, list(refused)))
        if len(rows):  # a dictionary may hold values that no row has
            row = int(rows[0])
            raise BadValueError(row, *refused[int(codes[row])])
    return Coded(codes, plain)


def from_numpy(value_type: ValueType, array: Array, missing: Array | None) -> Values | None:
    """Return the values of a numpy array, what is `missing` (None: nothing) left out; None: no shortcut."""
    if isinstance(array, np.ma.MaskedArray):
        return None
    kind = array.dtype.kind
    if missing is None:
        missing = np.zeros(len(array), bool)
    match value_type.kind:
        case "boolean" if kind == "b":
            return Words(array.astype(np.int64), missing)
        case "integer" | "decimal" if kind in "iu":
            if len(array) and (int(array.max()) >= 2**63 or int(array.min()) == _FIRST_WORD):
                return None
            return Words(np.where(missing, 0, array).astype(np.int64), missing)
        case "number" if kind in "iu":
            if len(array) and max(int(array.max()), -int(array.min())) > 2**53:
                return None
            return Doubles(np.where(missing, 0, array).astype(np.float64), missing)
        case "number" | "decimal" if kind == "f" and array.dtype.itemsize <= 8:
            doubles = np.where(missing, 0.0, array).astype(np.float64)
            if not np.isfinite(doubles).all():
                return None
            return Doubles(doubles, missing) if value_type.kind == "number" else _cents(doubles, missing)
    return None


def _cents(doubles: Array, missing: Array) -> Values | None:
    """Return doubles as decimals of two places, if that is how all of them print.

    A decimal of at most fifteen digits comes back from a double unchanged, so there is no other that short.
    """
    if len(doubles) and float(np.abs(doubles).max()) >= _SURE_DIGITS / 100:
        return None
    cents = np.rint(doubles * 100.0)
    if (cents / 100.0 == doubles).all():
        return Words(cents.astype(np.int64), missing, places=2)
    return None


def micros_of(values: Array, missing: Array) -> Words | None:
    """Return microseconds since 1970 as instants, if all of them lie in the years 1 to 9999."""
    words = np.where(missing, 0, values)
    if len(words) and not (int(words.min()) >= _FIRST_MICROS and int(words.max()) <= _LAST_MICROS):
        return None
    return Words(words, missing)


def days_of(values: Array, missing: Array) -> Words | None:
    """Return days since 1970 as dates, if all of them lie in the years 1 to 9999."""
    words = np.where(missing, 1, values.astype(np.int64) + _DAYS_BEFORE_1970)
    if len(words) and not (int(words.min()) >= 1 and int(words.max()) <= _LAST_DAY):
        return None
    return Words(words, missing)


def scaled(words: Words, places: int) -> Array | None:
    """Return decimals at another number of places; None if that loses digits, or they do not fit a word.

    >>> scaled(Words(np.array([199, 5]), np.zeros(2, bool), places=1), 2).tolist()
    [1990, 50]
    """
    values: Array = words.values
    if words.places > places:
        factor = 10 ** (words.places - places)
        if factor >= 2**63 or (values % factor).any():
            return None
        fewer: Array = values // factor
        return fewer
    factor = 10 ** (places - words.places)
    if len(values) and max(int(values.max()), -int(values.min())) * factor >= 2**63:
        return None
    return np.multiply(values, factor) if factor > 1 else values


def plain_list(value_type: ValueType, values: Values) -> Sequence[Any]:
    """Return values one by one, as `ValueType.convert` gives them; a missing set is empty."""
    match values:
        case Words() if value_type.kind == "decimal":
            return plain_values(values)
        case Words():
            words = values.values.astype(bool) if value_type.kind == "boolean" else values.values
            return _listed(words, values.missing)
        case Doubles():
            return _listed(values.values, values.missing)
        case Coded():
            plain = [*values.values, frozenset() if value_type.kind == "text_set" else None]
            return [plain[code] for code in values.codes.tolist()]
        case Pairs():
            return [None if pair[0] != pair[0] else tuple(pair) for pair in values.values.tolist()]
        case Plain():
            return values.values


def _listed(values: Array, missing: Array) -> list[Any]:
    return [None if gone else value for value, gone in zip(values.tolist(), missing.tolist(), strict=True)]


def plain_values(values: Values) -> Sequence[Any]:
    """Return decimals one by one, as plain values."""
    match values:
        case Words():
            return [
                None if missing else Decimal(value).scaleb(-values.places)
                for value, missing in zip(values.values.tolist(), values.missing.tolist(), strict=True)
            ]
        case Plain():
            return values.values
        case _:
            raise AssertionError(f"{type(values).__name__} holds no decimals")

"""Columns: one attribute of all objects of a type, in compact buffers.

A column stores *domain values*: what the index compares and cuts. They are the plain values of
`segmentkit.values` but for decimals, which are integers scaled by a power of ten that the column
keeps (19.90 is 1990 at scale 2); a value with more places rescales the column once. Integers
are machine words until one does not fit, from then on Python integers in a list. Text, sets
(as tuples of their members in order) and choices are coded by a dictionary whose unused entries are freed.

Objects are addressed by their dense number in the type. None is missing; a missing set is empty.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from sys import getsizeof
from typing import Any, Protocol

from segmentkit.values import ValueType

_MISSING_INT = -(2**63)
_NAN = float("nan")
_SAMPLED = 1_000  # values whose size stands for that of all


class Column(Protocol):
    """What the index needs of a column."""

    type: ValueType
    touched: deque[int] | None
    """Takes the number of each object whose value is set; None while nobody asks (`_digests`)."""

    def accept(self, value: Any) -> Any:
        """Return the plain form of a host's value; ValueError if it does not fit. Changes nothing."""

    def encode(self, value: Any) -> Any:
        """Return the domain value of a plain one; may make room for it in the column."""

    def get(self, number: int) -> Any:
        """Return the domain value of an object, or None."""

    def plain(self, number: int) -> Any:
        """Return the value of an object in plain form, or None."""

    def set(self, number: int, value: Any) -> None:
        """Store a domain value, or None."""

    def append(self) -> None:
        """Add an object with a missing value."""

    @property
    def nbytes(self) -> int:
        """Bytes of the buffers, as far as they are the column's own."""


class IntegerColumn:
    """Integers, instants and dates."""

    touched: deque[int] | None = None

    def __init__(self, value_type: ValueType) -> None:
        self.type = value_type
        self.values: Any = array("q")
        self._missing: int | None = _MISSING_INT  # None once the values are in a list

    def accept(self, value: Any) -> int | None:
        converted: int | None = self.type.convert(value)
        return converted

    def encode(self, value: Any) -> int | None:
        encoded: int | None = value
        return encoded

    def get(self, number: int) -> int | None:
        value: int | None = self.values[number]
        return None if value == self._missing else value

    plain = get

    def set(self, number: int, value: int | None) -> None:
        if self.touched is not None:
            self.touched.append(number)
        if value is None:
            self.values[number] = self._missing
            return
        try:
            self.values[number] = value
        except OverflowError:
            self._unpack()
            self.values[number] = value
        if value == self._missing:
            self._unpack()
            self.values[number] = value

    def _unpack(self) -> None:
        """Keep Python integers from now on: one does not fit a machine word, or looks like the missing one."""
        self.values = [None if value == self._missing else value for value in self.values]
        self._missing = None

    def append(self) -> None:
        self.values.append(self._missing)

    @property
    def nbytes(self) -> int:
        return 8 * len(self.values)


class DecimalColumn(IntegerColumn):
    """Decimals as scaled integers.

    `rescaled` is called after the scale has grown, so that cuts in domain values can follow.
    """

    def __init__(self, value_type: ValueType, rescaled: Callable[[], None]) -> None:
        super().__init__(value_type)
        self.scale = Scale(self._rescale)
        self._rescaled = rescaled

    def accept(self, value: Any) -> Any:
        return self.type.convert(value)

    def encode(self, value: Any) -> int | None:
        return None if value is None else self.scale.encode(value)

    def plain(self, number: int) -> Decimal | None:  # type: ignore[override]  # the plain form is not the domain's
        value = self.get(number)
        return None if value is None else self.scale.decode(value)

    def _rescale(self, factor: int) -> None:
        values = [self.get(number) for number in range(len(self.values))]
        for number, value in enumerate(values):
            self.set(number, None if value is None else value * factor)
        self._rescaled()


class Scale:
    """How many decimal places the integers of a column stand for; it only grows.

    >>> scale = Scale(lambda factor: None)
    >>> scale.encode(Decimal("19.9")), scale.places
    (1990, 2)
    >>> scale.decode(1990)
    Decimal('19.90')
    """

    __slots__ = ("_grown", "places")

    def __init__(self, grown: Callable[[int], None]) -> None:
        self.places = 2
        self._grown = grown

    def encode(self, value: Decimal) -> int:
        sign, digits, exponent = value.as_tuple()
        assert isinstance(exponent, int)  # ValueType.convert has refused NaN and infinities
        if exponent < -self.places:
            significant = value.normalize(_EXACT).as_tuple().exponent
            assert isinstance(significant, int)
            if -significant > self.places:
                grown = -significant - self.places
                self.places = -significant
                self._grown(10**grown)
        return int(value.scaleb(self.places, _EXACT))

    def decode(self, value: int) -> Decimal:
        return Decimal(value).scaleb(-self.places, _EXACT)


def _exact_context() -> Any:
    from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context

    return Context(prec=min(MAX_PREC, 5_000), Emax=MAX_EMAX, Emin=MIN_EMIN)


_EXACT = _exact_context()


class NumberColumn:
    """Doubles; NaN stands for missing, since NaN is no value."""

    touched: deque[int] | None = None

    def __init__(self, value_type: ValueType) -> None:
        self.type = value_type
        self.values = array("d")

    def accept(self, value: Any) -> float | None:
        converted: float | None = self.type.convert(value)
        return converted

    def encode(self, value: Any) -> float | None:
        encoded: float | None = value
        return encoded

    def get(self, number: int) -> float | None:
        value = self.values[number]
        return value if value == value else None

    plain = get

    def set(self, number: int, value: float | None) -> None:
        if self.touched is not None:
            self.touched.append(number)
        self.values[number] = _NAN if value is None else value

    def append(self) -> None:
        self.values.append(_NAN)

    @property
    def nbytes(self) -> int:
        return 8 * len(self.values)


class BooleanColumn:
    """Booleans in one byte each; -1 is missing."""

    touched: deque[int] | None = None

    def __init__(self, value_type: ValueType) -> None:
        self.type = value_type
        self.values = array("b")

    def accept(self, value: Any) -> bool | None:
        converted: bool | None = self.type.convert(value)
        return converted

    def encode(self, value: Any) -> bool | None:
        encoded: bool | None = value
        return encoded

    def get(self, number: int) -> bool | None:
        return _BOOLEANS[self.values[number]]

    plain = get

    def set(self, number: int, value: bool | None) -> None:
        if self.touched is not None:
            self.touched.append(number)
        self.values[number] = -1 if value is None else value

    def append(self) -> None:
        self.values.append(-1)

    @property
    def nbytes(self) -> int:
        return len(self.values)


_BOOLEANS = (False, True, None)  # index -1 is the last


class PointColumn:
    """Points, latitudes and longitudes apart."""

    touched: deque[int] | None = None

    def __init__(self, value_type: ValueType) -> None:
        self.type = value_type
        self.latitudes = array("d")
        self.longitudes = array("d")

    def accept(self, value: Any) -> tuple[float, float] | None:
        converted: tuple[float, float] | None = self.type.convert(value)
        return converted

    def encode(self, value: Any) -> tuple[float, float] | None:
        encoded: tuple[float, float] | None = value
        return encoded

    def get(self, number: int) -> tuple[float, float] | None:
        latitude = self.latitudes[number]
        return (latitude, self.longitudes[number]) if latitude == latitude else None

    plain = get

    def set(self, number: int, value: tuple[float, float] | None) -> None:
        self.latitudes[number], self.longitudes[number] = value or (_NAN, _NAN)

    def append(self) -> None:
        self.latitudes.append(_NAN)
        self.longitudes.append(_NAN)

    @property
    def nbytes(self) -> int:
        return 16 * len(self.latitudes)


class Dictionary:
    """Values and their small codes, counted: a value that nobody holds gives its code back."""

    __slots__ = ("_free", "code_by_value", "holders", "values")

    def __init__(self) -> None:
        self.code_by_value: dict[Any, int] = {}
        self.values: list[Any] = []
        self.holders = array("q")
        self._free: list[int] = []

    def hold(self, value: Any) -> int:
        """Return the code of `value`, with one more holder."""
        code = self.code_by_value.get(value)
        if code is None:
            if self._free:
                code = self._free.pop()
                self.values[code] = value
            else:
                code = len(self.values)
                self.values.append(value)
                self.holders.append(0)
            self.code_by_value[value] = code
        self.holders[code] += 1
        return code

    def release(self, code: int) -> None:
        """Take one holder away, and the value with its last holder."""
        left = self.holders[code] - 1
        self.holders[code] = left
        if not left:
            del self.code_by_value[self.values[code]]
            self.values[code] = None
            self._free.append(code)

    @property
    def nbytes(self) -> int:
        """Bytes of the values, and of what leads to and from their codes; members of sets left out."""
        values = self.values
        step = max(len(values) // _SAMPLED, 1)
        sampled = values[::step]
        each = sum(map(getsizeof, sampled)) / len(sampled) if sampled else 0
        return int(len(values) * (each + 8 + 8 + 32)) + getsizeof(self.code_by_value) + 8 * len(self._free)


class CodedColumn:
    """Text and choices, each distinct value stored once."""

    _missing: Any = None

    touched: deque[int] | None = None

    def __init__(self, value_type: ValueType) -> None:
        self.type = value_type
        self.codes = array("i")
        self.dictionary = Dictionary()

    def accept(self, value: Any) -> Any:
        return self.type.convert(value)

    def encode(self, value: Any) -> Any:
        return value

    def get(self, number: int) -> Any:
        code = self.codes[number]
        return self._missing if code < 0 else self.dictionary.values[code]

    plain = get

    def set(self, number: int, value: Any) -> None:
        if self.touched is not None:
            self.touched.append(number)
        if value is None:
            value = self._missing
        old = self.codes[number]
        self.codes[number] = -1 if not value and value == self._missing else self.dictionary.hold(value)
        if old >= 0:
            self.dictionary.release(old)

    def append(self) -> None:
        self.codes.append(-1)

    @property
    def nbytes(self) -> int:
        return 4 * len(self.codes) + self.dictionary.nbytes


class SetColumn(CodedColumn):
    """Sets of text, as tuples of their members in order: a quarter of what a `frozenset` takes (`bench_memory`)."""

    _missing: Any = ()

    def accept(self, value: Any) -> Any:
        converted = self.type.convert(value)
        return frozenset() if converted is None else converted

    def encode(self, value: Any) -> Any:
        return tuple(sorted(value)) if value else ()

    def plain(self, number: int) -> Any:
        return frozenset(self.get(number))


def column_for(value_type: ValueType, rescaled: Callable[[], None]) -> Column:
    """Return an empty column for values of the type."""
    match value_type.kind:
        case "integer" | "instant" | "date":
            return IntegerColumn(value_type)
        case "decimal":
            return DecimalColumn(value_type, rescaled)
        case "number":
            return NumberColumn(value_type)
        case "boolean":
            return BooleanColumn(value_type)
        case "point":
            return PointColumn(value_type)
        case "text_set":
            return SetColumn(value_type)
        case _:
            return CodedColumn(value_type)

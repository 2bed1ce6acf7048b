"""Columns: what is stored comes back, however the buffer has to change for it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from segmentkit import values as types
from segmentkit.index._columns import (
    CodedColumn,
    DecimalColumn,
    Dictionary,
    IntegerColumn,
    Scale,
    SetColumn,
    column_for,
)
from tests.examples import PARTS

SMALLEST_WORD, LARGEST_WORD = -(2**63), 2**63 - 1


def ignore() -> None:
    """Nobody follows the scale of the column."""


def store(column: Any, values: list[Any]) -> None:
    """Append an object for each plain value."""
    for number, value in enumerate(values):
        column.append()
        column.set(number, column.encode(column.accept(value)))


def plain(column: Any, count: int) -> list[Any]:
    """Return the first plain values of a column."""
    return [column.plain(number) for number in range(count)]


# --------------------------------------------------------------------------- integers


@pytest.mark.parametrize("value", [SMALLEST_WORD, SMALLEST_WORD - 1, LARGEST_WORD, LARGEST_WORD + 1, 10**40])
def test_an_integer_at_or_beyond_the_edge_of_a_word_leaves_the_others_as_they_are(value: int) -> None:
    """Objects with and without a value keep what they had; missing ones stay missing."""
    column = IntegerColumn(types.integer)
    store(column, [7, None, -7, None])
    column.set(1, value)
    assert plain(column, 4) == [7, value, -7, None]
    column.append()
    column.set(1, None)
    assert [column.get(number) for number in range(5)] == [7, None, -7, None, None]


def test_the_smallest_word_is_a_value_after_a_larger_integer_too() -> None:
    """Once integers are in a list nothing stands for missing but None."""
    column = IntegerColumn(types.integer)
    store(column, [2**70, None, SMALLEST_WORD])
    assert plain(column, 3) == [2**70, None, SMALLEST_WORD]


# --------------------------------------------------------------------------- decimals


def test_a_decimal_with_more_places_rescales_the_column_once() -> None:
    """The stored integers grow, the values do not change, and whoever cut them is told, once."""
    told: list[str] = []
    column = DecimalColumn(types.decimal, lambda: told.append("rescaled"))
    store(column, ["19.90", None, "-3"])
    assert (column.get(0), column.scale.places, told) == (1990, 2, [])
    encoded = column.encode(Decimal("0.12345"))
    assert (column.get(0), column.get(1), column.get(2), encoded) == (1_990_000, None, -300_000, 12_345)
    assert (column.scale.places, told) == (5, ["rescaled"])
    assert plain(column, 3) == [Decimal("19.9"), None, Decimal(-3)]


@pytest.mark.parametrize("value", ["1.5000000", "1E+3", "0.000", "-0", "120.10000"])
def test_zeros_at_the_end_of_a_decimal_need_no_places(value: str) -> None:
    """What counts are significant places, not how a number was written."""
    scale = Scale(lambda factor: pytest.fail("the scale grew"))
    assert scale.decode(scale.encode(Decimal(value))) == Decimal(value)
    assert scale.places == 2


def test_rescaling_may_push_a_decimal_out_of_its_word() -> None:
    """Values near the edge of a word survive more places; missing ones too."""
    column = DecimalColumn(types.decimal, ignore)
    large = Decimal(LARGEST_WORD).scaleb(-2)
    store(column, [large, None, -large])
    column.encode(Decimal("0.001"))
    assert plain(column, 3) == [large, None, -large]


def test_a_decimal_of_hundreds_of_digits_is_kept_exactly() -> None:
    """No context of the decimal module rounds what is stored."""
    value = Decimal("7" * 400 + "." + "3" * 250)
    column = DecimalColumn(types.decimal, ignore)
    store(column, [value])
    assert column.plain(0) == value


# ------------------------------------------------------------------------ dictionaries


def test_a_value_that_nobody_holds_gives_its_code_back() -> None:
    """The code goes to the next new value, and a value that somebody holds keeps its own."""
    dictionary = Dictionary()
    first, second = dictionary.hold("PL"), dictionary.hold("DE")
    assert dictionary.hold("PL") == first
    dictionary.release(first)
    assert dictionary.values[first] == "PL"
    dictionary.release(first)
    assert "PL" not in dictionary.code_by_value
    assert dictionary.hold("FR") == first
    assert (dictionary.values[first], dictionary.values[second], len(dictionary.values)) == ("FR", "DE", 2)


def test_a_column_of_changing_text_does_not_grow() -> None:
    """A thousand values, one after another, use one or two codes."""
    column = CodedColumn(types.text)
    column.append()
    for number in range(1_000):
        column.set(0, f"value {number}")
    assert column.get(0) == "value 999"
    assert len(column.dictionary.values) <= 2


def test_storing_the_same_text_again_keeps_it() -> None:
    """Its last holder is also its next one."""
    column = CodedColumn(types.text)
    store(column, ["PL"])
    column.set(0, "PL")
    assert (column.get(0), column.dictionary.holders[column.codes[0]]) == ("PL", 1)


def test_empty_text_is_a_value_and_an_empty_set_is_a_missing_one() -> None:
    """Text tells "" from missing; a set that is missing is empty."""
    texts, sets = CodedColumn(types.text), SetColumn(types.text_set)
    store(texts, ["", None])
    store(sets, [set(), None, {"vip"}])
    assert plain(texts, 2) == ["", None]
    assert plain(sets, 3) == [frozenset(), frozenset(), frozenset({"vip"})]


# ----------------------------------------------------------------------------- all types

small = st.integers(-3, 3)
integers = small | st.sampled_from([SMALLEST_WORD, SMALLEST_WORD + 1, LARGEST_WORD, 2**80, -(2**80)])
doubles = st.floats(allow_nan=False, allow_infinity=False)
decimals = st.builds(lambda digits, places: Decimal(digits).scaleb(-places), integers, st.integers(-3, 12))
degrees = st.floats(-90, 90)

VALUES: dict[str, tuple[types.ValueType, st.SearchStrategy[Any]]] = {
    "integer": (types.integer, integers),
    "number": (types.number, doubles),
    "decimal": (types.decimal, decimals),
    "boolean": (types.boolean, st.booleans()),
    "instant": (types.instant, st.datetimes(timezones=st.timezones())),
    "date": (types.date, st.dates()),
    "text": (types.text, st.text(max_size=3)),
    "choice": (types.choice("free", "pro"), st.sampled_from(["free", "pro"])),
    "text_set": (types.text_set, st.frozensets(st.sampled_from("abc"))),
    "point": (types.point, st.tuples(degrees, degrees)),
}


@pytest.mark.parametrize("kind", VALUES)
@PARTS
@given(data=st.data())
def test_a_column_is_a_list_of_plain_values(kind: str, data: st.DataObject) -> None:
    """Whatever is set, in whatever order, each object has what was set last."""
    value_type, values = VALUES[kind]
    column = column_for(value_type, ignore)
    expected: list[Any] = []
    missing = column.accept(None)
    for _ in range(data.draw(st.integers(1, 12))):
        if not expected or data.draw(st.booleans()):
            column.append()
            expected.append(missing)
        number = data.draw(st.integers(0, len(expected) - 1))
        try:
            value = column.accept(data.draw(st.none() | values))
        except ValueError:  # an instant before the year 1 in UTC
            continue
        column.set(number, column.encode(value))
        expected[number] = value
    assert plain(column, len(expected)) == expected
    if value_type.kind == "text_set":
        assert [column.get(number) for number in range(len(expected))] == [tuple(sorted(value)) for value in expected]
    elif value_type.kind != "decimal":
        get: Callable[[int], Any] = column.get
        assert [get(number) for number in range(len(expected))] == expected

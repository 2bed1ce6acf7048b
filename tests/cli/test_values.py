from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from segmentkit import values as v
from segmentkit.cli._values import from_native, from_text
from segmentkit.values import ValueType


@pytest.mark.parametrize(
    ("cell", "value_type", "plain"),
    [
        ("Łódź ", v.text, "Łódź "),
        (" 42 ", v.integer, 42),
        ("-7", v.integer, -7),
        ("0.1", v.number, 0.1),
        ("1e3", v.number, 1000.0),
        ("19.90", v.decimal, Decimal("19.90")),
        ("true", v.boolean, True),
        ("FALSE", v.boolean, False),
        ("2026-11-22T10:00:00Z", v.instant, v.to_micros(datetime(2026, 11, 22, 10, tzinfo=UTC))),
        ("2026-11-22T10:00+01:00", v.instant, v.to_micros(datetime(2026, 11, 22, 9, tzinfo=UTC))),
        ("2026-11-22", v.date, date(2026, 11, 22).toordinal()),
        ("vip| early |vip", v.text_set, frozenset({"vip", "early"})),
        ("52.2297, 21.0122", v.point, (52.2297, 21.0122)),
        ("52.2297 21.0122", v.point, (52.2297, 21.0122)),
        ("pro", v.choice("free", "pro"), "pro"),
    ],
)
def test_a_csv_cell_is_read_by_the_declared_type(cell: str, value_type: ValueType, plain: Any) -> None:
    assert value_type.convert(from_text(cell, value_type)) == plain


@pytest.mark.parametrize("value_type", [v.text, v.integer, v.boolean, v.instant, v.text_set, v.choice("a")])
def test_an_empty_cell_is_missing_whatever_the_type(value_type: ValueType) -> None:
    assert from_text("", value_type) is None


@pytest.mark.parametrize("value_type", [v.integer, v.decimal, v.date, v.point])
def test_blanks_are_missing_for_all_but_text(value_type: ValueType) -> None:
    assert from_text("  ", value_type) is None
    assert from_text("  ", v.text) == "  "


@pytest.mark.parametrize(
    ("cell", "value_type", "expected"),
    [
        ("4.0", v.integer, "an integer"),
        ("1_000", v.integer, "an integer"),
        ("٣", v.integer, "an integer"),
        ("nan", v.number, "a number"),
        ("Infinity", v.number, "a number"),
        ("1,5", v.decimal, "a decimal"),
        ("NaN", v.decimal, "a decimal"),
        ("1", v.boolean, "true or false"),
        ("yes", v.boolean, "true or false"),
        ("22.11.2026", v.instant, "an instant in ISO 8601 with a zone"),
        ("2026-11-22T10:00:00", v.instant, "it has no zone"),
        ("2026-11-22", v.instant, "it has no zone"),
        ("2026-02-30", v.date, "a date in ISO 8601"),
        ("52.2", v.point, "a point as latitude,longitude"),
        ("1;2", v.point, "a point as latitude,longitude"),
    ],
)
def test_a_cell_that_does_not_fit_says_what_was_expected_and_what_was_there(
    cell: str, value_type: ValueType, expected: str
) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        from_text(cell, value_type)
    assert expected in str(caught.value)
    assert repr(cell) in str(caught.value)


def test_a_long_cell_is_cut_in_the_message() -> None:
    with pytest.raises(ValueError, match="expected an integer") as caught:
        from_text("x" * 10_000, v.integer)
    assert len(str(caught.value)) < 120


def test_an_integer_of_a_hundred_thousand_digits_is_refused() -> None:
    with pytest.raises(ValueError, match="digits are too many"):
        from_text("9" * 100_000, v.integer)


@pytest.mark.parametrize(
    ("value", "value_type", "plain"),
    [
        (5, v.integer, 5),
        (Decimal("0.1"), v.number, 0.1),
        (Decimal("19.90"), v.decimal, Decimal("19.90")),
        ("19.90", v.decimal, Decimal("19.90")),
        ("2026-11-22T10:00:00Z", v.instant, v.to_micros(datetime(2026, 11, 22, 10, tzinfo=UTC))),
        (datetime(2026, 11, 22, 10, tzinfo=timezone(timedelta(hours=1))), v.instant, 1795338000000000),
        ("2026-11-22", v.date, date(2026, 11, 22).toordinal()),
        (["vip", "early"], v.text_set, frozenset({"vip", "early"})),
        ([Decimal("52.2297"), 21], v.point, (52.2297, 21.0)),
        (None, v.integer, None),
        ("", v.text, ""),
    ],
)
def test_a_json_value_keeps_its_own_type(value: Any, value_type: ValueType, plain: Any) -> None:
    assert value_type.convert(from_native(value, value_type)) == plain


@pytest.mark.parametrize(
    ("value", "value_type"),
    [("5", v.integer), ("true", v.boolean), (1, v.boolean), ("vip|early", v.text_set), (5, v.text), (0, v.instant)],
)
def test_nothing_is_guessed_from_a_json_value_of_another_type(value: Any, value_type: ValueType) -> None:
    with pytest.raises(ValueError, match="expected"):
        value_type.convert(from_native(value, value_type))

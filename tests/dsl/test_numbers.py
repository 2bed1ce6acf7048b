"""Exact numbers: what the host's decimal context, the kinds and the order of operands may not change."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import ROUND_DOWN, Context, Decimal, FloatOperation, Inexact, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, strategies as st

from segmentkit.dsl import _numbers
from tests.examples import PARTS

finite = st.floats(allow_nan=False, allow_infinity=False)
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12)
exact = st.integers(-(10**20), 10**20) | decimals | st.fractions()
numbers = exact | finite


@pytest.fixture
def hostile_context() -> Iterator[None]:
    """Three digits, wrong rounding, and a trap for whatever is inexact or mixes in a double."""
    with localcontext(Context(prec=3, rounding=ROUND_DOWN, traps=[FloatOperation, Inexact])):
        yield


@PARTS
@given(numbers, numbers)
def test_numbers_of_any_kind_compare_by_their_exact_value(a: Any, b: Any) -> None:
    assert _numbers.compare(a, b) == (Fraction(a) > Fraction(b)) - (Fraction(a) < Fraction(b))


def test_a_double_is_not_the_decimal_it_prints_as() -> None:
    assert _numbers.compare(0.1, Decimal("0.1")) == 1
    assert _numbers.compare(0.5, Decimal("0.50")) == 0


def test_an_integer_next_to_two_to_the_53_is_not_the_double() -> None:
    assert _numbers.compare(2**53 + 1, 2.0**53) == 1


@PARTS
@given(exact, exact, st.sampled_from("+-*/"))
def test_exact_operands_give_the_exact_rational(a: Any, b: Any, operator: str) -> None:
    left, right = Fraction(a), Fraction(b)
    if operator == "/":
        expected = None if right == 0 else left / right
    else:
        expected = {"+": left + right, "-": left - right, "*": left * right}[operator]
    assert _numbers.arithmetic(operator, a, b) == expected


def test_a_third_of_one_times_three_is_one() -> None:
    third = _numbers.arithmetic("/", 1, 3)
    assert third is not None
    assert _numbers.arithmetic("*", third, 3) == 1


def test_a_double_on_either_side_gives_a_double() -> None:
    assert _numbers.arithmetic("+", 0.1, Decimal("0.2")) == 0.1 + 0.2
    assert isinstance(_numbers.arithmetic("*", 2, 0.5), float)


@pytest.mark.parametrize(
    ("operator", "left", "right"),
    [
        ("/", 1, 0),
        ("/", Decimal(1), Decimal(0)),
        ("/", 1.0, 0.0),
        ("/", 0.0, -0.0),
        ("*", 1e308, 10.0),
        ("+", 1.7e308, 1.7e308),
        ("+", 10**400, 1.0),
        ("-", 1.0, Decimal("1e400")),
    ],
)
def test_division_by_zero_and_overflow_have_no_result(operator: str, left: Any, right: Any) -> None:
    assert _numbers.arithmetic(operator, left, right) is None


def test_exact_numbers_do_not_overflow() -> None:
    assert _numbers.arithmetic("*", 10**900, 10**900) == 10**1800


@pytest.mark.parametrize(
    ("value", "nearest"),
    [("0.5", 0), ("1.5", 2), ("2.5", 2), ("-0.5", 0), ("-1.5", -2), ("2.4999", 2), ("2.5001", 3), ("7", 7)],
)
def test_rounding_goes_to_the_nearest_integer_and_halves_to_the_even_one(value: str, nearest: int) -> None:
    assert _numbers.rounded(Decimal(value)) == _numbers.rounded(float(value)) == nearest


@pytest.mark.usefixtures("hostile_context")
def test_a_hostile_decimal_context_changes_nothing() -> None:
    long = Decimal("12345.6789")
    assert _numbers.arithmetic("+", long, Decimal("0.0001")) == Fraction("12345.679")
    assert _numbers.compare(long, Decimal("12345.6788")) == 1
    assert _numbers.compare(long, 12345.6789) == -1
    assert Fraction(_numbers.negative(long)) == Fraction("-12345.6789")
    assert Fraction(_numbers.absolute(Decimal("-12345.6789"))) == Fraction("12345.6789")
    assert _numbers.rounded(long) == 12346
    assert _numbers.total([long, long]) == Fraction("24691.3578")
    assert _numbers.average([long, Decimal(0)]) == Fraction("6172.83945")
    assert _numbers.median([long, Decimal(1), Decimal(2)]) == 2


@PARTS
@given(st.lists(st.floats(-1e300, 1e300), min_size=1), st.randoms())
def test_the_sum_of_doubles_is_correctly_rounded_in_any_order(values: list[float], random: Any) -> None:
    expected = math.fsum(values)
    random.shuffle(values)
    assert _numbers.total(values) == expected


def test_a_sum_whose_parts_overflow_but_whose_whole_does_not_is_found_in_any_order() -> None:
    assert _numbers.total([1.5e308, 1.5e308, -1.5e308]) == 1.5e308
    assert _numbers.total([1.5e308, -1.5e308, 1.5e308]) == 1.5e308


def test_a_sum_out_of_range_is_missing() -> None:
    assert _numbers.total([1.5e308, 1.5e308]) is None


def test_a_sum_is_never_minus_zero() -> None:
    total = _numbers.total([-0.0])
    assert isinstance(total, float)
    assert math.copysign(1, total) == 1


@PARTS
@given(st.lists(finite, min_size=1))
def test_the_average_of_doubles_is_the_exact_one_rounded_once(values: list[float]) -> None:
    assert _numbers.average(values) == float(sum(map(Fraction, values)) / len(values))


def test_the_average_of_two_huge_doubles_does_not_overflow() -> None:
    assert _numbers.average([1.5e308, 1.5e308]) == 1.5e308


@PARTS
@given(st.lists(decimals, min_size=1))
def test_the_median_has_as_many_values_below_as_above(values: list[Decimal]) -> None:
    median = _numbers.median(values)
    assert median is not None
    below = sum(_numbers.compare(value, median) < 0 for value in values)
    above = sum(_numbers.compare(value, median) > 0 for value in values)
    assert below <= len(values) / 2 >= above


def test_the_median_of_an_even_number_is_the_exact_middle() -> None:
    assert _numbers.median([3, 1, 2, 10]) == Fraction(5, 2)
    assert _numbers.median([0.1, 0.3]) == float((Fraction(0.1) + Fraction(0.3)) / 2)


def test_nothing_has_a_sum_but_no_average_and_no_median() -> None:
    assert _numbers.total([]) == 0
    assert _numbers.average([]) is None
    assert _numbers.median([]) is None

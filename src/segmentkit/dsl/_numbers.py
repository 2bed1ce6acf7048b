"""Exact arithmetic on plain numbers: integers, decimals and rationals; doubles apart.

An int, a Decimal and a Fraction are exact rationals. Decimals are never computed with as
decimals, because the host's decimal context would have a say in the result. A double with
anything gives a double; an exact operand is rounded to the nearest double first. What has
no result (division by zero, a double out of range) is None.

Sums, averages and medians of doubles are the exact result rounded once, so they do not
depend on the order of their operands.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias, TypeVar

__all__ = ["Number", "absolute", "arithmetic", "average", "compare", "median", "negative", "rounded", "total"]

Number: TypeAlias = int | float | Decimal | Fraction

_T = TypeVar("_T", float, Fraction)


def compare(left: Number, right: Number) -> int:
    """Return -1, 0 or 1 for less, equal, greater, by exact mathematical value.

    >>> compare(Decimal("0.1"), 0.1)  # the double is a little more than a tenth
    -1
    """
    if type(left) is type(right):
        return (left > right) - (left < right)
    a, b = Fraction(left), Fraction(right)
    return (a > b) - (a < b)


def arithmetic(operator: str, left: Number, right: Number) -> Number | None:
    """Return `left operator right` for `+`, `-`, `*` and `/`, or None if there is no result.

    >>> arithmetic("/", 1, 3)
    Fraction(1, 3)
    """
    if isinstance(left, float) or isinstance(right, float):
        try:
            result = _apply(operator, float(left), float(right))
        except OverflowError:
            return None
        return result if result is not None and math.isfinite(result) else None
    return _apply(operator, Fraction(left), Fraction(right))


def _apply(operator: str, left: _T, right: _T) -> _T | None:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right if right else None
        case _:
            raise AssertionError(f"no arithmetic operator {operator!r}")


def negative(value: Number) -> Number:
    """Return the number with its sign changed."""
    return value.copy_negate() if isinstance(value, Decimal) else -value


def absolute(value: Number) -> Number:
    """Return the number without its sign."""
    return negative(value) if value < 0 else value


def rounded(value: Number) -> int:
    """Return the nearest integer, the even one of two equally near.

    >>> [rounded(Decimal(n)) for n in ("0.5", "1.5", "-2.5")]
    [0, 2, -2]
    """
    return round(Fraction(value))


def _exact(values: Sequence[Number]) -> Fraction:
    return sum((Fraction(value) for value in values), Fraction(0))


def _like(value: Fraction, sample: Number) -> Number | None:
    """Return an exact result as the operands' kind of number: rounded once for doubles."""
    if not isinstance(sample, float):
        return value
    try:
        return float(value)
    except OverflowError:
        return None


def total(values: Sequence[Number]) -> Number | None:
    """Return the sum: 0 of nothing, the correctly rounded one of doubles.

    >>> total([0.1] * 10)
    1.0
    """
    if not values:
        return 0
    if isinstance(values[0], float):
        try:
            return math.fsum(values) + 0.0  # never minus zero
        except OverflowError:
            pass  # fsum gives up when a partial sum is out of range, even if the whole is not
    return _like(_exact(values), values[0])


def average(values: Sequence[Number]) -> Number | None:
    """Return the mean of one or more numbers, rounded once for doubles; None of nothing."""
    return _like(_exact(values) / len(values), values[0]) if values else None


def median(values: Sequence[Number]) -> Number | None:
    """Return the middle value, or the mean of the two in the middle; None of nothing."""
    ordered = sorted(values)
    half, odd = divmod(len(ordered), 2)
    return ordered[half] if odd else average(ordered[half - 1 : half + 1])

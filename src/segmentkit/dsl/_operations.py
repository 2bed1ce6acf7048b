"""Operators and functions of known plain values: the leaves of what the evaluator defines.

Which operator applies to which types is the checker's business; here a combination that it
refuses is a broken invariant.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from segmentkit.dsl import _calendar, _numbers
from segmentkit.dsl.predicates import Duration
from segmentkit.values import ValueType

__all__ = ["arithmetic", "call", "combine", "compare", "micros_of", "set_test", "text_test"]

# --------------------------------------------------------------------- truth


def compare(
    operator: str,
    left: Any,
    left_type: ValueType,
    right: Any,
    right_type: ValueType,
    *,
    zone: str,
    ignoring_case: bool = False,
) -> bool:
    """Return whether both plain values are known and the comparison holds.

    An instant against a date is its civil day in the zone against that date: before the
    day's first instant is `<`, from the next day's first instant on is `>`.
    """
    if left is None or right is None:
        return False
    if left_type.kind == "instant" and right_type.kind == "date":
        left = _calendar.civil_day(left, zone)
    elif left_type.kind == "date" and right_type.kind == "instant":
        right = _calendar.civil_day(right, zone)
    elif left_type.is_numeric:
        left, right = _numbers.compare(left, right), 0
    elif left_type.kind == "duration":
        left, right = micros_of(left), micros_of(right)
        if left is None or right is None:
            return False
    elif ignoring_case:
        left, right = _casefold(left), _casefold(right)
    match operator:
        case "=":
            return bool(left == right)
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
        case ">=":
            return bool(left >= right)
        case _:
            raise AssertionError(f"no comparison operator {operator!r}")


def _casefold(value: str | frozenset[str]) -> str | frozenset[str]:
    return value.casefold() if isinstance(value, str) else frozenset(member.casefold() for member in value)


def text_test(test: str, text: str, patterns: Sequence[str], ignoring_case: bool) -> bool:
    """Return whether a known text passes the test with any of the patterns."""
    if ignoring_case:
        text, patterns = text.casefold(), tuple(pattern.casefold() for pattern in patterns)
    match test:
        case "contains":
            return any(pattern in text for pattern in patterns)
        case "starts with":
            return text.startswith(tuple(patterns))
        case "ends with":
            return text.endswith(tuple(patterns))
        case _:
            raise AssertionError(f"no text test {test!r}")


def set_test(quantifier: str, members: frozenset[str], wanted: Sequence[str], ignoring_case: bool) -> bool:
    """Return whether the set has any, or all, of the wanted members."""
    if ignoring_case:
        members, wanted = frozenset(m.casefold() for m in members), [w.casefold() for w in wanted]
    return (any if quantifier == "any" else all)(member in members for member in wanted)


# -------------------------------------------------------------------- values


def arithmetic(operator: str, left: Any, left_type: ValueType, right: Any, right_type: ValueType, *, zone: str) -> Any:
    """Return `left operator right` for known plain values, or None if there is no result."""
    if left_type.is_numeric and right_type.is_numeric:
        return _numbers.arithmetic(operator, left, right)
    sign = -1 if operator == "-" else 1
    match left_type.kind, right_type.kind:
        case "instant", "duration":
            return _calendar.shift(left, right, sign, zone)
        case "date", "duration":
            return _calendar.shift_date(left, right, sign)
        case "instant", "instant":
            return left - right
        case "date", "date":
            return (left - right) * _calendar.DAY
        case "duration", "duration":
            a, b = micros_of(left), micros_of(right)
            return None if a is None or b is None else a + sign * b
        case _:
            raise AssertionError(f"no arithmetic {operator!r} between {left_type!r} and {right_type!r}")


def micros_of(duration: int | Duration) -> int | None:
    """Return the microseconds of a duration value; a calendar length has no fixed number of them."""
    if isinstance(duration, Duration):
        return None if duration.months else duration.micros
    return duration


def call(function: str, x: Any, x_type: ValueType, zone: str) -> Any:
    """Return a function of one known plain value; the parts of an instant are those of its civil day."""
    match function:
        case "length" | "size":
            return len(x)
        case "lower":
            return x.lower()
        case "abs":
            return _numbers.absolute(x)
        case "round":
            return _numbers.rounded(x)
        case "hour":
            return _calendar.hour_of(x, zone)
        case "year" | "month" | "day" | "weekday":
            fields = _calendar.calendar_fields(_calendar.civil_day(x, zone) if x_type.kind == "instant" else x)
            return None if fields is None else fields[("year", "month", "day", "weekday").index(function)]
        case _:
            raise AssertionError(f"no function {function!r}")


def combine(function: str, values: Sequence[Any], value_type: ValueType | None) -> Any:
    """Return `function` of the known values of a property, in the order of their events."""
    match function:
        case "sum":
            zero = 0.0 if value_type is not None and value_type.kind == "number" else 0
            return _numbers.total(values) if values else zero
        case "distinct":
            return len(set(values))
        case "avg":
            return _numbers.average(values)
        case "median":
            return _numbers.median(values)
        case "min":
            return min(values, default=None)
        case "max":
            return max(values, default=None)
        case "first":
            return values[0] if values else None
        case "last":
            return values[-1] if values else None
        case _:
            raise AssertionError(f"no aggregate {function!r}")

"""Constants: literals and parameters, and the amounts and lengths that stand in other forms.

A numeric literal takes the type of what it meets, the hint; so do a text that meets a choice,
and a parameter, which is converted by the hint as a literal would be.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from segmentkit import values as types
from segmentkit.dsl import _literals
from segmentkit.dsl._scope import Scope, bare, nearest, span
from segmentkit.dsl.predicates import UNITS, Duration, Literal
from segmentkit.errors import repr_of
from segmentkit.values import ValueType

if TYPE_CHECKING:
    from lark import Token, Tree

__all__ = [
    "CONSTANTS",
    "check_amount",
    "check_constant",
    "check_length",
    "check_literal",
    "is_constant",
    "parameter_value",
]

CONSTANTS: Final = frozenset({"number", "parameter", "text", "length", "instant", "date", "true", "false"})
MAX_YEARS: Final = 10_000
"""Longest duration of a filter."""
_YEAR: Final = 31_556_952_000_000  # the mean year, in microseconds
MAX_UNITS: Final = 1_000_000
"""Most calendar units of a window."""


def is_constant(tree: Tree[Token]) -> bool:
    """Return whether a tree is one literal or parameter, perhaps with a sign."""
    tree = bare(tree)
    if tree.data == "negative":
        operand: Any = tree.children[0]
        return bool(operand.data == "number")
    return tree.data in CONSTANTS


def check_constant(token: Token, scope: Scope, hint: ValueType | None, negative: bool = False) -> Literal | None:
    """Return the literal of one token, as a value that meets type `hint`; a number may have a sign."""
    where, raw = span(token), str(token)
    match token.type:
        case "NUMBER":
            return _number(_literals.read_number(raw), hint, scope, where, -1 if negative else 1)
        case "TEXT":
            return _text(_literals.read_text(raw), hint, scope, where)
        case "INSTANT":
            return Literal(_literals.read_instant(raw), types.instant, span=where)
        case "DATE":
            return Literal(_literals.read_date(raw), types.date, span=where)
        case "PARAMETER":
            return _parameter(token, scope, hint)
        case _:
            return Literal(token.type == "TRUE", types.boolean, span=where)


def check_literal(tree: Tree[Token], scope: Scope, hint: ValueType | None) -> Literal | None:
    match tree.data:
        case "true" | "false":
            return Literal(tree.data == "true", types.boolean, span=span(tree))
        case "length":
            length = check_length(tree, scope)
            return None if length is None else Literal(length, types.duration, span=span(tree))
        case _:
            return check_constant(tree.children[0], scope, hint)  # type: ignore[arg-type]


def _number(
    value: int | Decimal, hint: ValueType | None, scope: Scope, where: tuple[int, int], sign: int = 1
) -> Literal | None:
    if hint is not None and hint.kind == "number":
        try:
            return Literal(types.number.convert(sign * float(value) + 0.0), types.number, span=where)
        except (OverflowError, ValueError):
            scope.report(where, "the number is too large for a double", "declare the attribute as decimal")
            return None
    # copy_negate and not `-`, which would round to the digits of a context
    signed = value if sign > 0 or not value else -value if isinstance(value, int) else value.copy_negate()
    return Literal(signed, types.integer if isinstance(value, int) else types.decimal, span=where)


def _text(value: str, hint: ValueType | None, scope: Scope, where: tuple[int, int]) -> Literal | None:
    if hint is None or hint.kind != "choice":
        return Literal(value, types.text, span=where)
    if value not in hint.choices:
        near = nearest(value, hint.choices)
        advice = f"did you mean '{near}'?" if near else "expected " + hint.described
        scope.report(where, f"'{value}' is not one of the declared values", advice)
        return None
    return Literal(value, hint, span=where)


def parameter_value(token: Token, scope: Scope) -> tuple[Any] | None:
    """Return what the host gave for a parameter, in a tuple, or None after a report."""
    name = str(token)[1:]
    if name in scope.params:
        return (scope.params[name],)
    near = nearest(name, scope.params)
    hint = f"did you mean '${near}'?" if near else f"pass params={{'{name}': ...}} where the filter is defined"
    scope.report(token, f"parameter '${name}' has no value", hint)
    return None


def _parameter(token: Token, scope: Scope, hint: ValueType | None) -> Literal | None:
    given = parameter_value(token, scope)
    if given is None:
        return None
    try:
        literal = _from_host(given[0], hint, scope, span(token))
    except ValueError as error:
        scope.report(token, f"parameter '{token}' does not fit: {error}")
        return None
    return literal


def _from_host(value: Any, hint: ValueType | None, scope: Scope, where: tuple[int, int]) -> Literal | None:
    """Return a host's value as a literal; raises ValueError if it is none, or has a wrong type."""
    if isinstance(value, bool):
        kind = types.boolean
    elif isinstance(value, int | float | Decimal) or (isinstance(value, str) and hint == types.decimal):
        return _number_from_host(value, hint, scope, where)
    elif isinstance(value, str):
        return _text(types.text.convert(value), hint, scope, where)
    elif isinstance(value, Duration | timedelta):
        return Literal(_duration_from_host(value), types.duration, span=where)
    elif isinstance(value, datetime):
        kind = types.instant
    elif isinstance(value, date):
        kind = types.date
    else:
        expected = hint.described if hint is not None else "text, a number, a boolean, a date or an instant"
        raise ValueError(f"expected {expected}, got {repr_of(value, 80)} ({type(value).__name__})")  # as convert
    return Literal(kind.convert(value), kind, span=where)


def _number_from_host(
    value: float | Decimal | str, hint: ValueType | None, scope: Scope, where: tuple[int, int]
) -> Literal | None:
    if isinstance(value, int):
        return _number(types.integer.convert(value), hint, scope, where)
    if isinstance(value, float) and hint is not None and hint.kind == "number":
        return Literal(types.number.convert(value) + 0.0, types.number, span=where)
    exact: Decimal = types.decimal.convert(value)
    return _number(exact, hint, scope, where)


_EXACT = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def _duration_from_host(value: Duration | timedelta) -> Duration:
    """Return a timedelta in its largest whole unit, up to days."""
    if isinstance(value, Duration):
        is_whole = isinstance(value.count, int) and not isinstance(value.count, bool) and value.count >= 0
        if not is_whole or value.unit not in UNITS:
            raise ValueError(f"expected a duration of whole units, got {repr_of(value, 80)}")
        return value
    seconds, rest = divmod(value, timedelta(seconds=1))
    if rest or seconds < 0:
        raise ValueError(f"expected a duration of whole seconds, got {repr_of(value, 80)}")
    unit, length = next((u, n) for u, n in _EXACT if seconds % n == 0)
    return Duration(seconds // length, unit)  # type: ignore[arg-type]  # the table has the units


def check_amount(tree: Tree[Token], scope: Scope, what: str, fractions: bool = False) -> Any:
    """Return a number that is not negative, of a literal or a parameter, or None after a report."""
    negative = tree.data == "minus"
    inner: Tree[Token] = tree.children[0] if negative else tree  # type: ignore[assignment]
    literal = check_literal(inner, scope, types.integer)
    if literal is None:
        return None
    whole = literal.type.kind == "integer"
    if not literal.type.is_numeric or (not whole and not fractions) or negative or literal.value < 0:
        scope.report(tree, f"{what} is a {'number' if fractions else 'whole number'} that is not negative")
        return None
    return int(literal.value) if whole or literal.value == int(literal.value) else literal.value


def check_length(tree: Tree[Token], scope: Scope) -> Duration | None:
    """Return the duration of `40 days` or `$period`, or None after a report."""
    if tree.data == "parameter":
        literal = check_literal(tree, scope, types.duration)
        if literal is not None and literal.type.kind != "duration":
            scope.report(tree, f"parameter '{tree.children[0]}' is not a duration", "pass a timedelta")
            return None
        return _checked_length(tree, None if literal is None else literal.value, scope)
    amount, unit = tree.children
    if _is_fraction(amount):  # type: ignore[arg-type]
        scope.report(amount, "a duration is a whole number of units", "use a smaller unit, such as '36 hours'")
        return None
    count = check_amount(amount, scope, "a duration")  # type: ignore[arg-type]
    name: Any = str(unit.children[0]).lower().removesuffix("s")  # type: ignore[union-attr]
    if name == "quarter":
        scope.report(tree, "quarters are no length of time", "write months, such as '3 months'")
        return None
    return None if count is None else _checked_length(tree, Duration(count, name), scope)


def _is_fraction(tree: Tree[Token]) -> bool:
    return tree.data == "number" and "." in str(tree.children[0])


def is_too_long(length: Duration) -> bool:
    """Return whether a duration is longer than filters have them."""
    return length.months > MAX_YEARS * 12 or length.micros > MAX_YEARS * _YEAR


def _checked_length(tree: Tree[Token], length: Duration | None, scope: Scope) -> Duration | None:
    if length is not None and is_too_long(length):
        scope.report(tree, f"the duration is longer than {MAX_YEARS:,} years")
        return None
    return length

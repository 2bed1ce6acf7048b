"""Values: the checker's half that gives every value its type.

`check_value` takes a hint, the type of the other side, because a numeric literal, a text
against a choice, and a parameter take the type of what they meet. `check_pair` finds out
which side gives the hint.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from segmentkit import schema as types
from segmentkit.dsl import _literals
from segmentkit.dsl._check_types import AGGREGATES, FUNCTIONS, arithmetic_type, described, function_type
from segmentkit.dsl._scope import Scope, bare, either, name_of, nearest, span
from segmentkit.dsl.predicates import (
    Arithmetic,
    ArithmeticOperator,
    Attribute,
    Call,
    Duration,
    Literal,
    Negate,
    Now,
    Property,
    Today,
    Value,
)
from segmentkit.schema import ValueType

if TYPE_CHECKING:
    from lark import Token, Tree

__all__ = [
    "check_amount",
    "check_constant",
    "check_length",
    "check_pair",
    "check_value",
    "check_values",
    "is_constant",
]

_OPERATORS: dict[str, ArithmeticOperator] = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_CONSTANTS = frozenset({"number", "parameter", "text", "length", "instant", "date", "true", "false"})
MAX_YEARS = 10_000


def check_value(tree: Tree[Token], scope: Scope, hint: ValueType | None = None) -> Value | None:
    """Return the value of a tree, or None after a report."""
    tree = bare(tree)
    where = span(tree)
    match tree.data:
        case "path":
            return _path(tree, scope)
        case "add" | "subtract" | "multiply" | "divide":
            return _arithmetic(tree, scope)
        case "negative":
            return _negative(tree, scope, hint)
        case "call":
            if str(tree.children[0]).lower() in AGGREGATES:
                return scope.aggregate(tree, scope)
            return _call(tree, scope)
        case "now":
            return Now(span=where)
        case "today" | "yesterday" | "tomorrow":
            return Today(_DAYS[tree.data], span=where)
        case "filtered":
            _filtered(tree, scope)
            return None
        case data if data in _CONSTANTS:
            return _constant(tree, scope, hint)
        case _:
            scope.report(tree, "a condition stands where a value is expected", "compare values, and join conditions")
            return None


def check_values(trees: Sequence[Tree[Token]], scope: Scope) -> list[Value | None]:
    """Return values that meet each other: what is no constant gives constants their type."""
    found: list[Value | None] = [None if is_constant(tree) else check_value(tree, scope) for tree in trees]
    hint = next((value.type for value in found if value is not None), None)
    return [
        check_value(tree, scope, hint) if is_constant(tree) else value
        for tree, value in zip(trees, found, strict=True)
    ]  # fmt: skip


def check_pair(left: Tree[Token], right: Tree[Token], scope: Scope) -> tuple[Value, Value] | None:
    """Return both sides of an operator, or None after a report."""
    a, b = check_values((left, right), scope)
    return None if a is None or b is None else (a, b)


def is_constant(tree: Tree[Token]) -> bool:
    """Return whether a tree is one literal or parameter, perhaps with a sign."""
    tree = bare(tree)
    if tree.data == "negative":
        operand: Tree[Token] = tree.children[0]  # type: ignore[assignment]
        return operand.data == "number"
    return tree.data in _CONSTANTS


# -------------------------------------------------------------------------- constants


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


def _constant(tree: Tree[Token], scope: Scope, hint: ValueType | None) -> Literal | None:
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
        raise ValueError(f"expected {expected}, got {value!r} ({type(value).__name__})")  # noqa: TRY004  # as convert
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
        return value
    seconds, rest = divmod(value, timedelta(seconds=1))
    if rest or seconds < 0:
        raise ValueError(f"expected a duration of whole seconds, got {value!r}")
    unit, length = next((u, n) for u, n in _EXACT if seconds % n == 0)
    return Duration(seconds // length, unit)  # type: ignore[arg-type]  # the table has the units


def check_amount(tree: Tree[Token], scope: Scope, what: str, fractions: bool = False) -> Any:
    """Return a number that is not negative, of a literal or a parameter, or None after a report."""
    negative = tree.data == "minus"
    inner: Tree[Token] = tree.children[0] if negative else tree  # type: ignore[assignment]
    literal = _constant(inner, scope, types.integer)
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
        literal = _constant(tree, scope, types.duration)
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


def _checked_length(tree: Tree[Token], length: Duration | None, scope: Scope) -> Duration | None:
    if length is not None and max(length.months / 12, length.micros / 31_556_952_000_000) > MAX_YEARS:
        scope.report(tree, f"the duration is longer than {MAX_YEARS:,} years")
        return None
    return length


# ------------------------------------------------------------------------------ names


def _path(tree: Tree[Token], scope: Scope) -> Value | None:
    names = [name_of(child) for child in tree.children]
    if len(names) == 1:
        return _name(tree, names[0], scope)
    if scope.event is not None and names[0] == "object" and len(names) == 2:
        return _attribute(tree, names[1], scope)
    _explain_path(tree, names, scope)
    return None


def _name(tree: Tree[Token], name: str, scope: Scope) -> Value | None:
    if scope.event is None:
        return _attribute(tree, name, scope)
    value_type = scope.event.properties.get(name)
    if value_type is not None:
        return Property(name, value_type, span=span(tree))
    hint = ""
    if name in scope.object_type.attributes:
        hint = f"names in brackets are properties of the event; write 'object.{_literals.quote_name(name)}'"
    scope.unknown(tree, "property", name, f"event '{scope.event.name}'", scope.event.properties, hint)
    return None


def _attribute(tree: Tree[Token], name: str, scope: Scope) -> Value | None:
    owner = scope.object_type
    value_type = owner.attributes.get(name)
    if value_type is not None:
        return Attribute(name, value_type, span=span(tree))
    hint, written = "", _literals.quote_name(name)
    if name in owner.events:
        hint = f"'{name}' is an event; write 'did {written}' or 'count({written})'"
    elif name in owner.relations:
        scope.report(tree, f"'{name}' is a relation; conditions on related objects are not supported yet")
        return None
    scope.unknown(tree, "attribute", name, f"'{owner.name}'", owner.attributes, hint or _or_text(name, owner))
    return None


def _or_text(name: str, owner: types.ObjectType) -> str:
    """Return a hint if a name is more likely a text without quotes: a declared choice, or a code such as PL."""
    is_choice = any(name in value_type.choices for value_type in owner.attributes.values())
    return f'text stands in quotes: "{name}"' if is_choice or name.isupper() else ""


def _explain_path(tree: Tree[Token], names: list[str], scope: Scope) -> None:
    owner, dotted = scope.object_type, ".".join(names)
    if dotted in owner.attributes or (scope.event is not None and dotted in scope.event.properties):
        scope.report(tree, f"'{dotted}' has a dot in its name", f"put it in backticks: `{dotted}`")
    elif names[0] in owner.relations:
        scope.report(tree, f"'{dotted}' reaches over a relation, which is not supported yet")
    elif names[0] in owner.events and scope.event is None:
        hint = f"say which one: 'last({dotted})', 'sum({dotted})', 'distinct({dotted})'"
        scope.report(tree, f"'{dotted}' is a property of many events", hint)
    elif names[0] == "object" and scope.event is None:
        scope.report(tree, "'object.' belongs into the brackets of an event", f"write '{names[-1]}'")
    else:
        scope.unknown(tree.children[0], "relation", names[0], f"'{owner.name}'", owner.relations)


def _filtered(tree: Tree[Token], scope: Scope) -> None:
    name = name_of(tree.children[0])
    if name in scope.object_type.events:
        written = _literals.quote_name(name)
        scope.report(tree, f"events '{name}' are no value", f"write 'did {written}[...]' or 'count({written}[...])'")
    elif name in scope.object_type.relations:
        scope.report(tree, f"'{name}[...]': conditions on related objects are not supported yet")
    else:
        known = [*scope.object_type.events, *scope.object_type.relations]
        scope.unknown(tree.children[0], "event", name, f"'{scope.object_type.name}'", known)


# --------------------------------------------------------- arithmetic and functions


def _call(tree: Tree[Token], scope: Scope) -> Value | None:
    name, *arguments = tree.children
    trees: list[Tree[Token]] = []
    for argument in arguments:
        value, *window = argument.children  # type: ignore[union-attr]
        trees.append(value)  # type: ignore[arg-type]
        if window:
            scope.report(window[0], "a window stands behind an event", f"only {either(sorted(AGGREGATES))} take one")
    function = str(name).lower()
    if function == "sample":
        scope.report(tree, "'sample' is not supported yet")
        return None
    if function not in FUNCTIONS:
        scope.unknown(name, "function", str(name), "", [*FUNCTIONS, *AGGREGATES])
        return None
    values = check_values(trees, scope)
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    result, why = function_type(function, known)
    if result is None:
        scope.report(tree, *why)
        return None
    return Call(function, tuple(known), result, span=span(tree))  # type: ignore[arg-type]  # FUNCTIONS has them


def _negative(tree: Tree[Token], scope: Scope, hint: ValueType | None) -> Value | None:
    operand: Tree[Token] = tree.children[0]  # type: ignore[assignment]
    if operand.data == "number":
        token: Any = operand.children[0]
        literal = check_constant(token, scope, hint, negative=True)
        return literal and Literal(literal.value, literal.type, span=span(tree))
    value = check_value(operand, scope)
    if value is None:
        return None
    if not value.type.is_numeric:
        hint_text = "write 'now - 3 days' for an instant before" if value.type.kind == "duration" else ""
        scope.report(tree, f"only numbers have a sign, and this is {described(value)}", hint_text)
        return None
    return Negate(value, span=span(tree))


def _arithmetic(tree: Tree[Token], scope: Scope) -> Value | None:
    left, right = tree.children
    pair = check_pair(left, right, scope)  # type: ignore[arg-type]
    if pair is None:
        return None
    operator = _OPERATORS[tree.data]
    a, b = pair
    result, why = arithmetic_type(operator, a, b)
    if result is None:
        message = f"cannot compute {described(a)} {operator} {described(b)}"
        scope.report(tree, message, why)
        return None
    return Arithmetic(operator, a, b, result, span=span(tree))

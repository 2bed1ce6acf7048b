"""Comparisons in normal form: the constant on the right, whole numbers by `>=` and `<=`, windows as windows."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from attrs import evolve

from segmentkit import values as types
from segmentkit.dsl.predicates import (
    Aggregate,
    AnyRelated,
    Arithmetic,
    Between,
    Calendar,
    Call,
    Compare,
    Constant,
    Duration,
    In,
    InWindow,
    IsTrue,
    Literal,
    Not,
    Now,
    Predicate,
    RelatedAggregate,
    Relative,
    RelativeForm,
    Today,
    Value,
)
from segmentkit.forms._normal_order import key_of, weight_of
from segmentkit.forms._normal_values import is_clockwork, moves_with_now, plain_number, reads_zone
from segmentkit.values import MAX_DIGITS

__all__ = ["normal_between", "normal_compare", "normal_in", "normal_in_window"]

_MIRRORED: Final[dict[str, Any]] = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_TIMES: Final = ("instant", "date")


def normal_compare(node: Compare) -> Predicate:
    """Return a comparison of normal values in the one form it has."""
    node = _oriented(node)
    left, right = node.left, node.right
    if node.zone is not None and not reads_zone(node):
        node = evolve(node, zone=None)
    if left.type.kind == "boolean" and right == Literal(True, types.boolean):
        return IsTrue(left)
    if isinstance(right, Literal) and node.ignoring_case:
        node = evolve(node, right=_folded(right))
    if left.type.kind == "integer" and isinstance(right, Literal) and weight_of(left) < 2:
        return _whole(node)
    return _window(node) or node


def _oriented(node: Compare) -> Compare:
    """Return the comparison with its constant on the right, or its sides in order."""
    left, right = plain_number(node.left), plain_number(node.right)
    first, second = weight_of(left), weight_of(right)
    if first > second or (first == second == 0 and key_of(left) > key_of(right)):
        return evolve(node, left=right, right=left, operator=_MIRRORED[node.operator])
    return evolve(node, left=left, right=right)


def _folded(literal: Literal) -> Literal:
    """Return text for a comparison without case; a choice keeps its declared spelling."""
    return evolve(literal, value=literal.value.casefold()) if literal.type.kind == "text" else literal


# ------------------------------------------------------------------------ whole numbers


def _whole(node: Compare) -> Predicate:
    """Return a comparison of an integer with a constant by `=`, `>=` or `<=` and an integer."""
    assert isinstance(node.right, Literal)
    bound: int | float | Decimal = node.right.value
    if not isinstance(bound, int | Decimal):
        return node
    exact = Fraction(bound)
    operator: Any = node.operator
    if operator == "=":
        if exact.denominator != 1:
            return Constant(False)
        number = int(exact)
    elif operator in (">", ">="):
        number = math.floor(exact) + 1 if operator == ">" else math.ceil(exact)
        operator = ">="
    else:
        number = math.ceil(exact) - 1 if operator == "<" else math.floor(exact)
        operator = "<="
    if abs(number) >= 10 ** (MAX_DIGITS - 1):  # one more digit might have no spelling
        return node
    return _count(evolve(node, operator=operator, right=Literal(number, types.integer)), number)


def _count(node: Compare, number: int) -> Predicate:
    """Return a comparison of a count, which is never missing and never negative, by `>=` where it can be."""
    if not _is_count(node.left):
        return node
    if node.operator == "=":
        if number:
            return node if number > 0 else Constant(False)
        return Not(_at_least(node, 1))
    return _at_least(node, number) if node.operator == ">=" else _complement(_at_least(node, number + 1))


def _complement(item: Predicate) -> Predicate:
    return Constant(not item.value) if isinstance(item, Constant) else Not(item)


def _at_least(node: Compare, number: int) -> Predicate:
    if number <= 0:
        return Constant(True)
    if number == 1 and node.zone is None and isinstance(node.left, RelatedAggregate) and node.left.function == "count":
        return AnyRelated(node.left.related)
    return evolve(node, operator=">=", right=Literal(number, types.integer))


def _is_count(value: Value) -> bool:
    match value:
        case Aggregate("count" | "days" | "distinct") | RelatedAggregate("count" | "distinct") | Call("size"):
            return True
        case _:
            return False


# ------------------------------------------------------------------------------ windows

_FORMS: Final[dict[tuple[str, str], RelativeForm]] = {
    ("<", "-"): "more than ago",
    ("<=", "-"): "at least ago",
    (">", "+"): "more than from now",
    (">=", "+"): "at least from now",
}


def _window(node: Compare) -> Predicate | None:
    """Return a comparison with `now - 40 days`, or with `today`, as the window it is; None for others."""
    if node.left.type.kind not in _TIMES or moves_with_now(node.left):
        return None
    match node.right:
        case Today(days) if node.operator == "=":
            return normal_in_window(InWindow(node.left, Calendar("day", days, days, node.zone)))
        case Arithmetic(sign, Now() | Today(0) as base, Literal(Duration() as length)) if base.type == node.left.type:
            form = _FORMS.get((node.operator, sign))
            if form is not None:
                return normal_in_window(InWindow(node.left, Relative(form, length, None, node.zone)))
    return None


def normal_in_window(node: InWindow) -> Predicate:
    """Return a window without the zone that does not move it."""
    if node.value.type.kind == "date" or not is_clockwork(node.window) or reads_zone(node.value):
        return node
    return evolve(node, window=evolve(node.window, zone=None))


# -------------------------------------------------------------------------------- lists


def normal_between(node: Between) -> tuple[Predicate, Predicate]:
    """Return the two comparisons that `between` is."""
    return (
        normal_compare(Compare(">=", node.value, node.low, zone=node.zone)),
        normal_compare(Compare("<=", node.value, node.high, zone=node.zone)),
    )


def normal_in(node: In) -> Predicate:
    """Return a list of constants in order, each once; a list of one is a comparison."""
    options = [plain_number(option) for option in node.options]
    if node.value.type.kind == "integer":
        options = [option for option in options if option.type.kind == "integer"]
    if node.ignoring_case:
        options = [_folded(option) for option in options]
    ordered = sorted(options, key=lambda option: (option.type.kind, option.value))
    unique = {_identity(option, node.ignoring_case): option for option in reversed(ordered)}
    kept = tuple(sorted(unique.values(), key=lambda option: (option.type.kind, option.value)))
    if not kept:
        return Constant(False)
    if len(kept) == 1:
        return normal_compare(Compare("=", node.value, kept[0], node.ignoring_case))
    return In(node.value, kept, node.ignoring_case)


def _identity(option: Literal, ignoring_case: bool) -> Any:
    value = option.value.casefold() if ignoring_case and option.type.is_text else option.value
    return option.type.kind, value

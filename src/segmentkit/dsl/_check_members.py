"""Conditions that ask whether a value is among others: lists, parts of text, members of sets, absence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmentkit import values as types
from segmentkit.dsl import _regex
from segmentkit.dsl._arguments import in_order
from segmentkit.dsl._check_constants import check_constant, parameter_value
from segmentkit.dsl._check_relations import check_presence
from segmentkit.dsl._check_types import comparison_problem, described, type_name
from segmentkit.dsl._check_values import check_value
from segmentkit.dsl._scope import Scope, span, words_of
from segmentkit.dsl.predicates import (
    In,
    IsEmpty,
    IsMissing,
    Literal,
    Matches,
    Not,
    Predicate,
    SetTest,
    TextTest,
    Value,
)
from segmentkit.errors import repr_of

if TYPE_CHECKING:
    from lark import Token, Tree

__all__ = ["check_among", "check_has", "check_matches", "check_state", "check_text_test", "ignores_case", "negated"]


def negated(predicate: Predicate, tree: Tree[Token], negative: bool) -> Predicate:
    return Not(predicate, span=span(tree)) if negative else predicate


def ignores_case(rest: list[Any], value: Value, scope: Scope) -> bool | None:
    """Return whether `ignoring case` is there, or None after a report that it does not fit."""
    case = next((part for part in rest if part.data == "case"), None)
    if case is None:
        return False
    if value.type.is_text or value.type.kind == "text_set":
        return True
    scope.report(case, f"'ignoring case' goes with text, not with {described(value)}")
    return None


def check_among(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `v in (...)`, or its negation."""
    value_tree, list_tree, *rest = tree.children
    value = check_value(value_tree, scope)  # type: ignore[arg-type]
    hint = None if value is None else value.type
    options = _options(list_tree, scope, hint)
    if value is None or options is None:
        return None
    for option in options:
        problem = comparison_problem("in", value, option)
        if problem is not None:
            scope.report(option.span or span(tree), *problem)
            return None
    ignoring_case = ignores_case(rest, value, scope)
    if ignoring_case is None:
        return None
    unique = tuple({(option.type, option.value): option for option in options}.values())
    return negated(In(value, unique, ignoring_case, span=span(tree)), tree, tree.data == "not_among")


def _options(tree: Any, scope: Scope, hint: types.ValueType | None) -> list[Literal] | None:
    if tree.data == "parameter_list":
        return _listed(tree, scope, hint)
    found: list[Literal | None] = []
    negative = False
    for token in tree.children:
        if token.type == "MINUS":
            negative = True
            continue
        found.append(check_constant(token, scope, hint, negative))
        negative = False
    known = [literal for literal in found if literal is not None]
    return known if len(known) == len(found) else None


def _listed(tree: Tree[Token], scope: Scope, hint: types.ValueType | None) -> list[Literal] | None:
    """Return the literals of a parameter that stands for a whole list."""
    token: Any = tree.children[0].children[0]  # type: ignore[union-attr]
    given = parameter_value(token, scope)
    if given is None:
        return None
    if isinstance(given[0], set | frozenset):
        values = in_order(given[0])
    elif isinstance(given[0], list | tuple):
        values = list(given[0])
    else:
        scope.report(token, f"parameter '{token}' is not a list of values, got {repr_of(given[0])}")
        return None
    if not values:
        scope.report(token, f"parameter '{token}' is an empty list")
        return None
    found = [check_constant(token, scope.giving(str(token)[1:], value), hint) for value in values]
    known = [literal for literal in found if literal is not None]
    return known if len(known) == len(found) else None


def check_state(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `v is missing`, `is known`, `is empty`, each also with `not`."""
    value_tree, state_tree = tree.children
    state = words_of(state_tree)  # type: ignore[arg-type]
    negative = (tree.data == "is_not_state") != (state == "missing")
    presence = check_presence(value_tree, scope) if state != "empty" else None  # type: ignore[arg-type]
    if presence is not None:
        return negated(presence, tree, negative)
    value = check_value(value_tree, scope)  # type: ignore[arg-type]
    if value is None:
        return None
    is_set = value.type.kind == "text_set"
    if is_set != (state == "empty"):
        if is_set:
            scope.report(tree, "a set is never missing: a missing set is the empty set", "ask 'is empty'")
        else:
            hint = "ask 'is missing'" + (', or compare with ""' if value.type.is_text else "")
            scope.report(tree, f"only sets are empty, not {described(value)}", hint)
        return None
    where = span(tree)
    positive = IsEmpty(value, span=where) if is_set else IsMissing(value, span=where)
    return negated(positive, tree, (tree.data == "is_not_state") != (state == "known"))


def check_text_test(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `t contains ...`, `starts with ...`, `ends with ...`."""
    value_tree, test_tree, patterns_tree, *rest = tree.children
    test: Any = words_of(test_tree)  # type: ignore[arg-type]
    value = check_value(value_tree, scope)  # type: ignore[arg-type]
    patterns = _texts(patterns_tree, scope)
    if value is None or patterns is None:
        return None
    if not value.type.is_text:
        hint = "ask 'has'" if value.type.kind == "text_set" else ""
        scope.report(value_tree, f"'{test}' tests text, not {described(value)}", hint)
        return None
    return TextTest(test, value, patterns, bool(rest), span=span(tree))


def check_matches(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `t matches "re"`."""
    value_tree, pattern_tree, *rest = tree.children
    value = check_value(value_tree, scope)  # type: ignore[arg-type]
    patterns = _texts(pattern_tree, scope)
    if value is None or patterns is None:
        return None
    if not value.type.is_text:
        hint = "ask 'has'" if value.type.kind == "text_set" else ""
        scope.report(value_tree, f"'matches' tests text, not {described(value)}", hint)
        return None
    problem = _regex.problem(patterns[0], bool(rest))
    if problem is not None:
        scope.report(pattern_tree, *problem)
        return None
    return Matches(value, patterns[0], bool(rest), span=span(tree))


def check_has(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `s has ...`."""
    value_tree, *middle = tree.children
    quantifier = "any" if tree.data == "has_one" else words_of(middle.pop(0))  # type: ignore[arg-type]
    members_tree, *rest = middle
    value = check_value(value_tree, scope)  # type: ignore[arg-type]
    members = _texts(members_tree, scope)
    if value is None or members is None:
        return None
    if value.type.kind != "text_set":
        hint = "write 'contains' or 'in (...)'" if value.type.is_text else ""
        scope.report(value_tree, f"'has' tests sets, not {described(value)}", hint)
        return None
    which: Any = "all" if quantifier == "all" else "any"
    return negated(SetTest(which, value, members, bool(rest), span=span(tree)), tree, quantifier == "none")


def _texts(tree: Any, scope: Scope) -> tuple[str, ...] | None:
    """Return texts without duplicates, or None after a report."""
    literals = _options(tree, scope, types.text)
    if literals is None:
        return None
    for literal in literals:
        if literal.type.kind != "text":
            scope.report(literal.span or span(tree), f"expected text, not {type_name(literal.type)}")
            return None
    return tuple(dict.fromkeys(literal.value for literal in literals))

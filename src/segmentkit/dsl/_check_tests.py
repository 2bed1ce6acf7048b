"""Conditions on values: comparisons, lists, text, sets, places, and windows of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmentkit import schema as types
from segmentkit.dsl import _literals
from segmentkit.dsl._check_events import check_between_ago, check_stretch, check_zone, words_of, zone_of
from segmentkit.dsl._check_types import comparison_problem, described, type_name
from segmentkit.dsl._check_values import (
    check_amount,
    check_constant,
    check_pair,
    check_value,
    check_values,
    parameter_value,
)
from segmentkit.dsl._scope import Scope, span
from segmentkit.dsl.predicates import (
    Aggregate,
    Between,
    Calendar,
    Compare,
    CompareOperator,
    Duration,
    In,
    InBox,
    InWindow,
    IsEmpty,
    IsMissing,
    IsTrue,
    Literal,
    Not,
    Now,
    Predicate,
    Relative,
    SetTest,
    TextTest,
    Today,
    Value,
    Within,
    children,
)

if TYPE_CHECKING:
    from lark import Token, Tree

__all__ = [
    "check_among",
    "check_between",
    "check_between_ago_test",
    "check_box",
    "check_compare",
    "check_has",
    "check_in_window",
    "check_state",
    "check_text_test",
    "check_within",
]

_OPERATORS: dict[str, CompareOperator] = {
    "=": "=", "!=": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
    "before": "<", "after": ">", "since": ">=", "until": "<=", "on": "=",
}  # fmt: skip
_TIME_WORDS = frozenset({"before", "after", "since", "until", "on"})


def _negated(predicate: Predicate, tree: Tree[Token], negative: bool) -> Predicate:
    return Not(predicate, span=span(tree)) if negative else predicate


def _ignores_case(rest: list[Any], value: Value, scope: Scope) -> bool | None:
    """Return whether `ignoring case` is there, or None after a report that it does not fit."""
    case = next((part for part in rest if part.data == "case"), None)
    if case is None:
        return False
    if value.type.is_text or value.type.kind == "text_set":
        return True
    scope.report(case, f"'ignoring case' goes with text, not with {described(value)}")
    return None


# ------------------------------------------------------------------------ comparisons


def check_compare(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `left operator right`; `b = true` is b."""
    left, comparator, right, *rest = tree.children
    word = words_of(comparator)  # type: ignore[arg-type]
    zone_tree = zone_of(rest)
    zone = check_zone(zone_tree, scope)
    pair = check_pair(left, right, scope)  # type: ignore[arg-type]
    if pair is None:
        return None
    a, b = pair
    problem = comparison_problem(word, a, b) or _time_problem(word, a, b)
    if problem is not None:
        scope.report(_culprit(tree, a, b), *problem)
        return None
    ignoring_case = _ignores_case(rest, a, scope)
    if ignoring_case is None or (zone_tree is not None and zone is None):
        return None
    operator = _OPERATORS[word]
    if ignoring_case and operator != "=":
        scope.report(tree, f"'ignoring case' goes with '=', '!=' and 'in', not with '{word}'")
        return None
    return _negated(_comparison(operator, a, b, ignoring_case, zone, tree), tree, word == "!=")


def _culprit(tree: Tree[Token], a: Value, b: Value) -> tuple[int, int]:
    """Return where to point: at the one literal, otherwise at the whole comparison."""
    if isinstance(b, Literal) != isinstance(a, Literal):
        return span(tree.children[2 if isinstance(b, Literal) else 0])
    return span(tree.children[0])[0], span(tree.children[2])[1]


def _time_problem(word: str, a: Value, b: Value) -> tuple[str, str] | None:
    if word not in _TIME_WORDS:
        return None
    times = ("instant", "date")
    if a.type.kind not in times or b.type.kind not in times:
        return f"'{word}' compares instants and dates, not {described(a)}", "write '=', '<', '<=', '>' or '>='"
    if word == "on" and b.type.kind != "date":
        return "'on' takes a date", "an exact instant is compared with '='"
    return None


def _comparison(
    operator: CompareOperator, a: Value, b: Value, ignoring_case: bool, zone: str | None, tree: Tree[Token]
) -> Predicate:
    if a.type.kind == "boolean":
        for value, other in ((a, b), (b, a)):
            if isinstance(other, Literal) and other.value is True:
                return IsTrue(value, span=span(tree))
    return Compare(operator, a, b, ignoring_case, zone, span=span(tree))


def check_between(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `v between a and b`."""
    trees: list[Any] = list(tree.children[:3])
    zone_tree = zone_of(tree.children[3:])
    zone = check_zone(zone_tree, scope)
    value, low, high = check_values(trees, scope)
    if value is None or low is None or high is None:
        return None
    for bound, place in ((low, trees[1]), (high, trees[2])):
        problem = comparison_problem("between", value, bound)
        if problem is not None:
            scope.report(place, *problem)
            return None
    if zone_tree is not None and zone is None:
        return None
    return Between(value, low, high, zone, span=span(tree))


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
    ignoring_case = _ignores_case(rest, value, scope)
    if ignoring_case is None:
        return None
    unique = tuple({(option.type, option.value): option for option in options}.values())
    return _negated(In(value, unique, ignoring_case, span=span(tree)), tree, tree.data == "not_among")


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
        values = sorted(given[0], key=repr)  # sets have no order, and a tree must not depend on the hash seed
    elif isinstance(given[0], list | tuple):
        values = list(given[0])
    else:
        scope.report(token, f"parameter '{token}' is not a list of values, got {given[0]!r}")
        return None
    if not values:
        scope.report(token, f"parameter '{token}' is an empty list")
        return None
    found = [check_constant(token, scope.giving(str(token)[1:], value), hint) for value in values]
    known = [literal for literal in found if literal is not None]
    return known if len(known) == len(found) else None


# ------------------------------------------------------------------------------ states


def check_state(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `v is missing`, `is known`, `is empty`, each also with `not`."""
    value_tree, state_tree = tree.children
    state = words_of(state_tree)  # type: ignore[arg-type]
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
    return _negated(positive, tree, (tree.data == "is_not_state") != (state == "known"))


# ----------------------------------------------------------------------- text and sets


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
    return _negated(SetTest(which, value, members, bool(rest), span=span(tree)), tree, quantifier == "none")


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


# ------------------------------------------------------------------------------ places


def check_within(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `p within 25 km of (lat, lon)`."""
    value_tree, amount, unit_tree, centre_tree = tree.children
    value = _point(value_tree, scope)
    distance = check_amount(amount, scope, "a distance", fractions=True)  # type: ignore[arg-type]
    centre = _centre(centre_tree, scope)
    if value is None or distance is None or centre is None:
        return None
    unit: Any = words_of(unit_tree)  # type: ignore[arg-type]
    return Within(value, distance, unit, centre, span=span(tree))


def check_box(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `p in box (south, west, north, east)`."""
    value_tree, *sides = tree.children
    value = _point(value_tree, scope)
    south, west, north, east = (
        _coordinate(side, limit, scope) for side, limit in zip(sides, (90, 180, 90, 180), strict=True)
    )
    if value is None or south is None or west is None or north is None or east is None:
        return None
    if south > north:
        scope.report(tree, "the south of the box is north of its north", "write 'in box (south, west, north, east)'")
        return None
    return InBox(value, south, west, north, east, span=span(tree))


def _point(tree: Any, scope: Scope) -> Value | None:
    value = check_value(tree, scope)
    if value is not None and value.type.kind != "point":
        scope.report(tree, f"places are asked of points, not of {described(value)}")
        return None
    return value


def _centre(tree: Any, scope: Scope) -> tuple[float, float] | None:
    if tree.data == "parameter":
        given = parameter_value(tree.children[0], scope)
        try:
            point: tuple[float, float] | None = given and types.point.convert(given[0])
        except ValueError as error:
            scope.report(tree, f"parameter '{tree.children[0]}' does not fit: {error}")
            return None
        return point
    latitude, longitude = (_coordinate(c, limit, scope) for c, limit in zip(tree.children, (90, 180), strict=True))
    return None if latitude is None or longitude is None else (latitude, longitude)


def _coordinate(tree: Any, limit: int, scope: Scope) -> float | None:
    negative = tree.data == "minus"
    literal = check_constant((tree.children[0] if negative else tree).children[0], scope, types.number)
    if literal is None:
        return None
    what = "latitude" if limit == 90 else "longitude"
    if literal.type.kind != "number" or not -limit <= literal.value <= limit:
        swapped = "; the latitude comes first" if limit == 90 else ""
        scope.report(tree, f"a {what} is a number between -{limit} and {limit}{swapped}")
        return None
    return 0.0 - literal.value if negative else float(literal.value)


# ------------------------------------------------------------------------------ windows


def check_in_window(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `i in the last 30 days`, `i more than 40 days ago` and the like."""
    value_tree, stretch, *rest = tree.children
    zone_tree = zone_of(rest)
    zone = check_zone(zone_tree, scope)
    window = check_stretch(stretch, zone, scope)  # type: ignore[arg-type]
    value = check_value(value_tree, scope)  # type: ignore[arg-type]
    return None if zone_tree is not None and zone is None else _in_window(tree, value, window, scope)


def check_between_ago_test(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `i between 30 and 60 days ago`."""
    value_tree, first, second, *rest = tree.children
    zone_tree = zone_of(rest)
    zone = check_zone(zone_tree, scope)
    where = span(first)[0], span(tree)[1]
    window = check_between_ago(first, second, where, zone, scope)  # type: ignore[arg-type]
    value = check_value(value_tree, scope)  # type: ignore[arg-type]
    return None if zone_tree is not None and zone is None else _in_window(tree, value, window, scope)


def _in_window(
    tree: Tree[Token], value: Value | None, window: Relative | Calendar | None, scope: Scope
) -> Predicate | None:
    if value is None or window is None:
        return None
    place = tree.children[0]
    if value.type.kind not in ("instant", "date"):
        scope.report(place, f"a window of time is asked of instants and dates, not of {described(value)}")
        return None
    if _moves_with_now(value):
        hint = "compare directly, such as 'signup > now - 40 days'"
        scope.report(place, "a value that is computed from 'now' or 'today' cannot be asked about a window", hint)
        return None
    if value.type.kind == "date" and isinstance(window, Relative):
        lengths = [length for length in (window.duration, window.second) if length is not None]
        if any(not _is_whole_days(length) for length in lengths):
            scope.report(
                window.span or span(tree), f"{described(value)} is a whole day", "use days, weeks, months or years"
            )
            return None
    return InWindow(value, window, span=span(tree))


def _is_whole_days(length: Duration) -> bool:
    return length.unit in ("day", "week", "month", "year")


def _moves_with_now(value: Value) -> bool:
    """Return whether a value reads the clock by itself, and not only for the window of an aggregate."""
    stack: list[Any] = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, Now | Today):
            return True
        if not isinstance(node, Aggregate):
            stack.extend(children(node))
    return False

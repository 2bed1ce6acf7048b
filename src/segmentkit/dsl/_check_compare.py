"""Comparisons of values, and windows of time that a value lies in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmentkit.dsl._check_members import ignores_case, negated
from segmentkit.dsl._check_types import comparison_problem, described
from segmentkit.dsl._check_values import (
    check_pair,
    check_value,
    check_values,
)
from segmentkit.dsl._check_windows import check_between_ago, check_stretch, check_window, check_zone, zone_of
from segmentkit.dsl._scope import Scope, span, words_of
from segmentkit.dsl.predicates import (
    Aggregate,
    Anniversary,
    Between,
    Calendar,
    Compare,
    CompareOperator,
    Duration,
    InWindow,
    IsTrue,
    Literal,
    Now,
    Predicate,
    RelatedAggregate,
    Relative,
    Today,
    Value,
    Window,
    children,
)

if TYPE_CHECKING:
    from lark import Token, Tree

__all__ = [
    "check_anniversary",
    "check_between",
    "check_between_ago_test",
    "check_compare",
    "check_in_window",
    "moves_with_now",
]

_OPERATORS: dict[str, CompareOperator] = {
    "=": "=", "!=": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
    "before": "<", "after": ">", "since": ">=", "until": "<=", "on": "=",
}  # fmt: skip
_TIME_WORDS = frozenset({"before", "after", "since", "until", "on"})


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
    ignoring_case = ignores_case(rest, a, scope)
    if ignoring_case is None or (zone_tree is not None and zone is None):
        return None
    operator = _OPERATORS[word]
    if ignoring_case and operator != "=":
        scope.report(tree, f"'ignoring case' goes with '=', '!=' and 'in', not with '{word}'")
        return None
    return negated(_comparison(operator, a, b, ignoring_case, zone, tree), tree, word == "!=")


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


def _comparison(  # noqa: PLR0917  # the fields of the node
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


def check_anniversary(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `d anniversary in the next 7 days` and the like."""
    value_tree, window_tree, *rest = tree.children
    zone_tree = zone_of(rest)
    zone = check_zone(zone_tree, scope)
    window: Any = check_window(window_tree, zone, scope)  # type: ignore[arg-type]
    value = check_value(value_tree, scope)  # type: ignore[arg-type]
    if (zone_tree is not None and zone is None) or not _fits_window(tree, value, window, scope):
        return None
    if not _counts_days(window):
        scope.report(window.span, "an anniversary is a whole day", "use days, weeks, months or years")
        return None
    return Anniversary(value, window, span=span(tree))  # type: ignore[arg-type]  # it fits


def _in_window(
    tree: Tree[Token], value: Value | None, window: Relative | Calendar | None, scope: Scope
) -> Predicate | None:
    if value is None or window is None or not _fits_window(tree, value, window, scope):
        return None
    if value.type.kind == "date" and not _counts_days(window):
        where = window.span or span(tree)
        scope.report(where, f"{described(value)} is a whole day", "use days, weeks, months or years")
        return None
    return InWindow(value, window, span=span(tree))


def _fits_window(tree: Tree[Token], value: Value | None, window: Window | None, scope: Scope) -> bool:
    """Return whether a window can be asked of a value, which is reported if not."""
    if value is None or window is None:
        return False
    place = tree.children[0]
    if value.type.kind not in ("instant", "date"):
        scope.report(place, f"a window of time is asked of instants and dates, not of {described(value)}")
        return False
    if moves_with_now(value):
        hint = "compare directly, such as 'signup > now - 40 days'"
        scope.report(place, "a value that is computed from 'now' or 'today' cannot be asked about a window", hint)
        return False
    return True


def _counts_days(window: Relative | Calendar) -> bool:
    lengths = (window.duration, window.second) if isinstance(window, Relative) else ()
    return all(length is None or _is_whole_days(length) for length in lengths)


def _is_whole_days(length: Duration) -> bool:
    return length.unit in ("day", "week", "month", "year")


def moves_with_now(value: Value) -> bool:
    """Return whether a value reads the clock by itself, and not only for the window of an aggregate."""
    stack: list[Any] = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, Now | Today):
            return True
        if not isinstance(node, Aggregate | RelatedAggregate):
            stack.extend(children(node))
    return False

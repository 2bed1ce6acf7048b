"""Ranks: `top 100 by ltv`, `bottom 10% of (active) by score per country with ties`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from segmentkit.dsl._check_compare import moves_with_now
from segmentkit.dsl._check_constants import check_amount
from segmentkit.dsl._check_hops import refuse_inside
from segmentkit.dsl._check_types import described, is_exact_duration
from segmentkit.dsl._check_values import check_value
from segmentkit.dsl._check_windows import check_zone, zone_of
from segmentkit.dsl._scope import Scope, bare, name_of, span
from segmentkit.dsl.predicates import Attribute, Predicate, Rank, Value
from segmentkit.values import text

if TYPE_CHECKING:
    from lark import Token, Tree

__all__ = ["MAX_RANKS", "check_rank"]

MAX_RANKS: Final = 3
"""How deep ranks may stand in each other: each compares everybody, for everybody that the one around it compares."""
_RANKED: Final = frozenset({"integer", "number", "decimal", "instant", "date", "duration"})
_NO_GROUPS: Final = {"text_set": "a set", "point": "a point", "duration": "a length of time"}


def check_rank(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return a rank among all objects of the type in scope."""
    if refuse_inside(tree, scope, "ranks"):
        return None
    if scope.ranks >= MAX_RANKS:
        scope.report(tree, f"ranks stand in each other more than {MAX_RANKS} deep", "make a segment of the inner ones")
        return None
    scope = scope.ranking()
    word, amount, *rest = cast("list[Any]", tree.children)
    zone_tree = zone_of(rest)
    zone = check_zone(zone_tree, scope)
    part = {child.data: child for child in rest}
    (by_tree,) = (child for child in rest if child.data not in _PARTS)
    percent = "percent" in part
    count = _count(amount, percent, scope)
    of = scope.condition(part["among_those"].children[0], scope) if "among_those" in part else None
    by = _by(by_tree, scope)
    per = _per(part["per"].children[0], scope) if "per" in part else None
    failed = ("among_those" in part and of is None) or ("per" in part and per is None)
    if failed or count is None or by is None or (zone_tree is not None and zone is None):
        return None
    direction: Any = str(word).lower()
    return Rank(direction, count, percent, by, per, of, "ties" in part, zone, span=span(tree))


_PARTS: Final = frozenset({"percent", "among_those", "per", "ties", "zone"})


def _count(tree: Tree[Token], percent: bool, scope: Scope) -> Any:
    """Return how many are first, or how many percent, or None after a report."""
    what = "a percentage" if percent else "a number of places"
    count = check_amount(tree, scope, what, fractions=percent)
    if count is None:
        return None
    if not count or (percent and count > 100):
        expected = "more than 0 and at most 100" if percent else "at least 1"
        scope.report(tree, f"{what} is {expected}, got {count}")
        return None
    return count


def _by(tree: Tree[Token], scope: Scope) -> Value | None:
    value = check_value(tree, scope)
    if value is None:
        return None
    if not is_exact_duration(value):
        scope.report(tree, "months and years have no fixed length, and so no rank")
        return None
    if value.type.kind not in _RANKED:
        hint = "groups of equal values are 'per ...'" if value.type.is_text or value.type.kind == "boolean" else ""
        message = f"a rank goes by a number, an instant, a date or a length of time, not by {described(value)}"
        scope.report(tree, message, hint)
        return None
    if moves_with_now(value):
        hint = "rank by what stands still: 'bottom 10 by last_visit' is 'top 10 by now - last_visit'"
        scope.report(tree, "a rank cannot go by a value that is computed from 'now' or 'today'", hint)
        return None
    return value


def _relation_alone(tree: Tree[Token], scope: Scope) -> str | None:
    tree = bare(tree)
    if tree.data != "path" or len(tree.children) != 1:
        return None
    name = name_of(cast("Any", tree.children[0]))
    declared = scope.object_type.relations.get(name)
    return name if declared is not None and declared.cardinality == "one" else None


def _per(tree: Tree[Token], scope: Scope) -> Value | None:
    """Return what groups go by; a to-one relation alone is the id of the object that it leads to."""
    relation = _relation_alone(tree, scope)
    if relation is not None:
        return Attribute(relation, text, span=span(tree))
    value = check_value(tree, scope)
    if value is None:
        return None
    if value.type.kind in _NO_GROUPS:
        scope.report(tree, f"groups have one value of text, number, date or boolean, not {described(value)}")
        return None
    if moves_with_now(value):
        scope.report(tree, "groups cannot go by a value that is computed from 'now' or 'today'")
        return None
    return value

"""Conditions on segments: being in one, and having entered or left one.

Which segments there are is not the business of a schema: whoever knows tells `parse`. Then a
name that nobody defined is an unknown name, and a segment on another type is a type error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from segmentkit.dsl import _literals
from segmentkit.dsl._check_hops import refuse_inside
from segmentkit.dsl._check_windows import check_window, check_zone, zone_of
from segmentkit.dsl._scope import Scope, span
from segmentkit.dsl.predicates import Crossing, InSegment, Predicate

if TYPE_CHECKING:
    from lark import Token, Tree

__all__ = ["check_crossing", "check_in_segment", "check_was_ever"]

_WHAT = "conditions on segments"


def check_in_segment(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `in segment "X"`."""
    if refuse_inside(tree, scope, _WHAT):
        return None
    name = _segment(tree.children[0], scope)
    return None if name is None else InSegment(name, span=span(tree))


def check_was_ever(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `was ever in segment "X"`: to have entered it at some time."""
    if refuse_inside(tree, scope, _WHAT):
        return None
    name = _segment(tree.children[0], scope)
    return None if name is None else Crossing("entered", name, span=span(tree))


def check_crossing(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `entered segment "X"` or `left segment "X"`, with or without a window."""
    if refuse_inside(tree, scope, _WHAT):
        return None
    word, segment, *rest = cast("list[Any]", tree.children)
    zone_tree = zone_of(rest)
    zone = check_zone(zone_tree, scope)
    windows = [part for part in rest if part is not zone_tree]
    window = check_window(windows[0], zone, scope) if windows else None
    name = _segment(segment, scope)
    if zone_tree is not None and not windows:
        scope.report(zone_tree, "a zone belongs to a window", "leave it out")
        return None
    if name is None or (windows and window is None) or (zone_tree is not None and zone is None):
        return None
    direction: Any = str(word).lower()
    return Crossing(direction, name, window, span=span(tree))


def _segment(tree: Any, scope: Scope) -> str | None:
    """Return the name of a segment on the type at hand, or None after a report."""
    token = tree.children[0]
    name, on = _literals.read_text(str(token)), scope.object_type.name
    if scope.segments is None:
        return name
    known = scope.segments.get(name)
    if known is None:
        scope.unknown(token, "segment", name, "", [other for other, type_ in scope.segments.items() if type_ == on])
        return None
    if known != on:
        hint = f"conditions on a '{known}' stand in the brackets of a relation that leads there"
        scope.report(token, f"segment '{name}' is on '{known}', and this is a condition on '{on}'", hint)
        return None
    return name

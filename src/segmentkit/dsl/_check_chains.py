"""Sequences of events: `did a then b within 7 days then not c`, with a window behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmentkit.dsl._check_constants import check_length
from segmentkit.dsl._check_events import check_event, refuse_inside
from segmentkit.dsl._check_windows import check_window, check_zone, zone_of
from segmentkit.dsl._scope import Scope, span
from segmentkit.dsl.predicates import Chain, Not, Predicate, Step

if TYPE_CHECKING:
    from lark import Token, Tree

__all__ = ["check_chain"]


def check_chain(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return a sequence of steps, or with `did not` its negation."""
    if refuse_inside(tree, scope):
        return None
    first, *rest = tree.children
    zone_tree = zone_of(rest)
    zone = check_zone(zone_tree, scope)
    step_trees: list[Any] = [part for part in rest if part.data == "step"]  # type: ignore[union-attr]
    windows: list[Any] = [part for part in rest if part.data not in ("step", "zone")]  # type: ignore[union-attr]
    window = check_window(windows[0], None, scope) if windows else None
    steps = [_first_step(first, scope), *(_step(step, scope) for step in step_trees)]
    known = tuple(step for step in steps if step is not None)
    early = [step for step in step_trees[:-1] if _is_absent(step)]
    for step in early:
        hint = "ask for two sequences and join them with 'and'"
        scope.report(step.children[0], "only the last step of a sequence can be one that did not happen", hint)
    if early or len(known) < len(steps) or (windows and window is None) or (zone_tree is not None and zone is None):
        return None
    chain = Chain(known, _is_absent(step_trees[-1]), window, zone, span=span(tree))
    return Not(chain, span=span(tree)) if tree.data == "sequence_not" else chain


def _is_absent(step: Tree[Token]) -> bool:
    return getattr(step.children[0], "type", "") == "NOT"


def _first_step(event: Any, scope: Scope) -> Step | None:
    found = check_event(event, None, scope)
    return None if found is None else Step(found[0])


def _step(tree: Tree[Token], scope: Scope) -> Step | None:
    parts: list[Any] = tree.children[1:] if _is_absent(tree) else tree.children[:]
    found = check_event(parts[0], None, scope)
    within = check_length(parts[1], scope) if len(parts) > 1 else None
    return None if found is None or (len(parts) > 1 and within is None) else Step(found[0], within)

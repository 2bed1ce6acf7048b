"""Conditions that always or never hold, exclude each other, or say what others say already.

Each is reported where it is narrowest: a conjunction of conditions that exclude each other
names a smallest set of them, and what is reported of a part is not repeated for the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from segmentkit.dsl.predicates import (
    And,
    AtLeast,
    Constant,
    Events,
    InWindow,
    IsMissing,
    Node,
    Not,
    OneRelated,
    Or,
    Predicate,
    Rank,
    Related,
    children,
)
from segmentkit.linting._finding import Notes
from segmentkit.linting._solve import Solver

__all__ = ["TruthWalk"]

_MOST_BESIDE: Final = 100
"""Conditions of a conjunction that the alternatives beside them are compared with; of more, none are."""


class TruthWalk:
    """Walks the connectives of a filter, its parts before the whole."""

    def __init__(self, solver: Solver, notes: Notes, object_type: str, zone: str | None = None) -> None:
        self._solver = solver
        self._notes = notes
        self._object_type = object_type
        self._zone = zone

    def _excludes(self, *signed: tuple[Predicate, bool]) -> bool:
        return self._solver.excludes(*signed, zone=self._zone)

    def walk(self, root: Predicate) -> bool | None:
        """Note what there is to say about the truth of the filter and its parts; return it if it is always the same."""
        before = len(self._notes.findings)
        truth = self._visit(root, ())
        said = {finding.code for finding in self._notes.findings[before:]}
        if truth is None or isinstance(root, Constant):
            return truth
        consequence = f"so {'every' if truth else 'no'} {self._object_type} passes the filter"
        if not said & {"always-true", "always-false", "contradiction"}:
            self._note_whole(root, truth)
        elif len(self._notes.findings) == before + 1:
            self._amend(consequence)
        elif isinstance(root, And | Or):
            self._notes.add(
                "always-true" if truth else "always-false", root, f"the filter {_holds(truth)}", consequence
            )
        return truth

    def _note_whole(self, root: Predicate, truth: bool) -> None:
        message = f"every {self._object_type} passes" if truth else f"no {self._object_type} can pass"
        self._notes.add("always-true" if truth else "always-false", root, message)

    def _amend(self, consequence: str) -> None:
        last = self._notes.findings[-1]
        reason = f"{last.reason}; {consequence}" if last.reason else consequence
        self._notes.findings[-1] = attrs.evolve(last, reason=reason)

    # -------------------------------------------------------------------------- nodes

    def _visit(self, node: Predicate, context: tuple[Predicate, ...]) -> bool | None:
        """Note what there is to say about a node; return its truth if it is always the same.

        `context` holds wherever the node matters.
        """
        match node:
            case Constant(value):
                return value
            case And(items) | Or(items):
                return self._junction(node, items, context)
            case Not(And() | Or() | Not() | AtLeast() as inner):
                truth = self._visit(inner, ())
                return None if truth is None else not truth
            case AtLeast(_, items):
                for counted in items:
                    self._visit(counted, ())
                return self._truth(node)
            case _:
                said = len(self._notes.findings)
                for where, zone in brackets(node):
                    TruthWalk(self._solver, self._notes, "", zone or self._zone)._visit(where, ())
                truth = self._truth(node)
                if truth is not None and len(self._notes.findings) == said:
                    self._note_single(node, truth)
                return truth

    def _truth(self, node: Predicate) -> bool | None:
        if self._excludes((node, True)):
            return False
        return True if self._excludes((node, False)) else None

    def _note_single(self, node: Predicate, truth: bool) -> None:
        self._notes.add("always-true" if truth else "always-false", node, f"{self._notes.quote(node)} {_holds(truth)}")

    # ------------------------------------------------------------------------ junctions

    def _junction(self, node: And | Or, items: Sequence[Predicate], context: tuple[Predicate, ...]) -> bool | None:
        """Look at a conjunction (or, with all signs turned, a disjunction)."""
        conjoined = isinstance(node, And)
        truths = []
        beside = [item for item in items if not isinstance(item, Or)] if conjoined else []
        for item in items:
            around = (*context, *(o for o in beside if o is not item)) if len(beside) <= _MOST_BESIDE else context
            truths.append(self._visit(item, around if isinstance(item, And | Or) else ()))
        if any(truth is not conjoined and truth is not None for truth in truths):
            return not conjoined
        open_items = [item for item, truth in zip(items, truths, strict=True) if truth is None]
        if not open_items:
            return conjoined
        if self._clash(open_items, conjoined):
            self._note_clash(self._smallest_clash(open_items, conjoined), conjoined)
            return not conjoined
        kept = self._note_redundant(open_items, conjoined)
        if not conjoined and context:
            self._note_dead(kept, context)
        return None

    def _clash(self, items: Sequence[Predicate], conjoined: bool) -> bool:
        """Return whether items can never all hold (or, for a disjunction, never all fail)."""
        return self._excludes(*((item, conjoined) for item in items))

    def _smallest_clash(self, items: Sequence[Predicate], conjoined: bool) -> list[Predicate]:
        kept = list(items)
        for item in reversed(items):
            fewer = [other for other in kept if other is not item]
            if fewer and self._clash(fewer, conjoined):
                kept = fewer
        return kept

    def _note_clash(self, items: Sequence[Predicate], conjoined: bool) -> None:
        *others, last = items
        listed = _listed([self._notes.quote(other) for other in others])
        quoted = self._notes.quote(last)
        if not others:
            self._note_single(last, not conjoined)
        elif conjoined:
            self._notes.add("contradiction", last, f"{quoted} never holds together with {listed}")
        else:
            reason = "join them with 'and' if both are meant" if any(isinstance(i, Not) for i in items) else ""
            self._notes.add("always-true", last, f"{quoted} holds wherever {listed} {_does(others)} not", reason)

    def _note_redundant(self, items: list[Predicate], conjoined: bool) -> list[Predicate]:
        """Note items that the others imply (or that imply one of the others); return those that count."""
        kept = list(items)
        for item in reversed(items):
            if self._solver.steps <= 0:
                break
            others = [other for other in kept if other is not item]
            signed = [(other, conjoined) for other in others]
            if others and not _speaks_of_missing(item) and self._excludes(*signed, (item, not conjoined)):
                kept = others
                self._note_implied(item, self._smallest_cause(others, item, conjoined), conjoined)
        return kept

    def _smallest_cause(self, others: list[Predicate], item: Predicate, conjoined: bool) -> list[Predicate]:
        kept = list(others)
        for other in reversed(others):
            fewer = [cause for cause in kept if cause is not other]
            if fewer and self._excludes(*((cause, conjoined) for cause in fewer), (item, not conjoined)):
                kept = fewer
        return kept

    def _note_implied(self, item: Predicate, causes: Sequence[Predicate], conjoined: bool) -> None:
        quoted, listed = self._notes.quote(item), _listed([self._notes.quote(cause) for cause in causes])
        if causes == [item]:
            message, reason = f"{quoted} stands here twice", "leave one out"
        elif conjoined:
            message, reason = f"{quoted} holds wherever {listed} {_does(causes)}", "it can be left out"
        else:
            message, reason = f"{quoted} adds nothing to {listed}", f"whatever passes it passes {listed} too"
        self._notes.add("redundant", item, message, reason)

    def _note_dead(self, items: Sequence[Predicate], context: Sequence[Predicate]) -> None:
        """Note alternatives that can never hold where the conditions around them do."""
        for item in items:
            if len(items) > 1 and self._excludes((item, True), *((other, True) for other in context)):
                causes = [other for other in context if self._excludes((item, True), (other, True))][:1] or context
                listed = _listed([self._notes.quote(cause) for cause in causes])
                message = f"{self._notes.quote(item)} never holds together with {listed}"
                self._notes.add("contradiction", item, message, "this alternative can be left out")


def brackets(condition: Predicate) -> Iterator[tuple[Predicate, str | None]]:
    """Yield the filters in the brackets of a condition, each with the zone that the condition names for it."""
    stack: list[tuple[Node, str | None]] = [(condition, None)]
    while stack:
        node, zone = stack.pop()
        match node:
            case Events(_, where, window):
                if where is not None:
                    yield where, (None if window is None else window.zone) or zone
            case Related(_, where):
                if where is not None:
                    yield where, zone
            case OneRelated(_, where):
                if not isinstance(where, Constant):
                    yield where, zone
            case Rank():
                continue
            case InWindow(_, window):
                stack += [(child, window.zone or zone) for child in children(node)]
            case _:
                stack += [(child, getattr(node, "zone", None) or zone) for child in children(node)]


def _speaks_of_missing(condition: Predicate) -> bool:
    """Return whether a condition is `is missing` or `is known`: whoever adds that says what is meant."""
    return isinstance(condition.item if isinstance(condition, Not) else condition, IsMissing)


def _does(causes: Sequence[Predicate]) -> str:
    return "does" if len(causes) == 1 else "do"


def _holds(truth: bool) -> str:
    return "always holds" if truth else "can never hold"


def _listed(quoted: Sequence[str]) -> str:
    if len(quoted) > 3:
        return f"{', '.join(quoted[:3])} and {len(quoted) - 3} more"
    return " and ".join(part for part in (", ".join(quoted[:-1]), quoted[-1]) if part) if quoted else ""

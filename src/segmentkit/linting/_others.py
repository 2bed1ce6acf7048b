"""A filter against existing segments: the same members, fewer, or more."""

from __future__ import annotations

from collections.abc import Mapping

from segmentkit.dsl._literals import write_text
from segmentkit.dsl._scan import shown
from segmentkit.dsl.predicates import InSegment, Predicate
from segmentkit.linting._finding import Notes
from segmentkit.linting._solve import Solver

__all__ = ["note_others"]


def note_others(
    tree: Predicate, segments: Mapping[str, Predicate], solver: Solver, notes: Notes, object_type: str
) -> None:
    """Note the segments that hold, or are held by, the filter; those that hold none or all are not compared."""
    for name, other in segments.items():
        if tree == InSegment(name) or _is_settled(other, solver):
            continue
        inside, around = solver.excludes((tree, True), (other, False)), solver.excludes((other, True), (tree, False))
        quoted = shown(name)
        if inside and around:
            reason = f"use it instead: in segment {write_text(name)}"
            notes.add("same-as-segment", tree, f"segment {quoted} has the same members", reason, segment=name)
        elif inside:
            message = f"every {object_type} that passes is in segment {quoted} too"
            notes.add("within-segment", tree, message, "", "hint", name)
        elif around:
            message = f"everything in segment {quoted} passes this filter too"
            notes.add("holds-segment", tree, message, "", "hint", name)


def _is_settled(tree: Predicate, solver: Solver) -> bool:
    return solver.excludes((tree, True)) or solver.excludes((tree, False))

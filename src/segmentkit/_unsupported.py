"""What the language can say and the engine cannot keep up to date yet, in one place."""

from __future__ import annotations

from segmentkit.dsl.predicates import (
    AnyRelated,
    Crossing,
    InSegment,
    OneRelated,
    Path,
    Predicate,
    Rank,
    RelatedAggregate,
    iter_nodes,
)

__all__ = ["unsupported"]


def unsupported(tree: Predicate) -> str | None:
    """Return what the engine cannot keep up to date of a filter, such as "ranks", or None if it can."""
    for node in iter_nodes(tree):
        match node:
            case Path() | OneRelated() | AnyRelated() | RelatedAggregate():
                return "conditions on related objects"
            case InSegment() | Crossing():
                return "conditions on segments"
            case Rank():
                return "ranks"
            case _:
                continue
    return None

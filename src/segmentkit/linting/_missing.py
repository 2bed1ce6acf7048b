"""Missing values that a filter takes in, or leaves out, without saying so.

`country != "PL"` holds for objects without a country, because `not F` is everyone else.
`last_visit more than 40 days ago` leaves those out that never visited. Both are wanted at
times, so they are hints, and none where the filter says what it means: `country is known`
beside it, or `or last_visit is missing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from segmentkit.dsl.predicates import (
    Aggregate,
    And,
    Anniversary,
    Attribute,
    Between,
    Compare,
    In,
    InBox,
    InPolygon,
    InWindow,
    IsMissing,
    IsTrue,
    Literal,
    Matches,
    Not,
    Now,
    Or,
    Path,
    Predicate,
    Relative,
    TextTest,
    Today,
    Value,
    Within,
    iter_nodes,
)
from segmentkit.linting._domains import can_be_missing
from segmentkit.linting._finding import Notes
from segmentkit.linting._solve import Solver

__all__ = ["note_missing"]

Signed: TypeAlias = tuple[Predicate, bool]

_MOST_BESIDE: Final = 100
"""Conditions that are joined and looked at together; of more, nothing is said about missing values."""


def note_missing(root: Predicate, solver: Solver, notes: Notes) -> None:
    """Note, once for each value, where missing values pass or fail without being spoken of."""
    negated: set[Value] = set()
    never: set[Value] = set()
    for node, condition, positive, context in _conditions(root):
        value = _asked_of(condition)
        if value is None or not can_be_missing(value):
            continue
        if not positive and value not in negated and _passes(solver, value, (*context, (condition, False))):
            negated.add(value)
            _note_negation(node, value, notes)
        elif positive and value not in never and _is_past(condition) and _passes(solver, value, context):
            never.add(value)
            _note_never(node, value, notes)


def _passes(solver: Solver, value: Value, context: tuple[Signed, ...]) -> bool:
    """Return whether an object without the value may meet all these conditions."""
    return not solver.excludes(*context, (IsMissing(value), True))


def _conditions(root: Predicate) -> Iterator[tuple[Predicate, Predicate, bool, tuple[Signed, ...]]]:
    """Yield each condition with where to point, its sign, and what surely holds where it matters.

    Beside a condition that counts stand others that hold (in a conjunction) or do not (in a disjunction).
    """
    stack: list[tuple[Predicate, Predicate, bool, tuple[Signed, ...]]] = [(root, root, True, ())]
    while stack:
        place, node, positive, context = stack.pop()
        match node:
            case Not(item):
                outer = node if not isinstance(place, Not) else place
                stack.append((outer, item, not positive, context))
            case And(items) | Or(items) if len(items) <= _MOST_BESIDE:
                holds = isinstance(node, And)
                for item in reversed(items):
                    beside = tuple((other, holds) for other in items if other is not item)
                    stack.append((item, item, positive, (*context, *beside)))
            case And() | Or():
                continue
            case _:
                yield place, node, positive, context


def _asked_of(condition: Predicate) -> Value | None:
    """Return the attribute, path or aggregate that a condition is about."""
    match condition:
        case Compare(_, left, right):
            named = [side for side in (left, right) if isinstance(side, Attribute | Path | Aggregate)]
            return named[0] if len(named) == 1 else None
        case (
            Between(value) | In(value) | IsTrue(value) | TextTest(_, value) | Within(value) | InBox(value)
            | InWindow(value) | Matches(value) | InPolygon(value) | Anniversary(value)
        ):  # fmt: skip
            return value if isinstance(value, Attribute | Path | Aggregate) else None
        case _:
            return None


def _is_past(condition: Predicate) -> bool:
    """Return whether a condition asks for a time that is longer ago than something."""
    match condition:
        case InWindow(_, Relative("more than ago" | "at least ago")):
            return True
        case Compare("<" | "<=", Attribute() | Path() | Aggregate(), right):
            return any(isinstance(node, Now | Today) for node in iter_nodes(right)) and not isinstance(right, Literal)
        case _:
            return False


def _note_negation(node: Predicate, value: Value, notes: Notes) -> None:
    name = _name(value, notes)
    notes.add(
        "negation-lets-missing-in",
        node,
        f"{notes.quote(node)} also holds where {name} is missing",
        f"add 'and {name} is known' to leave these out, or 'or {name} is missing' to say that they are meant",
        "hint",
    )


def _note_never(node: Predicate, value: Value, notes: Notes) -> None:
    name = _name(value, notes)
    notes.add(
        "never-is-left-out",
        node,
        f"{notes.quote(node)} does not hold where {name} is missing, that is, where it never happened",
        f"add 'or {name} is missing' to let these in, or 'and {name} is known' to say that they are out",
        "hint",
    )


def _name(value: Value, notes: Notes) -> str:
    start, end = notes.span(value)
    return " ".join(notes.source[start:end].split())

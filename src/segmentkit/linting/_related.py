"""Conditions on the one related object, said with paths: `company[size > 50]` is `company.size > 50`.

So that what stands inside the brackets, and what other conditions ask of the same object over
paths, are told together. What has no such form stays in brackets of its own.
"""

from __future__ import annotations

from typing import Any

import attrs

from segmentkit.dsl.predicates import (
    Aggregate,
    And,
    Anniversary,
    Arithmetic,
    AtLeast,
    Attribute,
    Between,
    Call,
    Compare,
    Constant,
    In,
    InBox,
    InPolygon,
    InWindow,
    IsEmpty,
    IsMissing,
    IsTrue,
    Literal,
    Matches,
    Negate,
    Not,
    Now,
    OneRelated,
    Or,
    Path,
    Predicate,
    RelatedAggregate,
    SetTest,
    TextTest,
    Today,
    Value,
    Within,
)

__all__ = ["rebased"]


def rebased(relation: str, where: Predicate) -> Predicate | None:
    """Return a filter of the related object as one of the object it is related to, given that it is there.

    None: there is no other form than the brackets.
    """
    match where:
        case Constant():
            return where
        case Not(item):
            return Not(_inside(relation, item))
        case And(items) | Or(items):
            return attrs.evolve(where, items=tuple(_inside(relation, item) for item in items))
        case AtLeast(count, items):
            return AtLeast(count, tuple(_inside(relation, item) for item in items))
        case OneRelated():
            return None
        case _:
            return _condition(relation, where)


def _inside(relation: str, where: Predicate) -> Predicate:
    found = rebased(relation, where)
    return OneRelated(relation, where) if found is None else found


def _condition(relation: str, where: Predicate) -> Predicate | None:
    """Return a condition with its values reached over the relation."""
    match where:
        case Compare(_, left, right):
            sides: Any = _value(relation, left), _value(relation, right)
            return None if None in sides else attrs.evolve(where, left=sides[0], right=sides[1])
        case Between(value, low, high):
            three: Any = [_value(relation, part) for part in (value, low, high)]
            return None if None in three else Between(three[0], three[1], three[2], where.zone)
        case (
            In(value) | IsMissing(value) | IsTrue(value) | TextTest(_, value) | SetTest(_, value) | IsEmpty(value)
            | Within(value) | InBox(value) | InWindow(value) | Matches(value) | InPolygon(value) | Anniversary(value)
        ):  # fmt: skip
            reached = _value(relation, value)
            return None if reached is None else attrs.evolve(where, value=reached)
        case _:
            return None


def _value(relation: str, value: Value) -> Value | None:
    match value:
        case Literal() | Now() | Today():
            return value
        case Attribute() | Path() | Aggregate() | RelatedAggregate():
            return Path(relation, value)
        case Arithmetic(_, left, right):
            sides: Any = _value(relation, left), _value(relation, right)
            return None if None in sides else attrs.evolve(value, left=sides[0], right=sides[1])
        case Negate(operand):
            inner = _value(relation, operand)
            return None if inner is None else Negate(inner)
        case Call(_, arguments):
            found: Any = [_value(relation, argument) for argument in arguments]
            return None if None in found else attrs.evolve(value, arguments=tuple(found))
        case _:
            return None

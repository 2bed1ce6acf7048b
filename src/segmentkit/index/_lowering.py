"""Filters over several objects, said with hidden segments.

What a bracket asks of another object is a segment of that object's type, and so is a rank of its own
type; the filter then only asks for membership. So nesting is the one mechanism for all of them: what a
company's change means for its contacts is known once the company has entered or left the hidden segment.

    company[industry = "SaaS" and size > 50]   ->  company[in segment H],  H on company
    company.industry = "SaaS"                  ->  the same with the bracket [industry = "SaaS"]
    any deals[stage = "open"]                  ->  any deals[in segment H],  H on deal
    top 10 by ltv, inside a longer filter      ->  in segment H,  H is the rank

What cannot be said so (`company.founded < signup`) stays, and is evaluated as it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import attrs

from segmentkit.dsl.predicates import (
    And,
    Anniversary,
    AnyRelated,
    Arithmetic,
    AtLeast,
    Between,
    Call,
    Compare,
    Constant,
    In,
    InBox,
    InPolygon,
    InSegment,
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
    Rank,
    Related,
    RelatedAggregate,
    SetTest,
    TextTest,
    Today,
    Value,
    Within,
)
from segmentkit.schema import Schema

Hide: TypeAlias = Callable[[str, Predicate], str]
"""Returns the name of the hidden segment on a type with a filter, which is lowered already."""


def lower(tree: Predicate, object_type: str, schema: Schema, hide: Hide) -> Predicate:
    """Return a filter that means the same, as long as hidden segments hold whom they should.

    `hide` is called for inner filters before those that refer to them.
    """
    return _Lowering(schema, hide).predicate(tree, object_type)


class _Lowering:
    def __init__(self, schema: Schema, hide: Hide) -> None:
        self._schema = schema
        self._hide = hide

    def _target(self, object_type: str, relation: str) -> str:
        return self._schema.type(object_type).relations[relation].target

    def predicate(self, node: Predicate, on: str) -> Predicate:
        match node:
            case And(items):
                return And(tuple(self.predicate(item, on) for item in items))
            case Or(items):
                return Or(tuple(self.predicate(item, on) for item in items))
            case AtLeast(count, items):
                return AtLeast(count, tuple(self.predicate(item, on) for item in items))
            case Not(item):
                return Not(self.predicate(item, on))
            case OneRelated(relation, where):
                bracket = self._bracket(where, self._target(on, relation))
                return bracket if bracket == Constant(False) else OneRelated(relation, bracket)
            case AnyRelated(related):
                return AnyRelated(self._related(related, on))
            case Rank():
                return InSegment(self._hide(on, self._rank(node, on)))
            case _:
                asked = _asked_of_one(node)
                if asked is not None:
                    return self.predicate(OneRelated(*asked), on)
                return self._values_in(node, on)

    def _bracket(self, where: Predicate, on: str) -> Predicate:
        """Return a filter in brackets as membership in a segment."""
        lowered = self.predicate(where, on)
        if isinstance(lowered, Constant | InSegment):
            return lowered
        return InSegment(self._hide(on, lowered))

    def _related(self, related: Related, on: str) -> Related:
        if related.where is None:
            return related
        return Related(related.relation, self._bracket(related.where, self._target(on, related.relation)))

    def _rank(self, rank: Rank, on: str) -> Rank:
        if rank.zone is not None:
            return rank
        per = None if rank.per is None else self.value(rank.per, on)
        of = None if rank.of is None else self._bracket(rank.of, on)
        return attrs.evolve(rank, by=self.value(rank.by, on), per=per, of=of)

    def _values_in(self, node: Predicate, on: str) -> Predicate:
        """Return a condition with the values in it lowered, unless they are meant in a zone of their own."""
        if _zone_of(node) is not None:
            return node
        match node:
            case Compare(_, left, right):
                return attrs.evolve(node, left=self.value(left, on), right=self.value(right, on))
            case Between(value, low, high):
                return attrs.evolve(
                    node, value=self.value(value, on), low=self.value(low, on), high=self.value(high, on)
                )
            case In(value) | IsMissing(value) | IsTrue(value) | IsEmpty(value) | InWindow(value) | Anniversary(value):
                return attrs.evolve(node, value=self.value(value, on))
            case (
                TextTest(_, value)
                | SetTest(_, value)
                | Matches(value)
                | Within(value)
                | InBox(value)
                | InPolygon(value)
            ):
                return attrs.evolve(node, value=self.value(value, on))
            case _:
                return node

    def value(self, node: Value, on: str) -> Any:
        """Return a value in which the brackets of related objects are memberships."""
        match node:
            case Path(relation, value):
                return attrs.evolve(node, value=self.value(value, self._target(on, relation)))
            case RelatedAggregate(_, related, value):
                target = self._target(on, related.relation)
                taken = None if value is None else self.value(value, target)
                return attrs.evolve(node, related=self._related(related, on), value=taken)
            case Arithmetic(_, left, right):
                return attrs.evolve(node, left=self.value(left, on), right=self.value(right, on))
            case Negate(operand):
                return attrs.evolve(node, operand=self.value(operand, on))
            case Call(_, arguments):
                return attrs.evolve(node, arguments=tuple(self.value(argument, on) for argument in arguments))
            case _:
                return node


def _zone_of(node: Predicate) -> str | None:
    zone: str | None = getattr(node, "zone", None) or getattr(getattr(node, "window", None), "zone", None)
    return zone


def _asked_of_one(node: Predicate) -> tuple[str, Predicate] | None:
    """Return (relation, condition of the other object) if a condition asks nothing but a path's end, which is there."""
    match node:
        case Compare(_, Path(relation, value), Literal() | Now() | Today()):
            return relation, attrs.evolve(node, left=value)
        case Between(Path(relation, value), Literal() | Now() | Today(), Literal() | Now() | Today()):
            return relation, attrs.evolve(node, value=value)
        case In(Path(relation, value)) | IsTrue(Path(relation, value)) | InWindow(Path(relation, value)):
            return relation, attrs.evolve(node, value=value)
        case (
            TextTest(_, Path(relation, value)) | Matches(Path(relation, value)) | SetTest("any", Path(relation, value))
        ):
            return relation, attrs.evolve(node, value=value)
        case Within(Path(relation, value)) | InBox(Path(relation, value)) | InPolygon(Path(relation, value)):
            return relation, attrs.evolve(node, value=value)
        case Anniversary(Path(relation, value)):
            return relation, attrs.evolve(node, value=value)
        case _:
            return None

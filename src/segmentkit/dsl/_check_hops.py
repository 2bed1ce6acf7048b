"""From one object to the next: names that are to-one relations, and what is said of the object they lead to.

`contact.company.size` on a deal is a value of the contact's company. `follow` goes along the names
and gives the scope there; `along` and `along_condition` wrap what was found there in one node for each step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from segmentkit.dsl._literals import quote_name
from segmentkit.dsl._scope import Scope, name_of
from segmentkit.dsl.predicates import (
    Aggregate,
    Attribute,
    OneRelated,
    Path,
    Predicate,
    RelatedAggregate,
    Span,
)
from segmentkit.schema import ObjectType, Relation

if TYPE_CHECKING:
    from lark import Token, Tree

__all__ = [
    "along",
    "along_condition",
    "count_steps",
    "follow",
    "how_to_reach",
    "no_value",
    "refuse_inside",
    "relation_of",
    "unknown_relation",
    "written",
]


def written(names: Sequence[Tree[Token]]) -> str:
    """Return names as filters spell a path of them."""
    return ".".join(quote_name(name_of(name)) for name in names)


def relation_of(name: Tree[Token], scope: Scope) -> Relation | None:
    """Return the relation that a name is, or None if it is none."""
    return scope.object_type.relations.get(name_of(name))


def count_steps(names: Sequence[Tree[Token]], scope: Scope) -> int:
    """Return how many of the names, from the first on, are to-one relations."""
    for position, name in enumerate(names):
        relation = relation_of(name, scope)
        if relation is None or relation.cardinality != "one":
            return position
        scope = scope.at(relation.target)
    return len(names)


def follow(names: Sequence[Tree[Token]], scope: Scope) -> tuple[list[str], Scope] | None:
    """Return the relations that the names are, all of them to-one, and the scope there; or None after a report."""
    steps: list[str] = []
    for name in names:
        relation = relation_of(name, scope)
        if relation is None:
            unknown_relation(name, scope)
            return None
        if relation.cardinality == "many":
            scope.report(name, f"'{written([name])}' leads to many objects", how_to_reach(name_of(name), scope, steps))
            return None
        steps.append(name_of(name))
        scope = scope.at(relation.target)
    return steps, scope


def unknown_relation(tree: Tree[Token], scope: Scope) -> None:
    """Note that a name is no relation."""
    name, owner = name_of(tree), scope.object_type
    if name in owner.attributes:
        scope.report(tree, f"'{name}' is an attribute of '{owner.name}' and leads to no other object")
    elif name in owner.events:
        hint = f"write 'did {quote_name(name)}[...]' or 'count({quote_name(name)})'"
        scope.report(tree, f"'{name}' is an event of '{owner.name}' and leads to no other object", hint)
    else:
        scope.unknown(tree, "relation", name, f"'{owner.name}'", owner.relations)


def no_value(tree: Any, name: str, scope: Scope) -> None:
    """Note that a relation stands where a value is expected."""
    which = "one related object" if scope.object_type.relations[name].cardinality == "one" else "many related objects"
    scope.report(tree, f"'{name}' stands for {which} and is no value", how_to_reach(name, scope))


def how_to_reach(name: str, scope: Scope, steps: Sequence[str] = ()) -> str:
    """Return what may be written about a relation of the object that the steps lead to."""
    relation = scope.object_type.relations[name]
    spelled, target = ".".join(map(quote_name, [*steps, name])), scope.schema.type(relation.target)
    if relation.cardinality == "one":
        return f"write '{spelled}{_example(target)}', '{spelled}[...]' or '{spelled} is known'"
    number = next((n for n, value_type in target.attributes.items() if value_type.is_numeric), None)
    total = "" if number is None else f" or 'sum({spelled}.{quote_name(number)})'"
    return f"write 'any {spelled}[...]'{',' if total else ' or'} 'count({spelled})'{total}"


def _example(target: ObjectType) -> str:
    return "." + quote_name(next(iter(target.attributes), "..."))


def refuse_inside(tree: Tree[Token], scope: Scope, what: str) -> bool:
    """Report a condition that cannot stand in the brackets of an event; return whether it does."""
    if scope.event is not None:
        scope.report(tree, f"{what} cannot stand inside the brackets of an event", "join two conditions")
    return scope.event is not None


def along(
    steps: Sequence[str], value: Attribute | Path | Aggregate | RelatedAggregate, where: Span
) -> Attribute | Path | Aggregate | RelatedAggregate:
    """Return a value of the object at the end of the steps as a value of the one at their beginning."""
    for step in reversed(steps):
        value = Path(step, value, span=where)
    return value


def along_condition(steps: Sequence[str], predicate: Predicate, where: Span) -> Predicate:
    """Return a condition on the object at the end of the steps as one on the object at their beginning."""
    for step in reversed(steps):
        predicate = OneRelated(step, predicate, span=where)
    return predicate

"""Conditions on related objects, and aggregates over them.

What stands in brackets behind a relation is a filter of the related object's type. `no` and `all`
become `Not` of `any`: all of the deals pass F when there is none that does not. Steps before the last
relation are brackets of their own: `any company.deals[F]` is `company[any deals[F]]`, so that
`no company.deals` holds for whoever has no company.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from segmentkit.dsl._check_hops import (
    along,
    along_condition,
    count_steps,
    follow,
    how_to_reach,
    refuse_inside,
    relation_of,
    unknown_relation,
    written,
)
from segmentkit.dsl._check_types import RELATED_AGGREGATES, aggregate_type, described
from segmentkit.dsl._check_values import check_value
from segmentkit.dsl._scope import Scope, bare, either, name_of, span
from segmentkit.dsl.predicates import (
    Aggregate,
    AnyRelated,
    Attribute,
    Constant,
    Not,
    OneRelated,
    Path,
    Predicate,
    Related,
    RelatedAggregate,
    Value,
)

if TYPE_CHECKING:
    from lark import Token, Tree

__all__ = ["check_filtered", "check_presence", "check_related", "check_related_aggregate", "is_related"]

_WHAT = "conditions on related objects"
_Reached: TypeAlias = Attribute | Path | Aggregate | RelatedAggregate


# ------------------------------------------------------------------------- conditions


def check_related(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `any deals[...]`, `no deals[...]` or `all deals[...]`."""
    if refuse_inside(tree, scope, _WHAT):
        return None
    word, path, *brackets = cast("list[Any]", tree.children)
    quantity, names = str(word).lower(), path.children
    found = follow(names[:-1], scope)
    if found is None:
        return None
    steps, there = found
    last, name = names[-1], name_of(names[-1])
    relation = relation_of(last, there)
    if relation is None:
        unknown_relation(last, there)
        return None
    if relation.cardinality == "one":
        scope.report(tree, f"'{name}' leads to one object, not to many", how_to_reach(name, there, steps))
        return None
    if quantity == "all" and not brackets:
        scope.report(tree, f"'all {name}' does not say what holds for them", f"write 'all {written(names)}[...]'")
        return None
    where = span(tree)
    inner = scope.condition(brackets[0], there.at(relation.target)) if brackets else None
    if brackets and inner is None:
        return None
    if quantity == "all" and inner is not None:
        inner = Not(inner, span=inner.span)
    some = AnyRelated(Related(name, inner, span=(path.meta.start_pos, where[1])), span=where)
    positive = along_condition(steps, some, where)
    return positive if quantity == "any" else Not(positive, span=where)


def check_filtered(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return `company[...]`, the condition on the object that to-one relations lead to."""
    path, inner, *tail = cast("list[Any]", tree.children)
    names = path.children
    if tail or relation_of(names[0], scope) is None or scope.event is not None:
        if tail or not refuse_inside(tree, scope, _WHAT):
            check_value(tree, scope)  # which says what is wrong
        return None
    found = follow(names, scope)
    if found is None:
        return None
    steps, there = found
    condition = scope.condition(inner, there)
    return None if condition is None else along_condition(steps, condition, span(tree))


def check_presence(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return "there is such an object" for a value that is only to-one relations, and None for all others."""
    tree = bare(tree)
    if tree.data != "path" or scope.event is not None:
        return None
    names: list[Any] = list(tree.children)
    if count_steps(names, scope) < len(names):
        return None
    *steps, last = (name_of(name) for name in names)
    where = span(tree)
    return along_condition(steps, OneRelated(last, Constant(value=True, span=where), span=where), where)


# ------------------------------------------------------------------------- aggregates


def _names(operand: Tree[Token]) -> list[Any]:
    """Return the names with which an operand begins: before its brackets, or before a function."""
    match operand.data:
        case "path":
            return list(operand.children)
        case "filtered":
            path: Any = operand.children[0]
            return list(path.children)
        case _:
            return list(operand.children[:-1])


def is_related(operand: Tree[Token], scope: Scope) -> bool:
    """Return whether the operand of an aggregate begins with a relation."""
    return relation_of(_names(operand)[0], scope) is not None


def check_related_aggregate(  # noqa: PLR0917  # those of the checker of events
    function: Any,
    tree: Tree[Token],
    operand: Tree[Token],
    rest: list[Any],
    scope: Scope,
    of_events: Callable[[Any, Tree[Token], Any, list[Any], Scope], Value | None],
) -> Value | None:
    """Return an aggregate over related objects, or over the events of one: `count(company.login ...)`."""
    names = _names(operand)
    n_steps = count_steps(names, scope)
    found = follow(names[:n_steps], scope)
    if found is None:
        return None
    steps, there = found
    if n_steps == len(names) or name_of(names[n_steps]) in there.object_type.attributes:
        where = written(names)
        hint = f"write '{where}' alone" if n_steps < len(names) else f"write '{where}[...]' or '{where} is known'"
        scope.report(operand, f"'{where}' is one, and '{function}' is taken over many", hint)
        return None
    further = _without_steps(operand, n_steps)
    if relation_of(names[n_steps], there) is not None:
        value: Any = _over(function, tree, further, rest, there)
    elif name_of(names[n_steps]) in there.object_type.events:
        value = of_events(function, tree, further, rest, there)
    else:
        owner = there.object_type
        known = [*owner.events, *owner.relations]
        there.unknown(names[n_steps], "event or relation", name_of(names[n_steps]), f"'{owner.name}'", known)
        return None
    return None if value is None else along(steps, value, span(tree))


def _without_steps(operand: Tree[Token], n_steps: int) -> Tree[Token]:
    """Return an operand without its first names."""
    from lark import Tree

    if operand.data == "filtered":
        path, *behind = cast("list[Any]", operand.children)
        return Tree("filtered", [Tree("path", path.children[n_steps:], path.meta), *behind], operand.meta)
    return Tree(operand.data, operand.children[n_steps:], operand.meta)


def _over(function: Any, tree: Tree[Token], operand: Tree[Token], rest: list[Any], scope: Scope) -> Value | None:
    """Return an aggregate over what the first name leads to, which is a to-many relation."""
    names = _names(operand)
    name = name_of(names[0])
    there = scope.at(scope.object_type.relations[name].target)
    if rest:
        hint = f"filter the objects themselves, such as 'count({written(names[:1])}[... in the last 30 days])'"
        scope.report(rest[0], "a window stands behind an event, and these are objects", hint)
        return None
    if operand.data == "filtered" and len(names) > 1:
        scope.report(names[1], "brackets stand behind the relation to many objects", f"write '{name}[...]'")
        return None
    inner = scope.condition(operand.children[1], there) if operand.data == "filtered" else None  # type: ignore[arg-type]
    tail = _tail(operand)
    taken = None if tail is None else _taken(tail, there)
    if (operand.data == "filtered" and inner is None) or (tail is not None and taken is None):
        return None
    if function not in RELATED_AGGREGATES:
        scope.report(tree, f"'{function}' is not taken over related objects", f"write {either(RELATED_AGGREGATES)}")
        return None
    result, why = aggregate_type(function, None if taken is None else taken.type, "objects", f"{name}.attribute")
    if result is None:
        scope.report(tree, *why)
        return None
    related = Related(name, inner, span=span(operand))
    return RelatedAggregate(function, related, taken, result, span=span(tree))


def _tail(operand: Tree[Token]) -> Tree[Token] | None:
    """Return what is taken of each object, as a value of that object, or None if nothing is."""
    from lark import Tree

    children = cast("list[Any]", operand.children)
    match operand.data:
        case "filtered":
            return children[2] if len(children) > 2 else None
        case "path":
            return Tree("path", children[1:], operand.meta) if len(children) > 1 else None
        case _:
            return Tree("reached", children[1:], operand.meta) if len(children) > 2 else children[1]


def _taken(tree: Tree[Token], scope: Scope) -> _Reached | None:
    value = check_value(tree, scope)
    if value is None or isinstance(value, Attribute | Path | Aggregate | RelatedAggregate):
        return value
    scope.report(tree, f"an attribute or an aggregate of each object is taken, not {described(value)}")
    return None

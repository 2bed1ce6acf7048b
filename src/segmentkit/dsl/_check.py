"""A lark tree and a schema to a typed predicate: connectives and conditions.

The checker goes on after an error, so that a filter's problems are reported together.
Nothing it returns has a negative form: `!=`, `not in`, `did not` become `Not`. Nested
connectives of one kind become flat, and lists lose duplicates.

It recurses, two or three frames for each level, which `_parse` has limited before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from segmentkit.dsl._check_chains import check_chain
from segmentkit.dsl._check_compare import (
    check_anniversary,
    check_between,
    check_between_ago_test,
    check_compare,
    check_in_window,
)
from segmentkit.dsl._check_constants import check_amount
from segmentkit.dsl._check_events import check_aggregate, check_did
from segmentkit.dsl._check_members import check_among, check_has, check_matches, check_state, check_text_test
from segmentkit.dsl._check_places import check_box, check_polygon, check_within
from segmentkit.dsl._check_rank import check_rank
from segmentkit.dsl._check_relations import check_filtered, check_related
from segmentkit.dsl._check_segments import check_crossing, check_in_segment, check_was_ever
from segmentkit.dsl._check_types import described
from segmentkit.dsl._check_values import check_value
from segmentkit.dsl._literals import quote_name
from segmentkit.dsl._scope import Findings, Scope, bare, check_on, name_of, nearest, span
from segmentkit.dsl.predicates import (
    And,
    AtLeast,
    Attribute,
    Constant,
    IsTrue,
    Literal,
    Not,
    Or,
    Predicate,
    Property,
    Value,
)
from segmentkit.schema import Schema

if TYPE_CHECKING:
    from lark import Token, Tree

__all__ = ["check"]


def check(  # noqa: PLR0917  # those of `parse`
    tree: Tree[Token],
    schema: Schema,
    on: str,
    params: Mapping[str, Any],
    source: str,
    origin: str = "",
    segments: Mapping[str, str] | None = None,
) -> Predicate:
    """Return the typed predicate of a parsed filter over objects of type `on`.

    Raises:
        UnknownNameError: all that is wrong is names that nobody declared.
        FilterTypeError: anything else is wrong; it carries all problems.
    """
    check_on(on, schema, origin)
    findings = Findings(source)
    scope = Scope(schema, schema.types[on], params, findings, _condition, check_aggregate, segments=segments)
    predicate = _condition(tree.children[0], scope)  # type: ignore[arg-type]
    if predicate is None or findings.problems:
        raise findings.error(origin)
    return predicate


def _condition(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return the predicate of a tree, or None after a report."""
    tree = bare(tree)
    handler = _HANDLERS.get(tree.data)
    if handler is not None:
        return handler(tree, scope)
    return _truth(tree, scope)


# ------------------------------------------------------------------------- connectives


def _join(tree: Tree[Token], scope: Scope) -> Predicate | None:
    kind: type[And] | type[Or] = And if tree.data == "conjunction" else Or
    items: list[Predicate] = []
    failed = False
    for child in tree.children:
        item = _condition(child, scope)  # type: ignore[arg-type]
        if item is None:
            failed = True
        elif isinstance(item, kind):
            items += item.items
        else:
            items.append(item)
    return None if failed else kind(tuple(items), span=span(tree))


def _negation(tree: Tree[Token], scope: Scope) -> Predicate | None:
    item = _condition(tree.children[0], scope)  # type: ignore[arg-type]
    return item and Not(item, span=span(tree))


def _counted(tree: Tree[Token], scope: Scope) -> Predicate | None:
    words, amount, *trees = tree.children
    bound = " ".join(str(word).lower() for word in words.children)  # type: ignore[union-attr]
    number = check_amount(amount, scope, "a count of conditions")  # type: ignore[arg-type]
    items: list[Predicate] = []
    for child in trees:
        item = _condition(child, scope)  # type: ignore[arg-type]
        if item is not None:
            items.append(item)
    if number is None or len(items) < len(trees):
        return None
    most = len(items) if bound != "at most" else len(items) - 1
    if number > most:
        holds = "always holds" if bound == "at most" else "can never hold"
        scope.report(tree, f"'{bound} {number}' of {len(items)} conditions {holds}")
        return None
    return _count(bound, number, tuple(items), tree)


def _count(bound: str, number: int, items: tuple[Predicate, ...], tree: Tree[Token]) -> Predicate:
    where = span(tree)
    at_least = AtLeast(number, items, span=where)
    if bound == "at least" or (bound == "exactly" and number == len(items)):
        return at_least
    at_most = Not(AtLeast(number + 1, items, span=where), span=where)
    if bound == "at most" or number == 0:
        return at_most
    return And((at_least, at_most), span=where)


# ------------------------------------------------------------------------- bare values


def _constant(tree: Tree[Token], _scope: Scope) -> Predicate:
    return Constant(tree.data == "true", span=span(tree))


def _truth(tree: Tree[Token], scope: Scope) -> Predicate | None:
    """Return the condition that a value is when it stands alone: booleans only."""
    if _is_event(tree, scope):
        return None
    value = check_value(tree, scope)
    if value is None:
        return None
    if value.type.kind != "boolean":
        scope.report(tree, f"{described(value)} is no condition", _condition_hint(value))
        return None
    if isinstance(value, Literal):
        return Constant(value.value, span=span(tree))
    return IsTrue(value, span=span(tree))


def _is_event(tree: Tree[Token], scope: Scope) -> bool:
    """Report an event that stands alone like a condition, `did` forgotten."""
    if tree.data != "path" or len(tree.children) != 1 or scope.event is not None:
        return False
    name = name_of(tree.children[0])
    known = scope.object_type
    if (
        name in known.attributes
        or name in known.relations
        or (name not in known.events and nearest(name, known.attributes))
    ):
        return False
    event = name if name in known.events else nearest(name, known.events)
    if event is None:
        return False
    scope.unknown(tree, "attribute", name, f"'{known.name}'", (), f"write 'did {quote_name(event)}'")
    return True


def _condition_hint(value: Value) -> str:
    name = quote_name(value.name) if isinstance(value, Attribute | Property) else "v"
    if value.type.is_numeric:
        return f"compare it, such as '{name} > 0'"
    if value.type.is_text:
        return f"compare it, such as '{name} = \"...\"'"
    if value.type.kind in ("instant", "date"):
        return f"compare it, such as '{name} in the last 30 days', or ask '{name} is known'"
    if value.type.kind == "text_set":
        return f"ask '{name} has \"...\"' or 'not {name} is empty'"
    return f"ask '{name} is known'"


_HANDLERS: dict[str, Callable[[Any, Scope], Predicate | None]] = {
    "conjunction": _join,
    "disjunction": _join,
    "negated": _negation,
    "counted": _counted,
    "true": _constant,
    "false": _constant,
    "compare": check_compare,
    "between": check_between,
    "between_ago": check_between_ago_test,
    "among": check_among,
    "not_among": check_among,
    "is_state": check_state,
    "is_not_state": check_state,
    "text_one": check_text_test,
    "text_any": check_text_test,
    "has_one": check_has,
    "has_many": check_has,
    "in_window": check_in_window,
    "within": check_within,
    "in_box": check_box,
    "related": check_related,
    "filtered": check_filtered,
    "in_segment": check_in_segment,
    "crossing": check_crossing,
    "was_ever": check_was_ever,
    "rank": check_rank,
    "in_polygon": check_polygon,
    "matches": check_matches,
    "anniversary": check_anniversary,
    "sequence": check_chain,
    "sequence_not": check_chain,
    "did": check_did,
    "did_not": check_did,
}

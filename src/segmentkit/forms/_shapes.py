"""What each node of a tree is made of, read from the annotations of `dsl.predicates`.

The JSON reader, its writer and the published JSON Schema all work from this one table, so
that a new node is in all three as soon as it is declared. A `Field` is either one or many
nodes (`nodes` says of which classes) or a scalar, whose `kind` names its codec.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final, Literal as OneOf, Union, get_args, get_origin, get_type_hints

import attrs

from segmentkit.dsl import predicates
from segmentkit.dsl.predicates import Aggregate, Duration, Node, Predicate, Value, Window
from segmentkit.values import ValueType

__all__ = ["CONDITIONS", "LEVELS", "NODES", "VALUES", "WINDOWS", "Field", "described", "shapes", "tag_of"]

CONDITIONS: Final = frozenset(get_args(Predicate))
NODES: Final = frozenset(get_args(Node))
VALUES: Final = frozenset(get_args(Value))
WINDOWS: Final = frozenset(get_args(Window))


@attrs.frozen
class Field:
    """One field of a node: where `nodes` is empty, `kind` says what scalar it is."""

    name: str
    kind: str
    nodes: frozenset[type] = frozenset()
    many: bool = False
    words: tuple[str, ...] = ()
    optional: bool = False
    required: bool = True
    default: Any = None


@cache
def shapes() -> Mapping[type, tuple[Field, ...]]:
    """Return the fields of every class of nodes, and of the parts that stand in nodes only, by name."""
    found: dict[type, tuple[Field, ...]] = {}
    waiting: list[type] = list(get_args(Node))
    while waiting:
        node = waiting.pop()
        if node in found:
            continue
        hints = get_type_hints(node, vars(predicates) | {"Span": object})
        fields = [field for field in attrs.fields(node) if field.name != "span"]
        found[node] = tuple(_field(node, field, hints[field.name]) for field in fields)
        waiting += [below for field in found[node] for below in field.nodes]
    return dict(sorted(found.items(), key=lambda item: item[0].__name__))


def _field(node: type, attribute: Any, hint: Any) -> Field:
    options = [option for option in _options(hint) if option is not types.NoneType]
    optional = len(options) < len(_options(hint))
    required = attribute.default is attrs.NOTHING
    made: dict[str, Any] = {"name": attribute.name, "optional": optional, "required": required}
    made["default"] = None if required else attribute.default
    if get_origin(options[0]) is tuple:
        item, *rest = get_args(options[0])
        if rest != [...]:
            return Field(kind="point", **made)
        if get_origin(item) is tuple:
            return Field(kind="point", many=True, **made)
        return attrs.evolve(_of(node, attribute.name, _options(item), made), many=True)
    return _of(node, attribute.name, options, made)


def _options(hint: Any) -> list[Any]:
    return list(get_args(hint)) if get_origin(hint) in (Union, types.UnionType) else [hint]


_TEXTS: Final = {"name": "name", "relation": "name", "zone": "zone"}
"""What text a field holds by its name; names stand in backticks at most, so not everything is one."""
_SCALARS: Final = {bool: "boolean", int: "count", float: "double", Duration: "duration", ValueType: "type"}


def _of(node: type, name: str, options: list[Any], made: dict[str, Any]) -> Field:
    """Return a field of one of these types, or of many of them."""
    first = options[0]
    if all(attrs.has(option) and option not in _SCALARS for option in options):
        return Field(kind="node", nodes=frozenset(options), **made)
    if get_origin(first) is OneOf:
        return Field(kind="word", words=get_args(first), **made)
    if first is Any:
        return Field(kind="constant" if node is predicates.Literal else "amount", **made)
    if Decimal in options:
        return Field(kind="amount", **made)
    if first is str:
        return Field(kind=_TEXTS.get(name, "text"), **made)
    return Field(kind=_SCALARS[first], **made)


def tag_of(node: type) -> str:
    """Return what a class of nodes is called in JSON.

    >>> tag_of(predicates.InWindow)
    'in_window'
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.__name__).lower()


def described(nodes: frozenset[type]) -> str:
    """Return what stands in a place for these classes, in words."""
    for known, words in ((CONDITIONS, "a condition"), (VALUES, "a value"), (WINDOWS, "a window")):
        if nodes == known:
            return words
    return " or ".join(f"'{tag_of(node)}'" for node in sorted(nodes, key=tag_of))


def _is_level(node: type, fields: tuple[Field, ...]) -> bool:
    """Return whether a node counts for the depth of a filter, as the parser counts it, or a little less."""
    if node in (predicates.Not, predicates.Path, Aggregate):
        return False
    below: frozenset[type] = frozenset().union(*(field.nodes for field in fields))
    return bool(below & CONDITIONS) or (node in VALUES and bool(below & VALUES))


LEVELS: Final = frozenset(node for node, fields in shapes().items() if _is_level(node, fields))
"""The nodes that nest; `Not` of another connective does too."""

"""The order in which a normal form has things."""

from __future__ import annotations

from segmentkit.dsl._render import render
from segmentkit.dsl.predicates import Attribute, Literal, Node, Now, Property, Today, iter_nodes

__all__ = ["Key", "key_of", "weight_of"]

Key = tuple[str, str]


def key_of(node: Node) -> Key:
    """Return what nodes are sorted by: their text, and what tells apart those that are written alike elsewhere."""
    kinds = "".join("a" if isinstance(n, Attribute) else "p" for n in iter_nodes(node) if isinstance(n, Attribute | Property))
    return render(node), kinds


def weight_of(value: Node) -> int:
    """Return 0 for what is read from objects, 1 for what is computed without them, 2 for a constant."""
    if isinstance(value, Literal):
        return 2
    constant = all(isinstance(node, Literal | Now | Today) or type(node).__name__ in _COMPUTED for node in iter_nodes(value))
    return 1 if constant else 0


_COMPUTED = frozenset({"Arithmetic", "Negate", "Call"})

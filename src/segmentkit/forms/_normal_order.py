"""The order in which a normal form has things."""

from __future__ import annotations

from typing import Final

from segmentkit.dsl._render import render
from segmentkit.dsl.predicates import (
    Arithmetic,
    Attribute,
    Call,
    Literal,
    Negate,
    Node,
    Now,
    Property,
    Today,
    iter_nodes,
)

__all__ = ["Key", "key_of", "weight_of"]

Key = tuple[str, str]

_COMPUTED: Final = (Arithmetic, Negate, Call, Literal, Now, Today)


def key_of(node: Node) -> Key:
    """Return what nodes are sorted by: their text, and what tells apart those that are written alike in brackets."""
    names = (n for n in iter_nodes(node) if isinstance(n, Attribute | Property))
    return render(node), "".join("a" if isinstance(n, Attribute) else "p" for n in names)


def weight_of(value: Node) -> int:
    """Return 0 for what is read from objects, 1 for what is computed without them, 2 for a constant."""
    if isinstance(value, Literal):
        return 2
    return 1 if all(isinstance(node, _COMPUTED) for node in iter_nodes(value)) else 0

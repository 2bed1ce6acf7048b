"""The order in which a normal form has things."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final
from weakref import WeakKeyDictionary

from segmentkit.dsl._render import render
from segmentkit.dsl.predicates import (
    And,
    Arithmetic,
    AtLeast,
    Attribute,
    Call,
    Literal,
    Negate,
    Node,
    Now,
    Or,
    Property,
    Today,
    iter_nodes,
)

__all__ = ["Key", "key_of", "weight_of"]

Key = tuple[str, str]

_COMPUTED: Final = (Arithmetic, Negate, Call, Literal, Now, Today)


_GROUPS: Final[WeakKeyDictionary[And | Or | AtLeast, Key]] = WeakKeyDictionary()
"""The keys of connectives while they live: without it each level would spell out all levels below."""


def key_of(node: Node) -> Key:
    """Return what nodes are sorted by: their text, and what tells apart those that are written alike in brackets.

    Connectives go by the text of their first condition, and then by a digest of them all.
    """
    if isinstance(node, And | Or | AtLeast):
        key = _GROUPS.get(node)
        if key is None:
            key = _GROUPS[node] = _group_key(node)
        return key
    names = (n for n in iter_nodes(node) if isinstance(n, Attribute | Property))
    return render(node), "".join("a" if isinstance(n, Attribute) else "p" for n in names)


def _group_key(node: And | Or | AtLeast) -> Key:
    keys = [key_of(item) for item in node.items]
    count = node.count if isinstance(node, AtLeast) else 0
    digest = blake2b(repr((type(node).__name__, count, keys)).encode("utf-8", "surrogatepass"), digest_size=16)
    return keys[0][0][:80] if keys else "", digest.hexdigest()


def weight_of(value: Node) -> int:
    """Return 0 for what is read from objects, 1 for what is computed without them, 2 for a constant."""
    if isinstance(value, Literal):
        return 2
    return 1 if all(isinstance(node, _COMPUTED) for node in iter_nodes(value)) else 0

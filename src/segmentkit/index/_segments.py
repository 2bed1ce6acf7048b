"""Segments: what a definition becomes."""

from __future__ import annotations

import attrs
from pyroaring import BitMap

from segmentkit.dsl.predicates import Predicate


@attrs.define(eq=False)
class Segment:
    """A named filter over one object type, and the numbers of its members.

    `where` is the text it was defined by and `tree` what it means. `refresh` is how often its
    definition asks for fresh members, such as "4 hours"; "" is always. The engine keeps every segment
    live, which is never less fresh, so `refresh` and `tags` are for the host to read.
    """

    name: str
    object_type: str
    where: str
    tree: Predicate
    description: str = ""
    hidden_from: frozenset[str] = frozenset()
    refresh: str = ""
    tags: tuple[str, ...] = ()
    members: BitMap = attrs.field(factory=BitMap, repr=False)
    bits: tuple[int, ...] = attrs.field(default=(), repr=False)

    def _repr_html_(self) -> str:
        from html import escape

        return (
            f"<div><b>{escape(self.name)}</b> on {escape(self.object_type)}: {len(self.members):,} members"
            f"<br><code>{escape(self.where)}</code></div>"
        )

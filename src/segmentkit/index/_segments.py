"""Segments: what a definition becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import attrs
from pyroaring import BitMap

from segmentkit.dsl.predicates import Predicate
from segmentkit.errors import cannot_leave


def _nothing_waits() -> None:
    """Do nothing: a segment outside an engine has no flips that wait."""


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
    numbers: BitMap = attrs.field(factory=BitMap, repr=False)
    """Members as of the last settlement; see `members`."""
    settle: Callable[[], None] = attrs.field(default=_nothing_waits, repr=False)
    """Carries flips that wait into `numbers`."""
    bits: tuple[int, ...] = attrs.field(default=(), repr=False)
    refers_to: frozenset[str] = attrs.field(default=frozenset(), repr=False)
    """The segments that the filter refers to."""
    lowered: Predicate | None = attrs.field(default=None, repr=False)
    """The filter as the index keeps it, said with hidden segments; None if it is `tree`."""
    since: int = attrs.field(default=0, repr=False)
    """Number of the last delta before it was defined."""
    is_hidden: bool = attrs.field(default=False, repr=False)
    is_read: bool = attrs.field(default=False, repr=False)
    """Whether other filters refer to it."""

    @property
    def members(self) -> BitMap:
        """The numbers of the members; not to be changed."""
        self.settle()
        return self.numbers

    def __reduce__(self) -> NoReturn:
        raise cannot_leave("a segment", "take its fields, or the text of engine.export_definitions()")

    def _repr_html_(self) -> str:
        from html import escape

        return (
            f"<div><b>{escape(self.name)}</b> on {escape(self.object_type)}: {len(self.members):,} members"
            f"<br><code>{escape(self.where)}</code></div>"
        )

"""Hidden segments: what brackets and ranks inside filters are kept as, each once, as long as some filter needs it."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from segmentkit.dsl.predicates import Predicate
from segmentkit.index._lowering import lower
from segmentkit.index._segments import Segment
from segmentkit.schema import Schema

PREFIX = "\0"
"""Begins the name of a hidden segment, and of no other."""


@attrs.frozen
class Lowered:
    """A filter said with hidden segments: the tree, their names, and those of them that are new; inner ones first."""

    tree: Predicate
    names: tuple[str, ...]
    new: tuple[Segment, ...]


class HiddenSegments:
    """The hidden segments of an engine, by what they say, with the number of filters that need each."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._name_by_filter: dict[tuple[str, Predicate], str] = {}
        self._filter_by_name: dict[str, tuple[str, Predicate]] = {}
        self._uses: dict[str, int] = {}
        self._last = 0

    def lower(self, tree: Predicate, object_type: str) -> Lowered:
        """Return a filter said with hidden segments; `hold` has to follow if it is to be kept."""
        names: dict[str, None] = {}
        new: list[Segment] = []

        def hide(on: str, inner: Predicate) -> str:
            name = self._name_by_filter.get((on, inner))
            if name is None:
                self._last += 1
                name = f"{PREFIX}{self._last}"
                self._name_by_filter[on, inner] = name
                self._filter_by_name[name] = on, inner
                new.append(Segment(name, on, "", inner, is_hidden=True, is_read=True))
            names[name] = None
            return name

        return Lowered(lower(tree, object_type, self._schema, hide), tuple(names), tuple(new))

    def hold(self, names: Iterable[str]) -> None:
        """Note one more filter that needs these."""
        for name in names:
            self._uses[name] = self._uses.get(name, 0) + 1

    def release(self, names: Iterable[str]) -> list[str]:
        """Note one filter less that needs these; return those that nobody needs any more, outer ones first."""
        gone = []
        for name in reversed(list(names)):
            self._uses[name] -= 1
            if not self._uses[name]:
                del self._uses[name], self._name_by_filter[self._filter_by_name.pop(name)]
                gone.append(name)
        return gone

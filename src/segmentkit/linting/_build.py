"""From a predicate to the formula of what follows from it, or from its negation.

Connectives are taken apart here, and conditions that are made of simpler ones; `_atoms` says
what a simple condition tells about features.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from segmentkit.dsl.predicates import (
    And,
    AtLeast,
    Between,
    Compare,
    Constant,
    InSegment,
    Not,
    OneRelated,
    Or,
    Predicate,
)
from segmentkit.linting._atoms import sketch
from segmentkit.linting._formula import Formula, all_of, any_of, signed
from segmentkit.linting._related import rebased

__all__ = ["Builder"]

_MOST_COUNTED: Final = 12
"""Conditions of an `at least k of (...)` that are looked into; those of a longer one are opaque."""
_MOST_SEGMENTS: Final = 3
"""Segments within segments that are looked into; trees of each may be as deep as the language allows."""


class Builder:
    """Builds formulas in one schema's zone, each node once."""

    def __init__(self, zone: str, segments: Mapping[str, Predicate]) -> None:
        self._zone = zone
        self._segments = segments
        self._entered: set[str] = set()
        self._built: dict[tuple[Predicate, bool, str], Formula] = {}

    def formula(self, node: Predicate, positive: bool = True, zone: str | None = None) -> Formula:
        """Return what follows from the predicate, or from its negation; `zone` is that of the brackets around it."""
        key = (node, positive, zone or self._zone)
        found = self._built.get(key)
        if found is None:
            found = self._built[key] = self._formula(*key)
        return found

    def _formula(self, node: Predicate, positive: bool, zone: str) -> Formula:
        match node:
            case Constant(value):
                return value == positive
            case Not(item):
                return self.formula(item, not positive, zone)
            case And(items) | Or(items):
                parts = [self.formula(item, positive, zone) for item in items]
                return all_of(parts) if isinstance(node, And) == positive else any_of(parts)
            case AtLeast(count, items) if len(items) <= _MOST_COUNTED:
                return self._counted(count if positive else len(items) - count + 1, items, positive, zone)
            case Between(value, low, high):
                inner = node.zone or zone
                both = Compare("<=", low, value, zone=inner), Compare("<=", value, high, zone=inner)
                return self.formula(And(both), positive, zone)
            case OneRelated(relation, where) if not isinstance(where, Constant):
                inside = rebased(relation, where)
                there = OneRelated(relation, Constant(True))
                if inside is not None:
                    return self.formula(And((there, inside)), positive, zone)
                return signed(sketch(node, zone), positive)
            case InSegment(name) if name in self._segments and name not in self._entered:
                return self._member(name, positive)
            case _:
                return signed(sketch(node, zone), positive)

    def _member(self, name: str, positive: bool) -> Formula:
        """Return what membership tells: the filter of the segment holds, in the schema's zone."""
        if len(self._entered) == _MOST_SEGMENTS:
            return signed(sketch(InSegment(name), self._zone), positive)
        self._entered.add(name)
        try:
            return self.formula(self._segments[name], positive)
        finally:
            self._entered.remove(name)

    def _counted(self, count: int, items: tuple[Predicate, ...], positive: bool, zone: str) -> Formula:
        """Return that `count` or more of the items hold (or do not hold, without `positive`)."""
        n = len(items)
        reached: list[Formula] = [k <= 0 for k in range(n + 1)]  # with no items left, k are wanted
        for item in reversed(items):
            holds, fails = (self.formula(item, sign, zone) for sign in (positive, not positive))
            reached = [
                any_of((all_of((holds, reached[max(0, k - 1)])), all_of((fails, reached[k])))) if k > 0 else True
                for k in range(n + 1)
            ]
        return reached[min(max(count, 0), n)] if count <= n else False

"""Aggregates over events or related objects, compared by what they are taken over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from segmentkit.dsl.predicates import Aggregate, Constant, Path, Predicate, RelatedAggregate, Value, Window
from segmentkit.linting._keys import Key, ValueKey
from segmentkit.linting._windows import holds_nothing, is_within

if TYPE_CHECKING:
    from segmentkit.linting._solve import Solver

__all__ = ["Counted", "counted", "is_counted_by", "is_never"]


@attrs.frozen
class Counted:
    """An aggregate over events or related objects of the object, or of the one that a path leads to.

    `source` are the relations of the path, and the event or relation itself; `zone` is that of the
    condition, `inner_zone` the one in which its brackets are read and its days are counted.
    """

    key: ValueKey
    source: tuple[str, ...]
    function: str
    where: Predicate | None
    window: Window | None
    zone: str
    is_instant: bool = False
    """Whether it is the instant of the first or last event, known as soon as there is one."""

    @property
    def inner_zone(self) -> str:
        """The zone of the window, or else that of the condition."""
        return getattr(self.window, "zone", None) or self.zone

    @property
    def is_reached(self) -> bool:
        """Whether a path leads to it, so that it may be missing."""
        return len(self.source) > 2

    @property
    def is_count(self) -> bool:
        """Whether it tells how many there are, or on how many days."""
        return self.function in ("count", "days")

    @property
    def is_missing_without(self) -> bool:
        """Whether it is missing when there are none."""
        return self.function in ("avg", "min", "max", "median", "first", "last")


def counted(key: Key) -> Counted | None:
    """Return the aggregate that a feature is, or None if it is none."""
    if not isinstance(key, ValueKey) or key.zone is None:
        return None
    path: list[str] = []
    value: Value = key.value
    while isinstance(value, Path):
        path.append(value.relation)
        value = value.value
    match value:
        case Aggregate(function, events):
            source, is_instant = (*path, "event", events.name), value.property is None and function in ("first", "last")
            return Counted(key, source, function, events.where, events.window, key.zone, is_instant)
        case RelatedAggregate(function, related):
            return Counted(key, (*path, "relation", related.relation), function, related.where, None, key.zone)
        case _:
            return None


def is_never(one: Counted, solver: Solver) -> bool:
    """Return True only if there is never anything to be counted."""
    if holds_nothing(one.window, one.zone):
        return True
    return one.where is not None and _excludes(one.where, None, one.inner_zone, solver)


def is_counted_by(one: Counted, other: Counted, solver: Solver) -> bool:
    """Return True only if all that the one counts is counted by the other."""
    if one.source != other.source or not is_within(one.window, one.zone, other.window, other.zone):
        return False
    if other.where is None:
        return True
    if one.inner_zone != other.inner_zone:
        return False
    return one.where == other.where or _excludes(one.where or Constant(True), other.where, one.inner_zone, solver)


def _excludes(where: Predicate, other: Predicate | None, zone: str, solver: Solver) -> bool:
    """Return True only if nothing passes the one filter and not the other."""
    question = (where, other, zone)
    known = solver.remembered(question)
    if known is not None:
        return known
    signed = [(where, True)] if other is None else [(where, True), (other, False)]
    return solver.remember(question, solver.excludes(*signed, zone=zone))

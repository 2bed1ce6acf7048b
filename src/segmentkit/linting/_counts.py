"""Aggregates over events, compared by the events that they are taken over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from segmentkit.dsl.predicates import Aggregate, Constant, Events, Path, Value
from segmentkit.linting._keys import Key, ValueKey
from segmentkit.linting._windows import holds_nothing, is_within

if TYPE_CHECKING:
    from segmentkit.linting._solve import Solver

__all__ = ["Counted", "counted", "is_counted_by", "is_never"]


@attrs.frozen
class Counted:
    """An aggregate over events of the object, or of the one that a path leads to."""

    key: ValueKey
    prefix: tuple[str, ...]
    function: str
    events: Events
    zone: str

    @property
    def is_count(self) -> bool:
        """Whether it tells how many events there are, or on how many days."""
        return self.function in ("count", "days")

    @property
    def is_missing_without(self) -> bool:
        """Whether it is missing when there are no events."""
        return self.function in ("avg", "min", "max", "median", "first", "last")

    @property
    def day_zone(self) -> str:
        """The zone whose days are counted."""
        return getattr(self.events.window, "zone", None) or self.zone


def counted(key: Key) -> Counted | None:
    """Return the aggregate that a feature is, or None if it is none."""
    if not isinstance(key, ValueKey) or key.zone is None:
        return None
    prefix: list[str] = []
    value: Value = key.value
    while isinstance(value, Path):
        prefix.append(value.relation)
        value = value.value
    if not isinstance(value, Aggregate) or type(value.events) is not Events:
        return None
    return Counted(key, tuple(prefix), value.function, value.events, key.zone)


def is_never(one: Counted, solver: Solver) -> bool:
    """Return True only if there is never an event to be counted."""
    if holds_nothing(one.events.window, one.zone):
        return True
    where = one.events.where
    return where is not None and _excludes(where, None, one.zone, solver)


def is_counted_by(one: Counted, other: Counted, solver: Solver) -> bool:
    """Return True only if each event of the one is an event of the other."""
    a, b = one.events, other.events
    if one.prefix != other.prefix or a.name != b.name or not is_within(a.window, one.zone, b.window, other.zone):
        return False
    if b.where is None or (a.where == b.where and one.zone == other.zone):
        return True
    return one.zone == other.zone and _excludes(a.where or Constant(True), b.where, one.zone, solver)


def _excludes(where: object, other: object, zone: str, solver: Solver) -> bool:
    """Return True only if no event passes the one filter and not the other."""
    question = ("events", where, other, zone)
    known = solver.remembered(question)
    if known is not None:
        return known
    signed = [(where, True)] if other is None else [(where, True), (other, False)]
    return solver.remember(question, solver.excludes(*signed, zone=zone))  # type: ignore[arg-type]  # predicates

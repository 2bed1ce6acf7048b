"""Conditions on time that move with now: windows, and comparisons with now and today.

They say how far a value lies from now, so they constrain its position: exactly for lengths
of days and shorter, among themselves for months, and as calendar units. Each also says
roughly where the position is on the other scales, which is how `this month` and `more than
40 days ago` are found to exclude each other.
"""

from __future__ import annotations

from typing import Final

from segmentkit.dsl._calendar import DAY, Edge
from segmentkit.dsl.predicates import (
    Arithmetic,
    Calendar,
    Compare,
    Duration,
    Literal,
    Now,
    Relative,
    Today,
    Value,
)
from segmentkit.linting._edges import coarser, edge_of, extent, months_of, position, reach, window_edges
from segmentkit.linting._formula import Atom, Constraint, Junction, Sketch
from segmentkit.linting._keys import CalendarKey, OpaqueKey, PositionKey, ValueKey, value_key
from segmentkit.linting._regions import KNOWN, Region, above, below, between, of_points

__all__ = ["compare", "in_window"]

_FLIPPED: Final = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def in_window(value: Value, window: Relative | Calendar, zone: str, base: ValueKey) -> Sketch:
    """Return what it tells that a value lies in a window around now."""
    is_date = value.type.kind == "date"
    match window:
        case Calendar():
            return _in_units(base, window, zone, is_date)
        case Relative():
            if is_date and not _counts_days(window):
                return False
            start, end = window_edges(window)
            parts = [] if start is None else [_behind(base, start, zone, is_date)]
            parts += [] if end is None else [_before(base, end, zone, is_date)]
            return Junction(True, tuple(parts))


def _counts_days(window: Relative) -> bool:
    lengths = (window.duration,) if window.second is None else (window.duration, window.second)
    return not any(length.micros % DAY for length in lengths)


def _unit(is_date: bool) -> int:
    return DAY if is_date else 1


def _exact(base: ValueKey, zone: str, is_date: bool) -> PositionKey:
    return PositionKey(base, "days", zone) if is_date else PositionKey(base, "micros")


def _behind(base: ValueKey, edge: Edge, zone: str, is_date: bool) -> Atom:
    """Return the condition that the value lies at the edge or behind it."""
    exact, (least, most) = _exact(base, zone, is_date), reach(edge, _unit(is_date))
    known = Constraint(base, KNOWN)
    if not months_of(edge):
        region = above(position(edge, _unit(is_date)), or_equal=True, whole=True)
        return Atom((Constraint(exact, region), known), (Constraint(exact, ~region),))
    months, step = PositionKey(base, "months", zone), 4 * months_of(edge) + edge.plus
    region, roughly = above(step, or_equal=True, whole=True), above(least, or_equal=True, whole=True)
    outside = ~above(most, or_equal=True, whole=True)
    return Atom(
        (Constraint(months, region), Constraint(exact, roughly), known),
        (Constraint(months, ~region), Constraint(exact, outside)),
    )


def _before(base: ValueKey, edge: Edge, zone: str, is_date: bool) -> Atom:
    """Return the condition that the value lies before the edge."""
    behind = _behind(base, edge, zone, is_date)
    known = Constraint(base, KNOWN)
    fails = tuple(_or_missing(constraint) for constraint in behind.holds if constraint != known)
    holds = tuple(Constraint(c.key, c.region & KNOWN) for c in behind.fails)
    return Atom((*holds, known), fails)


def _or_missing(constraint: Constraint) -> Constraint:
    return Constraint(constraint.key, Region(True, constraint.region.stretches))


def _in_units(base: ValueKey, window: Calendar, zone: str, is_date: bool) -> Atom:
    key, region = CalendarKey(base, window.unit, zone), between(window.first, window.last, whole=True)
    holds = [Constraint(key, region), Constraint(base, KNOWN)]
    for wider in coarser(window):
        wide = between(wider.first, wider.last, whole=True)
        holds.append(Constraint(CalendarKey(base, wider.unit, zone), wide))
    unit = DAY // _unit(is_date)
    low, high = (days * unit for days in extent(window))
    near = above(low, or_equal=False, whole=True) & below(high, or_equal=False, whole=True)
    holds.append(Constraint(_exact(base, zone, is_date), near))
    return Atom(tuple(holds), (Constraint(key, ~region),))


# ------------------------------------------------------------------------ comparisons


def compare(node: Compare, zone: str) -> Sketch | None:
    """Return what a comparison with now, today, or one of these moved by a length tells; None for another."""
    for value, operator, other in (
        (node.left, node.operator, node.right),
        (node.right, _FLIPPED[node.operator], node.left),
    ):
        anchor = _anchor(other)
        if anchor is not None and _anchor(value) is None:
            return _against(node, value, operator, other, anchor, zone)
    return None


def _anchor(value: Value) -> tuple[Duration | int, int] | None:
    """Return by how much, and in which direction, a value is now or today moved."""
    match value:
        case Now():
            return 0, 1
        case Today(days):
            return abs(days) * DAY, -1 if days < 0 else 1
        case Arithmetic("+" | "-" as sign, Now() | Today(0), Literal(Duration() as length)):
            return length, -1 if sign == "-" else 1
        case _:
            return None


def _against(  # noqa: PLR0917  # a comparison taken apart
    node: Compare, value: Value, operator: str, other: Value, anchor: tuple[Duration | int, int], zone: str
) -> Sketch | None:
    base, kinds = value_key(value, zone), (value.type.kind, other.type.kind)
    if kinds == ("instant", "date"):
        return _on_days(base, operator, other, zone)
    if kinds not in (("instant", "instant"), ("date", "date")) and not (
        kinds == ("date", "instant") and isinstance(other, Now)
    ):
        return None
    is_date = value.type.kind == "date"
    first, following = (edge_of(*anchor, plus) for plus in (0, 1))
    parts: list[Sketch] = []
    if operator in ("=", ">=", ">"):
        parts.append(_behind(base, following if operator == ">" else first, zone, is_date))
    if operator in ("=", "<=", "<"):
        parts.append(_before(base, first if operator == "<" else following, zone, is_date))
    found = parts[0] if len(parts) == 1 else Junction(True, tuple(parts))
    return found if isinstance(other, Now | Today) and anchor[0] == 0 else _if_known(found, node, zone)


def _if_known(found: Sketch, node: Compare, zone: str) -> Sketch:
    """Return a comparison that also fails where the moved instant does not exist, so its negation tells nothing."""
    whole = Constraint(OpaqueKey(node, zone), of_points([1]))
    refused = Constraint(whole.key, ~whole.region)
    holds = [constraint for atom in _atoms(found) for constraint in atom.holds]
    return Atom((whole, *holds), (refused,))


def _atoms(found: Sketch) -> list[Atom]:
    parts = found.parts if isinstance(found, Junction) else (found,)
    return [part for part in parts if isinstance(part, Atom)]


def _on_days(base: ValueKey, operator: str, other: Value, zone: str) -> Sketch | None:
    """Return what a comparison of an instant with today tells: the calendar day in which it lies."""
    if other != Today(0):
        return None
    match operator:
        case "=":
            return _in_units(base, Calendar("day", 0, 0), zone, False)
        case "<" | "<=":
            region = below(0, or_equal=operator == "<=", whole=True)
        case _:
            region = above(0, or_equal=operator == ">=", whole=True)
    key = CalendarKey(base, "day", zone)
    return Atom((Constraint(key, region), Constraint(base, KNOWN)), (Constraint(key, ~region),))

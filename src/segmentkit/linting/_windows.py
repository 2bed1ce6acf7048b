"""Windows of events against each other: which holds another at every now, and which holds nothing.

Events of the future do not count, so every window ends at now.
"""

from __future__ import annotations

from segmentkit.dsl import _calendar
from segmentkit.dsl._calendar import DAY, Edge
from segmentkit.dsl.predicates import Absolute, Calendar, Literal, Relative, Value, Window
from segmentkit.linting._edges import NOW, coarser, extent, is_behind, reach, window_edges

__all__ = ["holds_nothing", "is_within"]


def holds_nothing(window: Window | None, zone: str) -> bool:
    """Return True only if the window holds no event at any now; `zone` is that of the rule."""
    match window:
        case Relative():
            start, end = _edges(window)
            return start is not None and is_behind(start, end, one_zone=True)
        case Calendar(_, first, last):
            return first > 0 or first > last
        case Absolute():
            bounds = _fixed(window, zone)
            return bounds is not None and bounds[0] >= bounds[1]
        case _:
            return False


def is_within(inner: Window | None, inner_zone: str, outer: Window | None, outer_zone: str) -> bool:
    """Return True only if each event in the inner window is in the outer one, at every now."""
    if outer is None or (inner == outer and inner_zone == outer_zone):
        return True
    one_zone = (getattr(inner, "zone", None) or inner_zone) == (getattr(outer, "zone", None) or outer_zone)
    if isinstance(inner, Relative) and isinstance(outer, Relative):
        return _relative_within(_edges(inner), _edges(outer), one_zone)
    if isinstance(inner, Calendar) and isinstance(outer, Calendar) and one_zone:
        return any(_units_within(window, outer) for window in (inner, *coarser(inner)))
    if isinstance(inner, Absolute) and isinstance(outer, Absolute):
        a, b = _fixed(inner, inner_zone), _fixed(outer, outer_zone)
        return a is not None and b is not None and b[0] <= a[0] and a[1] <= b[1]
    if isinstance(inner, Calendar) and isinstance(outer, Relative):
        low, high = (days * DAY for days in extent(inner))
        start, end = _edges(outer)
        begins = start is None or reach(start)[1] <= low
        return begins and min(high, 1) <= reach(end)[0]
    return False


def _edges(window: Relative) -> tuple[Edge | None, Edge]:
    """Return start and end of the window, the end at now if it were later."""
    start, end = window_edges(window)
    return start, NOW if end is None or is_behind(end, NOW, one_zone=False) else end


def _relative_within(inner: tuple[Edge | None, Edge], outer: tuple[Edge | None, Edge], one_zone: bool) -> bool:
    begins = outer[0] is None or (inner[0] is not None and is_behind(inner[0], outer[0], one_zone=one_zone))
    return begins and is_behind(outer[1], inner[1], one_zone=one_zone)


def _units_within(inner: Calendar, outer: Calendar) -> bool:
    if inner.unit != outer.unit:
        return False
    return outer.first <= inner.first and min(inner.last, 0) <= outer.last


def _fixed(window: Absolute, zone: str) -> tuple[float, float] | None:
    """Return the half-open bounds of a window between constants, or None if it moves."""
    zone = window.zone or zone
    low = _bound(window.start, window.after, zone, float("-inf"))
    high = _bound(window.end, window.until, zone, float("inf"))
    return None if low is None or high is None else (low, high)


def _bound(bound: Value | None, past: bool, zone: str, default: float) -> float | None:
    match bound:
        case None:
            return default
        case Literal(value):
            return _calendar.day_start(value + past, zone) if bound.type.kind == "date" else value + past
        case _:
            return None

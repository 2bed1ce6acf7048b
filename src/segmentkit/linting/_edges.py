"""Edges of time that move with now: which lies before which, at every now and in every zone.

An edge is now moved by a length of time, plus the microsecond that tells `<` from `<=`
(`dsl._calendar.Edge`). Exact lengths compare as numbers. Months compare with months, and
with exact lengths by the fewest and the most days that so many months have.
"""

from __future__ import annotations

from typing import Final

from segmentkit.dsl._calendar import DAY, Edge, edges
from segmentkit.dsl.predicates import Calendar, Duration, Relative

__all__ = ["NOW", "coarser", "edge_of", "extent", "is_behind", "months_of", "position", "reach", "window_edges"]

NOW: Final = Edge(0, 1, 1)
"""The end of all that is not in the future."""

_SLACK: Final = 2
"""Days by which changes of offset can shift a wall time, with a margin."""
_DAYS: Final = {"day": (1, 1), "week": (7, 7), "month": (28, 31), "quarter": (90, 92), "year": (365, 366)}
_COARSER: Final = {"day": ("week", "month"), "month": ("quarter", "year"), "quarter": ("year",)}
_PER: Final = {("month", "quarter"): 3, ("month", "year"): 12, ("quarter", "year"): 4, ("day", "week"): 7}


def edge_of(duration: Duration | int, sign: int, plus: int) -> Edge:
    """Return the edge; a length of no months is an exact one."""
    if isinstance(duration, Duration) and not duration.count:
        duration = 0
    return Edge(duration, sign, plus)


def months_of(edge: Edge) -> int:
    """Return by how many months the edge is moved, 0 for an exact one."""
    return 0 if isinstance(edge.duration, int) else edge.sign * edge.duration.months


def position(edge: Edge, unit: int = 1) -> int:
    """Return how far an exact edge lies after now, in units of so many microseconds."""
    length = edge.duration if isinstance(edge.duration, int) else edge.duration.micros
    return edge.sign * (length // unit) + edge.plus


def reach(edge: Edge, unit: int = 1) -> tuple[int, int]:
    """Return the least and the greatest distance of the edge from now, in units of so many microseconds."""
    months = months_of(edge)
    if not months:
        return position(edge, unit), position(edge, unit)
    count = abs(months)
    near, far = (count * 30_436 // 1000 - 3 - _SLACK), (count * 30_437 // 1000 + 4 + _SLACK)
    near, far = max(0, near) * DAY // unit, far * DAY // unit
    return (near, far + 1) if months > 0 else (-far, -near + 1)


def is_behind(a: Edge, b: Edge, *, one_zone: bool) -> bool:
    """Return whether `a` is certain to be at `b` or later, at every now; `one_zone`: both count months in one."""
    months_a, months_b = months_of(a), months_of(b)
    if months_a and months_b and one_zone:
        return (months_a, a.plus) >= (months_b, b.plus)
    return reach(a)[0] >= reach(b)[1]


def extent(calendar: Calendar) -> tuple[int, int]:
    """Return the fewest and the most days after now that a time in the calendar window lies, as open bounds."""
    first, last = calendar.first, calendar.last
    least, most = _DAYS[calendar.unit]
    low = (first - 1) * (most if first <= 0 else least) - _SLACK
    high = (last + 1) * (most if last >= 0 else least) + _SLACK
    return max(low, 0) if first > 0 else low, min(high, 0) if last < 0 else high


def coarser(calendar: Calendar) -> list[Calendar]:
    """Return calendar windows of longer units that hold this one at every now, in its zone."""
    found: list[Calendar] = []
    for unit in _COARSER.get(calendar.unit, ()):
        per = _PER.get((calendar.unit, unit))
        if per is not None:
            bounds = calendar.first // per, (calendar.last + per - 1) // per
        else:  # days in months, which have 28 days or more
            bounds = -((max(0, -calendar.first) + 27) // 28), (max(0, calendar.last) + 27) // 28
        found.append(Calendar(unit, *bounds, calendar.zone))  # type: ignore[arg-type]  # _COARSER has the units
    return found + [wider for narrow in found if narrow.unit == "month" for wider in coarser(narrow)]


def window_edges(window: Relative) -> tuple[Edge | None, Edge | None]:
    """Return start and end of a relative window."""
    start, end = edges(window)
    return start and edge_of(*_parts(start)), end and edge_of(*_parts(end))


def _parts(edge: Edge) -> tuple[Duration | int, int, int]:
    return edge.duration, edge.sign, edge.plus

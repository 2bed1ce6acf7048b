"""What a node has to satisfy besides the types of its fields, so that it has a meaning and a spelling.

The parser never makes a node that breaks one of these; a document from somewhere else may.
"""

from __future__ import annotations

from segmentkit.dsl._check_constants import MAX_UNITS, MAX_YEARS, is_too_long
from segmentkit.dsl.predicates import (
    Absolute,
    And,
    AtLeast,
    Calendar,
    Call,
    Chain,
    Duration,
    In,
    InBox,
    InPolygon,
    Literal,
    Node,
    Or,
    Rank,
    Relative,
    SetTest,
    Step,
    TextTest,
    Today,
    Within,
)

__all__ = ["rule_of"]


def rule_of(node: Node | Step) -> str:  # noqa: C901  # one arm for each rule
    """Return the rule that a node breaks, or ""."""
    match node:
        case And(items) | Or(items) if len(items) < 2:
            return f"a connective joins two conditions or more, and this has {len(items)}"
        case AtLeast(count, items) if not items or not 0 <= count <= len(items):
            return f"'at least {count}' of {len(items)} conditions never decides anything"
        case In(_, ()) | TextTest(_, _, ()) | SetTest(_, _, ()) | Call(_, ()):
            return "the list is empty"
        case Literal(Duration() as duration):
            return _length(duration)
        case Relative(form, first, second):
            if (form == "between ago") != (second is not None):
                return "'second' goes with 'between ago', and only with it"
            return _length(first) or ("" if second is None else _length(second))
        case Calendar(_, first, last):
            if (first, last) in ((0, 0), (-1, -1), (1, 1)) or (first < last == -1) or (first == 1 < last):
                return "" if last - first < MAX_UNITS else f"the window has more than {MAX_UNITS:,} calendar units"
            return f"calendar units from {first} to {last} have no spelling: they begin or end at the current one"
        case Chain(steps) if len(steps) < 2:
            return f"a chain has two steps or more, and this has {len(steps)}"
        case Chain((first, *_)) if first.within is not None:
            return "the first step comes after nothing, so that it has no 'within'"
        case Chain(steps) if any(step.events.window is not None for step in steps):
            return "the window of a chain stands behind it, not in its steps"
        case Step(_, Duration() as within):
            return _length(within)
        case InPolygon(_, corners) if len(corners) < 3:
            return f"a polygon has three corners or more, and this has {len(corners)}"
        case Absolute(None, None):
            return "a window without 'start' and 'end' is left out"
        case Today(days) if not -1 <= days <= 1:
            return "'days' is -1, 0 or 1: yesterday, today, tomorrow"
        case Within(_, distance) if distance < 0:
            return "the distance is negative"
        case InBox(_, south, west, north, east):
            if not (-90 <= south <= north <= 90 and -180 <= west <= 180 and -180 <= east <= 180):
                return "a box has latitudes from -90 to 90, south first, and longitudes from -180 to 180"
        case Rank(_, count) if count < 0:
            return "the count is negative"
    return ""


def _length(duration: Duration) -> str:
    return f"the duration is longer than {MAX_YEARS:,} years" if is_too_long(duration) else ""

"""Windows of time by keyword: `last=days(30)`, `since=..., before=...`, `this="month"`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from segmentkit.errors import repr_of
from segmentkit.forms._build_written import SUM, Piece, Written, constant, length, misuse, text

__all__ = ["WINDOWS", "window"]

WINDOWS: Final[Mapping[str, str]] = {
    "last": 'days(30): in the last 30 days; "month": in last month; (3, "months"): the last 3 calendar months',
    "next": 'days(14): in the next 14 days; "month": in next month; (3, "months"): the next 3 calendar months',
    "this": '"month": in this month',
    "more_than_ago": "days(40): more than 40 days ago",
    "at_least_ago": "days(40): at least 40 days ago",
    "between_ago": "(days(30), days(60)): between 30 and 60 days ago",
    "more_than_from_now": "days(14): more than 14 days from now",
    "at_least_from_now": "days(14): at least 14 days from now",
    "since": "an instant or a date: from it on",
    "after": "an instant or a date: later than it; beside within, the object's own instant",
    "before": "an instant or a date: earlier than it; beside within, the object's own instant",
    "until": "an instant or a date: up to and with it",
    "between": "(start, end): from start to end, both in",
    "on": "a date: its civil day",
    "within": "days(30), beside after=attr.signup or before=attr.signup: anchored at the object's own instant",
    "zone": 'the time zone of all that, such as "Europe/Warsaw"',
}
"""The names that windows are made of, with what each one takes and says."""

_UNITS: Final = ("day", "week", "month", "quarter", "year")
_MOVING: Final = {
    "more_than_ago": "more than {} ago",
    "at_least_ago": "at least {} ago",
    "more_than_from_now": "more than {} from now",
    "at_least_from_now": "at least {} from now",
}


def window(bounds: Mapping[str, Any], operand: Callable[[Any], Written]) -> tuple[Piece, ...]:
    """Return the words of a window, each after a blank; nothing for no bounds.

    Raises:
        FilterTypeError: a name is unknown, names do not go together, or a bound is none.
    """
    unknown = sorted(bounds.keys() - WINDOWS.keys())
    if unknown:
        raise misuse(f"unknown window {repr_of(unknown[0])}", hint="known: " + ", ".join(WINDOWS))
    given = {name: bound for name, bound in bounds.items() if name != "zone"}
    zone: tuple[Piece, ...] = (f" in zone {text(bounds['zone'])}",) if "zone" in bounds else ()
    match sorted(given):
        case []:
            return zone
        case ["after" | "before" as side, "within"]:
            anchor = (operand(given[side]), SUM)
            return (f" within {length(given['within'])} {side} ", anchor, *zone)
        case [name] if name in _MOVING:
            return (" " + _MOVING[name].format(length(given[name])), *zone)
        case ["last" | "next" | "this" as name]:
            return (" " + _stretch(name, given[name]), *zone)
        case ["between_ago"]:
            first, second = _two(given["between_ago"], "between_ago")
            return (f" between {length(first)} and {length(second)} ago", *zone)
        case ["between"]:
            start, end = _two(given["between"], "between")
            return (" between ", (operand(start), SUM), " and ", (operand(end), SUM), *zone)
        case ["on"]:
            return (" on ", (operand(given["on"]), SUM), *zone)
        case names if set(names) <= {"since", "after", "before", "until"} and len(names) <= 2:
            pieces: list[Piece] = []
            for name in ("since", "after", "before", "until"):
                if name in given:
                    pieces += [f" {name} ", (operand(given[name]), SUM)]
            return (*pieces, *zone)
        case names:
            raise misuse(
                f"these do not make one window: {', '.join(names)}",
                hint="a window has one of them, or since and before",
            )


def _stretch(name: str, bound: Any) -> str:
    if isinstance(bound, str):
        if bound not in _UNITS:
            raise misuse(f"{repr_of(bound)} is no calendar unit", hint="it is one of " + ", ".join(_UNITS))
        return f"in {name} {bound}"
    if name == "this":
        raise misuse(f"this= takes a calendar unit such as 'month', got {repr_of(bound)}")
    if isinstance(bound, tuple):
        count, unit = _two(bound, name)
        single = unit.removesuffix("s") if isinstance(unit, str) else ""
        if type(count) is not int or count < 1 or single not in _UNITS:
            raise misuse(f"{name}= takes a number of calendar units such as (3, 'months'), got {repr_of(bound)}")
        return f"in the {name} {constant(count).text} calendar {single}s"
    return f"in the {name} {length(bound)}"


def _two(pair: Any, name: str) -> tuple[Any, Any]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise misuse(f"{name}= takes two bounds in a tuple, got {repr_of(pair)}")
    return pair[0], pair[1]

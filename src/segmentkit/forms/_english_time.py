"""Durations, instants and windows in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from segmentkit.dsl.predicates import Absolute, Calendar, Duration, Relative, Window
from segmentkit.values import from_micros

__all__ = ["duration", "instant", "window_of_events", "window_of_value"]


def duration(length: Duration) -> str:
    """Return `40 days`."""
    return f"{length.count:,} {length.unit}{'' if length.count == 1 else 's'}"


def instant(micros: int) -> str:
    """Return `22 November 2026 at 10:00 UTC`, with seconds only when there are any."""
    moment = from_micros(micros)
    clock = f"{moment:%H:%M}"
    if moment.second or moment.microsecond:
        clock += f":{moment:%S}"
    if moment.microsecond:
        clock += f".{moment.microsecond:06}".rstrip("0")
    return f"{moment.day} {moment:%B} {moment.year} at {clock} UTC"


def window_of_value(window: Relative | Calendar) -> str:
    """Return what is said of an instant that lies in a window: `was more than 40 days ago`."""
    if isinstance(window, Calendar):
        verb = "is" if window.last >= 0 else "was"
    else:
        verb = "is" if window.form in ("next", "more than from now", "at least from now") else "was"
    return f"{verb} {_moving(window)}{_zone(window.zone)}"


def window_of_events(window: Window, bounds: Mapping[int, str]) -> str:
    """Return a window behind events; `bounds` has the phrases of fixed bounds by their id."""
    match window:
        case Relative() | Calendar():
            return _moving(window) + _zone(window.zone)
        case Absolute():
            return _fixed(window, bounds) + _zone(window.zone)
        case _:
            assert_never(window)


def _moving(window: Relative | Calendar) -> str:
    if isinstance(window, Calendar):
        return _calendar(window)
    length = duration(window.duration)
    match window.form:
        case "last" | "next":
            return f"in the {window.form} {length}"
        case "between ago":
            first = f"{window.duration.count:,}"
            second = window.second or window.duration
            return f"from {first if second.unit == window.duration.unit else length} to {duration(second)} ago"
        case "more than ago" | "at least ago":
            return f"{window.form.removesuffix(' ago')} {length} ago"
        case "more than from now" | "at least from now":
            return f"{window.form.removesuffix(' from now')} {length} from now"
        case _:
            assert_never(window.form)


def _calendar(window: Calendar) -> str:
    unit, first, last = window.unit, window.first, window.last
    match unit, first, last:
        case "day", 0, 0:
            return "today"
        case "day", -1, -1:
            return "yesterday"
        case "day", 1, 1:
            return "tomorrow"
        case _, 0, 0:
            return f"in this calendar {unit}"
        case _, -1, -1:
            return f"in the last calendar {unit}"
        case _, 1, 1:
            return f"in the next calendar {unit}"
        case _ if last < 0:
            return f"in the last {-first:,} whole calendar {unit}s"
        case _:
            return f"in the next {last:,} whole calendar {unit}s"


def _fixed(window: Absolute, bounds: Mapping[int, str]) -> str:
    start = "" if window.start is None else bounds[id(window.start)]
    end = "" if window.end is None else bounds[id(window.end)]
    if start and window.start == window.end and window.until and not window.after:
        return f"on {start}"
    parts = []
    if start:
        parts.append(f"after {start}" if window.after else f"since {start}")
    if end:
        parts.append(f"up to {end}" if window.until else f"before {end}")
    return " and ".join(parts)


def _zone(zone: str | None) -> str:
    return "" if zone is None else f" (in the time zone {zone})"

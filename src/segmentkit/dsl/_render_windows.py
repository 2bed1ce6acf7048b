"""Windows and durations in words."""

from __future__ import annotations

from typing import assert_never

from segmentkit.dsl.predicates import Calendar, Duration, Relative

__all__ = ["write_calendar", "write_days", "write_length", "write_relative"]


def write_length(duration: Duration) -> str:
    return f"{duration.count} {duration.unit}{'' if duration.count == 1 else 's'}"


def write_relative(window: Relative) -> str:
    length = write_length(window.duration)
    match window.form:
        case "last" | "next":
            return f"in the {window.form} {length}"
        case "between ago":
            second = window.second
            if second is None:
                raise ValueError(f"{window!r} has no second duration, and 'between ago' needs one")
            first = str(window.duration.count) if window.duration.unit == second.unit else length
            return f"between {first} and {write_length(second)} ago"
        case "more than ago" | "at least ago":
            return f"{window.form.removesuffix(' ago')} {length} ago"
        case "more than from now" | "at least from now":
            return f"{window.form.removesuffix(' from now')} {length} from now"
        case _:
            assert_never(window.form)


def write_calendar(window: Calendar, of_events: bool) -> str:
    match window.unit, window.first, window.last:
        case "day", 0, 0 if of_events:
            return "today"
        case "day", -1, -1 if of_events:
            return "yesterday"
        case unit, 0, 0:
            return f"in this {unit}"
        case unit, -1, -1:
            return f"in last {unit}"
        case unit, 1, 1:
            return f"in next {unit}"
        case unit, first, -1 if first < -1:
            return f"in the last {-first} calendar {unit}s"
        case unit, 1, last if last > 1:
            return f"in the next {last} calendar {unit}s"
        case _:
            raise ValueError(f"{window!r} has no spelling: it neither begins nor ends at the current {window.unit}")


def write_days(window: Relative | Calendar) -> str:
    """Return the window of an anniversary, which may be tomorrow too."""
    if isinstance(window, Relative):
        return write_relative(window)
    if (window.unit, window.first, window.last) == ("day", 1, 1):
        return "tomorrow"
    return write_calendar(window, of_events=True)

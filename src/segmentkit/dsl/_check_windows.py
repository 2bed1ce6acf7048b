"""Windows of time: those that move with now, those of the calendar, and fixed bounds; and zones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from segmentkit import schema as _schema, values as types
from segmentkit.dsl import _literals
from segmentkit.dsl._check_constants import MAX_UNITS, check_amount, check_length
from segmentkit.dsl._check_types import arithmetic_type, described
from segmentkit.dsl._check_values import check_value
from segmentkit.dsl._scope import Scope, bare, nearest, span, words_of
from segmentkit.dsl.predicates import (
    Absolute,
    Arithmetic,
    ArithmeticOperator,
    Calendar,
    Duration,
    Literal,
    Relative,
    RelativeForm,
    Span,
    Value,
    Window,
)
from segmentkit.errors import SchemaError

if TYPE_CHECKING:
    from lark import Token, Tree

__all__ = ["check_between_ago", "check_stretch", "check_window", "check_zone", "zone_of"]

_AGO: dict[str, RelativeForm] = {"more than": "more than ago", "at least": "at least ago", "less than": "last"}
_FROM_NOW: dict[str, RelativeForm] = {
    "more than": "more than from now",
    "at least": "at least from now",
    "less than": "next",
}
_UNITS = {"this_unit": (0, 0), "last_unit": (-1, -1), "next_unit": (1, 1)}


# ------------------------------------------------------------------------------ zones


def zone_of(parts: Sequence[Any]) -> Tree[Token] | None:
    """Return the zone among the trees behind a condition."""
    return next((part for part in parts if part.data == "zone"), None)


def check_zone(tree: Tree[Token] | None, scope: Scope) -> str | None:
    """Return the name of a zone, or None if there is none or nobody knows it."""
    if tree is None:
        return None
    token: Any = tree.children[0]
    zone = _literals.read_text(str(token))
    try:
        _schema.check_zone(zone)
    except SchemaError:
        from zoneinfo import available_timezones

        near = nearest(zone, sorted(available_timezones()))
        hint = f"did you mean '{near}'?" if near else "use an IANA name such as 'Europe/Warsaw'"
        scope.report(token, f"unknown time zone '{zone}'", hint)
        return None
    return zone


# ---------------------------------------------------------------------------- windows


def check_stretch(tree: Tree[Token], zone: str | None, scope: Scope) -> Relative | Calendar | None:
    """Return a window that moves with now, or None after a report."""
    where = span(tree)
    match tree.data:
        case "last" | "next":
            length = check_length(tree.children[0], scope)  # type: ignore[arg-type]
            form: RelativeForm = "last" if tree.data == "last" else "next"
            return None if length is None else Relative(form, length, None, zone, span=where)
        case "ago" | "from_now":
            return _relative(tree, zone, scope)
        case "last_calendar" | "next_calendar":
            count = check_amount(tree.children[0], scope, "a number of calendar units")  # type: ignore[arg-type]
            unit = _calendar_unit(tree.children[1], scope)
            if count == 0:
                scope.report(tree.children[0], "a window has at least one calendar unit")
            if count is not None and count > MAX_UNITS:
                scope.report(tree.children[0], f"a window has at most {MAX_UNITS:,} calendar units")
                return None
            if not count or unit is None:
                return None
            first, last = (-count, -1) if tree.data == "last_calendar" else (1, count)
            return Calendar(unit, first, last, zone, span=where)
        case _:
            unit = _calendar_unit(tree.children[0], scope)
            return None if unit is None else Calendar(unit, *_UNITS[tree.data], zone, span=where)


def _calendar_unit(tree: Any, scope: Scope) -> Any:
    unit = words_of(tree).removesuffix("s")
    if unit in ("day", "week", "month", "quarter", "year"):
        return unit
    scope.report(tree, f"'{unit}' is no calendar unit", "use days, weeks, months, quarters or years")
    return None


def _relative(tree: Tree[Token], zone: str | None, scope: Scope) -> Relative | None:
    bound, tail = tree.children
    words, forms = words_of(bound), _AGO if tree.data == "ago" else _FROM_NOW  # type: ignore[arg-type]
    length = check_length(tail, scope)  # type: ignore[arg-type]
    form = forms.get(words)
    if form is None:
        which = "ago" if tree.data == "ago" else "from now"
        hint = f"write 'more than', 'at least' or 'less than ... {which}'"
        scope.report(bound, f"'{words}' does not go with '{which}'", hint)
        return None
    return None if length is None else Relative(form, length, None, zone, span=span(tree))


def check_between_ago(
    first: Tree[Token], second: Tree[Token], where: Span, zone: str | None, scope: Scope
) -> Relative | None:
    """Return the window `between 30 and 60 days ago`; the first unit may be left out."""
    far = _ago_length(second, None, scope)
    near = _ago_length(first, far, scope)
    if far is None or near is None:
        return None
    return Relative("between ago", near, far, zone, span=where)


def _ago_length(tree: Tree[Token], other: Duration | None, scope: Scope) -> Duration | None:
    """Return the duration of one side; a bare number has the unit of the other side."""
    tree = bare(tree)
    value = check_value(tree, scope, types.duration)
    if not isinstance(value, Literal):
        if value is not None:
            scope.report(tree, "expected a length of time, such as '60 days'")
        return None
    if isinstance(value.value, Duration):
        return check_length(tree, scope)
    if value.type.kind == "integer" and value.value >= 0 and other is not None:
        return Duration(value.value, other.unit)
    if value.type.kind != "integer" or value.value < 0 or not isinstance(other, Duration):
        hint = "" if value.type.kind != "integer" else f"say the unit, such as '{value.value} days'"
        scope.report(tree, "expected a length of time, such as '60 days'", hint)
    return None


def check_window(tree: Tree[Token], zone: str | None, scope: Scope) -> Window | None:
    """Return the window behind an event, or None after a report."""
    where = span(tree)
    match tree.data:
        case "window_today":
            return Calendar("day", 0, 0, zone, span=where)
        case "window_yesterday":
            return Calendar("day", -1, -1, zone, span=where)
        case "window_tomorrow":
            return Calendar("day", 1, 1, zone, span=where)
        case "window_between_ago":
            first, second = tree.children
            return check_between_ago(first, second, where, zone, scope)  # type: ignore[arg-type]
        case "window_between":
            low, high = (_bound(child, scope) for child in tree.children)
            return None if low is None or high is None else Absolute(low, high, until=True, zone=zone, span=where)
        case "window_on":
            day = _bound(tree.children[0], scope)
            if day is not None and day.type.kind != "date":
                scope.report(tree, "'on' takes a date", "an exact instant is 'between T and T'")
                return None
            return None if day is None else Absolute(day, day, until=True, zone=zone, span=where)
        case "window_bounds":
            return _bounds(tree, zone, scope)
        case "anchored":
            return _anchored(tree, zone, scope)
        case _:
            return check_stretch(tree, zone, scope)


def _bounds(tree: Tree[Token], zone: str | None, scope: Scope) -> Absolute | None:
    start = end = None
    after = until = failed = False
    for part in tree.children:
        word, operand = part.children  # type: ignore[union-attr]
        value = _bound(operand, scope)
        failed = failed or value is None
        if part.data == "from":  # type: ignore[union-attr]
            start, after = value, str(word).lower() == "after"
        else:
            end, until = value, str(word).lower() == "until"
    return None if failed else Absolute(start, end, after, until, zone, span=span(tree))


def _bound(tree: Any, scope: Scope) -> Value | None:
    value = check_value(tree, scope.bounding())
    if value is None:
        return None
    if value.type.kind not in ("instant", "date"):
        scope.report(tree, f"a window begins and ends at an instant or a date, not {described(value)}")
        return None
    return value


def _anchored(tree: Tree[Token], zone: str | None, scope: Scope) -> Absolute | None:
    """Return `within d after T`, which is `since T before T + d`; before it is `since T - d before T`."""
    length_tree, side, anchor_tree = tree.children
    length = check_length(length_tree, scope)  # type: ignore[arg-type]
    anchor = _bound(anchor_tree, scope)
    if length is None or anchor is None:
        return None
    operator: ArithmeticOperator = "+" if words_of(side) == "after" else "-"  # type: ignore[arg-type]
    step = Literal(length, types.duration, span=span(length_tree))
    result, why = arithmetic_type(operator, anchor, step)
    if result is None:
        scope.report(length_tree, f"{described(anchor)} is a whole day", why)
        return None
    moved = Arithmetic(operator, anchor, step, result, span=span(tree))
    first, last = (anchor, moved) if operator == "+" else (moved, anchor)
    return Absolute(first, last, zone=zone, span=span(tree))

"""What type results from what: arithmetic, functions, aggregates, comparisons.

Pure tables. Each returns a type, or None with the reason and what to write instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from segmentkit import values as types
from segmentkit.dsl._literals import quote_name, write_text
from segmentkit.dsl.predicates import Attribute, Literal, Path, Property, Value
from segmentkit.values import ValueType

__all__ = [
    "AGGREGATES",
    "FUNCTIONS",
    "RELATED_AGGREGATES",
    "aggregate_type",
    "arithmetic_type",
    "comparison_problem",
    "described",
    "function_type",
    "type_name",
]

Why: TypeAlias = tuple[str, str]
"""A message and a hint."""

AGGREGATES: Final = frozenset({"count", "sum", "avg", "min", "max", "median", "distinct", "days", "first", "last"})
RELATED_AGGREGATES: Final = ("avg", "count", "distinct", "max", "min", "sum")
FUNCTIONS: Final = (
    "abs", "coalesce", "day", "hour", "length", "lower", "month", "round", "size", "weekday", "year",
)  # fmt: skip

_NAMES: Final = {
    "text": "text",
    "integer": "an integer",
    "instant": "an instant",
    "text_set": "a set of text",
    "choice": "a choice",
}


def type_name(value_type: ValueType) -> str:
    """Return what values of a type are called: `a number`, `text`."""
    return _NAMES.get(value_type.kind, f"a {value_type.kind}")


def described(value: Value) -> str:
    """Return a value by its name and type, or only its type."""
    match value:
        case Attribute(name) | Property(name):
            return f"'{name}' ({type_name(value.type)})"
        case Path():
            names = _path_names(value)
            return f"'{'.'.join(names)}' ({type_name(value.type)})" if names else type_name(value.type)
        case _:
            return type_name(value.type)


def _path_names(path: Path) -> list[str]:
    """Return the names of a path that ends in an attribute, and none of another."""
    names = []
    value: Value = path
    while isinstance(value, Path):
        names.append(value.relation)
        value = value.value
    return [*names, value.name] if isinstance(value, Attribute) else []


# ------------------------------------------------------------------------- arithmetic


def arithmetic_type(operator: str, a: Value, b: Value) -> tuple[ValueType | None, str]:
    """Return the type of `a operator b`, or None and what to write instead."""
    if a.type.is_numeric and b.type.is_numeric:
        return (types.number if "number" in (a.type.kind, b.type.kind) else types.decimal), ""
    adds = operator in "+-"
    match a.type.kind, b.type.kind:
        case "instant", "duration" if adds:
            return types.instant, ""
        case "date", "duration" if adds:
            whole = isinstance(b, Literal) and b.value.unit in ("day", "week", "month", "year")
            return (types.date, "") if whole else (None, "a date moves by days, weeks, months or years")
        case "duration", "duration" if adds:
            if is_exact(a) and is_exact(b):
                return types.duration, ""
            return None, "months and years have no fixed length; add them to an instant, one after the other"
        case "instant", "instant" if operator == "-":
            return types.duration, ""
        case "duration", "instant" | "date" if operator == "+":
            return None, "write the instant or date first, such as 'signup + 7 days'"
        case "date", "date" if operator == "-":
            return None, "compare dates with each other, such as 'renewal < today + 40 days'"
    if "duration" in (a.type.kind, b.type.kind) and (a.type.is_numeric or b.type.is_numeric):
        return None, "a length of time has a unit, such as '7 days'"
    return None, "arithmetic takes numbers, instants and durations"


def is_exact(value: Value) -> bool:
    """Return whether a duration has a fixed length: it is not so many months or years."""
    return not (isinstance(value, Literal) and value.value.months)


# -------------------------------------------------------------------------- functions


def function_type(function: str, arguments: Sequence[Value]) -> tuple[ValueType | None, Why]:
    """Return the type of a function of arguments."""
    if function == "coalesce":
        return _coalesce_type(arguments)
    if len(arguments) != 1:
        return None, (f"'{function}' takes one argument, got {len(arguments)}", "")
    value = arguments[0]
    kind = value.type.kind
    match function:
        case "length" | "lower":
            hint = "'size' counts the members of a set" if (function, kind) == ("length", "text_set") else ""
            result, expected = (types.integer if function == "length" else types.text), "text"
            fits = value.type.is_text
        case "abs" | "round":
            result, expected, hint = (value.type if function == "abs" else types.integer), "a number", ""
            fits = value.type.is_numeric
        case "size":
            hint = "'length' counts the characters of a text" if value.type.is_text else ""
            result, expected, fits = types.integer, "a set of text", kind == "text_set"
        case "hour":
            result, expected, hint, fits = types.integer, "an instant", "", kind == "instant"
        case _:
            result, expected, hint, fits = types.integer, "a date or an instant", "", kind in ("date", "instant")
    return (result, ("", "")) if fits else (None, (f"'{function}' takes {expected}, not {described(value)}", hint))


def _coalesce_type(arguments: Sequence[Value]) -> tuple[ValueType | None, Why]:
    if len(arguments) < 2:
        return None, ("'coalesce' takes two values or more", "write 'coalesce(v, what to take if v is missing)'")
    first = arguments[0]
    if first.type.kind == "text_set":
        return None, ("a set is never missing", "a missing set is the empty set")
    for value in arguments[1:]:
        if not _is_alike(first.type, value.type):
            message = f"'coalesce' takes values of one type, not {described(first)} and {described(value)}"
            return None, (message, "")
        if not is_exact_duration(value):
            return None, ("'coalesce' takes no months or years", "give a length of time in days")
    kinds = {value.type for value in arguments}
    if len(kinds) == 1:
        return first.type, ("", "")
    if first.type.is_text:
        return types.text, ("", "")
    return (types.number if types.number in kinds else types.decimal), ("", "")


def _is_alike(a: ValueType, b: ValueType) -> bool:
    """Return whether two types are one for `coalesce`: the same, both numeric, or both text."""
    return a.kind == b.kind or (a.is_numeric and b.is_numeric) or (a.is_text and b.is_text)


def is_exact_duration(value: Value) -> bool:
    """Return whether a value is anything but so many months or years."""
    return value.type.kind != "duration" or is_exact(value)


# ------------------------------------------------------------------------- aggregates


def aggregate_type(
    function: str, value_type: ValueType | None, what: str = "events", example: str = "event.property"
) -> tuple[ValueType | None, Why]:
    """Return the type of an aggregate over a property, or over the events when `value_type` is None.

    `what` there are many of, and an `example` of a property, for messages.
    """
    if function in ("count", "days"):
        if value_type is None:
            return types.integer, ("", "")
        counted, taken = what if function == "count" else "days", "property" if what == "events" else "value"
        return None, (f"'{function}' counts {counted} and takes no {taken}", "")
    if value_type is None:
        if function in ("first", "last"):
            return types.instant, ("", "")
        return None, (
            f"'{function}' needs {'a property' if what == 'events' else 'a value of each object'}",
            f"write '{function}({example})'",
        )
    if function == "distinct":
        fits, result = value_type.kind != "text_set", types.integer
    elif function in ("first", "last"):
        fits, result = value_type.kind != "text_set", value_type
    elif function in ("min", "max"):
        fits, result = value_type.is_numeric or value_type.kind in ("instant", "date"), value_type
    elif function == "sum":
        fits, result = value_type.is_numeric, value_type
    else:
        fits, result = value_type.is_numeric, types.number if value_type.kind == "number" else types.decimal
    return (result, ("", "")) if fits else (None, (f"'{function}' cannot be taken of {type_name(value_type)}", ""))


# ------------------------------------------------------------------------ comparisons


def comparison_problem(operator: str, a: Value, b: Value) -> Why | None:
    """Return why two values cannot be compared, or None if they can."""
    kinds = {a.type.kind, b.type.kind}
    if "text_set" in kinds:
        return (
            "a set cannot be compared",
            "ask with 'has', such as 'tags has \"vip\"', 'has any of (...)', 'is empty'",
        )
    if "point" in kinds:
        return ("a point cannot be compared", "ask with 'within 25 km of (lat, lon)' or 'in box (...)'")
    if kinds == {"boolean"}:
        if operator in ("=", "!=", "in"):
            return None
        return ("true and false have no order", "compare them with '=', or write the name alone")
    if kinds == {"duration"}:
        if is_exact(a) and is_exact(b):
            return None
        return ("months and years have no fixed length", "compare instants: 'signup < now - 1 month'")
    numbers, texts = (all(getattr(v.type, f) for v in (a, b)) for f in ("is_numeric", "is_text"))
    if numbers or texts or kinds <= {"instant", "date"}:
        return None
    return f"cannot compare {described(a)} with {described(b)}", _comparison_hint(a, b)


def _comparison_hint(a: Value, b: Value) -> str:
    """Return what was probably meant, from the declared side and the literal."""
    for named, other in ((a, b), (b, a)):
        if not isinstance(other, Literal):
            continue
        kind, name = (
            named.type.kind,
            f"'{named.name}' " if isinstance(named, Attribute | Property) else "the other side ",
        )
        verb = "is declared as" if isinstance(named, Attribute | Property) else "is"
        value = other.value
        if other.type.kind == "text":
            if named.type.is_numeric and _is_number(value):
                return f"{name}{verb} {type_name(named.type)}; write {value} without quotes"
            if kind in ("instant", "date") and value[:1].isdigit():
                return f"{name}{verb} {type_name(named.type)}; write {value} without quotes"
            if kind == "boolean" and value.lower() in ("true", "false", "yes", "no"):
                return f"{name}{verb} a boolean; write {'true' if value.lower() in ('true', 'yes') else 'false'}"
        if named.type.is_text and other.type.is_numeric:
            return f"{name}{verb} {type_name(named.type)}; write {write_text(str(value))} in quotes"
        if kind == "boolean" and other.type.is_numeric and value in (0, 1):
            return f"{name}{verb} a boolean; write {'true' if value else 'false'}"
        if kind == "instant" and other.type.kind == "duration":
            unit = f"{value.count} {value.unit}s"
            return f"write 'more than {unit} ago' or 'in the last {unit}'"
        if kind == "duration" and other.type.is_numeric:
            return f"say the unit, such as '{value} days'"
        if isinstance(named, Attribute | Property):
            return f"'{quote_name(named.name)}' {verb} {type_name(named.type)}"
    return ""


def _is_number(text: str) -> bool:
    try:
        types.decimal.convert(text)
    except ValueError:
        return False
    return True

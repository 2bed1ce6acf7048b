"""A schema as plain data: what a filter panel can offer, and how each choice is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from segmentkit.dsl._check_types import AGGREGATES, FUNCTIONS, aggregate_type
from segmentkit.dsl._literals import quote_name
from segmentkit.schema import EventType, ObjectType, Relation, Schema
from segmentkit.values import ValueType

__all__ = ["described"]

VERSION: Final = 1

_NUMBERS: Final = ("integer", "number", "decimal")
_TEXTS: Final = ("text", "choice")
_TIMES: Final = ("instant", "date")
_ORDERED: Final = (*_NUMBERS, *_TEXTS, *_TIMES)
_KNOWN: Final = (*_ORDERED, "boolean", "point")

_OPERATORS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "is true": (("boolean",), "{value}"),
    "is not true": (("boolean",), "not {value}"),
    "=": ((*_ORDERED, "boolean"), "{value} = {constant}"),
    "!=": ((*_ORDERED, "boolean"), "{value} != {constant}"),
    "<": (_ORDERED, "{value} < {constant}"),
    "<=": (_ORDERED, "{value} <= {constant}"),
    ">": (_ORDERED, "{value} > {constant}"),
    ">=": (_ORDERED, "{value} >= {constant}"),
    "between": (_ORDERED, "{value} between {constant} and {constant}"),
    "in": (_ORDERED, "{value} in ({constants})"),
    "not in": (_ORDERED, "{value} not in ({constants})"),
    "is missing": (_KNOWN, "{value} is missing"),
    "is known": (_KNOWN, "{value} is known"),
    "= ignoring case": (("text",), "{value} = {text} ignoring case"),
    "contains": (_TEXTS, "{value} contains {text}"),
    "contains any of": (_TEXTS, "{value} contains any of ({texts})"),
    "starts with": (_TEXTS, "{value} starts with {text}"),
    "ends with": (_TEXTS, "{value} ends with {text}"),
    "matches": (_TEXTS, "{value} matches {pattern}"),
    "has": (("text_set",), "{value} has {text}"),
    "has any of": (("text_set",), "{value} has any of ({texts})"),
    "has all of": (("text_set",), "{value} has all of ({texts})"),
    "has none of": (("text_set",), "{value} has none of ({texts})"),
    "is empty": (("text_set",), "{value} is empty"),
    "is not empty": (("text_set",), "not {value} is empty"),
    "size at least": (("text_set",), "size({value}) >= {count}"),
    "within distance": (("point",), "{value} within {distance} of {point}"),
    "in box": (("point",), "{value} in box ({south}, {west}, {north}, {east})"),
    "in polygon": (("point",), "{value} in polygon ({points})"),
    "more than ago": (_TIMES, "{value} more than {length} ago"),
    "in the last": (_TIMES, "{value} in the last {length}"),
    "between ago": (_TIMES, "{value} between {length} and {length} ago"),
    "in the next": (_TIMES, "{value} in the next {length}"),
    "more than from now": (_TIMES, "{value} more than {length} from now"),
    "before": (_TIMES, "{value} before {constant}"),
    "after": (_TIMES, "{value} after {constant}"),
    "since": (_TIMES, "{value} since {constant}"),
    "until": (_TIMES, "{value} until {constant}"),
    "on": (_TIMES, "{value} on {day}"),
    "in this": (_TIMES, "{value} in this {calendar_unit}"),
    "in last": (_TIMES, "{value} in last {calendar_unit}"),
    "in next": (_TIMES, "{value} in next {calendar_unit}"),
    "in the last calendar units": (_TIMES, "{value} in the last {count} calendar {calendar_units}"),
    "anniversary in the next": (_TIMES, "{value} anniversary in the next {length}"),
    "anniversary today": (_TIMES, "{value} anniversary today"),
}
"""Each operator with the kinds of values that it is asked of, and how it is written."""

_COUNTS: Final = {
    "did": "did {event}",
    "did not": "did not {event}",
    "at least": "did {event} at least {count} times",
    "at most": "did {event} at most {count} times",
    "exactly": "did {event} exactly {count} times",
    "more than": "did {event} more than {count} times",
    "fewer than": "did {event} fewer than {count} times",
    "between": "did {event} between {count} and {count} times",
    "on at least days": "did {event} on at least {count} days",
}
_WINDOWS: Final = {
    "in the last": "in the last {length}",
    "more than ago": "more than {length} ago",
    "between ago": "between {length} and {length} ago",
    "since": "since {time}",
    "before": "before {time}",
    "between": "between {time} and {time}",
    "on": "on {day}",
    "today": "today",
    "in this": "in this {calendar_unit}",
    "in last": "in last {calendar_unit}",
    "in the last calendar units": "in the last {count} calendar {calendar_units}",
}
_OPERANDS: Final = {
    "constant": "a constant of the type of the value",
    "constants": "constants of the type of the value, with commas between",
    "text": "text in quotes",
    "texts": "texts in quotes, with commas between",
    "pattern": "a regular expression in quotes",
    "count": "a whole number",
    "length": "a number and a unit of `units.length`, such as 40 days",
    "distance": "a number and a unit of `units.distance`, such as 25 km",
    "point": "latitude and longitude in parentheses, such as (52.23, 21.01)",
    "points": "three points or more, with commas between",
    "south": "a latitude",
    "west": "a longitude",
    "north": "a latitude",
    "east": "a longitude",
    "time": "an instant such as 2026-11-22T10:00:00Z, or a date",
    "day": "a date such as 2026-11-22, or today",
    "calendar_unit": "one of `units.calendar`",
    "calendar_units": "one of `units.calendar`, in the plural",
    "event": "the name of an event, perhaps with a filter of its properties in brackets: purchase[amount > 10]",
}
_UNITS: Final = {
    "length": ["second", "minute", "hour", "day", "week", "month", "year"],
    "calendar": ["day", "week", "month", "quarter", "year"],
    "distance": ["m", "km", "mi"],
}
_FUNCTIONS: Final = {
    "abs": _NUMBERS, "round": _NUMBERS, "length": _TEXTS, "lower": _TEXTS, "size": ("text_set",), "hour": ("instant",),
    "year": _TIMES, "month": _TIMES, "day": _TIMES, "weekday": _TIMES, "coalesce": (*_ORDERED, "boolean"),
}  # fmt: skip


def described(schema: Schema) -> dict[str, Any]:
    """Return the description of a schema; see `segmentkit.describe`."""
    return {
        "version": VERSION,
        "zone": schema.zone,
        "types": {name: _object_type(object_type) for name, object_type in schema.types.items()},
        "operators": {name: {"of": list(kinds), "template": text} for name, (kinds, text) in _OPERATORS.items()},
        "counts": dict(_COUNTS),
        "windows": dict(_WINDOWS),
        "functions": {
            name: {
                "of": list(_FUNCTIONS[name]),
                "template": f"{name}({{value}}{', {constant}' * (name == 'coalesce')})",
            }
            for name in FUNCTIONS
            if name in _FUNCTIONS
        },
        "operands": dict(_OPERANDS),
        "units": {kind: list(units) for kind, units in _UNITS.items()},
    }


def _object_type(object_type: ObjectType) -> dict[str, Any]:
    return {
        "attributes": _fields(object_type.attributes),
        "events": {name: _event(event) for name, event in object_type.events.items()},
        "relations": {name: _relation(name, relation) for name, relation in object_type.relations.items()},
    }


def _fields(fields: Mapping[str, ValueType]) -> dict[str, Any]:
    return {name: _field(name, value_type) for name, value_type in fields.items()}


def _field(name: str, value_type: ValueType) -> dict[str, Any]:
    """Return how a field is written, its type, its choices (None: any value), and the operators that go with it."""
    operators = [operator for operator, (kinds, _) in _OPERATORS.items() if value_type.kind in kinds]
    choices = list(value_type.choices) if value_type.kind == "choice" else None
    return {"text": quote_name(name), "type": value_type.kind, "choices": choices, "operators": operators}


def _event(event: EventType) -> dict[str, Any]:
    return {
        "text": quote_name(event.name),
        "properties": {
            name: {**_field(name, value_type), "aggregates": _aggregates(value_type)}
            for name, value_type in event.properties.items()
        },
        "aggregates": _aggregates(None),
    }


def _aggregates(value_type: ValueType | None) -> list[str]:
    return [name for name in sorted(AGGREGATES) if aggregate_type(name, value_type)[0] is not None]


def _relation(name: str, relation: Relation) -> dict[str, Any]:
    return {"text": quote_name(name), "to": relation.target, "cardinality": relation.cardinality}

"""The JSON Schema of filters, made from the same table as reader and writer.

`filter.schema.json` is what `json_schema` gives, written down so that hosts in other languages
can take it; a test keeps the two equal.
"""

from __future__ import annotations

from typing import Any, Final

from segmentkit.forms._json import VERSION
from segmentkit.forms._scalars import KINDS, MAX_COUNT, UNITS
from segmentkit.forms._shapes import CONDITIONS, VALUES, WINDOWS, Field, shapes, tag_of

__all__ = ["published_schema"]

_INTEGER: Final = {"type": ["integer", "string"], "pattern": "^-?[0-9]+$"}
_DECIMAL: Final = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}

_SCALARS: Final[dict[str, dict[str, Any]]] = {
    "boolean": {"type": "boolean"},
    "count": {"type": "integer", "minimum": -MAX_COUNT, "maximum": MAX_COUNT},
    "double": {"type": "number"},
    "amount": {"anyOf": [{"type": "number"}, _DECIMAL]},
    "text": {"type": "string"},
    "name": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^`\\n]+$"},
    "zone": {"type": "string", "description": "IANA name, such as Europe/Warsaw"},
    "point": {
        "type": "array",
        "description": "latitude and longitude in degrees",
        "prefixItems": [
            {"type": "number", "minimum": -90, "maximum": 90},
            {"type": "number", "minimum": -180, "maximum": 180},
        ],
        "minItems": 2,
        "items": False,
    },
    "duration": {
        "type": "object",
        "properties": {"count": {"type": "integer", "minimum": 0, "maximum": MAX_COUNT}, "unit": {"enum": list(UNITS)}},
        "required": ["count", "unit"],
        "additionalProperties": False,
    },
    "type": {
        "anyOf": [
            {"enum": list(KINDS)},
            {
                "type": "object",
                "properties": {"choice": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
                "required": ["choice"],
                "additionalProperties": False,
            },
        ]
    },
    "constant": {},
}

_CONSTANTS: Final[dict[str, dict[str, Any]]] = {
    "text": {"type": "string"},
    "integer": _INTEGER,
    "number": {"type": "number"},
    "decimal": _DECIMAL,
    "boolean": {"type": "boolean"},
    "instant": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]+([Zz]|[+-][0-9]{2}:[0-9]{2})$"},
    "date": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    "duration": {"$ref": "#/$defs/duration"},
}


def published_schema() -> dict[str, Any]:
    """Return the schema of a whole document."""
    unions = {"condition": CONDITIONS, "value": VALUES, "window": WINDOWS}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:segmentkit:filter:1",
        "title": "A segmentkit filter",
        "type": "object",
        "properties": {"version": {"const": VERSION}, "filter": {"$ref": "#/$defs/condition"}},
        "required": ["version", "filter"],
        "additionalProperties": False,
        "$defs": {name: _any_of(nodes) for name, nodes in unions.items()}
        | {name: scalar for name, scalar in _SCALARS.items() if name != "constant"}
        | {f"node_{tag_of(node)}": _node(node, fields) for node, fields in shapes().items()},
    }


def _any_of(nodes: frozenset[type]) -> dict[str, Any]:
    return {"anyOf": [{"$ref": f"#/$defs/node_{tag}"} for tag in sorted(map(tag_of, nodes))]}


def _node(node: type, fields: tuple[Field, ...]) -> dict[str, Any]:
    meaning = (node.__doc__ or "").partition("\n\n")[0].replace("\n    ", " ")
    found: dict[str, Any] = {
        "description": meaning,
        "type": "object",
        "properties": {"node": {"const": tag_of(node)}} | {field.name: _field(field) for field in fields},
        "required": ["node", *(field.name for field in fields if _is_needed(node, field))],
        "additionalProperties": False,
    }
    if any(field.kind == "constant" for field in fields):
        found["oneOf"] = [
            {"properties": {"type": {"const": kind}, "value": constant}} for kind, constant in _CONSTANTS.items()
        ] + [{"properties": {"type": {"type": "object"}, "value": {"type": "string"}}}]
    return found


def _is_needed(node: type, field: Field) -> bool:
    """Return whether a key is there in every document; a schema may give all types but those of literals."""
    return field.required and not field.optional and (field.kind != "type" or tag_of(node) == "literal")


def _field(field: Field) -> dict[str, Any]:
    if field.kind == "word":
        one: dict[str, Any] = {"enum": list(field.words)}
    elif field.kind == "constant":
        one = {}
    elif not field.nodes:
        one = {"$ref": f"#/$defs/{field.kind}"}
    else:
        one = _union(field.nodes)
    if field.many:
        return {"type": "array", "items": one, "minItems": 1}
    return {"anyOf": [one, {"type": "null"}]} if field.optional else one


def _union(nodes: frozenset[type]) -> dict[str, Any]:
    for name, known in (("condition", CONDITIONS), ("value", VALUES), ("window", WINDOWS)):
        if nodes == known:
            return {"$ref": f"#/$defs/{name}"}
    return _any_of(nodes)

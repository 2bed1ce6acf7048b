"""Schemas as TOML files.

::

    zone = "Europe/Warsaw"                        # default "UTC"

    [types.contact.attributes]
    orders = "integer"
    plan = ["free", "pro"]                        # a choice

    [types.contact.events.purchase]
    amount = "decimal"

    [types.contact.relations]
    company = { one = "company" }
    deals = { many = "deal", via = "contact" }

Everything wrong with a file is a `SchemaError` that names the file and the place in it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from segmentkit import values as _values
from segmentkit.cli._failure import Failure, suggestion
from segmentkit.errors import SchemaError
from segmentkit.schema import ObjectType, Relation, Schema, many, one
from segmentkit.values import ValueType, choice

MAX_LEVELS: Final = 20
"""How deep tables and lists of a file may be nested; a schema needs five."""
_TOO_DEEP: Final = f"tables and lists are nested more than {MAX_LEVELS} deep"

_TYPES: Mapping[str, ValueType] = {
    value_type.kind: value_type
    for value_type in (
        _values.text,
        _values.integer,
        _values.number,
        _values.decimal,
        _values.boolean,
        _values.instant,
        _values.date,
        _values.text_set,
        _values.point,
    )
}


def read_schema(path: Path) -> Schema:
    """Return the schema that the file declares.

    Raises:
        SchemaError: the file says something else than a schema.
        Failure: the file cannot be read, or is not TOML.
    """
    document = read_toml(path)
    try:
        return schema_from(document)
    except SchemaError as error:
        raise SchemaError(f"{path}: {error}") from None


def read_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file; a Failure names the file and the line."""
    try:
        document = tomllib.loads(path.read_text("utf-8-sig"))
    except RecursionError:  # the reader of the standard library goes down by calling itself
        raise Failure(f"{path}: {_TOO_DEEP}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Failure(f"{path}: not a TOML file: {error}") from None
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror or error}") from None
    if _is_deeper(document, MAX_LEVELS):
        raise Failure(f"{path}: {_TOO_DEEP}")
    return document


def _is_deeper(document: object, levels: int) -> bool:
    """Return whether tables and lists stand in each other more than so many levels deep."""
    layer = [document]
    for _ in range(levels + 1):
        inner = [list(found.values()) if isinstance(found, dict) else found for found in layer]
        layer = [item for found in inner if isinstance(found, list) for item in found]
        if not layer:
            return False
    return True


def schema_from(document: Mapping[str, Any]) -> Schema:
    """Return the schema of a TOML document that has been read.

    >>> schema = schema_from({"types": {"contact": {"attributes": {"orders": "integer"}}}})
    >>> schema.type("contact").attributes["orders"]
    integer
    """
    _check_keys("the schema", document, ("zone", "types"))
    types = _table("types", document.get("types", {}))
    if not types:
        raise SchemaError("no object types; declare one as [types.contact.attributes]")
    return Schema(*(_object_type(name, table) for name, table in types.items()), zone=document.get("zone", "UTC"))


def _object_type(name: str, document: object) -> ObjectType:
    where = f"types.{name}"
    table = _table(where, document)
    _check_keys(where, table, ("attributes", "events", "relations"))
    events = _table(f"{where}.events", table.get("events", {}))
    return ObjectType(
        name,
        attributes=_fields(f"{where}.attributes", table.get("attributes", {})),
        events={event: _fields(f"{where}.events.{event}", properties) for event, properties in events.items()},
        relations={
            relation: _relation(f"{where}.relations.{relation}", target)
            for relation, target in _table(f"{where}.relations", table.get("relations", {})).items()
        },
    )


def _fields(where: str, document: object) -> dict[str, ValueType]:
    return {name: _value_type(f"{where}.{name}", spelling) for name, spelling in _table(where, document).items()}


def _value_type(where: str, spelling: object) -> ValueType:
    if isinstance(spelling, list):
        try:
            return choice(*spelling)
        except SchemaError as error:
            raise SchemaError(f"{where}: {error}") from None
    found = _TYPES.get(spelling) if isinstance(spelling, str) else None
    if found is None:
        hint = suggestion(spelling, _TYPES) if isinstance(spelling, str) else ""
        raise SchemaError(f"{where}: expected one of {', '.join(_TYPES)}, or a list of choices; got {spelling!r}{hint}")
    return found


def _relation(where: str, document: object) -> Relation:
    match document:
        case {"one": str(target), **rest} if not rest:
            return one(target)
        case {"many": str(target), "via": str(via), **rest} if not rest:
            return many(target, via=via)
    raise SchemaError(f"{where}: expected {{ one = TYPE }} or {{ many = TYPE, via = RELATION }}, got {document!r}")


def _table(where: str, document: object) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise SchemaError(f"{where}: expected a table, got {document!r}")
    return document


def _check_keys(where: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            raise SchemaError(f"{where}: unknown key {key!r}{suggestion(key, known)} (known: {', '.join(known)})")

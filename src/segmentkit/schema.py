"""What a host declares: object types, attributes, events, relations, and the zone.

A `Schema` is what filters are checked against and what facts are converted by (`values`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

import attrs

from segmentkit.errors import SchemaError, repr_of
from segmentkit.values import ValueType, is_text

__all__ = ["EventType", "ObjectType", "Relation", "Schema", "many", "one"]


@attrs.frozen
class Relation:
    """A link to objects of another type: `one` stores an id, `many` is the other side of a `one`."""

    target: str
    cardinality: Literal["one", "many"]
    via: str | None = None


def one(target: str) -> Relation:
    """Return a to-one relation: each object may point to one object of type `target`."""
    return Relation(target, "one")


def many(target: str, *, via: str) -> Relation:
    """Return a to-many relation: all objects of type `target` whose `via` points here."""
    return Relation(target, "many", via)


@attrs.frozen
class EventType:
    """A kind of event: its name and its typed properties."""

    name: str
    properties: Mapping[str, ValueType]

    def __reduce__(self) -> tuple[Any, ...]:  # as for `Schema`
        return _event_type, (self.name, dict(self.properties))


def _frozen(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(mapping))


@attrs.frozen(init=False, eq=False)
class ObjectType:
    """A type of object: its attributes, its events and its relations, each by name.

    Args:
        name: such as "contact".
        attributes: type of each attribute.
        events: properties of each event that objects of the type can have.
        relations: `one(...)` or `many(...)` for each relation.

    Raises:
        SchemaError: a name is empty or stands for two things, or a type is not a type.
    """

    name: str
    attributes: Mapping[str, ValueType]
    events: Mapping[str, EventType]
    relations: Mapping[str, Relation]

    def __init__(
        self,
        name: str,
        attributes: Mapping[str, ValueType] | None = None,
        events: Mapping[str, Mapping[str, ValueType]] | None = None,
        relations: Mapping[str, Relation] | None = None,
    ) -> None:
        _check_name("an object type", name)
        for what, declared in (("attributes", attributes), ("events", events), ("relations", relations)):
            _check_mapping(f"{what} of {name!r}", {} if declared is None else declared)
        _check_fields(f"attribute of {name!r}", attributes or {})
        for event, properties in (events or {}).items():
            _check_name(f"an event of {name!r}", event)
            _check_mapping(f"properties of event {event!r}", properties)
            _check_fields(f"property of event {event!r}", properties)
        for relation, target in (relations or {}).items():
            _check_name(f"a relation of {name!r}", relation)
            if not isinstance(target, Relation):
                raise SchemaError(
                    f"relation {relation!r} of {name!r}: expected one(...) or many(...), got {repr_of(target)}"
                )
            if relation in (attributes or {}):
                raise SchemaError(f"{relation!r} of {name!r} is declared as an attribute and as a relation")
            if relation in (events or {}):
                raise SchemaError(f"{relation!r} of {name!r} is declared as an event and as a relation")
        self.__attrs_init__(
            name,
            _frozen(attributes or {}),
            _frozen({e: EventType(e, _frozen(p)) for e, p in (events or {}).items()}),
            _frozen(relations or {}),
        )

    def __reduce__(self) -> tuple[Any, ...]:  # as for `Schema`
        events = {name: dict(event.properties) for name, event in self.events.items()}
        return ObjectType, (self.name, dict(self.attributes), events, dict(self.relations))


def _schema(types: tuple[ObjectType, ...], zone: str) -> Schema:
    return Schema(*types, zone=zone)


def _event_type(name: str, properties: Mapping[str, ValueType]) -> EventType:
    return EventType(name, _frozen(properties))


def _check_name(what: str, name: object) -> None:
    if not is_text(name) or not name or len(name) > 200 or "`" in name or "\n" in name:
        raise SchemaError(
            f"{what} needs a name of 1 to 200 characters without backtick or line break, got {repr_of(name)}"
        )


def _check_mapping(what: str, declared: object) -> None:
    if not isinstance(declared, Mapping):
        raise SchemaError(f"{what}: expected a mapping by name, got {repr_of(declared)} ({type(declared).__name__})")


def _check_fields(what: str, fields: Mapping[str, ValueType]) -> None:
    for name, value_type in fields.items():
        _check_name(f"an {what}" if what[0] == "a" else f"a {what}", name)
        if not isinstance(value_type, ValueType) or value_type.kind == "duration":
            raise SchemaError(f"{what} {name!r}: expected a type such as segmentkit.text, got {repr_of(value_type)}")


@attrs.frozen(init=False, eq=False)
class Schema:
    """All object types of a host, and the zone in which days begin where no rule names another.

    Args:
        *types: the object types.
        zone: IANA name, such as "Europe/Warsaw".

    Raises:
        SchemaError: two types share a name, a relation leads nowhere, or the zone is unknown.

    >>> from segmentkit.values import integer
    >>> schema = Schema(ObjectType("contact", {"orders": integer}), zone="Europe/Warsaw")
    >>> schema.type("contact").attributes["orders"]
    integer
    """

    types: Mapping[str, ObjectType]
    zone: str

    def __init__(self, *types: ObjectType, zone: str = "UTC") -> None:
        by_name: dict[str, ObjectType] = {}
        for object_type in types:
            if not isinstance(object_type, ObjectType):
                raise SchemaError(f"expected an ObjectType, got {repr_of(object_type)}")
            if object_type.name in by_name:
                raise SchemaError(f"object type {object_type.name!r} is declared twice")
            by_name[object_type.name] = object_type
        for object_type in types:
            for name, relation in object_type.relations.items():
                _check_relation(by_name, object_type, name, relation)
        check_zone(zone)
        self.__attrs_init__(_frozen(by_name), zone)

    def __reduce__(self) -> tuple[Any, ...]:  # mappings that nobody can change cannot be copied or pickled
        return _schema, (tuple(self.types.values()), self.zone)

    def type(self, name: str) -> ObjectType:
        """Return the object type called `name`; SchemaError if there is none."""
        try:
            return self.types[name]
        except (KeyError, TypeError):
            raise SchemaError(f"no object type {repr_of(name)}; declared: {', '.join(sorted(self.types))}") from None


def _check_relation(types: Mapping[str, ObjectType], owner: ObjectType, name: str, relation: Relation) -> None:
    where = f"relation {name!r} of {owner.name!r}"
    target = types.get(relation.target) if isinstance(relation.target, str) else None
    if target is None:
        raise SchemaError(f"{where} leads to {repr_of(relation.target)}, which is not declared")
    if relation.cardinality == "many":
        back = target.relations.get(relation.via) if isinstance(relation.via, str) else None
        if back is None or back.cardinality != "one" or back.target != owner.name:
            expected = f"a one({owner.name!r}) relation of {target.name!r}"
            raise SchemaError(f"{where} goes via {repr_of(relation.via)}, which is not {expected}")


def check_zone(zone: str) -> None:
    """Raise SchemaError unless `zone` is the IANA name of a time zone."""
    from zoneinfo import ZoneInfo

    try:
        if not isinstance(zone, str):
            raise ValueError
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise SchemaError(f"unknown time zone {repr_of(zone)}; use an IANA name such as 'Europe/Warsaw'") from None


def names(items: Iterable[str]) -> str:
    """Return quoted names, sorted and joined, for messages; of very many the first ones."""
    quoted = sorted(repr(item) for item in items)
    more = [f"and {len(quoted) - _MOST_NAMES:,} more"] if len(quoted) > _MOST_NAMES else []
    return ", ".join([*quoted[:_MOST_NAMES], *more])


_MOST_NAMES: Final = 20

"""What a host declares: object types, attributes, events, relations, and the zone.

A `Schema` is what filters are checked against and what facts are converted by. Values
pass `ValueType.convert` once, at the door; behind it everything is in one plain form:

==========  ==========================================  =============================
type        accepted from the host                      plain form
==========  ==========================================  =============================
text        str                                         str
integer     int                                         int
number      float, or an int that a double can hold     float
decimal     Decimal, int, numeric str, float            Decimal (a float is taken as it prints)
boolean     bool                                        bool
instant     aware datetime                              int, microseconds since 1970 UTC
date        date                                        int, proleptic ordinal (1 = 0001-01-01)
text_set    set, frozenset, list or tuple of str        frozenset of str
point       (latitude, longitude) in degrees            tuple of two floats
choice      one of the declared str                     str
==========  ==========================================  =============================

None is a missing value for each of them; a missing set is the empty set.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date as _date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, Final, Literal, TypeGuard

import attrs

from segmentkit.errors import ClockError, SchemaError, repr_of

__all__ = [
    "MAX_TEXT",
    "EventType",
    "ObjectType",
    "Relation",
    "Schema",
    "ValueType",
    "boolean",
    "choice",
    "date",
    "decimal",
    "from_micros",
    "instant",
    "integer",
    "many",
    "number",
    "one",
    "point",
    "text",
    "text_set",
    "to_micros",
]

Kind = Literal[
    "text", "integer", "number", "decimal", "boolean", "instant", "date", "text_set", "point", "choice", "duration"
]

MAX_TEXT: Final = 65_536
"""Longest text value, in characters."""
MAX_DIGITS: Final = 1_000
"""Most digits of an integer or decimal, before and after the point together."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_DAY = (datetime.min.replace(tzinfo=UTC) - _EPOCH).days
_LAST_DAY = (datetime.max.replace(tzinfo=UTC) - _EPOCH).days


def to_micros(value: datetime) -> int:
    """Return an aware datetime as microseconds since 1970 UTC.

    Raises:
        ClockError: `value` is no datetime, has no zone, or lies outside of the years 1 to 9999 in UTC.

    >>> to_micros(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    if type(value) is datetime and value.tzinfo is UTC:  # most are, and none of these can be out of range
        return (value - _EPOCH) // _MICROSECOND
    if not isinstance(value, datetime):
        raise ClockError(f"expected an aware datetime, got {repr_of(value)} ({type(value).__name__})")
    if value.utcoffset() is None:
        raise ClockError(f"{value!r} has no time zone; pass an aware datetime, such as datetime(..., tzinfo=UTC)")
    delta = value - _EPOCH
    if not _FIRST_DAY <= delta.days <= _LAST_DAY:
        raise ClockError(f"{value.isoformat()} lies outside of the years 1 to 9999 in UTC")
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_micros(micros: int) -> datetime:
    """Return microseconds since 1970 UTC as an aware datetime in UTC."""
    return _EPOCH + micros * _MICROSECOND  # half of what a new timedelta takes


@attrs.frozen(repr=False)
class ValueType:
    """The type of an attribute, a property or an expression."""

    kind: Kind
    choices: tuple[str, ...] = ()

    def __repr__(self) -> str:
        if self.kind == "choice":
            return f"choice({', '.join(map(repr, self.choices))})"
        return self.kind

    @property
    def is_numeric(self) -> bool:
        """Whether values are integers, doubles or decimals."""
        return self.kind in ("integer", "number", "decimal")

    @property
    def is_text(self) -> bool:
        """Whether values are text, free or chosen from a list."""
        return self.kind in ("text", "choice")

    @property
    def described(self) -> str:
        """What a value has to be, for messages."""
        if self.kind == "choice":
            return "one of " + ", ".join(repr(c) for c in self.choices)
        return _DESCRIBED[self.kind]

    @property
    def converter(self) -> Callable[[Any, ValueType], Any]:
        """What `convert` does with a value that is there, the type being its second argument."""
        return _CONVERTERS[self.kind]

    def convert(self, value: Any) -> Any:
        """Return the plain form of a host's value; None stays None.

        Raises:
            ValueError: the value does not fit; the message says what was expected.
        """
        if value is None:
            return None
        return _CONVERTERS[self.kind](value, self)

    def restore(self, value: Any) -> Any:
        """Return a plain value in the form that hosts use: the inverse of `convert`."""
        if value is None:
            return None
        if self.kind == "instant":
            return from_micros(value)
        if self.kind == "date":
            return _date.fromordinal(value)
        return value


def _refuse(value: Any, expected: ValueType, why: str = "") -> ValueError:
    return ValueError(f"expected {expected.described}, got {repr_of(value, 80)} ({type(value).__name__}){why}")


def _convert_text(value: Any, expected: ValueType) -> str:
    if type(value) is str and len(value) <= MAX_TEXT and value.isascii():  # most are: `bench_changes`
        return value
    if not isinstance(value, str):
        raise _refuse(value, expected)
    if len(value) > MAX_TEXT:
        raise ValueError(f"text of {len(value):,} characters is over the limit of {MAX_TEXT:,}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _refuse(value, expected, ": it holds half of a surrogate pair") from None
    return str(value)


def is_text(value: object) -> TypeGuard[str]:
    """Whether it is text that can be written down, which halves of surrogate pairs cannot."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _convert_integer(value: Any, expected: ValueType) -> int:
    if type(value) is not int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _refuse(value, expected)
        value = int(value)
    if value.bit_length() > 3_300 and abs(value) >= 10**MAX_DIGITS:
        raise ValueError(f"an integer of more than {MAX_DIGITS:,} digits is over the limit")
    return int(value)


def _convert_number(value: Any, expected: ValueType) -> float:
    if type(value) is float or isinstance(value, float):
        if not math.isfinite(value):
            raise _refuse(value, expected, ": NaN and infinities are refused")
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _refuse(value, expected)
    try:
        converted = float(value)
    except OverflowError:
        raise _refuse(value, expected, ": too large for a double") from None
    if converted != value:
        raise _refuse(value, expected, ": a double cannot hold it exactly; declare the attribute as decimal")
    return converted


def _convert_decimal(value: Any, expected: ValueType) -> Decimal:
    if isinstance(value, bool):
        raise _refuse(value, expected)
    if isinstance(value, Decimal):
        converted = value
    elif isinstance(value, int):
        converted = Decimal(_convert_integer(value, integer))
    elif isinstance(value, float):
        converted = Decimal(repr(float(value)))
    elif isinstance(value, str):
        try:
            converted = Decimal(value if len(value) <= 2 * MAX_DIGITS else "too long")
        except InvalidOperation:
            raise _refuse(value, expected, ": the text is not a number") from None
    else:
        raise _refuse(value, expected)
    sign, digits, exponent = converted.as_tuple()
    if not isinstance(exponent, int):
        raise _refuse(value, expected, ": NaN and infinities are refused")
    if not any(digits):
        return Decimal(0)
    if len(digits) + abs(exponent) > MAX_DIGITS:
        raise ValueError(f"a decimal of more than {MAX_DIGITS:,} digits is over the limit: {repr_of(value, 40)}")
    return converted


def _convert_boolean(value: Any, expected: ValueType) -> bool:
    if type(value) is not bool:
        raise _refuse(value, expected)
    return bool(value)


def _convert_instant(value: Any, expected: ValueType) -> int:
    if not isinstance(value, datetime):
        raise _refuse(value, expected)
    if value.utcoffset() is None:
        raise _refuse(value, expected, ": it has no time zone")
    return to_micros(value)


def _convert_date(value: Any, expected: ValueType) -> int:
    if isinstance(value, datetime) or not isinstance(value, _date):
        raise _refuse(value, expected)
    return value.toordinal()


def _convert_text_set(value: Any, expected: ValueType) -> frozenset[str]:
    if not isinstance(value, set | frozenset | list | tuple):
        raise _refuse(value, expected)
    return frozenset(_convert_text(member, text) for member in value)


def _convert_point(value: Any, expected: ValueType) -> tuple[float, float]:
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise _refuse(value, expected)
    try:
        latitude, longitude = _convert_number(value[0], number), _convert_number(value[1], number)
    except ValueError:
        raise _refuse(value, expected) from None
    if not -90 <= latitude <= 90:
        raise _refuse(value, expected, ": the latitude is not between -90 and 90")
    if not -180 <= longitude <= 180:
        raise _refuse(value, expected, ": the longitude is not between -180 and 180")
    return (latitude, longitude)


def _convert_choice(value: Any, expected: ValueType) -> str:
    if not isinstance(value, str) or value not in expected.choices:
        raise _refuse(value, expected)
    return str(value)


def _convert_duration(value: Any, expected: ValueType) -> int:
    if not isinstance(value, timedelta):
        raise _refuse(value, expected)
    return value // _MICROSECOND


_CONVERTERS: dict[str, Callable[[Any, ValueType], Any]] = {
    "text": _convert_text,
    "integer": _convert_integer,
    "number": _convert_number,
    "decimal": _convert_decimal,
    "boolean": _convert_boolean,
    "instant": _convert_instant,
    "date": _convert_date,
    "text_set": _convert_text_set,
    "point": _convert_point,
    "choice": _convert_choice,
    "duration": _convert_duration,
}

_DESCRIBED = {
    "text": "text",
    "integer": "an integer",
    "number": "a number",
    "decimal": "a decimal",
    "boolean": "true or false",
    "instant": "an instant (an aware datetime)",
    "date": "a date",
    "text_set": "a set of text",
    "point": "a point (latitude, longitude)",
    "duration": "a duration",
}

text: Final = ValueType("text")
integer: Final = ValueType("integer")
number: Final = ValueType("number")
decimal: Final = ValueType("decimal")
boolean: Final = ValueType("boolean")
instant: Final = ValueType("instant")
date: Final = ValueType("date")
text_set: Final = ValueType("text_set")
point: Final = ValueType("point")
duration: Final = ValueType("duration")
"""The type of expressions such as `now - signup`; attributes cannot have it."""


def choice(*choices: str) -> ValueType:
    """Return the type of text restricted to `choices`.

    >>> choice("free", "pro").convert("trial")
    Traceback (most recent call last):
    ValueError: expected one of 'free', 'pro', got 'trial' (str)
    """
    if not choices:
        raise SchemaError("a choice needs at least one value")
    for value in choices:
        if not isinstance(value, str):
            raise SchemaError(f"a choice lists text values, got {repr_of(value)} ({type(value).__name__})")
        if len(value) > MAX_TEXT or not is_text(value):
            raise SchemaError(f"a choice lists text of up to {MAX_TEXT:,} characters, got {repr_of(value)}")
    if len(set(choices)) != len(choices):
        raise SchemaError(f"a choice lists each value once, got {repr_of(choices)}")
    return ValueType("choice", tuple(choices))


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

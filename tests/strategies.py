"""Hypothesis strategies for worlds, facts and timelines; `tests.trees` has those for filters.

A `World` is a schema and an instant around which everything in it happens. Instants,
durations and literals come from small pools that overlap, so that equal instants, window
edges and hits are frequent: an instant is the world's base moved by a duration that filters
use as a window, and by a microsecond more or less. Bases lie at changes of offset, ends
of months and leap days of the zones in use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import attrs
from hypothesis import strategies as st

import segmentkit as sk
from segmentkit.dsl.predicates import Duration
from segmentkit.schema import ObjectType, Schema
from segmentkit.values import ValueType, to_micros
from tests.model import ObjectFacts, StoredEvent

__all__ = ["DURATIONS", "OBJECTS", "Source", "World", "batches", "events_of", "facts", "moves", "worlds"]

ZONES = ("UTC", "Europe/Warsaw", "America/New_York", "Asia/Kathmandu")

BASES = (
    datetime(2026, 3, 29, 1, tzinfo=UTC),  # Warsaw springs forward
    datetime(2026, 10, 25, 1, tzinfo=UTC),  # and falls back
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # 02:30 in Warsaw for the first time
    datetime(2026, 3, 8, 7, tzinfo=UTC),  # New York springs forward
    datetime(2026, 11, 1, 5, 30, tzinfo=UTC),  # 01:30 in New York for the first time
    datetime(2024, 1, 31, 12, tzinfo=UTC),  # a month later is a leap day
    datetime(2024, 2, 29, tzinfo=UTC),
    datetime(2025, 2, 28, 23, tzinfo=UTC),  # midnight in Warsaw, 1 March
    datetime(2026, 5, 31, 22, tzinfo=UTC),  # midnight in Warsaw, 1 June
    datetime(2026, 7, 31, 18, 15, tzinfo=UTC),  # midnight in Kathmandu, 1 August
    datetime(2025, 12, 31, 23, tzinfo=UTC),  # midnight in Warsaw, a new year
    datetime(1970, 1, 1, tzinfo=UTC),
)

DURATIONS = (
    Duration(1, "second"),
    Duration(90, "minute"),
    Duration(1, "hour"),
    Duration(1, "day"),
    Duration(2, "day"),
    Duration(1, "week"),
    Duration(30, "day"),
    Duration(1, "month"),
    Duration(2, "month"),
    Duration(1, "year"),
    Duration(0, "day"),
)

_LENGTHS = tuple(
    timedelta(**length)
    for length in (
        {},
        {"seconds": 1},
        {"minutes": 90},
        {"hours": 1},
        {"days": 1},
        {"days": 2},
        {"days": 7},
        {"days": 28},
        {"days": 30},
        {"days": 31},
        {"days": 59},
        {"days": 365},
    )
)
_MICROSECOND = timedelta(microseconds=1)
OFFSETS = tuple(
    sorted(
        {
            sign * length + nudge
            for length in _LENGTHS
            for sign in (-1, 1)
            for nudge in (-_MICROSECOND, timedelta(), _MICROSECOND)
        },
        key=lambda offset: (abs(offset), offset),
    )
)
MOVES = (_MICROSECOND, *_LENGTHS[1:], timedelta(0))

ATTRIBUTES: dict[str, ValueType] = {
    "orders": sk.integer,
    "visits": sk.integer,
    "score": sk.number,
    "spend": sk.decimal,
    "ltv": sk.decimal,
    "country": sk.text,
    "city": sk.text,
    "plan": sk.choice("free", "pro"),
    "consent": sk.boolean,
    "seen": sk.instant,
    "signup": sk.instant,
    "birthday": sk.date,
    "renewal": sk.date,
    "tags": sk.text_set,
    "place": sk.point,
    "last order": sk.instant,
    "in": sk.integer,
}

PROPERTIES: dict[str, ValueType] = {
    "amount": sk.decimal,
    "pages": sk.integer,
    "weight": sk.number,
    "url": sk.text,
    "category": sk.choice("shoes", "hats"),
    "gift": sk.boolean,
    "due": sk.instant,
    "day": sk.date,
    "labels": sk.text_set,
    "venue": sk.point,
}

EVENTS = ("visit", "purchase", "sent mail")
OBJECTS = ("a", "b", "c")
EVENT_IDS = (None, "e1", "e2", "e3")

POOLS: dict[ValueType, tuple[Any, ...]] = {
    sk.integer: (0, 1, 2, 3, -1, 2**53 + 1, -(2**63), 2**63),
    sk.number: (0.0, 1.0, 0.1, 2.5, -1.0, 2.0**53, 1e308),
    sk.decimal: (
        Decimal(0),
        Decimal(1),
        Decimal("0.1"),
        Decimal("2.50"),
        Decimal(-1),
        Decimal(3),
        Decimal("1E+3"),
        Decimal("1E-20"),
        Decimal(-(2**63)),
    ),
    sk.text: ("PL", "pl", "", "Straße", "STRASSE", "İ", "\U0001f600", "\ufffd", 'a"b\\c\n', "x"),
    sk.boolean: (True, False),
    sk.text_set: (frozenset(), frozenset({"vip"}), frozenset({"VIP", "new"}), frozenset({"vip", "new", "old"})),
    sk.point: ((52.23, 21.01), (52.25, 21.0), (50.06, 19.94), (0.0, 180.0), (0.0, -179.9), (90.0, 0.0)),
}
MEMBERS = ("vip", "VIP", "new", "absent")


T = TypeVar("T")
_BELOW = [st.integers(0, n) for n in range(128)]
_MASK = st.integers(0, 2**20 - 1)


@attrs.frozen
class Source:
    """Where choices come from: hypothesis, through strategies made once, which is what keeps generation fast."""

    draw: Callable[..., Any]

    def below(self, n: int) -> int:
        """Return 0 to n - 1; shrinks to 0."""
        return self.draw(_BELOW[n - 1])

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options; shrinks to the first."""
        return options[self.draw(_BELOW[len(options) - 1])]

    def some(self, options: Sequence[T]) -> list[T]:
        """Return some of the options, in their order; shrinks to none."""
        mask = self.draw(_MASK)
        return [option for position, option in enumerate(options) if mask >> position & 1]

    def chance(self, one_in: int) -> bool:
        """Return True once in `one_in` times; shrinks to False."""
        return self.draw(_BELOW[one_in - 1]) == one_in - 1


@attrs.frozen(eq=False, repr=False)
class World:
    """A schema, and the instant around which its objects live."""

    schema: Schema
    base: datetime
    pools: Mapping[ValueType, tuple[Any, ...]] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        days = [self.base.date() + timedelta(days=days) for days in (0, 1, -1, -7, 30, -31, 365)]
        pools = {sk.instant: tuple(self.base + offset for offset in OFFSETS), sk.date: tuple(days), **POOLS}
        object.__setattr__(self, "pools", pools)

    def __repr__(self) -> str:
        return f"World({', '.join(map(_described, self.schema.types.values()))}, {self.schema.zone}, {self.base})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    @property
    def start(self) -> int:
        """The base in microseconds."""
        return to_micros(self.base)

    def values(self, value_type: ValueType) -> tuple[Any, ...]:
        """Return the pool of a type, in the form in which hosts pass values."""
        return value_type.choices or self.pools[value_type]


def _described(object_type: ObjectType) -> str:
    events = "; ".join(f"{event.name}: {', '.join(event.properties)}" for event in object_type.events.values())
    return f"{object_type.name}({', '.join(object_type.attributes)}; {events})"


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Worlds of one or two object types, in one of four zones."""
    source = Source(draw)
    names = source.pick((("contact",), ("contact", "company")))
    types = [_object_type(source, name) for name in names]
    return World(Schema(*types, zone=source.pick(ZONES)), source.pick(BASES))


def _object_type(source: Source, name: str) -> ObjectType:
    attributes = source.some(list(ATTRIBUTES)) or ["orders"]
    events = {event: source.some(list(PROPERTIES)) for event in EVENTS[: 1 + source.below(3)]}
    return ObjectType(
        name,
        {field: ATTRIBUTES[field] for field in attributes},
        {event: {field: PROPERTIES[field] for field in fields} for event, fields in events.items()},
    )


def values_for(source: Source, world: World, fields: Mapping[str, ValueType]) -> dict[str, Any]:
    """Return values for the fields; now and then one is left out, or None, which is the same."""
    chosen = {}
    for name, value_type in fields.items():
        pool = world.values(value_type)
        index = source.below(len(pool) + 2)
        if index < len(pool):
            chosen[name] = pool[index]
        elif index > len(pool):
            chosen[name] = None
    return chosen


@st.composite
def facts(draw: st.DrawFn, world: World, on: str) -> ObjectFacts:
    """One object with a few events, some of them at equal instants."""
    source, object_type = Source(draw), world.schema.type(on)
    stored = []
    for arrival in range(source.below(5)):
        event_type = object_type.events[source.pick(list(object_type.events))]
        at = to_micros(source.pick(world.values(sk.instant)))
        properties = plain_values(values_for(source, world, event_type.properties), event_type.properties)
        stored.append(StoredEvent(at, f"e{arrival}", event_type.name, properties))
    values = plain_values(values_for(source, world, object_type.attributes), object_type.attributes)
    return ObjectFacts(object_type, values, stored)


def plain_values(values: Mapping[str, Any], fields: Mapping[str, ValueType]) -> dict[str, Any]:
    return {name: fields[name].convert(value) for name, value in values.items() if value is not None}


# ------------------------------------------------------------------------- timelines


@st.composite
def batches(draw: st.DrawFn, world: World, max_size: int = 3) -> list[Any]:
    """Batches of a few changes, most of them fit to be applied."""
    source = Source(draw)
    return [change(source, world) for _ in range(1 + source.below(max_size))]


def change(source: Source, world: World) -> Any:
    """Return one change: mostly fit to be applied, sometimes of an unknown object or a used event id."""
    object_type = world.schema.type(source.pick(list(world.schema.types)))
    object_id = source.pick(OBJECTS)
    match source.pick(("put", "event", "event", "event", "event", "update", "update", "retract", "delete")):
        case "put":
            return sk.Put(object_type.name, object_id, values_for(source, world, object_type.attributes))
        case "update":
            names = [source.pick(list(object_type.attributes)) for _ in range(1 + source.below(2))]
            fields = {name: object_type.attributes[name] for name in names}
            return sk.Update(object_type.name, object_id, values_for(source, world, fields))
        case "event":
            return event(source, world, object_type, object_id)
        case "retract":
            return sk.Retract(object_type.name, object_id, source.pick(EVENT_IDS[1:]))
        case _:
            return sk.Delete(object_type.name, object_id)


@st.composite
def events_of(draw: st.DrawFn, world: World, on: str, object_id: str) -> list[Any]:
    """One or two events of an object."""
    source = Source(draw)
    return [event(source, world, world.schema.type(on), object_id) for _ in range(1 + source.below(2))]


def event(source: Source, world: World, object_type: ObjectType, object_id: str) -> Any:
    """Return an event: late, future, or at an instant that others share, with or without an id."""
    event_type = object_type.events[source.pick(list(object_type.events))]
    properties = values_for(source, world, event_type.properties)
    at, event_id = source.pick((*world.values(sk.instant), None)), source.pick(EVENT_IDS)
    return sk.Event(object_type.name, object_id, event_type.name, properties, at=at, id=event_id)


def moves() -> st.SearchStrategy[timedelta]:
    """Lengths by which the clock moves: a microsecond to a year, or standing still."""
    return _MOVES


_MOVES = st.sampled_from(MOVES)

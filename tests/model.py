"""The naive engine: what segmentkit must agree with, written to be obviously right.

`Model` keeps facts as plain dictionaries and definitions as trees. It has no index, no
cells and no cached answers: a membership is `evaluate(tree, facts, now, zone)`, asked
again for every object and segment each time anybody wants to know. The deltas of a batch
are the memberships after it minus those before it.

Time passing is the one thing that cannot be asked point by point; `tests.flips` finds
the flips of one object and one filter, in two ways that a law compares.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import attrs

import segmentkit as sk
from segmentkit.dsl import predicates as p
from segmentkit.dsl.evaluate import Alone, EventFact, evaluate
from segmentkit.schema import ObjectType, Schema
from segmentkit.values import ValueType, to_micros
from tests.flips import flips_by_horizon

__all__ = ["Flip", "Model", "ObjectFacts", "Refused", "fields_of"]

Key = tuple[str, str]
"""Object type and object id."""


@attrs.frozen
class Flip:
    """A membership that changes: what a delta says, without its place in the changelog."""

    at: int
    segment: str
    object: str
    entered: bool


@attrs.frozen
class StoredEvent:
    """An event as the model keeps it; one without an id is called `~` and the number of its arrival."""

    at: int
    id: str
    name: str
    properties: Mapping[str, Any]


@attrs.define
class ObjectFacts(Alone):
    """All that is known of one object; implements `evaluate.Facts`."""

    type: ObjectType = attrs.field(repr=lambda object_type: repr(object_type.name))
    attributes: dict[str, Any] = attrs.field(factory=dict)
    stored: list[StoredEvent] = attrs.field(factory=list)
    object_id: str = attrs.field(default="a", kw_only=True)

    @property
    def object_type(self) -> str:
        """The name of the object's type."""
        return self.type.name

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    def attribute(self, name: str) -> Any:
        """Return the plain value, None if missing; a missing set is empty."""
        value = self.attributes.get(name)
        if value is None and name in self.type.attributes and self.type.attributes[name].kind == "text_set":
            return frozenset()
        return value

    def events(self, name: str) -> Sequence[EventFact]:
        """Return the events called `name` by (at, id), those in the future too."""
        found = sorted((event for event in self.stored if event.name == name), key=lambda event: (event.at, event.id))
        return [EventFact(event.at, event.id, event.properties) for event in found]


@attrs.frozen
class Definition:
    """A segment: the type of its objects and its filter."""

    on: str
    tree: p.Predicate


class Refused(Exception):
    """The model refuses a batch; `error` is the exception that the engine must raise."""

    def __init__(self, error: type[Exception], why: str) -> None:
        super().__init__(why)
        self.error = error


class Model:
    """Facts, definitions and an instant; everything else is worked out on demand.

    Args:
        schema: the object types.
        now: the instant of the clock, in microseconds.
        unknown: "create" makes an object that an Event or Update names; "error" refuses the batch.
    """

    def __init__(self, schema: Schema, now: int, unknown: Literal["error", "create"] = "error") -> None:
        self.schema = schema
        self.now = now
        self.unknown = unknown
        self.objects: dict[Key, ObjectFacts] = {}
        self.definitions: dict[str, Definition] = {}
        self._arrivals = itertools.count()

    # ------------------------------------------------------------------ reading

    def evaluate(self, tree: p.Predicate, on: str, now: int | None = None) -> frozenset[str]:
        """Return the ids of the objects of type `on` for which `tree` holds."""
        instant = self.now if now is None else now
        zone = self.schema.zone
        return frozenset(
            object_id
            for (type_name, object_id), facts in self.objects.items()
            if type_name == on and evaluate(tree, facts, instant, zone)
        )

    def members(self, segment: str) -> frozenset[str]:
        """Return the ids of the members of `segment`."""
        definition = self.definitions[segment]
        return self.evaluate(definition.tree, definition.on)

    def memberships(self) -> dict[str, frozenset[str]]:
        """Return the members of every segment."""
        return {name: self.members(name) for name in self.definitions}

    def segments_of(self, type_name: str, object_id: str) -> list[str]:
        """Return the names of the segments that the object is in, sorted."""
        return sorted(
            name
            for name, definition in self.definitions.items()
            if definition.on == type_name and object_id in self.members(name)
        )

    # --------------------------------------------------------------- definitions

    def define(self, name: str, on: str, tree: p.Predicate) -> list[Flip]:
        """Add or replace a segment; return the net flips."""
        before = self.memberships()
        self.definitions[name] = Definition(on, tree)
        return difference(before, self.memberships(), self.now)

    def drop(self, name: str) -> list[Flip]:
        """Forget a segment; its members leave it."""
        before = self.memberships()
        del self.definitions[name]
        return difference(before, self.memberships(), self.now)

    # --------------------------------------------------------------------- facts

    def apply(self, changes: Iterable[Any], now: int | None = None) -> list[Flip]:
        """Let time pass until `now`, then take in all changes or none; return the flips in order.

        Raises:
            Refused: a change does not fit; nothing changed, time has not passed either.
        """
        saved = (self.now, dict(self.objects))
        passed = self.advance(self.now if now is None else now)
        before = self.memberships()
        touched: set[Key] = set()
        try:
            for change in changes:
                self._take(change, touched)
        except Refused:
            self.now, self.objects = saved
            raise
        return passed + difference(before, self.memberships(), self.now)

    def advance(self, to: int) -> list[Flip]:
        """Let time pass until `to`; return every flip on the way in time order."""
        if to < self.now:
            raise Refused(sk.ClockError, "time would go back")
        flips = []
        for name, definition in self.definitions.items():
            for (type_name, object_id), facts in self.objects.items():
                if type_name == definition.on:
                    walk = flips_by_horizon(definition.tree, facts, self.now, to, self.schema.zone)
                    flips += [Flip(at, name, object_id, entered) for at, entered in walk]
        self.now = to
        return sorted(flips, key=lambda flip: (flip.at, flip.object, flip.segment))

    def _take(self, change: Any, touched: set[Key]) -> None:
        type_name, object_id = change.object_type, change.object if hasattr(change, "object") else change.id
        if type_name not in self.schema.types:
            raise Refused(sk.DataError, f"no object type {type_name!r}")
        key = (type_name, object_id)
        if key in self.objects and key not in touched:  # a refused batch must find its objects as they were
            self.objects[key] = copy.copy(self.objects[key])
            self.objects[key].attributes = dict(self.objects[key].attributes)
            self.objects[key].stored = list(self.objects[key].stored)
        touched.add(key)
        match change:
            case sk.Put():
                values = self._convert(fields_of(self.schema, type_name), change.attributes)
                self._object(key, create=True).attributes = values
            case sk.Update():
                values = self._convert(fields_of(self.schema, type_name), change.attributes)
                self._object(key, create=self.unknown == "create").attributes.update(values)
            case sk.Event():
                self._track(key, change)
            case sk.Retract():
                stored = self._object(key).stored
                kept = [event for event in stored if event.id != change.id]
                if len(kept) == len(stored):
                    raise Refused(sk.DataError, f"no event {change.id!r}")
                self.objects[key].stored = kept
            case sk.Delete():
                self._object(key)
                del self.objects[key]
            case _:
                raise AssertionError(f"not a change: {change!r}")

    def _object(self, key: Key, create: bool = False) -> ObjectFacts:
        if key not in self.objects:
            if not create:
                raise Refused(sk.DataError, f"no object {key!r}")
            self.objects[key] = ObjectFacts(self.schema.type(key[0]), object_id=key[1])
        return self.objects[key]

    def _convert(self, fields: Mapping[str, ValueType], values: Mapping[str, Any]) -> dict[str, Any]:
        converted = {}
        for name, value in values.items():
            if name not in fields:
                raise Refused(sk.DataError, f"nothing is called {name!r}")
            try:
                converted[name] = fields[name].convert(value)
            except ValueError as error:
                raise Refused(sk.DataError, str(error)) from None
        return converted

    def _track(self, key: Key, change: Any) -> None:
        event_types = self.schema.type(key[0]).events
        if change.name not in event_types:
            raise Refused(sk.DataError, f"no event {change.name!r}")
        properties = self._convert(event_types[change.name].properties, change.properties)
        known = {name: value for name, value in properties.items() if value not in (None, frozenset())}
        at = self.now if change.at is None else to_micros(change.at)
        event_id = f"~{next(self._arrivals):016}" if change.id is None else change.id
        event = StoredEvent(at, event_id, change.name, known)
        facts = self._object(key, create=self.unknown == "create")
        for other in facts.stored:
            if other.id == event.id:
                if (other.at, other.name, other.properties) != (event.at, event.name, event.properties):
                    raise Refused(sk.DataError, f"event {event.id!r} has other content")
                return
        facts.stored.append(event)


def fields_of(schema: Schema, type_name: str) -> Mapping[str, ValueType]:
    """Return what a Put may name: the attributes, and the to-one relations as the text of an id."""
    declared = schema.type(type_name)
    links = {name: sk.text for name, relation in declared.relations.items() if relation.cardinality == "one"}
    return {**declared.attributes, **links}


def difference(before: Mapping[str, frozenset[str]], after: Mapping[str, frozenset[str]], at: int) -> list[Flip]:
    """Return the net flips between two memberships, by object id, then segment name."""
    flips = []
    for name in before.keys() | after.keys():
        old, new = before.get(name, frozenset()), after.get(name, frozenset())
        flips += [Flip(at, name, object_id, object_id in new) for object_id in old ^ new]
    return sorted(flips, key=lambda flip: (flip.object, flip.segment))

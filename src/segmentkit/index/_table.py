"""All facts about the objects of one type: their ids, columns, event histories and event ids.

Objects get dense numbers in order of arrival; the number of a deleted object is used again.
A table knows nothing of segments. It stores what it is told; checking is done before.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from sys import getsizeof
from typing import TYPE_CHECKING, Any, Final

from pyroaring import BitMap

from segmentkit.dsl.evaluate import Alone, EventFact, Stay
from segmentkit.index._columns import Column, column_for
from segmentkit.index._events import EventTable, id_of_tag, tag_of_id
from segmentkit.index._links import Links
from segmentkit.index._object_ids import Deleted, Numbers, ObjectIds
from segmentkit.index._stay_log import StayLog
from segmentkit.schema import ObjectType
from segmentkit.values import text

if TYPE_CHECKING:
    from segmentkit.index._digests import Digests
    from segmentkit.index._event_digests import EventDigests

_SAMPLED: Final = 1_000  # ids whose size stands for that of all
_INTEGER: Final = 32
_EVENT_ID: Final = 100  # a short text, and its tag


class Table:
    """The facts of one object type.

    `rescaled` is a list of callables; each is called after a decimal column has more places.
    """

    def __init__(self, object_type: ObjectType) -> None:
        self.type = object_type
        self.name = object_type.name
        self.rescaled: list[Any] = []
        self.number_by_id: dict[str, int] = {}
        self.ids: list[str | None] = []
        self.born = array("q")
        """By number, when the object was created."""
        self.alive = BitMap()
        self.columns: dict[str, Column] = {
            name: column_for(value_type, self._announce) for name, value_type in object_type.attributes.items()
        }
        self.links: dict[str, Links] = {}
        """By to-one relation, which objects point to whom."""
        self.world: World | None = None
        """What the object type is part of; None for a table on its own."""
        for name, relation in object_type.relations.items():
            if relation.cardinality == "one":
                self.columns[name] = column_for(text, self._announce)
                self.links[name] = Links()
        self.events: dict[str, EventTable] = {
            name: EventTable(event_type, self._announce) for name, event_type in object_type.events.items()
        }
        self._tags_by_event_id: dict[int, dict[str, int]] = {}
        self._free: list[int] = []
        self._last_tag = 0
        self._deleted = Deleted()
        self._digests: Digests | None = None
        self._event_digests: EventDigests | None = None

    @property
    def digests(self) -> Digests:
        """The digests of the columns, for questions about all objects at once."""
        if self._digests is None:
            from segmentkit.index._digests import Digests

            self._digests = Digests(self)
        return self._digests

    @property
    def event_digests(self) -> EventDigests:
        """The digests of the events, for the same."""
        if self._event_digests is None:
            from segmentkit.index._event_digests import EventDigests

            self._event_digests = EventDigests(self.events)
        return self._event_digests

    @property
    def nbytes_of_digests(self) -> int:
        """Bytes of what has been made for such questions."""
        return sum(made.nbytes for made in (self._digests, self._event_digests) if made is not None)

    def _announce(self) -> None:
        for rescaled in self.rescaled:
            rescaled()

    # ------------------------------------------------------------------ objects

    def create(self, object_id: str, now: int = 0) -> int:
        """Add an object at `now` with nothing known about it; return its number."""
        if self._free:
            number = self._free.pop()
            self.ids[number] = object_id
            self.born[number] = now
        else:
            number = len(self.ids)
            self.ids.append(object_id)
            self.born.append(now)
            for column in self.columns.values():
                column.append()
        self.number_by_id[object_id] = number
        self.alive.add(number)
        return number

    def named(self, numbers: Numbers) -> ObjectIds:
        """Return the ids of objects, which stay what they are whatever happens to the objects."""
        return self._deleted.hold(numbers, self.ids)

    def forget_births(self) -> None:
        """Take all objects for older than anything that is known of them, as those of a store are."""
        self.born = array("q", [-(2**62)]) * len(self.ids)

    def delete(self, number: int) -> None:
        """Take an object and its events out."""
        object_id = self.ids[number]
        assert object_id is not None
        self._deleted.note(number, object_id)
        for name in self.links:
            self.point(name, number, self.columns[name].get(number), None)
        for column in self.columns.values():
            column.set(number, None)
        for events in self.events.values():
            events.clear(number)
        self._tags_by_event_id.pop(number, None)
        del self.number_by_id[object_id]
        self.ids[number] = None
        self.alive.discard(number)
        self._free.append(number)

    def point(self, relation: str, number: int, old: str | None, new: str | None) -> None:
        """Note that an object's to-one relation has gone from one id to another."""
        links = self.links[relation]
        if old is not None:
            links.unlink(number, old)
        if new is not None:
            links.link(number, new)

    # ------------------------------------------------------------------- events

    def take_tag(self) -> int:
        """Return a tag that no event has yet."""
        self._last_tag += 1
        return self._last_tag

    def add_event(self, number: int, name: str, at: int, event_id: str | None, values: tuple[Any, ...]) -> int:
        """Add an event, which without id gets one; return its index among the object's of the name."""
        if event_id is None:
            tag = self._last_tag = self._last_tag + 1
        elif (given := tag_of_id(event_id)) is not None:
            self._last_tag = max(self._last_tag, given)
            tag = given
        else:
            self._last_tag += 1
            tag = -self._last_tag
            self._tags_by_event_id.setdefault(number, {})[event_id] = tag
        return self.events[name].insert(number, at, tag, values, self.event_id)

    def find_event(self, number: int, event_id: str) -> tuple[str, int] | None:
        """Return name and index of the object's event with the id, or None."""
        tag = self._tags_by_event_id.get(number, {}).get(event_id)
        if tag is None:
            tag = tag_of_id(event_id)
            if tag is None:
                return None
        for name, events in self.events.items():
            index = events.find(number, tag)
            if index is not None:
                return name, index
        return None

    def remove_event(self, number: int, event_id: str) -> None:
        """Take the object's event with the id out."""
        found = self.find_event(number, event_id)
        assert found is not None
        self.events[found[0]].remove(number, found[1])
        tags = self._tags_by_event_id.get(number)
        if tags is not None:
            tags.pop(event_id, None)
            if not tags:
                del self._tags_by_event_id[number]

    def event_id(self, number: int, tag: int) -> str:
        """Return the id of the object's event with the tag."""
        if tag > 0:
            return id_of_tag(tag)
        return next(i for i, t in self._tags_by_event_id[number].items() if t == tag)

    @property
    def nbytes_of_ids(self) -> int:
        """Bytes of the ids of objects and events, about, of what leads from them, and of when objects were born."""
        step = max(len(self.ids) // _SAMPLED, 1)
        sampled = [getsizeof(object_id) for object_id in self.ids[::step] if object_id is not None]
        each = sum(sampled) / len(sampled) + _INTEGER if sampled else 0
        given = sum(getsizeof(tags) + _EVENT_ID * len(tags) for tags in self._tags_by_event_id.values())
        objects = int(each * len(self.number_by_id)) + getsizeof(self.number_by_id) + getsizeof(self.ids)
        return objects + 8 * len(self.born) + getsizeof(self._tags_by_event_id) + given

    # --------------------------------------------------------------------- facts

    def facts(self, number: int) -> ObjectFacts:
        """Return a view of the object's facts, in plain form, for the evaluator."""
        return ObjectFacts(self, number)

    def check_invariants(self) -> None:
        """Raise AssertionError if ids, numbers or histories contradict each other."""
        assert len(self.number_by_id) == len(self.alive), f"{self.name}: ids and numbers differ in count"
        for object_id, number in self.number_by_id.items():
            assert self.ids[number] == object_id, f"{self.name}: number {number} is not that of {object_id!r}"
        for name, events in self.events.items():
            counted = 0
            for number in events.rows.iter_numbers():
                row = events.rows[number]
                if row is None:
                    continue
                counted += len(row) // events.stride
                assert number in self.alive, f"{self.name}.{name}: events of a deleted object {number}"
                keys = [(fact.at, fact.id) for fact in self.facts(number).events(name)]
                assert keys == sorted(keys), f"{self.name}.{name}: events of {self.ids[number]!r} out of order"
            assert counted == events.n_events, f"{self.name}.{name}: wrong count of events"


class World:
    """What the objects of one type can reach: the tables of all types, the segments, and the stays in them.

    `segments` are all that filters may refer to, hidden ones too; `stays` those whose history is read.
    """

    def __init__(self, tables: dict[str, Table]) -> None:
        self.tables = tables
        self.members: dict[str, BitMap] = {}
        self.stays: dict[str, StayLog] = {}
        self.is_logging = True
        """Whether flips go into the stays; not while a batch is taken back."""

    def commit(self) -> None:
        """Keep the stays as they are; a batch that fails later goes back to here."""
        for log in self.stays.values():
            log.commit()

    @contextmanager
    def taken_back(self) -> Iterator[None]:
        """Take the stays back to the last commit, and let flips leave them alone meanwhile."""
        for log in self.stays.values():
            log.rollback()
        self.is_logging = False
        try:
            yield
        finally:
            self.is_logging = True


class ObjectFacts(Alone):
    """The facts of one object as the evaluator reads them; always those of the moment."""

    __slots__ = ("_number", "_table")

    def __init__(self, table: Table, number: int) -> None:
        self._table = table
        self._number = number

    @property
    def object_type(self) -> str:
        """The name of the object's type."""
        return self._table.name

    @property
    def object_id(self) -> str:
        """The object's id."""
        object_id = self._table.ids[self._number]
        assert object_id is not None, f"number {self._number} has no object"
        return object_id

    def attribute(self, name: str) -> Any:
        """Return the plain value of an attribute, or None."""
        return self._table.columns[name].plain(self._number)

    def events(self, name: str) -> Sequence[EventFact]:
        """Return the object's events of that name by (at, id), future ones included."""
        table, number = self._table, self._number
        id_by_tag = {tag: event_id for event_id, tag in table._tags_by_event_id.get(number, {}).items()}
        return table.events[name].facts(number, lambda tag: id_of_tag(tag) if tag > 0 else id_by_tag[tag])

    def related_one(self, relation: str) -> ObjectFacts | None:
        """Return the object that a to-one relation leads to, or None."""
        world = self._table.world
        other = self._table.columns[relation].plain(self._number)
        if world is None or other is None:
            return None
        target = world.tables[self._table.type.relations[relation].target]
        number = target.number_by_id.get(other)
        return None if number is None else ObjectFacts(target, number)

    def related_many(self, relation: str) -> Iterable[ObjectFacts]:
        """Return the objects that a to-many relation leads to, by id."""
        world, declared = self._table.world, self._table.type.relations[relation]
        if world is None or declared.via is None:
            return ()
        target = world.tables[declared.target]
        ids = target.ids
        numbers = sorted(target.links[declared.via].sources(self.object_id), key=lambda number: ids[number] or "")
        return [ObjectFacts(target, number) for number in numbers]

    def in_segment(self, segment: str, now: int) -> bool:
        """Return whether the object is a member of a segment that is read by others."""
        world = self._table.world
        return world is not None and self._number in world.members.get(segment, ())

    def stays(self, segment: str) -> Sequence[Stay]:
        """Return the object's stays in a segment whose history is read, in order of time."""
        world = self._table.world
        log = None if world is None else world.stays.get(segment)
        return () if log is None else log.stays(self._number)

    def population(self) -> Iterable[ObjectFacts]:
        """Return all objects of the type, by id."""
        table = self._table
        return [ObjectFacts(table, number) for _, number in sorted(table.number_by_id.items())]

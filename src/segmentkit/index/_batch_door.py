"""The door for large batches: changes are checked and converted by column, and fall into waves.

A *wave* has at most one change of each object, so its changes can be carried out together in any order;
the second change of an object is in the second wave. What a wave can hold is plain: updates and puts of
objects that are there, and events with an id that is new or none. *Births* are puts of new objects. All
changes of an object with any other, and what is too little to be worth it, are left for the ordinary door,
which is also where the error comes from when something is wrong here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from operator import attrgetter, itemgetter
from typing import Any, Final

import attrs
import numpy as np

from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._bulk_load import taken
from segmentkit.index._bulk_values import BadValueError, Values, Words, converted
from segmentkit.index._events import tag_of_id
from segmentkit.index._runs import runs_of
from segmentkit.index._table import Table
from segmentkit.index.deltas import Change, Delete, Event, Put, Retract, Update
from segmentkit.values import ValueType, instant

MOST_IN_WAVE: Final = 16_384
"""Objects of a wave: so many that it costs little to begin one, so few that its arrays stay in the cache."""

CAUSES: Final = ("event", "update", "put")
"""What plain changes are called in deltas, by the number of their kind."""

_KINDS: Final[Mapping[type, int]] = {Event: 0, Update: 1, Put: 2}
_OTHER: Final = 3

_type_of = attrgetter("object_type")
_PARTS_OF_EVENT: Final = tuple(map(attrgetter, ("name", "properties", "at", "id")))
"""One after another: a tuple for each event would keep the garbage collector busy (`bench_batches`)."""


@attrs.frozen(eq=False)
class AttributeGroup:
    """New values of one attribute; `places` are those of their objects in the wave, ascending."""

    name: str
    places: Array
    values: Values


@attrs.frozen(eq=False)
class EventGroup:
    """Events of one name, one for each object; `ids` is None where no event has an id of the host's."""

    name: str
    places: Array
    ats: Array
    ids: Sequence[str | None] | None
    values_by_name: Mapping[str, Values]


@attrs.frozen(eq=False)
class Wave:
    """Changes of different objects of one type.

    numbers: of the objects, ascending.
    met: when the batch met each of them: the greater, the later.
    kinds: the kind of the change of each, a place in `CAUSES`.
    """

    numbers: Array
    met: Array
    kinds: Array
    attributes: Sequence[AttributeGroup]
    events: Sequence[EventGroup]


@attrs.frozen(eq=False)
class Births:
    """Objects that are put for the first time, in the order of the batch."""

    ids: Sequence[str]
    values_by_name: Mapping[str, Values]


@attrs.frozen(eq=False)
class OfType:
    """What a batch does to the objects of one type, but for the rest.

    met: the ids of the objects in the order in which the batch meets them, or more often than once.
    """

    met: Sequence[str]
    births: Births | None
    waves: Sequence[Wave]


@attrs.frozen(eq=False)
class Sorted:
    """A batch taken apart: by object type, in the order in which it meets the types; then the rest, in its own order.

    `is_in_order`: whether births, waves and the rest one after another meet the objects as the batch does.
    """

    by_type: Mapping[str, OfType]
    rest: Sequence[Change]
    is_in_order: bool


class _NotPlainError(Exception):
    """A change does not fit, or looks as if: the ordinary door will say."""


def sort_out(changes: Sequence[Change], tables: Mapping[str, Table], now: int, least: int) -> Sorted | None:
    """Take a batch apart; None if any of its changes may not fit.

    Args:
        changes: in the order in which they happen.
        tables: the facts, by object type.
        now: the instant of events that come without one.
        least: the fewest changes that are worth a wave.

    Cost:
        About a microsecond for each change (`bench_batches`).
    """
    by_type: dict[str, OfType] = {}
    rest: list[int] = []
    is_in_order = True
    try:
        types = list(map(_type_of, changes))
        for name in dict.fromkeys(types):
            table = tables[name]
            positions = [position for position, found in enumerate(types) if found == name]
            by_type[name] = OfType((), None, ())
            if len(positions) < least or table.links:
                rest += positions
                continue
            sorter = _Sorter(table, [changes[position] for position in positions], now)
            by_type[name], left = sorter.sorted(least)
            rest += [positions[place] for place in left]
            is_in_order &= sorter.n_rounds == 1
    except (_NotPlainError, BadValueError, AttributeError, LookupError, TypeError, ValueError):
        return None
    return Sorted(by_type, [changes[position] for position in sorted(rest)], is_in_order and not rest)


class _Sorter:
    """Sorts the changes of one type."""

    def __init__(self, table: Table, changes: Sequence[Any], now: int) -> None:
        self.n_rounds = 0
        """How often births and waves go through the objects: in one round no object is met again."""
        self._table = table
        self._changes = changes
        self._now = now
        kinds = list(map(type, changes))
        self._kinds = np.fromiter(map(_KINDS.get, kinds, repeat(_OTHER)), np.int8, len(kinds))
        owners = [
            change.object if kind is Event or kind is Retract else change.id
            for change, kind in zip(changes, kinds, strict=True)
        ]
        if set(map(type, owners)) != {str}:
            raise _NotPlainError
        self._owners = owners
        known = table.number_by_id.get
        self._numbers = np.fromiter(map(known, owners, repeat(-1)), np.int64, len(owners))
        self._is_plain = (self._numbers >= 0) & (self._kinds < _OTHER)

    def sorted(self, least: int) -> tuple[OfType, list[int]]:
        """Return births and waves, and the places of the changes that none of them has."""
        groups: list[AttributeGroup | EventGroup] = [*self._attribute_groups(), *self._event_groups()]
        waves = self._waves_of_places(least)
        born, births = self._births(least)
        left = np.ones(len(self._changes), bool)
        for places in (*waves, np.array(born, np.int64)):
            left[places] = False
        found = OfType(self._owners, births, [self._wave(groups, places) for places in waves])
        return found, np.flatnonzero(left).tolist()

    def _of_kind(self, kind: int) -> tuple[list[int], list[Any]]:
        """Return the places of the changes of a kind to objects that are there, and the changes."""
        places = np.flatnonzero((self._kinds == kind) & (self._numbers >= 0)).tolist()
        return places, [self._changes[place] for place in places]

    # ----------------------------------------------------------------------- births

    def _births(self, least: int) -> tuple[list[int], Births | None]:
        """Return the places of the births, and the births: the first changes of all new objects, or none.

        New objects get the numbers that they would get one by one, since at one instant time goes by number. So
        none of them comes another way, and numbers that are free, or become it, are for the ordinary way.
        """
        owners, first = self._owners, dict[str, int]()
        for place in np.flatnonzero(self._numbers < 0).tolist():
            first.setdefault(owners[place], place)
        places = list(first.values())
        if len(places) < least or self._table._free or any(type(change) is Delete for change in self._changes):
            return [], None
        if (self._kinds[places] != _KINDS[Put]).any() or not all(map(_is_plain_id, first)):
            return [], None
        given = [self._changes[place].attributes for place in places]
        _check_mappings(given)
        columns = self._table.columns
        found = _columns_of(given, tuple(columns))
        values = {name: _converted(columns[name].type, column) for name, column in found.items()}
        self.n_rounds += 1
        return places, Births([owners[place] for place in places], values)

    # ------------------------------------------------------------------- attributes

    def _attribute_groups(self) -> list[AttributeGroup]:
        columns, found = self._table.columns, []
        places, updates = self._of_kind(1)
        given = [update.attributes for update in updates]
        _check_mappings(given)
        noted: dict[str, tuple[list[int], list[Any]]] = {}
        for place, attributes in zip(places, given, strict=True):
            for name, value in attributes.items():
                if name not in noted:
                    noted[name] = [], []
                into, values = noted[name]
                into.append(place)
                values.append(value)
        for name, (into, values) in noted.items():
            found.append(AttributeGroup(name, np.array(into), _converted(columns[name].type, values)))
        places, puts = self._of_kind(2)
        if puts:
            given = [put.attributes for put in puts]
            _check_mappings(given)
            for name, values in _columns_of(given, tuple(columns)).items():
                found.append(AttributeGroup(name, np.array(places), _converted(columns[name].type, values)))
        return found

    # ----------------------------------------------------------------------- events

    def _event_groups(self) -> list[EventGroup]:
        places, events = self._of_kind(0)
        if not events:
            return []
        names, properties, ats, ids = (list(map(part, events)) for part in _PARTS_OF_EVENT)
        _check_mappings(properties)
        if any(event_id is not None for event_id in ids):
            self._leave_taken_ids(places, ids)
        else:
            ids = []
        found = []
        for name in dict.fromkeys(names):
            rows = [row for row, other in enumerate(names) if other == name]
            found.append(
                self._event_group(
                    name,
                    [places[row] for row in rows],
                    [properties[row] for row in rows],
                    [ats[row] for row in rows],
                    [ids[row] for row in rows] if ids else None,
                )
            )
        return found

    def _event_group(
        self,
        name: str,
        places: list[int],
        properties: list[Mapping[str, Any]],
        ats: list[Any],
        ids: list[str | None] | None,
    ) -> EventGroup:
        types = self._table.events[name].type.properties
        values = {n: _converted(types[n], column) for n, column in _columns_of(properties, tuple(types)).items()}
        moments = _converted(instant, ats)
        assert isinstance(moments, Words)
        return EventGroup(name, np.array(places), np.where(moments.missing, self._now, moments.values), ids, values)

    def _leave_taken_ids(self, places: list[int], ids: list[Any]) -> None:
        """Leave objects aside with an event whose id may be taken: such events are told apart one by one."""
        tags_by_number = self._table._tags_by_event_id
        seen: set[tuple[int, str]] = set()
        for place, number, event_id in zip(places, self._numbers[places].tolist(), ids, strict=True):
            if event_id is None:
                continue
            if type(event_id) is not str:
                raise _NotPlainError
            is_taken = (number, event_id) in seen or event_id in tags_by_number.get(number, ())
            if is_taken or tag_of_id(event_id) is not None or not _is_plain_id(event_id):
                self._is_plain[place] = False
            seen.add((number, event_id))

    # ------------------------------------------------------------------------ waves

    def _waves_of_places(self, least: int) -> list[Array]:
        """Return the places of the changes of each wave."""
        numbers, is_plain = self._numbers, self._is_plain
        if not is_plain.all():
            is_plain = is_plain & ~np.isin(numbers, numbers[~is_plain])
        places = np.flatnonzero(is_plain)
        order = np.argsort(numbers[places], kind="stable")
        places, met = places[order], numbers[places][order]
        starts, ends = runs_of(met)
        nth = np.arange(len(met)) - np.repeat(starts, ends - starts)
        waves: list[Array] = []
        for n, size in enumerate(np.bincount(nth).tolist()):  # the first changes of all objects, the second ones, ...
            if size < least:
                break
            waves += np.array_split(places[nth == n], -(-size // MOST_IN_WAVE))
            self.n_rounds = n + 1
        return waves

    def _wave(self, groups: Sequence[AttributeGroup | EventGroup], places: Array) -> Wave:
        in_wave = np.full(len(self._changes), -1)
        in_wave[places] = np.arange(len(places))
        parts = [part for group in groups if (part := _part_of(group, in_wave[group.places])) is not None]
        return Wave(
            self._numbers[places],
            places,
            self._kinds[places],
            [part for part in parts if isinstance(part, AttributeGroup)],
            [part for part in parts if isinstance(part, EventGroup)],
        )


def _is_plain_id(text: str) -> bool:
    """Whether a text is sure to be good for an id; about any other the ordinary door is asked."""
    return text.isascii() and 0 < len(text) <= _MOST_PLAIN


_MOST_PLAIN: Final = 200


def _check_mappings(mappings: Sequence[Any]) -> None:
    if not set(map(type, mappings)) <= {dict}:
        raise _NotPlainError


def _columns_of(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    """Return the values of rows by name, None where a row has none; no row has any other name."""
    n_values = sum(map(len, rows))
    if n_values == len(rows) * len(names):
        try:
            return {name: list(map(itemgetter(name), rows)) for name in names}
        except KeyError:
            raise _NotPlainError from None
    columns = {name: [row.get(name) for row in rows] for name in names}
    if n_values != sum(name in row for row in rows for name in names):
        raise _NotPlainError
    return columns


def _part_of(group: AttributeGroup | EventGroup, places: Array) -> AttributeGroup | EventGroup | None:
    """Return the part of a group that is in a wave, where its changes have some places, -1 for none."""
    rows = np.argsort(places, kind="stable")
    rows = rows[int(np.searchsorted(places[rows], 0)) :]
    if not len(rows):
        return None
    if isinstance(group, AttributeGroup):
        return AttributeGroup(group.name, places[rows], taken(group.values, rows))
    ids = None if group.ids is None else [group.ids[row] for row in rows.tolist()]
    values = {name: taken(values, rows) for name, values in group.values_by_name.items()}
    return EventGroup(group.name, places[rows], group.ats[rows], ids, values)


def _converted(value_type: ValueType, values: list[Any]) -> Values:
    return converted(value_type, values, _as_it_is)


_as_it_is: Callable[[Any], list[Any]] = list

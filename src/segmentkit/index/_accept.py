"""The door: changes from the host become operations that cannot fail, or one DataError.

A batch is checked as a whole before anything of it is applied, each change against the facts as
the changes before it will leave them. Values are converted here, once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeAlias, TypeGuard

import attrs

from segmentkit.errors import DataError, closest, repr_of
from segmentkit.index._events import id_of_tag
from segmentkit.index._table import Table
from segmentkit.index.deltas import Change, Delete, Event, Put, Retract, Update
from segmentkit.values import from_micros, instant, is_text, to_micros

MAX_ID = 1_000
"""Longest id of an object or an event, in characters."""

Operation: TypeAlias = tuple[str, str, tuple[Any, ...]]
"""Object type, method of `Writer`, arguments."""

One: TypeAlias = tuple[str, str, int, str | None, int, Any]
"""One ordinary change of an object that is there: its type, id and number; an event's name, instant and values,
or no name, any instant and the attributes."""


class Acceptor:
    """Checks one batch after another.

    Args:
        tables: the facts, by object type.
        creates_unknown: whether an update or event of an unknown object creates it.
    """

    def __init__(self, tables: Mapping[str, Table], *, creates_unknown: bool) -> None:
        self._tables = tables
        self.creates_unknown = creates_unknown
        self._now = 0
        self._resolves = False
        self._exists: dict[tuple[str, str], bool] = {}
        self._emptied: set[tuple[str, str]] = set()
        self._events: dict[tuple[str, str, str], Any] = {}
        self._position = 0
        self._operations: list[Operation] = []
        self._resolved: list[Change] = []
        self._handlers: dict[type, Callable[[Any], None]] = {
            Put: self._put,
            Update: self._update,
            Event: self._event,
            Retract: self._retract,
            Delete: self._delete,
        }

    def accept_one(self, change: object, now: int) -> One | None:
        """Return what one change comes to, if it is an ordinary one; None if it has to go the long way.

        Events without an id and updates, of objects that are there, without a mistake: `bench_changes`.
        """
        try:
            if type(change) is Event and change.id is None and type(change.properties) is dict:
                table = self._tables[change.object_type]
                number = table.number_by_id[change.object]
                at = now if change.at is None else to_micros(change.at)
                values = table.events[change.name].accept(change.properties)
                return table.name, change.object, number, change.name, at, values
            if type(change) is Update and type(change.attributes) is dict:
                table = self._tables[change.object_type]
                number, columns = table.number_by_id[change.id], table.columns
                accepted = {}
                for name, value in change.attributes.items():
                    accepted[name] = columns[name].accept(value)
                return table.name, change.id, number, None, now, accepted
        except (KeyError, ValueError, TypeError, AttributeError):
            pass  # whatever is wrong, the long way says what
        return None

    def accept(
        self, changes: Iterable[Change], now: int, *, resolves: bool = False
    ) -> tuple[list[Operation], list[Change]]:
        """Return the operations that `changes` come to.

        Args:
            changes: in the order in which they happen.
            now: the instant of an event that comes without one.
            resolves: whether to return the changes too, with every instant and event id filled in.

        Raises:
            DataError: a change does not fit; it names the object, the attribute and the value.
        """
        self._now, self._resolves = now, resolves
        self._operations, self._resolved = [], []
        if self._exists or self._events or self._emptied:
            self._exists, self._events, self._emptied = {}, {}, set()
        handlers = self._handlers
        for self._position, change in enumerate(changes, start=1):
            handler = handlers.get(type(change))
            if handler is None:
                raise DataError(
                    f"change {self._position} of the batch: expected a Put, Update, Event, Retract or Delete, "
                    f"got {repr_of(change)} ({type(change).__name__})",
                    value=change,
                    position=self._position,
                )
            handler(change)
        return self._operations, self._resolved

    # ---------------------------------------------------------------------- changes

    def _put(self, change: Put) -> None:
        table = self._table(change.object_type, change.id)
        values = self._attributes(table, change.id, change.attributes)
        self._exists[table.name, change.id] = True
        self._add(change, table, "put", change.id, values)

    def _update(self, change: Update) -> None:
        table = self._table(change.object_type, change.id)
        values = self._attributes(table, change.id, change.attributes)
        self._require(table, change.id, "update")
        self._add(change, table, "update", change.id, values)

    def _event(self, change: Event) -> None:
        table = self._table(change.object_type, change.object)
        try:
            events = table.events.get(change.name)
        except TypeError:  # a name that cannot even be looked up
            events = None
        if events is None:
            raise self._error(
                table,
                change.object,
                change.name,
                None,
                f"unknown event {repr_of(change.name)}{_hint(change.name, table.events)}",
            )
        at = self._now if change.at is None else self._instant(table, change)
        try:
            if type(change.properties) is not dict and not isinstance(change.properties, Mapping):
                raise TypeError
            values = events.accept(change.properties)
        except KeyError as error:
            name = error.args[0]
            known = _hint(name, events.names)
            raise self._error(
                table,
                change.object,
                name,
                change.properties[name],
                f"event {change.name!r} has no property {repr_of(name)}{known}",
            ) from None
        except (ValueError, TypeError) as error:
            raise self._bad_property(table, change, error) from None
        event_id = change.id
        if event_id is not None:
            self._check_id(table, event_id, "an event id")
            content = (change.name, at, values)
            known_content = self._content(table, change.object, event_id)
            if known_content == content:
                return
            if known_content is not None:
                raise self._error(
                    table,
                    change.object,
                    change.name,
                    event_id,
                    f"event id {repr_of(event_id)} is taken by {_described(known_content)}, which differs from "
                    f"{_described(content)}; retract it first",
                )
            self._events[table.name, change.object, event_id] = content
        elif self._resolves:
            event_id = id_of_tag(table.take_tag())
        self._require(table, change.object, "add an event to")
        if self._resolves:
            change = attrs.evolve(change, at=from_micros(at), id=event_id)
        self._add(change, table, "add_event", change.object, change.name, at, event_id, values)

    def _retract(self, change: Retract) -> None:
        table = self._table(change.object_type, change.object)
        self._check_id(table, change.id, "an event id")
        self._require(table, change.object, "retract an event of", may_create=False)
        if self._content(table, change.object, change.id) is None:
            raise self._error(table, change.object, None, change.id, f"no event has the id {repr_of(change.id)}")
        self._events[table.name, change.object, change.id] = None
        self._add(change, table, "retract", change.object, change.id)

    def _delete(self, change: Delete) -> None:
        table = self._table(change.object_type, change.id)
        self._require(table, change.id, "delete", may_create=False)
        self._exists[table.name, change.id] = False
        self._emptied.add((table.name, change.id))
        for key in [key for key in self._events if key[:2] == (table.name, change.id)]:
            del self._events[key]
        self._add(change, table, "delete", change.id)

    def _add(self, change: Change, table: Table, operation: str, *arguments: Any) -> None:
        self._operations.append((table.name, operation, arguments))
        if self._resolves:
            self._resolved.append(change)

    # ----------------------------------------------------------------------- checks

    def _table(self, object_type: str, object_id: object) -> Table:
        table = self._tables.get(object_type) if isinstance(object_type, str) else None
        if table is None:
            raise DataError(
                f"change {self._position} of the batch: unknown object type {repr_of(object_type)}"
                f"{_hint(object_type, self._tables)}",
                object_type=object_type,
                object_id=object_id,
                position=self._position,
            )
        self._check_id(table, object_id, "an object id")
        return table

    def _check_id(self, table: Table, value: object, what: str) -> None:
        if is_id(value):
            return
        raise DataError(
            f"change {self._position} of the batch: {what} of {table.name} has to be text of 1 to {MAX_ID:,} "
            f"characters, got {repr_of(value)} ({type(value).__name__})",
            object_type=table.name,
            value=value,
            position=self._position,
        )

    def _require(self, table: Table, object_id: str, operation: str, *, may_create: bool = True) -> None:
        exists = self._exists.get((table.name, object_id))
        if exists or (exists is None and object_id in table.number_by_id):
            return
        if self.creates_unknown and may_create:
            self._exists[table.name, object_id] = True
            if self._resolves:
                self._resolved.append(Put(table.name, object_id))
            return
        raise self._error(
            table,
            object_id,
            None,
            None,
            f"there is no such object to {operation}; put it first"
            + (', or use Engine(..., unknown="create")' if may_create else ""),
        )

    def _attributes(self, table: Table, object_id: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
        columns, values = table.columns, {}
        if type(attributes) is not dict and not isinstance(attributes, Mapping):  # the second look is slow
            raise self._error(
                table, object_id, None, attributes, f"attributes have to be a mapping, got {repr_of(attributes)}"
            )
        for name, value in attributes.items():
            column = columns.get(name)
            if column is None:
                raise self._error(
                    table, object_id, name, value, f"unknown attribute {repr_of(name)}{_hint(name, columns)}"
                )
            try:
                values[name] = column.accept(value)
            except ValueError as error:
                raise self._error(table, object_id, name, value, f"attribute {name!r}: {error}") from None
        return values

    def _instant(self, table: Table, change: Event) -> int:
        try:
            if isinstance(change.at, datetime):
                return to_micros(change.at)
            at: int = instant.convert(change.at)
        except ValueError as error:
            raise self._error(
                table, change.object, change.name, change.at, f"instant of event {change.name!r}: {error}"
            ) from None
        return at

    def _bad_property(self, table: Table, change: Event, error: Exception) -> DataError:
        types = table.events[change.name].type.properties
        if isinstance(change.properties, Mapping):
            for name, value in change.properties.items():
                try:
                    types[name].convert(value)
                except ValueError as found:
                    message = f"property {name!r} of event {change.name!r}: {found}"
                    return self._error(table, change.object, name, value, message)
        message = f"properties of event {change.name!r} have to be a mapping, got {repr_of(change.properties)}"
        return self._error(table, change.object, change.name, change.properties, message)

    def _content(self, table: Table, object_id: str, event_id: str) -> tuple[str, int, tuple[Any, ...]] | None:
        """Return name, instant and values of the event with the id as the batch so far leaves it."""
        key = (table.name, object_id, event_id)
        if key in self._events:
            content: tuple[str, int, tuple[Any, ...]] | None = self._events[key]
            return content
        number = table.number_by_id.get(object_id)
        if number is None or key[:2] in self._emptied:
            return None
        found = table.find_event(number, event_id)
        if found is None:
            return None
        name, index = found
        return name, table.events[name].at(number, index), table.events[name].values(number, index)

    def _error(self, table: Table, object_id: object, name: str | None, value: object, why: str) -> DataError:
        return DataError(
            f"change {self._position} of the batch, {table.name} {repr_of(object_id)}: {why}",
            object_type=table.name,
            object_id=object_id,
            name=name,
            value=value,
            position=self._position,
        )


def is_id(value: object) -> TypeGuard[str]:
    """Whether it can be the id of an object or an event."""
    return type(value) is str and 0 < len(value) <= MAX_ID and (value.isascii() or is_text(value))


def _hint(name: object, known: Collection[str]) -> str:
    close = closest(name, known)
    if close is not None:
        return f"; did you mean {close!r}?"
    return f"; declared: {', '.join(sorted(known)[:20]) or 'none'}"


def _described(content: tuple[str, int, tuple[Any, ...]]) -> str:
    name, at, values = content
    return f"a {name!r} at {from_micros(at).isoformat()} with {repr_of(values)}"

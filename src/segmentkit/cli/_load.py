"""Rows of data files as changes for the engine, all of them or none.

A file holds the objects of one type, or the events of one name. Its columns are:

========================================  ==================================================
``id``                                    the object's, or the event's (optional for events)
``object``, the type's name, ``TYPE_id``  the object of an event
``at``                                    the instant of an event
any other                                 an attribute, a to-one relation, or a property
========================================  ==================================================

`rename` comes first and gives a column of the file one of these names. A broken row is
reported with file, row, column, value and what was expected; up to `MAX_PROBLEMS` of them
are collected, and then nothing is loaded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import attrs

from segmentkit.cli._failure import Failure, suggestion
from segmentkit.cli._readers import Row, Table, open_table
from segmentkit.cli._values import from_native, from_text
from segmentkit.index.deltas import Event, Put
from segmentkit.schema import Schema, ValueType, instant, text

ChangeType = TypeVar("ChangeType", Put, Event)

MAX_PROBLEMS: Final = 20
_ID, _OBJECT, _AT = "id", "object", "at"


@attrs.frozen
class Source:
    """A file of the objects of a type, or of one kind of event when `event` is not None."""

    path: Path
    object_type: str
    event: str | None = None
    rename: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen
class Fact(Generic[ChangeType]):
    """A change, and the row that it came from."""

    change: ChangeType
    source: Source
    row: int

    @property
    def origin(self) -> str:
        """File and row, for messages."""
        return f"{self.source.path}, row {self.row}"


@attrs.frozen
class Facts:
    """Everything that was loaded: objects in the order of their files, events in their order of time.

    Events at one instant keep the order of their files and rows.
    """

    objects: tuple[Fact[Put], ...]
    events: tuple[Fact[Event], ...]

    @property
    def n_objects_by_type(self) -> dict[str, int]:
        """How many objects there are of each type that has some."""
        return Counter(fact.change.object_type for fact in self.objects)


def load(sources: Iterable[Source], schema: Schema, *, ignore_columns: bool = False) -> Facts:
    """Read all sources; objects first, whatever their order here.

    Where no file lists the objects of a type, those that events mention exist without attributes.

    Raises:
        Failure: with every problem that was found.
        SchemaError: a source names a type that the schema does not have.
    """
    loader = _Loader(schema, ignore_columns)
    for source in sorted(sources, key=lambda source: source.event is not None):
        loader.read(source)
    loader.problems.check()
    return Facts(tuple(loader.objects), tuple(sorted(loader.events, key=instant_of)))


def instant_of(fact: Fact[Event]) -> datetime:
    """Return the instant of an event that was loaded."""
    assert fact.change.at is not None
    return fact.change.at


class _Problems:
    """What is wrong, up to a limit."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, source: Source, row: int, problem: str, column: str | None = None) -> None:
        where = f", column {column!r}" if column is not None else ""
        self.found.append(f"{source.path}, row {row}{where}: {problem}")
        if len(self.found) >= MAX_PROBLEMS:
            self.check()

    def check(self) -> None:
        """Raise a Failure with everything found, if there is anything."""
        if self.found:
            n = len(self.found)
            many = f"the first {n} problems" if n >= MAX_PROBLEMS else "1 problem" if n == 1 else f"{n} problems"
            raise Failure("\n".join([*self.found, f"{many}; nothing was loaded"]))


@attrs.frozen
class _Columns:
    """What the columns of a source stand for."""

    source: Source
    fields: Mapping[str, ValueType]
    aliases: Mapping[str, str]
    ignore_unknown: bool

    @classmethod
    def of(cls, source: Source, schema: Schema, ignore_unknown: bool) -> _Columns:
        object_type = schema.type(source.object_type)
        if source.event is None:
            links = {name: text for name, link in object_type.relations.items() if link.cardinality == "one"}
            return cls(source, {**links, **object_type.attributes}, {_ID: _ID}, ignore_unknown)
        event = object_type.events.get(source.event)
        if event is None:
            hint = suggestion(source.event, object_type.events)
            raise Failure(f"{source.path}: {source.object_type!r} has no event {source.event!r}{hint}")
        aliases = {
            alias: _OBJECT
            for alias in (_OBJECT, source.object_type, f"{source.object_type}_id")
            if alias not in event.properties
        }
        return cls(source, event.properties, {**aliases, _ID: _ID, _AT: _AT}, ignore_unknown)

    def meaning(self, column: str) -> str | None:
        """Return "id", "object", "at" or the name of a field; None for a column that is ignored.

        Raises:
            ValueError: nothing has that name.
        """
        name = self.source.rename.get(column, column)
        if name in self.aliases:
            return self.aliases[name]
        if name in self.fields:
            return name
        if self.ignore_unknown:
            return None
        known = [*self.aliases, *self.fields]
        raise ValueError(
            f"unknown column {name!r}{suggestion(name, known)} (known: {', '.join(known)}; "
            "--rename gives a column another name, --ignore-columns leaves unknown ones out)"
        )

    @property
    def required(self) -> tuple[str, ...]:
        return (_ID,) if self.source.event is None else (_OBJECT, _AT)


class _Loader:
    """The state of one `load`: what was read, which objects exist, what is wrong."""

    def __init__(self, schema: Schema, ignore_columns: bool) -> None:
        self.schema = schema
        self.ignore_columns = ignore_columns
        self.objects: list[Fact[Put]] = []
        self.events: list[Fact[Event]] = []
        self.problems = _Problems()
        self.row_by_id: dict[str, dict[str, Fact[Put]]] = {}
        self.listed: set[str] = set()

    def read(self, source: Source) -> None:
        columns = _Columns.of(source, self.schema, self.ignore_columns)
        accept = self._accept_object if source.event is None else self._accept_event
        if source.event is None:
            self.listed.add(source.object_type)
        with open_table(source.path) as table:
            if table.columns is not None:
                _check_header(columns, table.columns)
            for row, values in self._iter_values(columns, table):
                accept(source, row.number, values)

    def _iter_values(self, columns: _Columns, table: Table) -> Iterable[tuple[Row, dict[str, Any]]]:
        """Yield the rows without problems, their values by meaning."""
        convert = from_text if table.is_text else from_native
        plan: dict[str, tuple[str, ValueType] | None] = {}
        for row in table.rows:
            if row.problem:
                self.problems.add(columns.source, row.number, row.problem)
                continue
            values: dict[str, Any] = {}
            n_problems = len(self.problems.found)
            for column, raw in row.values.items():
                if column not in plan:
                    try:
                        plan[column] = self._plan(columns, column)
                    except ValueError as error:
                        self.problems.add(columns.source, row.number, str(error))
                        plan[column] = None
                step = plan[column]
                if step is None or raw is None:
                    continue
                name, value_type = step
                try:
                    value = convert(raw, value_type)
                    value_type.convert(value)
                except ValueError as error:
                    self.problems.add(columns.source, row.number, str(error), column)
                    continue
                if name in values:
                    self.problems.add(columns.source, row.number, f"a second value for {name!r}", column)
                values[name] = value
            for name in columns.required:
                if values.get(name) in (None, "") and len(self.problems.found) == n_problems:
                    self.problems.add(columns.source, row.number, "it has to be there, and is missing", name)
            if len(self.problems.found) == n_problems:
                yield row, values

    @staticmethod
    def _plan(columns: _Columns, column: str) -> tuple[str, ValueType] | None:
        name = columns.meaning(column)
        if name is None:
            return None
        return name, {_ID: text, _OBJECT: text, _AT: instant}[name] if name in columns.aliases.values() else (
            columns.fields[name]
        )

    def _accept_object(self, source: Source, row: int, values: dict[str, Any]) -> None:
        object_id = values.pop(_ID)
        known = self.row_by_id.setdefault(source.object_type, {})
        if object_id in known:
            self.problems.add(source, row, f"{object_id!r} stands in {known[object_id].origin} already", _ID)
            return
        known[object_id] = fact = Fact(Put(source.object_type, object_id, values), source, row)
        self.objects.append(fact)

    def _accept_event(self, source: Source, row: int, values: dict[str, Any]) -> None:
        object_id = values.pop(_OBJECT)
        known = self.row_by_id.setdefault(source.object_type, {})
        if object_id not in known:
            if source.object_type in self.listed:
                self.problems.add(source, row, f"no {source.object_type} {object_id!r} in the objects", _OBJECT)
                return
            known[object_id] = Fact(Put(source.object_type, object_id, {}), source, row)
            self.objects.append(known[object_id])
        at, event_id = values.pop(_AT), values.pop(_ID, None)
        event = Event(source.object_type, object_id, str(source.event), values, at=at, id=event_id)
        self.events.append(Fact(event, source, row))


def _check_header(columns: _Columns, header: tuple[str, ...]) -> None:
    """Raise a Failure unless each column means something, nothing twice, and all that is required is there."""
    column_by_meaning: dict[str, str] = {}
    problems = []
    for column in header:
        try:
            meaning = columns.meaning(column)
        except ValueError as error:
            problems.append(str(error))
            continue
        if meaning is not None and meaning in column_by_meaning:
            problems.append(f"columns {column_by_meaning[meaning]!r} and {column!r} both stand for {meaning!r}")
        elif meaning is not None:
            column_by_meaning[meaning] = column
    problems += [
        f"no column {name!r}; give one that name with --rename COLUMN={name}"
        for name in columns.required
        if name not in column_by_meaning
    ]
    if problems:
        raise Failure("\n".join(f"{columns.source.path}, row 1: {problem}" for problem in problems))

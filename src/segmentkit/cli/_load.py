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
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import attrs

from segmentkit.cli._failure import Failure, suggestion
from segmentkit.cli._readers import Row, open_table
from segmentkit.cli._values import from_native, from_text
from segmentkit.index.deltas import Event, Put
from segmentkit.schema import Schema
from segmentkit.values import ValueType, instant, text

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
class _Meaning:
    """What a column stands for: a key (id, object, at), or a field that the schema declares."""

    name: str
    type: ValueType
    is_key: bool = False


@attrs.frozen
class _Columns:
    """What the columns of a source may be called, and what each name stands for."""

    source: Source
    meaning_by_name: Mapping[str, _Meaning]
    required: tuple[str, ...]
    ignore_unknown: bool

    @classmethod
    def of(cls, source: Source, schema: Schema, ignore_unknown: bool) -> _Columns:
        object_type = schema.type(source.object_type)
        keys = {_ID: _Meaning(_ID, text, is_key=True)}
        if source.event is None:
            links = {name: text for name, link in object_type.relations.items() if link.cardinality == "one"}
            fields: Mapping[str, ValueType] = {**links, **object_type.attributes}
            required: tuple[str, ...] = (_ID,)
        else:
            if source.event not in object_type.events:
                hint = suggestion(source.event, object_type.events)
                raise Failure(f"{source.path}: {source.object_type!r} has no event {source.event!r}{hint}")
            fields = object_type.events[source.event].properties
            required = (_OBJECT, _AT)
            keys[_AT] = _Meaning(_AT, instant, is_key=True)
            names = (_OBJECT, source.object_type, f"{source.object_type}_id")
            keys |= {name: _Meaning(_OBJECT, text, is_key=True) for name in names if name not in fields}
        declared = {name: _Meaning(name, value_type) for name, value_type in fields.items()}
        return cls(source, {**declared, **keys}, required, ignore_unknown)

    def meaning(self, column: str) -> _Meaning | None:
        """Return what the column stands for; None when it is left out.

        Raises:
            ValueError: nothing has that name.
        """
        name = self.source.rename.get(column, column)
        found = self.meaning_by_name.get(name)
        if found is None and not self.ignore_unknown:
            known = self.meaning_by_name
            raise ValueError(
                f"unknown column {name!r}{suggestion(name, known)} (known: {', '.join(known)}; "
                "--rename gives a column another name, --ignore-columns leaves unknown ones out)"
            )
        return found

    def check_header(self, header: tuple[str, ...]) -> None:
        """Raise a Failure unless each column means something, nothing twice, and all that is required is there."""
        column_by_meaning: dict[_Meaning, str] = {}
        problems = []
        for column in header:
            try:
                meaning = self.meaning(column)
            except ValueError as error:
                problems.append(str(error))
                continue
            if meaning is not None:
                if meaning in column_by_meaning:
                    problems.append(f"columns {column_by_meaning[meaning]!r} and {column!r} both are {meaning.name!r}")
                column_by_meaning[meaning] = column
        there = {meaning.name for meaning in column_by_meaning if meaning.is_key}
        problems += [
            f"no column {name!r}; give one that name with --rename COLUMN={name}"
            for name in self.required
            if name not in there
        ]
        if problems:
            raise Failure("\n".join(f"{self.source.path}, row 1: {problem}" for problem in problems))


@attrs.frozen
class _Record:
    """A row by what its columns stand for, and what is wrong with it (with the column, where it is one)."""

    keys: dict[str, Any] = attrs.field(factory=dict)
    fields: dict[str, Any] = attrs.field(factory=dict)
    problems: list[tuple[str, str | None]] = attrs.field(factory=list)


def _read_row(
    columns: _Columns, row: Row, meanings: dict[str, _Meaning | None], convert: Callable[[Any, ValueType], Any]
) -> _Record:
    """Return the record of a row; `meanings` remembers the columns of the rows before."""
    record = _Record()
    if row.problem:
        record.problems.append((row.problem, None))
        return record
    for column, raw in row.values.items():
        try:
            if column not in meanings:
                meanings[column] = None  # so that an unknown one is reported once
                meanings[column] = columns.meaning(column)
            meaning = meanings[column]
            if meaning is None or raw is None:
                continue
            value = convert(raw, meaning.type)
            meaning.type.convert(value)
            into = record.keys if meaning.is_key else record.fields
            if meaning.name in into:
                raise ValueError(f"a second value for {meaning.name!r}")
            into[meaning.name] = value
        except ValueError as error:
            record.problems.append((str(error), column))
    if not record.problems:
        record.problems.extend(
            ("it has to be there, and is missing", name) for name in columns.required if not record.keys.get(name)
        )
    return record


class _Loader:
    """The state of one `load`: what was read, which objects exist, what is wrong."""

    def __init__(self, schema: Schema, ignore_columns: bool) -> None:
        self.schema = schema
        self.ignore_columns = ignore_columns
        self.objects: list[Fact[Put]] = []
        self.events: list[Fact[Event]] = []
        self.problems = _Problems()
        self.fact_by_id: dict[str, dict[str, Fact[Put]]] = {}
        self.listed: set[str] = set()

    def read(self, source: Source) -> None:
        columns = _Columns.of(source, self.schema, self.ignore_columns)
        if source.event is None:
            self.listed.add(source.object_type)
        accept = self._accept_object if source.event is None else self._accept_event
        with open_table(source.path) as table:
            if table.columns is not None:
                columns.check_header(table.columns)
            convert = from_text if table.is_text else from_native
            meanings: dict[str, _Meaning | None] = {}
            for row in table.rows:
                record = _read_row(columns, row, meanings, convert)
                if not record.problems:
                    accept(source, row.number, record)
                for problem, column in record.problems:
                    self.problems.add(source, row.number, problem, column)

    def _accept_object(self, source: Source, row: int, record: _Record) -> None:
        known = self.fact_by_id.setdefault(source.object_type, {})
        object_id: str = record.keys[_ID]
        if object_id in known:
            self.problems.add(source, row, f"{object_id!r} stands in {known[object_id].origin} already", _ID)
            return
        known[object_id] = Fact(Put(source.object_type, object_id, record.fields), source, row)
        self.objects.append(known[object_id])

    def _accept_event(self, source: Source, row: int, record: _Record) -> None:
        known = self.fact_by_id.setdefault(source.object_type, {})
        object_id: str = record.keys[_OBJECT]
        if object_id not in known:
            if source.object_type in self.listed:
                self.problems.add(source, row, f"no {source.object_type} {object_id!r} in the objects", _OBJECT)
                return
            known[object_id] = Fact(Put(source.object_type, object_id, {}), source, row)
            self.objects.append(known[object_id])
        assert source.event is not None
        event = Event(
            source.object_type, object_id, source.event, record.fields, record.keys[_AT], record.keys.get(_ID)
        )
        self.events.append(Fact(event, source, row))

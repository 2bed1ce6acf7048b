"""Loading tables: `Engine.load` and `Engine.load_events`.

A table means what one batch of `Put`s, or of `Event`s, means, row by row. It is checked as a whole
first (`index._bulk_values`); then the columns are extended and the histories laid out in one go
(`index._bulk_load`), and features and segments look at all the objects together (`index._bulk`).

Stores that keep facts themselves, types that point to others, filters over several objects, and rows that
need a look at each event's id, go through `Engine.apply`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from segmentkit._exchange import record
from segmentkit._frames import columns_of, host_values
from segmentkit.errors import DataError, closest, repr_of
from segmentkit.index import _bulk
from segmentkit.index._accept import MAX_ID, is_id
from segmentkit.index._bulk_load import add_events, numbers_of, put_objects
from segmentkit.index._bulk_store import TooWideError
from segmentkit.index._bulk_values import BadValueError, Coded, Values, Words, converted
from segmentkit.index._events import tag_of_id
from segmentkit.index._table import Table
from segmentkit.index.deltas import Backfill, Change, Deltas, Event, Put, Record
from segmentkit.values import ValueType, instant, text

if TYPE_CHECKING:
    from segmentkit.engine import Engine

__all__ = ["load", "load_events"]

_FEW_ROWS: Final = 4  # to look ids up in a table that is this many times longer does not pay
_SAMPLE: Final = 1_000  # rows that are looked up first: one that is not known is one too many


def load(engine: Engine, object_type: str, frame: Any, *, id: str) -> Deltas:
    """Put one object for each row of a frame; see `Engine.load`."""
    table = _table(engine, object_type)
    columns = columns_of(frame)
    ids = _ids(table, id, _required(table, columns, id, "id="), "an object id")
    types = {name: table.columns[name].type for name in _known(table, columns, {id}, table.columns, "attribute")}
    values = {name: _converted(table, types[name], name, columns[name], ids) for name in types}
    now = engine._read_clock()
    if _goes_row_by_row(engine, table):
        listed = {name: host_values(columns[name]) for name in types}
        rows = zip(*listed.values(), strict=True) if listed else ((),) * len(ids)
        return engine.apply(
            [Put(object_type, i, dict(zip(listed, row, strict=True))) for i, row in zip(ids, rows, strict=True)]
        )
    records = engine._advance_to(now)
    numbers, first_new = put_objects(table, ids, values, now)
    return _finish(engine, table, numbers, first_new, records, event=None)


def load_events(
    engine: Engine, object_type: str, name: str, frame: Any, *, object: str, at: str, id: str | None
) -> Deltas:
    """Add one event for each row of a frame; see `Engine.load_events`."""
    table = _table(engine, object_type)
    if not isinstance(name, str) or name not in table.events:
        raise DataError(f"{table.name} has no event {repr_of(name)}{_hint(name, table.events)}", object_type=table.name)
    columns = columns_of(frame)
    objects = _required(table, columns, object, "object=")
    ats = _required(table, columns, at, "at=")
    given = None if id is None else _required(table, columns, id, "id=")
    types = table.events[name].type.properties
    read = [object, at] if id is None else [object, at, id]
    properties = _known(table, columns, read, types, f"property of event {name!r}")
    owners = _owners(table, object, objects)
    instants = _converted(table, instant, at, ats, None)
    assert isinstance(instants, Words)
    event_ids = None if given is None else _event_ids(table, id or "", given)
    listed_objects = [owners.values[code] for code in owners.codes.tolist()] if event_ids is not None else None
    values = {n: _converted(table, types[n], n, columns[n], listed_objects) for n in properties}
    now = engine._read_clock()
    known = _known_numbers(engine, table, owners)
    if _goes_row_by_row(engine, table) or (event_ids is not None and not _are_new(table, owners, event_ids)):
        return _apply_events(engine, table, name, columns, read, event_ids)
    records = engine._advance_to(now)
    number_by_code, found, first_new = _numbers(table, owners, known, now)
    try:
        moments = np.where(instants.missing, now, instants.values)
        add_events(table, name, number_by_code[owners.codes], moments, ids=event_ids, values_by_name=values)
    except TooWideError:
        created = _finish(engine, table, np.sort(found[found >= first_new]), first_new, records, event=None)
        added = _apply_events(engine, table, name, columns, read, event_ids)
        return Deltas([*created.records, *added.records])
    return _finish(engine, table, np.sort(found), first_new, records, event=name)


def _goes_row_by_row(engine: Engine, table: Table) -> bool:
    """Whether each row has to be told: to a store that keeps facts, or to filters that read other objects."""
    return not engine._shares_facts or bool(table.links) or not engine._ripple.is_still


def _finish(
    engine: Engine,
    table: Table,
    numbers: Any,
    first_new: int,
    records: list[Record | Backfill],
    *,
    event: str | None,
) -> Deltas:
    """Let features and segments see what has been loaded, and emit what that flips."""
    matcher = engine._matchers[table.name]
    for segment, entered, left in _bulk.refresh(matcher, numbers, first_new, engine._now, event):
        record(engine, records, segment, left=left, entered=entered, cause="load", backfill=False)
    deltas = Deltas(records)
    if len(numbers) or records:
        engine._commit(deltas, ())
    return deltas


# ------------------------------------------------------------------------------- checks


def _table(engine: Engine, object_type: str) -> Table:
    table = engine._tables.get(object_type) if isinstance(object_type, str) else None
    if table is None:
        raise DataError(f"unknown object type {repr_of(object_type)}{_hint(object_type, engine._tables)}")
    return table


def _required(table: Table, columns: dict[str, Any], name: str, argument: str) -> Any:
    if not isinstance(name, str) or name not in columns:
        raise DataError(
            f"{table.name}: the frame has no column {repr_of(name)}, which {argument} names{_hint(name, columns)}",
            object_type=table.name,
            name=name,
        )
    return columns[name]


def _known(table: Table, columns: dict[str, Any], read: Collection[str], known: Any, what: str) -> list[str]:
    """Return the columns that are not read otherwise, each of which has to be known."""
    names = [name for name in columns if name not in read]
    for name in names:
        if name not in known:
            raise DataError(
                f"{table.name}: column {repr_of(name)} of the frame is no {what}{_hint(name, known)}",
                object_type=table.name,
                name=name,
            )
    return names


def _converted(table: Table, value_type: ValueType, name: str, column: Any, objects: Sequence[str] | None) -> Values:
    try:
        return converted(value_type, column, host_values)
    except BadValueError as error:
        owner = None if objects is None else objects[error.row]
        raise _bad_row(table, error.row, name, error.value, str(error), object_id=owner) from None


def _bad_row(table: Table, row: int, name: str, value: object, why: str, *, object_id: str | None = None) -> DataError:
    who = table.name if object_id is None else f"{table.name} {repr_of(object_id)}"
    return DataError(
        f"row {row + 1:,} of the frame, {who}: column {repr_of(name)}: {why}",
        object_type=table.name,
        object_id=object_id,
        name=name,
        value=value,
        position=row + 1,
    )


def _ids(table: Table, name: str, column: Any, what: str, *, optional: bool = False) -> list[Any]:
    """Return a column of ids, each of which is one."""
    ids = host_values(column)
    if (
        ids
        and set(map(type, ids)) == {str}
        and all(ids)
        and all(map(str.isascii, ids))
        and max(map(len, ids)) <= MAX_ID
    ):
        return ids  # what nearly every table has, at a fraction of the time (`bench_bulk`)
    for row, value in enumerate(ids):
        if is_id(value):
            continue
        if value is None and optional:
            continue
        raise _bad_row(table, row, name, value, _no_id(what, value))
    return ids


def _no_id(what: str, value: object) -> str:
    return f"{what} has to be text of 1 to {MAX_ID:,} characters, got {repr_of(value)} ({type(value).__name__})"


def _owners(table: Table, name: str, column: Any) -> Coded:
    """Return the id of each row's object, checked; those that are all there already are coded by their numbers."""
    if hasattr(column, "to_pylist") and len(column) * _FEW_ROWS >= len(table.ids):
        from segmentkit.index._bulk_arrow import places_in

        is_sample_known = all(map(table.number_by_id.__contains__, column[:_SAMPLE].to_pylist()))
        numbers = places_in(table.ids, column) if is_sample_known else None
        if numbers is not None:
            return Coded(numbers, table.ids)
    owners = _converted(table, text, name, column, None)
    assert isinstance(owners, Coded)
    _check_owners(table, name, owners)
    return owners


def _check_owners(table: Table, name: str, owners: Coded) -> None:
    """Check that every row names an object by an id."""
    lengths = np.fromiter(map(len, owners.values), np.int64, len(owners.values))
    wrong = np.flatnonzero((lengths == 0) | (lengths > MAX_ID))
    rows = np.flatnonzero(np.isin(owners.codes, [-1, *wrong.tolist()]) if len(wrong) else owners.codes < 0)
    if len(rows):
        code = int(owners.codes[rows[0]])
        value = None if code < 0 else owners.values[code]
        raise _bad_row(table, int(rows[0]), name, value, _no_id("an object id", value))


def _event_ids(table: Table, name: str, column: Any) -> list[str | None]:
    return _ids(table, name, column, "an event id", optional=True)


def _known_numbers(engine: Engine, table: Table, owners: Coded) -> Any:
    """Return the number of each distinct object, -1 for none; check that there is none only if it may be created."""
    if owners.values is table.ids:
        return np.arange(len(table.ids))
    known = table.number_by_id
    numbers = np.fromiter(map(known.get, owners.values, repeat(-1)), np.int64, len(owners.values))
    if not engine._acceptor.creates_unknown and (numbers < 0).any():
        rows = np.flatnonzero(numbers[owners.codes] < 0)
        if len(rows):  # a dictionary may hold ids that no row has
            row = int(rows[0])
            object_id = owners.values[int(owners.codes[row])]
            raise DataError(
                f"row {row + 1:,} of the frame, {table.name} {repr_of(object_id)}: there is no such object to add an "
                'event to; load it first, or use Engine(..., unknown="create")',
                object_type=table.name,
                object_id=object_id,
                position=row + 1,
            )
    return numbers


def _numbers(table: Table, owners: Coded, known: Any, now: int) -> tuple[Any, Any, int]:
    """Return the number of each distinct object, all numbers that rows have, and the first that is new.

    Objects that are not there yet are created, in the order in which the rows meet them.
    """
    n_rows = len(owners.codes)
    is_met = np.bincount(owners.codes, minlength=len(known)) > 0
    first_new = len(table.ids)
    if (is_met & (known < 0)).any():
        firsts = np.full(len(known), n_rows)
        firsts[owners.codes[::-1]] = np.arange(n_rows)[::-1]  # of several writes to one place, the last one stays
        codes = np.argsort(firsts, kind="stable")[: int(is_met.sum())]
        new = codes[known[codes] < 0]
        known[new], first_new = numbers_of(table, [owners.values[code] for code in new.tolist()], now)
    return known, known[is_met], first_new


def _are_new(table: Table, owners: Coded, event_ids: Sequence[str | None]) -> bool:
    """Whether no id is taken, by an earlier event or an earlier row."""
    seen: set[tuple[int, str]] = set()
    n_named = 0
    number_by_id, tags_by_number = table.number_by_id, table._tags_by_event_id
    tags = [tags_by_number.get(number_by_id.get(value, -1), {}) for value in owners.values]
    for code, event_id in zip(owners.codes.tolist(), event_ids, strict=True):
        if event_id is None:
            continue
        if event_id in tags[code] or tag_of_id(event_id) is not None:
            return False
        seen.add((code, event_id))
        n_named += 1
    return len(seen) == n_named


def _apply_events(  # noqa: PLR0917  # the parts of a frame
    engine: Engine,
    table: Table,
    name: str,
    columns: dict[str, Any],
    read: Sequence[str],
    event_ids: Sequence[str | None] | None,
) -> Deltas:
    """Add the events one by one; `read` are the columns of objects and instants, and perhaps of ids."""
    objects, ats = host_values(columns[read[0]]), host_values(columns[read[1]])
    properties = [n for n in columns if n not in read]
    ids = [None] * len(objects) if event_ids is None else event_ids
    listed = [host_values(columns[n]) for n in properties]
    rows = zip(*listed, strict=True) if listed else ((),) * len(objects)
    changes: list[Change] = [
        Event(table.name, owner, name, dict(zip(properties, row, strict=True)), when, event_id)
        for owner, when, event_id, row in zip(objects, ats, ids, rows, strict=True)
    ]
    return engine.apply(changes)


def _hint(name: object, known: Any) -> str:
    close = closest(name, known)
    if close is not None:
        return f"; did you mean {close!r}?"
    return f"; known: {', '.join(sorted(map(str, known))[:20]) or 'none'}"

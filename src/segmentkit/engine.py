"""The engine: define segments, feed changes and time, read memberships.

What happens on `apply`, from top to bottom of this file: the batch is checked (`index._accept`);
time passes up to the clock (`_passing`); the operations change the facts, and the features that read
what changed say how they moved (`index._writer`); the matcher turns moves into flipped segments
(`index._matcher`); what other filters read of that, they look at again (`index._ripple`); the flips are
numbered, stored and told (`_commit`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import Any, Literal, NoReturn

from pyroaring import BitMap

from segmentkit import _exchange, _passing, _slices
from segmentkit._catalogue import Catalogue, agents, bad_name, labels, period, text_of
from segmentkit._reports import Difference, EngineStatistics, Preview
from segmentkit._subscriptions import Subscription, Subscriptions
from segmentkit.clock import Clock, SystemClock
from segmentkit.dsl.evaluate import evaluate
from segmentkit.dsl.predicates import Predicate
from segmentkit.errors import (
    ArgumentError,
    ClockError,
    SegmentKitError,
    StoreError,
    cannot_leave,
    repr_of,
)
from segmentkit.index._accept import Acceptor, One, Operation
from segmentkit.index._deadlines import Deadlines
from segmentkit.index._matcher import Matcher
from segmentkit.index._members import Members
from segmentkit.index._ripple import Ripple
from segmentkit.index._segments import Segment
from segmentkit.index._sizes import bytes_by_part
from segmentkit.index._table import Table, World
from segmentkit.index._writer import Undo, Writer
from segmentkit.index.deltas import (
    Backfill,
    Change,
    Delete,
    Delta,
    Deltas,
    Event,
    Put,
    Record,
    Retract,
    Update,
)
from segmentkit.schema import Schema
from segmentkit.stores.memory import MemoryStore
from segmentkit.stores.protocol import Batch, Definition, SharesFacts, Store, from_store
from segmentkit.values import from_micros, to_micros

__all__ = ["Engine"]

_new_tuple = tuple.__new__  # a named tuple without the detour over its own constructor: `bench_changes`
_CHANGES = (Put, Update, Event, Retract, Delete)
_NO_DELTAS = Deltas(())
BATCH_FROM = 300
"""Changes from which on a batch is looked at as a whole (`_batches`): there it begins to win (`bench_batches`)."""


def _listed(changes: object) -> list[Change]:
    if isinstance(changes, _CHANGES):
        return [changes]
    if isinstance(changes, str | bytes | Mapping) or not isinstance(changes, Iterable):
        raise ArgumentError.of("changes", "a change or some changes", changes)
    return list(changes)


class Engine:
    """Segments over the objects of a schema, kept right as facts change and time passes.

    Args:
        schema: the object types.
        store: what facts, definitions and deltas survive in; what it already holds is taken over.
        clock: where `now` comes from; read at every `apply`.
        unknown: what an update or event of an unknown object does: "error", or "create" it.

    One thread writes at a time, readers never see half a batch.

    >>> from datetime import UTC, datetime, timedelta
    >>> from segmentkit import ManualClock, ObjectType, integer
    >>> schema = Schema(ObjectType("contact", {"orders": integer}, events={"visit": {}}))
    >>> engine = Engine(schema, clock=ManualClock(datetime(2026, 11, 22, tzinfo=UTC)))
    >>> segment = engine.define("Buyers", on="contact", where="orders > 4 and did visit in the last 40 days")
    >>> engine.put("contact", "c1", orders=5)
    []
    >>> [(d.object, d.entered) for d in engine.track("contact", "c1", "visit")]
    [('c1', True)]
    >>> [(d.entered, d.at.isoformat()) for d in engine.advance(to=engine.now + timedelta(days=90))]
    [(False, '2027-01-01T00:00:00+00:00')]
    """

    def __init__(
        self,
        schema: Schema,
        store: Store | None = None,
        clock: Clock | None = None,
        *,
        unknown: Literal["error", "create"] = "error",
    ) -> None:
        if not isinstance(schema, Schema):
            raise ArgumentError.of("schema", "a Schema", schema)
        if not isinstance(unknown, str) or unknown not in ("error", "create"):
            raise ArgumentError.of("unknown", "'error' or 'create'", unknown)
        if store is not None and not isinstance(store, Store):
            raise ArgumentError.of("store", "a store (see segmentkit.stores.Store)", store)
        if clock is not None and not isinstance(clock, Clock):
            raise ArgumentError.of("clock", "a clock with now()", clock)
        self.schema = schema
        self._store: Store = MemoryStore() if store is None else store
        self._clock: Clock = SystemClock() if clock is None else clock
        self._lock = RLock()
        self._deadlines = Deadlines()
        self._tables = {name: Table(object_type) for name, object_type in schema.types.items()}
        self._world = World(self._tables)
        self._ripple = Ripple(schema, self._world)
        self._matchers: dict[str, Matcher] = {}
        for name, table in self._tables.items():
            table.world = self._world
            self._matchers[name] = Matcher(table, schema, self._deadlines, self._lock, self._ripple)
            self._matchers[name].catch_up = self._catch_up
        self._writers = {n: Writer(table, self._matchers[n], self._ripple) for n, table in self._tables.items()}
        self._ripple.attach(self._writers)
        self._acceptor = Acceptor(self._tables, creates_unknown=unknown == "create")
        self._catalogue = Catalogue(schema, self._matchers, self._world, self._ripple, self._past)
        self._subscriptions = Subscriptions()
        self._unsaved: list[Record | Backfill] = []
        self._behind: _slices.Behind | None = None
        self._revision = 0
        self._clock_shown = self._clock.now()
        self._clock_read = self._now = to_micros(self._clock_shown)
        self._seq = 0
        self._shares_facts = isinstance(self._store, SharesFacts)
        self._take_over()
        if isinstance(self._store, SharesFacts):
            self._store.attach(self)

    def _take_over(self) -> None:
        """Bring an empty engine to the state of its store, without deltas."""
        store = self._store
        (last,) = from_store("the instant", lambda: [store.now()])
        if last is None:
            return
        (self._seq,) = from_store("the number of the last delta", lambda: [store.seq()])
        if not isinstance(self._seq, int) or self._seq < 0:
            raise StoreError(f"the store gave {repr_of(self._seq)} for the number of the last delta, 0 for none")
        try:
            self._now = to_micros(last)
            operations, _ = self._acceptor.accept(from_store("the facts", store.facts), self._now)
        except StoreError:
            raise
        except SegmentKitError as error:
            raise StoreError(f"the store's facts do not fit the schema: {error}") from error
        for writer in self._write(operations, None):
            writer.forget()
        for table in self._tables.values():
            table.forget_births()
        for segment in self._catalogue.stored(from_store("the definitions", store.definitions)):
            self._catalogue.swap([], [segment], self._now)
        self._unsaved = self._advance_to(max(self._now, self._clock_read))  # told with the next batch

    # --------------------------------------------------------------------- changes

    @property
    def now(self) -> datetime:
        """The instant up to which time has passed, in UTC."""
        return from_micros(self._now)

    def apply(self, changes: Change | Iterable[Change]) -> Deltas:
        """Apply one batch of changes, whole or not at all.

        First the clock's time passes; then the changes happen, one after another, at `now`.

        Returns:
            The deltas: those of the passing time, then the net ones of the batch (an object that leaves
            and returns within it emits nothing), by object in the order in which the batch met them.

        Raises:
            DataError: a change does not fit; no change of the batch was applied.
            ClockError: the clock went back; nothing changed.
            StoreError: the store refused the batch; no change of it was applied.

        Cost:
            For each change, the features that read what changed, and what flips; independent of the
            number of objects and nearly so of the number of segments. Of some hundred changes and more
            those that are plain are carried out together, which costs less for each; not where the store
            keeps the facts itself, or filters read other objects.
        """
        with self._lock:
            if type(changes) is not list:
                changes = _listed(changes)  # before the clock is read: a generator may do anything, also here
            now = self._read_clock()
            behind = self._behind
            if len(changes) == 1 and self._shares_facts and behind is None:
                one = self._acceptor.accept_one(changes[0], now)
                if one is not None:
                    return self._apply_one(one, now)
            resolves = not self._shares_facts
            if not resolves and self._ripple.is_still and len(changes) >= BATCH_FROM and behind is None:
                from segmentkit import _batches

                together = _batches.apply(self, changes, now, BATCH_FROM)
                if together is not None:
                    return together
            operations, resolved = self._acceptor.accept(changes, now, resolves=resolves)
            records = self._advance_to(now) if behind is None else self._advance_beside(behind, operations, now)
            saved, seq = len(records), self._seq
            undo: Undo | None = [] if resolves else None
            for writer in self._write(operations, undo):
                self._seq = writer.finish(records, self._seq, now)
            deltas = Deltas(records)
            if operations or records:
                try:
                    self._save(deltas, resolved)
                except BaseException:
                    with self._world.taken_back():
                        for writer in self._write(list(reversed(undo or ())), None):
                            writer.forget()
                    self._unsaved, self._seq = records[:saved], seq
                    raise
                self._tell(deltas)
            return deltas

    def _apply_one(self, one: One, now: int) -> Deltas:
        """Apply a batch of one accepted change, for a store that shares the facts: `apply` without its detours.

        There is nothing to take back, to sum up or, if nobody reads other objects, to spread (`bench_changes`).
        """
        records = self._advance_to(now)
        object_type, object_id, number, event, at, values = one
        writer, matcher = self._writers[object_type], self._matchers[object_type]
        if matcher.is_stale:
            matcher.refresh_plan(now)
        if self._ripple.is_still:
            writer.now = now
            if event is None:
                flips, cause = writer.write(number, values), "update"
            else:
                flips, cause = writer.happen(number, event, at, None, values), "event"
            if flips:
                fields = (self._seq + 1, now, object_type, object_id, flips, matcher.heads, cause)
                records.append(_new_tuple(Record, fields))
                self._seq += len(flips)
        else:
            writer.begin(now, None)
            if event is None:
                writer.update(object_id, values)
            else:
                writer.add_event(object_id, event, at, None, values)
            self._collect(records)
        deltas = Deltas(records) if records else _NO_DELTAS
        self._save(deltas, ())
        if records:
            self._tell(deltas)
        return deltas

    def put(self, object_type: str, object_id: str, /, **attributes: Any) -> Deltas:
        """Apply one `Put`: the whole object; what is not named is missing."""
        return self.apply(Put(object_type, object_id, attributes))

    def update(self, object_type: str, object_id: str, /, **attributes: Any) -> Deltas:
        """Apply one `Update`: the named attributes; None makes one missing."""
        return self.apply(Update(object_type, object_id, attributes))

    def track(
        self,
        object_type: str,
        object_id: str,
        event: str,
        /,
        *,
        at: datetime | None = None,
        id: str | None = None,
        **properties: Any,
    ) -> Deltas:
        """Apply one `Event`, at `at` or now."""
        return self.apply(Event(object_type, object_id, event, properties, at=at, id=id))

    def delete(self, object_type: str, object_id: str, /) -> Deltas:
        """Apply one `Delete`."""
        return self.apply(Delete(object_type, object_id))

    def load(self, object_type: str, frame: Any, *, id: str = "id") -> Deltas:
        """Put one object for each row of a table: the same as one batch of `Put`s, much faster for many.

        Args:
            object_type: of all rows.
            frame: a mapping of columns (lists, numpy arrays), or a table that speaks Arrow: of pyarrow, polars,
                pandas, a relation of DuckDB; Arrow needs the extra `parquet`. Each column is an attribute.
            id: the column with the objects' ids. Of several rows with one id, the last counts.

        Returns:
            The deltas: those of the passing time, then the net ones of the table by segment in the order of
            definition, exits first, then by object. Their cause is "load".

        Raises:
            DataError: a value, an id or a column does not fit; nothing was loaded. It names row and column.
            ClockError: the clock went back; nothing changed.
            MissingExtraError: the table speaks Arrow, and pyarrow is not installed.
            StoreError: the store refused the batch; nothing of it was applied.

        Cost:
            Far below a microsecond for each value, and for each segment and object some nanoseconds. A store
            that keeps the facts itself gets them one by one, as from `apply`.

        >>> from segmentkit import ObjectType, integer
        >>> engine = Engine(Schema(ObjectType("contact", {"orders": integer})))
        >>> segment = engine.define("Buyers", on="contact", where="orders > 4")
        >>> [(d.object, d.cause) for d in engine.load("contact", {"id": ["c1", "c2"], "orders": [5, None]})]
        [('c1', 'load')]
        """
        from segmentkit import _loading

        with self._lock:
            return _loading.load(self, object_type, frame, id=id)

    def load_events(
        self, object_type: str, name: str, frame: Any, *, object: str = "object", at: str = "at", id: str | None = None
    ) -> Deltas:
        """Add one event for each row of a table: the same as one batch of `Event`s, much faster for many.

        Args:
            object_type: of the objects.
            name: of the events.
            frame: as for `load`; each column is a property, but for those named below.
            object: the column with the ids of the objects.
            at: the column with the instants; a missing one is now.
            id: the column with the ids of the events, None for none. Ids that are taken are handled as in
                `apply`, one event after another.

        Returns:
            The deltas, as `load` does.

        Raises:
            DataError: a value, an id or a column does not fit, or an object is unknown; nothing was added.
            ClockError, MissingExtraError, StoreError: as for `load`.
        """
        from segmentkit import _loading

        with self._lock:
            return _loading.load_events(self, object_type, name, frame, object=object, at=at, id=id)

    def recalculate(self, name: str) -> Deltas:
        """Work the members of a segment out from the facts, and put them right where they differ.

        Segments follow every change by themselves, so there is nothing to put right unless something
        is broken; `verify` tells whether, by a slower and independent way.

        Returns:
            The deltas of the passing time, then those of the differences, which are marked `backfill`.

        Raises:
            UnknownNameError: there is no such segment.
        """
        with self._lock:
            segment = self._catalogue.get(name)
            records = self._advance_to(self._read_clock())
            found = self._matchers[segment.object_type].recalculated(segment.lowered or segment.tree, self._now)
            return _exchange.put_right(self, segment, found, records)

    def advance(self, to: datetime | None = None) -> Deltas:
        """Let time pass until `to` (default: the clock's now); nothing else happens.

        Args:
            to: aware instant, at or after `now`.

        Returns:
            Every flip on the way, in time order, each `at` its exact instant; an object that enters
            and leaves on the way appears twice.

        Raises:
            ClockError: `to` is naive or before `now`; nothing changes.

        Cost:
            In proportion to what comes due; free when nothing does.
        """
        with self._lock:
            return self._told(self._advance_to(self._target(to)))

    def advance_in_slices(self, to: datetime | None = None, *, objects: int = 20_000) -> Iterator[Deltas]:
        """Let time pass as `advance` does, slice by slice, so that changes need not wait for all of it.

        A million objects may flip at one midnight. Take the slices one after another, and apply what has come
        meanwhile in between: it finds the objects it concerns as they are at its own instant. Whatever
        reads memberships lets all objects catch up first, so nobody sees some of them before midnight and
        others after it; what flips then is told with the next slice or batch. A loop that ends early leaves the
        rest to the next look or `advance`.

        Time goes in slices where objects pass it independently of each other, and the store shares the facts:
        elsewhere, and of deadlines that are few, there is one.

        Args:
            to: aware instant, at or after `now` (default: the clock's now).
            objects: how many of those that are due make up a slice.

        Returns:
            The deltas of each slice, in time order within it. Those of one object are in time order, whatever the
            slices; of two objects, one may be told of later that flipped before the other.

        Raises:
            ArgumentError: `objects` is no number above 0.
            ClockError: `to` is naive or before `now`.
            StoreError: the store refused the deltas; they come with the next slice.

        >>> from datetime import UTC, datetime, timedelta
        >>> from segmentkit import ManualClock, ObjectType, instant
        >>> clock = ManualClock(datetime(2026, 11, 22, 23, tzinfo=UTC))
        >>> engine = Engine(Schema(ObjectType("task", {"due": instant})), clock=clock)
        >>> segment = engine.define("Late", on="task", where="due < now")
        >>> midnight = clock.now() + timedelta(hours=1)
        >>> loaded = engine.load("task", {"id": [f"t{n}" for n in range(5_000)], "due": [midnight] * 5_000})
        >>> clock.advance(timedelta(hours=2))
        >>> for deltas in engine.advance_in_slices(objects=2_000):
        ...     print(len(deltas), len(engine.apply([])))
        2000 0
        2000 0
        1000 0
        """
        if isinstance(objects, bool) or not isinstance(objects, int) or objects < 1:
            raise ArgumentError.of("objects", "a number of objects, from 1", objects)
        with self._lock:
            return _slices.pass_time(self, self._target(to), objects)

    def _target(self, to: datetime | None) -> int:
        """Return the instant up to which time is to pass."""
        target = self._read_clock() if to is None else to_micros(to)
        if target < self._now:
            raise ClockError(f"time cannot go back from {self.now.isoformat()} to {from_micros(target).isoformat()}")
        return target

    def _told(self, records: list[Record | Backfill]) -> Deltas:
        """Store and tell what time has flipped."""
        deltas = Deltas(records)
        if records:
            try:
                self._save(deltas, ())
            except BaseException:
                self._unsaved = records
                raise
            self._tell(deltas)
        return deltas

    def _read_clock(self) -> int:
        shown = self._clock.now()
        if shown is self._clock_shown:  # a clock that stands still, as in tests and bulk feeds
            return max(self._now, self._clock_read)
        read = to_micros(shown)
        if read < self._clock_read:
            before = from_micros(self._clock_read).isoformat()
            raise ClockError(f"the clock went back from {before} to {from_micros(read).isoformat()}")
        self._clock_shown, self._clock_read = shown, read
        return max(read, self._now)

    def _advance_to(self, target: int) -> list[Record | Backfill]:
        """Let time pass; return the records of what it flips, those first that are not saved yet."""
        if self._behind is not None:
            self._catch_up()
        records, self._unsaved = self._unsaved, []
        if self._deadlines.earliest <= target:
            _passing.pass_time(self, target, records)
        self._now = target
        return records

    def _advance_beside(
        self, behind: _slices.Behind, operations: Sequence[Operation], now: int
    ) -> list[Record | Backfill]:
        """Let time pass but for objects that are behind, unless operations write to them."""
        records, self._unsaved = self._unsaved, []
        if self._deadlines.earliest <= now:
            _passing.pass_time(self, now, records)
        self._now = now
        behind.catch_up_for(operations, records)
        return records

    def _catch_up(self) -> None:
        """Let all objects that are behind catch up; what flips is told with the next batch."""
        if self._behind is not None:
            self._behind.catch_up_all(self._unsaved)

    def _write(self, operations: Sequence[Operation], undo: Undo | None) -> Iterable[Writer]:
        """Carry operations out; return the writers that may have flips, to be finished."""
        writers: dict[str, Writer] = {}
        for object_type, operation, arguments in operations:
            writer = writers.get(object_type)
            if writer is None:
                writer = writers[object_type] = self._writers[object_type]
                writer.begin(self._now, undo)
            getattr(writer, operation)(*arguments)
        if not self._ripple.is_still:
            writers |= self._writers  # others than those that were written to may have flips too
        return writers.values()

    def _collect(self, records: list[Record | Backfill]) -> None:
        """Number what has flipped at any object."""
        for writer in self._writers.values():
            self._seq = writer.finish(records, self._seq, self._now)

    def _commit(self, deltas: Deltas, changes: Sequence[Change]) -> None:
        """Store one batch, then tell the subscribers."""
        self._save(deltas, changes)
        self._tell(deltas)

    def _save(
        self,
        deltas: Deltas,
        changes: Sequence[Change],
        *,
        defined: Sequence[Definition] = (),
        dropped: Sequence[str] = (),
    ) -> None:
        """Store one batch; whatever is raised, an interrupt too, nothing of it was stored."""
        try:
            self._store.append(_new_tuple(Batch, (self._now, changes, deltas, defined, dropped)))
        except StoreError:
            raise
        except Exception as error:
            raise StoreError(f"the store refused the batch: {error}") from error
        self._revision += 1
        if self._world.stays:
            self._world.commit()

    def _tell(self, deltas: Deltas) -> None:
        """Tell the subscribers what has been stored."""
        if self._subscriptions.all and deltas:
            self._subscriptions.tell(deltas)

    # ----------------------------------------------------------------- definitions

    def define(
        self,
        name: str,
        *,
        on: str,
        where: str | Predicate,
        description: str = "",
        hidden_from: Iterable[str] = (),
        refresh: timedelta | str | None = None,
        tags: Iterable[str] = (),
        params: Mapping[str, Any] | None = None,
    ) -> Segment:
        """Define a segment; its members enter it at `now`, in deltas marked `backfill`.

        Args:
            name: unique over all types.
            on: the object type.
            where: the filter, as text or as a tree.
            description: for people.
            hidden_from: agents who do not see the segment; see `segments`.
            refresh: how old members may be, as a timedelta or such as "4 hours"; None is live. The engine keeps
                every segment live all the same: it is kept for the host to read.
            tags: for the host to read.
            params: values for `$name` in the text; the segment keeps the text with the values in it.

        Raises:
            FilterSyntaxError, FilterTypeError, UnknownNameError, LimitError: the filter is wrong; nothing changed.
            DefinitionError: the name is taken or empty, or what stands beside the filter is of another type.
            ArgumentError: `params` is no mapping.

        Cost:
            One look at each object for each literal that no other segment uses yet.
        """
        with self._lock:
            hidden, kept_tags = agents(name, hidden_from), labels(name, tags)
            self._catalogue.check_free(name)
            definition = Definition(name, on, text_of(where), description, hidden, period(name, refresh), kept_tags)
            segment = self._catalogue.compile(definition, params, where)
            segment.since = self._seq
            _exchange.exchange(self, [], [segment], "define")
            return segment

    def redefine(
        self,
        name: str,
        *,
        where: str | Predicate,
        description: str | None = None,
        hidden_from: Iterable[str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Segment:
        """Give a segment another filter; it keeps its identity and emits the net deltas, marked `backfill`.

        Raises:
            UnknownNameError: there is no such segment.
            FilterSyntaxError, FilterTypeError, UnknownNameError, LimitError: the filter is wrong; nothing changed.
        """
        with self._lock:
            old = self._catalogue.get(name)
            definition = Definition(
                name,
                old.object_type,
                text_of(where),
                old.description if description is None else description,
                old.hidden_from if hidden_from is None else agents(name, hidden_from),
                old.refresh,
                old.tags,
            )
            segment = self._catalogue.compile(definition, params, where)
            _exchange.exchange(self, [old], [segment], "redefine")
            return segment

    def define_file(self, path: str | Path) -> list[Segment]:
        """Define all segments of a `.seg` file, or none of them.

        Raises:
            FilterSyntaxError, FilterTypeError, UnknownNameError, LimitError: with line and column in the file.
            DefinitionError: a name is taken, or the file is no text in UTF-8.
            OSError: the file cannot be read.
        """
        with self._lock:
            compiled = self._catalogue.compile_file(path)
            for segment in compiled:
                segment.since = self._seq
            _exchange.exchange(self, [], compiled, "define")
            return compiled

    def export_definitions(self, on: str | None = None, *, visible_to: str | None = None) -> str:
        """Return the segments as the text of a definition file, of which `define_file` makes equal ones."""
        from segmentkit.dsl.definitions import format_definitions

        return format_definitions(self.segments(on, visible_to=visible_to))

    def drop(self, name: str) -> None:
        """Forget a segment; its members leave it in deltas marked `backfill`.

        Raises:
            UnknownNameError: there is no such segment.
            DefinitionError: another segment refers to it; nothing changed.
        """
        with self._lock:
            segment = self._catalogue.get(name)
            self._catalogue.check_unread(name)
            _exchange.exchange(self, [segment], [], "drop")

    def segments(self, on: str | None = None, *, visible_to: str | None = None) -> list[Segment]:
        """Return the segments in the order of their definition: of one type, seen by one agent."""
        if visible_to is not None and not isinstance(visible_to, str):
            raise ArgumentError.of("visible_to", "the name of an agent", visible_to)
        with self._lock:
            return [
                segment
                for segment in self._catalogue.segments.values()
                if (on is None or segment.object_type == on) and visible_to not in segment.hidden_from
            ]

    def _past(self) -> Iterator[Delta]:
        """Yield the stored deltas, and those that wait to be stored; nothing if the store no longer has them all."""
        try:
            yield from from_store("the deltas", lambda: self._store.deltas(0))
        except StoreError:
            return
        yield from Deltas(self._unsaved)

    # --------------------------------------------------------------------- reading

    def members(self, name: str) -> Members:
        """Return the members of a segment, as a set that follows the engine, redefinitions too.

        After the segment has been dropped, looking at them is an UnknownNameError.

        Raises:
            UnknownNameError: there is no such segment.
        """
        self._catalogue.get(name)
        return Members(name, self._catalogue.get, self._tables, self._lock, lambda: self._now)

    def segments_of(self, object_type: str, object_id: str) -> list[str]:
        """Return the names of the segments that an object is in, sorted; none for an unknown object."""
        with self._lock:
            table = self._tables[self.schema.type(object_type).name]
            if not isinstance(object_id, str):
                raise ArgumentError.of("object id", "text", object_id)
            number = table.number_by_id.get(object_id)
            if number is None:
                return []
            self._catch_up()
            return sorted(segment.name for segment in self._matchers[object_type].segments_of(number))

    def preview(
        self, *, on: str, where: str | Predicate, against: str | None = None, params: Mapping[str, Any] | None = None
    ) -> Preview:
        """Return who would be in a segment; nothing is stored and no time passes.

        Raises:
            FilterSyntaxError, FilterTypeError, UnknownNameError, LimitError: the filter is wrong.
        """
        with self._lock:
            other = None if against is None else self._catalogue.get(against)
            segment = self._catalogue.compile(Definition("preview", on, text_of(where)), params, where)
            self._catch_up()
            with self._catalogue.lowered(segment, self._now) as tree:
                found = self._matchers[on].satisfying(tree, self._now)
            named = self._tables[on].named
            if other is None:
                return Preview(named(found), named(found), (), ())
            if other.object_type != on:
                raise bad_name(
                    other.name, f"is on {other.object_type!r}, and the preview on {on!r}; compare within one type"
                )
            numbers, held = BitMap(found), other.members
            return Preview(named(numbers), named(numbers - held), named(held - numbers), named(numbers & held))

    def deltas(self, after: int = 0) -> Iterator[Delta]:
        """Return the stored deltas with numbers above `after`, in order.

        Raises:
            StoreError: some of them are no longer kept.
        """
        if not isinstance(after, int) or after < 0:
            raise ArgumentError.of("after", "the number of a delta, or 0 for all of them", after)
        with self._lock:
            return from_store("the deltas", lambda: self._store.deltas(after))

    def subscribe(self, callback: Callable[[Delta], object], segment: str | None = None) -> Callable[[], None]:
        """Call `callback` with every delta from now on (of one segment), in order, after it is stored.

        A callback that raises gets the same delta again with the next batch; others are not held up.
        It may change the engine; what that flips is told after what it was called for.

        Returns:
            A function that ends the subscription.
        """
        if not callable(callback):
            raise ArgumentError.of("callback", "a function that takes a delta", callback)
        with self._lock:
            if segment is not None:
                self._catalogue.get(segment)
            subscription = Subscription(callback, segment)
            self._subscriptions.add(subscription)

        def unsubscribe() -> None:
            with self._lock:
                self._subscriptions.remove(subscription)

        return unsubscribe

    def iter_facts(self) -> Iterator[Change]:
        """Yield the facts as changes that rebuild them: each object's `Put`, followed by its `Event`s by instant."""
        with self._lock:
            for table in self._tables.values():
                for object_id, number in sorted(table.number_by_id.items(), key=lambda item: item[1]):
                    facts = table.facts(number)
                    attributes = {n: c.type.restore(c.plain(number)) for n, c in table.columns.items()}
                    yield Put(table.name, object_id, {n: v for n, v in attributes.items() if v is not None})
                    for name, events in table.events.items():
                        types = events.type.properties
                        for event in facts.events(name):
                            properties = {n: types[n].restore(v) for n, v in event.properties.items()}
                            yield Event(table.name, object_id, name, properties, from_micros(event.at), event.id)

    # ------------------------------------------------------------------ inspection

    def verify(self, *, repair: bool = False, progress: Callable[[int, int], object] | None = None) -> list[Difference]:
        """Evaluate every segment for every object the plain way and report what differs.

        Args:
            repair: whether to put differing memberships right (without deltas).
            progress: called with (objects done, objects in all).

        Returns:
            The differences, by type, object and segment; empty when all is well.
        """
        if progress is not None and not callable(progress):
            raise ArgumentError.of("progress", "a function of (objects done, objects in all)", progress)
        found: list[Difference] = []
        with self._lock:
            total, done = sum(len(table.alive) for table in self._tables.values()), 0
            for object_type, table in self._tables.items():
                for object_id, number in list(table.number_by_id.items()):  # `progress` may change the engine
                    if table.number_by_id.get(object_id) != number:
                        continue
                    segments = self._segments_on(object_type)
                    facts = table.facts(number)
                    for segment in segments:
                        held = number in segment.members
                        if evaluate(segment.tree, facts, self._now, self.schema.zone) != held:
                            found.append(Difference(segment.name, object_id, held, not held))
                            if repair:
                                (segment.members.discard if held else segment.members.add)(number)
                    done += 1
                    if progress is not None:
                        progress(done, total)
        return found

    def _segments_on(self, object_type: str) -> list[Segment]:
        return [s for s in self._catalogue.segments.values() if s.object_type == object_type]

    def __reduce__(self) -> NoReturn:
        raise cannot_leave("an engine", "give its store to another engine, or feed it what iter_facts() yields")

    def stats(self) -> EngineStatistics:
        """Return what the engine holds and what it has looked at. Cost: milliseconds, a look at each part."""
        with self._lock:
            tables = self._tables.values()
            return EngineStatistics(
                revision=self._revision,
                seq=self._seq,
                objects={table.name: len(table.alive) for table in tables},
                events=sum(events.n_events for table in tables for events in table.events.values()),
                bytes_by_part=bytes_by_part(tables, self._matchers.values(), self._deadlines),
                matching={name: matcher.statistics() for name, matcher in self._matchers.items()},
                deadlines=self._deadlines.statistics(),
            )

    def check_invariants(self) -> None:
        """Raise AssertionError if facts, cells, masks, memberships or deadlines contradict each other."""
        with self._lock:
            self._catch_up()
            for name, table in self._tables.items():
                table.check_invariants()
                self._matchers[name].check_invariants(self._now)
            planned = [s for matcher in self._matchers.values() for s in matcher.segments.values()]
            held = {segment.name for segment in planned if not segment.is_hidden}
            assert held == set(self._catalogue.segments), "the matchers hold other segments than the engine"

    def __repr__(self) -> str:
        objects = ", ".join(f"{len(table.alive):,} {name}" for name, table in self._tables.items())
        return f"<Engine at {self.now.isoformat()}: {len(self._catalogue.segments)} segments over {objects}>"

    def _repr_html_(self) -> str:
        from html import escape

        rows = "".join(
            f"<tr><td>{escape(s.name)}</td><td>{escape(s.object_type)}</td><td>{len(s.members):,}</td>"
            f"<td><code>{escape(s.where)}</code></td></tr>"
            for s in self._catalogue.segments.values()
        )
        head = "<tr><th>segment</th><th>on</th><th>members</th><th>where</th></tr>"
        return f"<p>{escape(repr(self))}</p><table>{head}{rows}</table>"

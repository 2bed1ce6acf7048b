"""Batches at work on the objects of one type.

The facts change at once, as operations come in. Before the first change that can move a watcher
of an object, the watcher is asked to remember the old state; when all operations are done it is
asked what has moved. So the flips of a batch are net: an object that leaves a segment and
returns to it emits nothing.

Operations are checked before they come here (`_accept`), and cannot fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from segmentkit.index._features import Watcher
from segmentkit.index._matcher import Matcher
from segmentkit.index._table import Table

Undo: TypeAlias = list[tuple[str, str, tuple[Any, ...]]]
"""What takes operations back, to be done from the last to the first: type, operation, arguments."""

Flip: TypeAlias = tuple[str, int, int, str]
"""An object's id, the segments it enters or leaves and those of them it enters (head bits), the cause."""


class Writer:
    """Applies the operations of one batch after another to a table and its matcher.

    `begin`, the operations, `finish`; between batches it holds nothing.
    """

    def __init__(self, table: Table, matcher: Matcher) -> None:
        self._table = table
        self._matcher = matcher
        self._now = 0
        self._undo: Undo | None = None
        self._states: dict[int, dict[Watcher, Any]] = {}
        self._causes: dict[int, str] = {}
        self._new: dict[int, int] = {}  # number of a new object -> segments of the deleted one it replaces
        self._gone: dict[str, int] = {}  # id of a deleted object -> segments it was in

    def begin(self, now: int, undo: Undo | None) -> None:
        """Start a batch at `now`; what takes it back is put into `undo`, unless that is None."""
        self._now = now
        self._undo = undo
        self._matcher.refresh_plan(now)

    # ------------------------------------------------------------------- operations

    def put(self, object_id: str, values: Mapping[str, Any]) -> None:
        """Make `values` (plain) the object's attributes, those not named missing."""
        number = self._table.number_by_id.get(object_id)
        if number is None:
            number = self._create(object_id)
            self._causes[number] = "put"
        self._set(number, ((name, values.get(name)) for name in self._table.columns), "put")

    def update(self, object_id: str, values: Mapping[str, Any]) -> None:
        """Set the named attributes to plain values."""
        self._set(self._number(object_id), values.items(), "update")

    def add_event(self, object_id: str, name: str, at: int, event_id: str | None, values: tuple[Any, ...]) -> None:
        """Add an event that is not there yet."""
        number = self._number(object_id)
        self._touch(number, self._matcher.watchers_of_event(name, values), "event")
        tag = self._table.add_event(number, name, at, event_id, values)
        if self._undo is not None:
            self._take_back("retract", object_id, self._table.event_id(number, tag))

    def retract(self, object_id: str, event_id: str) -> None:
        """Take an event back that is there."""
        number = self._number(object_id)
        found = self._table.find_event(number, event_id)
        assert found is not None
        name, index = found
        values = self._table.events[name].values(number, index)
        self._touch(number, self._matcher.watchers_of_event(name, values), "retract")
        at = self._table.events[name].at(number, index)
        self._take_back("add_event", object_id, name, at, event_id, values)
        self._table.remove_event(number, event_id)

    def delete(self, object_id: str) -> None:
        """Take an object that is there out, with its events."""
        number = self._table.number_by_id[object_id]
        if self._undo is not None:
            self._take_back_delete(object_id, number)
        held = self._new.pop(number, None)
        if held is None:
            self._catch_up(number)
            self._matcher.leave(number, self._now)
            held = self._matcher.memberships(number)
            for segment in self._matcher.segments.values():
                segment.members.discard(number)
        self._states.pop(number, None)
        self._causes.pop(number, None)
        self._table.delete(number)
        self._gone[object_id] = held

    # ---------------------------------------------------------------------- details

    def _take_back(self, operation: str, *arguments: Any) -> None:
        if self._undo is not None:
            self._undo.append((self._table.name, operation, arguments))

    def _take_back_delete(self, object_id: str, number: int) -> None:
        facts = self._table.facts(number)
        for name, events in self._table.events.items():
            for fact in facts.events(name):
                values = tuple(fact.properties.get(n) for n in events.names)
                self._take_back("add_event", object_id, name, fact.at, fact.id, values)
        self._take_back("put", object_id, {name: facts.attribute(name) for name in self._table.columns})

    def _number(self, object_id: str) -> int:
        number = self._table.number_by_id.get(object_id)
        return self._create(object_id) if number is None else number

    def _create(self, object_id: str) -> int:
        number = self._table.create(object_id)
        self._take_back("delete", object_id)
        self._matcher.make_room(number)
        self._new[number] = self._gone.pop(object_id, 0)
        self._causes[number] = "event"
        return number

    def _set(self, number: int, values: Iterable[tuple[str, Any]], cause: str) -> None:
        columns, matcher = self._table.columns, self._matcher
        for name, value in values:
            column = columns[name]
            new = column.encode(value)
            old = column.get(number)
            if new == old:
                continue
            self._touch(number, matcher.watchers_of_attribute(name, old, new), cause)
            if self._undo is not None:
                self._take_back("update", self._table.ids[number], {name: column.plain(number)})
            column.set(number, new)

    def _touch(self, number: int, watchers: Iterable[Watcher], cause: str) -> None:
        """Let the watchers remember the object's state, each once a batch; new objects have none."""
        if number in self._new:
            return
        self._causes[number] = cause
        states = self._states.get(number)
        if states is None:
            states = self._states[number] = {}
        now = self._now
        for watcher in watchers:
            if watcher not in states:
                states[watcher] = watcher.before(number, now)

    def _catch_up(self, number: int) -> None:
        """Bring the watchers of an object that is about to go up to its facts, so that they can let it go."""
        moves: list[Any] = []
        for watcher, state in self._states.get(number, {}).items():
            watcher.after(number, self._now, state, moves)

    def finish(self) -> list[Flip]:
        """Return what the batch flips, by object, carried into the memberships.

        Deleted objects come first, then the others in the order in which the batch met them.
        """
        flips: list[Flip] = []
        if self._gone:
            flips += [(gone_id, held, 0, "delete") for gone_id, held in self._gone.items() if held]
            self._gone.clear()
        now = self._now
        for number, cause in self._causes.items():
            if number in self._new:
                self._finish_new(number, cause, flips)
                continue
            moves: list[Any] = []
            for watcher, state in self._states[number].items():
                watcher.after(number, now, state, moves)
            if moves:
                self._matcher.flip(number, moves, now, cause, flips)
        self._states.clear()
        self._causes.clear()
        if self._new:
            self._new.clear()
        return flips

    def _finish_new(self, number: int, cause: str, flips: list[Flip]) -> None:
        before, held = self._new[number], self._matcher.enter(number, self._now)
        self._matcher.record(number, held, held)
        if held != before:
            flips.append((self._table.ids[number] or "", held ^ before, held & ~before, cause))

"""Batches at work on the objects of one type.

Operations are carried out one after another: the facts change, the features that read what changed
say how their masks moved, and the matcher turns that into flips. What a batch does to an object is the
sum of what its operations flip, so an object that leaves a segment and returns emits nothing.

Operations are checked before they come here (`_accept`), and cannot fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from segmentkit.index._features import Move
from segmentkit.index._matcher import Matcher
from segmentkit.index._ripple import Ripple
from segmentkit.index._routes import NOBODY
from segmentkit.index._table import Table
from segmentkit.index.deltas import Backfill, Flips, Record, head_of, net_flips

Undo: TypeAlias = list[tuple[str, str, tuple[Any, ...]]]
"""What takes operations back, to be done from the last to the first: type, operation, arguments."""

_new_tuple = tuple.__new__  # a named tuple without the detour over its own constructor: `bench_changes`


class Writer:
    """Applies the operations of one batch after another to a table and its matcher.

    `begin`, the operations, `finish`; between batches it holds nothing.
    """

    def __init__(self, table: Table, matcher: Matcher, ripple: Ripple) -> None:
        self._table = table
        self._matcher = matcher
        self._ripple = ripple
        self.now = 0
        """The instant of the batch."""
        self._undo: Undo | None = None
        self._flips: dict[str, tuple[Flips, str]] = {}  # by object id, in the order in which objects were met

    def begin(self, now: int, undo: Undo | None) -> None:
        """Start a batch at `now`; what takes it back is put into `undo`, unless that is None."""
        self.now = now
        self._undo = undo
        if self._matcher.is_stale:
            self._matcher.refresh_plan(now)

    def meet(self, object_ids: Iterable[str]) -> None:
        """Give objects their place in the order, before anything happens to them."""
        self._flips |= dict.fromkeys(object_ids, ((), ""))

    def finish(self, records: list[Record | Backfill], seq: int, now: int) -> int:
        """End the batch: put its net flips into `records`, in the order in which it met the objects.

        Args:
            records: for the flips of an object one more.
            seq: the number of the last delta so far.
            now: the instant of the flips.

        Returns:
            The number of the last delta, with these.
        """
        name, heads, is_still = self._table.name, self._matcher.heads, self._ripple.is_still
        for object_id, (flipped, cause) in self._flips.items():
            flips = flipped if is_still or not flipped else self._seen(flipped)
            if flips:
                records.append(_new_tuple(Record, (seq + 1, now, name, object_id, flips, heads, cause)))
                seq += len(flips)
        self._flips.clear()
        self._undo = None
        return seq

    def forget(self) -> None:
        """End a batch that has been taken back."""
        self._flips.clear()
        self._undo = None

    def _seen(self, flips: Flips) -> Flips:
        """Return flips without those of hidden segments."""
        heads = self._matcher.heads
        return tuple(n for n in flips if (segment := heads[head_of(n)]) is not None and not segment.is_hidden)

    # ------------------------------------------------------------------- operations

    def put(self, object_id: str, values: Mapping[str, Any]) -> None:
        """Make `values` (plain) the object's attributes, those not named missing."""
        number = self._table.number_by_id.get(object_id)
        if number is not None:
            self._set(object_id, number, ((name, values.get(name)) for name in self._table.columns), "put")
            return
        table = self._table
        number = self._create(object_id)
        pointing = []
        for name, value in values.items():
            column = table.columns[name]
            new = column.encode(value)
            column.set(number, new)
            if name in table.links:
                table.point(name, number, None, new)
                pointing.append((name, None, new))
        self._come(object_id, number, pointing, "put")

    def update(self, object_id: str, values: Mapping[str, Any]) -> None:
        """Set the named attributes to plain values."""
        number = self._table.number_by_id.get(object_id)
        self._set(object_id, self._enter(object_id) if number is None else number, values.items(), "update")

    def write(self, number: int, values: Mapping[str, Any]) -> Flips:
        """Set attributes of an object that is there; return what flips, carried into the memberships."""
        return self._carried(number, self._written(number, values.items()))

    def add_event(self, object_id: str, name: str, at: int, event_id: str | None, values: tuple[Any, ...]) -> None:
        """Add an event that is not there yet."""
        table = self._table
        number = table.number_by_id.get(object_id)
        if number is None:
            number = self._enter(object_id)
        flips = self.happen(number, name, at, event_id, values)
        if self._undo is not None:
            assert event_id is not None, "what can be taken back has an id"
            self._take_back("retract", object_id, event_id)
        self.emit(object_id, flips, "event")
        if not self._ripple.is_still:
            self._ripple.happened(table.name, number, name)
            self._spread(number, flips, "event")

    def happen(self, number: int, name: str, at: int, event_id: str | None, values: tuple[Any, ...]) -> Flips:
        """Add an event that is not there yet to an object that is; return what flips, carried into the memberships."""
        index = self._table.add_event(number, name, at, event_id, values)
        route = self._matcher.routes.get(name)
        if route is None:
            return ()
        now = self.now
        moves: list[Move] = []
        for series in route.series_of(values) if route.is_split else route.series:
            series.added(number, index, now, moves)
        for feature in route.features:
            feature.look_again(number, now, moves)
        return self._matcher.carry(number, moves, now) if moves else ()

    def retract(self, object_id: str, event_id: str) -> None:
        """Take an event back that is there."""
        table, matcher, now = self._table, self._matcher, self.now
        number = table.number_by_id[object_id]
        found = table.find_event(number, event_id)
        assert found is not None
        name, index = found
        at, values = table.events[name].at(number, index), table.events[name].values(number, index)
        self._take_back("add_event", object_id, name, at, event_id, values)
        moves: list[Move] = []
        route = matcher.routes.get(name, NOBODY)
        for series in route.series_of(values):
            series.removing(number, index, now, moves)
        table.remove_event(number, event_id)
        for feature in route.features:
            feature.look_again(number, now, moves)
        flips = matcher.carry(number, moves, now) if moves else ()
        self.emit(object_id, flips, "retract")
        if not self._ripple.is_still:
            self._ripple.happened(table.name, number, name)
            self._spread(number, flips, "retract")

    def delete(self, object_id: str) -> None:
        """Take an object that is there out, with its events."""
        table, ripple = self._table, self._ripple
        number = table.number_by_id[object_id]
        if self._undo is not None:
            self._take_back_delete(object_id, number)
        pointing = [(name, table.columns[name].get(number)) for name in table.links]
        flips = self._matcher.leave(number, self.now)
        table.delete(number)
        self.emit(object_id, flips, "delete")
        if not ripple.is_still:
            ripple.appeared(table.name, object_id)
            for name, target in pointing:
                ripple.changed(table.name, number, name, target, None)
            ripple.deleted(self._matcher, number, flips, self.now)
            ripple.settle(self.now, "delete")

    # ---------------------------------------------------------------------- details

    def _set(self, object_id: str, number: int, values: Iterable[tuple[str, Any]], cause: str) -> None:
        changes = self._written(number, values)
        flips = self._carried(number, changes)
        self.emit(object_id, flips, cause)
        if not self._ripple.is_still:
            for name, old, new in changes:
                self._ripple.changed(self._table.name, number, name, old, new)
            self._spread(number, flips, cause)

    def _written(self, number: int, values: Iterable[tuple[str, Any]]) -> list[tuple[str, Any, Any]]:
        """Set attributes to plain values; return those that change, with domain values before and after."""
        table, changes = self._table, []
        columns, links = table.columns, table.links
        for name, value in values:
            column = columns[name]
            new = column.encode(value)
            old = column.get(number)
            if new == old:
                continue
            if self._undo is not None:
                self._take_back("update", table.ids[number], {name: column.plain(number)})
            column.set(number, new)
            if name in links:
                table.point(name, number, old, new)
            changes.append((name, old, new))
        return changes

    def _carried(self, number: int, changes: Iterable[tuple[str, Any, Any]]) -> Flips:
        """Tell the features that read them of changed attributes; return what flips, carried into the memberships."""
        moves: list[Move] = []
        by_attribute, now = self._matcher.by_attribute, self.now
        for name, old, new in changes:
            for feature in by_attribute.get(name, ()):
                feature.changed(number, old, new, now, moves)
        return self._matcher.carry(number, moves, now) if moves else ()

    def _spread(self, number: int, flips: Flips, cause: str) -> None:
        """Let other conditions look again that may read what has changed."""
        self._ripple.flipped(self._matcher, number, flips, self.now)
        self._ripple.settle(self.now, cause)

    def emit(self, object_id: str, flips: Flips, cause: str) -> None:
        """Take flips that have been carried into the memberships."""
        before = self._flips.get(object_id)
        if before is not None:
            if not flips:
                return
            if before[0]:
                flips = net_flips(before[0], flips)
        self._flips[object_id] = (flips, cause)

    def _create(self, object_id: str) -> int:
        number = self._table.create(object_id, self.now)
        self._take_back("delete", object_id)
        self._matcher.make_room(number)
        return number

    def _enter(self, object_id: str) -> int:
        """Create an object of which nothing is known."""
        number = self._create(object_id)
        self._come(object_id, number, (), "event")
        return number

    def _come(
        self, object_id: str, number: int, pointing: Iterable[tuple[str, str | None, str | None]], cause: str
    ) -> None:
        """Take in an object that is new, with its attributes and what it points to."""
        flips = self._matcher.enter(number, self.now)
        self.emit(object_id, flips, cause)
        if not self._ripple.is_still:
            self._ripple.appeared(self._table.name, object_id)
            for name, old, new in pointing:
                self._ripple.changed(self._table.name, number, name, old, new)
            self._spread(number, flips, cause)

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

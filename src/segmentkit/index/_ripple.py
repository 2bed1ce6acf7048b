"""How a change of one object reaches the conditions of others.

Features that read more than the facts of their own object are registered here with what they read
(`_readings`). When something has changed about an object, the way back along the path of each reading
leads to the objects whose features have to look again:

    company.industry changes  ->  reading "industry" of `company`, path contact -company-> company
                              ->  all contacts that point to the company

Memberships are readings too. What flips at one object makes readers of the segment look again, so
one change may go through many segments; they are taken level by level, a segment after those that it
refers to, so that no feature of an object looks twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeAlias

import attrs
from pyroaring import BitMap

from segmentkit.dsl.predicates import OneRelated
from segmentkit.index._booleans import BooleanFeature
from segmentkit.index._features import Feature, Move
from segmentkit.index._matcher import Matcher
from segmentkit.index._plan import BULK_FROM
from segmentkit.index._readings import Hop, Reading
from segmentkit.index._segments import Segment
from segmentkit.index._strata import Strata
from segmentkit.index._table import World
from segmentkit.index.deltas import Flips, head_of
from segmentkit.schema import Schema


class Looker(Protocol):
    """A feature, or a source of features, that can be told to look again."""

    def look_again(self, number: int, now: int, moves: list[Move]) -> None:
        """See that facts have changed; put what moved into `moves`."""


class Emitter(Protocol):
    """Where the flips of the objects of one type go."""

    def emit(self, object_id: str, flips: Flips, cause: str) -> None:
        """Take flips that have been carried into the memberships."""


@attrs.frozen
class Registration:
    """A feature, the matcher of its objects, and the segments that it reads."""

    looker: Looker
    matcher: Matcher
    segments: tuple[str, ...]


_Key: TypeAlias = tuple[str, str, str]
_Entry: TypeAlias = tuple[tuple[Hop, ...], Registration]


class Ripple:
    """Readings across objects, and the objects that wait to look again."""

    def __init__(self, schema: Schema, world: World) -> None:
        self.strata: Strata[str] = Strata()
        """The segments that filters refer to, hidden ones too, and those that refer to them."""
        self.is_still = True
        """Whether nothing reads across objects and no segment is hidden, so that no change needs to be told."""
        self._n_hidden = 0
        self._schema = schema
        self._world = world
        self._entries: dict[_Key, list[_Entry]] = {}
        self._waiting: dict[int, dict[tuple[Matcher, int], tuple[dict[Looker, None], list[Move]]]] = {}
        self._together: dict[int, list[tuple[Matcher, BooleanFeature, BitMap]]] = {}
        """Objects for which a feature comes to be the same, by level."""
        self._emitters: Mapping[str, Emitter] = {}

    def attach(self, emitters: Mapping[str, Emitter]) -> None:
        """Send flips to these, by object type."""
        self._emitters = emitters

    # ---------------------------------------------------------------- registration

    def register(self, looker: Looker, matcher: Matcher, readings: Iterable[Reading]) -> None:
        """Let a feature know of changes in what it reads."""
        readings = list(readings)
        segments = tuple({reading.name: None for reading in readings if reading.kind == "segment"})
        registration = Registration(looker, matcher, segments)
        for reading in readings:
            key = (reading.kind, reading.object_type, reading.name)
            self._entries.setdefault(key, []).append((reading.path, registration))
        self.is_still = self.is_still and not readings

    def count_hidden(self, more: int) -> None:
        """Note that there are more hidden segments, or fewer."""
        self._n_hidden += more
        self.is_still = not self._entries and not self._n_hidden

    def unregister(self, looker: object) -> None:
        """Drop one feature, if it is registered."""
        self._keep(lambda registration: registration.looker is not looker)

    def forget(self, matcher: Matcher) -> None:
        """Drop the features of a matcher."""
        self._keep(lambda registration: registration.matcher is not matcher)

    def _keep(self, is_kept: Callable[[Registration], bool]) -> None:
        for key, entries in list(self._entries.items()):
            left = [entry for entry in entries if is_kept(entry[1])]
            if left:
                self._entries[key] = left
            else:
                del self._entries[key]
        self.is_still = not self._entries and not self._n_hidden

    # --------------------------------------------------------------------- changes

    def changed(self, object_type: str, number: int, name: str, old: Any, new: Any) -> None:
        """See that an attribute of an object, or a to-one relation, has changed."""
        for path, registration in self._entries.get(("attribute", object_type, name), ()):
            self._wait(path, (number,), registration)
        for path, registration in self._entries.get(("reference", object_type, name), ()):
            target = self._schema.type(object_type).relations[name].target
            numbers = self._world.tables[target].number_by_id
            ends = [numbers[object_id] for object_id in (old, new) if object_id is not None and object_id in numbers]
            self._wait(path, ends, registration)

    def happened(self, object_type: str, number: int, name: str) -> None:
        """See that events of an object have changed."""
        for path, registration in self._entries.get(("event", object_type, name), ()):
            self._wait(path, (number,), registration)

    def appeared(self, object_type: str, object_id: str) -> None:
        """See that an object has come to be there, or is there no more."""
        for path, registration in self._entries.get(("presence", object_type, ""), ()):
            on, relation = path[-1]
            sources = BitMap(self._world.tables[on].links[relation].sources(object_id))
            self._wait(path[:-1], sources, registration)

    def flipped(self, matcher: Matcher, number: int, flips: Flips, now: int) -> None:
        """See that an object has entered and left segments."""
        for flip in flips:
            segment = matcher.heads[head_of(flip)]
            if segment is not None and segment.is_read:
                self._turned(segment, number, flip >= 0, now)

    def deleted(self, matcher: Matcher, number: int, flips: Flips, now: int) -> None:
        """See that an object is there no more and has left its segments; its stays are forgotten with it."""
        self.flipped(matcher, number, flips, now)
        if self._world.is_logging:
            for segment in matcher.segments.values():
                if segment.name in self._world.stays:
                    self._world.stays[segment.name].drop(number)

    def redefined(self, segment: Segment, came: Iterable[int], went: Iterable[int], now: int) -> None:
        """See that a new filter has let objects into a segment, and others out."""
        for number in came:
            self._turned(segment, number, True, now)
        for number in went:
            self._turned(segment, number, False, now)

    def _turned(self, segment: Segment, number: int, entered: bool, now: int) -> None:
        log = self._world.stays.get(segment.name)
        if log is not None and self._world.is_logging:
            (log.enter if entered else log.leave)(number, now)
        for path, registration in self._entries.get(("segment", segment.object_type, segment.name), ()):
            if not (path and self._wait_together(path, number, registration)):
                self._wait(path, (number,), registration)

    def _wait_together(self, path: tuple[Hop, ...], number: int, registration: Registration) -> bool:
        """Let many objects that point to one wait together, if all they ask is whether that one is in a segment."""
        looker = registration.looker
        if len(path) > 1 or not (isinstance(looker, BooleanFeature) and isinstance(looker.predicate, OneRelated)):
            return False
        on, relation = path[0]
        object_id = self._world.tables[self._schema.type(on).relations[relation].target].ids[number]
        links = self._world.tables[on].links[relation]
        if object_id is None or links.count(object_id) < BULK_FROM:
            return False
        level = self._level(registration.segments)
        self._together.setdefault(level, []).append((registration.matcher, looker, links.bitmap(object_id)))
        return True

    def spill(self, matcher: Matcher, number: int, move: Move) -> None:
        """Take the move of an object other than the one that has changed."""
        _, moves = self._place(0, matcher, number)
        moves.append(move)

    def _wait(self, path: tuple[Hop, ...], numbers: Iterable[int], registration: Registration) -> None:
        """Let the objects wait from which the path leads to one of those numbered."""
        level = self._level(registration.segments)
        for number in self._back(path, numbers) if path else numbers:
            lookers, _ = self._place(level, registration.matcher, number)
            lookers[registration.looker] = None

    def _place(self, level: int, matcher: Matcher, number: int) -> tuple[dict[Looker, None], list[Move]]:
        return self._waiting.setdefault(level, {}).setdefault((matcher, number), ({}, []))

    def _level(self, segments: Iterable[str]) -> int:
        strata = self.strata
        return 1 + max((strata.level(name) for name in segments if name in strata), default=-1)

    def _back(self, path: tuple[Hop, ...], numbers: Iterable[int]) -> Iterable[int]:
        """Return the objects from which a path leads to one of those numbered."""
        tables = self._world.tables
        for on, relation in reversed(path):
            declared = self._schema.type(on).relations[relation]
            here, there = tables[on], tables[declared.target]
            found = BitMap()
            if declared.via is None:
                for number in numbers:
                    object_id = there.ids[number]
                    if object_id is not None:
                        found.update(here.links[relation].sources(object_id))
            else:
                get = there.columns[declared.via].get
                known = here.number_by_id
                found.update(known[target] for number in numbers if (target := get(number)) in known)
            numbers = found
        return numbers

    # --------------------------------------------------------------------- settling

    def settle(self, now: int, cause: str) -> None:
        """Let everybody look again who waits, level by level, and whoever that concerns in turn."""
        waiting, together = self._waiting, self._together
        while waiting or together:
            level = min((*waiting, *together))
            for (matcher, number), (lookers, moves) in waiting.pop(level, {}).items():
                if matcher.table.ids[number] is None:
                    continue  # deleted meanwhile
                for looker in lookers:
                    looker.look_again(number, now, moves)
                net = _net(moves)
                if net:
                    self._emit(matcher, number, matcher.carry(number, net, now), now, cause)
            for matcher, feature, numbers in together.pop(level, ()):
                for number, flips in matcher.carry_all(feature, numbers & matcher.table.alive, now):
                    self._emit(matcher, number, flips, now, cause)

    def _emit(self, matcher: Matcher, number: int, flips: Flips, now: int, cause: str) -> None:
        if flips:
            self._emitters[matcher.table.name].emit(matcher.table.ids[number] or "", flips, cause)
            self.flipped(matcher, number, flips, now)


def _net(moves: list[Move]) -> list[Move]:
    """Return one move for each feature, from where it was to where it is."""
    if len(moves) < 2:
        return moves
    net: dict[Feature, Move] = {}
    for feature, before, after in moves:
        net[feature] = (feature, net[feature][1] if feature in net else before, after)
    return [move for move in net.values() if move[1] != move[2]]

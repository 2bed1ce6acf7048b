"""An engine and the model, given the same and compared after each step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import pytest

import segmentkit as sk
from segmentkit.dsl import predicates as p
from segmentkit.values import to_micros
from tests.model import Flip, Model, Refused
from tests.strategies import World

__all__ = ["SideBySide", "as_flips", "engine_for"]


def engine_for(world: World, unknown: Literal["error", "create"] = "error") -> tuple[sk.Engine, sk.ManualClock]:
    """Return an empty engine whose clock stands at the world's base."""
    clock = sk.ManualClock(world.base)
    return sk.Engine(world.schema, clock=clock, unknown=unknown), clock


def as_flips(deltas: Iterable[sk.Delta]) -> list[Flip]:
    """Return deltas without their sequence numbers, in a form that compares with the model's."""
    return [Flip(to_micros(delta.at), delta.segment, delta.object, delta.entered) for delta in deltas]


class SideBySide:
    """Every operation goes to the engine and to the model; what comes out is compared at once."""

    def __init__(self, world: World, unknown: Literal["error", "create"] = "error", model: type[Model] = Model) -> None:
        self.world = world
        self.engine, self.clock = engine_for(world, unknown)
        self.model = model(world.schema, world.start, unknown)
        self.heard: list[sk.Delta] = []
        self.engine.subscribe(self.heard.append)
        self.seq = 0

    @property
    def now(self) -> int:
        """What the clock shows, in microseconds."""
        return to_micros(self.clock.now())

    def define(self, name: str, on: str, tree: p.Predicate) -> None:
        """Define a segment, or give it another filter."""
        expected = self.model.advance(self.now)
        if name in self.model.definitions:
            self.engine.redefine(name, where=sk.format(tree))
        else:
            self.engine.define(name, on=on, where=sk.format(tree))
        self.settle(expected + self.model.define(name, on, tree))

    def drop(self, name: str) -> None:
        """Forget a segment."""
        self.engine.drop(name)
        self.settle(self.model.advance(self.now) + self.model.drop(name))

    def apply(self, changes: Sequence[Any]) -> None:
        """Apply a batch, which both take or both refuse."""
        before = self.state()
        try:
            expected = self.model.apply(changes, self.now)
        except Refused as refusal:
            with pytest.raises(refusal.error):
                self.engine.apply(changes)
            assert self.state() == before
            self.settle([])
        else:
            deltas = list(self.engine.apply(changes))
            assert self.settle(expected) == deltas

    def pass_time(self, by: timedelta) -> None:
        """Move the clock, and let the engine follow."""
        self.clock.advance(by)
        expected = self.model.advance(self.now)
        deltas = list(self.engine.advance(to=self.clock.now()))
        assert self.settle(expected) == deltas

    def state(self) -> tuple[dict[str, frozenset[str]], datetime]:
        """Return what a host can read."""
        members = {name: frozenset(self.engine.members(name)) for name in self.model.definitions}
        return members, self.engine.now

    def settle(self, expected: Sequence[Flip]) -> list[sk.Delta]:
        """Compare what was added to the changelog with the model's flips, and return it."""
        deltas = list(self.engine.deltas(after=self.seq))
        actual = as_flips(deltas)
        assert [flip.at for flip in actual] == sorted(flip.at for flip in actual)
        missed, invented = set(expected) - set(actual), set(actual) - set(expected)
        assert (missed, invented) == (set(), set())
        assert len(expected) == len(actual)
        assert [delta.seq for delta in deltas] == list(range(self.seq + 1, self.seq + 1 + len(deltas)))
        self.seq += len(deltas)
        return deltas

    def check(self) -> None:
        """Compare memberships and segments of each object; check the changelog and the invariants."""
        self.engine.check_invariants()
        for name in self.model.definitions:
            members = self.engine.members(name)
            assert list(members) == sorted(self.model.members(name)), name
            assert len(members) == len(self.model.members(name))
        for type_name, object_id in self.model.objects:
            assert list(self.engine.segments_of(type_name, object_id)) == self.model.segments_of(type_name, object_id)
        assert self.heard == list(self.engine.deltas(after=0))

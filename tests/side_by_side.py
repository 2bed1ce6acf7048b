"""An engine and the model, given the same and compared after each step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Literal

import pytest

import segmentkit as sk
from segmentkit.dsl import predicates as p
from segmentkit.schema import to_micros
from tests.model import Flip, Model, Refused
from tests.strategies import World

__all__ = ["SideBySide", "as_flips", "engine_for"]


def engine_for(world: World, unknown: Literal["refuse", "create"] = "refuse") -> tuple[sk.Engine, sk.ManualClock]:
    """Return an empty engine whose clock stands at the world's base."""
    clock = sk.ManualClock(world.base)
    return sk.Engine(world.schema, clock=clock, unknown=unknown), clock


def as_flips(deltas: Iterable[sk.Delta]) -> list[Flip]:
    """Return deltas without their sequence numbers, in a form that compares with the model's."""
    return [Flip(to_micros(delta.at), delta.segment, delta.object, delta.entered) for delta in deltas]


class SideBySide:
    """Every operation goes to the engine and to the model; `check` compares all that can be read."""

    def __init__(self, world: World, unknown: Literal["refuse", "create"] = "refuse") -> None:
        self.world = world
        self.engine, self.clock = engine_for(world, unknown)
        self.model = Model(world.schema, world.start, unknown)
        self.heard: list[sk.Delta] = []
        self.engine.subscribe(self.heard.append)

    def define(self, name: str, on: str, tree: p.Predicate) -> None:
        """Define a segment."""
        self.engine.define(name, on=on, where=sk.format(tree))
        self.model.define(name, on, tree)

    def drop(self, name: str) -> None:
        """Forget a segment."""
        self.engine.drop(name)
        self.model.drop(name)

    def apply(self, changes: Sequence[Any]) -> None:
        """Apply a batch, which both take or both refuse."""
        now = to_micros(self.clock.now())
        before = self.state()
        try:
            expected = self.model.apply(changes, now)
        except Refused as refusal:
            with pytest.raises(refusal.error):
                self.engine.apply(changes)
            assert self.state() == before
        else:
            self.compare(self.engine.apply(changes), expected)

    def pass_time(self, by: timedelta) -> None:
        """Move the clock, and let the engine follow."""
        self.clock.advance(by)
        expected = self.model.advance(to_micros(self.clock.now()))
        self.compare(self.engine.advance(to=self.clock.now()), expected)

    def state(self) -> tuple[dict[str, frozenset[str]], int]:
        """Return what a host can read: memberships, and how many deltas there were."""
        members = {name: frozenset(self.engine.members(name)) for name in self.model.definitions}
        return members, len(list(self.engine.deltas(after=0)))

    def compare(self, deltas: Sequence[sk.Delta], expected: Sequence[Flip]) -> None:
        """Compare the deltas of one call with the model's flips."""
        actual = as_flips(deltas)
        assert [flip.at for flip in actual] == sorted(flip.at for flip in actual)
        assert len(set(actual)) == len(actual)
        missed, invented = set(expected) - set(actual), set(actual) - set(expected)
        assert not missed and not invented, f"missed {missed}, invented {invented}"
        numbers = [delta.seq for delta in deltas]
        assert not numbers or numbers == list(range(numbers[0], numbers[0] + len(numbers)))

    def check(self) -> None:
        """Compare memberships and segments of each object; check the changelog and the invariants."""
        self.engine.check_invariants()
        for name in self.model.definitions:
            assert frozenset(self.engine.members(name)) == self.model.members(name), name
        for type_name, object_id in self.model.objects:
            names = self.model.segments_of(type_name, object_id)
            assert list(self.engine.segments_of(type_name, object_id)) == names
        changelog = list(self.engine.deltas(after=0))
        assert self.heard == changelog
        assert [delta.seq for delta in changelog] == list(range(1, len(changelog) + 1))

"""A state machine that drives the engine and the model side by side through everything a host can do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import segmentkit as sk
from tests.histories import definitions
from tests.side_by_side import SideBySide
from tests.strategies import OBJECTS, World, batches, events_of, moves, worlds

NAMES = ("s0", "s1", "s2")


class EngineMachine(RuleBasedStateMachine):
    """Each rule does one thing to both; the invariants compare all that can be read."""

    def __init__(self) -> None:
        super().__init__()
        self.both: SideBySide | None = None
        self.fed: list[Any] = []

    @property
    def world(self) -> World:
        assert self.both is not None
        return self.both.world

    @initialize(world=worlds(), unknown=st.sampled_from(["error", "create"]), data=st.data())
    def start(self, world: World, unknown: Any, data: st.DataObject) -> None:
        """An empty engine with one segment, and a member or two."""
        self.both = SideBySide(world, unknown)
        self.define(data, "s0")
        for object_id in OBJECTS[:2]:
            self.feed([sk.Put("contact", object_id)])

    def feed(self, changes: list[Any]) -> None:
        assert self.both is not None
        self.both.apply(changes)
        self.fed += [one for one in changes if isinstance(one, sk.Event)]

    # ------------------------------------------------------------------------ facts

    @rule(data=st.data())
    def one_change(self, data: st.DataObject) -> None:
        """Put, update, event, retract or delete."""
        self.feed(data.draw(batches(self.world, max_size=1)))

    @rule(data=st.data())
    def batch(self, data: st.DataObject) -> None:
        """Several changes at once, or none."""
        self.feed(data.draw(st.just([]) | batches(self.world, max_size=5)))

    @rule(data=st.data(), object_id=st.sampled_from(OBJECTS))
    def events(self, data: st.DataObject, object_id: str) -> None:
        """Events of one object, late or future, often at one instant."""
        self.feed(data.draw(events_of(self.world, "contact", object_id)))

    @precondition(lambda self: self.fed)
    @rule(data=st.data())
    def feed_again(self, data: st.DataObject) -> None:
        """An event that was fed before, with its id or, if it has none, once more."""
        self.feed([data.draw(st.sampled_from(self.fed))])

    @precondition(lambda self: self.fed)
    @rule(data=st.data())
    def retract(self, data: st.DataObject) -> None:
        """An event that was fed before is taken back, if it is still there."""
        known = data.draw(st.sampled_from(self.fed))
        if known.id is not None:
            self.feed([sk.Retract(known.object_type, known.object, known.id)])

    @rule(data=st.data(), place=st.integers(0, 2))
    def bad_batch(self, data: st.DataObject, place: int) -> None:
        """A batch with a change that nobody can accept."""
        changes = data.draw(batches(self.world))
        changes.insert(place, sk.Put("contact", "a", {"nobody declared this": 1}))
        assert self.both is not None
        self.both.apply(changes)

    # ------------------------------------------------------------------------- time

    @rule(by=moves())
    def advance(self, by: timedelta) -> None:
        """The clock moves and the engine follows."""
        assert self.both is not None
        self.both.pass_time(by)

    @rule(by=moves())
    def only_the_clock_moves(self, by: timedelta) -> None:
        """The clock moves, and whatever comes next finds it there."""
        assert self.both is not None
        self.both.clock.advance(by)

    @rule()
    def go_back(self) -> None:
        """Time does not go back."""
        assert self.both is not None
        with pytest.raises(sk.ClockError):
            self.both.engine.advance(to=self.both.clock.now() - timedelta(days=800))

    # ------------------------------------------------------------------- definitions

    @rule(data=st.data(), name=st.sampled_from(NAMES))
    def define(self, data: st.DataObject, name: str) -> None:
        """A new segment, or one with a new filter."""
        assert self.both is not None
        segment = data.draw(definitions(self.world, name))
        known = self.both.model.definitions.get(name)
        if known is not None and known.on != segment.on:
            self.both.drop(name)
        self.both.define(name, segment.on, segment.tree)

    @precondition(lambda self: len(self.both.model.definitions) > 1)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        """A segment is forgotten."""
        assert self.both is not None
        self.both.drop(data.draw(st.sampled_from(sorted(self.both.model.definitions))))

    @rule(data=st.data())
    def preview(self, data: st.DataObject) -> None:
        """A filter is tried without being stored."""
        assert self.both is not None
        segment = data.draw(definitions(self.world, "tried"))
        self.both.pass_time(timedelta())
        preview = self.both.engine.preview(on=segment.on, where=sk.format(segment.tree))
        assert frozenset(preview.members) == self.both.model.evaluate(segment.tree, segment.on)

    # ---------------------------------------------------------------------- reading

    @rule()
    def verify(self) -> None:
        """Recomputing everything finds no difference."""
        assert self.both is not None
        assert not self.both.engine.verify()

    @invariant()
    def agree(self) -> None:
        """Engine and model agree on everything that can be read."""
        if self.both is not None:
            self.both.check()


# Fifteen steps, each of which compares everything
EngineMachine.TestCase.settings = settings(stateful_step_count=15, max_examples=settings.default.max_examples)
TestEngine = EngineMachine.TestCase

"""A state machine over several related types, with segments that refer to segments, beside the model."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import segmentkit as sk
from segmentkit.dsl._dependencies import evaluation_order, segments_read
from segmentkit.dsl.predicates import Constant, InSegment
from tests.examples import RELATED
from tests.histories import Segment
from tests.related_histories import related_definitions
from tests.related_model import RelatedModel, relations_of
from tests.related_strategies import NOBODY, related_batches, related_worlds
from tests.side_by_side import SideBySide
from tests.strategies import OBJECTS, World, moves

NAMES = ("s0", "s1", "s2", "s3")


class RelatedMachine(RuleBasedStateMachine):
    """Each rule does one thing to both; the invariants compare all that can be read."""

    def __init__(self) -> None:
        super().__init__()
        self.started: SideBySide | None = None
        self.fed: list[Any] = []

    @property
    def both(self) -> SideBySide:
        assert self.started is not None
        return self.started

    @property
    def world(self) -> World:
        return self.both.world

    @property
    def types(self) -> dict[str, str]:
        """The type of each segment that is defined."""
        return {name: definition.on for name, definition in self.both.model.definitions.items()}

    @initialize(world=related_worlds(), unknown=st.sampled_from(["error", "create"]), data=st.data())
    def start(self, world: World, unknown: Any, data: st.DataObject) -> None:
        """A few objects of each type, and two segments, the second of which may refer to the first."""
        self.started = SideBySide(world, unknown, model=RelatedModel)
        self.feed([sk.Put(on, object_id) for on in world.schema.types for object_id in OBJECTS[:2]])
        for name in NAMES[:2]:
            self.define(data, name)

    def feed(self, changes: list[Any]) -> None:
        self.both.apply(changes)
        self.fed += [one for one in changes if isinstance(one, sk.Event)]

    # ------------------------------------------------------------------------ facts

    @rule(data=st.data())
    def one_change(self, data: st.DataObject) -> None:
        """Put, link, update, event, retract or delete."""
        self.feed(data.draw(related_batches(self.world, max_size=1)))

    @rule(data=st.data())
    def batch(self, data: st.DataObject) -> None:
        """Several changes at once."""
        self.feed(data.draw(related_batches(self.world, max_size=6)))

    @rule(data=st.data(), object_id=st.sampled_from(OBJECTS), to=st.sampled_from((*OBJECTS, None, NOBODY)))
    def move(self, data: st.DataObject, object_id: str, to: str | None) -> None:
        """A relation leads to another object, to nobody, or nowhere."""
        types = self.world.schema.types
        links = [(on, name) for on in types for name in relations_of(self.world.schema, on, "one")]
        on, name = data.draw(st.sampled_from(links))
        self.feed([sk.Update(on, object_id, {name: to})])

    @rule(data=st.data(), object_id=st.sampled_from(OBJECTS))
    def delete_and_make_again(self, data: st.DataObject, object_id: str) -> None:
        """Those that point to an object lose it and have it again, in one batch or in two."""
        on = data.draw(st.sampled_from(list(self.world.schema.types)))
        changes = [sk.Delete(on, object_id), sk.Put(on, object_id)]
        for batch in data.draw(st.sampled_from([[changes], [[change] for change in changes]])):
            self.feed(batch)

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
        changes = data.draw(related_batches(self.world))
        changes.insert(place, sk.Put("contact", "a", {"nobody declared this": 1}))
        self.both.apply(changes)

    # ------------------------------------------------------------------------- time

    @rule(by=moves())
    def advance(self, by: timedelta) -> None:
        """The clock moves and the engine follows."""
        self.both.pass_time(by)

    @rule(by=moves())
    def only_the_clock_moves(self, by: timedelta) -> None:
        """The clock moves, and whatever comes next finds it there."""
        self.both.clock.advance(by)

    # ------------------------------------------------------------------- definitions

    @rule(data=st.data(), name=st.sampled_from(NAMES))
    def define(self, data: st.DataObject, name: str) -> None:
        """A new segment, or one with a new filter, unless that makes a circle."""
        segment = data.draw(related_definitions(self.world, name, self.types, self.types.get(name)))
        references = self._references() | {name: segments_read(segment.tree)}
        try:
            evaluation_order(references)
        except sk.CycleError:
            self._refused(sk.CycleError, lambda: self.both.engine.redefine(name, where=sk.format(segment.tree)))
        else:
            self.both.define(segment.name, segment.on, segment.tree)

    @precondition(lambda self: self.started is not None and self.both.model.definitions)
    @rule(data=st.data(), name=st.sampled_from(NAMES))
    def refer(self, data: st.DataObject, name: str) -> None:
        """A segment becomes the same as another, or refers to itself."""
        other = data.draw(st.sampled_from(sorted(self.types)))
        if name not in self.types or name == other:
            where = sk.format(InSegment(other))
            if name == other:
                self._refused(sk.CycleError, lambda: self.both.engine.redefine(name, where=where))
            else:
                self.both.define(name, self.types[other], InSegment(other))

    @precondition(lambda self: self.started is not None and len(self.both.model.definitions) > 1)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        """A segment is forgotten, unless others refer to it."""
        name = data.draw(st.sampled_from(sorted(self.types)))
        if any(other != name and name in read for other, read in self._references().items()):
            self._refused(sk.DefinitionError, lambda: self.both.engine.drop(name))
        else:
            self.both.drop(name)

    @rule(data=st.data())
    def preview(self, data: st.DataObject) -> None:
        """A filter is tried without being stored."""
        segment: Segment = data.draw(related_definitions(self.world, "tried", self.types))
        self.both.pass_time(timedelta())
        preview = self.both.engine.preview(on=segment.on, where=sk.format(segment.tree))
        assert frozenset(preview.members) == self.both.model.evaluate(segment.tree, segment.on)

    def _references(self) -> dict[str, frozenset[str]]:
        return {name: segments_read(definition.tree) for name, definition in self.both.model.definitions.items()}

    def _refused(self, error: type[Exception], call: Any) -> None:
        before = self.both.state()
        with pytest.raises(error):
            call()
        assert self.both.state() == before
        assert {s.name for s in self.both.engine.segments()} == set(self.types)

    # ---------------------------------------------------------------------- reading

    @rule()
    def verify(self) -> None:
        """Recomputing everything finds no difference."""
        assert self.both.engine.verify() == []

    @rule()
    def everybody(self) -> None:
        """A preview of all objects has those of the model."""
        for on in self.world.schema.types:
            self.both.pass_time(timedelta())
            found = self.both.engine.preview(on=on, where=sk.format(Constant(True))).members
            assert list(found) == sorted(object_id for owner, object_id in self.both.model.objects if owner == on)

    @invariant()
    def agree(self) -> None:
        """Engine and model agree on everything that can be read."""
        if self.started is not None:
            self.both.check()


# Fifteen steps, each of which compares everything
RelatedMachine.TestCase.settings = settings(RELATED, stateful_step_count=15)
TestRelatedEngine = RelatedMachine.TestCase

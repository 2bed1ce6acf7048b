"""Laws of the engine: whatever happens, in whatever portions and order, plain evaluation says what is true."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
from hypothesis import given, strategies as st

import segmentkit as sk
from segmentkit.dsl import predicates as p
from segmentkit.schema import to_micros
from tests.histories import History, Segment, fit, histories
from tests.model import Flip, Model
from tests.side_by_side import SideBySide, as_flips, engine_for
from tests.strategies import moves


def started(history: History) -> tuple[sk.Engine, sk.ManualClock]:
    """Return an engine with the history's segments, before anything happens."""
    engine, clock = engine_for(history.world)
    for segment in history.segments:
        define(engine, segment)
    return engine, clock


def define(engine: sk.Engine, segment: Segment) -> None:
    """Define a segment by its text."""
    engine.define(segment.name, on=segment.on, where=sk.format(segment.tree))


def played(history: History, engine: sk.Engine, clock: sk.ManualClock) -> list[sk.Delta]:
    """Feed the whole history, all of which fits; return its deltas."""
    deltas: list[sk.Delta] = []
    for step in history.steps:
        clock.advance(step.move)
        deltas += engine.apply(step.changes)
    return deltas


def memberships(engine: sk.Engine, history: History) -> dict[str, frozenset[str]]:
    """Return the members of every segment."""
    return {segment.name: frozenset(engine.members(segment.name)) for segment in history.segments}


def applied(members: dict[str, frozenset[str]], deltas: list[Flip]) -> dict[str, frozenset[str]]:
    """Return memberships after deltas, each of which has to change something."""
    after = {name: set(ids) for name, ids in members.items()}
    for delta in deltas:
        assert (delta.object in after[delta.segment]) is not delta.entered, delta
        (after[delta.segment].add if delta.entered else after[delta.segment].discard)(delta.object)
    return {name: frozenset(ids) for name, ids in after.items()}


@given(histories(n_segments=3, n_steps=5))
def test_incremental_equals_plain_evaluation(history: History) -> None:
    """After every step memberships, segments of each object and deltas are those of plain evaluation."""
    both = SideBySide(history.world)
    for segment in history.segments:
        both.define(segment.name, segment.on, segment.tree)
    for step in history.steps:
        both.clock.advance(step.move)
        both.apply(step.changes)
        both.check()


@given(histories(n_segments=1))
def test_not_is_everybody_else(history: History) -> None:
    """A segment and its negation share nobody and together are all objects of the type, at every step."""
    history = fit(history)
    (segment,) = history.segments[:1]
    engine, clock = started(history)
    define(engine, Segment("others", segment.on, p.Not(segment.tree)))
    define(engine, Segment("everyone", segment.on, p.Constant(True)))
    for step in history.steps:
        clock.advance(step.move)
        engine.apply(step.changes)
        inside, outside = set(engine.members(segment.name)), set(engine.members("others"))
        assert not inside & outside
        assert inside | outside == set(engine.members("everyone"))


@given(histories())
def test_a_batch_is_its_consolidated_singles(history: History) -> None:
    """Feeding a batch's changes one by one ends in the same place, and its net deltas are the batch's."""
    history = fit(history)
    whole, whole_clock = started(history)
    single, single_clock = started(history)
    for step in history.steps:
        whole_clock.advance(step.move)
        single_clock.advance(step.move)
        assert as_flips(whole.advance(to=whole_clock.now())) == as_flips(single.advance(to=single_clock.now()))
        before = memberships(single, history)
        together = as_flips(whole.apply(step.changes))
        one_by_one = [flip for change in step.changes for flip in as_flips(single.apply([change]))]
        after = memberships(single, history)
        assert memberships(whole, history) == after
        assert applied(before, one_by_one) == after
        assert applied(before, together) == after
        assert len(together) == sum(len(before[name] ^ after[name]) for name in before)


@given(histories(), st.lists(moves(), min_size=2, max_size=4))
def test_time_may_pass_in_portions(history: History, portions: list[timedelta]) -> None:
    """advance(a), advance(b) brings the same deltas as advance(b)."""
    history = fit(history)
    stepwise, clock = started(history)
    at_once, other_clock = started(history)
    played(history, stepwise, clock)
    played(history, at_once, other_clock)
    deltas: list[Flip] = []
    for portion in portions:
        clock.advance(portion)
        deltas += as_flips(stepwise.advance(to=clock.now()))
    other_clock.set(clock.now())
    assert sorted(deltas, key=_order) == sorted(as_flips(at_once.advance(to=clock.now())), key=_order)
    assert memberships(stepwise, history) == memberships(at_once, history)


def _order(flip: Flip) -> tuple[int, str, str, bool]:
    return (flip.at, flip.segment, flip.object, flip.entered)


@given(histories())
def test_time_passes_by_itself_before_a_batch(history: History) -> None:
    """apply() alone brings what advance() and then apply() bring."""
    history = fit(history)
    lazy, lazy_clock = started(history)
    eager, eager_clock = started(history)
    for step in history.steps:
        lazy_clock.advance(step.move)
        eager_clock.advance(step.move)
        passed = list(eager.advance(to=eager_clock.now()))
        assert list(lazy.apply(step.changes)) == passed + list(eager.apply(step.changes))


@given(histories(n_segments=3))
def test_replay_ends_in_the_same_place(history: History) -> None:
    """Feeding the surviving facts to a new engine at the end, in another order, gives the same memberships."""
    history = fit(history)
    engine, clock = started(history)
    played(history, engine, clock)
    model = Model(history.world.schema, history.world.start)
    now = history.world.start
    for step in history.steps:
        now += step.move // timedelta(microseconds=1)
        model.apply(step.changes, now)
    again, again_clock = started(history)
    again_clock.set(clock.now())
    for (type_name, object_id), facts in reversed(model.objects.items()):
        object_type = history.world.schema.type(type_name)
        events = [
            sk.Event(
                type_name,
                object_id,
                event.name,
                {
                    name: object_type.events[event.name].properties[name].restore(value)
                    for name, value in event.properties.items()
                },
                at=sk.instant.restore(event.at),
                id=event.id,
            )
            for event in facts.stored
        ]
        named = [event for event in events if not event.id.startswith("~")]
        attributes = {name: object_type.attributes[name].restore(v) for name, v in facts.attributes.items()}
        again.apply(
            [sk.Put(type_name, object_id), *(attrs.evolve(event, id=None) for event in events if event not in named)]
        )
        again.apply([*reversed(named), sk.Update(type_name, object_id, attributes)])
    assert memberships(again, history) == memberships(engine, history)
    again.check_invariants()


@given(histories(n_segments=3), st.integers(1, 7))
def test_facts_that_were_read_out_rebuild_the_engine(history: History, size: int) -> None:
    """iter_facts() of one engine, fed to a new one in batches of any size, gives the same memberships."""
    history = fit(history)
    engine, clock = started(history)
    played(history, engine, clock)
    again, again_clock = started(history)
    again_clock.set(clock.now())
    facts = list(engine.iter_facts())
    for start in range(0, len(facts), size):
        again.apply(facts[start : start + size])
    assert memberships(again, history) == memberships(engine, history)
    assert list(again.iter_facts()) == facts
    again.check_invariants()


@given(histories())
def test_a_change_and_its_undo_leave_no_delta(history: History) -> None:
    """In one batch: an event retracted, an object made and deleted, attributes put and put back."""
    history = fit(history)
    model = Model(history.world.schema, history.world.start)
    engine, clock = started(history)
    for step in history.steps:
        clock.advance(step.move)
        engine.apply(step.changes)
        model.apply(step.changes, to_micros(clock.now()))
    before = memberships(engine, history)
    batch: list[Any] = []
    for (type_name, object_id), facts in model.objects.items():
        object_type = history.world.schema.type(type_name)
        attributes = {name: object_type.attributes[name].restore(v) for name, v in facts.attributes.items()}
        for event in object_type.events:
            batch += [
                sk.Event(type_name, object_id, event, {}, at=history.world.base, id="undone"),
                sk.Retract(type_name, object_id, "undone"),
            ]
        batch += [sk.Put(type_name, object_id), sk.Put(type_name, object_id, attributes)]
    for type_name in history.world.schema.types:
        batch += [sk.Put(type_name, "passing"), sk.Delete(type_name, "passing")]
    assert list(engine.apply(batch)) == []
    assert memberships(engine, history) == before
    engine.check_invariants()


@given(histories(n_steps=5), st.integers(0, 4), st.integers(0, 3))
def test_a_refused_batch_changes_nothing(history: History, at: int, place: int) -> None:
    """An engine that was given a bad batch on the way behaves like one that was not."""
    history = fit(history)
    spared, spared_clock = started(history)
    given_bad, clock = started(history)
    for index, step in enumerate(history.steps):
        clock.advance(step.move)
        spared_clock.advance(step.move)
        if index == at % len(history.steps):
            bad = list(step.changes)
            bad.insert(place, sk.Retract(next(iter(history.world.schema.types)), "nobody", "nothing"))
            before = memberships(given_bad, history), list(given_bad.deltas(after=0))
            try:
                given_bad.apply(bad)
            except sk.DataError:
                pass
            else:
                raise AssertionError("the batch was not refused")
            assert (memberships(given_bad, history), list(given_bad.deltas(after=0))) == before
            given_bad.check_invariants()
        assert list(given_bad.apply(step.changes)) == list(spared.apply(step.changes))
    assert memberships(given_bad, history) == memberships(spared, history)


@given(histories(n_segments=3), st.integers(0, 3))
def test_snapshot_and_changelog_give_the_next_snapshot(history: History, at: int) -> None:
    """The members at some point, changed by the deltas since, are the members now."""
    history = fit(history)
    engine, clock = started(history)
    snapshot, seq = memberships(engine, history), 0
    for index, step in enumerate(history.steps):
        clock.advance(step.move)
        engine.apply(step.changes)
        if index == at:
            snapshot = memberships(engine, history)
            seq = max((delta.seq for delta in engine.deltas(after=0)), default=0)
    assert applied(snapshot, as_flips(engine.deltas(after=seq))) == memberships(engine, history)


@given(histories(n_segments=2))
def test_a_preview_is_what_the_segment_would_be(history: History) -> None:
    """preview() has the members that the same filter has when it is defined, at every step."""
    history = fit(history)
    engine, clock = engine_for(history.world)
    for step in history.steps:
        clock.advance(step.move)
        engine.apply(step.changes)
        for segment in history.segments:
            preview = engine.preview(on=segment.on, where=sk.format(segment.tree))
            define(engine, segment)
            members = frozenset(engine.members(segment.name))
            assert frozenset(preview.members) == members
            assert preview.count == len(members)
            engine.drop(segment.name)
    engine.check_invariants()


@given(histories(n_segments=3), st.integers(0, 5))
def test_when_a_segment_is_defined_does_not_matter(history: History, at: int) -> None:
    """Segments defined first, on the way, last, or in another order have the same members in the end."""
    history = fit(history)
    first, first_clock = started(history)
    played(history, first, first_clock)
    late, late_clock = engine_for(history.world)
    for index, step in enumerate(history.steps):
        if index == at:
            for segment in reversed(history.segments):
                define(late, segment)
        late_clock.advance(step.move)
        late.apply(step.changes)
    if at >= len(history.steps):
        for segment in reversed(history.segments):
            define(late, segment)
    assert memberships(late, history) == memberships(first, history)
    late.check_invariants()

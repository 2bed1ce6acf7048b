"""Laws of an engine over its own past: replay, undo, refusal, previews, and when a segment was defined."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
from hypothesis import given, strategies as st

import segmentkit as sk
from segmentkit.values import to_micros
from tests.histories import History, fit, histories
from tests.model import Model
from tests.playing import applied, define, memberships, played, started
from tests.side_by_side import as_flips, engine_for


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

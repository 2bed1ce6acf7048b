"""Laws of the engine over several related types, segments in filters and ranks.

Those of `test_engine_laws.py` once more, where a change of one object flips others, and one flip leads to
another. What rests on the past, `entered`, `left` and `was ever`, takes part wherever both sides
have the same past.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import attrs
import pytest
from hypothesis import assume, event, given, strategies as st

import segmentkit as sk
from segmentkit.dsl import predicates as p
from segmentkit.dsl._dependencies import evaluation_order, segments_read
from segmentkit.values import to_micros
from tests.examples import RELATED
from tests.histories import History, Segment, fit
from tests.model import Flip
from tests.playing import applied, define, memberships, played, started
from tests.related_histories import related_definitions, related_histories
from tests.related_model import RelatedModel
from tests.side_by_side import SideBySide, as_flips, engine_for
from tests.stores.journal import FailingStore, JournalStore
from tests.strategies import OBJECTS, moves


def is_sound(engine: sk.Engine) -> None:
    """Check the engine against itself and against plain evaluation."""
    engine.check_invariants()
    assert engine.verify() == []


def without_past(history: History) -> History:
    """Return a history whose segments rest on facts and time alone, as those do that can be rebuilt from facts."""
    for segment in history.segments:
        assume(not any(isinstance(node, p.Crossing) for node in p.iter_nodes(segment.tree)))
    return history


def side_by_side(history: History) -> SideBySide:
    """Return engine and model with the history's segments."""
    both = SideBySide(history.world, model=RelatedModel)
    for segment in history.segments:
        both.define(segment.name, segment.on, segment.tree)
    return both


# ---------------------------------------------------------------- equal to plain evaluation


def _place(change: Any) -> tuple[Any, ...]:
    """Return what no two facts share; values are left aside, since equal decimals may read differently."""
    if isinstance(change, sk.Put):
        return (change.object_type, change.id)
    return (change.object_type, change.object, change.name, change.at, change.id)


@RELATED
@given(related_histories(n_segments=4, n_steps=5))
def test_incremental_equals_plain_evaluation(history: History) -> None:
    """After every step members and deltas are those of the model, in time and by changes."""
    both = side_by_side(history)
    for step in history.steps:
        both.pass_time(step.move)
        both.check()
        both.apply(step.changes)
        both.check()
        assert both.engine.verify() == []


@RELATED
@given(related_histories(n_segments=3))
def test_not_is_everybody_else(history: History) -> None:
    """A segment and its negation share nobody and together are all objects of the type, at every step."""
    history = fit(history)
    last = history.segments[-1]
    engine, clock = started(history)
    define(engine, Segment("others", last.on, p.Not(last.tree)))
    define(engine, Segment("outsiders", last.on, p.Not(p.InSegment(last.name))))
    define(engine, Segment("everyone", last.on, p.Constant(True)))
    for step in history.steps:
        clock.advance(step.move)
        engine.apply(step.changes)
        inside, outside = set(engine.members(last.name)), set(engine.members("others"))
        assert not inside & outside
        assert inside | outside == set(engine.members("everyone"))
        assert outside == set(engine.members("outsiders"))


@RELATED
@given(related_histories(n_segments=3))
def test_a_preview_is_what_the_segment_would_be(history: History) -> None:
    """preview() has the members that the same filter has when it is defined, at every step."""
    history = fit(history)
    *others, last = history.segments
    engine, clock = started(attrs.evolve(history, segments=others))
    for step in history.steps:
        clock.advance(step.move)
        engine.apply(step.changes)
        preview = engine.preview(on=last.on, where=sk.format(last.tree))
        define(engine, last)
        assert frozenset(preview.members) == frozenset(engine.members(last.name))
        engine.drop(last.name)
        is_sound(engine)


# -------------------------------------------------------------------- portions and order


@RELATED
@given(related_histories())
def test_a_batch_is_its_consolidated_singles(history: History) -> None:
    """Feeding a batch's changes one by one ends in the same place, and its net deltas are the batch's."""
    history = fit(history)
    whole, whole_clock = started(history)
    single, single_clock = started(history)
    for step in history.steps:
        whole_clock.advance(step.move)
        single_clock.advance(step.move)
        passed = sorted(as_flips(whole.advance(to=whole_clock.now())), key=_order)
        assert passed == sorted(as_flips(single.advance(to=single_clock.now())), key=_order)
        before = memberships(single, history)
        together = as_flips(whole.apply(step.changes))
        one_by_one = [flip for change in step.changes for flip in as_flips(single.apply([change]))]
        after = memberships(single, history)
        assert memberships(whole, history) == after
        assert applied(before, one_by_one) == after
        assert applied(before, together) == after
        assert len(together) == sum(len(before[name] ^ after[name]) for name in before)
    is_sound(whole)
    is_sound(single)


def _order(flip: Flip) -> tuple[int, str, str, bool]:
    return (flip.at, flip.segment, flip.object, flip.entered)


@RELATED
@given(related_histories(), st.lists(moves(), min_size=2, max_size=4))
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
    is_sound(stepwise)
    is_sound(at_once)


@RELATED
@given(related_histories())
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


@RELATED
@given(related_histories(), st.data())
def test_facts_that_were_read_out_rebuild_the_engine_in_any_order(history: History, data: st.DataObject) -> None:
    """iter_facts(), object by object in any order, so that links come before what they lead to, gives the same."""
    history = without_past(fit(history))
    engine, clock = started(history)
    played(history, engine, clock)
    facts = list(engine.iter_facts())
    by_object: dict[tuple[str, str], list[Any]] = {}
    for fact in facts:
        named = fact.id if isinstance(fact, sk.Put) else fact.object
        by_object.setdefault((fact.object_type, named), []).append(fact)
    again, again_clock = started(history)
    again_clock.set(clock.now())
    size = data.draw(st.integers(1, 7))
    mixed = [fact for key in data.draw(st.permutations(list(by_object))) for fact in by_object[key]]
    for start in range(0, len(mixed), size):
        again.apply(mixed[start : start + size])
    assert memberships(again, history) == memberships(engine, history)
    assert sorted(again.iter_facts(), key=_place) == sorted(facts, key=_place)
    is_sound(again)


@RELATED
@given(related_histories(n_segments=4), st.data())
def test_when_a_segment_is_defined_does_not_matter(history: History, data: st.DataObject) -> None:
    """Segments defined first, on the way or last have the same members in the end, if they need no past."""
    history = without_past(fit(history))
    first, first_clock = started(history)
    played(history, first, first_clock)
    late, late_clock = engine_for(history.world)
    waiting = list(history.segments)
    for step in history.steps:
        for _ in range(data.draw(st.integers(0, len(waiting)))):
            define(late, waiting.pop(0))
        late_clock.advance(step.move)
        late.apply(step.changes)
    for segment in waiting:
        define(late, segment)
    assert memberships(late, history) == memberships(first, history)
    is_sound(late)


@RELATED
@given(history=related_histories(n_segments=4), data=st.data())
def test_a_file_may_name_its_segments_in_any_order(
    history: History, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """define_file() brings what defining them one by one brings."""
    history = fit(history)
    one_by_one, clock = engine_for(history.world)
    from_file, file_clock = engine_for(history.world)
    for engine, its_clock in ((one_by_one, clock), (from_file, file_clock)):
        played(history, engine, its_clock)
    for segment in history.segments:
        define(one_by_one, segment)
    mixed = data.draw(st.permutations(history.segments))
    path = tmp_path_factory.getbasetemp() / "mixed.seg"
    path.write_text("\n".join(f'segment "{s.name}" on {s.on} where {sk.format(s.tree)}' for s in mixed), "utf-8")
    from_file.define_file(path)
    expected = sorted(as_flips(one_by_one.deltas(after=0)), key=_order)
    assert sorted(as_flips(from_file.deltas(after=0)), key=_order) == expected
    assert memberships(from_file, history) == memberships(one_by_one, history)
    is_sound(from_file)


@RELATED
@given(related_histories(n_segments=4), st.data())
def test_an_engine_opened_on_the_store_of_another_goes_on(history: History, data: st.DataObject) -> None:
    """It has the same members, also where a segment was redefined to refer to a later one, and goes on alike."""
    history = without_past(fit(history))
    *before, last = history.steps
    store = JournalStore()
    engine, clock = started(history, store)
    played(attrs.evolve(history, steps=before), engine, clock)
    first, *others = history.segments
    later = {segment.name: segment.on for segment in others if first.name not in _reached(segment, history)}
    changed = data.draw(related_definitions(history.world, first.name, later, first.on))
    without_past(attrs.evolve(history, segments=[changed]))
    engine.redefine(first.name, where=sk.format(changed.tree))
    again = sk.Engine(history.world.schema, store=store, clock=clock)
    assert memberships(again, history) == memberships(engine, history)
    is_sound(again)
    seq = store.seq()
    clock.advance(last.move)
    copied = JournalStore()
    copied.batches = list(store.batches)
    again = sk.Engine(history.world.schema, store=copied, clock=clock)
    assert sorted(as_flips(again.apply(last.changes)), key=_order) == sorted(
        as_flips(engine.apply(last.changes)), key=_order
    )
    assert copied.seq() == store.seq() >= seq
    is_sound(again)


def _reached(segment: Segment, history: History) -> set[str]:
    """Return the segments that a segment refers to, directly or through others."""
    trees = {other.name: other.tree for other in history.segments}
    found: set[str] = set()
    waiting = [segment.tree]
    while waiting:
        for name in segments_read(waiting.pop()) - found:
            found.add(name)
            waiting.append(trees[name])
    return found


# ------------------------------------------------------------------------- definitions


@RELATED
@given(related_histories(n_segments=4), st.data())
def test_redefining_and_dropping_segments_that_others_refer_to(history: History, data: st.DataObject) -> None:
    """A redefinition flips what refers to it in the same batch; circles and dropping what is needed are refused."""
    history = fit(history)
    both = side_by_side(history)
    model = both.model
    for step in history.steps:
        both.clock.advance(step.move)
        both.apply(step.changes)
        names = list(model.definitions)
        name = data.draw(st.sampled_from(names))
        if data.draw(st.integers(0, 3)):
            types = {n: definition.on for n, definition in model.definitions.items()}
            redefine_or_refuse(
                both, data.draw(related_definitions(history.world, name, types, model.definitions[name].on))
            )
        elif len(names) > 1:
            drop_or_refuse(both, name)
        both.check()
        assert both.engine.verify() == []


def references_of(both: SideBySide) -> dict[str, frozenset[str]]:
    """Return the segments that each segment of the model refers to."""
    return {name: segments_read(definition.tree) for name, definition in both.model.definitions.items()}


def redefine_or_refuse(both: SideBySide, segment: Segment) -> None:
    """Redefine a segment; if that makes a circle, see that it is refused and that nothing changes."""
    try:
        evaluation_order(references_of(both) | {segment.name: segments_read(segment.tree)})
    except sk.CycleError:
        event("circle")
    else:
        both.define(segment.name, segment.on, segment.tree)
        return
    before = both.state()
    with pytest.raises(sk.CycleError) as caught:
        both.engine.redefine(segment.name, where=sk.format(segment.tree))
    path = caught.value.path
    edges = references_of(both) | {segment.name: segments_read(segment.tree)}
    assert path[0] == path[-1]
    assert segment.name in path
    assert all(after in edges[name] for name, after in pairwise(path))
    assert both.state() == before
    both.settle([])


def drop_or_refuse(both: SideBySide, name: str) -> None:
    """Drop a segment; if others refer to it, see that it is refused, that they are named and that nothing changes."""
    others = [other for other, read in references_of(both).items() if name in read and other != name]
    if not others:
        both.drop(name)
        return
    event("referred to")
    before = both.state()
    with pytest.raises(sk.DefinitionError) as caught:
        both.engine.drop(name)
    for other in others:
        assert other in str(caught.value)
    assert both.state() == before
    both.settle([])


# -------------------------------------------------------------------- what changes nothing


@RELATED
@given(related_histories())
def test_a_change_and_its_undo_leave_no_delta(history: History) -> None:
    """In one batch: events retracted, links moved there and back, objects made and deleted, or put and put back."""
    history = fit(history)
    model = RelatedModel(history.world.schema, history.world.start)
    engine, clock = started(history)
    for step in history.steps:
        clock.advance(step.move)
        engine.apply(step.changes)
        model.apply(step.changes, to_micros(clock.now()))
    before = memberships(engine, history)
    batch: list[Any] = []
    for (type_name, object_id), facts in model.objects.items():
        object_type = history.world.schema.type(type_name)
        put = {
            n: object_type.attributes[n].restore(v) if n in object_type.attributes else v
            for n, v in facts.attributes.items()
        }
        for name in object_type.events:
            batch += [
                sk.Event(type_name, object_id, name, {}, at=history.world.base, id="undone"),
                sk.Retract(type_name, object_id, "undone"),
            ]
        batch += [sk.Put(type_name, object_id, _elsewhere(object_type)), sk.Put(type_name, object_id, put)]
    for type_name, object_type in history.world.schema.types.items():
        batch += [sk.Put(type_name, "passing", _elsewhere(object_type)), sk.Delete(type_name, "passing")]
    assert list(engine.apply(batch)) == []
    assert memberships(engine, history) == before
    is_sound(engine)


def _elsewhere(object_type: sk.ObjectType) -> dict[str, str]:
    return {name: OBJECTS[0] for name, relation in object_type.relations.items() if relation.cardinality == "one"}


@RELATED
@given(related_histories(n_steps=5), st.integers(0, 4), st.integers(0, 3))
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
            with pytest.raises(sk.DataError):
                given_bad.apply(bad)
            assert (memberships(given_bad, history), list(given_bad.deltas(after=0))) == before
            is_sound(given_bad)
        assert list(given_bad.apply(step.changes)) == list(spared.apply(step.changes))
    assert memberships(given_bad, history) == memberships(spared, history)


@RELATED
@given(related_histories(n_segments=3), st.integers(0, 3))
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


# -------------------------------------------------------------------------- a failing store


@RELATED
@given(related_histories(n_segments=4, n_steps=5), st.data())
def test_a_failing_store_leaves_everything_as_it_was(history: History, data: st.DataObject) -> None:
    """Members, links, ranks and history are taken back, and the call works afterwards as if nothing had been.

    The call is a batch, or a segment that is defined, redefined or dropped on the way.
    """
    history = fit(history)
    spared, spared_clock = started(history)
    store = FailingStore()
    engine, clock = started(history, store)
    for step in history.steps:
        clock.advance(step.move)
        spared_clock.advance(step.move)
        passed = as_flips(engine.advance(to=clock.now()))
        assert passed == as_flips(spared.advance(to=spared_clock.now()))
        for call in data.draw(_calls(history, step.changes)):
            before = memberships(engine, history), store.seq()
            store.error = OSError("disk full")
            with pytest.raises(sk.StoreError, match="disk full"):
                call(engine)
            assert (memberships(engine, history), store.seq()) == before
            is_sound(engine)
            store.error = None
            call(engine)
            call(spared)
            assert as_flips(engine.deltas(after=before[1])) == as_flips(spared.deltas(after=before[1]))
            assert memberships(engine, history) == memberships(spared, history)
            is_sound(engine)


@st.composite
def _calls(draw: st.DrawFn, history: History, changes: list[Any]) -> list[Callable[[sk.Engine], object]]:
    """One or two calls: the changes, and a segment that comes and goes or gets another filter."""
    last = history.segments[-1]
    types = {segment.name: segment.on for segment in history.segments[:-1]}
    other = draw(related_definitions(history.world, last.name, types, last.on))
    calls: list[Callable[[sk.Engine], object]] = [lambda engine: engine.apply(changes)] if changes else []
    redefined: list[Callable[[sk.Engine], object]] = [
        lambda engine: engine.redefine(other.name, where=sk.format(other.tree))
    ]
    passing: list[Callable[[sk.Engine], object]] = [
        lambda engine: engine.define("passing", on=other.on, where=sk.format(other.tree)),
        lambda engine: engine.drop("passing"),
    ]
    return draw(st.sampled_from([calls, redefined + calls, calls + redefined, passing + calls, calls + passing]))

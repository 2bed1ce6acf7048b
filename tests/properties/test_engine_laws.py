"""Laws of the engine: whatever happens, in whatever portions and order, plain evaluation says what is true."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, strategies as st

from segmentkit.dsl import predicates as p
from tests.histories import History, Segment, fit, histories
from tests.model import Flip
from tests.playing import applied, define, memberships, played, started
from tests.side_by_side import SideBySide, as_flips
from tests.strategies import moves


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

"""Laws of large batches: what is carried out together is what the same changes do one after another.

The path is taken from one change on here, and even groups of one object go through arrays where the
threshold that is drawn says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any, Literal

import pytest
from hypothesis import given, strategies as st

import segmentkit as sk
from segmentkit import engine as engine_module
from segmentkit.dsl import predicates as p
from segmentkit.index import _batch_moves, _batch_tests, _bulk_members, _matcher, _plan, _steps, _wide
from tests.examples import PARTS
from tests.histories import History, Segment, Step, definitions, fit
from tests.playing import define, memberships
from tests.side_by_side import engine_for
from tests.small_pages import small_pages
from tests.strategies import batches, moves, worlds

_NEVER = 10**9


@st.composite
def histories_of_large_batches(draw: st.DrawFn) -> History:
    """Histories in which many changes come together, some of which may be refused.

    Filters come with their negations now and then: what two clauses read has cells in rows.
    """
    world = draw(worlds())
    segments = [draw(definitions(world, f"s{index}")) for index in range(draw(st.integers(1, 4)))]
    if draw(st.booleans()):
        segments += [Segment(f"not {segment.name}", segment.on, p.Not(segment.tree)) for segment in segments]
    steps = [Step(draw(moves()), draw(batches(world, max_size=16))) for _ in range(draw(st.integers(1, 4)))]
    return History(world, segments, steps)


@contextmanager
def together_from(least: int, few: int) -> Iterator[None]:
    """Let batches of `least` changes go together, and groups of more than `few` objects through arrays."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine_module, "BATCH_FROM", least)
        patch.setattr(_batch_moves, "FEW", few)
        patch.setattr(_batch_tests, "MANY", few)
        patch.setattr(_batch_tests, "FEW_POINTS", few)
        patch.setattr(_bulk_members, "FEW", few)
        yield


class Both:
    """Two engines that are given the same, one of them together."""

    def __init__(self, history: History, few: int, unknown: Literal["error", "create"] = "error") -> None:
        self.few = few
        self.together, self.clock = engine_for(history.world, unknown)
        self.apart, self.other_clock = engine_for(history.world, unknown)

    def move(self, by: timedelta) -> None:
        """Move the clocks."""
        self.clock.advance(by)
        self.other_clock.advance(by)

    def define(self, segment: Segment) -> None:
        """Define a segment."""
        define(self.together, segment)
        define(self.apart, segment)

    def play(self, history: History) -> None:
        """Define the segments, and let time pass and changes come; compare after each batch."""
        for segment in history.segments:
            self.define(segment)
        for step in history.steps:
            self.move(step.move)
            self.apply(step.changes)
            self.check(history)

    def apply(self, changes: Sequence[Any]) -> None:
        """Apply a batch to both, which tell the same deltas or the same error."""
        outcomes: list[Any] = []
        for engine, least in ((self.together, 1), (self.apart, _NEVER)):
            with together_from(least, self.few):
                try:
                    outcomes.append(list(engine.apply(changes)))
                except sk.DataError as error:
                    outcomes.append(str(error))
        assert outcomes[0] == outcomes[1]

    def check(self, history: History) -> None:
        """Compare facts and memberships, and look at the invariants."""
        assert memberships(self.together, history) == memberships(self.apart, history)
        assert facts(self.together) == facts(self.apart)
        self.together.check_invariants()
        assert self.together.verify() == []

    def advance(self, by: timedelta) -> None:
        """Let time pass for both, which brings the same deltas."""
        self.move(by)
        assert list(self.together.advance()) == list(self.apart.advance())


def facts(engine: sk.Engine) -> list[Any]:
    """Return the facts, events without the ids that the engine has given them."""
    found = []
    for fact in engine.iter_facts():
        if isinstance(fact, sk.Event) and fact.id is not None and fact.id[0] == "~":
            found.append((fact.object_type, fact.object, fact.name, fact.at, fact.properties))
        else:
            found.append(fact)
    return sorted(found, key=repr)


@PARTS
@given(histories_of_large_batches(), st.integers(0, 3), st.lists(moves(), max_size=3))
def test_a_batch_together_does_what_its_changes_do_one_after_another(
    history: History, few: int, later: list[timedelta]
) -> None:
    """Deltas with their order and causes, memberships and facts, and what time brings later are the same."""
    history = fit(history)
    both = Both(history, few)
    both.play(history)
    for move in later:
        both.advance(move)
        both.together.check_invariants()
    assert both.together.verify() == []


@PARTS
@given(histories_of_large_batches(), st.integers(0, 3), st.sampled_from(["error", "create"]))
def test_a_batch_together_is_refused_as_one_after_another(
    history: History, few: int, unknown: Literal["error", "create"]
) -> None:
    """The error is the same to the letter, and nothing of the batch was applied."""
    both = Both(history, few, unknown)
    both.play(history)


@PARTS
@given(
    histories_of_large_batches(),
    st.integers(0, 3),
    st.sampled_from([0, 1, 512]),
    st.sampled_from([1, 64]),
    st.booleans(),
)
def test_a_batch_together_does_the_same_whatever_rows_and_pages_hold(
    history: History, few: int, placed: int, wide: int, has_small_pages: bool
) -> None:
    """Cells of features of events may be in no row, steps arrays, and histories go out of pages and back."""
    history = fit(history)
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(_plan, "_MOST_PLACED", placed)
        for module in (_matcher, _steps, _wide):
            patch.setattr(module, "WIDE", wide)
        if has_small_pages:
            stack.enter_context(small_pages())
        both = Both(history, few)
        both.play(history)
        both.advance(timedelta(days=30))
        both.check(history)


@PARTS
@given(histories_of_large_batches(), st.integers(0, 3))
def test_definitions_may_come_and_go_between_batches(history: History, few: int) -> None:
    """What was worked out for the clauses of one edition of the plan is not taken for those of the next."""
    history = fit(history)
    both = Both(history, few)
    first, *others = history.segments
    both.define(first)
    for number, step in enumerate(history.steps):
        both.move(step.move)
        both.apply(step.changes)
        if number < len(others):
            both.define(others[number])
        elif number == len(others):
            both.together.drop(first.name)
            both.apart.drop(first.name)
            both.define(first)
    for segment in others[len(history.steps) :]:
        both.define(segment)
    both.check(history)

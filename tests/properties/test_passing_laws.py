"""Laws of passing time together: it brings what going from deadline to deadline brings.

The path is taken from one entry on here, and whether a watcher has arrays or goes object by object is drawn.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

import segmentkit as sk
from segmentkit.index import _bulk_facts, _plan
from tests.aging import CONTACTS, DEALS, SCHEMA, START, closings, events, filters, steps, together_from, updates
from tests.examples import PARTS, at_most
from tests.histories import History, histories
from tests.related_histories import related_histories
from tests.related_model import RelatedModel
from tests.side_by_side import SideBySide

_NEVER = 10**9


@PARTS
@given(histories(n_segments=3, n_steps=5), st.integers(0, 2), st.sampled_from([1, 3, 50_000]))
def test_time_together_equals_plain_evaluation(history: History, few: int, stretch: int) -> None:
    """After every step memberships, segments of each object and deltas are those of plain evaluation."""
    with together_from(1, few, stretch=stretch):
        play(SideBySide(history.world), history)


@PARTS
@given(related_histories(n_segments=4, n_steps=5), st.integers(0, 2))
def test_time_together_equals_plain_evaluation_across_objects(history: History, few: int) -> None:
    """Where filters read other objects, time goes together as long as nobody reads what it flips."""
    with together_from(1, few):
        play(SideBySide(history.world, model=RelatedModel), history)


def play(both: SideBySide, history: History) -> None:
    """Define the segments, and let time pass and changes come, with a look at all of it after each step."""
    for segment in history.segments:
        both.define(segment.name, segment.on, segment.tree)
    for step in history.steps:
        both.pass_time(step.move)
        both.apply(step.changes)
        both.check()


class Both:
    """Two engines that are given the same, of which one passes time together."""

    def __init__(self, least: int, few: int, stretch: int) -> None:
        self._least = least
        self._few = few
        self._stretch = stretch
        self.clock = sk.ManualClock(START)
        self.together, self.apart = (sk.Engine(SCHEMA, clock=self.clock) for _ in range(2))

    def do(self, operation: str, *arguments: Any, **named: Any) -> None:
        """Let both do the same, which brings the same deltas in the same order."""
        with together_from(self._least, self._few, stretch=self._stretch):
            found = getattr(self.together, operation)(*arguments, **named)
        with together_from(_NEVER):
            expected = getattr(self.apart, operation)(*arguments, **named)
        if isinstance(expected, sk.Deltas):
            assert list(found) == list(expected)


@pytest.mark.parametrize("placed", [0, 2, 512])  # three tests, which may run side by side
@at_most(400)
@given(
    wheres=st.lists(filters, min_size=1, max_size=4),
    facts=st.lists(events | updates | closings, min_size=4, max_size=24),
    steps=steps,
    least=st.sampled_from([1, 4]),
    few=st.integers(0, 2),
    stretch=st.sampled_from([1, 3, 50_000]),
    comes_late=st.booleans(),
)
def test_time_together_brings_the_deltas_of_going_from_deadline_to_deadline(
    wheres: list[str],
    facts: list[Any],
    steps: list[Any],
    least: int,
    few: int,
    stretch: int,
    placed: int,
    comes_late: bool,
) -> None:
    """Whatever rows hold, however long the stretches, in whatever turns with changes and definitions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_plan, "_MOST_PLACED", placed)
        patch.setattr(_bulk_facts, "BLOCK", 2)
        both = Both(least, few, stretch)
        both.do("define", "closed", on="deal", where="closes more than 2 hours ago")
        for number, where in enumerate(wheres[comes_late:]):
            both.do("define", f"s{number}", on="contact", where=where)
            both.do("define", f"not s{number}", on="contact", where=f"not ({where})")  # more than once: in rows
        both.do("apply", [*(sk.Put("contact", who) for who in CONTACTS), *(sk.Put("deal", who) for who in DEALS)])
        both.do("apply", facts)
        if comes_late:
            both.do("define", "late", on="contact", where=wheres[0])
        for by, changes in steps:
            both.clock.advance(by)
            both.do("apply", changes)
        for by in (timedelta(hours=5), timedelta(days=3)):
            both.do("advance", to=both.together.now + by)
            both.together.check_invariants()
        assert both.together.verify() == []

"""Laws of pages: how events are kept shows in nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, strategies as st

import segmentkit as sk
from tests.histories import History, fit, histories
from tests.playing import memberships, started
from tests.small_pages import small_pages
from tests.strategies import moves


def told(history: History, later: list[timedelta]) -> list[Any]:
    """Return all that an engine tells: deltas step by step, facts, members, and what time brings later."""
    engine, clock = started(history)
    found: list[Any] = []
    for step in history.steps:
        clock.advance(step.move)
        found += [list(engine.advance()), list(engine.apply(step.changes)), list(engine.iter_facts())]
    for segment in history.segments:
        where = sk.format(segment.tree)
        found += [engine.preview(on=segment.on, where=where).members, list(engine.recalculate(segment.name))]
    for move in later:
        clock.advance(move)
        found.append(list(engine.advance()))
    engine.check_invariants()
    assert engine.verify() == []
    return [*found, memberships(engine, history)]


@given(histories(n_segments=3, n_steps=5), st.lists(moves(), max_size=3))
def test_small_pages_tell_what_large_ones_tell(history: History, later: list[timedelta]) -> None:
    """Rows that go out of their pages and back give the same deltas, facts and members."""
    history = fit(history)
    expected = told(history, later)
    with small_pages():
        assert told(history, later) == expected

"""Laws of the bulk path: what is worked out for all objects together is what plain evaluation says of each.

The path is taken from one object on here, instead of where it begins to win.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

import segmentkit as sk
from segmentkit.index import _matcher, _plan
from tests.histories import History, Segment, fit, histories
from tests.side_by_side import engine_for
from tests.strategies import moves


@pytest.fixture(autouse=True, scope="module")
def _always_in_bulk() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_plan, "BULK_FROM", 1)
        patch.setattr(_matcher, "_FEW_SEGMENTS", 0)
        yield


def loaded(history: History) -> tuple[sk.Engine, sk.ManualClock]:
    """Return an engine to which the history has happened, without segments."""
    engine, clock = engine_for(history.world)
    for step in history.steps:
        clock.advance(step.move)
        engine.apply(step.changes)
    return engine, clock


def define_together(engine: sk.Engine, segments: list[Segment]) -> None:
    """Define all segments with one file."""
    text = "\n".join(f'segment "{s.name}" on {s.on}\n  where {sk.format(s.tree)}\n' for s in segments)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.seg"
        path.write_text(text, encoding="utf-8")
        engine.define_file(path)


@given(histories(n_segments=3), st.lists(moves(), max_size=3))
def test_definitions_over_facts_select_what_plain_evaluation_selects(history: History, later: list[timedelta]) -> None:
    """Members, cells and deadlines are right at once, and stay right as time passes."""
    history = fit(history)
    engine, clock = loaded(history)
    define_together(engine, history.segments)
    assert engine.verify() == []
    engine.check_invariants()
    for move in later:
        clock.advance(move)
        engine.advance()
        assert engine.verify() == []
        engine.check_invariants()


@given(histories(n_segments=3), st.lists(moves(), max_size=2))
def test_definitions_one_by_one_select_the_same(history: History, later: list[timedelta]) -> None:
    """A plan that is extended and one that is built for all segments hold the same."""
    history = fit(history)
    together, clock = loaded(history)
    single, other_clock = loaded(history)
    define_together(together, history.segments)
    for segment in history.segments:
        single.define(segment.name, on=segment.on, where=sk.format(segment.tree))
    for move in later:
        clock.advance(move)
        other_clock.advance(move)
        flips = [{(d.segment, d.object, d.at, d.entered) for d in e.advance()} for e in (together, single)]
        assert flips[0] == flips[1]
    for segment in history.segments:
        assert together.members(segment.name) == single.members(segment.name)


@given(histories(n_segments=3))
def test_previews_find_what_plain_evaluation_finds(history: History) -> None:
    """A filter that nothing remembers counts the same objects as the plain evaluator."""
    history = fit(history)
    engine, _ = loaded(history)
    for segment in history.segments:
        found = engine.preview(on=segment.on, where=sk.format(segment.tree)).members
        engine.define(segment.name, on=segment.on, where=sk.format(segment.tree))
        assert engine.verify() == []
        assert list(found) == list(engine.members(segment.name))

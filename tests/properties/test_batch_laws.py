"""Laws of large batches: what is carried out together is what the same changes do one after another.

The path is taken from one change on here, and groups of one object go through arrays, or none does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

import segmentkit as sk
from segmentkit import engine as engine_module
from segmentkit.index import _batch_moves
from tests.examples import PARTS
from tests.histories import History, Step, definitions, fit
from tests.playing import memberships, started
from tests.strategies import batches, moves, worlds

_NEVER = 10**9


@st.composite
def histories_of_large_batches(draw: st.DrawFn) -> History:
    """Histories in which many changes come together."""
    world = draw(worlds())
    segments = [draw(definitions(world, f"s{index}")) for index in range(draw(st.integers(1, 4)))]
    steps = [Step(draw(moves()), draw(batches(world, max_size=16))) for _ in range(draw(st.integers(1, 4)))]
    return fit(History(world, segments, steps))


def applied(engine: sk.Engine, changes: Sequence[Any], together_from: int, few: int) -> list[sk.Delta]:
    """Apply a batch with other thresholds than the usual ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine_module, "BATCH_FROM", together_from)
        patch.setattr(_batch_moves, "FEW", few)
        return list(engine.apply(changes))


@PARTS
@given(histories_of_large_batches(), st.integers(0, 3), st.lists(moves(), max_size=3))
def test_a_batch_together_does_what_its_changes_do_one_after_another(
    history: History, few: int, later: list[timedelta]
) -> None:
    """Deltas with their order and causes, memberships and facts, and what time brings later are the same."""
    together, clock = started(history)
    apart, other_clock = started(history)
    for step in history.steps:
        for each in (clock, other_clock):
            each.advance(step.move)
        assert applied(together, step.changes, 1, few) == applied(apart, step.changes, _NEVER, 0)
        assert memberships(together, history) == memberships(apart, history)
    together.check_invariants()
    assert together.verify() == []
    assert facts(together) == facts(apart)
    for move in later:
        for each in (clock, other_clock):
            each.advance(move)
        assert list(together.advance()) == list(apart.advance())
        together.check_invariants()
    assert together.verify() == []


def facts(engine: sk.Engine) -> list[Any]:
    """Return the facts, by object and in order of time, events without the ids that the engine has given them."""
    found = []
    for fact in engine.iter_facts():
        if isinstance(fact, sk.Event) and fact.id is not None and fact.id[0] == "~":
            found.append((fact.object_type, fact.object, fact.name, fact.at, fact.properties))
        else:
            found.append(fact)
    return sorted(found, key=repr)

"""Playing histories to an engine, for laws that compare what comes of it."""

from __future__ import annotations

import segmentkit as sk
from tests.histories import History, Segment
from tests.model import Flip
from tests.side_by_side import engine_for


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

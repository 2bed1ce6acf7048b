"""Playing histories to an engine, for laws that compare what comes of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import segmentkit as sk
from tests.histories import History, Segment
from tests.model import Flip

Members: TypeAlias = dict[str, frozenset[str]]
"""The members of each segment."""


def started(history: History, store: Any = None) -> tuple[sk.Engine, sk.ManualClock]:
    """Return an engine with the history's segments, before anything happens."""
    clock = sk.ManualClock(history.world.base)
    engine = sk.Engine(history.world.schema, store=store, clock=clock)
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


def memberships(engine: sk.Engine, history: History) -> Members:
    """Return the members of every segment."""
    return {segment.name: frozenset(engine.members(segment.name)) for segment in history.segments}


def applied(members: Members, deltas: Iterable[Flip]) -> Members:
    """Return memberships after deltas, each of which has to change something."""
    after = {name: set(ids) for name, ids in members.items()}
    for delta in deltas:
        assert (delta.object in after[delta.segment]) is not delta.entered, delta
        (after[delta.segment].add if delta.entered else after[delta.segment].discard)(delta.object)
    return {name: frozenset(ids) for name, ids in after.items()}

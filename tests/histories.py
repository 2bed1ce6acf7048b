"""Hypothesis strategies for whole histories: definitions, and steps of time and changes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import attrs
from hypothesis import strategies as st

import segmentkit as sk
from segmentkit.dsl import predicates as p
from segmentkit.values import to_micros
from tests.model import Model, Refused
from tests.strategies import World, batches, moves, worlds
from tests.trees import predicates

__all__ = ["History", "Segment", "Step", "definitions", "fit", "histories"]


@attrs.frozen(repr=False)
class Segment:
    """A definition: its name, the type of its objects, its filter."""

    name: str
    on: str
    tree: p.Predicate

    def __repr__(self) -> str:
        return f"segment {self.name!r} on {self.on} where {sk.format(self.tree)}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


@attrs.frozen
class Step:
    """The clock moves, then a batch comes."""

    move: timedelta
    changes: list[Any]


@attrs.frozen
class History:
    """A world, the segments in it, and what happens."""

    world: World
    segments: list[Segment]
    steps: list[Step]


@st.composite
def definitions(draw: st.DrawFn, world: World, name: str) -> Segment:
    """A segment over some type of the world."""
    on = draw(st.sampled_from(list(world.schema.types)))
    return Segment(name, on, draw(predicates(world, on, depth=1)))


@st.composite
def histories(draw: st.DrawFn, n_segments: int = 2, n_steps: int = 4) -> History:
    """Histories of a few segments and steps, in which some changes are refused."""
    world = draw(worlds())
    segments = [draw(definitions(world, f"s{index}")) for index in range(1 + draw(_UP_TO[n_segments - 1]))]
    steps = [Step(draw(moves()), draw(batches(world))) for _ in range(1 + draw(_UP_TO[n_steps - 1]))]
    return History(world, segments, steps)


_UP_TO = [st.integers(0, n) for n in range(10)]


def fit(history: History) -> History:
    """Return the history without the changes that a batch would be refused for.

    Event ids of those kept are good for one event each, so that they may also be fed one by one.
    """
    model, now = Model(history.world.schema, history.world.start), history.world.base
    steps = []
    for step in history.steps:
        now += step.move
        steps.append(Step(step.move, [change for change in step.changes if _fits(model, change, to_micros(now))]))
    return attrs.evolve(history, steps=steps)


def _fits(model: Model, change: Any, now: int) -> bool:
    try:
        model.apply([change], now)
    except Refused:
        return False
    return True


def all_changes(history: History) -> Iterable[Any]:
    """Yield every change of the history, in order."""
    for step in history.steps:
        yield from step.changes

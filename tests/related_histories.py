"""Hypothesis strategies for histories of several related types, in which segments refer to segments."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from tests.histories import History, Segment, Step
from tests.related_strategies import related_batches, related_predicates, related_worlds
from tests.strategies import World, moves

__all__ = ["related_definitions", "related_histories"]


@st.composite
def related_definitions(
    draw: st.DrawFn, world: World, name: str, segments: Mapping[str, str], on: str | None = None
) -> Segment:
    """A segment over some type of the world, which may refer to the `segments`, given by type."""
    chosen = draw(st.sampled_from(list(world.schema.types))) if on is None else on
    return Segment(name, chosen, draw(related_predicates(world, chosen, segments, depth=1)))


@st.composite
def related_histories(draw: st.DrawFn, n_segments: int = 3, n_steps: int = 4) -> History:
    """Histories of a few segments, each of which may refer to those before it, and steps, some of them refused."""
    world = draw(related_worlds())
    segments: dict[str, Segment] = {}
    for number in range(1 + draw(_UP_TO[n_segments - 1])):
        types = {name: segment.on for name, segment in segments.items()}
        segments[f"s{number}"] = draw(related_definitions(world, f"s{number}", types))
    steps = [Step(draw(moves()), draw(related_batches(world))) for _ in range(1 + draw(_UP_TO[n_steps - 1]))]
    return History(world, list(segments.values()), steps)


_UP_TO = [st.integers(0, n) for n in range(10)]

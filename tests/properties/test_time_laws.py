"""Laws of time passing for one object: the horizon never comes late, and flips are found exactly."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, strategies as st

from segmentkit.dsl import predicates as p
from segmentkit.dsl._horizon import next_change
from segmentkit.dsl.evaluate import evaluate
from segmentkit.values import to_micros
from tests.flips import candidates, flips_by_candidates, flips_by_horizon
from tests.model import ObjectFacts
from tests.strategies import World, facts, moves, worlds
from tests.trees import predicates

_FAR = 40 * 86_400_000_000
"""How far beyond now to look when the horizon is farther: a month and some days."""


@st.composite
def cases(draw: st.DrawFn) -> tuple[World, p.Predicate, ObjectFacts]:
    """A world, a filter, and an object that it is about."""
    world = draw(worlds())
    return world, draw(predicates(world, "contact", depth=1)), draw(facts(world, "contact"))


@given(cases(), moves())
def test_nothing_changes_before_the_horizon(case: tuple[World, p.Predicate, ObjectFacts], move: timedelta) -> None:
    """From now up to the horizon a filter keeps its answer, wherever one looks."""
    world, tree, known = case
    zone, now = world.schema.zone, to_micros(world.base + move)
    holds = evaluate(tree, known, now, zone)
    horizon = next_change(tree, known, now, zone)
    assert horizon is None or horizon > now
    until = now + _FAR if horizon is None else min(horizon - 1, now + _FAR)
    for instant in candidates(tree, known, now, until, zone):
        if now < instant <= until:
            assert evaluate(tree, known, instant, zone) == holds, f"changed at {instant}, before {horizon}"


@given(cases(), moves())
def test_two_ways_find_the_same_flips(case: tuple[World, p.Predicate, ObjectFacts], move: timedelta) -> None:
    """Walking from horizon to horizon finds each flip that looking everywhere finds, at the same instant."""
    world, tree, known = case
    zone, now, to = world.schema.zone, world.start, to_micros(world.base + move)
    walked = list(flips_by_horizon(tree, known, now, to, zone))
    assert walked == list(flips_by_candidates(tree, known, now, to, zone))

"""Laws of the language that need no engine: the printed form, and the complement."""

from __future__ import annotations

from hypothesis import given, note, strategies as st

from segmentkit import dsl
from segmentkit.dsl import predicates as p
from segmentkit.dsl.evaluate import evaluate
from tests.model import ObjectFacts
from tests.strategies import World, facts, worlds
from tests.trees import predicates


@st.composite
def cases(draw: st.DrawFn) -> tuple[World, p.Predicate]:
    """A world and a filter in it."""
    world = draw(worlds())
    return world, draw(predicates(world, "contact"))


@st.composite
def cases_with_facts(draw: st.DrawFn) -> tuple[World, p.Predicate, ObjectFacts]:
    """A world, a filter, and an object that it is about."""
    world, tree = draw(cases())
    return world, tree, draw(facts(world, "contact"))


@given(cases())
def test_reading_what_was_printed_gives_the_same_tree(case: tuple[World, p.Predicate]) -> None:
    """Parsing the canonical text of a tree gives the tree again, and its text is one line."""
    world, tree = case
    text = dsl.format(tree)
    note(text)
    assert "\n" not in text
    assert dsl.parse(text, world.schema, "contact") == tree, text


@given(cases_with_facts())
def test_printed_filters_mean_the_same(case: tuple[World, p.Predicate, ObjectFacts]) -> None:
    """A filter and what its text is parsed into hold for the same facts."""
    world, tree, known = case
    again = dsl.parse(dsl.format(tree), world.schema, "contact")
    zone = world.schema.zone
    assert evaluate(again, known, world.start, zone) == evaluate(tree, known, world.start, zone)


@given(cases_with_facts())
def test_not_is_the_complement(case: tuple[World, p.Predicate, ObjectFacts]) -> None:
    """`not (F)` holds exactly where F does not."""
    world, tree, known = case
    negated = dsl.parse(f"not ({dsl.format(tree)})", world.schema, "contact")
    zone = world.schema.zone
    assert evaluate(negated, known, world.start, zone) is not evaluate(tree, known, world.start, zone)

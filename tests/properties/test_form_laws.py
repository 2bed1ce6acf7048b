"""Laws of the other forms of a tree: JSON loses nothing, the normal form keeps the meaning."""

from __future__ import annotations

import json

from hypothesis import given, note, strategies as st

import segmentkit as sk
from segmentkit import build, dsl
from segmentkit.dsl import predicates as p
from segmentkit.dsl.evaluate import evaluate
from segmentkit.forms import jsonlogic, querybuilder
from tests.built import built
from tests.examples import FORMS
from tests.model import ObjectFacts
from tests.strategies import World, facts, worlds
from tests.trees import predicates


@st.composite
def cases(draw: st.DrawFn) -> tuple[World, p.Predicate]:
    """A world and a filter in it."""
    world = draw(worlds())
    return world, draw(predicates(world, "contact"))


@st.composite
def cases_with_facts(draw: st.DrawFn) -> tuple[World, p.Predicate, list[ObjectFacts]]:
    """A world, a filter, and objects that it is about."""
    world, tree = draw(cases())
    return world, tree, [draw(facts(world, "contact")) for _ in range(2)]


@FORMS
@given(cases())
def test_json_loses_nothing(case: tuple[World, p.Predicate]) -> None:
    """A tree comes back from JSON text, on its own and through the schema."""
    world, tree = case
    document = json.loads(json.dumps(sk.to_json(tree), allow_nan=False))
    assert sk.from_json(document) == tree
    assert sk.from_json(document, world.schema, "contact") == tree


@FORMS
@given(cases())
def test_every_filter_has_a_sentence(case: tuple[World, p.Predicate]) -> None:
    """Plain English is there for every node, on one line."""
    sentence = sk.to_english(case[1], on="contact")
    assert sentence.endswith(".")
    assert "\n" not in sentence


@FORMS
@given(cases_with_facts())
def test_the_normal_form_means_the_same(case: tuple[World, p.Predicate, list[ObjectFacts]]) -> None:
    """A filter and its normal form hold for the same facts, before and after time passes."""
    world, tree, objects = case
    normal = sk.normalize(tree)
    note(f"{dsl.format(tree)}\n{dsl.format(normal)}")
    for known in objects:
        for now in (world.start, world.start + 86_400_000_000):
            zone = world.schema.zone
            assert evaluate(normal, known, now, zone) == evaluate(tree, known, now, zone)


@FORMS
@given(cases())
def test_the_normal_form_is_normal_and_a_filter(case: tuple[World, p.Predicate]) -> None:
    """Normalizing again changes nothing, and the normal form has a spelling that is parsed into it."""
    world, tree = case
    normal = sk.normalize(tree)
    text = dsl.format(normal)
    note(f"{dsl.format(tree)}\n{text}")
    assert sk.normalize(normal) == normal
    assert dsl.parse(text, world.schema, "contact") == normal


@FORMS
@given(cases())
def test_a_filter_negated_twice_has_the_same_normal_form(case: tuple[World, p.Predicate]) -> None:
    """The complement of the complement is the filter."""
    tree = case[1]
    assert sk.normalize(p.Not(p.Not(tree))) == sk.normalize(tree)
    assert sk.normalize(p.Not(sk.normalize(p.Not(tree)))) == sk.normalize(tree)


@FORMS
@given(cases())
def test_the_builder_gives_the_same_trees(case: tuple[World, p.Predicate]) -> None:
    """What is written for a filter in Python is the filter; numbers take the type of what they meet."""
    world, tree = case
    expression = built(tree)
    note(str(expression))
    found = build.resolve(expression, world.schema, "contact")
    assert sk.normalize(found) == sk.normalize(tree)


@FORMS
@given(cases())
def test_what_other_formats_can_say_comes_back(case: tuple[World, p.Predicate]) -> None:
    """A filter that is written as rules of react-querybuilder or as JsonLogic comes back with its normal form."""
    world, tree = case
    for read, write in (
        (querybuilder.from_querybuilder, querybuilder.to_querybuilder),
        (jsonlogic.from_jsonlogic, jsonlogic.to_jsonlogic),
    ):
        try:
            document = write(tree)
        except sk.FormError as error:
            assert error.problems  # noqa: PT017 - a refusal is fine, and lists what cannot be said
            continue
        document = json.loads(json.dumps(document, allow_nan=False))
        note(str(document))
        assert sk.normalize(read(document, world.schema, "contact")) == sk.normalize(tree)

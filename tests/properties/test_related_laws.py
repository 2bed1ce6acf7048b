"""Laws of the language of several objects: what is printed is read back, the horizon never comes late."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import attrs
from hypothesis import given, note, strategies as st

from segmentkit import dsl
from segmentkit.dsl import predicates as p
from segmentkit.dsl.evaluate import evaluate
from segmentkit.values import to_micros
from tests.examples import RELATED
from tests.flips import candidates
from tests.histories import History, histories
from tests.model import Flip, Model, Refused
from tests.related_model import RelatedModel
from tests.related_strategies import populations, related_batches, related_predicates, related_worlds
from tests.strategies import World, moves

_FAR = 40 * 86_400_000_000
"""How far to look when the horizon is farther: a month and some days."""


@attrs.frozen
class Case:
    """A world, its objects, segments of which later ones may refer to earlier ones, and a filter."""

    world: World
    model: RelatedModel = attrs.field(repr=False)
    segments: dict[str, str]
    on: str
    tree: p.Predicate


@st.composite
def cases(draw: st.DrawFn, depth: int = 1) -> Case:
    world = draw(related_worlds())
    model = draw(populations(world))
    segments: dict[str, str] = {}
    types = st.sampled_from(list(world.schema.types))
    for number in range(draw(st.integers(0, 2))):
        on, name = draw(types), f"s{number}"
        model.define(name, on, draw(related_predicates(world, on, segments, depth=1)))
        segments[name] = on
    on = draw(types)
    return Case(world, model, segments, on, draw(related_predicates(world, on, segments, depth=depth)))


@RELATED
@given(cases(depth=2))
def test_reading_what_was_printed_gives_the_same_tree(case: Case) -> None:
    """Parsing the canonical text of a tree gives the tree again, and its text is one line."""
    text = dsl.format(case.tree)
    note(text)
    assert "\n" not in text
    again = dsl.parse(text, case.world.schema, case.on, segments=case.segments)
    assert again == case.tree
    assert dsl.format(again) == text


@RELATED
@given(cases())
def test_not_is_the_complement(case: Case) -> None:
    """`not (F)` holds exactly for the objects of the type for which F does not."""
    negated = dsl.parse(f"not ({dsl.format(case.tree)})", case.world.schema, case.on, segments=case.segments)
    everybody = {object_id for on, object_id in case.model.objects if on == case.on}
    assert case.model.evaluate(negated, case.on) == everybody - case.model.evaluate(case.tree, case.on)


@RELATED
@given(cases(), moves())
def test_nothing_changes_before_the_horizon(case: Case, move: timedelta) -> None:
    """Up to the horizon of everything that a filter reads it keeps its answer for everybody."""
    model, zone = case.model, case.world.schema.zone
    model.advance(to_micros(case.world.base + move))
    now = model.now
    horizon = model.next_change(case.tree, case.on, now)
    assert horizon is None or horizon > now
    until = now + _FAR if horizon is None else min(horizon - 1, now + _FAR)
    trees = [case.tree, *(definition.tree for definition in model.definitions.values())]
    crossings = {at for stays in model.stays.values() for stay in stays for at in stay if at is not None}
    instants: set[int] = set()
    for tree, known in itertools.product(trees, model.objects.values()):
        instants |= candidates(tree, known, now, until, zone, crossings)
    for _, object_id in [key for key in model.objects if key[0] == case.on]:
        facts = model.facts(case.on, object_id)
        holds = evaluate(case.tree, facts, now, zone)
        for instant in sorted(instants)[:400]:
            if now < instant <= until:
                assert evaluate(case.tree, facts, instant, zone) == holds, f"changed at {instant}, before {horizon}"


@RELATED
@given(st.data())
def test_the_model_remembers_what_its_flips_say(data: st.DataObject) -> None:
    """Flips applied one by one to memberships give those that evaluating every definition gives."""
    case = data.draw(cases())
    model, members = case.model, {name: set(case.model.members(name)) for name in case.model.definitions}
    now = case.world.base
    for _ in range(3):
        now += data.draw(moves())
        try:
            flips = model.apply(data.draw(related_batches(case.world)), to_micros(now))
        except Refused:
            continue
        assert [flip.at for flip in flips] == sorted(flip.at for flip in flips)
        for flip in flips:
            _turn(members[flip.segment], flip)
        for name, definition in model.definitions.items():
            assert model.members(name) == members[name] == model.evaluate(definition.tree, definition.on)


def _turn(members: set[str], flip: Flip) -> None:
    assert (flip.object in members) != flip.entered, f"{flip} says nothing new"
    (members.add if flip.entered else members.discard)(flip.object)


@RELATED
@given(histories())
def test_where_nothing_is_related_the_model_is_the_plain_one(history: History) -> None:
    """Both models of one type give the same flips at the same instants, and refuse the same batches."""
    schema, now = history.world.schema, history.world.base
    plain, related = Model(schema, to_micros(now)), RelatedModel(schema, to_micros(now))
    for segment in history.segments:
        plain.define(segment.name, segment.on, segment.tree)
        related.define(segment.name, segment.on, segment.tree)
    for step in history.steps:
        now += step.move
        assert _applied(related, step.changes, to_micros(now)) == _applied(plain, step.changes, to_micros(now))
        assert related.memberships() == plain.memberships()


def _applied(model: Model, changes: list[Any], now: int) -> list[Flip] | type[Exception]:
    try:
        return model.apply(changes, now)
    except Refused as refused:
        return refused.error

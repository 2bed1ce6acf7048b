"""Laws of the other forms over several objects: related ones, segments in filters, ranks."""

from __future__ import annotations

import json

from hypothesis import given, note

import segmentkit as sk
from segmentkit import build, dsl
from segmentkit.dsl import predicates as p
from tests.built import built
from tests.examples import FORMS
from tests.properties.test_related_laws import Case, cases


@FORMS
@given(cases(depth=2))
def test_json_loses_nothing(case: Case) -> None:
    """A tree comes back from JSON text, on its own and through the schema; and it has a sentence."""
    document = json.loads(json.dumps(sk.to_json(case.tree), allow_nan=False))
    assert sk.from_json(document) == case.tree
    assert sk.from_json(document, case.world.schema, case.on, segments=case.segments) == case.tree
    assert sk.to_english(case.tree, on=case.on).endswith(".")


@FORMS
@given(cases(depth=2))
def test_the_normal_form_holds_for_the_same_objects(case: Case) -> None:
    """A filter and its normal form have the same members; the normal form is normal, and a filter."""
    normal = sk.normalize(case.tree)
    note(f"{dsl.format(case.tree)}\n{dsl.format(normal)}")
    assert case.model.evaluate(normal, case.on) == case.model.evaluate(case.tree, case.on)
    assert sk.normalize(normal) == normal
    assert dsl.parse(dsl.format(normal), case.world.schema, case.on, segments=case.segments) == normal
    assert sk.normalize(p.Not(sk.normalize(p.Not(case.tree)))) == normal


@FORMS
@given(cases(depth=2))
def test_the_builder_gives_the_same_trees(case: Case) -> None:
    """What is written for a filter in Python is the filter."""
    expression = built(case.tree)
    note(str(expression))
    found = build.resolve(expression, case.world.schema, case.on, segments=case.segments)
    assert sk.normalize(found) == sk.normalize(case.tree)

"""The language of several objects, row by row: `relations.toml` is read as its specification.

A claim gives `objects` of several types with their `events`, and `segments` that filters may refer
to, with `stays` where history matters. Then either a list of filters that are `true` and `false` for
the object `of`; or `members`, the ids for which each filter holds; or one `filter` with each
instant at which it `flips` for an object between `from` and `to`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import segmentkit as sk
from segmentkit.dsl.predicates import Not, Predicate
from segmentkit.values import to_micros
from tests.model import Definition
from tests.related_model import RelatedModel

SCHEMA = sk.Schema(
    sk.ObjectType(
        "contact",
        attributes={
            "name": sk.text,
            "country": sk.text,
            "orders": sk.integer,
            "ltv": sk.decimal,
            "score": sk.number,
            "seen": sk.instant,
            "consent": sk.boolean,
            "tags": sk.text_set,
        },
        events={"visit": {"pages": sk.integer}, "purchase": {"amount": sk.decimal}},
        relations={"company": sk.one("company"), "deals": sk.many("deal", via="contact")},
    ),
    sk.ObjectType(
        "company",
        attributes={"industry": sk.text, "size": sk.integer, "founded": sk.instant, "labels": sk.text_set},
        events={"login": {"minutes": sk.integer}},
        relations={
            "parent": sk.one("company"),
            "children": sk.many("company", via="parent"),
            "contacts": sk.many("contact", via="company"),
        },
    ),
    sk.ObjectType(
        "deal",
        attributes={"value": sk.decimal, "stage": sk.text, "owner": sk.text, "closed": sk.instant},
        relations={"contact": sk.one("contact")},
    ),
)
DEFAULT_NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def _claims() -> Iterator[Any]:
    with Path(__file__).with_name("relations.toml").open("rb") as file:
        yield from tomllib.load(file)["claim"]


def _rows() -> Iterator[Any]:
    for claim in _claims():
        for truth in (True, False):
            for text in claim.get(str(truth).lower(), ()):
                yield pytest.param(claim, text, truth, id=text)


def _members() -> Iterator[Any]:
    for claim in _claims():
        for text, ids in claim.get("members", {}).items():
            yield pytest.param(claim, text, ids, id=text)


def _timelines() -> Iterator[Any]:
    for claim in _claims():
        if "flips" in claim:
            yield pytest.param(claim, id=claim["says"])


def _parsed(claim: Mapping[str, Any], text: str) -> Predicate:
    segments = {segment["name"]: segment["on"] for segment in claim.get("segments", ())}
    return sk.parse(text, SCHEMA, claim.get("on", "contact"), segments=segments)


def _model(claim: Mapping[str, Any]) -> RelatedModel:
    """Return what the claim says, with the clock where the claim begins."""
    model = RelatedModel(SCHEMA, to_micros(claim.get("from", claim.get("now", DEFAULT_NOW))))
    named = ("type", "id")
    model.apply(
        sk.Put(row["type"], row["id"], {key: value for key, value in row.items() if key not in named})
        for row in claim["objects"]
    )
    outside = ("type", "object", "name", "at")
    model.apply(
        sk.Event(
            row["type"], row["object"], row["name"], {k: v for k, v in row.items() if k not in outside}, at=row["at"]
        )
        for row in claim.get("events", ())
    )
    for segment in claim.get("segments", ()):
        tree = _parsed({**claim, "on": segment["on"]}, segment["where"])
        model.definitions[segment["name"]] = Definition(segment["on"], tree)
        for object_id, stays in segment.get("stays", {}).items():
            known = [(to_micros(stay[0]), to_micros(stay[1]) if len(stay) > 1 else None) for stay in stays]
            model.stays[segment["name"], object_id] = known
    return model


@pytest.mark.parametrize(("claim", "text", "truth"), list(_rows()))
def test_each_row_holds(claim: Mapping[str, Any], text: str, truth: bool) -> None:
    """`text` is `truth` for the object of its claim, and its negation is the opposite."""
    model, on, tree = _model(claim), claim.get("on", "contact"), _parsed(claim, text)
    assert (claim["of"] in model.evaluate(tree, on)) is truth, claim["says"]
    assert (claim["of"] in model.evaluate(Not(tree), on)) is not truth


@pytest.mark.parametrize(("claim", "text", "ids"), list(_members()))
def test_each_filter_has_these_members(claim: Mapping[str, Any], text: str, ids: list[str]) -> None:
    model, on, tree = _model(claim), claim.get("on", "contact"), _parsed(claim, text)
    assert sorted(model.evaluate(tree, on)) == sorted(ids), claim["says"]


@pytest.mark.parametrize(
    ("claim", "text"), [pytest.param(*row.values[:2], id=row.id) for row in (*_rows(), *_members())]
)
def test_the_canonical_text_of_each_row_is_the_same_tree(claim: Mapping[str, Any], text: str) -> None:
    tree = _parsed(claim, text)
    assert _parsed(claim, sk.format(tree)) == tree


@pytest.mark.parametrize("claim", list(_timelines()))
def test_each_filter_flips_exactly_when_it_says(claim: Mapping[str, Any]) -> None:
    model = _model(claim)
    model._settle()
    model.define("it", claim.get("on", "contact"), _parsed(claim, claim["filter"]))
    flips = [
        [flip.at, flip.object, flip.entered] for flip in model.advance(to_micros(claim["to"])) if flip.segment == "it"
    ]
    assert flips == [[to_micros(at), object_id, entered] for at, object_id, entered in claim["flips"]]


def test_the_file_has_rows() -> None:
    assert len(list(_rows())) + len(list(_members())) + len(list(_timelines())) >= 100

"""The language, row by row: each data file beside this one is read as its specification.

A claim gives facts and either filters that are `true` and `false` at `now`, or one `filter`
and every instant at which it `flips` between `from` and `to`. Of each filter it is also
checked that `not` turns it around, and that its canonical text means the same tree.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from segmentkit import values as types
from segmentkit.dsl import format as render, parse
from segmentkit.dsl._horizon import next_change
from segmentkit.dsl.evaluate import DictFacts, EventFact, evaluate
from segmentkit.dsl.predicates import Not, Predicate
from segmentkit.schema import ObjectType, Schema
from segmentkit.values import to_micros

FILES = sorted(path for path in Path(__file__).parent.glob("*.toml") if path.stem != "relations")

SCHEMA = Schema(
    ObjectType(
        "contact",
        attributes={
            "orders": types.integer,
            "visits": types.integer,
            "score": types.number,
            "spend": types.decimal,
            "ltv": types.decimal,
            "country": types.text,
            "Country_Code": types.text,
            "city": types.text,
            "plan": types.choice("free", "pro"),
            "consent": types.boolean,
            "seen": types.instant,
            "signup": types.instant,
            "last order": types.instant,
            "birthday": types.date,
            "renewal": types.date,
            "tags": types.text_set,
            "place": types.point,
            "in": types.integer,
        },
        events={
            "purchase": {"amount": types.decimal, "category": types.choice("shoes", "hats"), "labels": types.text_set},
            "visit": {"url": types.text, "weight": types.number, "due": types.instant},
        },
    )
)
DEFAULT_NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def _claims() -> Iterator[Any]:
    for path in FILES:
        with path.open("rb") as file:
            for claim in tomllib.load(file)["claim"]:
                yield path.stem, claim


def _rows() -> Iterator[Any]:
    for stem, claim in _claims():
        for truth in (True, False):
            for text in claim.get(str(truth).lower(), ()):
                yield pytest.param(claim, text, truth, id=f"{stem}: {text}")


def _timelines() -> Iterator[Any]:
    for stem, claim in _claims():
        if "flips" in claim:
            yield pytest.param(claim, id=f"{stem}: {claim['says']}")


def _facts(claim: Mapping[str, Any]) -> DictFacts:
    declared = SCHEMA.type("contact")
    attributes = {name: declared.attributes[name].convert(value) for name, value in claim["facts"].items()}
    events: dict[str, list[EventFact]] = {}
    for number, row in enumerate(claim.get("events", ())):
        properties = declared.events[row["name"]].properties
        known = {name: properties[name].convert(value) for name, value in row.items() if name in properties}
        event = EventFact(to_micros(row["at"]), row.get("id", str(number)), known)
        events.setdefault(row["name"], []).append(event)
    return DictFacts(attributes, events, object_type="contact", object_id=claim.get("id", ""))


def _parsed(claim: Mapping[str, Any], text: str) -> Predicate:
    return parse(text, SCHEMA, on="contact", params=claim.get("params"))


@pytest.mark.parametrize(("claim", "text", "truth"), list(_rows()))
def test_each_row_holds(claim: Mapping[str, Any], text: str, truth: bool) -> None:
    """`text` is `truth` for the facts of its claim, and its negation is the opposite."""
    tree, zone = _parsed(claim, text), claim.get("zone", "UTC")
    now = to_micros(claim.get("now", DEFAULT_NOW))
    assert evaluate(tree, _facts(claim), now, zone) is truth, claim["says"]
    assert evaluate(Not(tree), _facts(claim), now, zone) is not truth


@pytest.mark.parametrize(("claim", "text", "truth"), list(_rows()))
def test_the_canonical_text_of_each_row_is_the_same_tree(claim: Mapping[str, Any], text: str, truth: bool) -> None:
    tree = _parsed(claim, text)
    assert parse(render(tree), SCHEMA, on="contact") == tree


@pytest.mark.parametrize("claim", list(_timelines()))
def test_each_filter_flips_exactly_when_it_says(claim: Mapping[str, Any]) -> None:
    tree, facts, zone = _parsed(claim, claim["filter"]), _facts(claim), claim.get("zone", "UTC")
    for at, truth in claim["flips"]:
        assert evaluate(tree, facts, to_micros(at), zone) is truth, f"at {at}"
        assert evaluate(tree, facts, to_micros(at) - 1, zone) is not truth, f"before {at}"
    now, end = to_micros(claim["from"]), to_micros(claim["to"])
    assert list(_flips(tree, facts, now, end, zone)) == [(to_micros(at), truth) for at, truth in claim["flips"]]


def _flips(tree: Predicate, facts: DictFacts, now: int, end: int, zone: str) -> Iterator[tuple[int, bool]]:
    """Yield what going from one horizon to the next finds."""
    truth = evaluate(tree, facts, now, zone)
    upcoming = next_change(tree, facts, now, zone)
    while upcoming is not None and upcoming <= end:
        if evaluate(tree, facts, upcoming, zone) != truth:
            truth = not truth
            yield upcoming, truth
        upcoming = next_change(tree, facts, upcoming, zone)


def test_the_files_have_rows() -> None:
    assert {path.stem for path in FILES} == {"anniversaries", "events", "logic", "sequences", "time", "values"}
    assert len(list(_rows())) + len(list(_timelines())) >= 150

"""Filters over several objects: how they are written, and what deep ones cost."""

from __future__ import annotations

import sys
from decimal import Decimal

import pytest

import segmentkit as sk
from segmentkit.dsl import predicates as p
from segmentkit.dsl._horizon import next_change
from segmentkit.dsl._parse import language
from segmentkit.dsl._rank import places
from segmentkit.dsl.evaluate import Alone, DictFacts, evaluate
from segmentkit.errors import SchemaError
from tests.dsl.related import SCHEMA, read
from tests.dsl.test_check_relations import DEEP
from tests.related_model import RelatedModel

CANONICAL = {
    "company . industry='SaaS'": 'company.industry = "SaaS"',
    "company[parent[size>3]]": "company.parent[size > 3]",
    "company[parent[true]]": "company.parent is known",
    "not company[true]": "company is missing",
    "company is not missing": "company is known",
    "not any deals": "no deals",
    "not any deals[not (value>3 or stage='x')]": 'all deals[value > 3 or stage = "x"]',
    "not company[any contacts]": "no company.contacts",
    "company[no contacts]": "company[no contacts]",
    "company[any contacts[any deals]]": "any company.contacts[any deals]",
    "not company[size>3]": "not company[size > 3]",
    "not not any deals": "not no deals",
    "count(company.contacts)>3": "company.count(contacts) > 3",
    "sum(company.login.minutes in the last 3 days)>3": "company.sum(login.minutes in the last 3 days) > 3",
    "sum(company.contacts[orders>1].sum(deals.value))>3": "company.sum(contacts[orders > 1].sum(deals.value)) > 3",
    "IN SEGMENT 'Loyal'": 'in segment "Loyal"',
    "entered segment 'Loyal'": 'was ever in segment "Loyal"',
    "not was ever in segment 'Loyal'": 'not was ever in segment "Loyal"',
    "left segment 'Loyal' less than 3 days ago": 'left segment "Loyal" in the last 3 days',
    "TOP 10 % BY ltv": "top 10% by ltv",
    "top 2.50% of (consent) by ltv*2 per country with ties": "top 2.5% of (consent) by ltv * 2 per country with ties",
    "top 3 by hour(signup) in zone 'Europe/Warsaw'": 'top 3 by hour(signup) in zone "Europe/Warsaw"',
    "did visit[pages > object.company.parent.size]": "did visit[pages > object.company.parent.size]",
}


@pytest.mark.parametrize("text", CANONICAL)
def test_each_spelling_has_one_canonical_text(text: str) -> None:
    assert sk.format(read(text)) == CANONICAL[text]
    assert read(CANONICAL[text]) == read(text)


@pytest.mark.parametrize("word", sorted(word for word in language().terminals if word.isalpha()))
def test_a_relation_may_be_called_like_any_keyword(word: str) -> None:
    """The printer puts its name in backticks where it would be read as a keyword."""
    many, one = sk.many("other", via="back"), sk.one("other")
    schema = sk.Schema(
        sk.ObjectType("this", {"x": sk.integer}, relations={word: many, f"{word} one": one}),
        sk.ObjectType("other", {word: sk.integer}, relations={"back": sk.one("this")}),
    )
    where = p.Compare(">", p.Attribute(word, sk.integer), p.Literal(1, sk.integer))
    trees: list[p.Predicate] = [
        p.AnyRelated(p.Related(word, where)),
        p.Not(p.AnyRelated(p.Related(word))),
        p.OneRelated(f"{word} one", where),
        p.Compare(">", p.RelatedAggregate("count", p.Related(word), None, sk.integer), p.Literal(1, sk.integer)),
        p.Compare(">", p.Path(f"{word} one", p.Attribute(word, sk.integer)), p.Literal(1, sk.integer)),
    ]
    for tree in trees:
        assert sk.parse(sk.format(tree), schema, "this") == tree, sk.format(tree)


@pytest.mark.parametrize("word", ["any", "all", "no", "entered", "left", "was", "top", "bottom"])
def test_words_that_begin_a_condition_are_still_names_of_attributes(word: str) -> None:
    schema = sk.Schema(sk.ObjectType("this", {word: sk.integer}))
    assert sk.parse(f"{word} > 3", schema, "this") == sk.parse(f"`{word}` > 3", schema, "this")
    assert sk.parse(f"{word} in (1, 2)", schema, "this") == sk.parse(f"`{word}` in (1, 2)", schema, "this")


@pytest.mark.parametrize("name", DEEP)
def test_the_deepest_filters_are_evaluated_without_running_out_of_stack(name: str) -> None:
    """Going around in a circle of companies, with room left for a host's own calls."""
    model = RelatedModel(SCHEMA, 0)
    model.apply([sk.Put("contact", "ann", {"company": "a"}), sk.Put("company", "a", {"parent": "a", "size": 2})])
    tree, facts = read(DEEP[name]), model.facts("contact", "ann")
    assert _frames() < 150
    evaluate(tree, facts, 0, "UTC")
    next_change(tree, facts, 0, "UTC")
    assert hash(tree) == hash(read(DEEP[name]))


def _frames() -> int:
    frame, depth = sys._getframe(), 0
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    return depth


def test_an_object_alone_has_no_relations_and_no_segments() -> None:
    facts = DictFacts({"ltv": Decimal(3)})
    assert isinstance(facts, Alone)
    assert not evaluate(read("company is known or any deals or in segment 'Loyal'"), facts, 0, "UTC")
    assert not evaluate(read("was ever in segment 'Loyal'"), facts, 0, "UTC")
    assert evaluate(read("top 1 by ltv and no deals and company.size is missing"), facts, 0, "UTC")


@pytest.mark.parametrize(
    ("count", "n_ranked", "expected"),
    [
        (Decimal(10), 10, 1),
        (Decimal(10), 11, 2),
        (Decimal("0.1"), 1, 1),
        (100, 7, 7),
        (50, 0, 0),
        (Decimal("33.3"), 3, 1),
    ],
)
def test_a_percentage_is_rounded_up(count: Decimal, n_ranked: int, expected: int) -> None:
    rank = p.Rank("top", count, True, p.Attribute("ltv", sk.decimal))
    assert places(rank, n_ranked) == expected


def test_one_name_is_not_an_event_and_a_relation() -> None:
    with pytest.raises(SchemaError, match="declared as an event and as a relation"):
        sk.ObjectType("this", events={"deals": {}}, relations={"deals": sk.one("this")})

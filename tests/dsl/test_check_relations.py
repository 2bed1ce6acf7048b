"""What is wrong with a filter over several objects, in words; the texts are in snapshots/malformed_relations.txt."""

from __future__ import annotations

import pytest

import segmentkit as sk
from segmentkit.errors import DefinitionError, FilterTypeError, LimitError, UnknownNameError
from tests.dsl.related import SCHEMA, read
from tests.snapshots.compare import assert_matches, names

FILE = "malformed_relations.txt"

MALFORMED = {
    # ------------------------------------------------------------------- syntax
    "no relation behind any": "any (deals)",
    "any of a list": "any of (deals)",
    "number behind all": "all 3 deals",
    "bracket left open": "any deals[value > 3",
    "filter in parentheses": "any deals(value > 3)",
    "with instead of brackets": "any deals with value > 3",
    "dot at the end": "company.",
    "segment without quotes": "in segment Loyal",
    "segment without a name": "in segment",
    "segment in a list": "in segment ('Loyal', 'Lapsed')",
    "in the segment": "in the segment 'Loyal'",
    "entered without segment": "entered 'Loyal' in the last 7 days",
    "left without segment": "left 'Loyal'",
    "was without ever": "was in segment 'Loyal'",
    "was never": "was never in segment 'Loyal'",
    "top of nothing": "top by ltv",
    "top of a value": "top ltv",
    "top without by": "top 10 ltv",
    "percent in words": "top 10 percent by ltv",
    "percent without a number": "top % by ltv",
    "of without parentheses": "top 10 of consent by ltv",
    "per before by": "top 10 per country by ltv",
    "with ties first": "top 10 with ties by ltv",
    # -------------------------------------------------------------------- names
    "unknown relation": "compny.size > 3",
    "unknown relation in the middle": "company.parnt.size > 3",
    "unknown relation behind any": "any dels[value > 3]",
    "unknown relation of brackets": "compny[size > 3]",
    "unknown attribute of a related object": "company.industy = 'SaaS'",
    "unknown attribute in brackets": "company[orders > 3] and any deals[vale > 3]",
    "unknown attribute of an aggregate": "sum(deals.vale) > 3",
    "unknown relation of an aggregate": "count(deels) > 3",
    "unknown step of an aggregate": "count(company.contcts) > 3",
    "unknown segment": "in segment 'Loyl'",
    "unknown segments": "in segment 'Gold' and entered segment 'Silver' today",
    "segment of another type": "in segment 'Enterprise'",
    "segment of another type in brackets": "company[in segment 'Loyal']",
    # ------------------------------------------------------------------ related
    "relation as a value": "company = 'acme'",
    "relation as a condition": "company",
    "many as a value": "deals > 3",
    "many as a condition": "deals",
    "path over many": "deals.value > 3",
    "path over an attribute": "country.size > 3",
    "path over an event": "visit.pages.size > 3",
    "any of one": "any company[size > 3]",
    "no one": "no company",
    "any of an event": "any visit[pages > 3]",
    "any of an attribute": "any tags",
    "many in brackets without a word": "deals[value > 3]",
    "all without a filter": "all deals",
    "did of a relation": "did deals",
    "did of a related event": "did company.login",
    "value behind brackets": "company[size > 3].industry = 'SaaS'",
    "condition that is a value": "any deals[value]",
    "many are missing": "deals is missing",
    "sum of one": "sum(company.size) > 3",
    "count of one": "count(company) > 3",
    "sum of objects": "sum(deals) > 3",
    "count of a value": "count(deals.value) > 3",
    "sum of text": "sum(deals.stage) > 3",
    "median of objects": "median(deals.value) > 3",
    "last object": "last(deals.value) > 3",
    "window of objects": "count(deals in the last 30 days) > 3",
    "value over many and many": "sum(company.contacts.deals.value) > 3",
    "brackets in the middle": "sum(company.contacts.deals[value > 3].value) > 3",
    "function of a path": "company.lower(industry) = 'x'",
    "function of each object": "sum(deals.abs(value)) > 3",
    "related inside an event": "did visit[any object.deals]",
    "brackets inside an event": "did visit[company[size > 3]]",
    "path inside an event": "did visit[pages > company.size]",
    "segment inside an event": "did visit[in segment 'Loyal']",
    "rank inside an event": "did visit[top 3 by pages]",
    "object inside brackets": "any deals[value > object.ltv]",
    # -------------------------------------------------------------------- ranks
    "rank by text": "top 10 by country",
    "rank by a condition": "top 10 by consent",
    "rank by a set": "top 10 by tags",
    "rank by now": "top 10 by now - signup",
    "rank by months": "top 10 by 3 months",
    "no places": "top 0 by ltv",
    "part of a place": "top 2.5 by ltv",
    "negative places": "top -3 by ltv",
    "more than everybody": "top 150% by ltv",
    "nobody": "bottom 0% by ltv",
    "groups by a set": "top 3 by ltv per tags",
    "groups by a place": "top 3 by ltv per place",
    "groups by today": "top 3 by ltv per today",
    "ranks in ranks": "top 9 of (top 8 of (top 7 of (top 6 by ltv) by ltv) by ltv) by ltv",
    "rank of a value": "top 3 of (country) by ltv",
    "zone without a window": "entered segment 'Loyal' in zone 'Europe/Warsaw'",
    # --------------------------------------------------------------------- many
    "many problems at once": (
        "company[sise > 4]\n  and any deals[value > 'x']\n  and top 0 by ltv\n  and in segment 'Enterprise'\n"
        "  and company.parent.contacts.orders > 3"
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_wrong_is_said_in_words(name: str) -> None:
    """Each malformed filter gives the message that its snapshot shows."""
    with pytest.raises(DefinitionError) as caught:
        read(MALFORMED[name])
    assert_matches(FILE, name, f"{type(caught.value).__name__}\n{caught.value}")


def test_every_snapshot_has_its_filter() -> None:
    assert names(FILE) == MALFORMED.keys()


@pytest.mark.parametrize("name", MALFORMED)
def test_no_message_shows_how_the_parser_works(name: str) -> None:
    """Neither lark's names of terminals nor those of rules reach a message."""
    with pytest.raises(DefinitionError) as caught:
        read(MALFORMED[name])
    message = str(caught.value).replace(MALFORMED[name], "")
    assert "__ANON" not in message
    assert "_related" not in message


@pytest.mark.parametrize("relations", ["company", "any deals"])
def test_names_in_brackets_are_those_of_the_related_type(relations: str) -> None:
    """An attribute of the object is unknown there, with the related type named."""
    with pytest.raises(UnknownNameError, match=r"unknown attribute 'signup' of '(company|deal)'"):
        read(f"{relations}[signup is known]")


def test_names_of_segments_are_not_checked_where_nobody_knows_them() -> None:
    tree = sk.parse("in segment 'Whatever' and company[was ever in segment 'Else']", SCHEMA, "contact")
    assert sk.format(tree) == 'in segment "Whatever" and company[was ever in segment "Else"]'


HOSTILE = {
    "brackets": "company[" + "parent[" * 100_000 + "true" + "]" * 100_001,
    "brackets that are closed": "company[" + "parent[" * 190 + "size > 1" + "]" * 191,
    "quantifiers": "any company.children[" + "any children[" * 100 + "true" + "]" * 101,
    "all of all": "all company.children[" + "all children[" * 100 + "true" + "]" * 101,
    "aggregates": "company[" + "count(children[" * 80 + "true" + "]) > 1" * 80 + "]",
    "aggregates of aggregates": "company." + "sum(children." * 150 + "count(children)" + ")" * 150 + " > 1",
    "a long path": "company" + ".parent" * 100_000 + ".size > 1",
    "a path of 201 steps": "company" + ".parent" * 200 + ".size > 1",
    "a long path of any": "any company" + ".parent" * 250 + ".children",
    "ranks": "top 1 of (" * 300 + "true" + ") by orders" * 300,
    "negations": "not " * 300 + "any deals",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_nested_too_deep_is_refused(name: str) -> None:
    with pytest.raises(LimitError, match="nested more than 200 deep") as caught:
        read(HOSTILE[name])
    assert caught.value.what == "depth"


DEEP = {
    "brackets": "company[" + "parent[" * 48 + "size > 1" + "]" * 49,
    "quantifiers": "any company.children[" + "any children[" * 48 + "size > 1" + "]" * 49,
    "all of all": "all company.children[" + "all children[" * 48 + "size > 1" + "]" * 49,
    "aggregates": "company[" + "count(children[" * 48 + "size > 1" + "]) > 1" * 48 + "]",
    "aggregates of aggregates": "company." + "sum(children." * 45 + "count(children)" + ")" * 45 + " > 1",
    "a path": "company" + ".parent" * 190 + ".size > 1",
    "ranks": "top 1 of (" * 3 + "not " * 190 + "consent" + ") by orders" * 3,
}


@pytest.mark.parametrize("name", DEEP)
def test_what_is_nested_less_deep_is_read_and_printed(name: str) -> None:
    tree = read(DEEP[name])
    assert read(sk.format(tree)) == tree


@pytest.mark.parametrize("text", ["in segment 'Enterprise'", "company[entered segment 'Loyal' today]"])
def test_a_segment_on_another_type_is_a_type_error(text: str) -> None:
    with pytest.raises(FilterTypeError, match="is on '"):
        read(text)

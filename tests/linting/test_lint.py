"""What the linter says, in the words that people read; the texts are in snapshots/lint.txt."""

from __future__ import annotations

import pytest

import segmentkit as sk
from segmentkit.dsl import parse
from segmentkit.dsl.predicates import (
    AnyRelated,
    Attribute,
    Compare,
    InSegment,
    Literal,
    Not,
    OneRelated,
    Path,
    Predicate,
    Related,
)
from segmentkit.linting import lint
from segmentkit.linting._solve import Solver
from tests.dsl.shop import SCHEMA
from tests.snapshots.compare import assert_matches, names

FOUND = {
    # ---------------------------------------------------------------- never and always
    "bounds the wrong way round": "orders between 5 and 3",
    "window the wrong way round": "did purchase between 60 and 30 days ago",
    "events of the future": "did purchase in the next 3 days",
    "empty brackets": "did purchase[amount > 5 and amount < 3]",
    "month that is none": "month(signup) = 13",
    "negative count": "did not purchase at least 0 times",
    "either or anything": 'country != "PL" or country != "DE"',
    "all choices": 'plan in ("free", "pro", "enterprise") or plan is missing',
    "all plans of those that have one": 'plan is missing or plan = "free" or plan = "pro" or plan = "enterprise"',
    "constants": "orders > 4 and 1 > 2",
    "more than can be": "at least 2 of (orders > 4, orders < 3, orders = 4)",
    "empty pattern": 'email is missing or email contains ""',
    # ------------------------------------------------------------------- contradictions
    "apart": "visits > 1 and orders > 4 and\n  orders < 3",
    "no whole number between": "orders > 4 and orders < 5",
    "two countries": 'country = "PL" and country = "DE"',
    "text that begins otherwise": 'country = "PL" and country starts with "D"',
    "two beginnings": 'email starts with "a" and email starts with "b"',
    "other text, whatever its case": 'country = "pl" and country = "DE" ignoring case',
    "two values": "orders > visits and orders < visits",
    "an alternative that is none": "orders > 4 and (orders < 3 or visits > 2)",
    "this month, long ago": "last_visit in this month and last_visit more than 40 days ago",
    "months apart": "last_visit more than 2 months ago and last_visit less than 1 month ago",
    "dates apart": "signup > 2026-01-01 and signup before 2025-06-01T00:00:00Z",
    "more in less time": "did visit more than 5 times today\n  and did visit at most 3 times in the last 30 days",
    "more of fewer": "did purchase[amount > 5] and did not purchase[amount > 2]",
    "days without events": "did visit on at least 1 day and did not visit",
    "last of nothing": "last(visit) more than 3 days ago and did not visit",
    "members of nothing": 'tags has "vip" and tags is empty',
    "too few members": 'tags has all of ("a", "b") and size(tags) < 2',
    "near and not near": "location within 25 km of (52, 21) and not location within 30 km of (52, 21)",
    "boxes": "location in box (50, 20, 51, 21) and location in box (52, 20, 53, 21)",
    "missing and known": "orders is missing and orders > 1",
    "in brackets of an alternative": "did purchase[amount > 5 and (amount < 2 or gift)]",
    "related object and path": "company[size > 50] and company.size < 20",
    "no such related object": "no deals[value > 5] and any deals[value > 10]",
    "counts of related objects": "count(deals[value > 10]) >= 3 and count(deals) < 2",
    "anniversary of nothing": "birthday anniversary today and birthday is missing",
    "samples apart": "sample('a') < 0.1 and sample('a') > 0.5",
    "brackets of a related object": "company[size > 5 and size < 4] or orders > 4",
    # ------------------------------------------------------------------------ redundant
    "more related objects": "any deals and any deals[value > 10]",
    "weaker bound": "orders > 3 and orders > 5",
    "twice": "email_marketing_consent and orders > 1 and email_marketing_consent",
    "stronger alternative": 'country = "PL" or country in ("PL", "DE")',
    "longer window": "did purchase in the last 7 days and did purchase in the last 1 month",
    "two make a third": "orders >= 4 and orders <= 6 and orders between 3 and 7",
    "calendar within calendar": "last_visit in this week and last_visit in this month and last_visit in this quarter",
    # -------------------------------------------------------------------------- missing
    "not equal over a path": 'company.industry != "SaaS"',
    "not equal": 'orders > 4 and country != "PL"',
    "not in": 'country not in ("PL", "DE")',
    "not a flag": "not email_marketing_consent",
    "longer ago": "orders > 4 and last_visit more than 40 days ago",
    "longer ago than a computed instant": "signup < now - 40 days",
    "last event longer ago": "last(visit) at least 40 days ago",
}

SILENT = (
    "orders > 4",
    "orders > 3 or orders < 2",
    'country != "PL" and country is known',
    'country = "PL" or country is missing',
    'country != "PL" or country is missing',
    "last_visit more than 40 days ago or last_visit is missing",
    "last_visit more than 40 days ago and last_visit is known",
    "last_visit between 30 and 60 days ago",
    "did not visit in the last 40 days",
    "orders = 1 and orders + 1 > 1",
    "ltv > 4 and ltv < 5",
    "last_visit in last month and last_visit in this year",
    "last_visit in the last 31 days and last_visit more than 1 month ago and last_visit is known",
    'tags has none of ("a", "b")',
    "true",
    "false",
    "did purchase at least 3 times and did purchase on at least 2 days",
    "did purchase in the last 1 month and did purchase in the last 30 days",
    "did visit[url contains 'a'] and did visit[url contains 'b']",
    "count(visit) > 4 and last(visit) more than 40 days ago",
)


@pytest.mark.parametrize("name", FOUND)
def test_what_is_probably_not_meant_is_said_with_place_and_reason(name: str) -> None:
    text = FOUND[name]
    found = lint(text, SCHEMA, "contact")
    assert found
    assert_matches("lint.txt", name, "\n".join(finding.render(text) for finding in found))


def test_the_snapshots_are_those_of_the_examples() -> None:
    assert names("lint.txt") == {*FOUND, *SEGMENTS}


@pytest.mark.parametrize("text", SILENT)
def test_nothing_is_said_of_what_may_be_meant(text: str) -> None:
    assert lint(text, SCHEMA, "contact") == []


def test_the_sum_of_what_never_is_may_be_zero() -> None:
    """Once the region up to 0 of a double was taken to end at -1."""
    assert not Solver("UTC").excludes((parse("sum(purchase[1 > 2].weight) > 0", SCHEMA, "contact"), False))
    assert Solver("UTC").excludes((parse("sum(purchase[1 > 2].weight) > 0", SCHEMA, "contact"), True))


SEGMENTS = {
    "same segment": "5 <= orders and visits > 1",
    "segment around": "orders > 4 and visits > 1 and spend > 3",
    "segment inside": "orders > 2",
}


@pytest.mark.parametrize("name", SEGMENTS)
def test_segments_with_the_same_members_or_more_or_fewer_are_named(name: str) -> None:
    text = SEGMENTS[name]
    existing = {
        "Loyal": parse("visits > 1 and orders > 4", SCHEMA, "contact"),
        "Nobody": parse("false", SCHEMA, "contact"),
    }
    found = lint(text, SCHEMA, "contact", segments=existing)
    assert [finding.segment for finding in found] == ["Loyal"]
    assert_matches("lint.txt", name, "\n".join(finding.render(text) for finding in found))


def test_positions_count_in_the_file_of_a_region() -> None:
    text = 'segment "A" on contact\n  where orders > 4\n    and orders < 3\n'
    (finding,) = lint(text, SCHEMA, "contact", region=(text.index("orders"), len(text)))
    assert (finding.line, finding.column) == (3, 9)
    assert text[finding.start : finding.end] == "orders < 3"


def test_a_tree_is_linted_as_its_text() -> None:
    tree = parse("orders > 4 and orders < 3", SCHEMA, "contact")
    assert lint(tree, SCHEMA, "contact") == lint(sk.format(tree), SCHEMA, "contact")


def test_a_filter_that_is_too_much_work_has_no_findings_about_its_truth() -> None:
    """Four alternatives of each of sixty conditions are given up, in bounded time."""
    text = " and ".join(f"(orders = {i} or visits = {i} or spend > {i} or ltv < {i})" for i in range(60))
    assert lint(text, SCHEMA, "contact") == []


# ------------------------------------------------------------------------------ relations

SIZE = Attribute("size", sk.integer)


def more_than(value: Path | Attribute, number: int) -> Compare:
    return Compare(">", value, Literal(number, sk.integer))


@pytest.mark.parametrize(
    ("signed", "excluded"),
    [
        ([(OneRelated("company", more_than(SIZE, 5)), True), (more_than(Path("company", SIZE), 3), False)], True),
        ([(OneRelated("company", more_than(SIZE, 5)), True), (OneRelated("company", more_than(SIZE, 3)), False)], True),
        ([(OneRelated("company", more_than(SIZE, 3)), True), (OneRelated("company", more_than(SIZE, 5)), True)], False),
        ([(OneRelated("company", Not(more_than(SIZE, 3))), True), (more_than(Path("company", SIZE), 3), True)], True),
        ([(more_than(Path("company", SIZE), 3), True), (OneRelated("company", more_than(SIZE, 3)), False)], True),
        ([(AnyRelated(Related("deals", more_than(SIZE, 5))), True), (AnyRelated(Related("deals")), False)], True),
        ([(AnyRelated(Related("deals", more_than(SIZE, 5))), True),
          (AnyRelated(Related("deals", more_than(SIZE, 3))), False)], True),
        ([(AnyRelated(Related("deals", more_than(SIZE, 5))), True),
          (AnyRelated(Related("deals", Not(more_than(SIZE, 5)))), True)], False),
        ([(InSegment("A"), True), (InSegment("A"), False)], True),
        ([(InSegment("A"), True), (InSegment("B"), False)], False),
    ],
)  # fmt: skip
def test_conditions_on_related_objects_are_compared(signed: list[tuple[Predicate, bool]], excluded: bool) -> None:
    assert Solver("UTC").excludes(*signed) is excluded


def test_conditions_on_segments_stand_for_their_filters() -> None:
    solver = Solver("UTC", segments={"Big": more_than(SIZE, 5), "Loop": InSegment("Loop")})
    assert solver.excludes((InSegment("Big"), True), (more_than(SIZE, 3), False))
    assert not solver.excludes((InSegment("Loop"), True))

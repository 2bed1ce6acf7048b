"""What is offered where; the cursor is the bar."""

from __future__ import annotations

import pytest

from segmentkit.editor import Completion, complete
from tests.dsl.shop import SCHEMA

SEGMENTS = {"Loyal": "contact", 'The "best"': "contact", "Big": "company"}

FIRST = {
    # the cursor: what has to be offered, and what must not be
    "|": (("email", "orders", "`last order`", "company", "did", "not", "count("), ("=", "amount", "days")),
    "orders > 4 and |": (("email", "did not"), ("and", "=")),
    "ord|": (("orders",), ("email", "did")),
    "ORD|": (("orders",), ("email",)),
    "`last|": (("`last order`",), ("last(",)),
    "orders |": (("=", "!=", "between", "in (", "is missing"), ("contains", "has", "more than", "and", "within")),
    "country |": (("=", "contains", "starts with", "not in ("), ("has", "more than", "+", "within")),
    "tags |": (("has", "has any of (", "is empty"), ("=", "contains", "is missing")),
    "location |": (("within", "in box (", "in polygon (", "is known"), ("=", "<", "contains")),
    "email_marketing_consent |": (("=", "and", "or", "is known"), ("<", "contains")),
    "last_visit |": (("more than", "in the last", "before", "anniversary", "is missing"), ("contains", "has")),
    "birthday |": (("in this", "on", "anniversary"), ("contains",)),
    "orders + visits |": (("=", ">"), ("contains",)),
    "length(email) |": (("=", ">"), ("contains",)),
    "orders > |": (("visits", "ltv", "count(", "length("), ("email", "plan", "last_visit", "did")),
    "country = |": (("shipping_country", "plan", "lower("), ("orders", "signup")),
    "plan = |": (('"free"', '"pro"', '"enterprise"'), ("orders",)),
    'plan = "p|': (('"pro"',), ('"free"',)),
    'plan in ("free", "|': (('"pro"',), ()),
    "email_marketing_consent = |": (("true", "false"), ("orders", "did")),
    "signup > |": (("now", "today", "last_visit", "birthday", "first("), ("orders",)),
    "orders is |": (("missing", "known"), ("empty",)),
    "tags is |": (("empty",), ("missing", "known")),
    "orders > 4 |": (("and", "or"), ("in zone", "ignoring case", "days")),
    'country = "PL" |': (("and", "or", "ignoring case"), ("in zone",)),
    "last_visit more |": (("than",), ()),
    "last_visit more than 40 |": (("days", "hours", "months"), ("day", "km", "times")),
    "last_visit more than 1 |": (("day", "hour", "month"), ("days",)),
    "last_visit more than 40 days |": (("ago", "from now"), ("and",)),
    "last_visit in |": (("the last", "this"), ("box (",)),
    "location in |": (("box (", "polygon ("), ("the last", "this")),
    "last_visit in this |": (("day", "week", "month", "quarter", "year"), ("days",)),
    "last_visit in the last 3 calendar |": (("weeks", "months"), ("week",)),
    "location within 5 |": (("m", "km", "mi"), ("days",)),
    "did |": (("visit", "purchase", "`sent mail`", "not"), ("orders", "exactly")),
    "did not |": (("visit", "purchase"), ("orders", "not")),
    "did purchase |": (("at least", "in the last", "since", "today", "then", "["), ("=", "contains", "in the next")),
    "did purchase at least 3 |": (("times",), ("km",)),
    "did purchase[|": (("amount", "category", "object"), ("orders", "did", "visit")),
    "did purchase[amount > 5 and |": (("weight", "gift"), ("orders",)),
    "did purchase[amount |": ((">", "="), ("contains", "and")),
    "did purchase[category |": (("contains", "="), ("+",)),
    "did purchase[object.|": (("orders", "plan"), ("amount",)),
    "did purchase[amount > 5] and |": (("orders",), ("amount",)),
    "did visit then |": (("purchase", "not"), ("orders",)),
    "did purchase since |": (("now", "today", "signup"), ("orders",)),
    "count(|": (("visit", "purchase"), ("orders",)),
    "sum(purchase.|": (("amount", "weight"), ("orders",)),
    "sum(purchase[amount > 3].|": (("amount",), ("orders",)),
    "sum(purchase.amount in the last 3 |": (("days",), ("km",)),
    "length(|": (("email", "plan"), ("orders",)),
    "at least 2 of (orders > 4, |": (("visits", "did"), ("and",)),
    "company.|": (("industry", "size"), ("orders",)),
    'signup in this month in zone "Europe/W|': (('"Europe/Warsaw"',), ()),
    # related objects, segments, ranks
    "company |": (("is known", "[", "."), ("=", "contains")),
    "company[|": (("industry", "size", "did not"), ("orders", "amount")),
    "company[size > 3 and |": (("industry",), ("orders",)),
    "company[size > 3] and |": (("orders",), ("industry",)),
    "any |": (("deals",), ("company", "orders", "not")),
    "any deals[|": (("value", "contact"), ("orders",)),
    "any deals[contact.|": (("orders", "company", "count("), ("value",)),
    "any deals[contact.company.|": (("size",), ("orders",)),
    "any deals[contact.count(|": (("purchase",), ("orders",)),
    "sum(deals.|": (("value",), ("orders",)),
    "sum(deals[value > 3].|": (("value",), ("orders",)),
    "in |": (("segment",), ("the last",)),
    "in segment |": (('"Loyal"', '"The \\"best\\""'), ('"Big"',)),
    'in segment "L|': (('"Loyal"',), ('"Big"',)),
    'company[in segment "|': (('"Big"',), ('"Loyal"',)),
    "entered segment |": (('"Loyal"',), ()),
    'entered segment "Loyal" |': (("in the last", "since"), ("=",)),
    "top 10 |": (("by", "of"), ("days", "=")),
    "top 10 of (orders > 4 and |": (("visits",), ("by",)),
    "top 10 by |": (("orders", "count("), ()),
    # broken text before the cursor
    "orders >> 4 and |": (("orders", "did"), ("and",)),
    "foo ( bar [ or ) ] and vis|": (("visits",), ()),
    "did purchase[amount == 3] and |": (("orders",), ("amount",)),
    "unknown |": (("=", "is missing"), ()),
    "orders > 4 and (visits ! 3 or |": (("orders",), ()),
}  # fmt: skip

NOTHING = (
    "# com|",
    "orders > 4|",
    "orders >> |",
    "signup > 2026-01-01|",
    "orders in the last |",
    '"a" "|',
    "]|",
    "$x|",
)


def offered(marked: str) -> list[Completion]:
    """Return what is offered at the bar."""
    position = marked.index("|")
    return complete(marked[:position] + marked[position + 1 :], position, SCHEMA, "contact", segments=SEGMENTS)


@pytest.mark.parametrize("marked", FIRST)
def test_what_fits_is_offered_and_what_does_not_is_not(marked: str) -> None:
    wanted, unwanted = FIRST[marked]
    found = {completion.text for completion in offered(marked)}
    assert set(wanted) <= found
    assert not set(unwanted) & found


@pytest.mark.parametrize("marked", NOTHING)
def test_where_nothing_is_known_nothing_is_offered(marked: str) -> None:
    assert offered(marked) == []


def test_names_come_with_type_and_detail() -> None:
    (plan,) = offered("pla|")
    assert plan == Completion("plan", "attribute", "choice", "choice of contact: free, pro, enterprise", (0, 3))
    (amount,) = offered("did purchase[am|")
    assert (amount.kind, amount.type, amount.detail) == ("property", "decimal", "decimal of purchase")
    (purchase,) = offered("did pur|")
    assert (purchase.kind, purchase.replaces) == ("event", (4, 7))


def test_a_completion_takes_the_place_of_the_word_around_the_cursor() -> None:
    text = "orders > 4 and visits = 1"
    (orders,) = complete(text, 2, SCHEMA, "contact")
    assert text[slice(*orders.replaces)] == "orders"
    free = complete('plan = "fr"', 10, SCHEMA, "contact")[0]
    assert (free.text, free.replaces) == ('"free"', (7, 11))


def test_a_position_outside_of_the_text_is_its_end() -> None:
    assert complete("orders ", 99, SCHEMA, "contact") == complete("orders ", 7, SCHEMA, "contact")
    assert complete("ord", -5, SCHEMA, "contact") == complete("ord", 0, SCHEMA, "contact")


def test_an_unknown_object_type_has_no_names_but_keywords() -> None:
    assert [c.text for c in complete("d", 1, SCHEMA, "nobody")] == ["day(", "did", "did not"]


def test_deeper_than_filters_may_be_nothing_is_offered() -> None:
    text = "(" * 100_000
    assert complete(text, len(text), SCHEMA, "contact") == []

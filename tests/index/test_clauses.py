"""From a filter to clauses: which feature each literal reads, and that an OR of ANDs says the same."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, strategies as st

from segmentkit import values as types
from segmentkit.dsl import format as text_of, parse
from segmentkit.dsl.evaluate import DictFacts, EventFact, evaluate
from segmentkit.dsl.predicates import And, AtLeast, In, Not, Or, Predicate, SetTest
from segmentkit.index._clauses import (
    MAX_CLAUSES,
    AgeKey,
    BooleanKey,
    NthKey,
    OrderedKey,
    SetKey,
    SumKey,
    TextKey,
    clauses_of,
    equal_property,
    key_of,
)
from segmentkit.index._readings import readings_of
from segmentkit.schema import ObjectType, Schema
from tests.examples import PARTS

LETTERS = [f"n{i}" for i in range(20)]
SCHEMA = Schema(
    ObjectType(
        "contact",
        {
            "orders": types.integer,
            "country": types.text,
            "vip": types.boolean,
            "seen": types.instant,
            "birthday": types.date,
            "tags": types.text_set,
            **dict.fromkeys(LETTERS, types.integer),
        },
        {"visit": {"pages": types.integer, "url": types.text}},
    )
)
ORDERS, COUNTRY, VIP = OrderedKey("orders"), TextKey("country", closed=True), TextKey("vip", closed=True)


def tree(text: str) -> Predicate:
    """Return the tree of a filter over contacts."""
    return parse(text, SCHEMA, "contact")


def clauses(text: str) -> list[dict[Any, str]]:
    """Return the clauses of a filter with their literals as text."""
    return [{key: text_of(literal) for key, literal in clause.items()} for clause in clauses_of(tree(text))]


def nth(n: int) -> NthKey:
    """Return the key of the nth newest visit."""
    return NthKey("visit", None, n)


# ------------------------------------------------------------------------------ features


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("orders > 4", ORDERS),
        ("orders between 2 and 4", ORDERS),
        ("orders is missing", ORDERS),
        ("orders in (1, 2)", ORDERS),
        ("orders > 4 or not orders > 2", ORDERS),
        ("at least 1 of (orders > 4, orders = 2)", ORDERS),
        ('country = "PL"', COUNTRY),
        ('country in ("PL", "DE")', COUNTRY),
        ('not country = "PL"', COUNTRY),
        ('country = "pl" ignoring case', TextKey("country", closed=False)),
        ('country > "PL"', TextKey("country", closed=False)),
        ('country starts with "P"', TextKey("country", closed=False)),
        ("vip", VIP),
        ("seen in the last 40 days", AgeKey("seen")),
        ("seen < now", AgeKey("seen")),
        ("seen before 2026-01-01", OrderedKey("seen")),
        ("birthday < today", AgeKey("birthday", "")),
        ('birthday < today in zone "Europe/Warsaw"', AgeKey("birthday", "Europe/Warsaw")),
        ("birthday in the last 3 days", AgeKey("birthday", "")),
        ("did visit", nth(1)),
        ("did visit at least 3 times in the last 30 days", nth(3)),
        ("last(visit) in the last 3 days", nth(1)),
        ("first(visit) in the last 3 days", nth(-1)),
    ],
)
def test_a_condition_reads_one_feature(text: str, key: object) -> None:
    """Equal keys are one feature of all segments."""
    assert key_of(tree(text)) == key


@pytest.mark.parametrize(
    "text",
    [
        "seen in the last 1 month",
        "did visit in the last 1 month",
        "did visit today",
        "did visit more than 3 days ago",
        "orders > n1",
        "orders + n1 > 3",
        'tags has "vip" ignoring case',
        "tags is empty",
        "did visit[pages > object.orders]",
        "max(visit.pages) > 3",
        'at least 2 of (orders > 4, vip, country = "PL")',
    ],
)
def test_a_condition_that_needs_more_is_a_feature_of_its_own(text: str) -> None:
    """Calendar lengths, several values, sets and formulas over several features are evaluated as a whole."""
    key = key_of(tree(text))
    assert isinstance(key, BooleanKey)
    assert clauses_of(tree(text)) == [{key: tree(text)}]


def test_sums_over_one_window_are_one_feature() -> None:
    """Whatever they are compared with; another window is another feature."""
    keys = [key_of(tree(f"sum(visit.pages in the last 30 days) {rest}")) for rest in ("> 3", "between 1 and 9", "= 0")]
    assert isinstance(keys[0], SumKey)
    assert len(set(keys)) == 1
    assert key_of(tree("sum(visit.pages in the last 31 days) > 3")) != keys[0]


# ------------------------------------------------------------------------------- clauses


def test_a_conjunction_is_one_clause() -> None:
    """With one literal for each feature: conditions on the same one stand together."""
    assert clauses('orders > 4 and vip and country = "PL" and orders < 9') == [
        {ORDERS: "orders > 4 and orders < 9", VIP: "vip", COUNTRY: 'country = "PL"'}
    ]


def test_a_disjunction_is_one_clause_for_each_feature() -> None:
    """Conditions on one feature share its clause."""
    assert clauses("orders > 4 or vip or orders < 2") == [{ORDERS: "orders > 4 or orders < 2"}, {VIP: "vip"}]


def test_a_conjunction_of_disjunctions_is_multiplied_out() -> None:
    """As in the example of the module."""
    assert clauses('country = "PL" and (orders > 4 or vip)') == [
        {COUNTRY: 'country = "PL"', ORDERS: "orders > 4"},
        {COUNTRY: 'country = "PL"', VIP: "vip"},
    ]


def test_a_negation_goes_down_to_the_conditions() -> None:
    """Not (A and B) is not A or not B, not (A or B) is not A and not B."""
    assert clauses("not (orders > 4 and vip)") == [{ORDERS: "not orders > 4"}, {VIP: "not vip"}]
    assert clauses("not (orders > 4 or vip)") == [{ORDERS: "not orders > 4", VIP: "not vip"}]
    assert clauses("not (orders > 4 and not (vip or orders = 2))") == [
        {ORDERS: "not orders > 4"},
        {VIP: "vip"},
        {ORDERS: "orders = 2"},
    ]


def test_equalities_over_one_feature_become_one_list() -> None:
    """Where they stand among conditions on other features, each option once."""
    same = 'country = "PL" or country in ("DE", "FR") or country = "PL" or country is missing'
    clause, other = clauses_of(tree(f"{same} or vip"))
    assert other == {VIP: tree("vip")}
    literal = clause[COUNTRY]
    assert isinstance(literal, Or)
    listed, missing = literal.items
    assert isinstance(listed, In)
    assert ([option.value for option in listed.options], text_of(missing)) == (["PL", "DE", "FR"], "country is missing")


def test_constants_leave_no_literal() -> None:
    """`true` is an empty clause, `false` none; an empty clause takes the others with it."""
    assert clauses("true") == clauses("not false") == clauses("orders > 4 or true") == [{}]
    assert clauses("false") == clauses("not true") == clauses("orders > 4 and false") == []
    assert clauses("orders > 4 and true") == clauses("orders > 4 or false") == [{ORDERS: "orders > 4"}]


def product(n: int) -> str:
    """Return a conjunction of n disjunctions of two features each, 2**n clauses when multiplied out."""
    pairs = list(pairwise(LETTERS))[: 2 * n : 2]
    return " and ".join(f"({a} > 1 or {b} > 1)" for a, b in pairs)


def test_a_product_within_the_limit_is_multiplied_out() -> None:
    """Sixteen clauses of four literals."""
    found = clauses_of(tree(product(4)))
    assert len(found) == MAX_CLAUSES == 16
    assert {len(clause) for clause in found} == {4}


def test_a_product_beyond_the_limit_is_one_feature() -> None:
    """Or its negation, or a part of another filter: the rest is still multiplied out."""
    whole = tree(product(5))
    assert clauses_of(whole) == [{BooleanKey(whole): whole}]
    assert clauses_of(Not(whole)) != [{BooleanKey(whole): Not(whole)}], "a union of five products is small"
    assert clauses_of(tree(f"vip or ({product(5)})")) == [{VIP: tree("vip")}, {BooleanKey(whole): whole}]


def test_a_union_beyond_the_limit_is_one_feature() -> None:
    """Sixteen alternatives are clauses, seventeen are one condition."""
    sixteen, seventeen = (tree(" or ".join(f"{name} > 1" for name in LETTERS[:n])) for n in (16, 17))
    assert len(clauses_of(sixteen)) == 16
    assert clauses_of(seventeen) == [{BooleanKey(seventeen): seventeen}]
    assert len(clauses_of(Not(seventeen))) == 1


# -------------------------------------------------------------------------------- counts


def test_a_count_is_said_by_the_nth_newest_event() -> None:
    """`exactly` is at least n and not n + 1; an upper bound is not one more."""
    three, four = "count(visit) >= 3", "count(visit) >= 4"
    spread = {
        "did visit exactly 3 times": {nth(3): three, nth(4): f"not {four}"},
        "did visit at most 3 times": {nth(4): f"not {four}"},
        "did visit fewer than 3 times": {nth(3): f"not {three}"},
        "did visit more than 3 times": {nth(4): four},
        "did visit between 3 and 3 times": {nth(3): three, nth(4): f"not {four}"},
        "did visit exactly 0 times": {nth(1): "not count(visit) >= 1"},
    }
    for text, clause in spread.items():
        (found,) = clauses_of(tree(text))
        said = {tree(literal): key for key, literal in clause.items()}
        assert {literal: key for key, literal in found.items()} == said, text


def test_counts_that_always_or_never_hold_read_nothing() -> None:
    """Nobody has fewer than no visits."""
    assert clauses("did visit at least 0 times") == [{}]
    assert clauses("count(visit) > -2") == [{}]
    assert clauses("did visit fewer than 0 times") == []
    assert clauses("count(visit) = -1") == []
    assert clauses("not did visit at least 0 times") == []


def test_a_negated_exact_count_is_two_clauses() -> None:
    """Fewer, or more."""
    assert [set(clause) for clause in clauses_of(tree("not did visit exactly 3 times"))] == [{nth(3)}, {nth(4)}]


def test_a_count_against_a_fraction_is_no_nth_event() -> None:
    """It stays a condition that holds where the count does."""
    (clause,) = clauses_of(tree("count(visit) > 2.5"))
    assert [type(key) for key in clause] == [BooleanKey]


# ------------------------------------------------------------------------------- meaning

LEAVES = [
    tree(text)
    for text in (
        "orders > 4",
        "orders = 2",
        'country = "PL"',
        'country = "DE"',
        'country starts with "P"',
        "vip",
        "seen in the last 40 days",
        "did visit exactly 1 times",
        "did visit at least 2 times in the last 5 days",
        "count(visit) between 0 and 1",
        "orders < n1",
        "true",
        "false",
    )
]

formulas = st.recursive(
    st.sampled_from(LEAVES),
    lambda below: st.one_of(
        below.map(Not),
        st.lists(below, min_size=2, max_size=4).map(lambda items: And(tuple(items))),
        st.lists(below, min_size=2, max_size=4).map(lambda items: Or(tuple(items))),
        st.builds(
            lambda count, items: AtLeast(count, tuple(items)),
            st.integers(0, 4),
            st.lists(below, min_size=2, max_size=4),
        ),
    ),
    max_leaves=12,
)
DAY, NOW = 86_400_000_000, 10**15
facts = st.builds(
    lambda attributes, ats: DictFacts(
        attributes, {"visit": [EventFact(at, f"e{i}", {}) for i, at in enumerate(sorted(ats))]}
    ),
    st.fixed_dictionaries(
        {
            "orders": st.none() | st.integers(0, 6),
            "country": st.none() | st.sampled_from(["PL", "DE", "PT", ""]),
            "vip": st.none() | st.booleans(),
            "seen": st.none() | st.sampled_from([NOW + 1, NOW, NOW - 40 * DAY, NOW - 40 * DAY + 1]),
            "n1": st.none() | st.integers(0, 6),
        }
    ),
    st.lists(st.sampled_from([NOW + 1, NOW, NOW - 5 * DAY, NOW - 5 * DAY + 1]), max_size=3),
)


def holds(predicate: Predicate, of: DictFacts) -> bool:
    """Return what the plain evaluator says."""
    return evaluate(predicate, of, NOW, "UTC")


@PARTS
@given(formulas, facts)
def test_clauses_say_what_the_filter_says(predicate: Predicate, of: DictFacts) -> None:
    """Some clause holds, with all its literals, exactly where the filter does; so for its complement."""
    for formula, expected in ((predicate, holds(predicate, of)), (Not(predicate), not holds(predicate, of))):
        found = clauses_of(formula)
        assert any(all(holds(literal, of) for literal in clause.values()) for clause in found) == expected
        assert len(found) <= MAX_CLAUSES


def reads_of(predicate: Predicate) -> tuple[set[str], set[str]]:
    """Return the names of the attributes and of the events that a filter reads."""
    readings = readings_of(predicate, "contact", SCHEMA)
    attributes, events = ({r.name for r in readings if r.kind == kind} for kind in ("attribute", "event"))
    return attributes, events


@PARTS
@given(formulas)
def test_a_literal_reads_the_feature_it_stands_under(predicate: Predicate) -> None:
    """And no other, so that the value of the feature decides it."""
    for clause in clauses_of(predicate):
        for key, literal in clause.items():
            if isinstance(key, BooleanKey):
                assert literal in (key.predicate, Not(key.predicate)) or reads_of(literal) == reads_of(key.predicate)
            else:
                assert key_of(literal) == key


# -------------------------------------------------------------------------------- readers


def test_reads_are_the_names_anywhere_in_a_filter() -> None:
    """Also those of the object inside the brackets of an event, but not its properties."""
    text = 'orders > 4 and not (did visit[pages > object.n1] or seen < now) and country = "PL"'
    assert reads_of(tree(text)) == ({"orders", "n1", "seen", "country"}, {"visit"})
    assert reads_of(tree("true")) == (set(), set())


def test_events_are_dispatched_by_one_equal_text_only() -> None:
    """One comparison with text, as it is written."""

    def inside(text: str) -> Predicate | None:
        key = key_of(tree(f"did visit[{text}]"))
        assert isinstance(key, NthKey)
        return key.where

    assert equal_property(inside('url = "/"')) == ("url", "/")
    for text in ('url = "/" ignoring case', 'url != "/"', "pages = 3", 'url = "/" and pages = 3'):
        assert equal_property(inside(text)) is None
    assert equal_property(None) is None


@pytest.mark.parametrize(
    "text",
    [
        'not tags has all of ("a", "b")',
        'not (tags has "a" or tags has "b")',
        'not (not tags has "a" and not tags has "b")',
        'tags has "a" and tags has "b" and not tags has "c" and tags has none of ("d", "e")',
    ],
)
def test_every_test_of_a_set_asks_for_any_or_for_none(text: str) -> None:
    """Whatever is around it: the feature over a set knows nothing else."""
    for clause in clauses_of(tree(text)):
        for key, literal in clause.items():
            assert isinstance(key, SetKey)
            assert isinstance(literal.item if isinstance(literal, Not) else literal, SetTest)

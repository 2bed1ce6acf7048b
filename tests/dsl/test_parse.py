"""From text to tree: logic, values, time and events, each form with the tree it means."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from segmentkit import schema as s, values as v
from segmentkit.dsl import _parse, format, parse
from segmentkit.dsl._scan import scan
from segmentkit.dsl._shift_reduce import Refused
from segmentkit.dsl.predicates import (
    Absolute,
    Aggregate,
    And,
    Arithmetic,
    AtLeast,
    Attribute,
    Between,
    Calendar,
    Call,
    Compare,
    Constant,
    Duration,
    Events,
    In,
    InBox,
    InWindow,
    IsEmpty,
    IsMissing,
    IsTrue,
    Literal,
    Negate,
    Not,
    Now,
    Or,
    Predicate,
    Property,
    Relative,
    SetTest,
    TextTest,
    Today,
    Within,
)
from segmentkit.errors import FilterTypeError, LimitError
from tests.dsl.shop import SCHEMA, read

LANGUAGE = Path(__file__).parents[1] / "language"
ORDERS = Attribute("orders", v.integer)
SPEND = Attribute("spend", v.number)
LTV = Attribute("ltv", v.decimal)
COUNTRY = Attribute("country", v.text)
TAGS = Attribute("tags", v.text_set)
PLAN = Attribute("plan", SCHEMA.type("contact").attributes["plan"])
CONSENT = Attribute("email_marketing_consent", v.boolean)
VISIT = Attribute("last_visit", v.instant)
SIGNUP = Attribute("signup", v.instant)
BIRTHDAY = Attribute("birthday", v.date)
PLACE = Attribute("location", v.point)
A, B, C = (Compare("=", ORDERS, Literal(n, v.integer)) for n in (1, 2, 3))


def whole(number: int) -> Literal:
    return Literal(number, v.integer)


def text(value: str) -> Literal:
    return Literal(value, v.text)


def day(written: str) -> Literal:
    return Literal(date.fromisoformat(written).toordinal(), v.date)


def length(count: int, unit: Any) -> Literal:
    return Literal(Duration(count, unit), v.duration)


def count(events: Events, function: Any = "count") -> Aggregate:
    return Aggregate(function, events, None, v.integer)


LOGIC = [
    ("true", Constant(True)),
    ("FALSE", Constant(False)),
    ("email_marketing_consent", IsTrue(CONSENT)),
    ("orders = 1 and orders = 2 or orders = 3", Or((And((A, B)), C))),
    ("orders = 1 and (orders = 2 or orders = 3)", And((A, Or((B, C))))),
    ("not orders = 1 and orders = 2", And((Not(A), B))),
    ("not (orders = 1 and orders = 2)", Not(And((A, B)))),
    ("not not orders = 1", Not(Not(A))),
    ("(orders = 1 and orders = 2) and orders = 3", And((A, B, C))),
    ("orders = 1 or (orders = 2 or orders = 3)", Or((A, B, C))),
    ("at least 2 of (orders = 1, orders = 2, orders = 3)", AtLeast(2, (A, B, C))),
    ("at most 1 of (orders = 1, orders = 2)", Not(AtLeast(2, (A, B)))),
    ("exactly 1 of (orders = 1, orders = 2)", And((AtLeast(1, (A, B)), Not(AtLeast(2, (A, B)))))),
    ("exactly 0 of (orders = 1, orders = 2)", Not(AtLeast(1, (A, B)))),
    ("exactly 2 of (orders = 1, orders = 2)", AtLeast(2, (A, B))),
    ("exactly 1 of (orders = 1, orders = 2) and orders = 3", And((AtLeast(1, (A, B)), Not(AtLeast(2, (A, B))), C))),
    ("orders = 1 # and orders = 2\n  AND orders = 2", And((A, B))),
]

VALUES = [
    ("orders != 1", Not(A)),
    ("orders >= -3", Compare(">=", ORDERS, whole(-3))),
    ("orders > 1_000", Compare(">", ORDERS, whole(1_000))),
    ("spend > 100", Compare(">", SPEND, Literal(100.0, v.number))),
    ("0.1 < spend", Compare("<", Literal(0.1, v.number), SPEND)),
    ("ltv > 8.50", Compare(">", LTV, Literal(Decimal("8.5"), v.decimal))),
    ("ltv > 8.00", Compare(">", LTV, Literal(Decimal(8), v.decimal))),
    ("orders > 8.5", Compare(">", ORDERS, Literal(Decimal("8.5"), v.decimal))),
    ("orders > -(3)", Compare(">", ORDERS, Negate(whole(3)))),
    ("country = 'it\\'s'", Compare("=", COUNTRY, text("it's"))),
    ('country = "\\ud83d\\ude00\\n"', Compare("=", COUNTRY, text("😀\n"))),
    ('country = "PL" ignoring case', Compare("=", COUNTRY, text("PL"), ignoring_case=True)),
    ('country != "PL" ignoring case', Not(Compare("=", COUNTRY, text("PL"), ignoring_case=True))),
    ('plan = "pro"', Compare("=", PLAN, Literal("pro", PLAN.type))),
    ("shipping_country != country", Not(Compare("=", Attribute("shipping_country", v.text), COUNTRY))),
    ("email_marketing_consent = true", IsTrue(CONSENT)),
    ("true != email_marketing_consent", Not(IsTrue(CONSENT))),
    ("email_marketing_consent = false", Compare("=", CONSENT, Literal(False, v.boolean))),
    ("`last order` is known", Not(IsMissing(Attribute("last order", v.instant)))),
    ("orders is missing", IsMissing(ORDERS)),
    ("orders is not missing", Not(IsMissing(ORDERS))),
    ("tags is empty", IsEmpty(TAGS)),
    ("tags is not empty", Not(IsEmpty(TAGS))),
    ("orders between 1 and 3", Between(ORDERS, whole(1), whole(3))),
    ("spend between 1 and 3", Between(SPEND, Literal(1.0, v.number), Literal(3.0, v.number))),
    ("3 between orders and spend", Between(whole(3), ORDERS, SPEND)),
    ("orders in (3, -1, 3)", In(ORDERS, (whole(3), whole(-1)))),
    ('country not in ("a") ignoring case', Not(In(COUNTRY, (text("a"),), ignoring_case=True))),
    ('country contains "x"', TextTest("contains", COUNTRY, ("x",))),
    ('country starts with any of ("y", "x", "y")', TextTest("starts with", COUNTRY, ("y", "x"))),
    ('country ends with "x" ignoring case', TextTest("ends with", COUNTRY, ("x",), ignoring_case=True)),
    ('tags has "vip"', SetTest("any", TAGS, ("vip",))),
    ('tags has any of ("b", "a", "b")', SetTest("any", TAGS, ("b", "a"))),
    ('tags has all of ("a", "b") ignoring case', SetTest("all", TAGS, ("a", "b"), ignoring_case=True)),
    ('tags has none of ("a")', Not(SetTest("any", TAGS, ("a",)))),
    ("size(tags) >= 3", Compare(">=", Call("size", (TAGS,), v.integer), whole(3))),
    ("LENGTH(country) = 2", Compare("=", Call("length", (COUNTRY,), v.integer), whole(2))),
    (
        "coalesce(spend, 0) > 1",
        Compare(
            ">",
            Call("coalesce", (SPEND, Literal(0.0, v.number)), v.number),
            Literal(1.0, v.number),
        ),
    ),
    (
        "ltv / orders > 50",
        Compare(">", Arithmetic("/", LTV, ORDERS, v.decimal), whole(50)),
    ),
    (
        "orders - 1 - 2 * 3 = 0",
        Compare(
            "=",
            Arithmetic(
                "-",
                Arithmetic("-", ORDERS, whole(1), v.decimal),
                Arithmetic("*", whole(2), whole(3), v.decimal),
                v.decimal,
            ),
            whole(0),
        ),
    ),
    ("location within 2.5 mi of (52.25, -21)", Within(PLACE, Decimal("2.5"), "mi", (52.25, -21.0))),
    ("location in box (-10, 170, 10, -170)", InBox(PLACE, -10.0, 170.0, 10.0, -170.0)),
]

TIME = [
    ("last_visit more than 40 days ago", InWindow(VISIT, Relative("more than ago", Duration(40, "day")))),
    ("last_visit at least 1 hour ago", InWindow(VISIT, Relative("at least ago", Duration(1, "hour")))),
    ("last_visit less than 2 weeks ago", InWindow(VISIT, Relative("last", Duration(2, "week")))),
    ("last_visit in the last 40 days", InWindow(VISIT, Relative("last", Duration(40, "day")))),
    (
        "last_visit between 30 and 60 days ago",
        InWindow(VISIT, Relative("between ago", Duration(30, "day"), Duration(60, "day"))),
    ),
    (
        "last_visit between 2 hours and 3 days ago",
        InWindow(VISIT, Relative("between ago", Duration(2, "hour"), Duration(3, "day"))),
    ),
    ("last_visit in the next 1 month", InWindow(VISIT, Relative("next", Duration(1, "month")))),
    ("last_visit less than 14 days from now", InWindow(VISIT, Relative("next", Duration(14, "day")))),
    ("last_visit more than 1 year from now", InWindow(VISIT, Relative("more than from now", Duration(1, "year")))),
    ("last_visit at least 90 minutes from now", InWindow(VISIT, Relative("at least from now", Duration(90, "minute")))),
    ("birthday in this month", InWindow(BIRTHDAY, Calendar("month", 0, 0))),
    ("signup in last week", InWindow(SIGNUP, Calendar("week", -1, -1))),
    ("signup in next quarter", InWindow(SIGNUP, Calendar("quarter", 1, 1))),
    ("signup in the last 3 calendar months", InWindow(SIGNUP, Calendar("month", -3, -1))),
    ("signup in the last 1 calendar year", InWindow(SIGNUP, Calendar("year", -1, -1))),
    (
        'signup in this year in zone "Asia/Kathmandu"',
        InWindow(SIGNUP, Calendar("year", 0, 0, "Asia/Kathmandu")),
    ),
    ("signup before 2026-11-22", Compare("<", SIGNUP, day("2026-11-22"))),
    ("signup after birthday", Compare(">", SIGNUP, BIRTHDAY)),
    ("signup since 1970-01-01T00:00:01.5Z", Compare(">=", SIGNUP, Literal(1_500_000, v.instant))),
    ("signup until 1970-01-01T01:00+01:00", Compare("<=", SIGNUP, Literal(0, v.instant))),
    ("signup on yesterday", Compare("=", SIGNUP, Today(-1))),
    ('signup on today in zone "UTC"', Compare("=", SIGNUP, Today(), zone="UTC")),
    (
        "now - signup > 40 days",
        Compare(">", Arithmetic("-", Now(), SIGNUP, v.duration), length(40, "day")),
    ),
    (
        "signup + 1 month < now",
        Compare("<", Arithmetic("+", SIGNUP, length(1, "month"), v.instant), Now()),
    ),
    (
        "birthday = tomorrow - 2 weeks",
        Compare("=", BIRTHDAY, Arithmetic("-", Today(1), length(2, "week"), v.date)),
    ),
    (
        "signup between 2026-01-01 and now",
        Between(SIGNUP, day("2026-01-01"), Now()),
    ),
]

BOUGHT = Events("purchase")
AMOUNT = Property("amount", v.decimal)
LAST_30 = Relative("last", Duration(30, "day"))

EVENTS = [
    ("did purchase", Compare(">=", count(BOUGHT), whole(1))),
    ("did not purchase", Not(Compare(">=", count(BOUGHT), whole(1)))),
    ("did `sent mail`", Compare(">=", count(Events("sent mail")), whole(1))),
    ("did purchase at least 3 times", Compare(">=", count(BOUGHT), whole(3))),
    ("did purchase at most 2 times", Compare("<=", count(BOUGHT), whole(2))),
    ("did purchase exactly 1 time", Compare("=", count(BOUGHT), whole(1))),
    ("did purchase more than 2 times", Compare(">", count(BOUGHT), whole(2))),
    ("did purchase fewer than 2 times", Compare("<", count(BOUGHT), whole(2))),
    ("did purchase between 2 and 5 times", Between(count(BOUGHT), whole(2), whole(5))),
    ("did not purchase at least 3 times", Not(Compare(">=", count(BOUGHT), whole(3)))),
    ("did purchase on at least 3 days", Compare(">=", count(BOUGHT, "days"), whole(3))),
    ("did purchase on between 2 and 5 days", Between(count(BOUGHT, "days"), whole(2), whole(5))),
    ("count(purchase) >= 3", Compare(">=", count(BOUGHT), whole(3))),
    (
        "did purchase at least 3 times in the last 30 days",
        Compare(">=", count(Events("purchase", None, LAST_30)), whole(3)),
    ),
    (
        "did purchase at least 30 days ago",
        Compare(">=", count(Events("purchase", None, Relative("at least ago", Duration(30, "day")))), whole(1)),
    ),
    (
        'did purchase in this month in zone "UTC"',
        Compare(">=", count(Events("purchase", None, Calendar("month", 0, 0, "UTC"))), whole(1)),
    ),
    (
        'did purchase on at least 2 days in this month in zone "UTC"',
        Compare(">=", count(Events("purchase", None, Calendar("month", 0, 0, "UTC")), "days"), whole(2), zone="UTC"),
    ),
    ('did purchase on at least 2 days in zone "UTC"', Compare(">=", count(BOUGHT, "days"), whole(2), zone="UTC")),
    ("did purchase today", Compare(">=", count(Events("purchase", None, Calendar("day", 0, 0))), whole(1))),
    ("did purchase yesterday", Compare(">=", count(Events("purchase", None, Calendar("day", -1, -1))), whole(1))),
    (
        "did purchase since 2026-01-01 before now",
        Compare(">=", count(Events("purchase", None, Absolute(day("2026-01-01"), Now()))), whole(1)),
    ),
    (
        "did purchase after today until tomorrow",
        Compare(">=", count(Events("purchase", None, Absolute(Today(), Today(1), True, True))), whole(1)),
    ),
    (
        "did purchase between 2026-01-01 and 2026-02-01",
        Compare(
            ">=",
            count(Events("purchase", None, Absolute(day("2026-01-01"), day("2026-02-01"), until=True))),
            whole(1),
        ),
    ),
    (
        "did purchase on 2026-01-01",
        Compare(
            ">=",
            count(Events("purchase", None, Absolute(day("2026-01-01"), day("2026-01-01"), until=True))),
            whole(1),
        ),
    ),
    (
        "did purchase between 30 and 60 days ago",
        Compare(
            ">=",
            count(Events("purchase", None, Relative("between ago", Duration(30, "day"), Duration(60, "day")))),
            whole(1),
        ),
    ),
    (
        'did purchase[amount > 100 and object.country = "PL" and gift]',
        Compare(
            ">=",
            count(
                Events(
                    "purchase",
                    And(
                        (
                            Compare(">", AMOUNT, whole(100)),
                            Compare("=", COUNTRY, text("PL")),
                            IsTrue(Property("gift", v.boolean)),
                        )
                    ),
                )
            ),
            whole(1),
        ),
    ),
    (
        'sum(purchase[category = "shoes"].amount in the last 30 days) >= 500',
        Compare(
            ">=",
            Aggregate(
                "sum",
                Events("purchase", Compare("=", Property("category", v.text), text("shoes")), LAST_30),
                AMOUNT,
                v.decimal,
            ),
            whole(500),
        ),
    ),
    (
        "last(purchase) more than 40 days ago",
        InWindow(Aggregate("last", BOUGHT, None, v.instant), Relative("more than ago", Duration(40, "day"))),
    ),
    (
        'last(visit.url) contains "/shop"',
        TextTest("contains", Aggregate("last", Events("visit"), Property("url", v.text), v.text), ("/shop",)),
    ),
]


EXAMPLES = [
    "orders > 4 and last_visit more than 40 days ago and total_order_value > 800 and email_marketing_consent",
    "location within 25 km of (52.2297, 21.0122) and did purchase in the last 30 days "
    "and did `sent mail` between 0 and 5 times in the last 90 days",
    "count(purchase) > 5 or sum(purchase.amount) > 1000",
    "did not visit in the last 40 days or last_visit is missing",
    "country = $country and signup since $since",
    "avg(purchase.amount in the last 90 days) > 2 * median(purchase.amount)",
    "distinct(purchase[amount > 10].category since 2026-01-01) >= 3",
    "first(purchase.amount) < last(purchase.amount) and max(purchase.due) before today",
    "did purchase at least 2 times on 2026-11-22 in zone 'America/New_York'",
    "did visit[pages > 3 and object.plan = 'free'] more than 2 times between 30 and 60 days ago",
    "birthday since today - 18 years and month(birthday) = month(today)",
    "hour(last_visit) between 9 and 17 in zone 'Europe/Warsaw' and weekday(last_visit) in (6, 7)",
]


@pytest.mark.parametrize("source", EXAMPLES)
def test_what_people_ask_for_is_read_printed_and_read_again(source: str) -> None:
    """Whole filters, as hosts have them."""
    tree = read(source, country="PL", since=datetime(2026, 1, 1, tzinfo=UTC))
    assert read(format(tree)) == tree


@pytest.mark.parametrize(("source", "tree"), [*LOGIC, *VALUES, *TIME, *EVENTS])
def test_a_form_of_the_language_means_its_tree(source: str, tree: Predicate) -> None:
    """Each spelling gives the tree beside it, and the printed tree gives it again."""
    assert read(source) == tree
    assert read(format(tree)) == tree


@pytest.mark.parametrize(
    ("aggregate", "value_type"),
    [
        ("count(visit)", v.integer),
        ("days(visit)", v.integer),
        ("distinct(visit.url)", v.integer),
        ("sum(visit.pages)", v.integer),
        ("sum(purchase.amount)", v.decimal),
        ("sum(purchase.weight)", v.number),
        ("avg(visit.pages)", v.decimal),
        ("avg(purchase.weight)", v.number),
        ("median(visit.pages)", v.decimal),
        ("min(visit.pages)", v.integer),
        ("max(purchase.due)", v.date),
        ("first(purchase.category)", v.text),
        ("last(purchase)", v.instant),
        ("orders + visits", v.decimal),
        ("orders / visits", v.decimal),
        ("ltv * spend", v.number),
        ("round(ltv)", v.integer),
        ("abs(ltv)", v.decimal),
        ("coalesce(orders, ltv)", v.decimal),
        ("coalesce(orders, spend, 1)", v.number),
        ("lower(plan)", v.text),
        ("weekday(signup)", v.integer),
    ],
)
def test_a_value_has_the_type_that_its_parts_give_it(aggregate: str, value_type: v.ValueType) -> None:
    """Aggregates, arithmetic and functions are typed before anything runs."""
    tree = read(f"{aggregate} is missing")
    assert isinstance(tree, IsMissing)
    assert tree.value.type == value_type


NAMES = (
    "after at before count day days date exactly first last last_visit location month name on orders "
    "segment size stage the value week where year zone"
).split()


@pytest.mark.parametrize("name", NAMES)
def test_a_keyword_is_free_for_names_where_no_keyword_fits(name: str) -> None:
    """`last > 3` needs no backticks, and neither do events and properties with such names."""
    schema = s.Schema(s.ObjectType("thing", {name: v.integer}, events={name: {name: v.integer}}))
    for source in (
        f"{name} > 3",
        f"3 < {name} and not {name} = {name}",
        f"abs({name}) between {name} and {name} + 1",
        f"did {name} at least 3 times in the last 3 days",
        f"sum({name}[{name} > object.{name}].{name} on today) = 3",
    ):
        tree = parse(source, schema, "thing")
        assert parse(format(tree), schema, "thing") == tree


@pytest.mark.parametrize("name", sorted(_parse.RESERVED))
def test_a_reserved_word_is_a_name_in_backticks(name: str) -> None:
    """The few words that can never be names are names in backticks, also when printed."""
    schema = s.Schema(s.ObjectType("thing", {name: v.integer}, events={name: {}}))
    tree = parse(f"`{name}` > 3 and did `{name}`", schema, "thing")
    assert parse(format(tree), schema, "thing") == tree


def test_keywords_are_read_in_any_case_and_names_are_not() -> None:
    """`AND` is `and`, and `Orders` is not `orders`."""
    assert read("NOT orders = 1 AND Did purchase IN THE LAST 30 DAYS") == read(
        "not orders = 1 and did purchase in the last 30 days"
    )
    with pytest.raises(LookupError, match="did you mean 'orders'"):
        read("Orders = 1")


def test_a_letter_that_only_looks_like_a_keyword_is_none() -> None:
    """The Kelvin sign has a lower case that is an ASCII k, and `Km` written with it is not km."""
    with pytest.raises(ValueError, match="'km'"):
        read("location within 3 \u212am of (1, 2)")


def test_nodes_know_where_they_stood() -> None:
    """Spans point into the text, and take no part in equality."""
    source = "orders = 1 and\n country != 'PL'"
    tree = read(source)
    assert isinstance(tree, And)
    assert [source[slice(*item.span)] for item in tree.items if item.span] == ["orders = 1", "country != 'PL'"]
    assert tree == read("orders=1 and country!='PL'")


# ----------------------------------------------------------------------------- limits

DEEP: list[Callable[[int], str]] = [
    lambda n: "(" * n + "orders = 1" + ")" * n,
    lambda n: "not " * n + "orders = 1",
    lambda n: "-" * n + "orders = 1",
    lambda n: "orders" + " + 1" * n + " = 1",
    lambda n: "abs(" * n + "orders" + ")" * n + " = 1",
    lambda n: "orders - (" * n + "orders" + ")" * n + " = 1",
    lambda n: "at least 1 of (" * n + "orders = 1" + ")" * n,
]


@pytest.mark.parametrize("nested", DEEP)
def test_a_filter_may_be_as_deep_as_the_limit_and_no_deeper(nested: Callable[[int], str]) -> None:
    """At 200 levels a filter is read and printed; at 201 it is refused."""
    tree = read(nested(200))
    assert read(format(tree)) == tree
    with pytest.raises(LimitError, match="nested more than 200 deep at line 1, column"):
        read(nested(201))


@pytest.mark.parametrize("nested", DEEP)
def test_what_is_far_too_deep_is_refused_quickly(nested: Callable[[int], str]) -> None:
    """100,000 levels end in a LimitError, not in a full stack or a long wait."""
    started = time.process_time()
    with pytest.raises(LimitError):
        read(nested(100_000 if len(nested(1)) < 20 else 10_000))
    assert time.process_time() - started < 5


def test_100_000_parentheses_that_are_never_closed_are_a_limit_error() -> None:
    """Depth is found before syntax, because syntax takes time."""
    with pytest.raises(LimitError):
        read("(" * 100_000)


def test_10_000_conditions_are_read_and_one_more_is_not() -> None:
    """A long disjunction is a list, not 10,000 levels."""
    conditions = [f"orders = {n}" for n in range(10_000)]
    tree = read(" or ".join(conditions))
    assert isinstance(tree, Or)
    assert len(tree.items) == 10_000
    with pytest.raises(LimitError, match="more than 10,000 conditions at line 10001, column 1"):
        read(" or\n".join([*conditions, "orders = 1"]))


def test_conditions_in_brackets_count() -> None:
    """The limit on conditions cannot be passed by hiding them in an event."""
    inner = " or ".join(["amount = 1"] * 10_000)
    with pytest.raises(LimitError, match="10,000 conditions"):
        read(f"did purchase[{inner}]")


def test_exactly_counts_as_the_two_conditions_it_becomes() -> None:
    """Nested `exactly` doubles with each level; what it becomes is limited, not what it says."""
    nested = "exactly 1 of (orders = 1, " * 13 + "orders = 2" + ")" * 13
    with pytest.raises(LimitError, match="10,000 conditions"):
        read(nested)


def test_a_list_has_as_many_values_as_the_limit_and_no_more() -> None:
    """Long lists are for lists of ids, not for databases."""
    with pytest.raises(LimitError, match="more than 100,000 values at line 1, column 200013"):
        read("orders in (1" + ",1" * 100_001 + ")")
    tree = read("orders in (1" + ",1" * 5_000 + ", 2)")
    assert tree == In(ORDERS, (whole(1), whole(2)))


def test_a_text_of_more_than_a_million_characters_is_refused() -> None:
    """Length is checked before anything is read."""
    with pytest.raises(LimitError, match="1,000,000"):
        read("orders = 1" + " " * 1_000_000)


def test_a_megabyte_of_nonsense_is_refused_quickly() -> None:
    """Nobody reads more than a hundred problems, so nobody looks for more."""
    started = time.process_time()
    with pytest.raises(ValueError, match="not in the language"):
        read("!" * 500_000 + "\n" + "; " * 200_000)
    assert time.process_time() - started < 5


def test_what_is_no_text_is_refused() -> None:
    """A filter that is not even a string is an error of the tree, not an AttributeError."""
    with pytest.raises(FilterTypeError, match="expected the text of a filter, got 3"):
        parse(3, SCHEMA, "contact")  # type: ignore[arg-type]


# ---------------------------------------------------------------------------- loading


def test_importing_the_language_does_not_import_lark() -> None:
    """The grammar is paid for by those who parse."""
    script = "import sys, segmentkit.dsl, segmentkit.dsl.definitions; print('lark' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_first_parse_may_happen_in_many_threads_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """All threads wait for one grammar, and read with it at the same time."""
    compiled: list[_parse.Language] = []
    compile_once = _parse._compile
    monkeypatch.setattr(_parse, "_language", None)
    monkeypatch.setattr(_parse, "_compile", lambda: compiled.append(compile_once()) or compiled[-1])
    trees: list[Predicate] = []
    threads = [threading.Thread(target=lambda: trees.append(read("orders = 1 and country = 'PL'"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(compiled) == 1
    assert trees == [read("orders = 1 and country = 'PL'")] * 8


def test_the_grammar_has_no_conflicts(caplog: pytest.LogCaptureFixture) -> None:
    """Lark would settle a conflict silently, and some filter would mean something else than it says."""
    from importlib import resources
    from logging import DEBUG

    from lark import Lark, logger

    grammar = resources.files("segmentkit.dsl").joinpath("grammar.lark").read_text(encoding="utf-8")
    level = logger.level
    try:
        logger.setLevel(DEBUG)
        logger.addHandler(caplog.handler)
        Lark(grammar, parser="lalr", lexer="basic", debug=True)
    finally:
        logger.setLevel(level)
        logger.removeHandler(caplog.handler)
    assert "onflict" not in caplog.text


def _trees_of_lark(source: str, lark: Any) -> Any:
    """Return what lark's own loop makes of the tokens, or where it stops."""
    from lark import UnexpectedToken

    compiled, parser, tokens = _parse.language(), lark.parse_interactive(), scan(source).tokens
    for position in range(len(tokens) + 1):
        try:
            if position == len(tokens):
                return parser.feed_eof()
            compiled.feed(parser, tokens[position])
        except UnexpectedToken:
            return position
    raise AssertionError


def _shown(node: Any) -> Any:
    place = getattr(node, "meta", node)
    children = [_shown(child) for child in getattr(node, "children", ())]
    return getattr(node, "data", None) or (node.type, str(node)), place.start_pos, place.end_pos, children


def test_trees_and_their_positions_are_those_of_lark() -> None:
    """Of all texts in the data files of the language, those cut off in the middle included."""
    from importlib import resources

    from lark import Lark

    grammar = resources.files("segmentkit.dsl").joinpath("grammar.lark").read_text(encoding="utf-8")
    lark = Lark(grammar, parser="lalr", lexer="basic", propagate_positions=True, maybe_placeholders=False)
    texts = [text for path in LANGUAGE.glob("*.toml") for text in re.findall(r"'([^'\n]+)'", path.read_text("utf-8"))]
    assert len(texts) > 900
    compiled = _parse.language()
    for text in texts:
        for source in (text, text[: len(text) // 2], f"({text}) and not (({text}) or {text})"):
            tokens = scan(source).tokens
            if any(token.kind == "bad" for token in tokens):
                continue
            expected = _trees_of_lark(source, lark)
            if isinstance(expected, int):
                with pytest.raises(Refused) as refused:
                    compiled.tables.tree(tokens, compiled.terminal)
                assert refused.value.position == expected, source
            else:
                assert _shown(compiled.tables.tree(tokens, compiled.terminal)) == _shown(expected), source

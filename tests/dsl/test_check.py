"""What is wrong with a filter, in the words that people read; the texts are in snapshots/malformed.txt."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from segmentkit import schema as s, values as v
from segmentkit.dsl import format, parse
from segmentkit.dsl.predicates import Duration
from segmentkit.errors import DefinitionError, FilterSyntaxError, FilterTypeError, UnknownNameError
from tests.dsl.shop import SCHEMA, read
from tests.snapshots.compare import assert_matches, names

MALFORMED = {
    # ------------------------------------------------------------------- syntax
    "empty": "",
    "only a comment": "# orders = 1",
    "double equals": "orders == 4",
    "ampersands and bars": "orders = 1 && visits = 1 || orders = 2",
    "exclamation mark": "!email_marketing_consent",
    "other signs for unequal": "orders <> 1",
    "signs the wrong way round": "orders => 1",
    "typographic quotes": "country = “PL”",
    "null": "country IS NULL",
    "not null": "country is not null",
    "like": "country like 'P%'",
    "is instead of equals": "country is 'PL'",
    "unclosed text": 'country = "PL\nand orders = 1',
    "unclosed backtick": "`last order = 1",
    "unknown escape": r'country = "a\q"',
    "half a character": r'country = "\ud83d"',
    "unclosed parenthesis": "(orders = 1 and (visits = 2)",
    "unclosed bracket": "did purchase[amount > 3",
    "parenthesis too many": "orders = 1)",
    "bracket closed by parenthesis": "did purchase[amount > 3)",
    "did not not": "did not not purchase",
    "missing unit": "last_visit more than 40 ago",
    "missing unit at the end": "last_visit in the last 40",
    "missing number": "last_visit in the last month",
    "missing operator": "orders 4",
    "missing value": "orders >",
    "missing condition": "orders = 1 and",
    "joined twice": "orders = 1 and or visits = 1",
    "chained comparison": "1 < orders < 4",
    "misspelt keyword": "country contians 'x'",
    "reserved word as a name": "in > 3",
    "scientific notation": "spend > 1e5",
    "number without a digit before the point": "spend > .5",
    "date that does not exist": "birthday = 2026-02-30",
    "instant without zone": "signup > 2026-11-22T10:00:00",
    "instant that does not exist": "signup > 2026-11-22T25:00:00Z",
    "expression in a list": "orders in (1, visits)",
    "empty list": "orders in ()",
    "two problems of spelling": "country = “PL” and orders == 3",
    "semicolon": "orders = 1; drop",
    "nonsense behind an event": "did purchase often",
    # -------------------------------------------------------------------- names
    "unknown attribute": "ordrs > 4",
    "unknown attribute in other case": "Country = 'PL'",
    "unknown attribute of a few": "did `sent mail`[size > 3]",
    "several unknown names": "ordrs > 4 and did purchse and sum(purchase.amont) > 3",
    "text without quotes": "country = PL",
    "choice without quotes": "plan = pro",
    "event as a condition": "purchase and orders > 3",
    "event misspelt as a condition": "purchse",
    "event as a value": "purchase > 3",
    "property as a value": "purchase.amount > 3",
    "attribute in brackets": "did purchase[country = 'PL']",
    "object outside brackets": "object.country = 'PL'",
    "name with a dot": "utm.source = 'x'",
    "unknown function": "len(country) = 2",
    "unknown zone": "signup in this month in zone 'Europe/Warsw'",
    "unknown parameter": "country = $contry",
    # -------------------------------------------------------------------- types
    "text for a number": "spend > '100'",
    "number for text": "country = 48",
    "text for an instant": "signup > '2026-01-01'",
    "number for a boolean": "email_marketing_consent = 1",
    "boolean with an order": "email_marketing_consent < true",
    "set with equals": "tags = 'vip'",
    "point with equals": "location = 3",
    "undeclared choice": "plan = 'prp'",
    "undeclared choice in a list": "plan in ('free', 'gold')",
    "duration for an instant": "last_visit > 40 days",
    "number for a duration": "now - signup > 40",
    "months as a length": "now - signup > 1 month",
    "number as a condition": "orders and visits > 1",
    "set as a condition": "tags",
    "condition as a value": "(orders = 1) > 3",
    "ignoring case of a number": "orders = 1 ignoring case",
    "ignoring case of an order": "country < 'a' ignoring case",
    "missing set": "tags is missing",
    "empty text": "country is empty",
    "contains of a set": "tags contains 'vip'",
    "has of a text": "country has 'PL'",
    "number in a list of texts": "tags has any of ('a', $n)",
    "window of a number": "orders in the last 3 days",
    "window of now": "now - 3 days in the last 3 days",
    "hours of a date": "birthday in the last 3 hours",
    "words that do not go with ago": "last_visit at most 3 days ago",
    "fraction of a day": "last_visit in the last 1.5 days",
    "a very long time": "last_visit in the last 10001 years",
    "quarters as a length": "last_visit in the last 2 quarters",
    "hours of the calendar": "last_visit in the last 2 calendar hours",
    "more calendar units than there are": "last_visit in the last 1_000_001 calendar weeks",
    "time word for numbers": "orders before 3",
    "on an instant": "signup on now",
    "duration first": "7 days + signup < now",
    "difference of dates": "today - birthday > 3",
    "date moved by hours": "birthday + 3 hours = today",
    "arithmetic with text": "country + 1 = 2",
    "sign of a duration": "now - signup > -3 days",
    "too large for a double": "spend > " + "9" * 400,
    "latitude out of range": "location within 3 km of (152.2, 21)",
    "box upside down": "location in box (20, 0, 10, 5)",
    "distance from a number": "orders within 3 km of (1, 2)",
    "argument of a wrong type": "length(orders) = 2 and hour(birthday) = 3 and size(country) = 1",
    "arguments too many": "abs(orders, visits) = 2",
    "coalesce of two types": "coalesce(country, 3) = 'x'",
    "coalesce of one value": "coalesce(country) = 'x'",
    "sum without a property": "sum(purchase) > 3",
    "sum of text": "sum(purchase.category) > 3",
    "count of a property": "count(purchase.amount) > 3",
    "aggregate of attributes": "max(orders, visits) > 3",
    "event inside an event": "did purchase[did visit]",
    "filtered events as a value": "purchase[amount > 3] > 3",
    "window of a function": "abs(orders in the last 3 days) > 3",
    "window that begins at a number": "did purchase since 3",
    "count that is a fraction": "did purchase at least 2.5 times",
    "more than all": "at least 3 of (orders = 1, visits = 2)",
    "at most all": "at most 2 of (orders = 1, visits = 2)",
    # ------------------------------------------- sequences, polygons, patterns, samples
    "step that did not happen in the middle": "did visit then not purchase then visit",
    "several problems of a sequence": "did visit then purchse within 2.5 days then not visit[pagse > 1]",
    "sequence without an end": "did visit then",
    "sequence without did": "visit then purchase",
    "did in a sequence": "did visit then did purchase",
    "sequence in other words": "did visit followed by purchase",
    "count before a step": "did visit at least 2 times then purchase",
    "count of a step": "did visit then purchase at least 2 times",
    "window before a step": "did visit in the last 3 days then purchase",
    "sequence inside an event": "did purchase[did visit then visit]",
    "window anchored at a number": "did purchase within 3 days after orders",
    "window anchored at nothing": "did purchase within 3 days of signup",
    "anchored window without a unit": "did purchase within 3 after signup",
    "anchored window of hours after a date": "did purchase within 12 hours after birthday",
    "window in a window in a window": "did visit since last(purchase since last(visit))",
    "anniversary of a number": "orders anniversary today",
    "anniversary of now": "now anniversary today",
    "anniversary without a window": "birthday anniversary",
    "anniversary within hours": "birthday anniversary in the next 12 hours",
    "anniversary of long ago": "birthday anniversary more than 3 days ago",
    "polygon of two corners": "location in polygon ((1, 2), (3, 4), (1, 2))",
    "polygon around a pole": "location in polygon ((80, 0), (80, 120), (80, -120))",
    "polygon of a number": "orders in polygon ((1, 2), (3, 4), (5, 6))",
    "polygon out of range": "location in polygon ((1, 2), (3, 400), (5, 6))",
    "polygon that is no list": "location in polygon $n",
    "expression that is not closed": "country matches '[a'",
    "expression that looks ahead": "country matches '(?=a)'",
    "expression that refers back": r"country matches '(a)\\1'",
    "expression in slashes": "country matches /PL/",
    "expression for a number": "orders matches '1.*'",
    "expression that is a number": "country matches $n",
    "sample without a salt": "sample() < 0.1",
    "sample of an attribute": "sample(country) < 0.1",
    "sample of an event": "did purchase[sample('x') < 0.1]",
    # -------------------------------------------------------------------- later
    # --------------------------------------------------------------------- many
    "many problems at once": (
        "ordrs > 4\n  and spend > '100'\n  and (tags = 'vip' or plan = 'prp')\n"
        "  and did purchase[amont > 3] at least 2 times in this month in zone 'Mars'"
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_wrong_is_said_in_words(name: str) -> None:
    """Each malformed filter gives the message that its snapshot shows."""
    with pytest.raises(DefinitionError) as caught:
        read(MALFORMED[name], n=3)
    assert_matches("malformed.txt", name, f"{type(caught.value).__name__}\n{caught.value}")


def test_every_snapshot_has_its_filter() -> None:
    """A message that nobody compares any more does not stay in the file."""
    assert names("malformed.txt") == MALFORMED.keys()


def test_no_message_names_a_terminal_of_the_parser() -> None:
    """Words such as LPAR or __ANON_0 mean nothing to those who write filters."""
    for text in MALFORMED.values():
        with pytest.raises(DefinitionError) as caught:
            read(text, n=3)
        for problem in caught.value.problems:
            shown = problem.message + problem.hint
            assert not any(terminal in shown for terminal in ("LPAR", "ANON", "$END", "Token", "MORETHAN")), shown


@pytest.mark.parametrize("name", MALFORMED)
def test_problems_point_into_the_text(name: str) -> None:
    """Offsets, lines and columns agree, and problems come in the order of the text."""
    text = MALFORMED[name]
    with pytest.raises(DefinitionError) as caught:
        read(text, n=3)
    problems = caught.value.problems
    assert [p.start for p in problems] == sorted(p.start for p in problems)
    for problem in problems:
        assert 0 <= problem.start <= problem.end <= len(text)
        assert problem.line == text.count("\n", 0, problem.start) + 1
        assert text.split("\n")[problem.line - 1][problem.column - 1 :].startswith(
            text[problem.start : problem.end].split("\n")[0]
        )


def test_only_unknown_names_are_a_lookup_error() -> None:
    """A host may treat names that it does not know yet unlike other mistakes."""
    with pytest.raises(UnknownNameError) as caught:
        read("ordrs > 4 or did purchse or ordrs < 2")
    assert caught.value.names == ("ordrs", "purchse")
    with pytest.raises(FilterTypeError):
        read("ordrs > 4 or tags = 'x'")


def test_an_unknown_object_type_is_named_with_its_neighbours() -> None:
    """The type is no part of the text, so the message shows the type itself."""
    with pytest.raises(UnknownNameError, match="did you mean 'contact'") as caught:
        parse("orders > 4", SCHEMA, "contacts")
    assert caught.value.names == ("contacts",)


def test_an_error_says_which_filter_it_is_about() -> None:
    """`origin` begins every report."""
    with pytest.raises(DefinitionError, match="segment 'whales', line 1, column 1: unknown attribute 'spnd'"):
        parse("spnd > 3", SCHEMA, "contact", origin="segment 'whales'")


def test_a_filter_with_very_many_problems_reports_the_first_hundred() -> None:
    """Nobody reads ten thousand problems, and rendering them takes a while."""
    with pytest.raises(UnknownNameError) as caught:
        read(" or ".join(["ordrs = 1"] * 1_000))
    assert len(caught.value.problems) == 100


# ------------------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    ("source", "value", "printed"),
    [
        ("country = $p", "PL", 'country = "PL"'),
        ("plan = $p", "pro", 'plan = "pro"'),
        ("orders > $p", 3, "orders > 3"),
        ("spend > $p", 3, "spend > 3"),
        ("spend > $p", 0.1, "spend > 0.1"),
        ("ltv > $p", 0.1, "ltv > 0.1"),
        ("ltv > $p", "19.90", "ltv > 19.9"),
        ("ltv > $p", Decimal("1E+2"), "ltv > 100.0"),
        ("email_marketing_consent = $p", True, "email_marketing_consent"),
        ("$p", False, "false"),
        ("signup < $p", datetime(2026, 1, 1, tzinfo=UTC), "signup before 2026-01-01T00:00:00Z"),
        ("signup < $p", date(2026, 1, 1), "signup before 2026-01-01"),
        ("last_visit in the last $p", timedelta(days=14), "last_visit in the last 14 days"),
        ("last_visit in the last $p", timedelta(hours=36), "last_visit in the last 36 hours"),
        ("last_visit in the last $p", Duration(2, "month"), "last_visit in the last 2 months"),
        ("last_visit more than $p days ago", 3, "last_visit more than 3 days ago"),
        ("now - signup > $p", timedelta(seconds=90), "now - signup > 90 seconds"),
        ("did purchase at least $p times", 3, "did purchase at least 3 times"),
        ("did purchase between $p and 5 times", 3, "did purchase between 3 and 5 times"),
        ("at least $p of (orders = 1, visits = 2)", 1, "at least 1 of (orders = 1, visits = 2)"),
        ("country in $p", ["b", "a"], 'country in ("b", "a")'),
        ("country in $p", {"b", "a"}, 'country in ("a", "b")'),
        ("country in ('x', $p)", "y", 'country in ("x", "y")'),
        ("tags has any of $p", ("a", "b"), 'tags has any of ("a", "b")'),
        ("tags has $p", "a", 'tags has "a"'),
        ("country contains $p", "a", 'country contains "a"'),
        ("location within $p km of (1, 2)", 2.5, "location within 2.5 km of (1, 2)"),
        ("location within 1 km of $p", (52.5, -21), "location within 1 km of (52.5, -21)"),
        ("location within 1 km of ($p, -21)", 52.5, "location within 1 km of (52.5, -21)"),
    ],
)
def test_a_parameter_is_the_literal_that_it_stands_for(source: str, value: Any, printed: str) -> None:
    """A parameter takes the type of what it meets; the tree has no trace of it."""
    tree = read(source, p=value)
    assert format(tree) == printed
    assert read(printed) == tree


@pytest.mark.parametrize(
    ("source", "value", "message"),
    [
        ("country = $p", 3, "cannot compare 'country'"),
        ("orders > $p", True, "cannot compare 'orders'"),
        ("spend > $p", float("nan"), "NaN and infinities are refused"),
        ("spend > $p", 2**53 + 1, None),
        ("signup > $p", datetime(2026, 1, 1), "no time zone"),  # noqa: DTZ001  # naive is the point
        ("country = $p", None, "expected text"),
        ("plan = $p", "gold", "not one of the declared values"),
        ("country in $p", "PL", "not a list"),
        ("country in $p", [], "empty list"),
        ("country in $p", ["PL", 3], "cannot compare"),
        ("last_visit in the last $p", 3, "not a duration"),
        ("last_visit in the last $p", timedelta(microseconds=1), "whole seconds"),
        ("last_visit in the last $p days", -3, "not negative"),
        ("did purchase at least $p times", 2.5, "whole number"),
        ("location within 1 km of $p", (152, 21), "latitude"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused(source: str, value: Any, message: str | None) -> None:
    """Values of hosts are checked as literals are; an int against doubles is rounded as its digits would be."""
    if message is None:
        assert read(source, p=value) == read(source.replace("$p", str(value)))
        return
    with pytest.raises(DefinitionError, match=message):
        read(source, p=value)


def test_values_that_are_not_asked_for_do_no_harm() -> None:
    """Hosts pass the same parameters to many filters."""
    assert read("orders = 1", agent="x") == read("orders = 1")


# --------------------------------------------------------------------------- literals


@pytest.mark.parametrize(
    "source",
    [
        "orders = 1.5",
        "signup = 2026-01-01",
        "birthday < now",
        "1 < 2",
        "'a' = 'b'",
        "country < shipping_country",
        "plan = country",
        "orders = spend",
        "ltv in (1, 2.5)",
        "signup in (2026-01-01, 2026-01-02T00:00:00Z)",
        "email_marketing_consent in (true, false)",
        "orders is missing and count(purchase) is missing",
        "last_visit in the last 0 days",
        "coalesce(signup, now) before 2026-01-01",
        "signup + (now - last_visit) > now",
        "now - signup + 3 days > 1 hour",
        "coalesce(plan, 'free') = 'pro'",
    ],
)
def test_what_is_unusual_but_sound_is_accepted(source: str) -> None:
    """Typing refuses what cannot mean anything, and nothing else."""
    tree = read(source)
    assert read(format(tree)) == tree


@pytest.mark.parametrize("literal", ["1" * 1_001, "0." + "1" * 1_001])
def test_a_number_has_at_most_a_thousand_digits(literal: str) -> None:
    """As long as the values it is compared with can be, and no longer."""
    with pytest.raises(FilterSyntaxError, match="1,000 digits"):
        read(f"orders > {literal}")


def test_a_type_with_no_events_says_so_by_its_names() -> None:
    """An empty list of declared names is no hint at all."""
    schema = s.Schema(s.ObjectType("thing", {"size": v.integer}))
    with pytest.raises(UnknownNameError, match="unknown event 'bought' of 'thing'") as caught:
        parse("did bought", schema, "thing")
    assert caught.value.problems[0].hint == ""

"""The normal form: these spellings are one filter. That it keeps the meaning is a law in `properties`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import segmentkit as sk
from segmentkit.dsl.evaluate import evaluate
from segmentkit.values import to_micros
from tests.forms.shop import FILTERS, SHOP
from tests.language import test_language as rows


def normal(text: str) -> Any:
    return sk.normalize(sk.parse(text, SHOP, on="contact"))


@pytest.mark.parametrize(
    "spellings",
    [
        (
            "orders > 4 and consent and visits < 2",
            "consent and (visits < 2 and orders > 4)",
            "not (not consent or not (visits < 2 and orders > 4))",
        ),
        ("consent or consent", "consent", "not not consent", "consent and true", "consent or false"),
        ("true", "not false", "consent or true", "at least 0 of (consent, orders > 4)"),
        ("orders > 4", "4 < orders", "orders >= 5", "orders > 4.0", "orders >= 4.5"),
        ("orders between 2 and 5", "orders >= 2 and orders <= 5", "5 >= orders and orders > 1"),
        ("not orders between 2 and 5", "not orders >= 2 or not orders <= 5"),
        ("orders = 1", "orders in (1)", "1 = orders", "orders in (1, 1.0)"),
        ("orders != 1", "not orders = 1", "orders not in (1)"),
        ("orders in (1, 2)", "orders = 2 or orders = 1", "orders in (2, 1, 2)", "orders in (1) or orders in (2, 1)"),
        ("orders not in (1, 2)", "orders != 1 and orders != 2"),
        ("false", "orders = 4.5", "orders in (4.5)", "size(tags) < 0"),
        ('country = "PL" ignoring case', 'country = "pl" ignoring case', 'country in ("PL", "pl") ignoring case'),
        ("consent", "consent = true", "true = consent"),
        ("revenue > 800", "revenue > 800.0", "800 < revenue"),
        ("revenue + cost > 1", "cost + revenue > 1"),
        ("revenue * 2 > 1", "2 * revenue > 1", "2.0 * revenue > 1"),
        ("orders > 1 - -2", "orders > 1 - -2.0"),
        ("shipping_country = country", "country = shipping_country"),
        ("orders < visits", "visits > orders"),
        ('tags has any of ("a", "b")', 'tags has "b" or tags has "a"', 'tags has any of ("b", "a", "b")'),
        ('tags has all of ("a", "b")', 'tags has "a" and tags has "b"'),
        ('tags has none of ("a", "b")', 'not tags has "a" and not tags has "b"', 'not tags has any of ("b", "a")'),
        ('tags has "a"', 'tags has all of ("a")', 'tags has any of ("a")'),
        ('email contains any of ("a", "b")', 'email contains "b" or email contains "a"'),
        (
            "last_visit more than 14 days ago",
            "last_visit more than 2 weeks ago",
            "last_visit < now - 14 days",
            "last_visit more than 336 hours ago",
        ),
        ("last_visit at least 40 days ago", "last_visit <= now - 40 days", "now - 40 days >= last_visit"),
        ("signup in the last 1 year", "signup in the last 12 months"),
        ("renewal more than 7 days from now", "renewal > today + 1 week"),
        ("signup on today", "signup in this day", "signup = today"),
        ("renewal in next day", "renewal = tomorrow"),
        ('orders > 4 in zone "Asia/Tokyo"', "orders > 4"),
        ('last_visit in the last 40 days in zone "Asia/Tokyo"', "last_visit in the last 40 days"),
        (
            "did purchase",
            "count(purchase) > 0",
            "did purchase at least 1 times",
            "not did not purchase",
            "count(purchase) != 0",
        ),
        ("did not purchase", "did purchase fewer than 1 times", "count(purchase) = 0", "did purchase at most 0 times"),
        ("did purchase at most 3 times", "did purchase fewer than 4 times", "not did purchase more than 3 times"),
        ("did purchase[true]", "did purchase"),
        ("did purchase in the last 7 days", "did purchase in the last 1 week", "did purchase less than 168 hours ago"),
        ("did purchase[amount > 1 and gift]", "did purchase[gift and 1 < amount]"),
        ("at least 1 of (consent, orders > 4)", "consent or orders > 4"),
        ("at least 2 of (consent, orders > 4)", "consent and orders > 4"),
        ("at most 1 of (consent, orders > 4, visits > 2)", "not at least 2 of (visits > 2, consent, orders > 4)"),
        ("count(deals[stage = 'won']) > 0", "any deals[stage = 'won']", "any deals[stage in ('won')]"),
        ("no deals", "count(deals) = 0", "count(deals[true]) < 1"),
        ("all deals[stage = 'won']", "no deals[stage != 'won']", "count(deals[not stage = 'won']) = 0"),
        ("did visit then purchase within 7 days", "did visit then purchase within 1 week"),
        ('not (country = "PL" or orders > 4)', 'country != "PL" and not orders > 4'),
    ],
    ids=lambda spellings: spellings[0],
)
def test_spellings_of_one_filter_have_one_normal_form(spellings: tuple[str, ...]) -> None:
    forms = {sk.format(normal(text)): text for text in spellings}
    assert len(forms) == 1, forms
    assert len({normal(text) for text in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("not orders < 5", "orders >= 5"),  # nobody's orders are neither
        ("orders > 4", "orders > 5"),
        ("score > 4", "score >= 5"),
        ('country = "PL"', 'country = "PL" ignoring case'),
        ("last_visit in the last 1 month", "last_visit in the last 30 days"),
        ("did purchase[amount > 1]", "did purchase[object.revenue > 1]"),
        ("not did visit in the last 7 days", "last(visit) more than 7 days ago"),
        ("year(signup) = 2026 in zone 'Asia/Tokyo'", "year(signup) = 2026"),
        ("last_visit in the last 40 days", "last_visit > now - 40 days"),  # one of them has an end
        ("company.size < 1", "not company.size >= 1"),
    ],
)
def test_filters_that_differ_stay_apart(one: str, other: str) -> None:
    assert normal(one) != normal(other)


@pytest.mark.parametrize("text", FILTERS)
def test_each_normal_form_is_normal_and_a_filter(text: str) -> None:
    tree = normal(text)
    assert sk.normalize(tree) == tree
    assert sk.parse(sk.format(tree), SHOP, on="contact") == tree
    assert sk.from_json(sk.to_json(tree)) == tree


@pytest.mark.parametrize(("claim", "text", "truth"), list(rows._rows()))
def test_each_row_of_the_language_holds_in_its_normal_form(claim: Mapping[str, Any], text: str, truth: bool) -> None:
    tree, zone = sk.normalize(rows._parsed(claim, text)), claim.get("zone", "UTC")
    now = to_micros(claim.get("now", rows.DEFAULT_NOW))
    assert evaluate(tree, rows._facts(claim), now, zone) is truth


def test_a_long_list_of_equalities_takes_time_in_proportion() -> None:
    """All constants are joined in one step, not one after the other: 10,000 took a minute."""
    tree = normal(" or ".join(f"orders = {number}" for number in range(10_000)))
    assert len(tree.options) == 10_000

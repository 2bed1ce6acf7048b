"""The builder gives the trees that parsing gives, and catches what Python would do behind one's back."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

import segmentkit as sk
from segmentkit import build
from segmentkit.build import attr, days, event, months, now, param, prop, related, segment, today
from tests.built import built
from tests.forms.shop import FILTERS, SHOP

EXPRESSIONS: list[tuple[Any, str]] = [
    (attr.orders > 4, "orders > 4"),
    (attr.orders > 4, "orders > 4"),
    (attr.orders >= 4, "orders >= 4"),
    (attr.orders < 4, "orders < 4"),
    (attr.orders <= -4, "orders <= -4"),
    (attr.orders == 4, "orders = 4"),
    (attr.orders != 4, "orders != 4"),
    (attr.revenue > Decimal("19.90"), "revenue > 19.9"),
    (attr.score > 0.1, "score > 0.1"),
    (attr.orders.between(1, 5), "orders between 1 and 5"),
    (attr.orders.in_(1, 2), "orders in (1, 2)"),
    (attr.orders.in_([1, 2]), "orders in (1, 2)"),
    (attr.country.in_("PL"), 'country in ("PL")'),
    (attr.country.not_in("PL", "DE"), 'country not in ("PL", "DE")'),
    (attr.country == 'a"b\\', r'country = "a\"b\\"'),
    ((attr.country == "pl").ignoring_case(), 'country = "pl" ignoring case'),
    (attr["utm.source"] == "mail", '`utm.source` = "mail"'),
    (attr.email.is_missing(), "email is missing"),
    (attr.email.is_known(), "email is known"),
    (attr.email.contains("@"), 'email contains "@"'),
    (attr.email.starts_with("a", "b"), 'email starts with any of ("a", "b")'),
    (attr.email.ends_with(".pl").ignoring_case(), 'email ends with ".pl" ignoring case'),
    (attr.email.matches("^a"), 'email matches "^a"'),
    (attr.tags.has("vip"), 'tags has "vip"'),
    (attr.tags.has_any("a", "b"), 'tags has any of ("a", "b")'),
    (attr.tags.has_all("a", "b"), 'tags has all of ("a", "b")'),
    (attr.tags.has_none("a"), 'tags has none of ("a")'),
    (attr.tags.is_empty(), "tags is empty"),
    (attr.location.within(25, "km", of=(52.23, -21.01)), "location within 25 km of (52.23, -21.01)"),
    (attr.location.in_box(49, 14.1, 54.9, 24.2), "location in box (49, 14.1, 54.9, 24.2)"),
    (attr.location.in_polygon((50, 20), (53, 20), (53, 22)), "location in polygon ((50, 20), (53, 20), (53, 22))"),
    (attr.signup.when(last=days(30)), "signup in the last 30 days"),
    (attr.signup.when(more_than_ago=timedelta(hours=36)), "signup more than 36 hours ago"),
    (attr.signup.when(at_least_ago=months(2)), "signup at least 2 months ago"),
    (attr.signup.when(between_ago=(days(30), days(60))), "signup between 30 and 60 days ago"),
    (attr.renewal.when(next=days(14)), "renewal in the next 14 days"),
    (attr.renewal.when(more_than_from_now=days(14)), "renewal more than 14 days from now"),
    (attr.renewal.when(at_least_from_now=days(14)), "renewal at least 14 days from now"),
    (attr.signup.when(this="month", zone="Asia/Tokyo"), 'signup in this month in zone "Asia/Tokyo"'),
    (attr.signup.when(last="week"), "signup in last week"),
    (attr.signup.when(last=(3, "months")), "signup in the last 3 calendar months"),
    (attr.renewal.when(next=(2, "years")), "renewal in the next 2 calendar years"),
    (attr.signup.when(before=date(2026, 1, 1)), "signup before 2026-01-01"),
    (attr.signup.when(since=datetime(2026, 1, 1, tzinfo=UTC)), "signup since 2026-01-01T00:00:00Z"),
    (attr.signup.when(on=today), "signup on today"),
    (attr.signup.when(between=(date(2026, 1, 1), today)), "signup between 2026-01-01 and today"),
    (attr.birthday.anniversary(next=days(7)), "birthday anniversary in the next 7 days"),
    (attr.signup + days(7) < now, "signup + 7 days < now"),
    (now - attr.signup > days(3), "now - signup > 3 days"),
    ((attr.revenue - attr.cost) / attr.orders * 2 > 5, "(revenue - cost) / orders * 2 > 5"),
    (attr.revenue - (attr.cost - 1) > 5, "revenue - (cost - 1) > 5"),
    (1 - attr.score > 2 / attr.score, "1 - score > 2 / score"),
    (1 + attr.score > 2 * attr.score, "1 + score > 2 * score"),
    (-attr.score < 1, "-score < 1"),
    (-(attr.score + 1) < 1, "-(score + 1) < 1"),
    (abs(attr.score) < 1, "abs(score) < 1"),
    (round(attr.score) == 1, "round(score) = 1"),
    (attr.orders.coalesce(0) < 3, "coalesce(orders, 0) < 3"),
    (attr.email.length() > attr.email.lower().length(), "length(email) > length(lower(email))"),
    (attr.tags.size() >= 3, "size(tags) >= 3"),
    (
        (attr.signup.year() == 2026) & (attr.signup.month() == 1) & (attr.signup.day() == 2),
        "year(signup) = 2026 and month(signup) = 1 and day(signup) = 2",
    ),
    ((attr.signup.weekday() == 1) | (attr.signup.hour() == 1), "weekday(signup) = 1 or hour(signup) = 1"),
    ((attr.signup.hour() == 1).in_zone("Asia/Tokyo"), 'hour(signup) = 1 in zone "Asia/Tokyo"'),
    (attr.consent & (attr.orders > 4), "consent and orders > 4"),
    ((attr.orders > 4) & attr.consent, "orders > 4 and consent"),
    ((attr.orders > 4) | attr.consent & ~attr.consent, "orders > 4 or consent and not consent"),
    (((attr.orders > 4) | attr.consent) & attr.consent, "(orders > 4 or consent) and consent"),
    (~((attr.orders > 4) & attr.consent), "not (orders > 4 and consent)"),
    (~~attr.consent, "not not consent"),
    (build.all_of([attr.consent, attr.orders > 4]), "consent and orders > 4"),
    (build.any_of([attr.consent, attr.orders > 4]), "consent or orders > 4"),
    (build.all_of([]), "true"),
    (
        build.at_least(2, attr.consent, attr.orders > 4, attr.visits > 1),
        "at least 2 of (consent, orders > 4, visits > 1)",
    ),
    (build.at_most(1, attr.consent, attr.orders > 4), "at most 1 of (consent, orders > 4)"),
    (build.exactly(1, attr.consent, attr.orders > 4), "exactly 1 of (consent, orders > 4)"),
    (event.purchase.did(), "did purchase"),
    (~event.purchase.did(last=days(30)), "did not purchase in the last 30 days"),
    (event.purchase.count(last=days(30)) > 5, "count(purchase in the last 30 days) > 5"),
    (event.purchase[prop.amount > 100].did(), "did purchase[amount > 100]"),
    (
        event.purchase[(prop.amount > attr.revenue / 2) | prop.gift].count() >= 2,
        "did purchase[amount > object.revenue / 2 or gift] at least 2 times",
    ),
    (event.purchase[prop.gift][prop.amount > 1].did(), "did purchase[gift and amount > 1]"),
    (event.purchase.sum("amount", last=days(90)) >= 500, "sum(purchase.amount in the last 90 days) >= 500"),
    (event.purchase.avg("amount") > event.purchase.median("amount"), "avg(purchase.amount) > median(purchase.amount)"),
    (event.purchase.min("amount") < event.purchase.max("amount"), "min(purchase.amount) < max(purchase.amount)"),
    (event.purchase.distinct("category") > 3, "distinct(purchase.category) > 3"),
    (event.visit.days(this="month") > 3, "days(visit in this month) > 3"),
    (event.visit.first().when(last=days(3)), "first(visit) in the last 3 days"),
    (event.visit.last("url").contains("/pricing"), 'last(visit.url) contains "/pricing"'),
    (
        event.purchase.did(since=date(2026, 1, 1), before=date(2026, 2, 1)),
        "did purchase since 2026-01-01 before 2026-02-01",
    ),
    (event.purchase.did(within=days(30), after=attr.signup), "did purchase within 30 days after signup"),
    (event.visit.then(event.purchase, within=days(7)), "did visit then purchase within 7 days"),
    (
        event.visit.then(event.visit).then_not(event.purchase, within=days(2)).when(last=days(30)),
        "did visit then visit then not purchase within 2 days in the last 30 days",
    ),
    (related.company.industry == "SaaS", 'company.industry = "SaaS"'),
    (related.company["size"] > attr.orders, "company.size > orders"),
    (
        related.company[(attr["size"] > 50) & event.login.did(last=days(7))],
        "company[size > 50 and did login in the last 7 days]",
    ),
    (related.company.is_known(), "company is known"),
    (related.deals.any(attr.stage == "open"), 'any deals[stage = "open"]'),
    (related.deals.all(attr.stage == "open"), 'all deals[stage = "open"]'),
    (related.deals.no(), "no deals"),
    (related.deals.count(attr.stage == "won") >= 3, 'count(deals[stage = "won"]) >= 3'),
    (related.deals.sum("value", where=attr.stage == "open") > 10_000, 'sum(deals[stage = "open"].value) > 10000'),
    (
        event.purchase[prop.category == related.company.industry].did(),
        "did purchase[category = object.company.industry]",
    ),
    (related.company.of(event.login.count(last=days(7))) > 3, "company.count(login in the last 7 days) > 3"),
    (segment("High value"), 'in segment "High value"'),
    (~segment("High value"), 'not in segment "High value"'),
    (segment("High value").entered(last=days(7)), 'entered segment "High value" in the last 7 days'),
    (segment("High value").left(since=date(2026, 1, 1)), 'left segment "High value" since 2026-01-01'),
    (segment("High value").was_ever(), 'was ever in segment "High value"'),
    (
        build.top(100, by=event.purchase.sum("amount", last=days(30))),
        "top 100 by sum(purchase.amount in the last 30 days)",
    ),
    (
        build.bottom("10%", by=attr.revenue, per=attr.country, of=attr.country == "PL", ties=True),
        "bottom 10% of (country = 'PL') by revenue per country with ties",
    ),
    (build.sample("spring") < 0.1, "sample('spring') < 0.1"),
]


@pytest.mark.parametrize(("expression", "text"), EXPRESSIONS, ids=[text for _, text in EXPRESSIONS])
def test_an_expression_is_the_tree_of_its_text(expression: Any, text: str) -> None:
    assert build.resolve(expression, SHOP, "contact") == sk.parse(text, SHOP, on="contact")


def test_parameters_are_given_where_the_filter_is_resolved() -> None:
    expression = (attr.country == param("home")) & attr.orders.in_(param("counts"))
    tree = build.resolve(expression, SHOP, "contact", {"home": "PL", "counts": [1, 2]})
    assert sk.format(tree) == 'country = "PL" and orders in (1, 2)'


def test_a_condition_is_text_and_defines_segments() -> None:
    clock = sk.ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
    engine = sk.Engine(SHOP, clock=clock)
    found = engine.define("Loyal", on="contact", where=(attr.orders > 4) & attr.consent)
    engine.put("contact", "c1", orders=5, consent=True)
    assert list(engine.members("Loyal")) == ["c1"]
    assert found.tree == sk.parse("orders > 4 and consent", SHOP, on="contact")
    with pytest.raises(sk.UnknownNameError, match="ordrs"):
        engine.define("Odd", on="contact", where=attr.ordrs > 4)
    assert type(pickle.loads(pickle.dumps(attr.orders > 4))) is str  # noqa: S301 - our own


def test_conditions_are_equal_by_their_text() -> None:
    assert (attr.orders > 4) == (attr.orders > 4)
    assert len({attr.orders > 4, attr.orders > 4, attr.orders > 5}) == 2


@pytest.mark.parametrize(
    ("misuse", "message"),
    [
        (lambda: 1 < attr.orders < 5, "between"),
        (lambda: (attr.orders > 1) and attr.consent, "no truth value"),
        (lambda: (attr.orders > 1) or attr.consent, "join conditions with & and |"),
        (lambda: not attr.orders > 1, "turn them around with ~"),
        (lambda: attr.consent and attr.consent, "a value has no truth value"),
        (lambda: bool(attr.consent), "a value has no truth value"),
        (lambda: attr.orders > 4 & attr.consent, "comparisons stand in parentheses"),
        (lambda: (attr.orders > 4) & 3, "takes conditions, got 3"),
        (lambda: "vip" in attr.tags, "write .in_"),
        (lambda: attr.orders == None, "is_missing"),  # noqa: E711 - what people write
        (lambda: attr.orders > (attr.visits > 3), "a condition stands where a value is expected"),
        (lambda: attr.orders > [1], "expected text, a number"),
        (lambda: attr.signup > datetime(2026, 1, 1), "no time zone"),  # noqa: DTZ001 - that is the point
        (lambda: attr.score > float("inf"), "infinities"),
        (lambda: attr.signup > timedelta(microseconds=1), "whole number of seconds"),
        (attr.orders.in_, "list of values is empty"),
        (lambda: attr["a` or `b"] > 3, "backtick"),
        (lambda: attr.signup.when(lats=days(3)), "unknown window 'lats'"),
        (lambda: attr.signup.when(last=3), "such as days"),
        (lambda: attr.signup.when(last="fortnight"), "no calendar unit"),
        (lambda: attr.signup.when(last=days(3), next=days(4)), "do not make one window"),
        (lambda: event.visit.then(event.visit).then_not(event.visit).then(event.visit), "last step"),
        (((attr.orders > 4) & attr.consent).ignoring_case, "single condition"),
        (lambda: days(-1), "not negative"),
        (lambda: build.top("ten", by=attr.orders), "10%"),
        (lambda: attr.location.within(3, "feet", of=(1, 2)), "'m', 'km' or 'mi'"),
        (lambda: param("a b"), "letters, digits"),
        (lambda: build.at_least(1), "needs conditions"),
    ],
)
def test_misuse_is_a_type_error_that_says_what_to_write(misuse: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        misuse()
    assert isinstance(caught.value, sk.SegmentKitError)
    assert message in str(caught.value)


def test_a_property_outside_of_its_event_is_refused_when_checked() -> None:
    with pytest.raises(sk.DefinitionError):
        build.resolve(prop.orders > 4, SHOP, "contact")


def test_an_expression_of_any_length_ends_in_an_error_of_the_library() -> None:
    expression: Any = attr.orders > 4
    with pytest.raises(sk.LimitError):
        build.resolve(build.all_of([expression] * 10_001), SHOP, "contact")
    for _ in range(15):
        expression = expression | expression
    with pytest.raises(sk.LimitError):
        expression | expression
    deep: Any = attr.orders
    for _ in range(1_000):
        deep = -deep
    with pytest.raises(sk.LimitError):
        build.resolve(deep > 1, SHOP, "contact")


@pytest.mark.parametrize("text", FILTERS)
def test_each_filter_of_the_table_can_be_built(text: str) -> None:
    tree = sk.parse(text, SHOP, on="contact")
    assert build.resolve(built(tree), SHOP, "contact") == tree


HUGE = 10**5_000
"""A number that Python itself refuses to write."""


@pytest.mark.parametrize(
    "make",
    [
        lambda: build.attr.orders == HUGE,
        lambda: build.at_least(HUGE, build.attr.consent),
        lambda: build.at_least(-HUGE, build.attr.consent),
        lambda: build.top(HUGE, by=build.attr.orders),
        lambda: build.attr.signup.when(last=build.days(HUGE)),
        lambda: build.attr.signup.when(last=(HUGE, "months")),
        lambda: build.attr[HUGE],  # type: ignore[index]
        lambda: build.sample(HUGE),  # type: ignore[arg-type]
        lambda: build.any_of(build.attr.consent),  # type: ignore[arg-type]
        lambda: build.all_of(build.attr.orders > 4),
    ],
)
def test_misuse_is_an_error_of_the_library_whatever_stands_there(make: Any) -> None:
    with pytest.raises(sk.FilterTypeError) as caught:
        make()
    assert len(str(caught.value)) < 300

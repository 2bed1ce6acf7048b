"""react-querybuilder and JsonLogic: what both sides can say goes both ways, the rest is listed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import segmentkit as sk
from segmentkit.forms import jsonlogic, querybuilder
from tests.forms.shop import FILTERS, SHOP

FORMS = {
    "querybuilder": (querybuilder.from_querybuilder, querybuilder.to_querybuilder),
    "jsonlogic": (jsonlogic.from_jsonlogic, jsonlogic.to_jsonlogic),
}


def rule(field: str, operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"combinator": "and", "rules": [{"field": field, "operator": operator, "value": value, **more}]}


# --------------------------------------------------------------------------- both ways

SAYABLE = {
    "querybuilder": 35,
    "jsonlogic": 37,
}


@pytest.mark.parametrize("form", FORMS)
def test_what_can_be_said_comes_back_with_the_same_meaning(form: str) -> None:
    """Each filter of the table either comes back, or is refused; how many come back is written down."""
    read, write = FORMS[form]
    came_back = 0
    for text in FILTERS:
        tree = sk.parse(text, SHOP, on="contact")
        try:
            document = write(tree)
        except sk.FormError:
            continue
        document = json.loads(json.dumps(document, allow_nan=False))
        assert sk.normalize(read(document, SHOP, "contact")) == sk.normalize(tree), text
        came_back += 1
    assert came_back == SAYABLE[form]


def test_what_cannot_be_said_is_listed_at_once() -> None:
    tree = sk.parse(
        'orders > 4 and (did purchase or country = "pl" ignoring case) and last_visit more than 40 days ago',
        SHOP,
        on="contact",
    )
    for name, (_, write) in FORMS.items():
        with pytest.raises(sk.FormError) as caught:
            write(tree)
        assert [problem.pointer for problem in caught.value.problems] == [
            "/filter/items/1/items/0",
            "/filter/items/1/items/1",
            "/filter/items/2",
        ]
        assert "cannot say 'did purchase'" in str(caught.value), name
        assert "it cannot ignore case" in str(caught.value)
        assert "windows that move with time" in str(caught.value)


# --------------------------------------------------------------------- react-querybuilder


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"combinator": "and", "rules": []}, "true"),
        ({"combinator": "and", "rules": [], "not": True}, "not true"),
        (rule("orders", ">", "4"), "orders > 4"),
        (rule("orders", "=", 4.0), "orders = 4.0"),
        (rule("revenue", ">=", "19.90"), "revenue >= 19.9"),
        (rule("orders", "between", "2,5"), "orders between 2 and 5"),
        (rule("orders", "notBetween", [2, 5]), "not orders between 2 and 5"),
        (rule("country", "in", "PL, DE"), 'country in ("PL", "DE")'),
        (rule("country", "notIn", ["PL"]), 'country not in ("PL")'),
        (rule("email", "contains", "@"), 'email contains "@"'),
        (rule("email", "doesNotBeginWith", "a"), 'not email starts with "a"'),
        (rule("email", "endsWith", ".pl"), 'email ends with ".pl"'),
        (rule("tags", "contains", "vip"), 'tags has "vip"'),
        (rule("tags", "doesNotContain", "vip"), 'not tags has "vip"'),
        (rule("email", "null"), "email is missing"),
        (rule("email", "notNull"), "email is known"),
        (rule("tags", "null"), "tags is empty"),
        (rule("consent", "=", True), "consent"),
        (rule("consent", "!=", "true"), "not consent"),
        (rule("signup", "<", "2026-01-01"), "signup < 2026-01-01"),
        (rule("signup", ">=", "2026-01-01T00:00:00Z"), "signup >= 2026-01-01T00:00:00Z"),
        (rule("plan", "=", "pro"), 'plan = "pro"'),
        (rule("shipping_country", "!=", "country", valueSource="field"), "shipping_country != country"),
        (rule("company.industry", "=", "SaaS"), 'company.industry = "SaaS"'),
        (rule("utm.source", "=", "mail", id="x", path=[0]), '`utm.source` = "mail"'),
        (
            {"rules": [rule("orders", ">", 1), "or", rule("orders", "<", 0), "and", rule("visits", ">", 2)]},
            "orders > 1 or orders < 0 and visits > 2",
        ),
        (
            {"combinator": "OR", "rules": [rule("orders", ">", 1), {**rule("orders", "<", 0), "muted": True}]},
            "orders > 1",
        ),
        ({**rule("country", "=", '" or true or "'), "not": True}, r'country != "\" or true or \""'),
    ],
)
def test_rules_are_read(document: Any, text: str) -> None:
    assert querybuilder.from_querybuilder(document, SHOP, "contact") == sk.parse(text, SHOP, on="contact")


@pytest.mark.parametrize(
    ("document", "pointer", "message"),
    [
        (None, "", "expected a group"),
        ({"rules": None}, "/rules", "expected a list of rules, found null"),
        ({"combinator": "xor", "rules": []}, "/combinator", "expected 'and' or 'or'"),
        ({"combinator": "and", "rules": [], "not": "yes"}, "/not", "true or false"),
        ({"combinator": "and", "rules": [7]}, "/rules/0", "expected a rule or a group, found 7"),
        ({"combinator": "and", "rules": [], "rule": []}, "", "did you mean 'rules'?"),
        (rule("ordrs", ">", 4), "/rules/0/field", "did you mean 'orders'?"),
        (rule("company.sise", ">", 4), "/rules/0/field", "unknown attribute 'sise' of 'company'"),
        (rule("deals.value", ">", 4), "/rules/0/field", "unknown attribute"),
        (rule("orders", "=>", 4), "/rules/0/operator", "unknown operator '=>'"),
        (rule("orders", ">", "four"), "/rules/0/value", "expected an integer, found 'four'"),
        (rule("orders", ">", True), "/rules/0/value", "expected an integer, found true"),
        (rule("orders", ">", float("nan")), "/rules/0/value", "NaN"),
        (rule("orders", "between", [1, 2, 3]), "/rules/0/value", "expected 2 values"),
        (rule("plan", "=", "enterprise"), "/rules/0/value", "expected one of 'free', 'pro'"),
        (rule("consent", "=", 1), "/rules/0/value", "expected true or false"),
        (rule("signup", "<", "yesterday"), "/rules/0/value", "not an instant"),
        (rule("tags", "beginsWith", "v"), "/rules/0/value", "tests text"),
        (rule("tags", "=", "v"), "/rules/0/value", "does not compare a set"),
        (rule("country", "in", ""), "/rules/0/value", "expected a list"),
        (rule("orders", ">", "x", valueSource="sql"), "/rules/0/valueSource", "'value' or 'field'"),
        ({"rules": [rule("orders", ">", 1), "or"]}, "/rules", "missing behind the last combinator"),
        ({"rules": [rule("orders", ">", 1), "xor", rule("orders", ">", 2)]}, "/rules/1", "'and' or 'or' between"),
    ],
)
def test_rules_that_are_none_are_refused_by_their_place(document: Any, pointer: str, message: str) -> None:
    _refused(querybuilder.from_querybuilder, document, pointer, message)


# ------------------------------------------------------------------------------ JsonLogic

VAR = {"var": "orders"}


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (True, "true"),
        (False, "false"),
        ({"var": "consent"}, "consent"),
        ({"!": {"var": "consent"}}, "not consent"),
        ({"!!": [{"var": ["consent"]}]}, "consent"),
        ({">": [VAR, 4]}, "orders > 4"),
        ({"<": [4, VAR]}, "4 < orders"),
        ({"===": [VAR, 4]}, "orders = 4"),
        ({"!=": [VAR, 4]}, "orders != 4"),
        ({"<=": [1, VAR, 5]}, "orders between 1 and 5"),
        ({"<": [1, VAR, 5]}, "1 < orders and orders < 5"),
        ({"==": [VAR, None]}, "orders is missing"),
        ({"!=": [None, VAR]}, "orders is known"),
        ({"!=": [{"var": "tags"}, None]}, "tags is not empty"),
        ({"in": [{"var": "country"}, ["PL", "DE"]]}, 'country in ("PL", "DE")'),
        ({"in": ["@", {"var": "email"}]}, 'email contains "@"'),
        ({"in": ["vip", {"var": "tags"}]}, 'tags has "vip"'),
        ({"startsWith": [{"var": "email"}, "a"]}, 'email starts with "a"'),
        ({">": [{"+": [VAR, 1, {"*": [2, {"var": "visits"}]}]}, 4]}, "orders + 1 + 2 * visits > 4"),
        ({">": [{"-": [VAR]}, {"-": [VAR, {"-": [VAR, 1]}]}]}, "-orders > orders - (orders - 1)"),
        ({"and": [{">": [VAR, 4]}, {"or": [{"var": "consent"}, False]}]}, "orders > 4 and (consent or false)"),
        ({"==": [{"var": "company.industry"}, "SaaS"]}, 'company.industry = "SaaS"'),
        ({"<": [{"var": "signup"}, "2026-01-01T00:00:00Z"]}, "signup < 2026-01-01T00:00:00Z"),
        ({"==": [{"var": "country"}, {"var": "shipping_country"}]}, "country = shipping_country"),
    ],
)
def test_logic_is_read(document: Any, text: str) -> None:
    assert jsonlogic.from_jsonlogic(document, SHOP, "contact") == sk.parse(text, SHOP, on="contact")


@pytest.mark.parametrize(
    ("document", "pointer", "message"),
    [
        (None, "", "expected a condition, found null"),
        (4, "", "expected a condition, found 4"),
        ({}, "", "one operator, found one with 0 keys"),
        ({"and": [], "or": []}, "", "found one with 2 keys"),
        ({"and": []}, "/and", "joins one condition or more"),
        ({"if": [True, True, False]}, "/if", "no way to say the operator 'if'"),
        ({"starstWith": [VAR, 4]}, "/starstWith", "did you mean 'startsWith'?"),
        ({"!": []}, "/!", "takes 1 operand, found 0"),
        ({">": [VAR]}, "/>", "takes 2 operands, found 1"),
        ({">": [1, 2]}, "/>", "constants only"),
        ({">": [VAR, None]}, "/>", "null is compared with '=='"),
        ({">": [VAR, "x"]}, "/>/1", "expected an integer, found 'x'"),
        ({">": [VAR, [1]]}, "/>/1", "a list stands behind 'in' only"),
        ({">": [{"max": [VAR, 1]}, 1]}, "/>/0/max", "no way to say the value 'max'"),
        ({">": [{"+": [{"var": "country"}, 1]}, 1]}, "/>/0/+", "takes numbers"),
        ({">": [{"/": [1, 2, 3]}, VAR]}, "/>/0/~1", "takes two numbers"),
        ({"var": "orders"}, "/var", "stands alone is true or false"),
        ({"var": ["consent", True]}, "/var", "no default"),
        ({"var": "consnt"}, "/var", "did you mean 'consent'?"),
        ({"var": 7}, "/var", "expected the name"),
        ({"in": [VAR, []]}, "/in", "not empty"),
        ({"in": ["a", VAR]}, "/in/0", "parts are those of text"),
        ({"startsWith": ["a", "b"]}, "/startsWith", "a variable and a text"),
    ],
)
def test_logic_that_is_none_is_refused_by_its_place(document: Any, pointer: str, message: str) -> None:
    _refused(jsonlogic.from_jsonlogic, document, pointer, message)


def _refused(read: Callable[..., Any], document: Any, pointer: str, message: str) -> None:
    with pytest.raises(sk.FormError) as caught:
        read(document, SHOP, "contact")
    shown = {problem.pointer: f"{problem.message}\n{problem.hint}" for problem in reversed(caught.value.problems)}
    assert pointer in shown, shown
    assert message in shown[pointer]


# ---------------------------------------------------------------------------- strangers


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("depth", [250, 100_000])
def test_depth_is_limited_and_never_the_stack(form: str, depth: int) -> None:
    document: Any = True
    for _ in range(depth):
        document = {"!": [document]} if form == "jsonlogic" else {"combinator": "and", "rules": [document]}
    with pytest.raises(sk.LimitError):
        FORMS[form][0](document, SHOP, "contact")
    lists: Any = []
    for _ in range(depth):
        lists = [lists]
    with pytest.raises(sk.LimitError):
        FORMS[form][0]({"rules": lists}, SHOP, "contact")


@pytest.mark.parametrize("form", FORMS)
def test_an_unknown_object_type_is_reported(form: str) -> None:
    with pytest.raises(sk.UnknownNameError, match="contakt"):
        FORMS[form][0](True, SHOP, "contakt")


@pytest.mark.parametrize("form", FORMS)
def test_a_filter_nested_as_deep_as_may_be_goes_both_ways(form: str) -> None:
    text = "(orders > 1 and " * 90 + "(orders > 2 or " * 90 + "consent" + ")" * 180
    tree = sk.parse(text, SHOP, on="contact")
    assert tree is not None
    read, write = FORMS[form]
    alternating = sk.parse("(orders > 1 and (orders > 2 or " * 90 + "consent" + "))" * 90, SHOP, on="contact")
    assert read(write(alternating), SHOP, "contact") == alternating

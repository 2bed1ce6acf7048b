"""JSON: every node comes and goes, strangers' documents are refused by place, the published schema agrees."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest

import segmentkit as sk
from segmentkit import forms
from segmentkit.dsl import predicates as p
from segmentkit.forms import _english, _json, _normal, _publish, _shapes
from tests.forms.shop import FILTERS, SHOP

GOLDEN = Path(__file__).parent / "golden.json"
PUBLISHED = Path(forms.__file__).parent / "filter.schema.json"


def filter_of(node: Any) -> dict[str, Any]:
    return {"version": 1, "filter": node}


def literal(value: Any, kind: Any = "integer") -> dict[str, Any]:
    return {"node": "literal", "value": value, "type": kind}


ORDERS = {"node": "attribute", "name": "orders", "type": "integer"}


def compared(right: Any, **changes: Any) -> dict[str, Any]:
    return {"node": "compare", "operator": "=", "left": ORDERS, "right": right} | changes


# ------------------------------------------------------------------------------ every node


def test_every_class_of_nodes_is_in_every_form() -> None:
    """A new node is declared in `predicates` and shows up here until each form knows it."""
    nodes = set(get_args(p.Node))
    assert nodes <= set(_shapes.shapes())
    assert set(_english.PHRASES) == nodes
    assert set(_normal.RULES) == set(_shapes.shapes())


def test_every_class_of_nodes_is_in_a_filter_of_the_table() -> None:
    found = {type(node) for text in FILTERS for node in p.iter_nodes(sk.parse(text, SHOP, on="contact"))}
    assert set(get_args(p.Node)) - found == set()


@pytest.mark.parametrize("text", FILTERS)
def test_each_filter_comes_back_from_json(text: str) -> None:
    tree = sk.parse(text, SHOP, on="contact")
    document = json.loads(json.dumps(sk.to_json(tree)))
    assert sk.from_json(document) == tree
    assert sk.from_json(document, SHOP, "contact") == tree


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = sk.forms.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("text", FILTERS)
def test_the_published_schema_accepts_what_is_written(text: str, validator: Any) -> None:
    validator.validate(sk.to_json(sk.parse(text, SHOP, on="contact")))


def test_the_published_schema_is_the_one_of_the_code() -> None:
    made = json.dumps(_publish.published_schema(), indent=2) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        PUBLISHED.write_text(made, encoding="utf-8")
    assert PUBLISHED.read_text("utf-8") == made


def test_documents_stay_as_they_are() -> None:
    """Golden documents: hosts store them, so a change here needs a new version."""
    made = {text: sk.to_json(sk.parse(text, SHOP, on="contact")) for text in FILTERS}
    if os.environ.get("UPDATE_SNAPSHOTS"):
        GOLDEN.write_text("".join(json.dumps({text: made[text]}) + "\n" for text in FILTERS), encoding="utf-8")
    lines = GOLDEN.read_text("utf-8").splitlines()
    assert {key: value for line in lines for key, value in json.loads(line).items()} == made


def test_a_form_takes_trees_only() -> None:
    for function in (sk.to_json, sk.to_english, sk.normalize):
        with pytest.raises(sk.FilterTypeError, match="parse the text first"):
            function("orders > 4")  # type: ignore[arg-type]


# -------------------------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("document", "pointer", "message"),
    [
        (None, "", "expected an object"),
        ([], "", "found a list"),
        ({"version": 1}, "", "no 'filter'"),
        ({"filter": {"node": "constant", "value": True}}, "", "no 'version'"),
        ({"version": 2, "filter": {"node": "constant", "value": True}}, "/version", "expected version 1, found 2"),
        ({"version": True, "filter": {}}, "/version", "found true"),
        ({"version": 1, "filter": {"node": "constant", "value": True}, "fliter": 1}, "", "did you mean 'filter'?"),
        (filter_of({}), "/filter", "kind of node is missing"),
        (filter_of({"node": 7}), "/filter/node", "unknown node 7"),
        (filter_of({"node": "compere"}), "/filter/node", "did you mean 'compare'?"),
        (filter_of(ORDERS), "/filter", "expected a condition, found 'attribute'"),
        (filter_of("orders > 4"), "/filter", "expected a condition as an object"),
        (filter_of({"node": "constant", "value": 1}), "/filter/value", "expected true or false, found 1"),
        (filter_of({"node": "constant", "value": True, "valeu": 1}), "/filter", "unknown key 'valeu' of 'constant'"),
        (filter_of(compared(literal(4), operator="!=")), "/filter/operator", "expected one of '=', '<'"),
        (filter_of(compared(literal("4"), ignoring_case=None)), "/filter/ignoring_case", "expected true or false"),
        (filter_of(compared(literal("x"))), "/filter/right/value", "expected an integer"),
        (filter_of(compared(literal(4.0))), "/filter/right/value", "expected an integer"),
        (filter_of(compared(literal(True))), "/filter/right/value", "expected an integer"),
        (filter_of(compared(literal(float("nan"), "number"))), "/filter/right/value", "NaN"),
        (filter_of(compared(literal(19.9, "decimal"))), "/filter/right/value", "a decimal in quotes"),
        (filter_of(compared(literal("1e9", "decimal"))), "/filter/right/value", "a decimal in quotes"),
        (filter_of(compared(literal("2026-02-30", "date"))), "/filter/right/value", "not a date of the calendar"),
        (filter_of(compared(literal("2026-11-22T10:00", "instant"))), "/filter/right/value", "no time zone"),
        (filter_of(compared(literal("\ud800", "text"))), "/filter/right/value", "surrogate"),
        (filter_of(compared(literal("x", {"choice": ["a"]}))), "/filter/right/value", "expected one of 'a'"),
        (filter_of(compared(literal(4, "intger"))), "/filter/right/type", "expected a type"),
        (filter_of(compared(literal([1, 2], "point"))), "/filter/right/value", "no constants of type point"),
        (
            filter_of(compared(literal({"count": 10**9, "unit": "year"}, "duration"))),
            "/filter/right",
            "longer than 10,000 years",
        ),
        (filter_of(compared({"node": "literal", "type": "integer"})), "/filter/right", "'literal' has no 'value'"),
        (
            filter_of(compared({"node": "attribute", "name": "a` or `b", "type": "text"})),
            "/filter/right/name",
            "a name",
        ),
        (filter_of(compared({"node": "attribute", "name": "a"})), "/filter/right", "'attribute' has no 'type'"),
        (filter_of(compared(literal(4), zone="Mars/Olympus")), "/filter/zone", "unknown time zone"),
        (filter_of({"node": "and", "items": [compared(literal(4))]}), "/filter", "joins two conditions or more"),
        (filter_of({"node": "and", "items": {}}), "/filter/items", "expected a list, found an object"),
        (filter_of({"node": "or", "items": [compared(literal(4)), 3]}), "/filter/items/1", "as an object, found 3"),
        (
            filter_of({"node": "at_least", "count": 3, "items": [compared(literal(4))]}),
            "/filter",
            "never decides anything",
        ),
        (
            filter_of({"node": "within", "value": ORDERS, "distance": 1, "unit": "km", "centre": [91, 0]}),
            "/filter/centre",
            "latitude",
        ),
        (
            filter_of({"node": "in_window", "value": ORDERS, "window": {"node": "absolute"}}),
            "/filter/window",
            "expected 'calendar' or 'relative', found 'absolute'",
        ),
        (filter_of({"node": "text_test", "test": "contains", "value": ORDERS, "patterns": []}), "/filter", "is empty"),
        (filter_of({1: 2, "node": "constant", "value": True}), "/filter", "unknown key 1"),
    ],
)
def test_a_document_that_is_none_is_refused_by_its_place(document: Any, pointer: str, message: str) -> None:
    with pytest.raises(sk.FormError) as caught:
        sk.from_json(document)
    shown = {problem.pointer: f"{problem.message}\n{problem.hint}" for problem in reversed(caught.value.problems)}
    assert pointer in shown, shown
    assert message in shown[pointer]


def test_all_problems_are_reported_at_once() -> None:
    document = filter_of({"node": "or", "items": [compared(literal("x")), compared(literal("y")), {"node": "and"}]})
    with pytest.raises(sk.FormError) as caught:
        sk.from_json(document)
    pointers = {problem.pointer for problem in caught.value.problems}
    assert pointers == {"/filter/items/0/right/value", "/filter/items/1/right/value", "/filter/items/2"}
    assert str(caught.value).count("\n") >= 2


def test_a_schema_gives_names_their_types_and_checks_the_meaning() -> None:
    bare = {"node": "compare", "operator": ">", "left": {"node": "attribute", "name": "revenue"}, "right": literal(4)}
    assert sk.from_json(filter_of(bare), SHOP, "contact") == sk.parse("revenue > 4", SHOP, on="contact")
    with pytest.raises(sk.UnknownNameError, match="revenu"):
        sk.from_json(filter_of(bare | {"left": {"node": "attribute", "name": "revenu"}}), SHOP, "contact")
    with pytest.raises(sk.FilterTypeError, match="cannot compare"):
        sk.from_json(filter_of(bare | {"right": literal("4", "text")}), SHOP, "contact")


def test_schema_and_type_go_together() -> None:
    with pytest.raises(TypeError, match="together"):
        sk.from_json(filter_of({"node": "constant", "value": True}), SHOP)


# --------------------------------------------------------------------------------- limits


def nested(depth: int, tag: str = "not") -> dict[str, Any]:
    found: dict[str, Any] = {"node": "constant", "value": True}
    for _ in range(depth):
        found = {"node": "not", "item": found} if tag == "not" else {"node": "and", "items": [found, found]}
    return filter_of(found)


def test_the_depth_of_documents_is_limited_and_never_the_stack() -> None:
    sk.from_json(nested(190), SHOP, "contact")
    for depth in (210, 100_000):
        with pytest.raises(sk.LimitError) as caught:
            sk.from_json(nested(depth))
        assert caught.value.what == "depth"


def test_the_deepest_filter_comes_back() -> None:
    """What the parser takes, the reader of JSON takes too."""
    for text in ("not " * 199 + "orders != 4", "(orders > 1 and " * 99 + "(orders > 2 or " * 99 + "true" + ")" * 198):
        tree = sk.parse(text, SHOP, on="contact")
        assert sk.from_json(sk.to_json(tree), SHOP, "contact") == tree
        assert sk.normalize(tree) is not None
        assert sk.to_english(tree)


def test_the_number_of_conditions_is_limited() -> None:
    many = {"node": "or", "items": [compared(literal(n)) for n in range(10_001)]}
    with pytest.raises(sk.LimitError) as caught:
        sk.from_json(filter_of(many))
    assert caught.value.what == "conditions"
    assert len(p_items(sk.from_json(filter_of(many | {"items": many["items"][1:]})))) == 10_000


def p_items(tree: Any) -> tuple[Any, ...]:
    assert isinstance(tree, p.Or)
    return tree.items


def test_shared_parts_of_a_document_are_counted_each_time() -> None:
    """A document of Python objects may hold one object twice, and so grow without end."""
    with pytest.raises(sk.LimitError):
        sk.from_json(nested(60, "and"))


def test_the_number_of_listed_values_is_limited() -> None:
    tags = {"node": "attribute", "name": "tags", "type": "text_set"}
    test = {"node": "set_test", "quantifier": "any", "value": tags, "members": ["x"] * 100_002}
    with pytest.raises(sk.LimitError) as caught:
        sk.from_json(filter_of(test))
    assert caught.value.what == "listed values"


def test_pointers_escape_what_they_have_to() -> None:
    assert _json.pointer("a/b", "c~d", 0) == "/a~1b/c~0d/0"


@pytest.mark.parametrize(
    "node",
    [
        {},
        {"node": "constant"},
        {"node": "constant", "value": 1},
        {"node": "constant", "value": True, "valeu": 1},
        ORDERS,
        compared(literal("x")),
        compared(literal(1.5)),
        compared(literal("19.9"), operator="!="),
        compared(literal("2026-11-22", "instant")),
        compared({"node": "attribute", "name": "a`b", "type": "text"}),
        {"node": "and", "items": []},
        {"node": "within", "value": ORDERS, "distance": 1, "unit": "feet", "centre": [1, 2]},
        {"node": "within", "value": ORDERS, "distance": 1, "unit": "km", "centre": [91, 2]},
    ],
)
def test_the_published_schema_refuses_what_the_reader_refuses(node: Any, validator: Any) -> None:
    assert not validator.is_valid(filter_of(node))
    with pytest.raises(sk.FormError):
        sk.from_json(filter_of(node))

"""The description of a schema is plain data, and each of its templates is a filter once filled in."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from segmentkit.dsl import parse
from segmentkit.editor import describe
from tests.dsl.shop import SCHEMA

DESCRIBED = describe(SCHEMA)
CONTACT = DESCRIBED["types"]["contact"]

CONSTANTS = {
    "text": '"PL"', "choice": '"free"', "integer": "3", "number": "2.5", "decimal": "8.50", "boolean": "true",
    "instant": "2026-11-22T10:00:00Z", "date": "2026-11-22",
}  # fmt: skip
OPERANDS = {
    "text": '"a"', "texts": '"a", "b"', "pattern": '"a.*b"', "count": "2", "length": "40 days", "distance": "25 km",
    "point": "(52.23, 21.01)", "points": "(1, 2), (3, 4), (5, 1)", "south": "50", "west": "20",
    "north": "53", "east": "22", "time": "2026-11-22", "day": "today",
    "calendar_unit": "month", "calendar_units": "months", "event": "purchase",
}  # fmt: skip


def filled(template: str, value: str = "", kind: str = "text") -> str:
    """Return a template with something that fits in each place."""
    constant = CONSTANTS.get(kind, "")
    fitting = {**OPERANDS, "value": value, "constant": constant, "constants": f"{constant}, {constant}"}
    return re.sub(r"\{(\w+)\}", lambda place: fitting[place[1]], template)


def asked() -> list[tuple[str, dict[str, Any], str]]:
    return [(name, field, op) for name, field in CONTACT["attributes"].items() for op in field["operators"]]


@pytest.mark.parametrize(("name", "field", "operator"), asked())
def test_each_operator_of_each_attribute_is_a_filter(name: str, field: dict[str, Any], operator: str) -> None:
    if operator == "matches":
        pytest.importorskip("re2")
    parse(filled(DESCRIBED["operators"][operator]["template"], field["text"], field["type"]), SCHEMA, "contact")


@pytest.mark.parametrize("operator", [op for op in DESCRIBED["operators"] if op != "matches"])
def test_each_operator_of_each_property_is_a_filter(operator: str) -> None:
    template = DESCRIBED["operators"][operator]["template"]
    for field in CONTACT["events"]["purchase"]["properties"].values():
        if operator in field["operators"]:
            parse(f"did purchase[{filled(template, field['text'], field['type'])}]", SCHEMA, "contact")


@pytest.mark.parametrize("count", DESCRIBED["counts"].values())
@pytest.mark.parametrize("window", ["", *DESCRIBED["windows"].values()])
def test_each_count_goes_with_each_window(count: str, window: str) -> None:
    parse(filled(f"{count} {window}"), SCHEMA, "contact")


@pytest.mark.parametrize("function", DESCRIBED["functions"])
def test_each_function_takes_the_values_that_it_says(function: str) -> None:
    entry = DESCRIBED["functions"][function]
    for field in CONTACT["attributes"].values():
        if field["type"] in entry["of"]:
            value = filled(entry["template"], field["text"], field["type"])
            parse(f"{value} is known", SCHEMA, "contact")


@pytest.mark.parametrize("event", CONTACT["events"])
def test_each_aggregate_of_each_property_is_a_value(event: str) -> None:
    entry = CONTACT["events"][event]
    for name in entry["aggregates"]:
        parse(f"{name}({entry['text']}) is known", SCHEMA, "contact")
    for field in entry["properties"].values():
        for name in field["aggregates"]:
            parse(f"{name}({entry['text']}.{field['text']}) is known", SCHEMA, "contact")


def test_the_description_is_plain_data() -> None:
    assert json.loads(json.dumps(DESCRIBED)) == DESCRIBED


def test_every_operand_of_a_template_is_explained() -> None:
    templates = [entry["template"] for entry in DESCRIBED["operators"].values()]
    templates += [*DESCRIBED["counts"].values(), *DESCRIBED["windows"].values()]
    named = {name for template in templates for name in re.findall(r"\{(\w+)\}", template)} - {"value"}
    assert named == set(DESCRIBED["operands"])


def test_types_have_attributes_events_and_relations() -> None:
    assert set(DESCRIBED["types"]) == {"contact", "company", "deal"}
    assert CONTACT["attributes"]["plan"]["choices"] == ["free", "pro", "enterprise"]
    assert CONTACT["attributes"]["last order"]["text"] == "`last order`"
    assert CONTACT["relations"]["deals"] == {"text": "deals", "to": "deal", "cardinality": "many"}

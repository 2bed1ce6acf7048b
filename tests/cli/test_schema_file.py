from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from segmentkit.cli._failure import Failure
from segmentkit.cli._schema_file import read_schema, schema_from
from segmentkit.errors import SchemaError
from segmentkit.schema import many, one
from segmentkit.values import choice, decimal, text, text_set

FULL = """
zone = "Europe/Warsaw"

[types.contact.attributes]
email = "text"
tags = "text_set"
plan = ["free", "pro"]

[types.contact.events.purchase]
amount = "decimal"

[types.contact.events.login]

[types.contact.relations]
company = { one = "company" }
deals = { many = "deal", via = "contact" }

[types.company]

[types.deal.relations.contact]
one = "contact"
"""


def test_a_schema_file_declares_everything_a_schema_can_hold() -> None:
    schema = schema_from(tomllib.loads(FULL))
    contact = schema.type("contact")
    assert schema.zone == "Europe/Warsaw"
    assert dict(contact.attributes) == {"email": text, "tags": text_set, "plan": choice("free", "pro")}
    assert {name: dict(event.properties) for name, event in contact.events.items()} == {
        "purchase": {"amount": decimal},
        "login": {},
    }
    assert dict(contact.relations) == {"company": one("company"), "deals": many("deal", via="contact")}


@pytest.mark.parametrize(
    ("text_of_file", "message"),
    [
        ("", "no object types"),
        ("[types.contact.attributes]\norders = 'intger'", "did you mean 'integer'"),
        ("[types.contact.attributes]\norders = 5", "types.contact.attributes.orders: expected one of text"),
        ("[types.contact.attributes]\nplan = []", "types.contact.attributes.plan: a choice needs"),
        ("[types.contact.attribute]\norders = 'integer'", "unknown key 'attribute'; did you mean 'attributes'"),
        ("[type.contact]", "unknown key 'type'; did you mean 'types'"),
        ("[types]\ncontact = 'x'", "types.contact: expected a table"),
        ("[types.contact.relations]\ncompany = 'company'", "expected { one = TYPE }"),
        ("[types.contact.relations]\ncompany = { one = 'company' }", "'company', which is not declared"),
        ("zone = 'Mars/Base'\n[types.contact]", "unknown time zone 'Mars/Base'"),
        ("zone = 5\n[types.contact]", "unknown time zone 5"),
    ],
)
def test_a_mistake_in_a_schema_file_names_the_file_and_the_place(
    tmp_path: Path, text_of_file: str, message: str
) -> None:
    path = tmp_path / "schema.toml"
    path.write_text(text_of_file)
    with pytest.raises(SchemaError) as caught:
        read_schema(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_a_file_that_is_not_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "schema.toml"
    path.write_text("zone = \n")
    with pytest.raises(Failure, match="line 1"):
        read_schema(path)


@pytest.mark.parametrize(
    "text_of_file",
    ["zone = " + "[" * 100_000, "zone = " + "[" * 400 + "]" * 400, "x = {" * 5_000, "types." + "a." * 5_000 + "a = 1"],
    ids=["open lists", "lists", "open tables", "dotted keys"],
)
def test_a_file_that_is_nested_without_end_is_refused(tmp_path: Path, text_of_file: str) -> None:
    path = tmp_path / "schema.toml"
    path.write_text(text_of_file)
    with pytest.raises(Failure, match=r"schema\.toml: .*deep"):
        read_schema(path)

"""What fuzzing starts from: the schemas of the tests, and every filter of the language's data files and snapshots."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

import segmentkit as sk
from tests.dsl import related, shop
from tests.forms import shop as forms_shop
from tests.language.test_language import SCHEMA as LANGUAGE
from tests.language.test_relations import SCHEMA as RELATIONS

__all__ = ["CORPUS", "FILTERS", "SCHEMAS", "SEGMENTS", "Seed", "corpus", "words_of"]

TESTS: Final = Path(__file__).parent.parent
CORPUS: Final = Path(__file__).with_name("corpus")

SCHEMAS: Final[Mapping[str, sk.Schema]] = {
    "shop": shop.SCHEMA,
    "related": related.SCHEMA,
    "forms": forms_shop.SHOP,
    "language": LANGUAGE,
    "relations": RELATIONS,
}
SEGMENTS: Final[Mapping[str, Mapping[str, str]]] = {
    "related": related.SEGMENTS,
    "relations": {"Loyal": "contact", "Enterprise": "company", "Open": "deal"},
    "forms": {"High value": "contact"},
    "shop": {"Loyal": "contact"},
    "language": {"Loyal": "contact"},
}
"""Segments that exist in each schema, with their object types."""


@attrs.frozen
class Seed:
    """A text, often a good filter, and what it is about."""

    schema: str
    on: str
    text: str


def _claims() -> Iterator[Seed]:
    for path in sorted((TESTS / "language").glob("*.toml")):
        schema = "relations" if path.stem == "relations" else "language"
        for claim in tomllib.loads(path.read_text("utf-8"))["claim"]:
            texts = [*claim.get("true", ()), *claim.get("false", ()), *claim.get("members", ())]
            texts += [claim["filter"]] if "filter" in claim else []
            for text in texts:
                yield Seed(schema, claim.get("on", "contact"), text)


def _malformed() -> Iterator[Seed]:
    for name, schema in (("malformed", "shop"), ("malformed_relations", "related")):
        text = (TESTS / "snapshots" / f"{name}.txt").read_text("utf-8")
        for quoted in dict.fromkeys(re.findall(r"(?m)^    (.*\S.*)\n *\^", text)):
            yield Seed(schema, "contact", quoted)


_BY_HAND: Final = (
    Seed("related", "company", "any children[any children[size > 3] and parent[size > 4]]"),
    Seed("related", "company", "count(contacts[did visit in the last 1 month]) >= 2 or in segment 'Enterprise'"),
    Seed("related", "company", "top 2 of (any contacts[consent]) by sum(contacts.ltv) per industry with ties"),
    Seed("related", "contact", "in segment 'Loyal' and company[in segment 'Enterprise'] and not in segment 'Lapsed'"),
    Seed("related", "contact", "entered segment 'Lapsed' in the last 2 days or was ever in segment 'Loyal'"),
    Seed("related", "contact", "signup in the last 2 months or now - 1 month > signup or signup + 1 year < now"),
    Seed(
        "related", "deal", "contact[company.size * 2 > object.contact.orders] or contact.company.parent.size is missing"
    ),
)
FILTERS: Final[tuple[Seed, ...]] = (
    *(Seed("forms", "contact", text) for text in forms_shop.FILTERS),
    *_claims(),
    *_malformed(),
    *_BY_HAND,
)


_VALUES: Final = (
    *("0", "1", "3", "-1", "0.1", "100%", "1_000", "9007199254740993", "1" + "0" * 30, "0." + "0" * 30 + "1"),
    *("9223372036854775808", "999999999", "10000", '"PL"', "'x'", '""', '"İ"', '"\\u0000"', '"Loyal"', '"[a-z]+"'),
    *("1 day", "2 months", "1 year", "90 minutes", "9999 years", "0 days", "10000 years", "119988 months"),
    *("2026-11-22", "0001-01-01", "9999-12-31", "2024-02-29", "2026-11-22T10:00:00Z", "9999-12-31T23:59:59.999999Z"),
    *("0001-01-01T00:00:00Z", "0001-01-31T12:00Z", "2026-03-29T02:30+01:00", "now", "today", "yesterday"),
    *("in the last 1 month", "in last month", "in this year", "in the next 3 calendar months", "anniversary today"),
    *('in zone "America/New_York"', 'in zone "Asia/Kathmandu"', 'in zone "Pacific/Apia"', "ignoring case"),
    *("more than 1 month ago", "between 1 and 2 months ago", "at least 9999 years from now", "(52.2, 21.0)", "$x"),
    *(
        "(",
        ")",
        "[",
        "]",
        ",",
        ".",
        "and",
        "or",
        "not",
        "=",
        "!=",
        "<",
        ">=",
        "+",
        "-",
        "*",
        "/",
        "object.",
        "\n",
        "# c",
    ),
    *(
        "is missing",
        "is known",
        "is empty",
        "then not visit within 1 day",
        "did",
        "did not",
        "per",
        "with ties",
        "\u0301",
    ),
)


def words_of(schema: str) -> list[str]:
    """Return what may be put into a filter over a schema: its names, values of all types, words of the grammar."""
    names: set[str] = set()
    for declared in SCHEMAS[schema].types.values():
        names |= {declared.name, *declared.attributes, *declared.events, *declared.relations}
        for event in declared.events.values():
            names |= set(event.properties)
    written = [name if name.isidentifier() else f"`{name}`" for name in sorted(names)]
    return [*written, *_VALUES, *_keywords()]


def _keywords() -> list[str]:
    grammar = (Path(sk.__file__).parent / "dsl" / "grammar.lark").read_text("utf-8")
    return sorted(set(re.findall(r'"([a-z]+)"', grammar)))


def corpus() -> list[tuple[str, dict[str, Any]]]:
    """Return the kept cases by name."""
    return [(path.stem, json.loads(path.read_text("utf-8"))) for path in sorted(CORPUS.glob("*.json"))]

"""The schema that the tests of related objects share: contacts, their company, their deals."""

from __future__ import annotations

from typing import Any

import segmentkit as sk
from segmentkit.dsl.predicates import Predicate

SCHEMA = sk.Schema(
    sk.ObjectType(
        "contact",
        attributes={
            "country": sk.text,
            "orders": sk.integer,
            "ltv": sk.decimal,
            "signup": sk.instant,
            "consent": sk.boolean,
            "tags": sk.text_set,
            "place": sk.point,
        },
        events={"visit": {"pages": sk.integer}},
        relations={"company": sk.one("company"), "deals": sk.many("deal", via="contact")},
    ),
    sk.ObjectType(
        "company",
        attributes={"industry": sk.text, "size": sk.integer},
        events={"login": {"minutes": sk.integer}},
        relations={
            "parent": sk.one("company"),
            "children": sk.many("company", via="parent"),
            "contacts": sk.many("contact", via="company"),
        },
    ),
    sk.ObjectType(
        "deal",
        attributes={"value": sk.decimal, "stage": sk.text},
        relations={"contact": sk.one("contact")},
    ),
)
SEGMENTS = {"Loyal": "contact", "Lapsed": "contact", "Enterprise": "company"}


def read(text: str, on: str = "contact", **params: Any) -> Predicate:
    """Return the tree of a filter that may refer to the `SEGMENTS`."""
    return sk.parse(text, SCHEMA, on, params, segments=SEGMENTS)

"""The schema that the tests of the language share: contacts of a shop, their visits and purchases."""

from __future__ import annotations

from typing import Any

from segmentkit import schema as s, values as v
from segmentkit.dsl import parse
from segmentkit.dsl.predicates import Predicate

SCHEMA = s.Schema(
    s.ObjectType(
        "contact",
        attributes={
            "email": v.text,
            "country": v.text,
            "shipping_country": v.text,
            "orders": v.integer,
            "visits": v.integer,
            "spend": v.number,
            "ltv": v.decimal,
            "total_order_value": v.decimal,
            "email_marketing_consent": v.boolean,
            "last_visit": v.instant,
            "signup": v.instant,
            "birthday": v.date,
            "tags": v.text_set,
            "location": v.point,
            "plan": v.choice("free", "pro", "enterprise"),
            "last order": v.instant,
            "utm.source": v.text,
        },
        events={
            "visit": {"url": v.text, "pages": v.integer},
            "purchase": {
                "amount": v.decimal,
                "weight": v.number,
                "category": v.text,
                "due": v.date,
                "gift": v.boolean,
                "labels": v.text_set,
            },
            "sent mail": {},
        },
        relations={"company": s.one("company"), "deals": s.many("deal", via="contact")},
    ),
    s.ObjectType("company", attributes={"industry": v.text, "size": v.integer}),
    s.ObjectType("deal", attributes={"value": v.decimal}, relations={"contact": s.one("contact")}),
    zone="Europe/Warsaw",
)


def read(text: str, **params: Any) -> Predicate:
    """Return the tree of a filter over contacts."""
    return parse(text, SCHEMA, "contact", params)

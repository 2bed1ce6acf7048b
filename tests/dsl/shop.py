"""The schema that the tests of the language share: contacts of a shop, their visits and purchases."""

from __future__ import annotations

from typing import Any

from segmentkit import schema as s
from segmentkit.dsl import parse
from segmentkit.dsl.predicates import Predicate

SCHEMA = s.Schema(
    s.ObjectType(
        "contact",
        attributes={
            "email": s.text,
            "country": s.text,
            "shipping_country": s.text,
            "orders": s.integer,
            "visits": s.integer,
            "spend": s.number,
            "ltv": s.decimal,
            "total_order_value": s.decimal,
            "email_marketing_consent": s.boolean,
            "last_visit": s.instant,
            "signup": s.instant,
            "birthday": s.date,
            "tags": s.text_set,
            "location": s.point,
            "plan": s.choice("free", "pro", "enterprise"),
            "last order": s.instant,
            "utm.source": s.text,
        },
        events={
            "visit": {"url": s.text, "pages": s.integer},
            "purchase": {
                "amount": s.decimal,
                "weight": s.number,
                "category": s.text,
                "due": s.date,
                "gift": s.boolean,
                "labels": s.text_set,
            },
            "sent mail": {},
        },
        relations={"company": s.one("company"), "deals": s.many("deal", via="contact")},
    ),
    s.ObjectType("company", attributes={"industry": s.text, "size": s.integer}),
    s.ObjectType("deal", attributes={"value": s.decimal}, relations={"contact": s.one("contact")}),
    zone="Europe/Warsaw",
)


def read(text: str, **params: Any) -> Predicate:
    """Return the tree of a filter over contacts."""
    return parse(text, SCHEMA, "contact", params)

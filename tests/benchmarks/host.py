"""The workload as a host of segmentkit sees it: schema, definitions, and facts as public changes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

import segmentkit as sk
from tests.benchmarks.trees import Node, to_filter
from tests.benchmarks.vocabulary import PLANS
from tests.benchmarks.workload import START_US, AttributeChange, Change, Workload, to_datetime

T = TypeVar("T")


def make_schema(money: str = "number") -> sk.Schema:
    """Return the schema of the workload; `money` is the type of `ltv` and `amount`."""
    amount = sk.decimal if money == "decimal" else sk.number
    contact = sk.ObjectType(
        "contact",
        attributes={
            "country": sk.text,
            "plan": sk.choice(*PLANS),
            "city": sk.text,
            "age": sk.integer,
            "ltv": amount,
            "orders": sk.integer,
            "email_marketing_consent": sk.boolean,
            "tags": sk.text_set,
            "lists": sk.text_set,
            "last_visit": sk.instant,
            "location": sk.point,
            "company_size": sk.integer,
            "email": sk.text,
        },
        events={
            "page_view": {"url": sk.text},
            "purchase": {"category": sk.text, "amount": amount},
            "email_open": {},
        },
    )
    return sk.Schema(contact)


def make_engine(money: str = "number") -> tuple[sk.Engine, sk.ManualClock]:
    """Return an empty engine and its clock, which stands where the workload begins."""
    clock = sk.ManualClock(to_datetime(START_US))
    return sk.Engine(make_schema(money), clock=clock), clock


def segment_name(number: int) -> str:
    """Return the name under which a segment is defined."""
    return f"segment {number}"


def object_id(contact: int) -> str:
    """Return the id under which a contact is known."""
    return f"contact-{contact}"


def define(engine: sk.Engine, segments: Sequence[Node]) -> float:
    """Define all segments; return the seconds it took."""
    started = time.perf_counter()
    for number, segment in enumerate(segments):
        engine.define(segment_name(number), on="contact", where=to_filter(segment))
    return time.perf_counter() - started


def load_contacts(engine: sk.Engine, workload: Workload, size: int = 2_000) -> float:
    """Put all contacts, in batches; return the seconds that building the changes and applying them took."""
    contacts = ((object_id(i), public(workload.contact(i))) for i in range(workload.n_contact))
    return _load(engine, contacts, size, lambda fact: sk.Put("contact", *fact))


def load_events(engine: sk.Engine, workload: Workload, size: int = 5_000) -> float:
    """Feed all events, oldest first, in batches; return the seconds that took, as `load_contacts`."""
    facts = (
        (object_id(contact), happening.event, happening.properties, to_datetime(happening.at))
        for contact, happening in workload.iter_log()
    )
    return _load(engine, facts, size, lambda f: sk.Event("contact", f[0], f[1], f[2], at=f[3]))


def _load(engine: sk.Engine, facts: Iterable[T], size: int, to_change: Any) -> float:
    seconds = 0.0
    for batch in _batches(facts, size):
        started = time.perf_counter()
        engine.apply([to_change(fact) for fact in batch])
        seconds += time.perf_counter() - started
    return seconds


def _batches(facts: Iterable[T], size: int) -> Iterator[list[T]]:
    remaining = iter(facts)
    while batch := list(islice(remaining, size)):
        yield batch


def public(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of a contact as a host gives them."""
    visit = attributes["last_visit"]
    return attributes | {"last_visit": None if visit is None else to_datetime(visit)}


def change_arguments(change: Change) -> tuple[Any, ...]:
    """Return what `apply_change` needs: all that a host would have in hand when the change happens."""
    at = to_datetime(change.at)
    if isinstance(change, AttributeChange):
        value = to_datetime(change.value) if change.attribute == "last_visit" else change.value
        return (at, object_id(change.contact), {change.attribute: value}, None)
    return (at, object_id(change.contact), change.happening.properties, change.happening.event)


def apply_change(engine: sk.Engine, arguments: tuple[Any, ...]) -> Any:
    """Build the one change, apply it, and return its deltas."""
    at, identity, values, event = arguments
    if event is None:
        return engine.apply([sk.Update("contact", identity, values)])
    return engine.apply([sk.Event("contact", identity, event, values, at=at)])

"""What the laws have found: each bug as a small example that has a name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

import segmentkit as sk

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def engine_with(**segments: str) -> sk.Engine:
    """Return an engine over contacts with the segments."""
    contact = sk.ObjectType(
        "contact",
        attributes={"orders": sk.integer, "spend": sk.decimal},
        events={"visit": {"pages": sk.integer, "amount": sk.decimal, "labels": sk.text_set}},
    )
    engine = sk.Engine(sk.Schema(contact), clock=sk.ManualClock(NOW))
    for name, where in segments.items():
        engine.define(name, on="contact", where=where)
    return engine


SMALLEST = -(2**63)


@pytest.mark.parametrize(
    ("name", "value"),
    [("orders", SMALLEST), ("spend", Decimal(SMALLEST)), ("spend", Decimal(SMALLEST).scaleb(-2))],
    ids=["integer", "decimal", "decimal with places"],
)
def test_the_smallest_machine_integer_is_a_value_of_an_attribute(name: str, value: Any) -> None:
    """-2**63 is no sign for a missing value: comparisons see it, and it can be read back."""
    engine = engine_with(low=f"{name} < 0", missing=f"{name} is missing")
    engine.put("contact", "c1", **{name: value})
    assert (list(engine.members("low")), list(engine.members("missing"))) == (["c1"], [])
    assert list(engine.preview(on="contact", where=f"{name} < 1").members) == ["c1"]
    (fact,) = engine.iter_facts()
    assert isinstance(fact, sk.Put)
    assert fact.attributes == {name: value}
    engine.check_invariants()


@pytest.mark.parametrize(
    ("name", "value"),
    [("pages", SMALLEST), ("amount", Decimal(SMALLEST)), ("amount", Decimal(SMALLEST).scaleb(-2))],
    ids=["integer", "decimal", "decimal with places"],
)
def test_the_smallest_machine_integer_is_a_value_of_an_event(name: str, value: Any) -> None:
    """-2**63 is no sign for a missing property: aggregates see it, and the event is the same when fed again."""
    engine = engine_with(low=f"min(visit.{name}) < 0", total=f"sum(visit.{name}) < 0")
    engine.put("contact", "c1")
    event = sk.Event("contact", "c1", "visit", {name: value}, at=NOW, id="e1")
    engine.apply([event])
    assert (list(engine.members("low")), list(engine.members("total"))) == (["c1"], ["c1"])
    assert list(engine.apply([event])) == []
    engine.check_invariants()


@pytest.mark.parametrize("labels", [{}, {"labels": None}, {"labels": []}], ids=["left out", "none", "empty"])
@pytest.mark.parametrize("again", [{}, {"labels": None}, {"labels": set()}], ids=["left out", "none", "empty"])
def test_a_missing_set_is_the_same_as_an_empty_one_when_an_event_is_fed_again(
    labels: dict[str, Any], again: dict[str, Any]
) -> None:
    """An event whose set is missing is the same event as one whose set is empty, in its own batch and later."""
    engine = engine_with(visitors="did visit")
    engine.put("contact", "c1")
    first = sk.Event("contact", "c1", "visit", {"pages": 1, **labels}, at=NOW, id="e1")
    second = sk.Event("contact", "c1", "visit", {"pages": 1, **again}, at=NOW, id="e1")
    assert len(engine.apply([first, second])) == 1
    assert list(engine.apply([second])) == []


def test_a_set_without_the_wanted_member_is_outside_from_the_start() -> None:
    """A new object whose set lacks the member enters none of several segments that ask for it."""
    contact = sk.ObjectType("contact", {"tags": sk.text_set})
    engine = sk.Engine(sk.Schema(contact), clock=sk.ManualClock(NOW))
    for name in ("s", "t"):
        engine.define(name, on="contact", where='tags has "vip"')
    assert list(engine.put("contact", "c1", tags={"VIP", "new"})) == []
    engine.check_invariants()


def test_a_future_event_does_not_count_yet_in_a_filter_with_a_choice() -> None:
    """`did v ... and (A or B)` waits for v's instant, also when the plan grew after the object came."""
    contact = sk.ObjectType("contact", {"city": sk.text}, {"v": {}, "o": {}})
    engine = sk.Engine(sk.Schema(contact), clock=sk.ManualClock(NOW))
    engine.define("s", on="contact", where="did v in the last 30 days and (did o or city is missing)")
    engine.put("contact", "c1", city="Kraków")
    engine.track("contact", "c1", "v", at=NOW + timedelta(days=1))
    assert list(engine.track("contact", "c1", "o", at=NOW)) == []
    engine.check_invariants()
    (delta,) = engine.advance(to=NOW + timedelta(days=2))
    assert (delta.entered, delta.at) == (True, NOW + timedelta(days=1))


def test_dates_are_counted_at_the_epoch_too() -> None:
    """At 1970-01-01T00:00Z, where an instant is 0, a date has the age it has anywhere else."""
    contact = sk.ObjectType("contact", {"renewal": sk.date})
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    engine = sk.Engine(sk.Schema(contact), clock=sk.ManualClock(epoch))
    engine.define("s", on="contact", where="renewal more than 2 days ago")
    assert len(engine.put("contact", "c1", renewal=epoch.date() - timedelta(days=30))) == 1
    engine.check_invariants()

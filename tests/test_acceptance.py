"""The three segments that users describe in words, with their members to the microsecond."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import segmentkit as sk

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
WARSAW = (52.2297, 21.0122)

SCHEMA = sk.Schema(
    sk.ObjectType(
        "contact",
        attributes={
            "orders": sk.integer,
            "last_visit": sk.instant,
            "total_order_value": sk.decimal,
            "email_marketing_consent": sk.boolean,
            "location": sk.point,
        },
        events={
            "purchase": {"amount": sk.decimal},
            "email_opened": {"kind": sk.text},
            "email_clicked": {"kind": sk.text},
        },
    )
)

RETENTION = """
orders > 4
and last_visit more than 40 days ago
and total_order_value > 800
and email_marketing_consent
"""

VIP_LOCAL_SHOPPERS = """
location within 25 km of (52.2297, 21.0122)
and did purchase in the last 30 days
and (did email_opened[kind = "promotional"] or did email_clicked[kind = "promotional"])
"""

HIGH_VALUE_CUSTOMER = "did purchase at least 3 times or sum(purchase.amount) >= 1000"


class Host:
    """An engine with one segment, and a clock that moves with it."""

    def __init__(self, where: str, start: datetime = NOW) -> None:
        self.clock = sk.ManualClock(start)
        self.engine = sk.Engine(SCHEMA, clock=self.clock)
        self.engine.define("segment", on="contact", where=where)

    def members_at(self, instant: datetime) -> set[str]:
        """Return the members once the clock shows `instant`."""
        self.clock.set(instant)
        self.engine.advance(to=instant)
        return set(self.engine.members("segment"))


def loyal(**attributes: Any) -> dict[str, Any]:
    """Return the attributes of a contact that the retention segment is about, with changes."""
    return {
        "orders": 5,
        "last_visit": NOW - timedelta(days=40),
        "total_order_value": "800.01",
        "email_marketing_consent": True,
        **attributes,
    }


# -------------------------------------------------------------------------- retention


def test_retention_begins_one_microsecond_after_forty_days() -> None:
    """A visit exactly 40 days ago is not more than 40 days ago; a microsecond later it is."""
    host = Host(RETENTION, NOW - MICROSECOND)
    host.engine.put("contact", "c1", **loyal())
    assert host.members_at(NOW - MICROSECOND) == set()
    assert host.members_at(NOW) == set()
    assert host.members_at(NOW + MICROSECOND) == {"c1"}
    assert host.members_at(NOW + timedelta(days=400)) == {"c1"}


def test_the_delta_of_retention_carries_the_exact_instant() -> None:
    """However far the clock moves at once, the flip is at the edge of the window."""
    host = Host(RETENTION)
    host.engine.put("contact", "c1", **loyal())
    (delta,) = host.engine.advance(to=NOW + timedelta(days=3))
    assert (delta.segment, delta.object, delta.entered, delta.at) == ("segment", "c1", True, NOW + MICROSECOND)


def test_a_visit_ends_retention_for_forty_days() -> None:
    """Who visits leaves at once, and is back a microsecond after 40 days."""
    host = Host(RETENTION, NOW + timedelta(days=1))
    host.engine.put("contact", "c1", **loyal())
    assert host.members_at(NOW + timedelta(days=1)) == {"c1"}
    visit = NOW + timedelta(days=1)
    host.engine.update("contact", "c1", last_visit=visit)
    assert host.members_at(visit) == set()
    assert host.members_at(visit + timedelta(days=40)) == set()
    assert host.members_at(visit + timedelta(days=40) + MICROSECOND) == {"c1"}


@pytest.mark.parametrize(
    "changed",
    [
        {"orders": 4},
        {"orders": None},
        {"total_order_value": "800"},
        {"total_order_value": None},
        {"email_marketing_consent": False},
        {"email_marketing_consent": None},
        {"last_visit": None},
    ],
    ids=str,
)
def test_retention_needs_every_condition(changed: dict[str, Any]) -> None:
    """A contact that misses one condition, or whose value is missing, is no member."""
    host = Host(RETENTION)
    host.engine.put("contact", "c1", **loyal(**changed))
    host.engine.put("contact", "c2", **loyal())
    assert host.members_at(NOW + timedelta(days=1)) == {"c2"}


# ----------------------------------------------------------------- VIP local shoppers


def shop(host: Host, object_id: str, bought: datetime, location: tuple[float, float] = WARSAW) -> None:
    """Feed a contact who bought at `bought` and opened a promotional mail long ago."""
    host.engine.put("contact", object_id, location=location)
    host.engine.track("contact", object_id, "purchase", at=bought, amount=20)
    host.engine.track("contact", object_id, "email_opened", at=bought - timedelta(days=300), kind="promotional")


def test_local_shoppers_stay_for_thirty_days_from_the_purchase() -> None:
    """A purchase counts from its own instant for 30 days; the end is not included."""
    host = Host(VIP_LOCAL_SHOPPERS, NOW - timedelta(days=1))
    shop(host, "c1", bought=NOW)
    end = NOW + timedelta(days=30)
    assert host.members_at(NOW - MICROSECOND) == set()
    assert host.members_at(NOW) == {"c1"}
    assert host.members_at(end - MICROSECOND) == {"c1"}
    assert host.members_at(end) == set()
    assert host.members_at(end + MICROSECOND) == set()


def test_local_shoppers_live_within_the_radius() -> None:
    """25 km due north less a metre is within the radius, a metre more is not."""
    host = Host(VIP_LOCAL_SHOPPERS)
    for object_id, metres in (("inside", 24_999), ("outside", 25_001)):
        north = WARSAW[0] + math.degrees(metres / 6_371_008.8)
        shop(host, object_id, bought=NOW, location=(north, WARSAW[1]))
    assert host.members_at(NOW) == {"inside"}


@pytest.mark.parametrize(
    ("event", "kind", "belongs"),
    [
        ("email_opened", "promotional", True),
        ("email_clicked", "promotional", True),
        ("email_opened", "receipt", False),
        ("email_clicked", None, False),
    ],
)
def test_local_shoppers_opened_or_clicked_a_promotional_mail(event: str, kind: str | None, belongs: bool) -> None:
    """Either interaction is enough, with a promotional mail only."""
    host = Host(VIP_LOCAL_SHOPPERS)
    host.engine.put("contact", "c1", location=WARSAW)
    host.engine.track("contact", "c1", "purchase", at=NOW, amount=20)
    host.engine.track("contact", "c1", event, at=NOW, kind=kind)
    assert host.members_at(NOW) == ({"c1"} if belongs else set())


def test_local_shoppers_leave_when_they_move_away() -> None:
    """A change of place is a change of membership."""
    host = Host(VIP_LOCAL_SHOPPERS)
    shop(host, "c1", bought=NOW)
    (delta,) = host.engine.update("contact", "c1", location=(50.06, 19.94))
    assert (delta.object, delta.entered, delta.at) == ("c1", False, NOW)


# ---------------------------------------------------------------- high-value customer


def test_the_third_purchase_makes_a_high_value_customer() -> None:
    """Three purchases are enough, whatever they cost; the third counts from its own instant."""
    host = Host(HIGH_VALUE_CUSTOMER)
    host.engine.put("contact", "c1")
    for day in range(3):
        host.engine.track("contact", "c1", "purchase", at=NOW + timedelta(days=day), amount=1)
    third = NOW + timedelta(days=2)
    assert host.members_at(third - MICROSECOND) == set()
    assert host.members_at(third) == {"c1"}
    assert host.members_at(third + MICROSECOND) == {"c1"}


def test_a_thousand_in_all_makes_a_high_value_customer() -> None:
    """Two purchases of exactly 1000 together are enough, 999.99 are not."""
    host = Host(HIGH_VALUE_CUSTOMER)
    host.engine.put("contact", "c1")
    host.engine.put("contact", "c2")
    for object_id, amount in (("c1", "999.90"), ("c1", "0.10"), ("c2", "999.90"), ("c2", "0.09")):
        host.engine.track("contact", object_id, "purchase", at=NOW, amount=amount)
    assert host.members_at(NOW) == {"c1"}


def test_a_purchase_taken_back_no_longer_counts() -> None:
    """Retracting the purchase that made the segment true takes the customer out again."""
    host = Host(HIGH_VALUE_CUSTOMER)
    host.engine.put("contact", "c1")
    host.engine.track("contact", "c1", "purchase", at=NOW, amount=5000, id="p1")
    assert host.members_at(NOW) == {"c1"}
    (delta,) = host.engine.apply([sk.Retract("contact", "c1", "p1")])
    assert (delta.object, delta.entered) == ("c1", False)


def test_high_value_in_a_window_ends_with_it() -> None:
    """With a window the sum falls when the oldest purchase turns 90 days, exactly then."""
    host = Host("count(purchase in the last 90 days) >= 3 or sum(purchase.amount in the last 90 days) >= 1000")
    host.engine.put("contact", "c1")
    host.engine.track("contact", "c1", "purchase", at=NOW, amount=600)
    host.engine.track("contact", "c1", "purchase", at=NOW + timedelta(days=10), amount=400)
    second, end = NOW + timedelta(days=10), NOW + timedelta(days=90)
    assert host.members_at(second - MICROSECOND) == set()
    assert host.members_at(second) == {"c1"}
    assert host.members_at(end - MICROSECOND) == {"c1"}
    assert host.members_at(end) == set()

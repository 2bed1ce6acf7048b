"""Sequences and anchored windows in a running engine: late, early, retracted events, and moving anchors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import segmentkit as sk

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY, HOUR, MICROSECOND = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)
CONTACT = sk.ObjectType(
    "contact", {"signup": sk.instant, "country": sk.text}, {"cart": {"items": sk.integer}, "buy": {}}
)

Seen = list[tuple[datetime, bool]]


@pytest.fixture
def engine() -> sk.Engine:
    return sk.Engine(sk.Schema(CONTACT), clock=sk.ManualClock(NOON), unknown="create")


def event(name: str, at: datetime, event_id: str | None = None, **properties: int) -> sk.Event:
    return sk.Event("contact", "ada", name, properties, at=at, id=event_id)


def seen(deltas: object) -> Seen:
    return [(delta.at, delta.entered) for delta in deltas]  # type: ignore[attr-defined]  # a batch of deltas


def test_an_abandoned_cart_is_known_two_days_later_to_the_microsecond(engine: sk.Engine) -> None:
    engine.define("abandoned", on="contact", where="did cart then not buy within 2 days")
    assert seen(engine.apply([event("cart", NOON)])) == []
    assert seen(engine.advance(to=NOON + 2 * DAY - MICROSECOND)) == []
    assert seen(engine.advance(to=NOON + 30 * DAY)) == [(NOON + 2 * DAY, True)]


def test_buying_in_time_prevents_it_and_buying_at_the_last_instant_is_in_time(engine: sk.Engine) -> None:
    engine.define("abandoned", on="contact", where="did cart then not buy within 2 days")
    engine.apply([event("cart", NOON), event("buy", NOON + 2 * DAY)])
    assert seen(engine.advance(to=NOON + 30 * DAY)) == []


def test_a_purchase_that_is_told_late_ends_it_and_one_that_is_taken_back_restores_it(engine: sk.Engine) -> None:
    engine.define("abandoned", on="contact", where="did cart then not buy within 2 days")
    engine.apply([event("cart", NOON)])
    engine.advance(to=NOON + 5 * DAY)
    assert list(engine.members("abandoned")) == ["ada"]
    assert seen(engine.apply([event("buy", NOON + DAY, "late")])) == [(NOON + 5 * DAY, False)]
    assert seen(engine.apply([sk.Retract("contact", "ada", "late")])) == [(NOON + 5 * DAY, True)]
    engine.check_invariants()


def test_taking_the_cart_back_before_its_time_is_over_cancels_the_deadline(engine: sk.Engine) -> None:
    engine.define("abandoned", on="contact", where="did cart then not buy within 2 days")
    engine.apply([event("cart", NOON, "c")])
    engine.apply([sk.Retract("contact", "ada", "c")])
    assert seen(engine.advance(to=NOON + 30 * DAY)) == []


def test_the_filters_of_the_steps_decide_which_events_count(engine: sk.Engine) -> None:
    engine.define("big", on="contact", where="did cart[items > 2] then buy within 1 day")
    engine.apply([event("cart", NOON - 3 * HOUR, items=5), event("cart", NOON - HOUR, items=1)])
    assert seen(engine.apply([event("buy", NOON + 20 * HOUR)])) == []
    assert seen(engine.advance(to=NOON + 2 * DAY)) == [(NOON + 20 * HOUR, True)]


def test_an_event_in_the_middle_that_comes_late_completes_the_chain(engine: sk.Engine) -> None:
    engine.define("chain", on="contact", where="did cart then buy within 1 day then cart within 1 day")
    engine.apply([event("cart", NOON - 3 * DAY), event("cart", NOON - 2 * DAY)])
    assert not engine.members("chain")
    deltas = engine.apply([event("buy", NOON - 3 * DAY + 5 * HOUR)])
    assert seen(deltas) == [(NOON, True)]


def test_an_anchored_window_moves_with_its_attribute(engine: sk.Engine) -> None:
    engine.define("early", on="contact", where="did buy within 30 days after signup")
    engine.apply([event("buy", NOON - 40 * DAY)])
    assert not engine.members("early")
    assert seen(engine.apply([sk.Update("contact", "ada", {"signup": NOON - 41 * DAY})])) == [(NOON, True)]
    assert seen(engine.apply([sk.Update("contact", "ada", {"country": "PL"})])) == []
    assert seen(engine.apply([sk.Update("contact", "ada", {"signup": NOON - 40 * DAY + MICROSECOND})])) == [
        (NOON, False)
    ]


def test_a_window_since_the_last_event_begins_anew_with_the_next(engine: sk.Engine) -> None:
    engine.define("waiting", on="contact", where="did cart since last(buy)")
    engine.apply(
        [event("buy", NOON - DAY), event("cart", NOON), event("buy", NOON + DAY), event("cart", NOON + 3 * DAY)]
    )
    assert list(engine.members("waiting")) == ["ada"]
    assert seen(engine.advance(to=NOON + 9 * DAY)) == [(NOON + DAY, False), (NOON + 3 * DAY, True)]


def test_a_pattern_flips_with_its_text(engine: sk.Engine) -> None:
    engine.define("p", on="contact", where='country matches "^P" ignoring case')
    assert seen(engine.apply([sk.Put("contact", "ada", {"country": "pl"})])) == [(NOON, True)]
    assert seen(engine.apply([sk.Update("contact", "ada", {"country": None})])) == [(NOON, False)]


def test_an_anniversary_comes_every_year(engine: sk.Engine) -> None:
    engine.define("signed up today", on="contact", where="signup anniversary today")
    engine.apply([sk.Put("contact", "ada", {"signup": datetime(2020, 2, 29, 8, tzinfo=UTC)})])
    flips = seen(engine.advance(to=datetime(2028, 12, 31, tzinfo=UTC)))
    assert [at.date().isoformat() for at, entered in flips if entered] == ["2027-03-01", "2028-02-29"]

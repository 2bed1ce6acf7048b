"""Work, counted: the engine looks at what a change can flip, not at what there is.

The count is that of clauses examined one by one; masks settle the others many at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

import segmentkit as sk

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND_CONDITIONS = {
    "text": 'country = "PL"',
    "age": "seen in the last 30 days",
    "events": "did visit at least 2 times in the last 30 days",
    "a choice": '(country = "PL" or did visit)',
    "a calculation": "orders + spend > 0",
}


def engine_with(segments: int, condition: str = 'country = "PL"', objects: int = 3) -> sk.Engine:
    """Return an engine with segments `orders > k and condition`, and objects that all satisfy the condition."""
    contact = sk.ObjectType(
        "contact",
        {"orders": sk.integer, "spend": sk.decimal, "country": sk.text, "seen": sk.instant, "unread": sk.text},
        {"visit": {}, "unread_event": {}},
    )
    engine = sk.Engine(sk.Schema(contact), clock=sk.ManualClock(NOW))
    for k in range(segments):
        engine.define(f"s{k}", on="contact", where=f"orders > {k} and {condition}")
    engine.apply(
        [
            sk.Put("contact", f"c{i}", {"orders": 50, "spend": 1, "country": "PL", "seen": NOW, "unread": "a"})
            for i in range(objects)
        ]
    )
    engine.apply([sk.Event("contact", f"c{i}", "visit") for i in range(objects) for _ in range(2)])
    return engine


def examined(engine: sk.Engine, call: Callable[[], sk.Deltas]) -> tuple[int, int]:
    """Return how many clauses a call examines and how many memberships it flips."""
    before = engine.stats().clauses_examined
    flipped = len(call())
    return engine.stats().clauses_examined - before, flipped


conditions = pytest.mark.parametrize("condition", SECOND_CONDITIONS.values(), ids=SECOND_CONDITIONS)


@conditions
def test_a_change_that_no_segment_reads_examines_no_clause(condition: str) -> None:
    """Neither an attribute nor an event that is in no filter."""
    engine = engine_with(100, condition)
    assert examined(engine, lambda: engine.update("contact", "c0", unread="b")) == (0, 0)
    assert examined(engine, lambda: engine.track("contact", "c0", "unread_event")) == (0, 0)


@pytest.mark.parametrize("condition", [v for k, v in SECOND_CONDITIONS.items() if k != "a calculation"])
def test_a_change_within_one_cell_examines_no_clause(condition: str) -> None:
    """No literal tells 2,000 orders from 3,000, another country from a third, one second from the next."""
    engine = engine_with(100, condition)
    engine.update("contact", "c0", orders=2_000, country="DE")
    assert examined(engine, lambda: engine.update("contact", "c0", orders=3_000)) == (0, 0)
    assert examined(engine, lambda: engine.update("contact", "c0", country="FR")) == (0, 0)
    assert examined(engine, lambda: engine.update("contact", "c0", seen=NOW - DAY)) == (0, 0)
    assert examined(engine, lambda: engine.track("contact", "c0", "visit")) == (0, 0)


@conditions
def test_a_value_set_again_examines_no_clause(condition: str) -> None:
    """Nothing has changed, whatever reads it."""
    engine = engine_with(100, condition)
    assert examined(engine, lambda: engine.update("contact", "c0", orders=50, country="PL", spend=1)) == (0, 0)


@conditions
def test_a_change_that_flips_three_segments_of_a_thousand_examines_few(condition: str) -> None:
    """From 50 orders to 53, and back: what is examined goes by what flips."""
    engine = engine_with(1_000, condition)
    for orders in (53, 50):
        work, flipped = examined(engine, lambda to=orders: engine.update("contact", "c0", orders=to))
        assert flipped == 3
        assert work <= 2 * flipped + 6
    engine.check_invariants()


def test_a_change_whose_flips_another_condition_rules_out_flips_nothing() -> None:
    """And examines no more than if it had flipped them."""
    engine = engine_with(1_000)
    engine.update("contact", "c0", country="DE")
    work, flipped = examined(engine, lambda: engine.update("contact", "c0", orders=53))
    assert flipped == 0
    assert work <= 12


@conditions
def test_ten_times_as_many_segments_do_not_add_to_a_change(condition: str) -> None:
    """The same move flips the same three and examines the same number of clauses."""
    small, large = (engine_with(segments, condition) for segments in (100, 1_000))
    works = [examined(e, lambda e=e: e.update("contact", "c0", orders=53)) for e in (small, large)]
    assert works[0] == works[1]
    assert works[0][1] == 3


@conditions
def test_ten_times_as_many_objects_do_not_add_to_a_change(condition: str) -> None:
    """One object changes, the others are not looked at."""
    small, large = (engine_with(100, condition, objects) for objects in (20, 200))
    works = [examined(e, lambda e=e: e.update("contact", "c0", orders=53)) for e in (small, large)]
    assert works[0] == works[1]
    assert works[0][1] == 3


@conditions
def test_a_clock_that_moves_while_nothing_is_due_examines_no_clause(condition: str) -> None:
    """Not at once and not in small steps."""
    engine = engine_with(100, condition)
    for hours in range(1, 25):
        assert examined(engine, lambda to=NOW + timedelta(hours=hours): engine.advance(to=to)) == (0, 0)


def test_a_deadline_of_one_object_examines_its_own_clauses() -> None:
    """It leaves the fifty segments that it is in; a hundred objects that are not due add nothing."""
    works = []
    for objects in (2, 100):
        engine = engine_with(1_000, "seen in the last 30 days", objects)
        engine.update("contact", "c0", seen=NOW - 29 * DAY)
        works.append(examined(engine, lambda e=engine: e.advance(to=NOW + 2 * DAY)))
    assert works[0] == works[1]
    assert works[0][1] == 50
    assert works[0][0] <= 110


def test_a_company_examines_the_clauses_of_its_contacts_that_flip() -> None:
    """However many contacts point to it: they are looked at together, and only those that flip one by one."""
    contact = sk.ObjectType(
        "contact", {"orders": sk.integer, "vip": sk.boolean}, relations={"company": sk.one("company")}
    )
    company = sk.ObjectType("company", {"industry": sk.text})
    engine = sk.Engine(sk.Schema(contact, company), clock=sk.ManualClock(NOW))
    for k in (0, 3, 9):
        engine.define(f"s{k}", on="contact", where=f'company.industry = "SaaS" and orders >= 1_{k:03}')
    engine.define(
        "either", on="contact", where='company.industry = "SaaS" and orders >= 1_005 or vip and orders > 1_000'
    )
    engine.define("outside", on="contact", where='not company.industry = "SaaS" and orders >= 1_008')
    engine.put("company", "A", industry="Food")
    contacts = [sk.Put("contact", f"c{i}", {"orders": i, "vip": i % 2 == 0, "company": "A"}) for i in range(1_010)]
    engine.apply(contacts)
    for industry, back in (("SaaS", False), ("Food", True)):
        work, flipped = examined(engine, lambda to=industry: engine.update("company", "A", industry=to))
        assert flipped == 10 + 7 + 1 + 3 + 2  # of "either", the odd ones from 1,005 on
        assert work <= 2 * flipped + 6, back
        assert engine.verify() == []
        engine.check_invariants()
    assert examined(engine, lambda: engine.update("company", "A", industry="Toys")) == (0, 0)

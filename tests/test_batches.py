"""Large batches through the public API, with the threshold as it is: examples beside the laws of `test_batch_laws`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

import segmentkit as sk
from segmentkit.engine import BATCH_FROM
from tests.stores.journal import FailingStore

START = datetime(2026, 11, 22, tzinfo=UTC)
N = BATCH_FROM + 50
NEWS = {"url": "/news"}
SCHEMA = sk.Schema(
    sk.ObjectType(
        "contact",
        {"orders": sk.integer, "ltv": sk.decimal, "tags": sk.text_set, "last_visit": sk.instant, "name": sk.text},
        events={"visit": {"url": sk.text}},
    ),
)
SEGMENTS = {
    "buyers": "orders > 4",
    "rich": "ltv >= 100",
    "vips": 'tags has "vip" and not tags has "left"',
    "recent": "last_visit in the last 7 days",
    "readers": 'did visit at least 2 times in the last 30 days or did visit[url = "/news"] in the last 7 days',
}


def started(store: Any = None) -> tuple[sk.Engine, sk.ManualClock]:
    """Return an engine with N contacts and the segments."""
    clock = sk.ManualClock(START)
    engine = sk.Engine(SCHEMA, store=store, clock=clock)
    engine.apply([sk.Put("contact", f"c{i}", {"orders": 0}) for i in range(N)])
    for name, where in SEGMENTS.items():
        engine.define(name, on="contact", where=where)
    return engine, clock


def told(deltas: sk.Deltas) -> list[tuple[str, str, bool, str]]:
    """Return what deltas say, without instants and numbers."""
    return [(d.object, d.segment, d.entered, d.cause) for d in deltas]


def check(engine: sk.Engine) -> None:
    """Look at the invariants, and compare with plain evaluation."""
    engine.check_invariants()
    assert engine.verify() == []


def test_deltas_come_by_object_in_the_order_in_which_the_batch_met_them() -> None:
    """Numbers of objects and kinds of changes play no part."""
    engine, _ = started()
    order = sorted(range(N), key=lambda i: (i % 7, i))
    changes: list[Any] = [
        sk.Update("contact", f"c{i}", {"orders": 5}) if i % 3 else sk.Event("contact", f"c{i}", "visit", NEWS)
        for i in order
    ]
    expected = [(f"c{i}", "buyers", True, "update") if i % 3 else (f"c{i}", "readers", True, "event") for i in order]
    assert told(engine.apply(changes)) == expected
    check(engine)


def test_changes_of_one_object_happen_one_after_another() -> None:
    """What they do together is net, and the cause is that of the last that flipped something."""
    engine, _ = started()
    changes: list[Any] = [sk.Update("contact", f"c{i}", {"orders": 5}) for i in range(N)]
    changes += [sk.Update("contact", f"c{i}", {"orders": 1}) for i in range(1, N)]
    changes += [sk.Event("contact", "c1", "visit", NEWS), sk.Put("contact", "c2", {"tags": {"vip"}})]
    deltas = engine.apply(changes)
    assert told(deltas) == [
        ("c0", "buyers", True, "update"),
        ("c1", "readers", True, "event"),
        ("c2", "vips", True, "put"),
    ]
    assert [delta.seq for delta in deltas] == [1, 2, 3]
    check(engine)


def test_a_wrong_change_is_named_by_its_place_in_the_batch_and_nothing_is_applied() -> None:
    """The door for large batches leaves it to the ordinary one to say what is wrong."""
    engine, _ = started()
    changes = [sk.Update("contact", f"c{i}", {"orders": 5}) for i in range(N)]
    changes[200] = sk.Update("contact", "c200", {"orders": "5"})
    before = list(engine.iter_facts())
    with pytest.raises(sk.DataError, match="change 201 of the batch, contact 'c200': attribute 'orders'"):
        engine.apply(changes)
    assert not engine.members("buyers")
    assert list(engine.iter_facts()) == before


def test_what_is_not_plain_goes_with_the_others() -> None:
    """Objects come, go and lose events in the same batch, among objects that only change."""
    engine, _ = started()
    changes: list[Any] = [sk.Update("contact", f"c{i}", {"orders": 5}) for i in range(2, N)]
    changes[3:3] = [sk.Delete("contact", "c0"), sk.Put("contact", "new", {"orders": 9})]
    changes += [sk.Event("contact", "c1", "visit", NEWS, id="e1"), sk.Retract("contact", "c1", "e1")]
    changes += [sk.Delete("contact", "c2")]
    deltas = told(engine.apply(iter(changes)))
    assert deltas[:4] == [
        ("c3", "buyers", True, "update"),
        ("c4", "buyers", True, "update"),
        ("new", "buyers", True, "put"),
        ("c5", "buyers", True, "update"),
    ]
    assert len(deltas) == N - 2
    assert len(engine.members("buyers")) == N - 2
    check(engine)


def test_new_objects_come_together_among_others_that_change() -> None:
    """They enter what they satisfy, in their place in the order; the next batch finds them there."""
    engine, clock = started()
    changes: list[Any] = []
    for i in range(N):
        changes += [sk.Update("contact", f"c{i}", {"orders": 5}), sk.Put("contact", f"new{i}", {"ltv": 100 + i})]
    changes += [sk.Update("contact", "new7", {"ltv": 99}), sk.Put("contact", "late", {"last_visit": START})]
    expected = []
    for i in range(N):
        expected += [(f"c{i}", "buyers", True, "update"), (f"new{i}", "rich", True, "put")]
    expected.remove(("new7", "rich", True, "put"))
    assert told(engine.apply(changes)) == [*expected, ("late", "recent", True, "put")]
    check(engine)
    assert len(engine.apply([sk.Update("contact", f"new{i}", {"orders": 5}) for i in range(N)])) == N
    clock.advance(timedelta(days=7))
    assert told(engine.advance()) == [("late", "recent", False, "time")]
    check(engine)


def test_numbers_of_deleted_objects_are_given_out_again() -> None:
    """Objects that come and go in large batches take no more room than those that are there."""
    engine, _ = started()
    before = engine.stats().bytes_by_part["columns"]
    for turn in range(4):
        old, new = (f"c{turn}-{{}}" if turn else "c{}"), f"c{turn + 1}-{{}}"
        engine.apply([sk.Delete("contact", old.format(i)) for i in range(N)])
        engine.apply([sk.Put("contact", new.format(i), {"orders": 0}) for i in range(N)])
    assert engine.stats().bytes_by_part["columns"] <= before
    check(engine)


def test_an_event_that_is_known_by_its_id_is_ignored() -> None:
    """Ids that are new go together; one that is taken is told apart as ever, in the batch and before it."""
    engine, _ = started()
    batch = [sk.Event("contact", f"c{i}", "visit", {"url": "/"}, at=START, id=f"e{i}") for i in range(N)]
    engine.apply(batch)
    assert engine.stats().events == N
    assert not engine.apply([*batch, *batch])
    assert engine.stats().events == N
    again = [sk.Event("contact", f"c{i}", "visit", {"url": "/"}, at=START, id=f"again{i}") for i in range(N)]
    assert len(engine.apply([*again, again[0]])) == N
    assert engine.stats().events == 2 * N
    check(engine)


def test_texts_that_many_conditions_ask_for_patterns() -> None:
    """Their cells lie in rows, but rows do not tell of a pattern whether it holds."""
    engine = sk.Engine(SCHEMA, clock=sk.ManualClock(START))
    for number, part in enumerate(["a", "b", "ab", "c"]):
        engine.define(f"part {number}", on="contact", where=f'name contains "{part}" and not name starts with "x"')
        engine.define(f"end {number}", on="contact", where=f'name ends with "{part}" and orders < 4')
    engine.apply([sk.Put("contact", f"c{i}", {"orders": 0}) for i in range(N)])
    names = ["ab", "ba", "xab", "cc", "c ab", ""]
    for turn in range(4):
        engine.apply([sk.Update("contact", f"c{i}", {"name": names[(i + turn) % len(names)]}) for i in range(N)])
        check(engine)


def test_a_condition_over_two_attributes_sees_both_changed() -> None:
    """It never sees one of them new and the other old."""
    engine, _ = started()
    engine.define("even", on="contact", where="orders + ltv = 10")
    assert len(engine.apply([sk.Put("contact", f"c{i}", {"orders": 4, "ltv": 6}) for i in range(N)])) == N
    assert not engine.apply([sk.Put("contact", f"c{i}", {"orders": 3, "ltv": 7}) for i in range(N)])
    check(engine)


def test_deadlines_are_those_of_the_new_facts() -> None:
    """An instant that is written over in a batch takes its deadline with it."""
    engine, clock = started()
    engine.apply([sk.Update("contact", f"c{i}", {"last_visit": START - timedelta(days=2)}) for i in range(N)])
    engine.apply([sk.Update("contact", f"c{i}", {"last_visit": START}) for i in range(1, N)])
    clock.advance(timedelta(days=5))
    assert told(engine.advance()) == [("c0", "recent", False, "time")]
    check(engine)
    clock.advance(timedelta(days=2))
    assert len(engine.advance()) == N - 1
    check(engine)


def test_values_may_be_longer_than_a_machine_word() -> None:
    """Such a batch goes into lists, and a finer decimal rescales its column for all."""
    engine, _ = started()
    values = [Decimal(i) for i in range(N)]
    values[150] = Decimal("150.123456789")
    engine.apply([sk.Update("contact", f"c{i}", {"orders": 2**70 + i, "ltv": values[i]}) for i in range(N)])
    assert len(engine.members("buyers")) == N
    assert len(engine.members("rich")) == N - 100
    check(engine)


def test_a_store_that_refuses_a_large_batch_leaves_nothing_changed() -> None:
    """Batches of stores that keep facts themselves go their ordinary way, and are taken back."""
    store = FailingStore()
    engine, _ = started(store)
    store.error = OSError("disk full")
    with pytest.raises(sk.StoreError):
        engine.apply([sk.Update("contact", f"c{i}", {"orders": 5}) for i in range(N)])
    assert not engine.members("buyers")
    check(engine)
    store.error = None
    assert len(engine.apply([sk.Update("contact", f"c{i}", {"orders": 5}) for i in range(N)])) == N


def test_a_batch_that_changes_nothing_examines_no_clause() -> None:
    """The same values again move no cell."""
    engine, _ = started()
    changes = [sk.Update("contact", f"c{i}", {"orders": 5, "tags": {"vip"}}) for i in range(N)]
    assert len(engine.apply(changes)) == 2 * N
    before = engine.stats().clauses_examined
    assert not engine.apply(changes)
    assert engine.stats().clauses_examined == before

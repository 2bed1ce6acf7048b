"""A herd: many objects that time moves at one and the same instant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

import segmentkit as sk

MIDNIGHT = datetime(2026, 11, 22, 23, tzinfo=UTC)
"""The beginning of 23 November in Warsaw."""
LAST_DAY = date(2026, 11, 22)
BATCH = 10_000


def herd_of(size: int) -> sk.Engine:
    """Return an engine an hour before midnight, with objects that are over once their last day is."""
    subscription = sk.ObjectType("subscription", {"ends": sk.date})
    schema = sk.Schema(subscription, zone="Europe/Warsaw")
    engine = sk.Engine(schema, clock=sk.ManualClock(MIDNIGHT - timedelta(hours=1)))
    engine.define("over", on="subscription", where="ends < today")
    for batch in batches(size):
        assert not engine.apply([sk.Put("subscription", f"s{i}", {"ends": LAST_DAY}) for i in batch])
    return engine


def batches(size: int) -> Iterator[range]:
    """Yield the numbers below `size` in parts."""
    for first in range(0, size, BATCH):
        yield range(first, min(first + BATCH, size))


def check_all_flip_at_midnight(size: int) -> None:
    """One advance over midnight flips everybody, at that instant, in numbers without gaps."""
    engine = herd_of(size)
    assert not engine.advance(to=MIDNIGHT - timedelta(microseconds=1))
    deltas = engine.advance(to=MIDNIGHT + timedelta(hours=5))
    assert (len(deltas), len(engine.members("over"))) == (size, size)
    for n, delta in enumerate(deltas, start=1):
        if delta.seq != n or delta.at != MIDNIGHT or not delta.entered or delta.cause != "time":
            pytest.fail(f"delta {n} of {size} is {delta}")
    assert len({delta.object for delta in deltas}) == size
    assert not engine.advance(to=MIDNIGHT + timedelta(days=400))


def test_two_thousand_objects_flip_at_the_same_midnight() -> None:
    """All of them, at its first microsecond."""
    check_all_flip_at_midnight(2_000)


def test_half_a_herd_moved_away_just_before_midnight_stays_out() -> None:
    """Those moved flip at their own midnight, a week later; the others at theirs."""
    engine = herd_of(2_000)
    before = MIDNIGHT - timedelta(microseconds=1)
    engine.advance(to=before)
    moved = [f"s{i}" for i in range(0, 2_000, 2)]
    assert not engine.apply([sk.Update("subscription", i, {"ends": LAST_DAY + timedelta(days=7)}) for i in moved])
    assert engine.now == before
    deltas = engine.advance(to=MIDNIGHT + timedelta(days=1))
    assert {delta.at for delta in deltas} == {MIDNIGHT}
    assert sorted(delta.object for delta in deltas) == sorted(f"s{i}" for i in range(1, 2_000, 2))
    engine.check_invariants()
    later = engine.advance(to=MIDNIGHT + timedelta(days=30))
    assert {delta.at for delta in later} == {MIDNIGHT + timedelta(days=7)}
    assert sorted(delta.object for delta in later) == sorted(moved)
    assert [delta.seq for delta in engine.deltas(after=0)] == list(range(1, 2_001))


def test_half_a_herd_deleted_before_midnight_does_not_flip() -> None:
    """Nor do new objects in the places of the deleted ones."""
    engine = herd_of(2_000)
    engine.apply([sk.Delete("subscription", f"s{i}") for i in range(1_000)])
    engine.apply([sk.Put("subscription", f"new{i}", {"ends": LAST_DAY + timedelta(days=1)}) for i in range(500)])
    deltas = engine.advance(to=MIDNIGHT + timedelta(hours=1))
    assert sorted(delta.object for delta in deltas) == sorted(f"s{i}" for i in range(1_000, 2_000))
    engine.check_invariants()


@pytest.mark.slow
def test_a_million_objects_flip_at_the_same_midnight() -> None:
    """As two thousand do."""
    check_all_flip_at_midnight(1_000_000)

"""Time in slices: what comes in between, and what is told when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import segmentkit as sk
from segmentkit import _passing

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SCHEMA = sk.Schema(
    sk.ObjectType("contact", {"born": sk.instant, "tier": sk.text}, events={"visit": {}}),
    sk.ObjectType("task", {"due": sk.instant}),
)
HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> sk.ManualClock:
    return sk.ManualClock(NOON)


@pytest.fixture(autouse=True)
def _many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two entries are many."""
    monkeypatch.setattr(_passing, "TOGETHER_FROM", 2)


def contacts(clock: sk.ManualClock, where: str, *others: str, **engine: Any) -> sk.Engine:
    """Return an engine with three contacts, born now, who have visited now, and segments."""
    made = sk.Engine(SCHEMA, clock=clock, **engine)
    made.define("S", on="contact", where=where)
    for other in others:
        made.define(other, on="contact", where=other)
    for who in ("a", "b", "c"):
        made.put("contact", who, born=clock.now(), tier="free")
        made.track("contact", who, "visit")
    return made


def told(deltas: sk.Deltas | list[sk.Delta]) -> list[tuple[str, bool, timedelta]]:
    """Return who entered or left, and how long after noon."""
    return [(delta.object, delta.entered, delta.at - NOON) for delta in deltas]


def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what comes due from now on be passed one by one."""
    monkeypatch.setattr(_passing, "TOGETHER_FROM", 1_000)


def test_each_slice_tells_its_objects(clock: sk.ManualClock) -> None:
    engine = contacts(clock, "born at least 2 hours ago")
    clock.advance(5 * HOUR)
    slices = engine.advance_in_slices(objects=2)
    assert told(next(slices)) == [("a", True, 2 * HOUR), ("b", True, 2 * HOUR)]
    assert told(next(slices)) == [("c", True, 2 * HOUR)]
    assert next(slices, None) is None
    assert engine.now == NOON + 5 * HOUR
    assert [delta.seq for delta in engine.deltas()] == [1, 2, 3]


def test_what_is_changed_in_between_has_caught_up(clock: sk.ManualClock) -> None:
    """Its deltas stay in the order of time; the others of the herd come after it."""
    engine = contacts(clock, 'born at least 2 hours ago and tier = "free"')
    clock.advance(5 * HOUR)
    slices = engine.advance_in_slices(objects=1)
    assert told(next(slices)) == [("a", True, 2 * HOUR)]
    clock.advance(HOUR)
    assert told(engine.update("contact", "c", tier="pro")) == [("c", True, 2 * HOUR), ("c", False, 6 * HOUR)]
    assert told([delta for deltas in slices for delta in deltas]) == [("b", True, 2 * HOUR)]


@pytest.mark.parametrize("many", [True, False])
def test_what_comes_due_in_between_finds_its_object_caught_up(
    clock: sk.ManualClock, many: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it comes due alone or with many others."""
    engine = contacts(clock, "born at least 2 hours ago and did visit in the last 7 hours")
    clock.advance(3 * HOUR)
    slices = engine.advance_in_slices(objects=1)
    assert told(next(slices)) == [("a", True, 2 * HOUR)]
    clock.advance(5 * HOUR)
    if not many:
        one_by_one(monkeypatch)
    found = told(engine.apply([]))
    assert sorted(found) == sorted(
        [("a", False, 7 * HOUR), *(one for who in "bc" for one in [(who, True, 2 * HOUR), (who, False, 7 * HOUR)])]
    )
    assert told([delta for deltas in slices for delta in deltas]) == []
    assert engine.verify() == []


def test_what_comes_due_together_moves_together(clock: sk.ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A visit leaves its window at the instant at which the birth reaches its age: nobody is in between."""
    old_and_seen = "born at least 7 hours ago and did visit in the last 7 hours"
    young_and_gone = "born less than 7 hours ago and not did visit in the last 7 hours"
    early = "did visit in the last 2 hours"
    engine = contacts(clock, "born at least 7 hours ago", early, old_and_seen, young_and_gone)
    clock.advance(3 * HOUR)
    slices = engine.advance_in_slices(objects=1)
    next(slices)
    one_by_one(monkeypatch)
    clock.advance(5 * HOUR)
    flipped = {(delta.segment, delta.entered, delta.at - NOON) for delta in engine.apply([])}
    assert flipped == {(early, False, 2 * HOUR), ("S", True, 7 * HOUR)}


@pytest.mark.parametrize(
    "look",
    [
        lambda engine: engine.members("S").snapshot(),
        lambda engine: {i for i in "abc" if i in engine.members("S")},
        lambda engine: {i for i in "abc" if "S" in engine.segments_of("contact", i)},
        lambda engine: set(engine.preview(on="contact", where="born at least 2 hours ago").members),
        lambda engine: set(engine.preview(on="contact", where="true", against="S").unchanged),
    ],
    ids=["members", "in", "segments of", "preview", "against"],
)
def test_whoever_looks_sees_all_objects_at_one_instant(clock: sk.ManualClock, look: Any) -> None:
    """And what that has flipped is told with the next slice."""
    engine = contacts(clock, "born at least 2 hours ago")
    clock.advance(5 * HOUR)
    slices = engine.advance_in_slices(objects=1)
    next(slices)
    assert look(engine) == {"a", "b", "c"}
    assert engine.verify() == []
    assert told([delta for deltas in slices for delta in deltas]) == [("b", True, 2 * HOUR), ("c", True, 2 * HOUR)]


@pytest.mark.parametrize(
    "act",
    [
        lambda engine: engine.advance(),
        lambda engine: engine.define("T", on="contact", where="born at least 2 hours ago"),
        lambda engine: engine.load("contact", {"id": ["d"], "tier": ["free"]}),
        lambda engine: engine.recalculate("S"),
        lambda engine: engine.drop("S"),
    ],
    ids=["advance", "define", "load", "recalculate", "drop"],
)
def test_a_loop_that_ends_early_leaves_the_rest_to_what_comes_next(clock: sk.ManualClock, act: Any) -> None:
    engine = contacts(clock, "born at least 2 hours ago")
    clock.advance(5 * HOUR)
    for _ in engine.advance_in_slices(objects=1):
        break
    act(engine)
    entered = [delta for delta in engine.deltas() if delta.segment == "S" and delta.entered]
    assert told(entered) == [(who, True, 2 * HOUR) for who in "abc"]
    engine.check_invariants()


def test_a_batch_of_any_size_lets_only_its_objects_catch_up(clock: sk.ManualClock) -> None:
    engine = contacts(clock, "born at least 2 hours ago")
    clock.advance(5 * HOUR)
    slices = engine.advance_in_slices(objects=1)
    next(slices)
    news = [sk.Put("contact", f"n{n}") for n in range(500)]
    assert told(engine.apply([*news, sk.Update("contact", "c", {"tier": None})])) == [("c", True, 2 * HOUR)]
    assert told(next(slices)) == [("b", True, 2 * HOUR)]


def test_a_refused_batch_has_let_its_objects_catch_up(clock: sk.ManualClock) -> None:
    """As a refused one lets time pass: it is told with the next."""
    engine = contacts(clock, "born at least 2 hours ago")
    clock.advance(5 * HOUR)
    slices = engine.advance_in_slices(objects=1)
    next(slices)
    with pytest.raises(sk.DataError):
        engine.update("contact", "c", shoe_size=40)
    assert told([delta for deltas in slices for delta in deltas]) == [("b", True, 2 * HOUR), ("c", True, 2 * HOUR)]


class Refusing(sk.MemoryStore):
    """A store that refuses batches while it is told to."""

    refuses = False

    def append(self, batch: Any) -> None:
        if self.refuses:
            raise sk.StoreError("full")
        super().append(batch)


def test_what_the_store_refuses_is_told_again(clock: sk.ManualClock) -> None:
    store = Refusing()
    engine = contacts(clock, "born at least 2 hours ago", store=store)
    clock.advance(5 * HOUR)
    slices = engine.advance_in_slices(objects=2)
    store.refuses = True
    with pytest.raises(sk.StoreError, match="full"):
        next(slices)
    store.refuses = False
    assert told(engine.advance()) == [(who, True, 2 * HOUR) for who in "abc"]
    assert [delta.seq for delta in engine.deltas()] == [1, 2, 3]


def test_filters_that_read_other_objects_have_one_slice(clock: sk.ManualClock) -> None:
    """A change of one object may concern one that is behind."""
    engine = contacts(clock, "born at least 2 hours ago")
    engine.define("T", on="contact", where='in segment "S"')
    clock.advance(5 * HOUR)
    (deltas,) = engine.advance_in_slices(objects=1)
    assert len(deltas) == 6


def test_few_deadlines_have_one_slice(clock: sk.ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = contacts(clock, "born at least 2 hours ago")
    one_by_one(monkeypatch)
    clock.advance(5 * HOUR)
    (deltas,) = engine.advance_in_slices(objects=1)
    assert len(deltas) == 3


def test_several_types_share_a_slice(clock: sk.ManualClock) -> None:
    engine = contacts(clock, "born at least 2 hours ago")
    engine.define("Late", on="task", where="due < now")
    for number in range(3):
        engine.put("task", f"t{number}", due=NOON + 2 * HOUR)
    clock.advance(5 * HOUR)
    sizes = [len(deltas) for deltas in engine.advance_in_slices(objects=4)]
    assert sizes == [4, 2]


def test_time_that_stands_has_no_slices(clock: sk.ManualClock) -> None:
    assert list(contacts(clock, "born at least 2 hours ago").advance_in_slices()) == []


@pytest.mark.parametrize("objects", [0, -1, 1.5, True, "many", None])
def test_a_slice_has_a_number_of_objects(clock: sk.ManualClock, objects: Any) -> None:
    with pytest.raises(sk.ArgumentError, match="objects"):
        sk.Engine(SCHEMA, clock=clock).advance_in_slices(objects=objects)


def test_time_does_not_go_back(clock: sk.ManualClock) -> None:
    with pytest.raises(sk.ClockError, match="cannot go back"):
        sk.Engine(SCHEMA, clock=clock).advance_in_slices(to=NOON - HOUR)

"""What survives in a store, and what a store that fails leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import segmentkit as sk
from segmentkit.stores import MemoryStore, SharesFacts, Store
from tests.stores.journal import FailingStore, JournalStore

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = timedelta(days=1)
SCHEMA = sk.Schema(
    sk.ObjectType(
        "contact",
        {"orders": sk.integer, "spend": sk.decimal, "tags": sk.text_set, "seen": sk.instant, "born": sk.date},
        {"purchase": {"amount": sk.decimal, "labels": sk.text_set}},
        {"company": sk.one("company")},
    ),
    sk.ObjectType("company", {"size": sk.integer}),
)
STORES: list[Callable[[], Any]] = [MemoryStore, JournalStore]


def open_engine(store: Store, at: datetime = NOW) -> sk.Engine:
    """Return an engine on the store, at an instant."""
    return sk.Engine(SCHEMA, store=store, clock=sk.ManualClock(at))


def fill(engine: sk.Engine) -> None:
    """Give an engine segments, objects and events of all kinds, some of them changed again."""
    engine.define(
        "buyers", on="contact", where="did purchase in the last 2 days", description="fresh", hidden_from=["x"]
    )
    engine.define("dropped", on="contact", where="orders > 0")
    engine.define("large", on="company", where="size > $least", params={"least": 10})
    engine.define("spenders", on="contact", where="sum(purchase.amount) >= 30")
    engine.apply(
        [
            sk.Put("contact", "c1", {"orders": 5, "spend": "8.125", "tags": {"vip"}, "seen": NOW, "company": "acme"}),
            sk.Put("contact", "c2", {"orders": 1, "born": NOW.date()}),
            sk.Put("contact", "gone", {"orders": 1}),
            sk.Put("company", "acme", {"size": 11}),
            sk.Event("contact", "c1", "purchase", {"amount": "19.90", "labels": {"a"}}, at=NOW - DAY, id="e1"),
            sk.Event("contact", "c1", "purchase", {"amount": "10.10"}),
            sk.Event("contact", "c2", "purchase", {"amount": "99"}, at=NOW, id="e1"),
            sk.Event("contact", "c2", "purchase", at=NOW + DAY, id="future"),
        ]
    )
    engine.drop("dropped")
    engine.redefine("large", where="size > 10 or size is missing")
    engine.apply([sk.Update("contact", "c1", {"orders": None, "spend": "0.1"}), sk.Delete("contact", "gone")])
    engine.apply([sk.Retract("contact", "c2", "e1")])


def state(engine: sk.Engine) -> dict[str, Any]:
    """Return all that can be read of an engine, but for numbers of events without ids."""
    engine.check_invariants()
    assert engine.verify() == []
    return {
        "now": engine.now,
        "facts": sorted(engine.iter_facts(), key=repr),
        "segments": [(s.name, s.object_type, s.where, s.description, s.hidden_from) for s in engine.segments()],
        "members": {s.name: list(engine.members(s.name)) for s in engine.segments()},
        "deltas": list(engine.deltas(after=0)),
        "seq": engine.stats().seq,
    }


# ------------------------------------------------------------------------------ reopening


@pytest.mark.parametrize("store_type", STORES)
def test_stores_are_stores(store_type: Callable[[], Any]) -> None:
    """Both satisfy the Protocol; one of them shares the engine's facts."""
    store = store_type()
    assert isinstance(store, Store)
    assert isinstance(store, SharesFacts) == (store_type is MemoryStore)
    assert (store.now(), store.seq(), list(store.definitions()), list(store.facts()), list(store.deltas(0))) == (
        None,
        0,
        [],
        [],
        [],
    )


@pytest.mark.parametrize("store_type", STORES)
def test_an_engine_opened_on_a_store_is_the_one_that_filled_it(store_type: Callable[[], Any]) -> None:
    """Facts, definitions, members, numbers and the changelog are those of before, without a delta."""
    store = store_type()
    first = open_engine(store)
    fill(first)
    before = state(first)
    second = open_engine(store)
    assert state(second) == before
    assert list(second.advance()) == []


@pytest.mark.parametrize("store_type", STORES)
def test_an_engine_opened_on_a_store_goes_on_numbering(store_type: Callable[[], Any]) -> None:
    """The next delta has the next number, and an event id is still taken."""
    store = store_type()
    fill(open_engine(store))
    last = store.seq()
    engine = open_engine(store)
    (delta,) = engine.put("company", "new")
    assert (delta.seq, delta.segment, store.seq()) == (last + 1, "large", last + 1)
    assert list(engine.track("contact", "c1", "purchase", at=NOW - DAY, id="e1", amount="19.90", labels={"a"})) == []
    with pytest.raises(sk.DataError, match="e1"):
        engine.track("contact", "c1", "purchase", at=NOW - DAY, id="e1", amount="20")
    with pytest.raises(sk.DefinitionError, match="defined already"):
        engine.define("large", on="company", where="true")


@pytest.mark.parametrize("store_type", STORES)
def test_flips_of_the_time_slept_are_told_with_the_next_batch(store_type: Callable[[], Any]) -> None:
    """Each at its exact instant, before those of the batch, numbered on, and stored like others."""
    store = store_type()
    fill(open_engine(store))
    last = store.seq()
    engine = open_engine(store, NOW + 10 * DAY)
    assert (list(engine.members("buyers")), store.seq(), engine.now) == ([], last, NOW + 10 * DAY)
    told: list[sk.Delta] = []
    engine.subscribe(told.append)
    deltas = list(engine.put("company", "new"))
    assert [(d.segment, d.object, d.entered, d.at, d.cause) for d in deltas] == [
        ("buyers", "c2", True, NOW + DAY, "time"),
        ("buyers", "c1", False, NOW + 2 * DAY, "time"),
        ("buyers", "c2", False, NOW + 3 * DAY, "time"),
        ("large", "new", True, NOW + 10 * DAY, "put"),
    ]
    assert [d.seq for d in deltas] == [last + 1, last + 2, last + 3, last + 4]
    assert told == deltas == list(engine.deltas(after=last))


def test_flips_of_the_time_slept_are_told_by_an_advance_too() -> None:
    """Also when no time passes any more; a second one has nothing to tell."""
    store = MemoryStore()
    fill(open_engine(store))
    engine = open_engine(store, NOW + 10 * DAY)
    assert [d.object for d in engine.advance(to=engine.now)] == ["c2", "c1", "c2"]
    assert list(engine.advance(to=engine.now)) == []
    engine.check_invariants()


def test_a_store_ahead_of_the_clock_keeps_its_instant() -> None:
    """Time does not go back over a restart."""
    store = MemoryStore()
    engine = open_engine(store)
    fill(engine)
    engine.advance(to=NOW + 5 * DAY)
    last = engine.now
    again = open_engine(store, NOW)
    assert again.now == last
    assert list(again.put("company", "acme", size=12)) == []


@pytest.mark.parametrize("store_type", STORES)
def test_a_store_that_does_not_fit_the_schema_is_refused(store_type: Callable[[], Any]) -> None:
    """Facts or definitions that mean nothing any more are a StoreError, not a guess."""
    store = store_type()
    fill(open_engine(store))
    smaller = sk.Schema(sk.ObjectType("contact", {"orders": sk.integer}, {"purchase": {"amount": sk.decimal}}))
    with pytest.raises(sk.StoreError, match="do not fit the schema"):
        sk.Engine(smaller, store=store, clock=sk.ManualClock(NOW))


def test_a_journal_of_changes_has_every_instant_and_id() -> None:
    """So that feeding it to an empty engine leads to the same facts."""
    store = JournalStore()
    engine = open_engine(store)
    fill(engine)
    events = [change for change in store.facts() if isinstance(change, sk.Event)]
    assert len(events) == 4
    assert all(event.at is not None and event.id for event in events)
    rebuilt = open_engine(MemoryStore())
    rebuilt.apply(store.facts())
    assert sorted(rebuilt.iter_facts(), key=repr) == sorted(engine.iter_facts(), key=repr)


def test_a_batch_that_creates_unknown_objects_stores_them() -> None:
    """A journal can be replayed by an engine that refuses unknown objects."""
    store = JournalStore()
    engine = sk.Engine(SCHEMA, store=store, clock=sk.ManualClock(NOW), unknown="create")
    engine.apply([sk.Event("contact", "c1", "purchase", id="e1"), sk.Update("contact", "c2", {"orders": 1})])
    assert state(open_engine(store)) == state(engine)


# ------------------------------------------------------------------------------- changelog


def test_a_memory_store_keeps_as_many_records_as_it_is_told() -> None:
    """Older deltas are a StoreError that says from where on they are kept; newer ones are there."""
    engine = sk.Engine(SCHEMA, store=MemoryStore(keep=3), clock=sk.ManualClock(NOW))
    engine.define("large", on="company", where="size > 10")
    for number in range(5):
        engine.put("company", f"a{number}", size=11)
    with pytest.raises(sk.StoreError, match="kept from number 3 on, 1 is gone"):
        engine.deltas(after=0)
    with pytest.raises(sk.StoreError, match="2 is gone"):
        engine.deltas(after=1)
    assert [d.seq for d in engine.deltas(after=2)] == [3, 4, 5]
    assert [d.seq for d in engine.deltas(after=4)] == [5]
    assert list(engine.deltas(after=5)) == list(engine.deltas(after=50)) == []


def test_a_store_that_keeps_no_deltas_numbers_them_all_the_same() -> None:
    """Nothing can be read back, and whoever is up to date has missed nothing."""
    engine = sk.Engine(SCHEMA, store=MemoryStore(keep=0), clock=sk.ManualClock(NOW))
    engine.define("large", on="company", where="size > 10")
    assert [d.seq for d in engine.put("company", "a", size=11)] == [1]
    assert [d.seq for d in engine.put("company", "b", size=11)] == [2]
    assert list(engine.deltas(after=2)) == []
    with pytest.raises(sk.StoreError, match="2 is gone"):
        engine.deltas(after=1)


def test_deltas_within_one_record_are_found_by_their_numbers() -> None:
    """One change may flip several segments; reading goes on in the middle of them."""
    engine = open_engine(MemoryStore())
    for k in range(5):
        engine.define(f"s{k}", on="company", where=f"size > {k}")
    engine.put("company", "a", size=9)
    assert [(d.seq, d.segment) for d in engine.deltas(after=3)] == [(4, "s3"), (5, "s4")]


def test_deltas_being_read_are_those_of_the_call() -> None:
    """A batch in between does not disturb the reader."""
    engine = open_engine(MemoryStore())
    engine.define("large", on="company", where="size > 10")
    engine.put("company", "a", size=11)
    reader = engine.deltas(after=0)
    engine.put("company", "b", size=11)
    assert [d.object for d in reader] == ["a"]


# --------------------------------------------------------------------------- failing stores


def bump(engine: sk.Engine) -> None:
    """Change, create, delete, re-create, track and retract in one batch."""
    engine.apply(
        [
            sk.Put("contact", "c1", {"spend": "0.0000001"}),
            sk.Update("contact", "c2", {"tags": ["new"], "orders": 2**80}),
            sk.Put("contact", "c9", {"orders": 1}),
            sk.Event("contact", "c9", "purchase", {"amount": "40.001"}, id="e1"),
            sk.Event("contact", "c2", "purchase", {"amount": "31", "labels": ["b"]}),
            sk.Retract("contact", "c1", "e1"),
            sk.Delete("contact", "c1"),
            sk.Put("contact", "c1", {"orders": 8}),
            sk.Delete("company", "acme"),
            sk.Put("company", "other"),
        ]
    )


CALLS: dict[str, Callable[[sk.Engine], object]] = {
    "apply": bump,
    "define": lambda engine: engine.define("new", on="contact", where="orders is missing or did purchase"),
    "redefine": lambda engine: engine.redefine("buyers", where="not did purchase in the last 2 days"),
    "drop": lambda engine: engine.drop("buyers"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("error", [sk.StoreError("disk full"), OSError("disk full")], ids=["StoreError", "OSError"])
def test_a_failing_store_leaves_the_engine_as_it_was(call: str, error: Exception) -> None:
    """Facts, segments, members and changelog are unchanged, nobody is told, and the call works afterwards."""
    store, told = FailingStore(), []
    engine = open_engine(store)
    fill(engine)
    engine.subscribe(told.append)
    before, store.error = state(engine), error
    for _ in range(2):
        with pytest.raises(sk.StoreError, match="disk full"):
            CALLS[call](engine)
        assert state(engine) == before
    assert told == []
    store.error = None
    CALLS[call](engine)
    undisturbed = open_engine(JournalStore())
    fill(undisturbed)
    CALLS[call](undisturbed)
    after = state(engine)
    assert [d.seq for d in told] == list(range(before["seq"] + 1, after["seq"] + 1))
    assert without_tags(after) == without_tags(state(undisturbed))
    assert without_tags(state(open_engine(store))) == without_tags(after)


def without_tags(found: dict[str, Any]) -> dict[str, Any]:
    """Return a state without the ids that events got from the engine, which a failed batch uses up."""
    facts = [
        (f.object, f.name, f.at, f.properties, None if f.id is not None and f.id.startswith("~") else f.id)
        if isinstance(f, sk.Event)
        else f
        for f in found["facts"]
    ]
    return {**found, "facts": sorted(facts, key=repr)}


@pytest.mark.parametrize("call", CALLS)
def test_time_that_passed_before_a_failing_batch_is_told_with_the_next(call: str) -> None:
    """Its flips come first and with their own instants, and no number is used twice."""
    store, clock = FailingStore(), sk.ManualClock(NOW)
    engine = sk.Engine(SCHEMA, store=store, clock=clock)
    fill(engine)
    last = engine.stats().seq
    clock.set(NOW + 10 * DAY)
    store.error = OSError("disk full")
    for _ in range(2):
        with pytest.raises(sk.StoreError):
            CALLS[call](engine)
        assert store.seq() == last
    store.error = None
    clock.set(NOW + 11 * DAY)
    deltas = list(engine.put("company", "new"))
    assert [(d.object, d.entered, d.at, d.cause) for d in deltas] == [
        ("c2", True, NOW + DAY, "time"),
        ("c1", False, NOW + 2 * DAY, "time"),
        ("c2", False, NOW + 3 * DAY, "time"),
        ("new", True, NOW + 11 * DAY, "put"),
    ]
    assert [d.seq for d in engine.deltas(after=last)] == [last + 1, last + 2, last + 3, last + 4]
    engine.check_invariants()
    assert engine.verify() == []


def test_an_advance_that_cannot_be_stored_is_told_later() -> None:
    """The members are those of the time that passed; the deltas wait."""
    store = FailingStore()
    engine = open_engine(store)
    fill(engine)
    last = engine.stats().seq
    store.error = OSError("disk full")
    with pytest.raises(sk.StoreError, match="disk full"):
        engine.advance(to=NOW + 10 * DAY)
    store.error = None
    assert [d.seq for d in engine.advance(to=NOW + 10 * DAY)] == [last + 1, last + 2, last + 3]
    assert engine.verify() == []

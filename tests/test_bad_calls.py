"""Calls with arguments that cannot be, and callers that meddle: a clear error, nothing half done, and all works on.

`test_bad_input.py` has wrong facts and wrong filters; here is what Python itself lets a host hand over.
"""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import segmentkit as sk
from segmentkit import build
from segmentkit.dsl.definitions import parse_definitions
from segmentkit.dsl.predicates import And, Duration, Not
from segmentkit.forms import jsonlogic, querybuilder
from segmentkit.index.deltas import Change, Delta
from segmentkit.stores.protocol import Batch, Definition

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HUGE = 10**5_000
"""An integer of more digits than Python writes."""
NESTED: list[Any] = []
"""A list that is too deep for its repr()."""
for _ in range(50_000):
    NESTED = [NESTED]


class Mute:
    """A value whose repr() fails."""

    def __repr__(self) -> str:
        raise RuntimeError("nothing to show")


ODD: dict[str, Any] = {
    "none": None,
    "a boolean": True,
    "a number": 5,
    "a huge number": HUGE,
    "bytes": b"x",
    "a list": [1],
    "a deep list": NESTED,
    "mute": Mute(),
    "huge text": "x" * 200_000,
    "half a pair": "\ud800",
}

SCHEMA = sk.Schema(
    sk.ObjectType(
        "contact",
        {"orders": sk.integer, "email": sk.text, "seen": sk.instant, "tags": sk.text_set, "consent": sk.boolean},
        {"purchase": {"amount": sk.decimal}},
    ),
    sk.ObjectType("company", {"size": sk.integer}),
)


def with_buyers(store: Any = None) -> sk.Engine:
    engine = sk.Engine(SCHEMA, store=store, clock=sk.ManualClock(NOW))
    engine.define("buyers", on="contact", where="orders >= 1")
    engine.put("contact", "c1", orders=1)
    return engine


@pytest.fixture
def engine() -> sk.Engine:
    """An engine with one segment and one member."""
    return with_buyers()


def check_unchanged(engine: sk.Engine) -> None:
    """The one member is still there, nothing was logged since, and the engine works on."""
    assert [segment.name for segment in engine.segments()] == ["buyers"]
    assert set(engine.members("buyers")) == {"c1"}
    assert [delta.object for delta in engine.deltas(after=0)] == ["c1"]
    assert engine.verify() == []
    engine.check_invariants()
    (delta,) = engine.put("contact", "c9", orders=7)
    assert (delta.object, delta.entered, delta.seq) == ("c9", True, 2)


def check_refused(call: Callable[[], Any]) -> str:
    """The call ends in an error of the tree with a message that fits a screen and can be printed; return it."""
    with pytest.raises(sk.SegmentKitError) as caught:
        call()
    message = str(caught.value)
    assert len(message) < 1_500
    message.encode()
    return message


# --------------------------------------------------------------------------- odd values

CALLS: dict[str, Callable[[sk.Engine, Any], Any]] = {
    "where": lambda engine, odd: engine.define("new", on="contact", where=odd),
    "name": lambda engine, odd: engine.define([odd], on="contact", where="true"),  # type: ignore[arg-type]
    "on": lambda engine, odd: engine.define("new", on=odd, where="true"),
    "on, unhashable": lambda engine, odd: engine.define("new", on=[odd], where="true"),  # type: ignore[arg-type]
    "description": lambda engine, odd: engine.define("new", on="contact", where="true", description=[odd]),  # type: ignore[arg-type]
    "hidden_from": lambda engine, odd: engine.define("new", on="contact", where="true", hidden_from=[[odd]]),  # type: ignore[list-item]
    "tags": lambda engine, odd: engine.define("new", on="contact", where="true", tags=[[odd]]),  # type: ignore[list-item]
    "refresh": lambda engine, odd: engine.define("new", on="contact", where="true", refresh=[odd]),  # type: ignore[arg-type]
    "params": lambda engine, odd: engine.define("new", on="contact", where="true", params=[odd]),  # type: ignore[arg-type]
    "a parameter": lambda engine, odd: engine.define("new", on="contact", where="seen > $p", params={"p": odd}),
    "parameters": lambda engine, odd: engine.define(
        "new", on="contact", where="orders in $p", params={"p": {"a", HUGE}}
    ),
    "redefine": lambda engine, odd: engine.redefine("buyers", where=odd),
    "redefine, name": lambda engine, odd: engine.redefine([odd], where="true"),  # type: ignore[arg-type]
    "drop": lambda engine, odd: engine.drop([odd]),  # type: ignore[arg-type]
    "members": lambda engine, odd: engine.members([odd]),  # type: ignore[arg-type]
    "page, after": lambda engine, odd: engine.members("buyers").page(after=[odd]),  # type: ignore[arg-type]
    "page, limit": lambda engine, odd: engine.members("buyers").page(limit=-1),
    "segments_of": lambda engine, odd: engine.segments_of("contact", [odd]),  # type: ignore[arg-type]
    "segments": lambda engine, odd: engine.segments(visible_to=[odd]),  # type: ignore[arg-type]
    "preview": lambda engine, odd: engine.preview(on="contact", where=odd),
    "preview, on": lambda engine, odd: engine.preview(on=odd, where="true"),
    "deltas": lambda engine, odd: engine.deltas(after=[odd]),  # type: ignore[arg-type]
    "subscribe": lambda engine, odd: engine.subscribe(odd),
    "verify": lambda engine, odd: engine.verify(progress=[odd]),  # type: ignore[arg-type]
    "advance": lambda engine, odd: engine.advance(to=[odd]),  # type: ignore[arg-type]
    "apply": lambda engine, odd: engine.apply(5),  # type: ignore[arg-type]
    "a change": lambda engine, odd: engine.apply([odd]),
    "a type": lambda engine, odd: engine.apply([sk.Put(odd, "c1")]),
    "an id": lambda engine, odd: engine.apply([sk.Put("contact", [odd])]),  # type: ignore[arg-type]
    "an attribute": lambda engine, odd: engine.apply([sk.Put("contact", "c1", {"orders": [odd]})]),
    "a name of an event": lambda engine, odd: engine.apply([sk.Event("contact", "c1", [odd])]),  # type: ignore[arg-type]
    "load": lambda engine, odd: engine.load([odd], {"id": ["a"]}),  # type: ignore[arg-type]
    "load, frame": lambda engine, odd: engine.load("contact", odd),
    "load, id": lambda engine, odd: engine.load("contact", {"id": ["a"]}, id=[odd]),  # type: ignore[arg-type]
    "load, value": lambda engine, odd: engine.load("contact", {"id": ["a"], "orders": [[odd]]}),
    "load, scalar": lambda engine, odd: engine.load("contact", {"id": ["a"], "orders": np.array(5)}),
    "load_events": lambda engine, odd: engine.load_events("contact", [odd], {}),  # type: ignore[arg-type]
    "define_file": lambda engine, odd: engine.define_file([odd]),  # type: ignore[arg-type]
    "define_file, NUL": lambda engine, odd: engine.define_file("a\0b"),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_argument_that_cannot_be_is_refused(
    engine: sk.Engine, call: Callable[[sk.Engine, Any], Any], odd: Any
) -> None:
    """Whatever it is, also what cannot be hashed, compared, or shown; and nothing is done."""
    check_refused(lambda: call(engine, odd))
    check_unchanged(engine)


TREE = sk.parse("orders > 4", SCHEMA, on="contact")

RULES = {"combinator": "and", "rules": []}

PURE_CALLS: dict[str, Callable[[Any], Any]] = {
    "parse": lambda odd: sk.parse(odd, SCHEMA, on="contact"),
    "parse, schema": lambda odd: sk.parse("true", odd, on="contact"),
    "parse, on": lambda odd: sk.parse("true", SCHEMA, on=odd),
    "parse, on, unhashable": lambda odd: sk.parse("true", SCHEMA, on=[odd]),  # type: ignore[arg-type]
    "parse, segments": lambda odd: sk.parse("true", SCHEMA, on="contact", segments={"a": [odd]}),  # type: ignore[dict-item]
    "format": sk.format,
    "to_json": sk.to_json,
    "to_english": sk.to_english,
    "to_english, on": lambda odd: sk.to_english(TREE, on=[odd]),  # type: ignore[arg-type]
    "normalize": sk.normalize,
    "in a tree": lambda odd: sk.format(Not(odd)),
    "in a tree, as JSON": lambda odd: sk.to_json(And((TREE, odd))),
    "in a tree, in English": lambda odd: sk.to_english(And((TREE, odd))),
    "from_json": lambda odd: sk.from_json(odd, SCHEMA, "contact"),
    "from_json, schema": lambda odd: sk.from_json(sk.to_json(TREE), [odd], "contact"),  # type: ignore[arg-type]
    "from_json, on": lambda odd: sk.from_json(sk.to_json(TREE), SCHEMA, [odd]),  # type: ignore[arg-type]
    "lint": lambda odd: sk.lint(odd, SCHEMA, on="contact"),
    "lint, segments": lambda odd: sk.lint(TREE, SCHEMA, on="contact", segments={"a": odd}),
    "lint, region": lambda odd: sk.lint("true", SCHEMA, on="contact", region=(0, [odd])),  # type: ignore[arg-type]
    "complete, segments": lambda odd: sk.complete("", 0, SCHEMA, on="contact", segments=[[odd]]),  # type: ignore[list-item]
    "from_querybuilder": lambda odd: querybuilder.from_querybuilder(RULES, SCHEMA, [odd]),  # type: ignore[arg-type]
    "from_querybuilder, schema": lambda odd: querybuilder.from_querybuilder(RULES, odd, "contact"),
    "from_jsonlogic": lambda odd: jsonlogic.from_jsonlogic({}, SCHEMA, [odd]),  # type: ignore[arg-type]
    "from_jsonlogic, schema": lambda odd: jsonlogic.from_jsonlogic({}, odd, "contact"),
    "parse_definitions": lambda odd: parse_definitions([odd]),  # type: ignore[arg-type]
    "complete": lambda odd: sk.complete([odd], 0, SCHEMA, on="contact"),  # type: ignore[arg-type]
    "complete, position": lambda odd: sk.complete("", [odd], SCHEMA, on="contact"),  # type: ignore[arg-type]
    "complete, schema": lambda odd: sk.complete("", 0, odd, on="contact"),
    "describe": sk.describe,
    "Schema": sk.Schema,
    "Schema, zone": lambda odd: sk.Schema(zone=odd),
    "ObjectType": lambda odd: sk.ObjectType([odd]),  # type: ignore[arg-type]
    "attributes": lambda odd: sk.ObjectType("a", [odd]),  # type: ignore[arg-type]
    "an attribute": lambda odd: sk.ObjectType("a", {"b": odd}),
    "properties": lambda odd: sk.ObjectType("a", {}, {"b": odd}),
    "relations": lambda odd: sk.ObjectType("a", relations=[odd]),  # type: ignore[arg-type]
    "a relation": lambda odd: sk.Schema(sk.ObjectType("a", relations={"b": sk.one([odd])})),  # type: ignore[arg-type]
    "choice": lambda odd: sk.choice([odd]),  # type: ignore[arg-type]
    "type": lambda odd: SCHEMA.type([odd]),  # type: ignore[arg-type]
    "Engine": sk.Engine,
    "store": lambda odd: sk.Engine(SCHEMA, store=[odd]),  # type: ignore[arg-type]
    "clock": lambda odd: sk.Engine(SCHEMA, clock=[odd]),  # type: ignore[arg-type]
    "unknown": lambda odd: sk.Engine(SCHEMA, unknown=odd),
    "ManualClock": sk.ManualClock,
    "ManualClock.advance": lambda odd: sk.ManualClock(NOW).advance(odd),
    "too far": lambda odd: sk.ManualClock(NOW).advance(timedelta.max),
    "MemoryStore": lambda odd: sk.MemoryStore(keep=[odd]),  # type: ignore[arg-type]
    "consolidate": lambda odd: sk.consolidate([odd]),
    "a window": lambda odd: build.attr.seen.when(this=odd),
    "a condition": lambda odd: (build.attr.orders > 4) & odd,
    "a member": lambda odd: build.attr.tags.has([odd]),  # type: ignore[arg-type]
    "members": lambda odd: build.attr.orders.in_({HUGE, odd if odd.__hash__ else 1}),
    "resolve": lambda odd: build.resolve(odd, SCHEMA, "contact"),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("call", PURE_CALLS.values(), ids=PURE_CALLS)
def test_functions_refuse_what_cannot_be(call: Callable[[Any], Any], odd: Any) -> None:
    """Those of the language, the schema, the builder and the clock, too."""
    check_refused(lambda: call(odd))


def test_a_message_shows_any_value_shortly() -> None:
    """A number of thousands of digits is called large, and a value that cannot be shown is named by its type."""
    assert check_refused(lambda: sk.ManualClock(HUGE)) == "expected an aware datetime, got a very large int (int)"  # type: ignore[arg-type]
    assert "a Mute whose repr() fails" in check_refused(lambda: sk.ManualClock(Mute()))  # type: ignore[arg-type]


def test_a_value_of_the_builder_is_no_filter(engine: sk.Engine) -> None:
    """It is not text as a condition is; the message says what to do."""
    message = check_refused(lambda: engine.define("new", on="contact", where=build.attr.consent))  # type: ignore[arg-type]
    assert "str()" in message
    assert engine.define("new", on="contact", where=str(build.attr.consent)).where == "consent"


def test_a_readers_list_is_told_in_a_line(engine: sk.Engine) -> None:
    """Who cannot be dropped because 300 others refer to it is told of some of them."""
    for n in range(300):
        engine.define(f"reader {n}", on="contact", where='in segment "buyers"')
    assert "and 280 more" in check_refused(lambda: engine.drop("buyers"))


# ------------------------------------------------------------------- what a segment keeps


@pytest.mark.parametrize("where", ["orders > 1 # \ud800", 'email = "\udfff"', "\ud800"])
def test_half_of_a_surrogate_pair_is_no_filter(engine: sk.Engine, where: str) -> None:
    """Not in a comment either: the text is kept, and no store, file or log could write it."""
    check_refused(lambda: engine.define("new", on="contact", where=where))
    check_unchanged(engine)


@pytest.mark.parametrize(
    "refresh", [timedelta(microseconds=5), timedelta(seconds=1, microseconds=5), timedelta.max, timedelta(-1)]
)
def test_a_period_that_no_file_could_say_is_refused(engine: sk.Engine, refresh: timedelta) -> None:
    """Five microseconds were "0 seconds", which the definition file refuses to read."""
    check_refused(lambda: engine.define("new", on="contact", where="true", refresh=refresh))
    check_unchanged(engine)


def test_parameters_make_no_filter_over_the_limits(engine: sk.Engine) -> None:
    """What a segment keeps is its text with the values in it, and the next engine on the store has to read it."""
    for where, values in (
        ("orders in $p", list(range(100_002))),
        ("email in $p", ["x" * 60_000 + c for c in "abcdefghijklmnopq"]),
    ):
        with pytest.raises(sk.LimitError):
            engine.define("new", on="contact", where=where, params={"p": values})
    check_unchanged(engine)


@pytest.mark.parametrize(
    ("count", "unit"),
    [("x", "day"), (1.5, "day"), (-1, "day"), (1, "fortnight"), (HUGE, "day")],
    ids=["text", "fraction", "negative", "unit", "huge"],
)
@pytest.mark.parametrize("where", ["seen in the last $p", "seen > now - $p"])
def test_a_duration_that_is_none_is_no_parameter(engine: sk.Engine, where: str, count: Any, unit: Any) -> None:
    """It comes from the host, which may put anything together."""
    check_refused(lambda: engine.define("new", on="contact", where=where, params={"p": Duration(count, unit)}))
    check_unchanged(engine)


def test_a_definition_file_is_text_in_utf_8(engine: sk.Engine, tmp_path: Path) -> None:
    """A byte order mark is passed over; another encoding is an error that names the file."""
    path = tmp_path / "some.seg"
    path.write_bytes('segment "łódź" on contact where true'.encode("cp1250"))
    assert "some.seg" in check_refused(lambda: engine.define_file(path))
    check_unchanged(engine)
    path.write_bytes('\ufeffsegment "all" on contact where true'.encode())
    assert [segment.name for segment in engine.define_file(path)] == ["all"]


def test_a_view_of_members_follows_the_name() -> None:
    """Through a redefinition; after a drop it is an error, not members of long ago under numbers of others."""
    engine = with_buyers()
    view = engine.members("buyers")
    engine.redefine("buyers", where="orders > 100")
    assert list(view) == []
    engine.put("contact", "c2", orders=500)
    assert (list(view), len(view), "c2" in view) == (["c2"], 1, True)
    engine.drop("buyers")
    engine.delete("contact", "c2")
    engine.put("contact", "c3")  # it takes the number of c2
    for look in (lambda: list(view), lambda: len(view), lambda: "c3" in view):
        with pytest.raises(sk.UnknownNameError):
            look()
    assert "dropped" in repr(view)


def test_a_preview_compares_within_one_type(engine: sk.Engine) -> None:
    """Members of another type have the same numbers and other ids."""
    engine.define("firms", on="company", where="true")
    engine.put("company", "k1")
    assert "'company'" in check_refused(lambda: engine.preview(on="contact", where="true", against="firms"))


# ------------------------------------------------------------------- copies and pickles


def test_deltas_are_pickled_by_themselves(engine: sk.Engine) -> None:
    """Not with the engine behind them; an equal sequence comes out, also of a load and a definition."""
    engine.define("all", on="contact", where="true")
    for deltas in (
        engine.put("contact", "c2", orders=5),
        engine.load("contact", {"id": ["a", "b"], "orders": [1, 2]}),
        engine.apply([sk.Delete("contact", "c1"), sk.Put("contact", "c4", {"orders": 2})]),
    ):
        assert len(deltas) >= 2
        assert pickle.loads(pickle.dumps(deltas)) == deltas  # noqa: S301  # our own
        assert copy.deepcopy(deltas) == copy.copy(deltas) == deltas


def test_a_schema_is_pickled(engine: sk.Engine) -> None:
    """So it can be sent to a worker process."""
    for schema in (pickle.loads(pickle.dumps(SCHEMA)), copy.deepcopy(SCHEMA)):  # noqa: S301  # our own
        assert sk.describe(schema) == sk.describe(SCHEMA)
        assert sk.parse("did purchase[amount > 3]", schema, on="contact")


@pytest.mark.parametrize(
    "call",
    [
        lambda: sk.parse("order > 4 and x", SCHEMA, on="contact"),
        lambda: sk.parse("orders >", SCHEMA, on="contact"),
        lambda: sk.parse("(" * 300, SCHEMA, on="contact"),
        lambda: sk.from_json(5),
        lambda: with_buyers().redefine("buyers", where='in segment "buyers"'),
        lambda: with_buyers().put("contact", "c1", orders="x"),
        lambda: sk.ManualClock(5),  # type: ignore[arg-type]
    ],
)
def test_errors_are_pickled(call: Callable[[], Any]) -> None:
    """A worker's error comes back with its message and its parts."""
    with pytest.raises(sk.SegmentKitError) as caught:
        call()
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  # our own
    assert (type(again), str(again), vars(again)) == (type(caught.value), str(caught.value), vars(caught.value))
    assert str(copy.copy(caught.value)) == str(caught.value)


@pytest.mark.parametrize("part", [lambda e: e, lambda e: e.members("buyers"), lambda e: e.segments()[0]])
@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickle.dumps])
def test_what_belongs_to_an_engine_is_not_copied(engine: sk.Engine, part: Any, way: Any) -> None:
    """A copy would share half of its parts; the message says what to take instead."""
    assert "cannot be copied" in check_refused(lambda: way(part(engine)))
    check_unchanged(engine)


# ----------------------------------------------------------------------------- meddling


def test_a_generator_of_changes_that_raises_changes_nothing(engine: sk.Engine) -> None:
    """Its own error comes through."""

    def changes() -> Iterator[Change]:
        yield sk.Put("contact", "c2", {"orders": 5})
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        engine.apply(changes())
    check_unchanged(engine)


def test_a_generator_of_changes_may_use_the_engine(engine: sk.Engine) -> None:
    """What it does happens before the batch; time does not go back to when the call began."""

    def changes() -> Iterator[Change]:
        yield sk.Put("contact", "c2", {"orders": 5})
        engine.put("contact", "c3", orders=9)
        engine.advance(to=NOW + timedelta(days=1))

    assert [delta.at for delta in engine.apply(changes())] == [NOW + timedelta(days=1)]
    assert engine.now == NOW + timedelta(days=1)
    assert set(engine.members("buyers")) == {"c1", "c2", "c3"}
    assert engine.verify() == []


class Ledger:
    """A store that keeps facts, and can be told to fail or to meddle."""

    def __init__(self) -> None:
        self.kept = sk.MemoryStore()
        self.changes: list[Change] = []
        self.fails: BaseException | None = None
        self.given: dict[str, Any] = {}

    def append(self, batch: Batch) -> None:
        if self.fails is not None:
            raise self.fails
        self.changes += batch.changes
        self.kept.append(batch)

    def now(self) -> datetime | None:
        return self._given("now", self.kept.now())

    def seq(self) -> int:
        return self._given("seq", self.kept.seq())

    def definitions(self) -> Any:
        return self._given("definitions", self.kept.definitions())

    def facts(self) -> Any:
        return self._given("facts", self.changes)

    def deltas(self, after: int) -> Any:
        return self._given("deltas", self.kept.deltas(after))

    def _given(self, what: str, usual: Any) -> Any:
        found = self.given.get(what, usual)
        if isinstance(found, Exception):
            raise found
        return found


def test_a_generator_for_a_store_with_facts_may_use_the_engine() -> None:
    """Its changes are all there before the first one is looked at."""
    engine = with_buyers(Ledger())

    def changes() -> Iterator[Change]:
        yield sk.Put("contact", "c2", {"orders": 5})
        engine.put("contact", "c3", orders=9)
        yield sk.Put("contact", "c4", {"orders": 5})

    assert [delta.object for delta in engine.apply(changes())] == ["c2", "c4"]
    assert [delta.seq for delta in engine.deltas()] == [1, 2, 3, 4]
    assert engine.verify() == []


@pytest.mark.parametrize("error", [KeyError("k"), KeyboardInterrupt(), SystemExit()])
@pytest.mark.parametrize(
    "call",
    [
        lambda e: e.put("contact", "c2", orders=5),
        lambda e: e.delete("contact", "c1"),
        lambda e: e.define("new", on="contact", where="orders > 2"),
        lambda e: e.redefine("buyers", where="true"),
        lambda e: e.drop("buyers"),
        lambda e: e.load("contact", {"id": ["c1", "z"], "orders": [0, 5]}),
    ],
)
def test_an_append_that_is_interrupted_is_taken_back(call: Any, error: BaseException) -> None:
    """Ctrl-C while the store writes, too: engine and store stay in step."""
    store = Ledger()
    engine = with_buyers(store)
    store.fails = error
    with pytest.raises((sk.StoreError, type(error))):
        call(engine)
    store.fails = None
    check_unchanged(engine)
    again = sk.Engine(SCHEMA, store=store, clock=sk.ManualClock(NOW))
    assert set(again.members("buyers")) == {"c1", "c9"}


def test_time_that_could_not_be_stored_comes_with_the_next_call() -> None:
    """An interrupt loses no delta of it."""
    store = Ledger()
    engine = with_buyers(store)
    engine.define("fresh", on="contact", where="seen in the last 2 days")
    engine.update("contact", "c1", seen=NOW)
    store.fails = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        engine.advance(to=NOW + timedelta(days=5))
    store.fails = None
    assert [(d.segment, d.entered) for d in engine.put("contact", "c2")] == [("fresh", False)]


WRONG_STORES: list[tuple[str, Any]] = [
    ("now", 5),
    ("now", datetime(2026, 1, 1)),  # noqa: DTZ001  # being naive is the point
    ("now", KeyError("k")),
    ("seq", "x"),
    ("seq", None),
    ("seq", ValueError("boom")),
    ("facts", None),
    ("facts", [5]),
    ("facts", KeyError("k")),
    ("definitions", None),
    ("definitions", [5]),
    ("definitions", [Definition("a", "contact", None)]),  # type: ignore[arg-type]
    ("definitions", [Definition("a", "contact", "orders >")]),
    ("definitions", [Definition("a", "contact", 'in segment "b"'), Definition("b", "contact", 'in segment "a"')]),
    ("definitions", [Definition("a", "nowhere", "true")]),
    ("definitions", KeyError("k")),
]


@pytest.mark.parametrize(("what", "given"), WRONG_STORES)
def test_a_store_that_gives_something_else_is_a_store_error(what: str, given: Any) -> None:
    """Whatever it is, or raises."""
    store = Ledger()
    with_buyers(store)
    store.given[what] = given
    with pytest.raises(sk.StoreError):
        sk.Engine(SCHEMA, store=store, clock=sk.ManualClock(NOW))


@pytest.mark.parametrize("given", [None, 5, KeyError("k")])
def test_deltas_that_a_store_cannot_give_are_a_store_error(given: Any) -> None:
    """As with all that it is asked."""
    store = Ledger()
    engine = with_buyers(store)
    store.given["deltas"] = given
    with pytest.raises(sk.StoreError):
        list(engine.deltas())


def test_progress_may_change_the_engine(engine: sk.Engine) -> None:
    """Objects and segments that come meanwhile are not looked at, and those that go are passed over."""
    for n in range(5):
        engine.put("contact", f"x{n}", orders=1)

    def progress(done: int, total: int) -> None:
        engine.put("contact", f"new {done}", orders=1)
        if done == 2:
            engine.delete("contact", "x4")
        if done == 3:
            engine.redefine("buyers", where="orders > 1")

    assert engine.verify(progress=progress) == []
    engine.check_invariants()


def test_progress_that_raises_leaves_what_was_repaired(engine: sk.Engine) -> None:
    """The next call repairs the rest."""
    engine.put("contact", "c2", orders=4)
    engine.segments()[0].members.clear()

    def progress(done: int, total: int) -> None:
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        engine.verify(repair=True, progress=progress)
    assert len(engine.verify(repair=True)) == 1
    assert engine.verify() == []


def test_a_subscriber_sees_what_was_recalculated(engine: sk.Engine) -> None:
    """And what it changes then is not overwritten by the recalculation that it is told of."""
    engine.put("contact", "c2", orders=0)
    segment = engine.segments()[0]
    segment.members.add(1)  # the number of c2
    seen: list[set[str]] = []

    def callback(delta: Delta) -> None:
        if delta.cause == "recalculate":
            seen.append(set(engine.members("buyers")))
            engine.put("contact", "c3", orders=7)

    engine.subscribe(callback)
    engine.recalculate("buyers")
    assert seen == [{"c1"}]
    assert set(engine.members("buyers")) == {"c1", "c3"}
    assert engine.verify() == []


def test_readers_in_other_threads_see_whole_batches(engine: sk.Engine) -> None:
    """`len`, `in`, pages and previews while batches of 500 arrive, and segments come and go."""
    view, wrong, done = engine.members("buyers"), [], threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                if (count := len(view)) % 500 != 1:
                    wrong.append(count)
                page = view.page(limit=None)
                if page and page[-1] not in view:
                    wrong.append(page[-1])
                engine.segments_of("contact", "c1")
                engine.preview(on="contact", where="orders > 3")
            except Exception as error:  # any would be wrong
                wrong.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for k in range(6):
            engine.apply([sk.Put("contact", f"{k}-{n}", {"orders": 2}) for n in range(500)])
            engine.define(f"s{k}", on="contact", where=f"orders > {k}")
            engine.drop(f"s{k}")
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert wrong == []
    assert engine.verify() == []


def test_decimals_past_the_limit_are_told_shortly(engine: sk.Engine) -> None:
    """The digits are not all repeated."""
    assert len(check_refused(lambda: engine.track("contact", "c1", "purchase", amount=Decimal(1).scaleb(5_000)))) < 300
    assert len(check_refused(lambda: engine.track("contact", "c1", "purchase", amount=HUGE))) < 300
    check_unchanged(engine)

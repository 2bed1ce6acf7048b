"""Tables: what `load` and `load_events` accept, refuse, and leave behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import segmentkit as sk
from segmentkit.index._events import DictionaryCodec
from tests.stores.journal import FailingStore, JournalStore

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
NAIVE = datetime(2026, 11, 22)  # noqa: DTZ001  # being naive is the point

ATTRIBUTES = {
    "orders": sk.integer,
    "score": sk.number,
    "spend": sk.decimal,
    "email": sk.text,
    "plan": sk.choice("free", "pro"),
    "consent": sk.boolean,
    "seen": sk.instant,
    "born": sk.date,
    "tags": sk.text_set,
    "place": sk.point,
}


def make_engine(**options: Any) -> sk.Engine:
    """Return an engine with two contacts."""
    contact = sk.ObjectType("contact", ATTRIBUTES, events={"buy": {"amount": sk.decimal, "what": sk.text}, "visit": {}})
    engine = sk.Engine(sk.Schema(contact), clock=sk.ManualClock(NOW), **options)
    engine.load("contact", {"id": ["a", "b"], "orders": [1, 5]})
    return engine


def facts(engine: sk.Engine) -> list[Any]:
    return list(engine.iter_facts())


ROWS = {
    "orders": [3, None],
    "score": [0.5, None],
    "spend": [Decimal("19.90"), None],
    "email": ["ada@x", None],
    "plan": ["pro", None],
    "consent": [True, None],
    "seen": [NOW - timedelta(days=1), None],
    "born": [date(1990, 2, 28), None],
    "tags": [["vip", "new"], None],
    "place": [[52.0, 21.0], None],
}


ARROW = {
    "orders": pa.int32(),
    "score": pa.float64(),
    "spend": pa.decimal128(12, 4),
    "email": pa.large_string(),
    "plan": pa.dictionary(pa.int16(), pa.string()),
    "consent": pa.bool_(),
    "seen": pa.timestamp("ns", "Europe/Warsaw"),
    "born": pa.date32(),
    "tags": pa.list_(pa.string()),
    "place": pa.list_(pa.float64(), 2),
}


@pytest.mark.parametrize(
    "shape",
    [
        lambda: {"id": ["x", "y"], **ROWS},
        lambda: pa.table({"id": ["x", "y"], **{n: pa.array(v, ARROW[n]) for n, v in ROWS.items()}}),
        lambda: pa.table({"id": ["x", "y"], **{n: pa.array(v, ARROW[n]) for n, v in ROWS.items()}}).to_reader(1),
        lambda: pa.record_batch({"id": ["x", "y"], **{n: pa.array(v, ARROW[n]) for n, v in ROWS.items()}}),
    ],
    ids=["lists", "table", "reader", "batch"],
)
def test_every_kind_of_frame_holds_the_same_values(shape: Callable[[], Any]) -> None:
    engine, expected = make_engine(), make_engine()
    engine.load("contact", shape())
    expected.apply(
        [
            sk.Put("contact", "x", {name: values[0] for name, values in ROWS.items()}),
            sk.Put("contact", "y"),
        ]
    )
    assert facts(engine) == facts(expected)
    engine.check_invariants()


def test_numpy_arrays_are_columns() -> None:
    engine = make_engine()
    frame = {
        "id": np.array(["x", "y"]),
        "orders": np.array([1, 2], np.uint8),
        "score": np.array([1, 2]),
        "spend": np.array([0.1, 19.99]),
        "consent": np.array([True, False]),
    }
    engine.load("contact", frame)
    (row,) = (fact.attributes for fact in facts(engine) if fact.id == "y")
    assert row == {"orders": 2, "score": 2.0, "spend": Decimal("19.99"), "consent": False, "tags": frozenset()}


def test_the_last_of_rows_with_one_id_counts_and_the_row_is_the_whole_object() -> None:
    engine = make_engine()
    engine.load("contact", {"id": ["a", "c", "a"], "email": ["x", "y", "z"]})
    assert [(f.id, {n: v for n, v in f.attributes.items() if v}) for f in facts(engine)] == [
        ("a", {"email": "z"}),
        ("b", {"orders": 5}),
        ("c", {"email": "y"}),
    ]


def test_deltas_are_net_and_numbered_without_gaps() -> None:
    engine = make_engine()
    engine.define("many", on="contact", where="orders > 3")
    engine.define("few", on="contact", where="orders <= 3")
    deltas = engine.load("contact", {"id": ["a", "b", "c"], "orders": [9, 9, 1]})
    found = [(d.segment, d.object, d.entered, d.cause, d.backfill, d.at) for d in deltas]
    assert found == [
        ("many", "a", True, "load", False, NOW),
        ("few", "a", False, "load", False, NOW),
        ("few", "c", True, "load", False, NOW),
    ]
    assert [d.seq for d in engine.deltas()] == list(range(1, 6))


def test_ids_in_deltas_stay_when_objects_go_and_numbers_are_used_again() -> None:
    engine = make_engine()
    engine.define("all", on="contact", where="true")
    deltas = engine.load("contact", {"id": ["c", "d"]})
    engine.delete("contact", "c")
    engine.put("contact", "e")
    assert [d.object for d in deltas] == ["c", "d"]


def test_events_with_known_ids_are_ignored_when_they_are_loaded_again() -> None:
    engine = make_engine()
    frame = {"object": ["a", "b"], "at": [NOW, NOW - timedelta(days=1)], "key": ["e1", "e1"], "amount": ["1.5", 2]}
    engine.load_events("contact", "buy", frame, id="key")
    before = facts(engine)
    engine.load_events("contact", "buy", frame, id="key")
    assert facts(engine) == before
    with pytest.raises(sk.DataError, match=r"event id 'e1' is taken"):
        engine.load_events("contact", "buy", {**frame, "amount": [3, 2]}, id="key")
    assert facts(engine) == before


def test_an_event_without_an_instant_happens_now() -> None:
    engine = make_engine()
    engine.load_events("contact", "visit", {"object": ["a"], "at": [None]})
    assert facts(engine)[1].at == NOW


def test_events_of_unknown_objects_create_them_where_that_is_asked_for() -> None:
    engine = make_engine(unknown="create")
    engine.define("visitors", on="contact", where="did visit")
    engine.define("quiet", on="contact", where="did not visit")
    deltas = engine.load_events("contact", "visit", {"object": ["z", "a"], "at": [NOW, NOW]})
    assert {(d.segment, d.object, d.entered) for d in deltas} == {
        ("visitors", "a", True),
        ("visitors", "z", True),
        ("quiet", "a", False),
    }


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"id": ["x", "y"], "orders": [1, 2.5]}, "row 2 of the frame, contact 'y': column 'orders': expected an int"),
        ({"id": ["x"], "orders": np.array([True])}, "row 1 .*'orders': expected an integer, got True"),
        ({"id": ["x"], "score": np.array([np.nan])}, "row 1 .*'score': expected a number, got nan"),
        ({"id": ["x"], "plan": ["gold"]}, "row 1 .*'plan': expected one of 'free', 'pro', got 'gold'"),
        ({"id": ["x"], "email": ["\ud800"]}, "row 1 .*'email': .*surrogate"),
        ({"id": ["x"], "seen": [NAIVE]}, "row 1 .*'seen': .*no time zone"),
        ({"id": ["x"], "seen": np.array(["2026-11-22"], "M8[ns]")}, "row 1 .*'seen': expected an instant"),
        ({"id": ["x"], "seen": pa.array([NAIVE])}, "row 1 .*'seen': .*no time zone"),
        ({"id": ["x"], "seen": pa.array([1], pa.timestamp("ns", "UTC"))}, "row 1 .*'seen': expected an instant"),
        ({"id": ["x"], "place": pa.array([[91.0, 0.0]])}, "row 1 .*'place': .*latitude"),
        ({"id": ["x"], "tags": pa.array([["a", None]])}, "row 1 .*'tags': expected text, got None"),
        ({"id": ["x", ""], "orders": [1, 2]}, "row 2 of the frame, contact: column 'id': an object id has to be text"),
        ({"id": ["x"], "order": [1]}, "column 'order' of the frame is no attribute; did you mean 'orders'"),
        ({"key": ["x"]}, "the frame has no column 'id', which id= names"),
        ({"id": ["x"], "orders": []}, "of the same length: 'id' has 1, 'orders' has 0"),
        ({"id": "x"}, "column 'id': expected a list or an array, got str"),
        ({1: ["x"]}, "the name of a column has to be text, got 1"),
        (["x"], "expected a mapping of columns, or a table that speaks Arrow .* got list"),
        (pa.table([["x"], ["y"]], names=["id", "id"]), "a column of the frame comes twice"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_loaded(frame: Any, message: str) -> None:
    engine = make_engine()
    before = facts(engine)
    with pytest.raises(sk.DataError, match=message):
        engine.load("contact", frame)
    assert facts(engine) == before
    engine.check_invariants()


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"object": ["a", "q"], "at": [NOW, NOW]}, "row 2 of the frame, contact 'q': there is no such object"),
        ({"object": ["a", None], "at": [NOW, NOW]}, "row 2 .*column 'object': an object id has to be text"),
        ({"object": ["a"], "at": ["today"]}, "row 1 .*column 'at': expected an instant"),
        ({"object": ["a"]}, "no column 'at', which at= names"),
        ({"object": ["a"], "at": [NOW], "amount": ["x"]}, "row 1 .*column 'amount': expected a decimal, got 'x'"),
        ({"object": ["a"], "at": [NOW], "price": [1]}, "column 'price' of the frame is no property of event 'buy'"),
    ],
)
def test_events_that_do_not_fit_are_named_and_nothing_is_added(frame: Any, message: str) -> None:
    engine = make_engine()
    before = facts(engine)
    with pytest.raises(sk.DataError, match=message) as caught:
        engine.load_events("contact", "buy", frame)
    assert facts(engine) == before
    assert caught.value.object_type == "contact"


def test_unknown_types_and_events_are_data_errors() -> None:
    engine = make_engine()
    with pytest.raises(sk.DataError, match="unknown object type 'contacts'; did you mean 'contact'"):
        engine.load("contacts", {"id": []})
    with pytest.raises(sk.DataError, match="contact has no event 'visits'; did you mean 'visit'"):
        engine.load_events("contact", "visits", {"object": [], "at": []})


def ids_as_text(ids: Sequence[Any]) -> Any:
    return pa.array(ids, pa.string())


def ids_as_large_text(ids: Sequence[Any]) -> Any:
    return pa.array(ids, pa.large_string())


def ids_in_chunks(ids: Sequence[Any]) -> Any:
    return pa.chunked_array([ids[:1], [], ids[1:]], pa.string())


def ids_as_codes(ids: Sequence[Any]) -> Any:
    return pa.array(ids, pa.string()).dictionary_encode()


IDS = (ids_as_text, ids_as_large_text, ids_in_chunks, ids_as_codes)


@pytest.mark.parametrize("ids_of", IDS)
def test_events_find_their_objects_whatever_has_been_deleted(ids_of: Callable[[Sequence[Any]], Any]) -> None:
    engine = make_engine()
    engine.load("contact", {"id": ["c", "d"]})
    engine.delete("contact", "b")
    engine.load_events("contact", "buy", {"object": ids_of(["d", "a", "d"]), "at": [NOW] * 3, "amount": [1, 2, 3]})
    found = [(e.object, e.properties["amount"]) for e in facts(engine) if isinstance(e, sk.Event)]
    assert sorted(found) == [("a", Decimal(2)), ("d", Decimal(1)), ("d", Decimal(3))]


@pytest.mark.parametrize("ids_of", IDS)
@pytest.mark.parametrize("wrong", ["b", "nobody", "", None])
def test_a_row_without_a_known_object_is_named_after_many_that_have_one(
    ids_of: Callable[[Sequence[Any]], Any], wrong: str | None
) -> None:
    engine = make_engine()
    engine.delete("contact", "b")
    before = facts(engine)
    with pytest.raises(sk.DataError, match=r"row 1,501 of the frame"):
        engine.load_events("contact", "visit", {"object": ids_of(["a"] * 1_500 + [wrong]), "at": [NOW] * 1_501})
    assert facts(engine) == before


def test_numbers_beyond_a_machine_word_are_loaded_too() -> None:
    engine = make_engine()
    engine.load("contact", {"id": ["x"], "orders": [2**70], "spend": [Decimal("1e-30")]})
    huge = {"object": ["x", "x"], "at": [NOW, NOW], "amount": [Decimal(10) ** 40, Decimal("1e-7")], "what": ["p", "q"]}
    engine.load_events("contact", "buy", huge)
    assert [f.properties["amount"] for f in facts(engine) if isinstance(f, sk.Event)] == [10**40, Decimal("1e-7")]
    engine.check_invariants()


def test_recalculating_puts_a_broken_membership_right() -> None:
    engine = make_engine()
    segment = engine.define("many", on="contact", where="orders > 3")
    assert list(engine.recalculate("many")) == []
    segment.members.clear()
    assert [(d.object, d.entered, d.backfill, d.cause) for d in engine.recalculate("many")] == [
        ("b", True, True, "recalculate")
    ]
    assert engine.verify() == []


def test_a_store_that_keeps_facts_gets_them_one_by_one() -> None:
    store = JournalStore()
    engine = make_engine(store=store)
    engine.load_events("contact", "buy", {"object": ["a"], "at": [None], "amount": pa.array([1.5])})
    assert [type(change) for batch in store.batches for change in batch.changes] == [sk.Put, sk.Put, sk.Event]
    again = sk.Engine(engine.schema, store=store, clock=sk.ManualClock(NOW))
    assert facts(again) == facts(engine)


def test_a_batch_that_the_store_refuses_leaves_nothing() -> None:
    store = FailingStore()
    engine = make_engine(store=store)
    before = facts(engine)
    store.error = sk.StoreError("full")
    with pytest.raises(sk.StoreError):
        engine.load("contact", {"id": ["c"]})
    assert facts(engine) == before


def test_places_are_looked_at_together() -> None:
    """Boxes, circles and what is said of them, in filters that are defined over many loaded objects."""
    contact = sk.ObjectType("contact", {"place": sk.point})
    engine = sk.Engine(sk.Schema(contact), clock=sk.ManualClock(datetime(2026, 11, 22, tzinfo=UTC)))
    places = [(float(i % 80), float(i % 170)) if i % 7 else None for i in range(1_000)]
    engine.load("contact", {"id": [f"c{i}" for i in range(1_000)], "place": places})
    for number, where in enumerate(
        [
            "place in box (10, 10, 40, 60)",
            "not place in box (10, 10, 40, 60)",
            "place within 2000 km of (20, 20) or place in box (50, 50, 60, 60)",
            "place within 2000 km of (20, 20) and not place within 500 km of (20, 20)",
        ]
    ):
        engine.define(f"s{number}", on="contact", where=where)
        assert engine.preview(on="contact", where=where).count == len(engine.members(f"s{number}")) > 0
    assert engine.verify() == []
    engine.check_invariants()


def test_a_table_that_grows_a_scale_past_a_word_holds_no_text_twice() -> None:
    """What the vectorised way has taken before it gives up is given back."""
    contact = sk.ObjectType("contact", {}, events={"purchase": {"amount": sk.decimal, "shop": sk.text}})
    engine = sk.Engine(sk.Schema(contact), clock=sk.ManualClock(NOW))
    engine.put("contact", "c1")
    engine.track("contact", "c1", "purchase", amount=Decimal(9 * 10**16))  # no word holds it with three places
    table = {"object": ["c1"], "at": [NOW], "amount": [Decimal("0.001")], "shop": ["corner"]}
    engine.load_events("contact", "purchase", table)
    engine.delete("contact", "c1")
    codec = engine._tables["contact"].events["purchase"].codecs[1]
    assert isinstance(codec, DictionaryCodec)
    assert codec.dictionary.code_by_value == {}

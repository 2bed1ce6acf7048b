"""Laws of windows: a filter over events finds what plain evaluation finds, however the events have come to be.

Events are in small pages, so that some are in pages and some outside, and a filter is asked again and again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

import segmentkit as sk
from segmentkit.dsl.evaluate import evaluate
from segmentkit.index import _bulk_find, _bulk_find_windows, _event_digests, _plan
from segmentkit.values import to_micros
from tests.examples import at_most
from tests.small_pages import fold_all, small_pages

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SCHEMA = sk.Schema(
    sk.ObjectType(
        "contact",
        {"orders": sk.integer, "email": sk.text, "place": sk.point},
        events={"view": {"url": sk.text}, "buy": {"kind": sk.text, "amount": sk.number, "price": sk.decimal}},
    )
)
KINDS = ["a", "b", "c"]
NUMBERS = [0.1, 0.2, 0.3, 0.1 + 0.2, -0.1, -0.3, 25.0, 1e16, -1e16, 1e308, -1e308, 0.0]
PRICES = [Decimal(n) for n in ("0.1", "0.25", "3", "-3", "99999999999999999999", "0.001")]

ATS = st.integers(-40, 0) | st.integers(-6, 3)  # a few are yet to come
EVENT = st.one_of(
    st.tuples(st.just("view"), ATS, st.fixed_dictionaries({}, optional={"url": st.sampled_from(KINDS)})),
    st.tuples(
        st.just("buy"),
        ATS,
        st.fixed_dictionaries(
            {},
            optional={
                "kind": st.sampled_from(KINDS),
                "amount": st.sampled_from(NUMBERS),
                "price": st.sampled_from(PRICES[:4]) | st.sampled_from(PRICES),
            },
        ),
    ),
)
EVENTS = st.lists(EVENT, min_size=1, max_size=12)
NUMBER = st.integers(0, 9)
STEPS = st.lists(
    st.tuples(st.just("track"), NUMBER, EVENT)
    | st.tuples(st.just("load"), NUMBER, EVENTS)
    | st.tuples(st.just("retract"), NUMBER, st.sampled_from("0123"))
    | st.tuples(st.just("delete"), NUMBER, st.just(None))
    | st.tuples(st.just("put"), NUMBER, st.integers(0, 3))
    | st.tuples(st.just("fold"), st.just(0), st.just(None))
    | st.tuples(st.just("wait"), st.integers(1, 5), st.just(None)),
    max_size=6,
)

TIMES = st.sampled_from(["at least", "more than", "fewer than", "exactly", "at most"])
SPAN = st.sampled_from(["", " in the last 3 hours", " in the last 1 days", " in the last 30 hours"])
WHICH = st.sampled_from(["view", "buy", 'view[url = "a"]', 'buy[kind = "b"]', 'buy[kind = "none"]'])
BUYS = st.sampled_from(["buy", 'buy[kind = "a"]', 'buy[kind = "none"]', "buy[amount > 0.2]"])
SUMS = st.sampled_from([*(f"{Decimal(n):f}" for n in NUMBERS), "0.3", "0.6", "0.4", "0.5"])
CONDITIONS = st.one_of(
    st.builds("did {} {} {} times{}".format, WHICH, TIMES, st.integers(1, 3), SPAN),
    st.builds("did not {}{}".format, WHICH, SPAN),
    st.builds("last({}) more than {} hours ago".format, WHICH, st.integers(1, 30)),
    st.builds("first({}) in the last {} hours".format, WHICH, st.integers(1, 30)),
    st.builds("sum({}.amount{}) {} {}".format, BUYS, SPAN, st.sampled_from(["<", "<=", ">", ">=", "=", "!="]), SUMS),
    st.builds(
        "sum({}.price{}) {} {}".format, BUYS, SPAN, st.sampled_from([">=", "<"]), st.sampled_from(["0", "0.3", "3"])
    ),
)
OTHERS = st.sampled_from(["orders > 1", "orders is missing", 'email ends with "a"', "place in box (0, 0, 10, 10)"])
FILTERS = CONDITIONS | st.lists(CONDITIONS | OTHERS, min_size=2, max_size=3, unique=True).flatmap(
    lambda parts: st.sampled_from([" and ", " or ", " and not "]).map(lambda word: word.join(f"({p})" for p in parts))
)


@pytest.fixture(autouse=True, scope="module")
def _always_in_bulk() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, small_pages():
        patch.setattr(_plan, "BULK_FROM", 1)
        yield


@at_most(700)
@example([("view", -1, {})], [("track", 0, ("view", 2, {}))], ["did view at least 1 times in the last 3 hours"], 0, 16)
@given(EVENTS, STEPS, st.lists(FILTERS, min_size=1, max_size=4), st.sampled_from([0, 64]), st.sampled_from([2, 3, 16]))
def test_filters_over_events_find_what_plain_evaluation_finds(
    first: list[Any], steps: list[tuple[str, int, Any]], filters: list[str], few: int, bits: int
) -> None:
    """All filters are asked after each step; one by one or with arrays, and with coarse buckets, too."""
    clock = sk.ManualClock(NOW)
    engine = sk.Engine(SCHEMA, clock=clock)
    trees = [sk.parse(where, SCHEMA, "contact") for where in filters]
    engine.load("contact", {"id": list("0123456"), "orders": [0, 1, 2, 3, None, 2, 1], "email": list("abcabca")})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_bulk_find, "_FEW", few)
        patch.setattr(_bulk_find_windows, "_FEW", few)
        patch.setattr(_event_digests, "_BITS", bits)
        for step in [("load", 0, first), *steps]:
            _take(engine, clock, *step)
            for tree in trees:
                assert _found(engine, tree) == _expected(engine, tree)


def _take(engine: sk.Engine, clock: sk.ManualClock, kind: str, number: int, given_facts: Any) -> None:
    table = engine._tables["contact"]
    match kind:
        case "track" if str(number) in table.number_by_id:
            name, hours, properties = given_facts
            with suppress(sk.DataError):  # it has another event of this id
                at = clock.now() + timedelta(hours=hours)
                engine.apply(sk.Event("contact", str(number), name, properties, at, str(hours % 4)))
        case "load":
            for event, names in (("view", ["url"]), ("buy", ["kind", "amount", "price"])):
                known = sorted(table.number_by_id)
                rows = [(place, *rest) for place, (name, *rest) in enumerate(given_facts) if name == event and known]
                frame: dict[str, Any] = {n: [properties.get(n) for _, _, properties in rows] for n in names}
                frame["object"] = [known[(number + place) % len(known)] for place, _, _ in rows]
                frame["at"] = [clock.now() + timedelta(hours=hours) for _, hours, _ in rows]
                engine.load_events("contact", event, frame)
        case "retract" if str(number) in table.number_by_id:
            with suppress(sk.DataError):  # it has no such event
                engine.apply(sk.Retract("contact", str(number), given_facts))
        case "delete" if str(number) in table.number_by_id:
            engine.delete("contact", str(number))
        case "put":
            engine.put("contact", str(number), orders=given_facts, place=(given_facts, 5))
        case "fold":
            for events in table.events.values():
                fold_all(events.rows)
        case "wait":
            clock.advance(timedelta(hours=number))
            engine.advance()


def _found(engine: sk.Engine, tree: sk.Predicate) -> list[str]:
    table, now = engine._tables["contact"], to_micros(engine.now)
    return sorted(table.named(engine._matchers["contact"].satisfying(tree, now)))


def _expected(engine: sk.Engine, tree: sk.Predicate) -> list[str]:
    table, now = engine._tables["contact"], to_micros(engine.now)
    return sorted(i for i, n in table.number_by_id.items() if evaluate(tree, table.facts(n), now, SCHEMA.zone))

"""Laws of digests: a filter over attributes finds what plain evaluation finds, however the facts have come to be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

import segmentkit as sk
from segmentkit import engine as engine_module
from segmentkit.dsl.evaluate import evaluate
from segmentkit.index import _digests, _matcher, _plan
from segmentkit.values import to_micros

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SCHEMA = sk.Schema(
    sk.ObjectType(
        "contact",
        {
            "orders": sk.integer,
            "ltv": sk.number,
            "total": sk.decimal,
            "seen": sk.instant,
            "born": sk.date,
            "country": sk.text,
            "plan": sk.choice("free", "pro"),
            "email": sk.text,
            "consent": sk.boolean,
            "tags": sk.text_set,
        },
    ),
    zone="Europe/Warsaw",
)
COUNTRIES, TAGS = ["PL", "DE", "FR"], ["a", "b", "c"]

WHOLE = st.integers(-3, 9) | st.sampled_from([-(2**62), 2**62, 2**70])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "orders": WHOLE,
    "ltv": st.integers(-3, 9).map(lambda n: n / 2),
    "total": st.integers(-9, 9).map(lambda n: Decimal(n).scaleb(-1)) | st.just(Decimal("0.125")),
    "seen": st.integers(-5, 5).map(lambda hours: NOW - timedelta(hours=hours)),
    "born": st.integers(-5, 5).map(lambda days: date(2026, 11, 22) - timedelta(days=days)),
    "country": st.sampled_from(COUNTRIES),
    "plan": st.sampled_from(["free", "pro"]),
    "email": st.sampled_from(["ann@a", "bob@b", "b@ann"]),
    "consent": st.booleans(),
    "tags": st.frozensets(st.sampled_from(TAGS), max_size=3),
}
ATTRIBUTES = st.fixed_dictionaries({}, optional={name: st.none() | value for name, value in VALUES.items()})
NUMBER = st.integers(-4, 10).map(str)
HALF = st.integers(-8, 20).map(lambda n: f"{n / 2}")
OPERATOR = st.sampled_from(["<", "<=", ">", ">=", "=", "!="])
CONDITIONS = st.one_of(
    st.builds("{} {} {}".format, st.just("orders"), OPERATOR, NUMBER),
    st.builds("{} {} {}".format, st.sampled_from(["ltv", "total"]), OPERATOR, HALF),
    st.builds("orders between {} and {}".format, st.integers(-4, 2).map(str), st.integers(2, 10).map(str)),
    st.builds("seen {} {} hours ago".format, st.sampled_from(["more than", "less than"]), st.integers(1, 6)),
    st.builds("born in the last {} days".format, st.integers(1, 6)),
    st.builds('country {} "{}"'.format, st.sampled_from(["=", "!="]), st.sampled_from([*COUNTRIES, "XX"])),
    st.builds('country in ("{}", "{}", "YY")'.format, st.sampled_from(COUNTRIES), st.sampled_from(COUNTRIES)),
    st.sampled_from(['plan = "pro"', "consent", "not consent", "consent is missing", "orders is missing"]),
    st.builds(
        'country {} "{}"'.format, st.sampled_from(["starts with", "ends with", "contains"]), st.sampled_from("PLX")
    ),
    st.sampled_from(['email ends with "@a"', 'not email ends with "@a"', 'email starts with "ann" and orders > 1']),
    st.builds('tags has "{}"'.format, st.sampled_from([*TAGS, "x"])),
    st.builds('tags has any of ("{}", "{}")'.format, st.sampled_from(TAGS), st.sampled_from(TAGS)),
    st.builds('not tags has "{}"'.format, st.sampled_from(TAGS)),
)
FILTERS = st.lists(CONDITIONS, min_size=1, max_size=3, unique=True).flatmap(
    lambda parts: st.sampled_from([" and ", " or "]).map(lambda word: word.join(f"({part})" for part in parts))
)


FIRST = {
    "orders": [0, 1, 2, 2, 4, 4, None, 7],
    "ltv": [0.5, 0.5, 1.0, 1.5, 2.0, 2.0, 4.0, None],
    "country": ["PL", "DE", "FR", None] * 2,
    "plan": ["free", "pro"] * 4,
    "email": ["ann@a", "bob@b", None, "cid@a", "dan@c", "eva@", "eva@a", "a@ann"],
    "consent": [True, False] * 4,
    "tags": [["a"], ["b"], ["a", "c"], []] * 2,
}


@pytest.fixture(autouse=True, scope="module")
def _always_in_bulk() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_plan, "BULK_FROM", 1)
        yield


STEPS = st.lists(
    st.tuples(st.just("put"), st.integers(0, 3), ATTRIBUTES)
    | st.tuples(st.just("delete"), st.integers(0, 7), st.none())
    | st.tuples(st.just("load"), st.integers(0, 7), st.lists(ATTRIBUTES, min_size=1, max_size=4))
    | st.tuples(st.just("batch"), st.integers(0, 7), st.lists(ATTRIBUTES, min_size=1, max_size=4))
    | st.tuples(st.just("wait"), st.just(0), st.none()),
    min_size=1,
    max_size=10,
)


@given(STEPS, st.lists(FILTERS, min_size=1, max_size=4), st.sampled_from([1, 65_534]), st.sampled_from([2, 16_384]))
def test_segments_over_attributes_select_what_plain_evaluation_selects(
    steps: list[tuple[str, int, Any]], filters: list[str], codes: int, noted: int
) -> None:
    """Members are worked out again after each step, block by block; columns of many texts come up, too."""
    engine = sk.Engine(SCHEMA, clock=sk.ManualClock(NOW))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_digests, "_MOST_CODES", codes)
        patch.setattr(_digests, "_MOST_NOTED", noted)
        patch.setattr(_matcher, "_FEW_FILTERS", 0)
        engine.load("contact", {"id": list("01234567"), **FIRST})
        segments = [engine.define(str(n), on="contact", where=where) for n, where in enumerate(filters)]
        for kind, number, given_facts in steps:
            _take(engine, kind, number, given_facts)
            found = engine._matchers["contact"].select_all(segments, to_micros(NOW))
            for segment, members in zip(segments, found, strict=True):
                assert sorted(engine._tables["contact"].named(members)) == _expected(engine, segment.tree)


@example([("wait", 0, None)], ['not tags has "a" and email ends with "@a"', 'not tags has "a" and ltv > 0.75'], 2, 2)
@given(STEPS, st.lists(FILTERS, min_size=1, max_size=4), st.sampled_from([2, 4, 254]), st.sampled_from([2, 16_384]))
def test_filters_over_attributes_find_what_plain_evaluation_finds(
    steps: list[tuple[str, int, Any]], filters: list[str], edges: int, noted: int
) -> None:
    """All filters are asked after each step; coarse buckets and full notes of changes come up, too."""
    engine = sk.Engine(SCHEMA, clock=sk.ManualClock(NOW))
    trees = [sk.parse(where, SCHEMA, "contact") for where in filters]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_digests, "_MOST_EDGES", edges)
        patch.setattr(_digests, "_MOST_NOTED", noted)
        engine.load("contact", {"id": list("01234567"), **FIRST})
        for kind, number, given_facts in steps:
            _take(engine, kind, number, given_facts)
            for tree in trees:
                assert _found(engine, tree) == _expected(engine, tree)


def _take(engine: sk.Engine, kind: str, number: int, given_facts: Any) -> None:
    if kind == "put":
        engine.put("contact", str(number), **given_facts)
    elif kind == "load":
        ids = [str(number + place) for place in range(len(given_facts))]
        engine.load("contact", {"id": ids, **{n: [f.get(n) for f in given_facts] for n in VALUES}})
    elif kind == "batch":
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(engine_module, "BATCH_FROM", 1)
            engine.apply([sk.Put("contact", str(number + place), facts) for place, facts in enumerate(given_facts)])
    elif kind == "delete" and str(number) in engine._tables["contact"].number_by_id:
        engine.delete("contact", str(number))


def _found(engine: sk.Engine, tree: sk.Predicate) -> list[str]:
    table, now = engine._tables["contact"], to_micros(NOW)
    return sorted(table.named(engine._matchers["contact"].satisfying(tree, now)))


def _expected(engine: sk.Engine, tree: sk.Predicate) -> list[str]:
    table, now = engine._tables["contact"], to_micros(NOW)
    return sorted(i for i, n in table.number_by_id.items() if evaluate(tree, table.facts(n), now, SCHEMA.zone))

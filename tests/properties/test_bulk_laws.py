"""Laws of the bulk path: what is worked out for all objects together is what plain evaluation says of each.

The path is taken from one object on here, instead of where it begins to win; events are in small pages.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

import segmentkit as sk
from segmentkit.index import _digests, _matcher, _plan
from tests.examples import FORMS
from tests.histories import History, Segment, fit, histories
from tests.side_by_side import engine_for
from tests.small_pages import small_pages
from tests.strategies import moves


@pytest.fixture(autouse=True, scope="module")
def _always_in_bulk() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, small_pages():
        patch.setattr(_plan, "BULK_FROM", 1)
        patch.setattr(_matcher, "_FEW_SEGMENTS", 0)
        yield


def loaded(history: History) -> tuple[sk.Engine, sk.ManualClock]:
    """Return an engine to which the history has happened, without segments."""
    engine, clock = engine_for(history.world)
    for step in history.steps:
        clock.advance(step.move)
        engine.apply(step.changes)
    return engine, clock


def define_together(engine: sk.Engine, segments: list[Segment]) -> None:
    """Define all segments with one file."""
    text = "\n".join(f'segment "{s.name}" on {s.on}\n  where {sk.format(s.tree)}\n' for s in segments)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.seg"
        path.write_text(text, encoding="utf-8")
        engine.define_file(path)


@FORMS
@given(histories(n_segments=3), st.lists(moves(), max_size=3))
def test_definitions_over_facts_select_what_plain_evaluation_selects(history: History, later: list[timedelta]) -> None:
    """Members, cells and deadlines are right at once, and stay right as time passes."""
    history = fit(history)
    engine, clock = loaded(history)
    define_together(engine, history.segments)
    assert engine.verify() == []
    engine.check_invariants()
    for move in later:
        clock.advance(move)
        engine.advance()
        assert engine.verify() == []
        engine.check_invariants()


@FORMS
@given(histories(n_segments=3), st.lists(moves(), max_size=2))
def test_definitions_one_by_one_select_the_same(history: History, later: list[timedelta]) -> None:
    """A plan that is extended and one that is built for all segments hold the same."""
    history = fit(history)
    together, clock = loaded(history)
    single, other_clock = loaded(history)
    define_together(together, history.segments)
    for segment in history.segments:
        single.define(segment.name, on=segment.on, where=sk.format(segment.tree))
    for move in later:
        clock.advance(move)
        other_clock.advance(move)
        flips = [{(d.segment, d.object, d.at, d.entered) for d in e.advance()} for e in (together, single)]
        assert flips[0] == flips[1]
    for segment in history.segments:
        assert together.members(segment.name) == single.members(segment.name)


@FORMS
@given(histories(n_segments=3))
def test_previews_find_what_plain_evaluation_finds(history: History) -> None:
    """A filter that nothing remembers counts the same objects as the plain evaluator."""
    history = fit(history)
    engine, _ = loaded(history)
    for segment in history.segments:
        found = engine.preview(on=segment.on, where=sk.format(segment.tree)).members
        engine.define(segment.name, on=segment.on, where=sk.format(segment.tree))
        assert engine.verify() == []
        assert list(found) == list(engine.members(segment.name))


@FORMS
@given(histories(n_segments=3), st.sampled_from([2, 4, 254]), st.sampled_from([2, 16_384]))
def test_previews_follow_what_changes_between_them(history: History, edges: int, noted: int) -> None:
    """Digests of columns are those of the facts of the moment, with coarse buckets too, and when many facts change."""
    history = fit(history)
    engine, clock = engine_for(history.world)
    for segment in history.segments:
        engine.define(segment.name, on=segment.on, where=sk.format(segment.tree))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_digests, "_MOST_EDGES", edges)
        patch.setattr(_digests, "_MOST_NOTED", noted)
        for step in history.steps:
            clock.advance(step.move)
            engine.apply(step.changes)
            for segment in history.segments:
                found = engine.preview(on=segment.on, where=sk.format(segment.tree)).members
                assert list(found) == list(engine.members(segment.name))
    assert engine.verify() == []


# ------------------------------------------------------------------------------ loading


def arrow(value_type: sk.ValueType, values: list[Any]) -> Any:
    """Return the values as an array of pyarrow of the type that a host would take, or as they are."""
    types = {
        "text": pa.string(),
        "choice": pa.dictionary(pa.int8(), pa.string()),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "instant": pa.timestamp("us", "Europe/Warsaw"),
        "date": pa.date32(),
        "text_set": pa.list_(pa.string()),
        "decimal": pa.decimal128(20, 3),
        "point": pa.list_(pa.float64()),
    }
    if value_type.kind in types:
        plain = [sorted(v) if isinstance(v, frozenset) else list(v) if isinstance(v, tuple) else v for v in values]
        with contextlib.suppress(pa.ArrowInvalid, OverflowError):
            return pa.array(plain, types[value_type.kind])
    return values


def columns(
    fields: Mapping[str, sk.ValueType], rows: list[Mapping[str, Any]], kind: Callable[..., Any]
) -> dict[str, Any]:
    """Return the rows as columns, those left out that nobody fills."""
    return {
        name: kind(value_type, [row.get(name) for row in rows])
        for name, value_type in fields.items()
        if any(name in row for row in rows)
    }


def load_facts(engine: sk.Engine, facts: list[Any], kind: Callable[..., Any]) -> list[sk.Delta]:
    """Load objects, then events, of each type from frames."""
    deltas: list[sk.Delta] = []
    for name, object_type in engine.schema.types.items():
        puts = [fact for fact in facts if isinstance(fact, sk.Put) and fact.object_type == name]
        frame = columns(object_type.attributes, [put.attributes for put in puts], kind)
        deltas += engine.load(name, {"@id": kind(sk.text, [put.id for put in puts]), **frame}, id="@id")
        for event, event_type in object_type.events.items():
            found = [f for f in facts if isinstance(f, sk.Event) and (f.object_type, f.name) == (name, event)]
            deltas += engine.load_events(
                name,
                event,
                {
                    "@object": kind(sk.text, [e.object for e in found]),
                    "@at": kind(sk.instant, [e.at for e in found]),
                    "@id": [e.id for e in found],
                    **columns(event_type.properties, [e.properties for e in found], kind),
                },
                object="@object",
                at="@at",
                id="@id",
            )
    return deltas


def without_given_ids(facts: Iterable[Any]) -> list[Any]:
    """Return facts with the ids of the engine's own making left out."""
    return [
        attrs.evolve(fact, id=None) if isinstance(fact, sk.Event) and (fact.id or "~")[0] == "~" else fact
        for fact in facts
    ]


@FORMS
@given(histories(n_segments=3), st.booleans(), st.integers(0, 8), st.lists(moves(), max_size=2))
def test_a_table_means_what_its_rows_mean_one_by_one(
    history: History, from_arrow: bool, split: int, later: list[timedelta]
) -> None:
    """Facts, memberships, deltas and what time brings later are those of single changes."""
    history = fit(history)
    engine, clock = engine_for(history.world)
    for segment in history.segments:
        engine.define(segment.name, on=segment.on, where=sk.format(segment.tree))
    for step in history.steps:
        clock.advance(step.move)
        engine.apply(step.changes)
    facts = without_given_ids(engine.iter_facts())
    again, again_clock = engine_for(history.world)
    for segment in history.segments[1:]:
        again.define(segment.name, on=segment.on, where=sk.format(segment.tree))
    again_clock.set(clock.now())
    kind = arrow if from_arrow else lambda value_type, values: values
    members: dict[str, set[str]] = {segment.name: set() for segment in history.segments}
    rest = [fact for place, fact in enumerate(facts) if place >= split or isinstance(fact, sk.Put)]
    for portion in (facts[:split], rest):
        for delta in load_facts(again, portion, kind):
            assert (delta.object in members[delta.segment]) is not delta.entered
            (members[delta.segment].add if delta.entered else members[delta.segment].discard)(delta.object)
            assert not delta.backfill
    for segment in history.segments[:1]:
        again.define(segment.name, on=segment.on, where=sk.format(segment.tree))
        members[segment.name] = set(again.members(segment.name))
    assert [d.seq for d in again.deltas()] == list(range(1, len(list(again.deltas())) + 1))
    again.check_invariants()
    assert again.verify() == []
    assert without_given_ids(again.iter_facts()) == facts
    assert members == {segment.name: set(again.members(segment.name)) for segment in history.segments}
    for move in later:
        clock.advance(move)
        again_clock.set(clock.now())
        again.advance()
        assert again.verify() == []
        again.check_invariants()

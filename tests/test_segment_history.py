"""What a filter knows of the past of a segment that nobody asked for before, or not for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import segmentkit as sk
from tests.stores.journal import FailingStore

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SCHEMA = sk.Schema(
    sk.ObjectType(
        "company",
        {"size": sk.integer},
        events={"visit": {}},
        relations={"parent": sk.one("company"), "children": sk.many("company", via="parent")},
    )
)


@pytest.fixture
def clock() -> sk.ManualClock:
    return sk.ManualClock(NOW)


@pytest.fixture
def engine(clock: sk.ManualClock) -> sk.Engine:
    """One company, which is its own parent."""
    engine = sk.Engine(SCHEMA, clock=clock)
    engine.put("company", "acme", size=1, parent="acme")
    return engine


def members(engine: sk.Engine, where: str) -> list[str]:
    """Define a segment, return its members after a look at everything, and drop it."""
    engine.define("asked", on="company", where=where)
    found = list(engine.members("asked"))
    engine.check_invariants()
    assert engine.verify() == []
    assert list(engine.preview(on="company", where=where).members) == found
    engine.drop("asked")
    return found


@pytest.mark.parametrize(
    "where",
    [
        'entered segment "Small" today',
        'any children[entered segment "Small" today]',
        'parent[was ever in segment "Small"]',
        'count(children[entered segment "Small" today or size = 7]) > 0',
        'top 1 of (entered segment "Small" today) by size',
    ],
)
def test_the_past_is_known_inside_brackets_too(engine: sk.Engine, where: str) -> None:
    engine.define("Small", on="company", where="size = 1")
    assert engine.preview(on="company", where=where).members == ("acme",)
    assert members(engine, where) == ["acme"]


def test_what_time_has_just_flipped_is_in_the_past(engine: sk.Engine, clock: sk.ManualClock) -> None:
    """Also if nobody advanced the engine before the segment was defined that asks for it."""
    engine.track("company", "acme", "visit", at=NOW + DAY)
    engine.define("Visited", on="company", where="did visit in the last 2 days")
    clock.set(NOW + DAY + HOUR)
    engine.define("Came", on="company", where='entered segment "Visited" in the last 2 hours')
    assert list(engine.members("Came")) == ["acme"]
    clock.set(NOW + 3 * DAY + HOUR)
    engine.define("Went", on="company", where='left segment "Visited" in the last 2 hours')
    assert list(engine.members("Went")) == ["acme"]


def test_what_happens_while_nobody_asks_is_in_the_past(engine: sk.Engine, clock: sk.ManualClock) -> None:
    engine.define("Small", on="company", where="size = 1")
    assert members(engine, 'left segment "Small"') == []
    clock.advance(DAY)
    engine.update("company", "acme", size=2)
    clock.advance(DAY)
    assert members(engine, 'left segment "Small" in the last 25 hours') == ["acme"]


def test_a_segment_defined_again_has_no_past(engine: sk.Engine, clock: sk.ManualClock) -> None:
    engine.define("Small", on="company", where="size = 1")
    engine.define("Was", on="company", where='was ever in segment "Small"')
    clock.advance(DAY)
    engine.drop("Was")
    engine.drop("Small")
    engine.define("Small", on="company", where="size = 2")
    assert members(engine, 'was ever in segment "Small"') == []


@pytest.mark.parametrize("call", ["redefine", "drop"])
def test_the_past_is_there_when_a_failing_store_took_a_definition_back(clock: sk.ManualClock, call: str) -> None:
    """The flips of the time that passed before the call, which nobody has stored yet, are part of it."""
    store = FailingStore()
    engine = sk.Engine(SCHEMA, store=store, clock=clock)
    engine.put("company", "acme", size=1)
    engine.track("company", "acme", "visit", at=NOW + DAY)
    engine.define("Visited", on="company", where="did visit in the last 2 days")
    engine.define("Came", on="company", where='entered segment "Visited" in the last 2 hours')
    clock.set(NOW + DAY + HOUR)
    store.error = OSError("disk full")
    with pytest.raises(sk.StoreError):
        engine.redefine("Came", where="false") if call == "redefine" else engine.drop("Came")
    assert list(engine.members("Came")) == ["acme"]
    engine.check_invariants()
    assert engine.verify() == []
    store.error = None
    clock.set(NOW + 3 * DAY)
    flips = [(d.segment, d.entered, d.at) for d in engine.advance()]
    assert flips == [
        ("Visited", True, NOW + DAY),
        ("Came", True, NOW + DAY),
        ("Came", False, NOW + DAY + 2 * HOUR),
        ("Visited", False, NOW + 3 * DAY),
    ]


@pytest.mark.parametrize("where", ['was ever in segment "Small"', 'not entered segment "Small" today'])
def test_members_of_a_file_enter_together(engine: sk.Engine, tmp_path: Path, where: str) -> None:
    path = tmp_path / "segments.seg"
    path.write_text(f'segment "Small" on company where size = 1\nsegment "asked" on company where {where}\n', "utf-8")
    engine.define_file(path)
    entered = ["Small", "asked"] if where.startswith("was") else ["Small"]
    assert [(d.segment, d.entered, d.cause) for d in engine.deltas(after=0)] == [(s, True, "define") for s in entered]
    assert engine.verify() == []
    engine.drop("asked")
    again = engine.define("asked", on="company", where=where)
    assert list(again.members) == ([0] if where.startswith("was") else [])

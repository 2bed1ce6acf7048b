"""Many places over one point: as the evaluator says, on every edge, around the date line and at the poles."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import segmentkit as sk
from segmentkit.dsl.evaluate import DictFacts, evaluate
from segmentkit.dsl.predicates import And, Attribute, InBox, Not, Or, Predicate, Within
from segmentkit.index._points import Bands

PLACE = Attribute("place", sk.point)
NOW = datetime(2026, 11, 22, tzinfo=UTC)
_LATITUDES = (-90.0, -40.5, -10.0, 0.0, 10.0, 52.25, 90.0)
_LONGITUDES = (-180.0, -179.5, -20.0, 0.0, 20.0, 21.0, 179.5, 180.0)


def some_places(rng: random.Random, count: int) -> list[Predicate]:
    """Return boxes, some of them over the date line, circles, and formulas over both."""
    found: list[Predicate] = []
    while len(found) < count:
        south, north = sorted(rng.choices(_LATITUDES, k=2))
        box = InBox(PLACE, south, rng.choice(_LONGITUDES), north, rng.choice(_LONGITUDES))
        centre = rng.choice(_LATITUDES), rng.choice(_LONGITUDES)
        circle = Within(PLACE, rng.choice((0, 50, 1_000, 9_000, 30_000)), "km", centre)
        found += [box, circle, Not(box), And((box, Not(circle))), Or((Not(box), circle))]
    return found[:count]


def test_a_point_is_in_the_places_that_the_evaluator_says() -> None:
    """After every move, for points on edges, between them, and for none."""
    rng = random.Random(4)
    places = some_places(rng, 60)
    engine = sk.Engine(sk.Schema(sk.ObjectType("contact", {"place": sk.point})), clock=sk.ManualClock(NOW))
    for number, place in enumerate(places[:40]):
        engine.define(f"s{number}", on="contact", where=place)
    engine.put("contact", "c")
    for number, place in enumerate(places[40:], start=40):  # on a plan in use
        engine.define(f"s{number}", on="contact", where=place)
    for _ in range(300):
        point = rng.choice(_LATITUDES), rng.choice(_LONGITUDES)
        if rng.random() < 0.3:
            point = rng.uniform(-90, 90), rng.uniform(-180, 180)
        value = None if rng.random() < 0.1 else point
        engine.update("contact", "c", place=value)
        facts = DictFacts({"place": value}, {})
        expected = {f"s{n}" for n, place in enumerate(places) if evaluate(place, facts, 0, "UTC")}
        assert set(engine.segments_of("contact", "c")) == expected, f"at {value}"
    for number in range(0, 60, 2):
        engine.drop(f"s{number}")
    engine.check_invariants()


def test_an_empty_range_holds_nothing() -> None:
    """A box whose south is north of its north is empty, not inside out."""
    bands = Bands([(0, 3.0, 1.0)])
    assert [bands.at(value) for value in (0.0, 1.0, 2.0, 3.0, 4.0)] == [0] * 5


def test_a_move_between_places_that_many_segments_share_examines_only_those() -> None:
    """A thousand boxes elsewhere are not looked at."""
    engine = sk.Engine(sk.Schema(sk.ObjectType("contact", {"place": sk.point})), clock=sk.ManualClock(NOW))
    for n in range(1_000):
        engine.define(f"s{n}", on="contact", where=InBox(PLACE, n / 20, 0.0, n / 20 + 0.04, 1.0))
    engine.put("contact", "c", place=(10.02, 0.5))
    before = engine.stats().clauses_examined
    assert len(engine.update("contact", "c", place=(20.02, 0.5))) == 2
    assert engine.stats().clauses_examined - before == 2

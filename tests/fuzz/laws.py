"""What has to hold for any input, however odd: it ends in an error of the library, or in a tree that keeps the laws."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs

import segmentkit as sk
from segmentkit.dsl import predicates as p
from segmentkit.dsl._horizon import next_change
from segmentkit.dsl.evaluate import evaluate
from segmentkit.values import ValueType, from_micros, to_micros
from tests.fuzz.choices import Choices
from tests.fuzz.seeds import SCHEMAS, SEGMENTS
from tests.model import Definition, Refused
from tests.related_model import RelatedModel, relations_of
from tests.strategies import BASES, MOVES, OFFSETS, POOLS, event, values_for

__all__ = ["Broken", "check_engine", "check_facts", "check_tree", "parsed"]

_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
_EDGES: Final = (
    _FIRST, _FIRST + timedelta(days=1), _FIRST + timedelta(days=31), _FIRST + timedelta(days=400),
    _LAST, _LAST - timedelta(days=1), _LAST - timedelta(days=31), _LAST - timedelta(days=400),
)  # fmt: skip
_MICROSECONDS: Final = {"near": 1, "day": 86_400_000_000}


class Broken(AssertionError):
    """A law does not hold."""


@attrs.frozen(eq=False)
class Surroundings:
    """A schema and the instant around which its objects live; other than `World` also at the ends of the calendar."""

    schema: sk.Schema
    base: datetime

    def values(self, value_type: ValueType) -> tuple[Any, ...]:
        """Return the pool of a type, in the form in which hosts pass values."""
        if value_type == sk.instant:
            return tuple(moved for offset in OFFSETS if (moved := _moved(self.base, offset)) is not None)
        if value_type == sk.date:
            days = (0, 1, -1, -7, 30, -31, 365)
            return tuple(m.date() for d in days if (m := _moved(self.base, timedelta(days=d))) is not None)
        return value_type.choices or POOLS[value_type]


def _moved(instant: datetime, offset: timedelta) -> datetime | None:
    try:
        return instant + offset
    except OverflowError:
        return None


def parsed(text: str, schema: str, on: str) -> p.Predicate | None:
    """Return the tree of a text, or None if the library refuses it with an error that people can read."""
    try:
        return sk.parse(text, SCHEMAS[schema], on, segments=SEGMENTS[schema])
    except sk.SegmentKitError as error:
        assert str(error)  # noqa: PT017 - any error of the library is fine, and has a message
        return None


# ---------------------------------------------------------------------------------- forms


def check_tree(tree: p.Predicate, schema: str, on: str) -> None:
    """What parses is written and read again, in every form, as the same tree."""
    declared, segments = SCHEMAS[schema], SEGMENTS[schema]
    text = sk.format(tree)
    assert "\n" not in text
    again = sk.parse(text, declared, on, segments=segments)
    assert again == tree, text
    assert hash(again) == hash(tree)
    assert sk.format(again) == text
    document = json.loads(json.dumps(sk.to_json(tree), allow_nan=False))
    assert sk.from_json(document) == tree
    assert sk.from_json(document, declared, on, segments=segments) == tree
    assert sk.to_english(tree, on)
    normal = sk.normalize(tree)
    assert sk.normalize(normal) == normal
    assert sk.parse(sk.format(normal), declared, on, segments=segments) == normal


# ---------------------------------------------------------------------------------- facts


def _surroundings(schema: str, choices: Choices) -> Surroundings:
    return Surroundings(SCHEMAS[schema], choices.pick((*BASES, *_EDGES)))


def _put(world: Any, on: str, object_id: str, choices: Choices) -> sk.Put:
    source: Any = choices
    values = values_for(source, world, world.schema.type(on).attributes)
    links = {name: choices.pick(("a", "b", None, "nobody")) for name in relations_of(world.schema, on, "one")}
    return sk.Put(on, object_id, {**values, **links})


def _changes(world: Any, choices: Choices) -> list[Any]:
    source: Any = choices
    changes: list[Any] = []
    for on, declared in world.schema.types.items():
        for object_id in ("a", "b"):
            changes.append(_put(world, on, object_id, choices))
            if declared.events:
                events = [event(source, world, declared, object_id) for _ in range(choices.below(4))]
                changes += [attrs.evolve(found, id=f"e{number}") for number, found in enumerate(events)]
    return changes


def _segment_trees(schema: str) -> Mapping[str, tuple[str, p.Predicate]]:
    """Return a filter for each of the segments that exist."""
    return {
        name: (on, sk.parse("false" if name == "Lapsed" else "true", SCHEMAS[schema], on))
        for name, on in SEGMENTS[schema].items()
    }


def check_facts(tree: p.Predicate, schema: str, on: str, number: int) -> None:
    """A filter has an answer for random facts; `not` and the normal form agree; nothing flips before its horizon."""
    choices = Choices.of(number)
    world = _surroundings(schema, choices)
    zone, now = world.schema.zone, to_micros(world.base)
    model = RelatedModel(world.schema, now)
    try:
        model.apply(_changes(world, choices))
    except Refused:
        return
    for name, (owner, where) in _segment_trees(schema).items():
        model.definitions[name] = Definition(owner, where)
        model.stays[name, "a"] = [(max(to_micros(_FIRST), now - 86_400_000_000), None)]
    normal = sk.normalize(tree)
    for object_id in ("a", "b"):
        facts: Any = model.facts(on, object_id)
        holds = evaluate(tree, facts, now, zone)
        assert isinstance(holds, bool)
        assert evaluate(p.Not(tree), facts, now, zone) is not holds
        assert evaluate(normal, facts, now, zone) is holds, f"{sk.format(normal)} at {world.base}"
        if any(isinstance(node, p.InSegment | p.Rank) for node in p.iter_nodes(tree)):
            continue
        horizon = next_change(tree, facts, now, zone)
        assert horizon is None or horizon > now
        last = to_micros(_LAST) if horizon is None else horizon - 1
        near = [last, now + 1, *(now + int(length.total_seconds() * 1e6) for length in MOVES)]
        near += [to_micros(found) for found in world.values(sk.instant)]
        near += [now + (last - now) * step // 16 for step in range(1, 16)]
        for later in near:
            if now < later <= last:
                found = evaluate(tree, facts, later, zone)
                assert found is holds, (
                    f"at {from_micros(later)}, before {horizon and from_micros(horizon)}: {world.base}"
                )


# --------------------------------------------------------------------------------- engine


def check_engine(text: str, schema: str, on: str, number: int) -> None:
    """An engine takes whatever parses, and keeps its members right while facts come and time passes."""
    choices = Choices.of(number)
    world = _surroundings(schema, choices)
    clock = sk.ManualClock(world.base)
    engine = sk.Engine(world.schema, clock=clock, unknown="create")
    for name, (owner, where) in _segment_trees(schema).items():
        engine.define(name, on=owner, where=where)
    if choices.chance(2):
        _apply(engine, world, choices)
    engine.define("it", on=on, where=text)
    expected: set[str] = set(engine.members("it"))
    for move in (timedelta(0), choices.pick(MOVES), timedelta(days=choices.below(70)), timedelta(days=366)):
        clock.set(_moved(clock.now(), move) or _LAST)
        _follow(engine.advance(), expected)
        _follow(_apply(engine, world, choices), expected)
        assert expected == set(engine.members("it")), f"deltas say {sorted(expected)} at {clock.now()}"
        differences = engine.verify()
        assert not differences, f"{differences} at {clock.now()}"
        engine.check_invariants()
    exported = engine.export_definitions()
    engine.redefine("it", where=f"not ({text}\n)")
    assert not engine.verify()
    engine.drop("it")
    engine.check_invariants()
    assert exported


def _apply(engine: sk.Engine, world: Any, choices: Choices) -> Any:
    try:
        return engine.apply(_changes(world, choices))
    except sk.DataError:
        return []


def _follow(deltas: Any, members: set[str]) -> None:
    for delta in deltas:
        if delta.segment == "it":
            (members.add if delta.entered else members.discard)(delta.object)

"""What a definition changes: segments that come, go or get another filter, and what that flips, as one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyroaring import BitMap

from segmentkit.index._segments import Segment
from segmentkit.index.deltas import Backfill, Deltas, Record
from segmentkit.stores.protocol import Definition

if TYPE_CHECKING:
    from segmentkit.engine import Engine

__all__ = ["exchange", "put_right", "record"]


def exchange(engine: Engine, old: Sequence[Segment], new: Sequence[Segment], cause: str) -> None:
    """Put `new` segments in the place of `old` ones and emit what that flips, in one batch.

    Raises:
        StoreError: the store refused the batch; the old segments are in force.
    """
    catalogue, world = engine._catalogue, engine._world
    records = engine._advance_to(engine._read_clock())
    saved, seq, before = len(records), engine._seq, dict(catalogue.segments)
    held = {segment.name: BitMap(segment.members) for segment in old}
    engine._unsaved = records  # the past that `swap` may look at ends with what time has just flipped
    catalogue.swap(old, new, engine._now)
    engine._unsaved = []
    for segment in new or old:
        members = segment.members if new else BitMap()
        was = held.get(segment.name, BitMap())
        record(engine, records, segment, left=was - members, entered=members - was, cause=cause)
        if segment.name in held:  # readers of a new segment are as new, and were planned after it
            _tell_readers(engine, segment, was, members, cause)
    engine._collect(records)
    kept, deltas = {segment.name for segment in new}, Deltas(records)
    try:
        engine._save(
            deltas,
            (),
            defined=[
                Definition(s.name, s.object_type, s.where, s.description, s.hidden_from, s.refresh, s.tags) for s in new
            ],
            dropped=[segment.name for segment in old if segment.name not in kept],
        )
    except BaseException:
        engine._unsaved = records[:saved]
        with world.taken_back():
            after = {segment.name: BitMap(segment.members) for segment in new}
            catalogue.swap(new, old, engine._now)
            for segment in old:
                _tell_readers(engine, segment, after.get(segment.name, BitMap()), segment.members, cause)
        for writer in engine._writers.values():
            writer.forget()
        catalogue.segments = {name: catalogue.segments[name] for name in before}
        engine._seq = seq
        raise
    engine._tell(deltas)


def put_right(engine: Engine, segment: Segment, found: BitMap, records: list[Record | Backfill]) -> Deltas:
    """Make `found` the members of a segment; return `records` and what that flips, as one batch.

    Raises:
        StoreError: the store refused the batch; the members are those from before.
    """
    saved, seq = len(records), engine._seq
    before = segment.members.copy()
    record(engine, records, segment, left=before - found, entered=found - before, cause="recalculate")
    deltas = Deltas(records)
    if records:
        try:
            engine._save(deltas, ())
        except BaseException:
            engine._unsaved, engine._seq = records[:saved], seq
            raise
    segment.numbers.clear()
    segment.numbers |= found
    engine._tell(deltas)
    return deltas


def record(
    engine: Engine,
    records: list[Record | Backfill],
    segment: Segment,
    *,
    left: BitMap,
    entered: BitMap,
    cause: str,
    backfill: bool = True,
) -> None:
    """Number the objects that leave a segment together, and those that enter it."""
    for numbers, enters in ((left, False), (entered, True)):
        if numbers:
            objects = engine._tables[segment.object_type].named(numbers)
            name, seq = segment.object_type, engine._seq + 1
            records.append(Backfill(seq, engine._now, name, segment.name, objects, enters, cause, backfill))
            engine._seq += len(objects)


def _tell_readers(engine: Engine, segment: Segment, was: BitMap, members: BitMap, cause: str) -> None:
    """Let filters that refer to a segment look again at the objects whose membership its definition changed."""
    if segment.is_read:
        engine._ripple.redefined(segment, members - was, was - members, engine._now)
        engine._ripple.settle(engine._now, cause)

"""Time passes: what comes due moves, and what flips is told with its exact instant.

Deadlines are taken one after another; each moves one watcher of one object, and what is due for an object at an
instant moves together. When many are due they are passed stretch by stretch, all objects together
(`index._batch_time`), with the same outcome.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from segmentkit.index._ranked import RankSource
from segmentkit.index.deltas import Backfill, Record, head_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from pyroaring import BitMap

    from segmentkit.engine import Engine
    from segmentkit.index._batch_time import Turn
    from segmentkit.index._features import Move, Watcher
    from segmentkit.index._matcher import Matcher

    Due: TypeAlias = tuple[Matcher, Watcher, BitMap]
    """A watcher, and the objects of its matcher for which it may come due."""

__all__ = ["are_many_due", "pass_for", "pass_time"]

TOGETHER_FROM: Final = 500
"""Entries from which on they are passed together: there it begins to win (`bench_time`)."""

_STRETCH: Final = 50_000  # entries that are passed together, or a little more
_HERD: Final = 4  # objects that flip alike from which on one record stands for all

_new_tuple = tuple.__new__  # a named tuple without the detour over its own constructor: `bench_changes`


def pass_time(engine: Engine, target: int, records: list[Record | Backfill]) -> None:
    """Let time pass up to an instant; put what flips on the way into `records`."""
    deadlines = engine._deadlines
    while are_many_due(engine, target):
        if engine._behind is not None:
            engine._behind.catch_up_all(records)
        until = deadlines.end_of_stretch(target, _STRETCH)
        pass_for(engine, deadlines.take_due(until), engine._now, until, records)
        engine._now = until
    while (at := deadlines.next(engine._now, target)) is not None:
        _pass_instant(engine, at, records)


def are_many_due(engine: Engine, target: int) -> bool:
    """Whether so many entries come due up to an instant that they are passed together."""
    return engine._deadlines.n_due(target, TOGETHER_FROM) >= TOGETHER_FROM and _goes_together(engine)


def _pass_instant(engine: Engine, at: int, records: list[Record | Backfill]) -> None:
    """Move what is due at an instant, which is the next one with deadlines."""
    engine._now = at
    ripple = engine._ripple
    entries = engine._deadlines.pop(at)
    if engine._behind is not None:
        entries += engine._behind.catch_up_before(at, entries, records)
    if len(entries) > 1:
        entries.sort(key=_by_type_and_number)  # stable: an object's watchers stay in their order
    moves: list[Move] = []
    last = len(entries) - 1
    for place, (matcher, number, watcher) in enumerate(entries):
        if number not in matcher.table.alive:  # an entry of an object deleted meanwhile is passed over
            continue
        watcher.pass_time(number, at, moves)
        if not moves or (place < last and entries[place + 1][:2] == (matcher, number)):
            continue  # what is due for one object at one instant moves together
        flips = matcher.carry(number, moves, at)
        moves = []
        if not flips:
            continue
        object_type, object_id = matcher.table.name, matcher.table.ids[number] or ""
        if ripple.is_still:
            fields = (engine._seq + 1, at, object_type, object_id, flips, matcher.heads, "time")
            records.append(_new_tuple(Record, fields))
            engine._seq += len(flips)
        else:
            engine._writers[object_type].emit(object_id, flips, "time")
            ripple.flipped(matcher, number, flips, at)
    if not ripple.is_still:
        ripple.settle(at, "time")
        engine._collect(records)
        engine._world.commit()


def _by_type_and_number(entry: tuple[Matcher, int, object]) -> tuple[str, int]:
    return entry[0].table.name, entry[1]


def _goes_together(engine: Engine) -> bool:
    """Whether objects pass time independently: nobody reads a segment that time flips, or ranks objects by time."""
    matchers = engine._matchers.values()
    if not engine._ripple.is_still:
        for matcher in matchers:
            read = (segment for segment in matcher.segments.values() if segment.is_read and segment.bits)
            if any(f.is_timed for segment in read for clause in matcher.bound_clauses(segment) for f, _ in clause):
                return False
    return not any(isinstance(w, RankSource) and w.is_timed for matcher in matchers for w in matcher.watchers)


def pass_for(engine: Engine, due: Iterable[Due], since: int, until: int, records: list[Record | Backfill]) -> None:
    """Let time pass for all objects that are due together.

    Args:
        engine: the engine, of which nothing else comes due up to `until`.
        due: all that may come due for the objects; it has been taken out of the deadlines.
        since: the instant up to which time has passed for them.
        until: the end of the stretch.
        records: for what flips.
    """
    from segmentkit.index import _batch_time

    deadlines = engine._deadlines
    due_by_type: dict[str, list[tuple[Watcher, BitMap]]] = {}
    for matcher, watcher, some in due:
        due_by_type.setdefault(matcher.table.name, []).append((watcher, some))
    turns = []
    for name, ages in due_by_type.items():
        found, waiting = _batch_time.pass_time(engine._matchers[name], ages, since, until)
        turns.append((name, found))
        deadlines.add_all(waiting)
    deadlines.drop_until(until)
    _record(engine, _batch_time.ordered(turns), records)


def _record(engine: Engine, turns: Iterable[tuple[str, Turn]], records: list[Record | Backfill]) -> None:
    """Number what has flipped."""
    for name, (at, numbers, flips) in turns:
        matcher = engine._matchers[name]
        ids = matcher.table.ids
        if len(numbers) >= _HERD:
            (flip,) = flips
            segment = matcher.heads[head_of(flip)]
            assert segment is not None, "what flips is a segment"
            objects = [ids[number] or "" for number in numbers]
            record = Backfill(engine._seq + 1, at, name, segment.name, objects, flip >= 0, "time", backfill=False)
            records.append(record)
            engine._seq += len(numbers)
            continue
        for number in numbers:
            fields = (engine._seq + 1, at, name, ids[number] or "", flips, matcher.heads, "time")
            records.append(_new_tuple(Record, fields))
            engine._seq += len(flips)

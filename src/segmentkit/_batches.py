"""Large batches: `Engine.apply` with hundreds of changes and more.

They mean what the same changes mean one after another. Those that are plain are sorted into waves
(`index._batch_door`), each of which goes into the facts as a whole (`index._batch_moves`) and flips segments
for all of its objects together (`index._batch_flips`); the rest goes its ordinary way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from segmentkit.errors import DataError
from segmentkit.index._batch_births import bear
from segmentkit.index._batch_clauses import Clauses
from segmentkit.index._batch_door import CAUSES, Wave, sort_out
from segmentkit.index._batch_flips import flips_of
from segmentkit.index._batch_moves import write
from segmentkit.index._bulk_members import flip_all
from segmentkit.index._runs import runs_of
from segmentkit.index.deltas import Change, Deltas, Flips

if TYPE_CHECKING:
    from segmentkit.engine import Engine
    from segmentkit.index._matcher import Matcher

__all__ = ["apply"]


def apply(engine: Engine, changes: Sequence[Change], now: int, least: int) -> Deltas | None:
    """Apply a batch to an engine whose store shares the facts, and none of whose filters reads another object.

    Args:
        engine: the engine.
        changes: the batch.
        now: the instant up to which time passes first.
        least: the fewest changes that are worth a wave.

    Returns:
        The deltas; None if the batch has to go its ordinary way, or be refused there; nothing has changed then.
    """
    batch = sort_out(changes, engine._tables, now, least)
    if batch is None or not any(part.waves or part.births for part in batch.by_type.values()):
        return None
    try:
        operations, _ = engine._acceptor.accept(batch.rest, now)
    except DataError:
        return None  # it would tell a position in the rest, not in the batch
    records = engine._advance_to(now)
    writers = {name: engine._writers[name] for name in batch.by_type}
    for object_type, part in batch.by_type.items():
        writer, matcher = writers[object_type], engine._matchers[object_type]
        writer.begin(now, None)
        if not batch.is_in_order:
            writer.meet(part.met)
        if part.births is not None:
            for object_id, entered in bear(matcher, part.births, now):
                writer.emit(object_id, entered, "put")
        for wave in part.waves:
            for flips in _carried(matcher, wave, now):
                writer.emit(*flips)
    for object_type, operation, arguments in operations:
        getattr(writers[object_type], operation)(*arguments)
    for writer in writers.values():
        engine._seq = writer.finish(records, engine._seq, now)
    deltas = Deltas(records)
    engine._commit(deltas, ())
    return deltas


def _carried(matcher: Matcher, wave: Wave, now: int) -> Iterator[tuple[str, Flips, str]]:
    """Carry a wave into facts and memberships; yield ids, flips and causes, as the batch met the objects."""
    clauses = matcher.clauses
    if clauses is None or not clauses.is_of(matcher):
        clauses = matcher.clauses = Clauses(matcher)
    moves = write(matcher, wave, now)
    found = flips_of(clauses, wave.numbers, moves)
    matcher.clauses_examined += found.n_examined
    flip_all(matcher.memberships, wave.numbers[found.places], found.flips)
    if not len(found.flips):
        return
    starts, ends = runs_of(found.places)
    places = found.places[starts]
    order = np.argsort(wave.met[places])
    places = places[order]
    ids, flips = matcher.table.ids, found.flips.tolist()
    for number, kind, start, end in zip(
        wave.numbers[places].tolist(),
        wave.kinds[places].tolist(),
        starts[order].tolist(),
        ends[order].tolist(),
        strict=True,
    ):
        yield ids[number] or "", tuple(flips[start:end]), CAUSES[kind]

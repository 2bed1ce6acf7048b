"""How many bytes the parts of an index take, for `Engine.stats`.

Arrays are counted exactly; what consists of Python objects is estimated from their number and the size of
some of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from sys import getsizeof
from typing import Final

from pyroaring import BitMap

from segmentkit.index._booleans import BooleanFeature
from segmentkit.index._deadlines import Deadlines
from segmentkit.index._plan import Plan
from segmentkit.index._series import Series
from segmentkit.index._steps import Trials
from segmentkit.index._table import Table
from segmentkit.index._wide import WideStep

_BITMAP: Final = 120  # an empty one, as an object
_CONTAINER: Final = 24


def bytes_by_part(tables: Iterable[Table], plans: Iterable[Plan], deadlines: Deadlines) -> dict[str, int]:
    """Return the bytes of each part.

    columns: attributes, with the dictionaries of text and sets.
    ids: of objects, to and from their numbers, and of events whose ids the host gave.
    events: the histories.
    digests: of columns and of events, for filters that are new.
    relations: which objects point to whom.
    cells: the rows of cells, and what time-dependent features keep beside them.
    masks: of the cells of features, and the moves between cells that have been seen.
    memberships: the bitmaps of segments and of conditions.
    deadlines: the entries that wait for time.
    stays: the history of membership that filters read.
    """
    tables, plans = list(tables), list(plans)
    worlds = {id(table.world): table.world for table in tables if table.world is not None}
    return {
        "columns": sum(column.nbytes for table in tables for column in table.columns.values()),
        "ids": sum(table.nbytes_of_ids for table in tables),
        "events": sum(events.nbytes for table in tables for events in table.events.values()),
        "digests": sum(table.nbytes_of_digests for table in tables),
        "relations": sum(links.nbytes for table in tables for links in table.links.values()),
        "cells": sum(map(_cells, plans)),
        "masks": sum(map(_masks, plans)),
        "memberships": sum(map(_memberships, plans)),
        "deadlines": _deadlines(deadlines),
        "stays": sum(log.nbytes for world in worlds.values() for log in world.stays.values()),
    }


def _cells(plan: Plan) -> int:
    kept = (8 * len(watcher._pending) for watcher in plan.watchers if isinstance(watcher, Series))
    return 2 * len(plan._rows.cells) + sum(kept)


def _masks(plan: Plan) -> int:
    total = 0
    for features in plan._features.values():
        for feature in features:
            masks = {id(mask): mask for mask in feature.masks}.values()  # cells that no clause tells apart share one
            total += sum(map(getsizeof, masks)) + getsizeof(feature.masks) + getsizeof(feature.trials)
            total += sum(map(_size_of_trials, feature.trials.values()))
            total += 300 * len(feature.trial_by_flip)
    return total


def _size_of_trials(trials: Trials) -> int:
    if isinstance(trials, WideStep):
        return sum(int(part.nbytes) + 100 for part in trials)
    return 8 * len(trials) + 150


def _memberships(plan: Plan) -> int:
    held = [segment.numbers for segment in plan.segments.values()]
    held += [f.members for features in plan._features.values() for f in features if isinstance(f, BooleanFeature)]
    return sum(map(_bitmap, held))


def _deadlines(deadlines: Deadlines) -> int:
    sets = [numbers for by_group in deadlines._buckets.values() for numbers in by_group.values()]
    buckets = sum(getsizeof(by_group) + 100 for by_group in deadlines._buckets.values())
    return sum(map(_bitmap, sets)) + buckets + 120 * len(deadlines._heap)


def _bitmap(numbers: BitMap) -> int:
    found = numbers.get_statistics()
    lists, runs, bits = (
        found["n_bytes_array_containers"],
        found["n_bytes_run_containers"],
        found["n_bytes_bitset_containers"],
    )
    return _BITMAP + _CONTAINER * found["n_containers"] + lists + runs + bits


__all__ = ["bytes_by_part"]

"""Objects that a batch puts for the first time come into the table and the plan together.

A new object has no cells before, so there is nothing to compare: it enters every segment that it satisfies,
as it does when a table is loaded (`_bulk.refresh`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from segmentkit.index import _bulk
from segmentkit.index._batch_door import Births
from segmentkit.index._bulk_load import put_objects
from segmentkit.index._plan import Plan
from segmentkit.index._runs import runs_in
from segmentkit.index.deltas import Flips


def bear(plan: Plan, births: Births, now: int) -> Iterator[tuple[str, Flips]]:
    """Put objects that are not there yet, of which no number is free; yield what each enters, in the batch's order."""
    numbers, first_new = put_objects(plan.table, births.ids, births.values_by_name, now)
    entered = [(segment.bits[0], found) for segment, found, _ in _bulk.refresh(plan, numbers, first_new, now, None)]
    if not entered:
        return
    members = np.concatenate([np.frombuffer(found.to_array(), np.uint32) for _, found in entered])
    heads = np.repeat([head for head, _ in entered], [len(found) for _, found in entered])
    order = np.argsort(members, kind="stable")
    members, flips = members[order].tolist(), heads[order].tolist()
    plan.clauses_examined += len(flips)
    for start, end in runs_in(np.array(members)):
        yield births.ids[members[start] - first_new], tuple(flips[start:end])

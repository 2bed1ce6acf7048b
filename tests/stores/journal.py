"""Stores for tests: a plain list of batches, and one that fails when told to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from segmentkit.index.deltas import Change, Delta
from segmentkit.stores import Batch, Definition


class JournalStore:
    """Keeps every batch as it came; what a store answers is read out of them.

    It does not share the engine's facts, so its batches have the changes.
    """

    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def append(self, batch: Batch) -> None:
        """Keep a batch, with copies of what the engine may reuse."""
        self.batches.append(
            batch._replace(changes=list(batch.changes), defined=list(batch.defined), dropped=list(batch.dropped))
        )

    def now(self) -> datetime | None:
        """Return the instant of the last batch."""
        return self.batches[-1].now if self.batches else None

    def seq(self) -> int:
        """Return the number of the last delta."""
        return max((delta.seq for batch in self.batches for delta in batch.deltas), default=0)

    def definitions(self) -> Iterable[Definition]:
        """Return the definitions in force."""
        held: dict[str, Definition] = {}
        for batch in self.batches:
            for name in batch.dropped:
                del held[name]
            held |= {definition.name: definition for definition in batch.defined}
        return list(held.values())

    def facts(self) -> Iterable[Change]:
        """Return all changes that ever came."""
        return [change for batch in self.batches for change in batch.changes]

    def deltas(self, after: int) -> Iterable[Delta]:
        """Return the deltas above a number."""
        return [delta for batch in self.batches for delta in batch.deltas if delta.seq > after]


class FailingStore(JournalStore):
    """Raises `error`, if there is one, instead of keeping a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.error: Exception | None = None

    def append(self, batch: Batch) -> None:
        """Keep a batch, or nothing of it."""
        if self.error is not None:
            raise self.error
        super().append(batch)

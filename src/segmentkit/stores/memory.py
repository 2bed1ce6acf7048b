"""The store that keeps everything in memory, and the specification of what a store does.

It holds definitions and recent deltas itself. Facts it does not copy: it looks at those of the
engine it serves, so that an engine with this store pays for them once. An engine opened on the
same store later finds the facts, the definitions and the last number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from segmentkit.errors import ArgumentError, StoreError
from segmentkit.index.deltas import Change, Delta
from segmentkit.stores._kept import KeptRecords
from segmentkit.stores.protocol import Batch, Definition, FactSource
from segmentkit.values import from_micros

__all__ = ["MemoryStore"]


class MemoryStore:
    """Definitions, recent deltas and a view of the facts, in memory.

    Args:
        keep: how many records of deltas to keep for `deltas(after=...)`; a record is all that one
            object, or one definition, flipped at one instant.
    """

    def __init__(self, keep: int = 100_000) -> None:
        if isinstance(keep, bool) or not isinstance(keep, int) or keep < 0:
            raise ArgumentError.of("keep", "a number of records, from 0", keep)
        self._now_us: int | None = None
        self._seq = 0
        self._definitions: dict[str, Definition] = {}
        self._records = KeptRecords(keep)
        self._source: FactSource | None = None

    def attach(self, source: FactSource) -> None:
        """Read facts from `source` from now on."""
        self._source = source

    def append(self, batch: Batch) -> None:
        """Keep a batch."""
        self._now_us = batch.now_us
        if batch.dropped or batch.defined:
            for name in batch.dropped:
                self._definitions.pop(name, None)
            self._definitions |= {definition.name: definition for definition in batch.defined}
        records = batch.deltas.records
        if records:
            self._records.extend(records)
            self._seq = records[-1].seq + records[-1].n_deltas - 1

    def now(self) -> datetime | None:
        """Return the instant of the last batch; None for an empty store."""
        return None if self._now_us is None else from_micros(self._now_us)

    def seq(self) -> int:
        """Return the number of the last delta; 0 if there was none."""
        return self._seq

    def definitions(self) -> Iterable[Definition]:
        """Return the definitions in force, in the order in which they were made."""
        return list(self._definitions.values())

    def facts(self) -> Iterable[Change]:
        """Return the facts of the engine that it serves."""
        return () if self._source is None else self._source.iter_facts()

    def deltas(self, after: int) -> Iterator[Delta]:
        """Return the deltas with numbers above `after`, in order.

        Raises:
            StoreError: `after` is before what is still kept.
        """
        oldest = self._records.first
        first = self._seq + 1 if oldest is None else oldest.seq
        if after < first - 1:
            raise StoreError(
                f"deltas are kept from number {first} on, {after + 1} is gone; "
                "take the members afresh, or use MemoryStore(keep=...) with a larger number"
            )
        return (
            delta
            for record in self._records.since(after)
            if record.seq + record.n_deltas - 1 > after
            for delta in record.iter_deltas()
            if delta.seq > after
        )

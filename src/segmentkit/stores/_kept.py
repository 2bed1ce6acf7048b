"""The last records of deltas, packed.

A record of its own, with a tuple of numbers and the id of an object, takes several hundred bytes; packed with
others, it takes the bytes of its id and two for each flip, and a few words. Packing waits until there are many,
so that a change pays little for it (`bench_memory`, `bench_changes`).
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, groupby, islice
from typing import Final, TypeAlias

from segmentkit.index.deltas import Backfill, Record

_MANY: Final = 1_024

Lot: TypeAlias = "list[Record | Backfill] | _Packed"


class KeptRecords:
    """Records in the order in which they came, of which the oldest go when there are more than `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lots: deque[Lot] = deque()
        self._recent: list[Record | Backfill] = []
        self._n_before = 0  # records in the lots

    def extend(self, records: Sequence[Record | Backfill]) -> None:
        """Add records at the end."""
        self._recent += records
        if len(self._recent) >= _MANY:
            self._pack()

    def _pack(self) -> None:
        records, self._recent = self._recent, []
        for _, alike in groupby(records, type):
            while part := list(islice(alike, _MANY)):
                self._lots.append(_Packed(part) if type(part[0]) is Record else part)  # type: ignore[arg-type]
                self._n_before += len(part)
        while self._lots and self._n_before - len(self._lots[0]) >= self._most:
            self._n_before -= len(self._lots.popleft())

    def since(self, seq: int) -> Iterator[Record | Backfill]:
        """Return the records as they are now, those left out that are far before the delta numbered `seq`."""
        lots = [*self._lots, list(self._recent)] if self._recent else [*self._lots]
        gone = max(self._n_before + len(self._recent) - self._most, 0)
        while lots and (gone >= len(lots[0]) or (len(lots) > 1 and next(iter(lots[1])).seq <= seq + 1)):
            gone = max(gone - len(lots.pop(0)), 0)
        return islice(chain.from_iterable(lots), gone, None)

    @property
    def first(self) -> Record | Backfill | None:
        """The oldest record that is there."""
        return next(self.since(-1), None)

    def __len__(self) -> int:
        return min(self._n_before + len(self._recent), self._most)

    @property
    def nbytes(self) -> int:
        """Bytes that the records take, about."""
        return sum(lot.nbytes if isinstance(lot, _Packed) else 300 * len(lot) for lot in [*self._lots, self._recent])


class _Packed:
    """Records of single objects, in arrays; each is made anew when it is looked at."""

    __slots__ = ("_ats", "_flip_ends", "_flips", "_id_ends", "_ids", "_kind_of", "_kinds", "_seqs")

    def __init__(self, records: Sequence[Record]) -> None:
        seqs, ats, object_types, ids, flips, heads, causes = zip(*records, strict=True)
        self._seqs, self._ats = array("q", seqs), array("q", ats)
        self._ids = "".join(ids)
        self._id_ends = array("i", accumulate(map(len, ids)))
        self._flips = _narrow(list(chain.from_iterable(flips)))
        self._flip_ends = array("i", accumulate(map(len, flips)))
        places: dict[tuple[str, int, str], int] = {}
        kinds = zip(object_types, map(id, heads), causes, strict=True)
        self._kind_of = array("H", [places.setdefault(kind, len(places)) for kind in kinds])
        by_id = dict(zip(map(id, heads), heads, strict=True))
        self._kinds = [(object_type, by_id[heads_id], cause) for object_type, heads_id, cause in places]

    def __len__(self) -> int:
        return len(self._seqs)

    def __iter__(self) -> Iterator[Record]:
        id_start = flip_start = 0
        columns = zip(self._seqs, self._ats, self._id_ends, self._flip_ends, self._kind_of, strict=True)
        for seq, at, id_end, flip_end, kind in columns:
            object_type, heads, cause = self._kinds[kind]
            flips = tuple(self._flips[flip_start:flip_end])
            yield Record(seq, at, object_type, self._ids[id_start:id_end], flips, heads, cause)
            id_start, flip_start = id_end, flip_end

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        longs, ends = (self._seqs, self._ats), (self._id_ends, self._flip_ends, self._kind_of, self._flips)
        return len(self._ids) + sum(len(part) * part.itemsize for part in (*longs, *ends))


def _narrow(numbers: list[int]) -> array[int]:
    try:
        return array("h", numbers)
    except OverflowError:
        return array("i", numbers)

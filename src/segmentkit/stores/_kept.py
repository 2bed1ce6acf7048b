"""The last records of deltas, packed.

A record of its own, with a tuple of numbers and the id of an object, takes several hundred bytes; packed with
others, it takes the bytes of its id and two for each flip, and a few words. Packing waits until there are many,
so that a change pays little for it (`bench_memory`, `bench_changes`).
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator, Sequence, Sized
from itertools import accumulate, chain, groupby, islice, repeat
from operator import is_
from struct import error, pack
from typing import Any, Final, TypeAlias

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
        runs = [records] if set(map(type, records)) == {Record} else [list(run) for _, run in groupby(records, type)]
        for run in runs:
            for start in range(0, len(run), _MANY):
                part = run[start : start + _MANY]
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

    __slots__ = ("_ats", "_causes", "_flip_ends", "_flips", "_heads", "_id_ends", "_ids", "_seqs", "_types")

    def __init__(self, records: Sequence[Record]) -> None:
        seqs, ats, object_types, ids, flips, heads, causes = zip(*records, strict=True)
        self._seqs, self._ats = _array("q", seqs), _array("q", ats)
        self._ids, self._id_ends = "".join(ids), _ends_of(ids)
        self._flips, self._flip_ends = _narrow(list(chain.from_iterable(flips))), _ends_of(flips)
        self._types, self._heads, self._causes = _Few(object_types), _Few(heads), _Few(causes)

    def __len__(self) -> int:
        return len(self._seqs)

    def __iter__(self) -> Iterator[Record]:
        id_start = flip_start = 0
        few = zip(self._types, self._heads, self._causes, strict=False)  # what is one for all has no end
        columns = zip(self._seqs, self._ats, self._id_ends, self._flip_ends, few, strict=False)
        for seq, at, id_end, flip_end, (object_type, heads, cause) in columns:
            flips = tuple(self._flips[flip_start:flip_end])
            yield Record(seq, at, object_type, self._ids[id_start:id_end], flips, heads, cause)
            id_start, flip_start = id_end, flip_end

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        ends = len(self._id_ends) + len(self._flip_ends)
        return len(self._ids) + 18 * len(self) + 4 * ends + len(self._flips) * self._flips.itemsize


class _Few:
    """Values of which there are few: one for all, or a code for each."""

    __slots__ = ("_codes", "_values")
    _codes: array[int] | None

    def __init__(self, values: Sequence[Any]) -> None:
        first = values[0]
        if all(map(is_, values, repeat(first))):
            self._codes, self._values = None, [first]
            return
        by_id = {id(value): value for value in values}
        code_by_id = dict(zip(by_id, range(len(by_id)), strict=True))
        self._codes, self._values = _array("H", [code_by_id[id(value)] for value in values]), list(by_id.values())

    def __iter__(self) -> Iterator[Any]:
        return repeat(self._values[0]) if self._codes is None else map(self._values.__getitem__, self._codes)


def _ends_of(parts: Sequence[Sized]) -> array[int]:
    return _array("i", list(accumulate(map(len, parts))))


def _narrow(numbers: list[int]) -> array[int]:
    try:
        return _array("h", numbers)
    except error:
        return _array("i", numbers)


def _array(code: str, numbers: Sequence[int]) -> array[int]:
    """Return an array of integers; packed together they take a third of the time that an array takes to read them."""
    found: array[int] = array(code)
    found.frombytes(pack(f"{len(numbers)}{code}", *numbers))
    return found

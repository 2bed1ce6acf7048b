"""Deadlines: when time alone can move a feature of an object, and nothing more often than that.

A *group* is a watcher (a feature, or a series of features) that time can move. It can say from the
facts when it next moves for an object, so a deadline is derived state: kept here only to be found in
time order. Far deadlines are sets of object numbers in coarse buckets, a few bytes each; the exact
instants are worked out when the first bucket comes due, and wait in a heap.

A (group, object) that waits has an entry at its deadline or before. An entry taken back while it waits
in the heap stays there and is passed over when it comes up, so entries are hints: to look at a group of an
object at an instant too often is harmless, too late is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from itertools import repeat
from typing import Any, Final, Protocol, TypeAlias

import attrs
from pyroaring import BitMap
from sortedcontainers import SortedDict

_BUCKET_BITS: Final = 32  # 2**32 microseconds are 71.6 minutes
_NEVER: Final = 2**63
_DEPTH: Final = 8  # in entries of the whole heap, what it costs to pop one
_FEW: Final = 8  # objects of a bucket up to which they are added one by one


Entry: TypeAlias = tuple[Any, int, Any]
"""The owner of a group, an object, the group."""


class Group(Protocol):
    """What can be asked for its next deadline."""

    def next_deadline(self, number: int, now: int) -> int | None:
        """Return the next instant after `now` at which time can move the object, or None."""


@attrs.frozen
class DeadlineStatistics:
    """How many deadlines wait, exactly (in the heap) and coarsely (in buckets)."""

    exact: int
    coarse: int
    buckets: int


class Deadlines:
    """All deadlines of an engine, in time order.

    Cost: adding or taking one away is O(log b) for b buckets; the next instant is found in O(1)
    amortised over the entries that come due.
    """

    def __init__(self) -> None:
        self._groups: dict[int, Group] = {}
        self._owners: dict[int, Any] = {}
        self._last_group = 0
        self._buckets: SortedDict[int, dict[int, BitMap]] = SortedDict()
        self._heap: list[tuple[int, int, int]] = []
        self._open = -(2**31)  # buckets up to this one have been emptied into the heap
        self._first = _NEVER  # instant at which the first bucket begins, or earlier
        self.earliest = _NEVER
        """No entry is due before this instant; the one thing to look at while nothing is."""

    def register(self, group: Group, owner: Any = None) -> int:
        """Return a number for a group, by which its entries are kept; `owner` comes back with them."""
        self._last_group += 1
        self._groups[self._last_group] = group
        self._owners[self._last_group] = owner
        return self._last_group

    def unregister(self, number: int) -> None:
        """Drop a group and its entries."""
        del self._groups[number], self._owners[number]
        for bucket in list(self._buckets):
            self._buckets[bucket].pop(number, None)
            if not self._buckets[bucket]:
                del self._buckets[bucket]
        self._heap = [entry for entry in self._heap if entry[1] != number]
        heapify(self._heap)

    def move(self, group: int, number: int, old: int | None, new: int | None) -> None:
        """Put the deadline of an object from `old` to `new`; None is no deadline."""
        if old == new:
            return
        if old is not None and old >> _BUCKET_BITS > self._open:
            self._take(group, number, old >> _BUCKET_BITS)
        if new is not None:
            self.add(group, number, new)

    def _take(self, group: int, number: int, bucket: int) -> None:
        sets = self._buckets.get(bucket)
        if sets is not None and group in sets:
            sets[group].discard(number)  # an empty set stays: it goes when its bucket comes due

    def add(self, group: int, number: int, at: int) -> None:
        """Add a deadline of an object, besides any that it has."""
        if at < self.earliest:
            self.earliest = at
        bucket = at >> _BUCKET_BITS
        if bucket <= self._open:
            heappush(self._heap, (at, group, number))
            return
        self._set(bucket, group).add(number)

    def _set(self, bucket: int, group: int) -> BitMap:
        """Return the objects of a group in a bucket that is not open."""
        sets = self._buckets.get(bucket)
        if sets is None:
            sets = self._buckets[bucket] = {}
            self._first = min(self._first, bucket << _BUCKET_BITS)
        numbers = sets.get(group)
        if numbers is None:
            numbers = sets[group] = BitMap()
        return numbers

    def add_many(self, group: int, numbers: Any, ats: Any) -> None:
        """Add a deadline for each of some objects; both are arrays of 64-bit integers, of the same length."""
        self.add_all([(group, numbers, ats)])

    def add_all(self, waiting: Iterable[tuple[int, Any, Any]]) -> None:
        """Add groups, objects and deadlines, as by `add_many` for each group."""
        n_exact = len(self._heap)
        for group, numbers, ats in waiting:
            if len(ats):
                self._add_of(group, numbers, ats)
        if len(self._heap) > n_exact:
            heapify(self._heap)

    def _add_of(self, group: int, numbers: Any, ats: Any) -> None:
        """Add deadlines of one group; the heap has to be put in order afterwards."""
        import numpy as np

        from segmentkit.index._runs import runs_in

        self.earliest = min(self.earliest, int(ats.min()))
        is_open = ats >> _BUCKET_BITS <= self._open
        if is_open.any():
            self._heap += zip(ats[is_open].tolist(), repeat(group), numbers[is_open].tolist(), strict=False)
            numbers, ats = numbers[~is_open], ats[~is_open]
            if not len(ats):
                return
        order = np.argsort(ats)
        numbers, buckets = numbers[order], ats[order] >> _BUCKET_BITS
        runs = runs_in(buckets)
        listed = numbers.tolist() if len(runs) * _FEW > len(numbers) else None
        for start, end in runs:
            some = self._set(int(buckets[start]), group)
            if listed is None:
                some |= BitMap(numbers[start:end].astype(np.uint32))
            else:
                some.update(listed[start:end])

    def take_many(self, group: int, numbers: Any, ats: Any) -> None:
        """Take the deadlines of some objects away; both are arrays as for `add_many`."""
        import numpy as np

        from segmentkit.index._runs import runs_in

        waiting = ats >> _BUCKET_BITS > self._open  # what is in the heap is passed over
        if not waiting.any():
            return
        numbers, buckets = numbers[waiting], ats[waiting] >> _BUCKET_BITS
        order = np.argsort(buckets, kind="stable")
        numbers, buckets = numbers[order], buckets[order]
        for start, end in runs_in(buckets):
            sets = self._buckets.get(int(buckets[start]))
            if sets is None or group not in sets:
                continue
            if end - start <= _FEW:
                for number in numbers[start:end].tolist():
                    sets[group].discard(number)
            else:
                sets[group] -= BitMap(numbers[start:end].astype(np.uint32))

    def next(self, now: int, limit: int) -> int | None:
        """Return the earliest instant up to `limit` that has an entry; None if there is none.

        `now` is the instant up to which everything has been processed.
        """
        heap = self._heap
        while self._first <= limit and not (heap and heap[0][0] < self._first):
            if self._buckets:
                self._refine(self._buckets.peekitem(0)[0], now)
                heap = self._heap
            self._first = self._buckets.peekitem(0)[0] << _BUCKET_BITS if self._buckets else _NEVER
        if heap and heap[0][0] <= limit:
            return heap[0][0]
        self.earliest = min(heap[0][0], self._first) if heap else self._first
        return None

    def _refine(self, bucket: int, now: int) -> None:
        """Empty the first bucket into the heap, with exact instants."""
        sets = self._buckets.pop(bucket)
        self._open = bucket
        for group, numbers in sets.items():
            next_deadline = self._groups[group].next_deadline
            for number in numbers:
                at = next_deadline(number, now)
                if at is None:
                    continue
                if at >> _BUCKET_BITS > bucket:
                    self.add(group, number, at)
                else:
                    self._heap.append((at, group, number))
        heapify(self._heap)

    def pop(self, at: int) -> list[Entry]:
        """Take all entries of `at`, which `next` has told, out; return (owner, object, group), in order of both."""
        heap = self._heap
        last = heappop(heap)
        due = [(self._owners[last[1]], last[2], self._groups[last[1]])]
        while heap and heap[0][0] == at:
            entry = heappop(heap)
            if entry != last:
                due.append((self._owners[entry[1]], entry[2], self._groups[entry[1]]))
                last = entry
        return due

    # --------------------------------------------------------------- many at once

    def n_due(self, limit: int, most: int) -> int:
        """Return how many entries may be due up to `limit`; no more than `most`, or little more, are counted.

        Cost: what it returns, and the number of groups.
        """
        found = self._n_exact(limit, most)
        for bucket in self._buckets if self._first <= limit else ():
            if found >= most or bucket << _BUCKET_BITS > limit:
                break
            found += sum(map(len, self._buckets[bucket].values()))
        return found

    def _n_exact(self, limit: int, most: int) -> int:
        """Return how many of the exact entries are due up to `limit`, or `most`."""
        heap, found, places = self._heap, 0, [0]
        while places and found < most:
            place = places.pop()
            if place < len(heap) and heap[place][0] <= limit:  # if it is not, nothing below it is
                found += 1
                places += (2 * place + 1, 2 * place + 2)
        return found

    def end_of_stretch(self, limit: int, most: int) -> int:
        """Return the end of a stretch of time, up to `limit`, in which `most` entries may be due, or little more."""
        found = 0
        for bucket in self._buckets:
            if bucket << _BUCKET_BITS > limit:
                break
            found += sum(map(len, self._buckets[bucket].values()))
            if found >= most:
                return min(limit, (bucket + 1 << _BUCKET_BITS) - 1)
        return limit

    def take_due(self, until: int) -> list[tuple[Any, Any, BitMap]]:
        """Take every entry that may be due up to an instant out; return owners, groups, and their objects.

        Entries in buckets have no exact instants yet, so some may turn out to be due later.
        """
        due: dict[int, BitMap] = {}
        while self._buckets and self._buckets.peekitem(0)[0] <= until >> _BUCKET_BITS:
            self._open, sets = self._buckets.popitem(0)
            for group, numbers in sets.items():
                if group in due:
                    due[group] |= numbers
                else:
                    due[group] = numbers
        self._open = max(self._open, until >> _BUCKET_BITS)
        self._first = self._buckets.peekitem(0)[0] << _BUCKET_BITS if self._buckets else _NEVER
        listed: dict[int, list[int]] = {}
        for _, group, number in self._split(until):
            listed.setdefault(group, []).append(number)
        for group, some in listed.items():
            due.setdefault(group, BitMap()).update(some)
        return [(self._owners[group], self._groups[group], numbers) for group, numbers in due.items() if numbers]

    def _split(self, until: int) -> list[tuple[int, int, int]]:
        """Take the exact entries up to an instant out and return them."""
        heap = self._heap
        n_due = self._n_exact(until, len(heap) // _DEPTH + 1)
        if n_due <= len(heap) // _DEPTH:
            return [heappop(heap) for _ in range(n_due)]
        self._heap = [entry for entry in heap if entry[0] > until]
        heapify(self._heap)
        return [entry for entry in heap if entry[0] <= until]

    def drop_until(self, until: int) -> None:
        """Drop what has been entered up to an instant that has been passed."""
        self._split(until)

    def statistics(self) -> DeadlineStatistics:
        """Return how many deadlines wait."""
        coarse = sum(len(numbers) for sets in self._buckets.values() for numbers in sets.values())
        return DeadlineStatistics(len(self._heap), coarse, len(self._buckets))

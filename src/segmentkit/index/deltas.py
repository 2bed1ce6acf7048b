"""The vocabulary of change: what goes in (changes) and what comes out (deltas).

A batch of changes is applied whole or not at all. What it does to memberships comes out as
deltas, numbered without gaps. Inside, one object's flips at one instant are one `Record` of a few
integers; `Deltas` is a lazy sequence over records that makes a `Delta` when somebody looks.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeAlias, overload

import attrs

from segmentkit.errors import ArgumentError, repr_of
from segmentkit.values import from_micros

__all__ = [
    "Backfill",
    "Change",
    "Delete",
    "Delta",
    "Deltas",
    "Event",
    "Put",
    "Record",
    "Retract",
    "Update",
    "consolidate",
]


@attrs.frozen
class Put:
    """The whole object: attributes that are not named become missing. Its events stay."""

    object_type: str
    id: str
    attributes: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class Update:
    """New values of the named attributes; None makes one missing."""

    object_type: str
    id: str
    attributes: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class Event:
    """Something that happened to an object at the instant `at` (default: now).

    An `id` makes it idempotent: the same event again is ignored. Without one it gets one.
    """

    object_type: str
    object: str
    name: str
    properties: Mapping[str, Any] = attrs.field(factory=dict)
    at: datetime | None = None
    id: str | None = None


@attrs.frozen
class Retract:
    """Takes the object's event with the id back, as if it had never been there."""

    object_type: str
    object: str
    id: str


@attrs.frozen
class Delete:
    """The object and its events are gone; it leaves every segment."""

    object_type: str
    id: str


Change: TypeAlias = Put | Update | Event | Retract | Delete


class Delta(NamedTuple):
    """One object entered or left one segment.

    `at` is the exact instant (UTC); `seq` counts from 1 without gaps over the whole engine;
    `cause` is put, update, event, retract, delete, load, time, define, redefine or drop; `backfill`
    marks those that come from a definition rather than from the object.

    A tuple because a change may bring many (`bench_changes`); read it by name, since fields may be added.
    """

    segment: str
    object: str
    entered: bool
    at: datetime
    seq: int
    cause: str
    backfill: bool = False
    object_type: str = ""


_new_tuple = tuple.__new__  # a named tuple without the detour over its own constructor: `bench_changes`


class Named(Protocol):
    """What a record needs of a segment."""

    name: str


Flips: TypeAlias = tuple[int, ...]
"""What flips for one object, by the numbers of segments: n enters segment n, ~n (negative) leaves it."""


class Record(NamedTuple):
    """The flips of one object at one instant: n stands for `heads[n]`.

    A tuple because one is made for each change that flips something.
    """

    seq: int
    at: int
    object_type: str
    object: str
    flips: Flips
    heads: Sequence[Named | None]
    cause: str

    @property
    def n_deltas(self) -> int:
        """How many deltas the record stands for."""
        return len(self.flips)

    def iter_deltas(self) -> Iterator[Delta]:
        """Yield the deltas, in order of `seq`: segments in the order of their numbers."""
        first, at_us, object_type, object_id, flips, heads, cause = self
        at = from_micros(at_us)
        for seq, flip in enumerate(sorted(flips, key=head_of) if len(flips) > 1 else flips, start=first):
            segment = heads[flip if flip >= 0 else ~flip]
            assert segment is not None
            yield _new_tuple(Delta, (segment.name, object_id, flip >= 0, at, seq, cause, False, object_type))


def head_of(flip: int) -> int:
    """Return the number of the segment that a flip is about."""
    return flip if flip >= 0 else ~flip


def net_flips(first: Flips, second: Flips) -> Flips:
    """Return what remains of two lots of flips of one object, one after the other.

    >>> net_flips((1, ~2), (2, 3))
    (1, 3)
    """
    undone = {~flip for flip in second}
    kept = [flip for flip in first if flip not in undone]
    done = set(first) - set(kept)
    return (*kept, *(flip for flip in second if ~flip not in done))


class Backfill(NamedTuple):
    """The objects that enter, or leave, one segment together: by its definition, or when a table is loaded.

    `backfill` is what their deltas say: that it comes from the definition.
    """

    seq: int
    at: int
    object_type: str
    segment: str
    objects: Sequence[str]
    entered: bool
    cause: str
    backfill: bool = True

    @property
    def n_deltas(self) -> int:
        """How many deltas the record stands for."""
        return len(self.objects)

    def iter_deltas(self) -> Iterator[Delta]:
        """Yield the deltas, in order of `seq`."""
        at = from_micros(self.at)
        for seq, object_id in enumerate(self.objects, start=self.seq):
            fields = self.segment, object_id, self.entered, at, seq, self.cause, self.backfill, self.object_type
            yield _new_tuple(Delta, fields)


def bits_of(mask: int) -> list[int]:
    """Return the numbers of the set bits, lowest first.

    Long masks with many bits set are searched for bytes that are not zero: each step on a big integer copies it.

    >>> bits_of(0b10010 | 1 << 5000)
    [1, 4, 5000]
    """
    bits = []
    if mask.bit_length() <= _SHORT or mask.bit_count() <= _FEW:
        while mask:  # from the top: half the work on big integers that `mask & -mask` is
            bit = mask.bit_length() - 1
            bits.append(bit)
            mask ^= 1 << bit
        bits.reverse()
        return bits
    data = mask.to_bytes(mask.bit_length() + 7 >> 3, "little")
    for found in _find_nonzero(data):
        place = found.start()
        byte = data[place]
        if byte & byte - 1:
            bits += [(place << 3) + bit for bit in _BITS_OF_BYTE[byte]]
        else:
            bits.append((place << 3) + byte.bit_length() - 1)
    return bits


def mask_of(bits: Iterable[int], n_bits: int) -> int:
    """Return the mask, of at most `n_bits` bits, in which `bits` are set.

    >>> mask_of([1, 4], 8)
    18
    """
    data = bytearray((n_bits >> 3) + 1)
    for bit in bits:
        data[bit >> 3] |= 1 << (bit & 7)
    return int.from_bytes(data, "little")


_SHORT = 512  # below, or with few bits set, one after another is faster
_FEW = 2
_find_nonzero = re.compile(rb"[^\0]").finditer
_BITS_OF_BYTE = [tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256)]


class Deltas(Sequence[Delta]):
    """The deltas of one call, in order of `seq`; immutable, made when looked at.

    Cost: its length is known; a delta costs its making.
    """

    __slots__ = ("_ends", "records")

    def __init__(self, records: Sequence[Record | Backfill]) -> None:
        self.records = records
        """The records behind the sequence, in order; not to be changed."""
        self._ends: list[int] | None = None

    def _counted(self) -> list[int]:
        if self._ends is None:
            total, ends = 0, []
            for record in self.records:
                total += record.n_deltas
                ends.append(total)
            self._ends = ends
        return self._ends

    def __len__(self) -> int:
        ends = self._counted()
        return ends[-1] if ends else 0

    def __bool__(self) -> bool:
        return bool(self.records)

    def __iter__(self) -> Iterator[Delta]:
        for record in self.records:
            yield from record.iter_deltas()

    @overload
    def __getitem__(self, index: int) -> Delta: ...
    @overload
    def __getitem__(self, index: slice) -> list[Delta]: ...
    def __getitem__(self, index: int | slice) -> Delta | list[Delta]:
        if isinstance(index, slice):
            return list(self)[index]
        length = len(self)
        if index < 0:
            index += length
        if not 0 <= index < length:
            raise IndexError(f"delta {repr_of(index)} of {length}")
        place = bisect_right(self._counted(), index)
        record = self.records[place]
        return list(record.iter_deltas())[index - (self._counted()[place] - record.n_deltas)]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Sequence) and not isinstance(other, str):
            return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))
        return NotImplemented

    def __reduce__(self) -> tuple[type[Deltas], tuple[list[Record | Backfill]]]:
        """Copied and pickled they are without the segments behind them, which belong to the engine."""
        return Deltas, ([alone for record in self.records for alone in _without_segments(record)],)

    __hash__ = None  # type: ignore[assignment]  # equal to lists, as a sequence of its kind should be

    def __repr__(self) -> str:
        shown = ", ".join(repr(delta) for _, delta in zip(range(10), self, strict=False))
        more = f", ... {len(self) - 10} more" if len(self) > 10 else ""
        return f"[{shown}{more}]"


def _without_segments(record: Record | Backfill) -> Iterator[Backfill]:
    """Yield records of the same deltas that name their segments instead of holding them."""
    if isinstance(record, Backfill):
        yield record._replace(objects=list(record.objects))
        return
    for seq, delta in enumerate(record.iter_deltas(), record.seq):
        name, objects = record.object_type, [record.object]
        yield Backfill(seq, record.at, name, delta.segment, objects, delta.entered, record.cause, backfill=False)


def consolidate(deltas: Iterable[Delta]) -> list[Delta]:
    """Return what remains of `deltas` when an entry and an exit of the same pair cancel.

    The last delta of each (segment, object) stays if the pair flipped an odd number of times;
    the order is that of the remaining deltas.
    """
    flips: dict[tuple[str, str, str], list[Delta]] = {}
    for delta in deltas if isinstance(deltas, Iterable) else [deltas]:
        if not isinstance(delta, Delta):
            raise ArgumentError.of("deltas", "some deltas", delta)
        flips.setdefault((delta.object_type, delta.segment, delta.object), []).append(delta)
    return sorted((same[-1] for same in flips.values() if len(same) % 2), key=lambda delta: delta.seq)

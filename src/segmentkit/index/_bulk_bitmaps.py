"""Dense bitsets, and roaring bitmaps made from them.

A bitset is an array of 64-bit words, bit i of word w standing for place 64·w + i; bits past the last
place are 0. A block of `BLOCK` places is one container of a roaring bitmap, so a bitmap is written
in roaring's portable serialised form, a copy of 8 kB a container, instead of through arrays of numbers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

Array: TypeAlias = npt.NDArray[Any]

BLOCK: Final = 65_536
"""Places of a container."""

_BLOCK_WORDS: Final = BLOCK // 64
_COOKIE: Final = 12_346  # of the portable form without run containers
_MOST_LISTED: Final = 4_096  # numbers that a container lists one by one; with more it is a bitset
_FEW_SET: Final = 128  # places of a block, below which only words that are not zero are unpacked (`bench_bulk`)


def packed(truths: Array) -> Array:
    """Return the bitset of an array of booleans.

    >>> packed(np.array([True, False, True])).tolist()
    [5]
    """
    data = np.packbits(truths, bitorder="little")
    if len(data) % 8:
        data = np.concatenate((data, np.zeros(-len(data) % 8, np.uint8)))
    return data.view(np.uint64)


def unpacked(bits: Array, n_places: int) -> Array:
    """Return the array of booleans of a bitset."""
    return np.unpackbits(bits.view(np.uint8), count=n_places, bitorder="little").view(bool)


def count_of(bits: Array) -> int:
    """Return how many bits are set."""
    if hasattr(np, "bitwise_count"):  # from numpy 2.0 on
        return int(np.bitwise_count(bits).sum())
    return int.from_bytes(bits.tobytes(), "little").bit_count()


def container(bits: Array) -> tuple[int, bytes]:
    """Return how many places of a block are set, and the container that says which."""
    n_set = count_of(bits)
    if n_set > _MOST_LISTED:
        return n_set, bits.tobytes().ljust(BLOCK // 8, b"\0")
    if not n_set:
        return 0, b""
    places = places_of(bits) if n_set < _FEW_SET else np.flatnonzero(unpacked(bits, 64 * len(bits)))
    return n_set, places.astype("<u2").tobytes()


def bitmap_of(containers: Iterable[tuple[int, int, bytes]]) -> BitMap:
    """Return the bitmap of (block, count, container), in order of block and none of them empty.

    >>> list(bitmap_of([(1, *container(packed(np.array([True, False, True]))))]))
    [65536, 65538]
    """
    parts = list(containers)
    if not parts:
        return BitMap()
    keys = b"".join(struct.pack("<HH", block, n_set - 1) for block, n_set, _ in parts)
    offset = 8 + 8 * len(parts)
    offsets = []
    for _, _, data in parts:
        offsets.append(offset)
        offset += len(data)
    head = struct.pack("<II", _COOKIE, len(parts)) + keys + struct.pack(f"<{len(offsets)}I", *offsets)
    return BitMap.deserialize(head + b"".join(data for _, _, data in parts))


def bitmap_of_bits(bits: Array) -> BitMap:
    """Return the bitmap of a bitset of any length.

    >>> list(bitmap_of_bits(packed(np.arange(70_000) % 65_536 == 3)))
    [3, 65539]
    """
    missing = -len(bits) % _BLOCK_WORDS
    blocks = (np.concatenate((bits, np.zeros(missing, np.uint64))) if missing else bits).reshape(-1, _BLOCK_WORDS)
    counts = _counts_of(blocks)
    is_listed = (counts > 0) & (counts <= _MOST_LISTED)
    listed = (places_of(blocks[is_listed].ravel()) & BLOCK - 1).astype("<u2").tobytes()  # of all such blocks at once
    parts, start = [], 0
    for place, n_set in enumerate(counts.tolist()):
        if n_set > _MOST_LISTED:
            parts.append((place, n_set, blocks[place].tobytes()))
        elif n_set:
            parts.append((place, n_set, listed[start : start + 2 * n_set]))
            start += 2 * n_set
    return bitmap_of(parts)


class Found:
    """The numbers of some objects, of which only their count is known until somebody asks for more.

    Cost: a preview is mostly counted, and its bitmap would be a third of what it takes (`bench_filters`).
    """

    def __init__(self, bits: Array) -> None:
        self._bits = bits
        self._bitmap: BitMap | None = None
        self._count = int(_counts_of(bits.reshape(1, -1))[0])

    @property
    def bitmap(self) -> BitMap:
        """The numbers; not to be changed."""
        if self._bitmap is None:
            self._bitmap = bitmap_of_bits(self._bits)
        return self._bitmap

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        return iter(self.bitmap)

    def __getitem__(self, index: int) -> int:
        return int(self.bitmap[index])


def _counts_of(blocks: Array) -> Array:
    """Return how many bits are set in each row of words."""
    if hasattr(np, "bitwise_count"):  # from numpy 2.0 on
        counts: Array = np.bitwise_count(blocks).sum(axis=1, dtype=np.int64)
        return counts
    return np.array([count_of(block) for block in blocks], np.int64)


def places_of(bits: Array) -> Array:
    """Return the places whose bits are set, ascending.

    >>> places_of(packed(np.array([True, False, True]))).tolist()
    [0, 2]
    """
    words = np.flatnonzero(bits != 0)
    some = bits[words].view(np.uint8)
    kept = np.flatnonzero(some != 0)  # only bytes that are not zero are unpacked: most bitsets are sparse
    starts = (words[kept >> 3] << 6) + ((kept & 7) << 3)
    places = np.flatnonzero(np.unpackbits(some[kept], bitorder="little").view(bool))
    found: Array = starts[places >> 3] + (places & 7)
    return found


def truths_in(bitmap: BitMap, start: int, stop: int) -> Array:
    """Return, for the numbers from `start` to before `stop`, whether a bitmap has them."""
    found = np.zeros(stop - start, bool)
    inside = bitmap & BitMap(range(start, stop))
    if inside:
        found[np.array(inside.to_array(), np.int64) - start] = True
    return found

"""Links: who points to a target, for one to-one relation.

The column of a relation says where each object points; this is the way back. A target is named by
its id and need not exist: links to it wait here until it does, and stay when it is deleted. Its
sources are a set of dense object numbers whose form follows its size, since most targets have a
few sources and some have a hundred thousand: one is the number itself, up to `_MOST_SORTED` are a
sorted array, more are a roaring bitmap. A set that shrinks changes back only at half that size, so
that one link that comes and goes at the edge converts nothing.

>>> links = Links()
>>> [links.link(number, "acme") for number in (7, 3, 7)]
[True, True, False]
>>> list(links.sources("acme")), links.count("acme"), links.count("nobody")
([3, 7], 2, 0)
>>> links.unlink(7, "acme"), list(links.sources("acme"))
(True, [3])
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections.abc import Collection
from itertools import pairwise
from typing import Any, Final

from pyroaring import BitMap

_MOST_SORTED: Final = 64  # an array of so many takes 320 bytes, a bitmap of few numbers far apart about as many
_FEWEST_IN_BITMAP: Final = _MOST_SORTED // 2


class Links:
    """From the id of each target to the numbers of the objects that point to it.

    Cost: a link is added, taken away or looked up in O(1), amortised.
    """

    def __init__(self) -> None:
        # an int, an array("I") of two or more in ascending order, or a BitMap
        self._sources: dict[str, Any] = {}

    def link(self, source: int, target_id: str) -> bool:
        """Let `source` point to the target; return whether it did not yet."""
        found = self._sources.get(target_id)
        if type(found) is BitMap:
            if source in found:
                return False
            found.add(source)
        elif found is None:
            self._sources[target_id] = source
        elif type(found) is int:
            if found == source:
                return False
            self._sources[target_id] = array("I", (found, source) if found < source else (source, found))
        else:
            place = bisect_left(found, source)
            if place < len(found) and found[place] == source:
                return False
            found.insert(place, source)
            if len(found) > _MOST_SORTED:
                self._sources[target_id] = BitMap(found)
        return True

    def unlink(self, source: int, target_id: str) -> bool:
        """Let `source` no longer point to the target; return whether it did."""
        found = self._sources.get(target_id)
        if type(found) is BitMap:
            if source not in found:
                return False
            found.discard(source)
            if len(found) < _FEWEST_IN_BITMAP:
                self._sources[target_id] = array("I", found)
        elif found is None:
            return False
        elif type(found) is int:
            if found != source:
                return False
            del self._sources[target_id]
        else:
            place = bisect_left(found, source)
            if place == len(found) or found[place] != source:
                return False
            del found[place]
            if len(found) == 1:
                self._sources[target_id] = found[0]
        return True

    def sources(self, target_id: str) -> Collection[int]:
        """Return the numbers that point to the target, ascending.

        They are to be read, and before the next change of the target's links: what is returned may be
        the set kept here. `bitmap` gives one of one's own.
        """
        found: Any = self._sources.get(target_id)
        if found is None:
            return ()
        return (found,) if type(found) is int else found

    def bitmap(self, target_id: str) -> BitMap:
        """Return the numbers that point to the target, as a set that is the caller's own."""
        return BitMap(self.sources(target_id))

    def count(self, target_id: str) -> int:
        """Return how many objects point to the target."""
        return len(self.sources(target_id))

    @property
    def nbytes(self) -> int:
        """Bytes of the table and its sets; not those of the ids, which the column shares."""
        sets = sum(
            len(found.serialize()) if type(found) is BitMap else sys.getsizeof(found)
            for found in self._sources.values()
        )
        return sys.getsizeof(self._sources) + sets

    def check_invariants(self) -> None:
        """Raise AssertionError if a set is not in order, or has not the form of its size."""
        for target_id, found in self._sources.items():
            numbers = list(self.sources(target_id))
            assert all(a < b for a, b in pairwise(numbers)), (
                f"the sources of {target_id!r} are not ascending: {numbers}"
            )
            expected = (
                type(found) is int
                or (type(found) is array and 2 <= len(found) <= _MOST_SORTED)
                or (type(found) is BitMap and len(found) >= _FEWEST_IN_BITMAP)
            )
            assert expected, f"the {len(numbers)} sources of {target_id!r} are kept as {type(found).__name__}"

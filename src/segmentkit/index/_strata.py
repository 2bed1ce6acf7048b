"""Strata: in which order segments that read other segments are settled within one batch.

A segment reads others through `in segment`, also inside the brackets of a relation or of a rank, and
through the hidden segments it was taken apart into. Whatever is settled by itself is a *node*; so a
segment and a rank are nodes, and each may read any number of others. What is read but is no node is
*given*: the facts of an object type, say.

The level of a node is 0 if all that it reads is given, else one more than the highest level it reads.
Nodes of one level do not read each other, so a batch that settles level by level looks at each node
once, diamonds included. Nothing here recurses: a chain of nodes may be as long as memory allows.

>>> strata = Strata[str]()
>>> strata.put("whales", ["contact"])
>>> strata.put("quiet whales", ["contact", "whales"])
>>> strata.put("companies of whales", ["company", "whales"])
>>> strata.put("to call", ["quiet whales", "companies of whales", "whales"])
>>> [strata.level(name) for name in ("whales", "quiet whales", "companies of whales", "to call")]
[0, 1, 1, 2]
>>> strata.cycle_of("whales", ["contact", "to call"])
('whales', 'to call', 'whales')
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_NOTHING: Final[Mapping[Any, int]] = MappingProxyType({})


def find_levels(reads_of: Mapping[K, Collection[K]], known: Mapping[K, int] = _NOTHING) -> dict[K, int]:
    """Return the level of each node, in an order in which no node comes before one that it reads.

    Args:
        reads_of: what each node reads; it must not read itself in a circle.
        known: levels of further nodes. What is in neither is given.

    >>> find_levels({"a": ["b", "c"], "b": ["c"], "c": ["facts"]})
    {'c': 0, 'b': 1, 'a': 2}
    """
    waits_for = {key: sum(read in reads_of for read in set(reads)) for key, reads in reads_of.items()}
    readers: dict[K, list[K]] = {}
    for key, reads in reads_of.items():
        for read in set(reads):
            readers.setdefault(read, []).append(key)
    ready = [key for key, count in waits_for.items() if not count]
    levels: dict[K, int] = {}
    for key in ready:  # grows while it is walked
        levels[key] = 1 + max((levels.get(read, known.get(read, -1)) for read in reads_of[key]), default=-1)
        for reader in readers.get(key, ()):
            waits_for[reader] -= 1
            if not waits_for[reader]:
                ready.append(reader)
    assert len(levels) == len(reads_of), f"a circle among {[key for key in reads_of if key not in levels]}"
    return levels


class Strata(Generic[K]):
    """Nodes, what they read, and their levels, as nodes come and go.

    Cost: a change is O(nodes that read the changed one, directly or not, and what they read): a node that
    nobody reads yet costs only what it reads.
    """

    def __init__(self) -> None:
        self._reads: dict[K, tuple[K, ...]] = {}
        self._readers: dict[K, dict[K, None]] = {}  # of nodes and of what is given; the values mean nothing
        self._levels: dict[K, int] = {}

    def __contains__(self, key: K) -> bool:
        return key in self._reads

    def put(self, key: K, reads: Iterable[K]) -> None:
        """Add a node, or let it read something else; `cycle_of` must have found no circle.

        A node may be added after others that read it: they rise.
        """
        reads = tuple(dict.fromkeys(reads))
        assert self.cycle_of(key, reads) is None, f"{key!r} reads itself: {self.cycle_of(key, reads)}"
        self._unlink(key)
        self._reads[key] = reads
        for read in reads:
            self._readers.setdefault(read, {})[key] = None
        self._level_again(key)

    def remove(self, key: K) -> None:
        """Take a node out; for those that read it, if any are left, it is given."""
        self._unlink(key)
        del self._reads[key], self._levels[key]
        self._level_again(key)

    def _unlink(self, key: K) -> None:
        for read in self._reads.get(key, ()):
            readers = self._readers[read]
            del readers[key]
            if not readers:
                del self._readers[read]

    def _level_again(self, key: K) -> None:
        """Find the levels of a node and of all that read it, directly or not."""
        moved = dict.fromkeys([key] if key in self._reads else [])
        moved |= self._all_readers(key)
        self._levels |= find_levels({node: self._reads[node] for node in moved}, self._levels)

    def _all_readers(self, key: K) -> dict[K, None]:
        """Return the nodes that read a node, or something given, directly or not."""
        found: dict[K, None] = {}
        queue = [key]
        for node in queue:  # grows while it is walked
            for reader in self._readers.get(node, ()):
                if reader not in found:
                    found[reader] = None
                    queue.append(reader)
        return found

    def cycle_of(self, key: K, reads: Iterable[K]) -> tuple[K, ...] | None:
        """Return the shortest circle that would arise if the node read `reads`, or None; nothing changes.

        The circle begins and ends with the node, and each member reads the next one.
        """
        reads = tuple(reads)
        if key not in self._readers and key not in reads:
            return None
        came_from: dict[K, K] = {}
        queue: list[K] = [key]
        for node in queue:  # grows while it is walked
            for read in reads if node == key else self._reads.get(node, ()):
                if read == key:
                    path = [node]
                    while path[-1] != key:
                        path.append(came_from[path[-1]])
                    return (*reversed(path), key)
                if read not in came_from:
                    came_from[read] = node
                    queue.append(read)
        return None

    def level(self, key: K) -> int:
        """Return the level of a node."""
        return self._levels[key]

    def check_invariants(self) -> None:
        """Raise AssertionError if levels or readers are not those of what the nodes read."""
        expected = find_levels(self._reads)
        assert self._levels == expected, f"the levels are {expected}, {self._levels} are kept"
        readers: dict[K, set[K]] = {}
        for key, reads in self._reads.items():
            for read in reads:
                readers.setdefault(read, set()).add(key)
        kept = {key: set(found) for key, found in self._readers.items()}
        assert kept == readers, f"the readers are {readers}, {kept} are kept"

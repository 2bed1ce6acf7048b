"""The stays of objects in one segment: from when until when each was a member, the present one open.

A stay is a half-open interval of time, `[entered, left)`. The stays are a log of comings and goings in
two flat columns, and each entry knows the one before it of the same object:

    instant, doubled, plus 1 for entering     |  place of the object's entry before, or -1

The place of an object's newest entry stands beside: in a dictionary while the members are few among
the objects, in an array by object number once that takes less. So a flip takes 12 bytes, an object 4
to 100 more, and walking back from the newest entry gives the stays of an object.

**Membership is a function of time**, and at an instant it is what holds after everything of that
instant. An object that enters and leaves at one instant has not been there at any time: the stay of
length zero is forgotten. One that leaves and comes back at one instant was never away: its stay goes on.
So the stays do not depend on whether changes of one instant come in one batch or in several, and
`entered segment "X" in the last 7 days` and `was ever in segment "X"` do not either.

**A batch may be taken back.** Everything since the last `commit` is undone by `rollback`; whoever feeds
the log calls one of them after each batch.

A deleted object is dropped with all of its past, as its events are: nobody asks for one without an id.

>>> log = StayLog()
>>> log.enter(7, at=100); log.leave(7, at=200); log.enter(7, at=300)
>>> log.stays(7), log.is_inside(7), log.stays(8)
([(100, 200), (300, None)], True, [])
>>> log.commit(); log.leave(7, at=300)
>>> log.stays(7)
[(100, 200)]
>>> log.rollback(); log.stays(7)
[(100, 200), (300, None)]
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final, TypeAlias

Stay: TypeAlias = tuple[int, int | None]
"""Entered at and left at, in microseconds; None while the object is still there."""

_NONE: Final = -1
_OBJECTS_FOR_A_KEY: Final = 20  # so many objects in an array take as much as one key in a dictionary
_FEWEST_TO_REWRITE: Final = 1_000


class StayLog:
    """All stays of objects, by their dense numbers, in one segment.

    Instants are microseconds. Those of one object come in order; those of different objects need not.
    The numbers of objects are given out again only after `drop`.

    Cost: `enter` and `leave` O(1) amortised; `stays` O(stays of the object).
    """

    def __init__(self) -> None:
        self._instants = array("q")
        self._previous = array("i")
        self._newest = _Newest()
        self._committed = 0  # entries from this place on are taken back by `rollback`
        self._undo: list[tuple[int, int]] = []  # an object and its newest entry before a step
        self._n_used = self._n_used_committed = 0  # entries that some object has; the others are forgotten

    # ------------------------------------------------------------------------- changes

    def enter(self, number: int, at: int) -> None:
        """Let an object that is not inside enter."""
        newest = self._newest[number]
        if newest != _NONE:
            instant = self._instants[newest]
            assert not instant & 1, f"object {number} enters at {at} and has been inside since {instant >> 1}"
            assert instant >> 1 <= at, f"object {number} enters at {at}, before it left at {instant >> 1}"
            if instant >> 1 == at:  # it was never away
                self._forget(number, newest)
                return
        self._append(number, newest, at << 1 | 1)

    def leave(self, number: int, at: int) -> None:
        """Let an object that is inside leave."""
        newest = self._newest[number]
        instant = self._instants[newest] if newest != _NONE else 0
        assert instant & 1, f"object {number} leaves at {at} and is not inside"
        assert instant >> 1 <= at, f"object {number} leaves at {at}, before it entered at {instant >> 1}"
        if instant >> 1 == at:  # it was never there
            self._forget(number, newest)
        else:
            self._append(number, newest, at << 1)

    def enter_many(self, numbers: Iterable[int], at: int) -> None:
        """Let objects that are not inside enter at one instant, as when a segment is defined."""
        for number in numbers:
            self.enter(number, at)

    def drop(self, number: int) -> None:
        """Forget all stays of an object, if it has any: it is deleted, and its number may be given out again."""
        newest = self._newest[number]
        if newest != _NONE:
            self._step(number, newest, _NONE)
            self._n_used -= len(self._chain(newest))

    def _append(self, number: int, newest: int, instant: int) -> None:
        self._step(number, newest, len(self._instants))
        self._instants.append(instant)
        self._previous.append(newest)
        self._n_used += 1

    def _forget(self, number: int, newest: int) -> None:
        """Forget the newest entry of an object."""
        self._step(number, newest, self._previous[newest])
        self._n_used -= 1

    def _step(self, number: int, old: int, new: int) -> None:
        self._undo.append((number, old))
        self._newest[number] = new

    def _chain(self, newest: int) -> list[int]:
        """Return the doubled instants from an entry back to the first of its object."""
        chain = []
        while newest != _NONE:
            chain.append(self._instants[newest])
            newest = self._previous[newest]
        return chain

    # ------------------------------------------------------------------------- batches

    def commit(self) -> None:
        """Keep what has happened so far for good; a log of which half is forgotten is written anew."""
        self._undo.clear()
        if len(self._instants) > 2 * self._n_used + _FEWEST_TO_REWRITE:
            self._rewrite()
        self._committed, self._n_used_committed = len(self._instants), self._n_used

    def rollback(self) -> None:
        """Undo everything since the last `commit`."""
        for number, old in reversed(self._undo):
            self._newest[number] = old
        self._undo.clear()
        del self._instants[self._committed :], self._previous[self._committed :]
        self._n_used = self._n_used_committed

    def _rewrite(self) -> None:
        """Leave out what is forgotten; the entries of an object become neighbours."""
        instants, previous, newest = array("q"), array("i"), _Newest()
        for number in self._newest:
            chain = self._chain(self._newest[number])
            start = len(instants)
            instants.extend(reversed(chain))
            previous.append(_NONE)
            previous.extend(range(start, start + len(chain) - 1))
            newest[number] = len(instants) - 1
        self._instants, self._previous, self._newest = instants, previous, newest

    # ------------------------------------------------------------------------- reading

    def stays(self, number: int) -> list[Stay]:
        """Return the stays of an object in order; the last one is open while the object is inside."""
        chain = self._chain(self._newest[number])
        instants: list[int | None] = [instant >> 1 for instant in reversed(chain)]
        if len(instants) % 2:
            instants.append(None)
        return list(zip(instants[::2], instants[1::2], strict=True))  # type: ignore[arg-type]  # only the last is None

    def is_inside(self, number: int) -> bool:
        """Return whether an object is inside now."""
        newest = self._newest[number]
        return newest != _NONE and bool(self._instants[newest] & 1)

    @property
    def nbytes(self) -> int:
        """Bytes of the columns and of the places of the newest entries."""
        return sys.getsizeof(self._instants) + sys.getsizeof(self._previous) + self._newest.nbytes

    def check_invariants(self) -> None:
        """Raise AssertionError if stays overlap, are empty or out of order, or entries are miscounted."""
        n_used = 0
        for number in self._newest:
            chain = self._chain(self._newest[number])[::-1]
            n_used += len(chain)
            assert [instant & 1 for instant in chain] == [1 - i % 2 for i in range(len(chain))], (
                f"the entries of object {number} do not take turns: {chain}"
            )
            assert all(a >> 1 < b >> 1 for a, b in pairwise(chain)), (
                f"object {number} has an empty stay or gap: {chain}"
            )
        assert n_used == self._n_used, f"{n_used} entries are used, {self._n_used} are counted"
        assert len(self._instants) == len(self._previous), "the columns differ in length"


class _Newest:
    """The place of the newest entry of each object, `_NONE` where there is none, in what takes less memory.

    A dictionary takes about 100 bytes for an object with an entry, an array 4 for each object up to the last
    one. The step from one to the other and the step back are a factor of two apart.
    """

    __slots__ = ("_count", "_end", "_places")

    def __init__(self) -> None:
        self._places: dict[int, int] | array[int] = {}
        self._end = 0  # no object has an entry from this number on
        self._count = 0

    def __iter__(self) -> Iterator[int]:
        places = self._places
        if isinstance(places, dict):
            return iter(sorted(places))
        return (number for number, place in enumerate(places) if place != _NONE)

    def __getitem__(self, number: int) -> int:
        places = self._places
        if isinstance(places, dict):
            return places.get(number, _NONE)
        return places[number] if number < len(places) else _NONE

    def __setitem__(self, number: int, place: int) -> None:
        old = self[number]
        if old == _NONE and place != _NONE:
            self._count += 1
            self._make_room(number)
        elif old != _NONE and place == _NONE:
            self._count -= 1
        places = self._places
        if place != _NONE or not isinstance(places, dict):
            places[number] = place
        else:
            places.pop(number, None)

    def _make_room(self, number: int) -> None:
        """Choose the form for `_count` objects, of which `number` is a new one."""
        self._end = max(self._end, number + 1)
        places = self._places
        if isinstance(places, dict):
            if _OBJECTS_FOR_A_KEY * self._count > self._end:
                self._places = array("i", (_NONE,)) * self._end
                for known, place in places.items():
                    self._places[known] = place
        elif self._end > len(places):
            if self._end > 2 * _OBJECTS_FOR_A_KEY * self._count:
                self._places = {known: place for known, place in enumerate(places) if place != _NONE}
            else:
                places.extend(array("i", (_NONE,)) * (self._end - len(places)))

    @property
    def nbytes(self) -> int:
        # the dictionary's numbers are objects of 32 bytes each; those of its keys are often shared
        return sys.getsizeof(self._places) + (32 * self._count if isinstance(self._places, dict) else 0)

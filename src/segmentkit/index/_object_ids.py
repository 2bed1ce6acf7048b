"""The ids of many objects, kept as a bitmap of their numbers, which stay what they are.

A number is used again once its object is deleted, so ids that somebody holds have to be told from
those of today. What is deleted is written down once, for all who hold ids from before: each of them
holds the beginning of a chain of notes, and nobody the notes from before its own time, which are then gone.
A definition with a million members, and a deletion after it, cost no copy of the ids (`bench_define`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, overload
from weakref import ReferenceType, ref


class Numbers(Protocol):
    """Numbers in ascending order, which stay as they are: a bitmap, or what becomes one when it is asked."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[int]: ...
    def __getitem__(self, index: int, /) -> int: ...


class _Notes:
    """The ids of objects deleted in some time, by number, and the notes of the time after it."""

    __slots__ = ("__weakref__", "id_by_number", "later")

    def __init__(self) -> None:
        self.id_by_number: dict[int, str] = {}
        self.later: _Notes | None = None


class Deleted:
    """Writes down who is deleted, while somebody holds ids.

    >>> ids, deleted = ["a", "b"], Deleted()
    >>> held = deleted.hold([0, 1], ids)
    >>> deleted.note(1, "b")
    >>> ids[1] = "c"
    >>> list(held), held[1], list(deleted.hold([1], ids))
    (['a', 'b'], 'b', ['c'])
    """

    def __init__(self) -> None:
        self._last: ReferenceType[_Notes] | None = None

    def hold(self, numbers: Numbers, ids: Sequence[str | None]) -> ObjectIds:
        """Return the ids that objects of some numbers have now."""
        last = None if self._last is None else self._last()
        if last is None or last.id_by_number:
            notes = _Notes()
            if last is not None:
                last.later = notes
            self._last = ref(notes)
            last = notes
        return ObjectIds(numbers, ids, last)

    def note(self, number: int, object_id: str) -> None:
        """See that the object of a number is deleted."""
        last = None if self._last is None else self._last()
        if last is not None:
            last.id_by_number.setdefault(number, object_id)


class ObjectIds(Sequence[str]):
    """The ids of many objects, in order of their numbers.

    Cost: a few bits for each object; an id is looked up when it is asked for, and all of them when iteration begins.
    """

    __slots__ = ("_ids", "_notes", "_numbers")

    def __init__(self, numbers: Numbers, ids: Sequence[str | None], notes: _Notes) -> None:
        self._numbers = numbers
        self._ids = ids
        self._notes = notes

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[str]:
        ids, deleted = self._ids, self._deleted()
        if not deleted:
            return iter([ids[number] or "" for number in self._numbers])
        return iter([deleted.get(number) or ids[number] or "" for number in self._numbers])

    def _deleted(self) -> dict[int, str]:
        """Return the ids of objects that are no more, by number: of several, the first one was meant."""
        deleted: dict[int, str] = {}
        notes: _Notes | None = self._notes
        while notes is not None:
            if notes.id_by_number:
                deleted = notes.id_by_number | deleted
            notes = notes.later
        return deleted

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        if isinstance(index, slice):
            return tuple(self)[index]
        number = self._numbers[index]
        notes: _Notes | None = self._notes
        while notes is not None:
            object_id = notes.id_by_number.get(number)
            if object_id is not None:
                return object_id
            notes = notes.later
        return self._ids[number] or ""


__all__ = ["Deleted", "Numbers", "ObjectIds"]

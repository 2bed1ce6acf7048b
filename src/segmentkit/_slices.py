"""Time passes in slices: for some of the objects that are due, then come changes, then for some more.

A million objects that flip at one midnight take about a second, for which a feed would have to wait. Objects pass
time independently of each other, so those that are due can be taken some at a time. The others are *behind*, at
the instant before: each catches up before it is changed or something else comes due for it, and all of them before
anybody reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from pyroaring import BitMap

from segmentkit import _passing
from segmentkit.index.deltas import Backfill, Deltas, Record

if TYPE_CHECKING:
    from segmentkit.engine import Engine
    from segmentkit.index._accept import Operation
    from segmentkit.index._deadlines import Entry

__all__ = ["Behind", "pass_time"]

_Records: TypeAlias = list[Record | Backfill]
_Objects: TypeAlias = dict[str, BitMap]  # numbers, by type

_NOBODY: Final = BitMap()


class Behind:
    """The objects for which time has not passed yet up to where it stands for the others.

    Args:
        engine: the engine, whose time stands at `until` afterwards.
        until: the end of a stretch, however long, in which objects pass time independently.
    """

    def __init__(self, engine: Engine, until: int) -> None:
        self._engine = engine
        self._since = engine._now
        self._due = engine._deadlines.take_due(until)
        self._left: _Objects = {}
        for matcher, _, numbers in self._due:
            name = matcher.table.name
            self._left[name] = self._left.get(name, BitMap()) | numbers
        engine._now = until

    def catch_up(self, count: int, records: _Records) -> None:
        """Let so many objects catch up."""
        some: _Objects = {}
        for name, left in self._left.items():
            some[name] = left[:count]
            count -= len(some[name])
        self._catch_up(some, self._engine._now, records)

    def catch_up_all(self, records: _Records) -> None:
        """Let all objects catch up."""
        self._catch_up(self._left, self._engine._now, records)

    def catch_up_for(self, operations: Sequence[Operation], records: _Records) -> None:
        """Let the objects catch up that a batch writes to."""
        some: _Objects = {}
        for name, _, arguments in operations:
            number = self._engine._tables[name].number_by_id.get(arguments[0])
            if number is not None:
                some.setdefault(name, BitMap()).add(number)
        self._catch_up(some, self._engine._now, records)

    def catch_up_before(self, at: int, entries: Sequence[Entry], records: _Records) -> list[Entry]:
        """Let the objects for which something comes due catch up to just before; return what else does for them."""
        some: _Objects = {}
        for matcher, number, _ in entries:
            some.setdefault(matcher.table.name, BitMap()).add(number)
        self._catch_up(some, at - 1, records)
        deadlines = self._engine._deadlines
        return deadlines.pop(at) if deadlines.next(at - 1, at) == at else []

    def _catch_up(self, some: _Objects, at: int, records: _Records) -> None:
        """Let some objects, as far as they are behind, reach an instant up to which nothing else comes due."""
        chosen = {name: numbers & self._left[name] for name, numbers in some.items() if name in self._left}
        if not any(chosen.values()):
            return
        due = [
            (matcher, watcher, numbers & chosen.get(matcher.table.name, _NOBODY))
            for matcher, watcher, numbers in self._due
        ]
        _passing.pass_for(self._engine, [one for one in due if one[2]], self._since, at, records)
        self._left = {name: left - chosen.get(name, _NOBODY) for name, left in self._left.items()}
        if not any(self._left.values()):
            self._engine._behind = None


def pass_time(engine: Engine, target: int, count: int) -> Iterator[Deltas]:
    """Let time pass up to an instant; after each slice of so many objects, yield what it has flipped."""
    is_passed = False
    while not is_passed:
        with engine._lock:
            records, engine._unsaved = engine._unsaved, []
            if engine._behind is None and _goes_in_slices(engine, target):
                engine._behind = Behind(engine, target)
            if engine._behind is not None:
                engine._behind.catch_up(count, records)
            else:
                engine._unsaved = records
                records = engine._advance_to(max(target, engine._now))
                is_passed = True
            deltas = engine._told(records)
        if deltas or not is_passed:
            yield deltas


def _goes_in_slices(engine: Engine, target: int) -> bool:
    return engine._shares_facts and engine._ripple.is_still and _passing.are_many_due(engine, target)

"""Boolean features: whether a predicate holds that no other kind of feature can tell.

They cover everything that the language can say: sets, places, arithmetic, several attributes at
once, calendar windows, odd aggregates. The plain evaluator answers, but for tests that are easy to do faster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from pyroaring import BitMap

from segmentkit.dsl import _geo
from segmentkit.dsl._horizon import next_change
from segmentkit.dsl.evaluate import evaluate
from segmentkit.dsl.predicates import (
    And,
    Attribute,
    InBox,
    Not,
    Or,
    Predicate,
    Within,
)
from segmentkit.index import _cells
from segmentkit.index._clauses import BooleanKey, reads_of
from segmentkit.index._features import Context, Feature, Move

_FALSE: Final = 1
_TRUE: Final = 2


class BooleanFeature(Feature):
    """Whether a predicate over anything holds; the objects for which it does are a bitmap."""

    def __init__(self, key: BooleanKey, literals: Sequence[Predicate], context: Context) -> None:
        super().__init__(key, literals, context)
        self.predicate = key.predicate
        self.attributes, self.events = reads_of(key.predicate)
        self.is_timed = bool(self.events) or _cells.reads_time(key.predicate)
        self.members = BitMap()
        self._table = context.table
        self._zone = context.zone
        self._deadlines = context.deadlines
        self._pending: dict[int, int] = {}
        self._holds = self._test()
        self.truths = [-1, self._truth(False), self._truth(True)]

    def _truth(self, value: bool) -> int:
        return sum(1 << i for i, literal in enumerate(self.literals) if _substituted(literal, self.predicate, value))

    def _test(self) -> Callable[[int, int], bool]:
        predicate, table, zone = self.predicate, self._table, self._zone
        if isinstance(predicate, InBox | Within) and isinstance(predicate.value, Attribute):
            return _point_test(predicate, table.columns[predicate.value.name].get)
        return lambda number, now: evaluate(predicate, table.facts(number), now, zone)

    @property
    def keeps_state(self) -> bool:
        return True

    def cell(self, number: int, now: int) -> int:
        return _TRUE if self._holds(number, now) else _FALSE

    def current(self, number: int, now: int) -> int:
        return _TRUE if number in self.members else _FALSE

    @property
    def is_dear(self) -> bool:
        return True

    @property
    def cost(self) -> int:
        return 0

    def test(self, literal: int) -> Callable[[int], object]:
        members = self.members
        false, true = (self.truths[cell] >> literal & 1 for cell in (_FALSE, _TRUE))
        if true and not false:
            return members.__contains__
        return lambda number: true if number in members else false

    def next_deadline(self, number: int, now: int) -> int | None:
        """Return an instant no later than the next at which the answer can change; None if it cannot."""
        return next_change(self.predicate, self._table.facts(number), now, self._zone)

    def changed(self, number: int, old: Any, new: Any, now: int, moves: list[Move]) -> None:
        self.look_again(number, now, moves)

    def look_again(self, number: int, now: int, moves: list[Move]) -> None:
        before, after = self.current(number, now), self.cell(number, now)
        if before != after:
            self._store(number, after)
            moves.append((self, before, after))
        if self.is_timed:
            self._schedule(number, self.next_deadline(number, now))

    def pass_time(self, number: int, at: int, moves: list[Move]) -> None:
        self.look_again(number, at, moves)

    def _store(self, number: int, cell: int) -> None:
        if cell == _TRUE:
            self.members.add(number)
        else:
            self.members.discard(number)
        if self.place >= 0:
            self.rows.cells[number * self.rows.stride + self.place] = cell

    def _schedule(self, number: int, deadline: int | None) -> None:
        old = self._pending.pop(number, None) if deadline is None else self._pending.get(number)
        if deadline is not None:
            self._pending[number] = deadline
        self._deadlines.move(self.group, number, old, deadline)

    def enter(self, number: int, now: int) -> None:
        self._store(number, self.cell(number, now))
        if self.is_timed:
            self._schedule(number, self.next_deadline(number, now))

    def leave(self, number: int, now: int) -> None:
        self.members.discard(number)
        if self.is_timed:
            self._schedule(number, None)


def _point_test(predicate: InBox | Within, get: Callable[[int], Any]) -> Callable[[int, int], bool]:
    if isinstance(predicate, InBox):
        box = predicate.south, predicate.west, predicate.north, predicate.east
        return lambda number, now: (point := get(number)) is not None and _geo.in_box(point, *box)
    centre, metres = predicate.centre, predicate.metres
    return lambda number, now: (point := get(number)) is not None and _geo.distance_metres(point, centre) <= metres


def _substituted(literal: Predicate, predicate: Predicate, value: bool) -> bool:
    if literal == predicate:
        return value
    match literal:
        case Not(item):
            return not _substituted(item, predicate, value)
        case And(items):
            return all(_substituted(item, predicate, value) for item in items)
        case Or(items):
            return any(_substituted(item, predicate, value) for item in items)
        case _:
            raise AssertionError(f"{literal!r} is no formula over {predicate!r}")

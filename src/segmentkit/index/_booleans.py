"""Boolean features: whether a predicate holds that no other kind of feature can tell.

They cover everything that the language can say: arithmetic, several attributes at once, calendar
windows, odd aggregates. The plain evaluator answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from pyroaring import BitMap

from segmentkit.dsl._horizon import next_change
from segmentkit.dsl.evaluate import evaluate
from segmentkit.dsl.predicates import (
    And,
    AnyRelated,
    InSegment,
    Not,
    OneRelated,
    Or,
    Predicate,
    Related,
)
from segmentkit.index import _cells
from segmentkit.index._clauses import BooleanKey
from segmentkit.index._features import Context, Feature, Move
from segmentkit.index._readings import readings_of
from segmentkit.index._table import Table

FALSE: Final = 1
TRUE: Final = 2
"""Cells of a boolean feature."""
_NOBODY: Final = 2**32 - 1  # a number that no object has


class BooleanFeature(Feature):
    """Whether a predicate over anything holds; the objects for which it does are a bitmap."""

    def __init__(self, key: BooleanKey, literals: Sequence[Predicate], context: Context) -> None:
        super().__init__(key, literals, context)
        self.predicate = key.predicate
        readings = readings_of(key.predicate, context.table.name, context.schema)
        own = [reading for reading in readings if not reading.path]
        self.attributes = frozenset(reading.name for reading in own if reading.kind == "attribute")
        self.events = frozenset(reading.name for reading in own if reading.kind == "event")
        self.others = [r for r in readings if r.path or r.kind not in ("attribute", "event")]
        """What it reads besides the facts of the object."""
        self.is_timed = any(r.kind == "event" for r in readings) or _cells.reads_time(key.predicate)
        self.members = BitMap()
        self._table = context.table
        self._zone = context.zone
        self._deadlines = context.deadlines
        self._pending: dict[int, int] = {}
        self._holds = self._test()
        self.truths = [-1, self._truth(False), self._truth(True)]

    def _truth(self, value: bool) -> int:
        return sum(1 << i for i, literal in enumerate(self.literals) if truth_of(literal, self.predicate, value))

    def _test(self) -> Callable[[int, int], bool]:
        predicate, table, zone = self.predicate, self._table, self._zone
        quick = membership_test(predicate, table)
        if quick is not None:
            return quick
        return lambda number, now: evaluate(predicate, table.facts(number), now, zone)

    @property
    def keeps_state(self) -> bool:
        return True

    def cell(self, number: int, now: int) -> int:
        return TRUE if self._holds(number, now) else FALSE

    def current(self, number: int, now: int) -> int:
        return TRUE if number in self.members else FALSE

    @property
    def is_dear(self) -> bool:
        return True

    @property
    def cost(self) -> int:
        return 0

    def test(self, literal: int) -> Callable[[int], object]:
        members = self.members
        false, true = (self.truths[cell] >> literal & 1 for cell in (FALSE, TRUE))
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
        self._pending.pop(number, None)
        self.look_again(number, at, moves)

    def turn_all(self, numbers: BitMap, now: int) -> tuple[int, int, BitMap]:
        """Bring objects, for all of which the answer is that of the first, to it.

        Returns:
            The cells before and after, and the objects that move.
        """
        after = self.cell(numbers[0], now)
        moving = numbers - self.members if after == TRUE else numbers & self.members
        if after == TRUE:
            self.members |= moving
        else:
            self.members -= moving
        if self.place >= 0:
            cells, stride, place = self.rows.cells, self.rows.stride, self.place
            for number in moving:
                cells[number * stride + place] = after
        return FALSE + TRUE - after, after, moving

    def _store(self, number: int, cell: int) -> None:
        if cell == TRUE:
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


def membership_test(predicate: Predicate, table: Table) -> Callable[[int, int], bool] | None:
    """Return a quick test of membership, of the object or of related ones; None for any other predicate."""
    world = table.world
    if world is None:
        return None
    members = world.members
    match predicate:
        case InSegment(segment):
            return lambda number, now: number in members.get(segment, ())
        case OneRelated(relation, InSegment(segment)):
            get = table.columns[relation].get
            numbers = world.tables[table.type.relations[relation].target].number_by_id
            return lambda number, now: numbers.get(get(number), _NOBODY) in members.get(segment, ())
        case AnyRelated(Related(relation, InSegment(segment))):
            declared = table.type.relations[relation]
            assert declared.via is not None
            sources = world.tables[declared.target].links[declared.via].sources
            return lambda number, now: any(
                source in members.get(segment, ()) for source in sources(table.ids[number] or "")
            )
        case _:
            return None


def truth_of(literal: Predicate, predicate: Predicate, value: bool) -> bool:
    """Return whether a formula over one predicate holds when that one is `value`."""
    if literal == predicate:
        return value
    match literal:
        case Not(item):
            return not truth_of(item, predicate, value)
        case And(items):
            return all(truth_of(item, predicate, value) for item in items)
        case Or(items):
            return any(truth_of(item, predicate, value) for item in items)
        case _:
            raise AssertionError(f"{literal!r} is no formula over {predicate!r}")

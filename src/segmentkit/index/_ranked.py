"""Features over a rank: whether an object is among the first.

All ranks that order alike (same values, groups and population, same direction) share a `RankSource`,
which keeps everybody's entry and knows whom a change of one object moves in or out. Each number of
places asked for is a `RankFeature`, a set of objects that the source writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from pyroaring import BitMap

from segmentkit.dsl._horizon import next_change
from segmentkit.dsl.evaluate import evaluate, value_of
from segmentkit.dsl.predicates import Events, Predicate, Rank
from segmentkit.index import _cells
from segmentkit.index._booleans import FALSE, TRUE, truth_of
from segmentkit.index._clauses import BooleanKey
from segmentkit.index._features import Context, Feature, Move
from segmentkit.index._ranks import EVERYONE, Cutoff, Flip, Ranking

if TYPE_CHECKING:
    from segmentkit.index._matcher import Matcher

Spill: TypeAlias = "Callable[[Matcher, int, Move], None]"
"""Takes the moves of objects other than the one at hand: the matcher of their type, number, move."""


class RankFeature(Feature):
    """Whether an object is inside one cut-off; its source tells it who is."""

    def __init__(self, key: BooleanKey, literals: Sequence[Predicate], context: Context, source: RankSource) -> None:
        super().__init__(key, literals, context)
        assert isinstance(key.predicate, Rank)
        self.source = source
        self.cutoff = cutoff_of(key.predicate)
        self.truths = [-1, *(sum(1 << i for i, x in enumerate(literals) if truth_of(x, key.predicate, value))
                             for value in (False, True))]  # fmt: skip
        self.members = BitMap()

    def turn(self, number: int, entered: bool) -> Move:
        """Let an object in or out; return the move."""
        (self.members.add if entered else self.members.discard)(number)
        after = TRUE if entered else FALSE
        if self.place >= 0:
            self.rows.cells[number * self.rows.stride + self.place] = after
        return (self, FALSE + TRUE - after, after)

    def cell(self, number: int, now: int) -> int:
        return TRUE if self.source.ranking.is_inside(number, self.cutoff) else FALSE

    def current(self, number: int, now: int) -> int:
        return TRUE if number in self.members else FALSE

    def worked_out(self, literal: int) -> Callable[[int], object]:
        false, true = (self.truths[cell] >> literal & 1 for cell in (FALSE, TRUE))
        members = self.members
        return lambda number: true if number in members else false

    test = worked_out

    @property
    def keeps_state(self) -> bool:
        return self.place >= 0

    def enter(self, number: int, now: int) -> None:
        """Write the cell of a new object; the source, which comes before, has ranked it."""
        if self.place >= 0:
            self.rows.cells[number * self.rows.stride + self.place] = self.current(number, now)


class RankSource:
    """Everybody's entry in one ranking; a watcher of all that entries are made of."""

    keeps_state = True
    sees_new_objects = True

    def __init__(self, rank: Rank, context: Context, matcher: Matcher, spill: Spill) -> None:
        self.rank = rank
        self.ranking = Ranking(is_top=rank.direction == "top")
        self.features: dict[Cutoff, RankFeature] = {}
        self.group = -1
        parts: list[Any] = [part for part in (rank.by, rank.per, rank.of) if part is not None]
        self.parts = parts
        self.is_timed = any(_cells.reads_time(part) or _reads_events(part) for part in parts)
        self._table = context.table
        self._zone = rank.zone or context.zone
        self._deadlines = context.deadlines
        self._matcher = matcher
        self._spill = spill
        self._pending: dict[int, int] = {}

    def add(self, feature: RankFeature) -> None:
        """Serve one more cut-off."""
        self.features[feature.cutoff] = feature
        feature.members |= BitMap(self.ranking.add_cutoff(feature.cutoff))

    def drop(self, feature: RankFeature) -> None:
        """Serve a cut-off no more."""
        del self.features[feature.cutoff]
        self.ranking.remove_cutoff(feature.cutoff)

    def _row(self, number: int, now: int) -> tuple[int, str, Any, Any]:
        facts, rank, zone = self._table.facts(number), self.rank, self._zone
        object_id = facts.object_id
        if rank.of is not None and not evaluate(rank.of, facts, now, zone):
            return number, object_id, None, None
        group = EVERYONE if rank.per is None else value_of(rank.per, facts, now, zone)
        return number, object_id, group, value_of(rank.by, facts, now, zone)

    def look_again(self, number: int, now: int, moves: list[Move]) -> None:
        """See that something that the entry is made of may have changed; the moves of others are spilled."""
        for flip in self.ranking.set_many((self._row(number, now),)):
            move = self._turn(flip)
            if flip.number == number:
                moves.append(move)
            else:
                self._spill(self._matcher, flip.number, move)
        self._schedule(number, now)

    def _turn(self, flip: Flip) -> Move:
        return self.features[flip.cutoff].turn(flip.number, flip.entered)

    def pass_time(self, number: int, at: int, moves: list[Move]) -> None:
        """See that time has come to something that the entry is made of."""
        self._pending.pop(number, None)
        self.look_again(number, at, moves)

    def enter(self, number: int, now: int) -> None:
        """Rank a new object; the moves of others are spilled."""
        self.look_again(number, now, [])

    def enter_all(self, numbers: Iterable[int], now: int) -> None:
        """Rank all objects of a ranking that is new; nobody moves, whoever comes in is there."""
        numbers = list(numbers)
        for flip in self.ranking.set_many(self._row(number, now) for number in numbers):
            self._turn(flip)
        for number in numbers:
            self._schedule(number, now)

    def leave(self, number: int, now: int) -> None:
        """Rank an object no more whose facts are still there; the moves of others are spilled."""
        for flip in self.ranking.remove(number):
            move = self._turn(flip)
            if flip.number != number:
                self._spill(self._matcher, flip.number, move)
        self._wait(number, None)

    def next_deadline(self, number: int, now: int) -> int | None:
        """Return an instant no later than the next at which time can change the entry; None if it cannot."""
        facts = self._table.facts(number)
        found = [next_change(part, facts, now, self._zone) for part in self.parts]
        return min((at for at in found if at is not None), default=None)

    def _schedule(self, number: int, now: int) -> None:
        if self.is_timed:
            self._wait(number, self.next_deadline(number, now))

    def _wait(self, number: int, deadline: int | None) -> None:
        old = self._pending.pop(number, None) if deadline is None else self._pending.get(number)
        if deadline is not None:
            self._pending[number] = deadline
        self._deadlines.move(self.group, number, old, deadline)


def cutoff_of(rank: Rank) -> Cutoff:
    """Return the places that a rank asks for."""
    return Cutoff(rank.count, rank.percent, rank.ties)


def _reads_events(part: Any) -> bool:
    from segmentkit.dsl.predicates import iter_nodes

    return any(isinstance(node, Events) for node in iter_nodes(part))

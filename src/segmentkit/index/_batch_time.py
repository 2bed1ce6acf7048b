"""Time passes for many objects at once: all that it moves in a stretch, carried into the memberships.

What moves and when follows from the facts (`_batch_ages`). An object at an instant at which something of it
moves is an *occasion*: its row before is that after its last occasion, and the moves lead to its row after.
With these a stretch is a wave (`_batch_flips`), in which an object may come up more than once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias

import attrs
import numpy as np
from pyroaring import BitMap

from segmentkit.index._attributes import AgeFeature
from segmentkit.index._batch_ages import Aged, age_attribute, age_series
from segmentkit.index._batch_clauses import Clauses
from segmentkit.index._batch_flips import Flipped, flips_of
from segmentkit.index._batch_moves import Moves
from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._bulk_cells import Cells
from segmentkit.index._bulk_facts import Block, blocks_of
from segmentkit.index._bulk_members import flip_all
from segmentkit.index._event_features import FAR, NEVER
from segmentkit.index._features import Feature, Move, Watcher
from segmentkit.index._matcher import Matcher
from segmentkit.index._runs import runs_in, runs_of
from segmentkit.index._series import Series
from segmentkit.index.deltas import Flips

Turn: TypeAlias = tuple[int, list[int], Flips]
"""An instant, objects that flip alike at it, ascending, and what flips for each of them."""

Waiting: TypeAlias = tuple[int, Array, Array]
"""The number of a group, objects, and their deadlines."""

FEW: Final = 12
"""Objects up to which a watcher passes time one by one: for fewer, arrays cost more than they save (`bench_time`)."""

_MOST_OCCASIONS: Final = 2**14  # that are carried together


def pass_time(
    matcher: Matcher, due: Iterable[tuple[Watcher, BitMap]], now: int, until: int
) -> tuple[list[Turn], list[Waiting]]:
    """Let time pass for the objects of one type; afterwards cells, bitmaps and memberships are right for `until`.

    Args:
        matcher: of the objects; nothing that it plans reads other objects.
        due: watchers, with all objects that may come due for them in the stretch; their entries have been used up.
        now: the instant up to which time has passed.
        until: the end of the stretch.

    Returns:
        What flips, in order of instants and objects, and the deadlines after the stretch that are not kept yet.
    """
    stretch = _Stretch(matcher, now, until)
    together: dict[str | None, list[tuple[Series | AgeFeature, BitMap]]] = {}
    """By event name, so that the histories that several series read are read once."""
    for watcher, numbers in due:
        some = stretch.due(watcher, numbers & matcher.table.alive)
        if len(some) > FEW and isinstance(watcher, Series | AgeFeature):
            name = watcher.event if isinstance(watcher, Series) else None
            together.setdefault(name, []).append((watcher, some))
        else:
            stretch.age_one_by_one(watcher, some)
    for watchers in together.values():
        of_any = _array(BitMap.union(*(numbers for _, numbers in watchers)))
        for block in blocks_of(matcher.table, of_any, now):
            inside = BitMap(block.numbers)
            for one, numbers in watchers:
                stretch.age(one, block, np.searchsorted(block.numbers, _array(numbers & inside)))
    return list(stretch.carried()), stretch.waiting


def _array(numbers: BitMap) -> Array:
    found: Array = np.frombuffer(numbers.to_array(), np.uint32).astype(np.int64)
    return found


_NO_CELLS = np.zeros((0, 0), np.uint16)


@attrs.frozen(eq=False)
class _Moved:
    """Moves, one per row: the number of the feature, the object, the instant, the cells before and after."""

    features: Array
    numbers: Array
    ats: Array
    before: Array
    after: Array

    def of(self, rows: Any) -> _Moved:
        """Return some of them."""
        return _Moved(self.features[rows], self.numbers[rows], self.ats[rows], self.before[rows], self.after[rows])


class _Stretch:
    """One stretch of time, for the objects of one type."""

    def __init__(self, matcher: Matcher, now: int, until: int) -> None:
        self.waiting: list[Waiting] = []
        self._matcher = matcher
        self._rows = matcher._rows
        self._now = now
        self._until = until
        self._cells = Cells(matcher.zone, matcher.loose_feature)
        self._features: dict[Feature, int] = {}
        self._parts: list[_Moved] = []

    # ------------------------------------------------------------------------- ages

    def due(self, watcher: Watcher, numbers: BitMap) -> BitMap:
        """Return those objects that may come due; others are known to wait for an instant after the stretch."""
        if not (isinstance(watcher, Series) and watcher.keeps_deadlines):
            return numbers
        listed = _array(numbers)
        deadlines = np.frombuffer(watcher._pending, np.int64)[listed]
        waits = (deadlines > self._until) & (deadlines < FAR)
        self.waiting.append((watcher.group, listed[waits], deadlines[waits]))
        return BitMap(listed[~waits].astype(np.uint32))

    def age(self, watcher: Series | AgeFeature, block: Block, places: Array) -> None:
        """Let the objects at some places of a block age."""
        aged: Aged | None
        if isinstance(watcher, Series):
            aged = age_series(watcher, self._cells, block, places, self._until)
        else:
            aged = age_attribute(watcher, block, places, self._until)
        assert not isinstance(block.numbers, range), "a choice of objects"
        numbers: Array = block.numbers[places]
        if aged is None:
            self.age_one_by_one(watcher, numbers.tolist())
            return
        for one in aged.crossings:
            feature = self._number_of(one.feature)
            columns = block.numbers[one.places], one.ats, one.before, one.after
            self._parts.append(_Moved(np.full(len(one.places), feature), *columns))
        stays = np.ones(len(places), bool)
        stays[aged.left] = False
        self._wait(watcher, numbers[stays], aged.deadlines[stays])
        self.age_one_by_one(watcher, numbers[aged.left].tolist())

    def _number_of(self, feature: Feature) -> int:
        return self._features.setdefault(feature, len(self._features))

    def _wait(self, watcher: Series | AgeFeature, numbers: Array, deadlines: Array) -> None:
        waits = deadlines < FAR
        if isinstance(watcher, Series) and watcher.keeps_deadlines:
            np.frombuffer(watcher._pending, np.int64)[numbers] = np.where(waits, deadlines, NEVER)
        self.waiting.append((watcher.group, numbers[waits], deadlines[waits]))

    def age_one_by_one(self, watcher: Watcher, numbers: Iterable[int]) -> None:
        """Let objects pass their deadlines, each after the other; rows are left as they are, for `carried` to write."""
        cells, stride = self._rows.cells, self._rows.stride
        moved: list[tuple[int, int, int, Any, Any]] = []
        for number in numbers:
            held = cells[number * stride : (number + 1) * stride]
            at, has_moved = watcher.next_deadline(number, self._now), False
            while at is not None and at <= self._until:
                moves: list[Move] = []
                watcher.pass_time(number, at, moves)
                moved += [(self._number_of(feature), number, at, old, new) for feature, old, new in moves]
                at, has_moved = watcher.next_deadline(number, at), True
            cells[number * stride : (number + 1) * stride] = held
            if at is not None and not has_moved:  # what has passed a deadline waits for the next already
                self.waiting.append((watcher.group, np.array([number]), np.array([at])))
        if moved:
            self._parts.append(_Moved(*np.array(moved, np.int64).T))

    # ------------------------------------------------------------------------ flips

    def carried(self) -> Iterator[Turn]:
        """Carry all moves into rows and memberships; yield what flips."""
        if not self._parts:
            return
        columns = zip(*(attrs.astuple(part, recurse=False) for part in self._parts), strict=True)
        moved = _Moved(*(np.concatenate(column) for column in columns))
        moved = moved.of(np.lexsort((moved.numbers, moved.ats)))
        is_new = np.ones(len(moved.ats), bool)
        is_new[1:] = (moved.ats[1:] != moved.ats[:-1]) | (moved.numbers[1:] != moved.numbers[:-1])
        starts = np.append(np.flatnonzero(is_new), len(is_new))
        clauses = self._matcher.clauses
        if clauses is None or not clauses.is_of(self._matcher):
            clauses = self._matcher.clauses = Clauses(self._matcher)
        for first in range(0, len(starts) - 1, _MOST_OCCASIONS):
            some = starts[first : first + _MOST_OCCASIONS + 1]
            yield from self._carry(clauses, moved.of(slice(some[0], some[-1])), some - some[0])

    def _carry(self, clauses: Clauses, moved: _Moved, starts: Array) -> Iterator[Turn]:
        """Carry the moves of some occasions, which begin at `starts`; the last of these is the end."""
        occasions = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        numbers, ats = moved.numbers[starts[:-1]], moved.ats[starts[:-1]]
        moves = self._played(moved, occasions, numbers)
        found = flips_of(clauses, numbers, moves, ats)
        self._matcher.clauses_examined += found.n_examined
        last = _last_of_each(numbers[found.places], found.flips)
        flip_all(self._matcher.memberships, numbers[found.places[last]], found.flips[last])
        return _turns(found, numbers, ats)

    def _played(self, moved: _Moved, occasions: Array, numbers: Array) -> Moves:
        """Play moves in the rows; return the rows of each occasion before and after, and the moves not in rows."""
        placed = np.array([feature.place for feature in self._features])[moved.features]
        features = list(self._features)
        loose = [
            (int(occasions[row]), features[moved.features[row]], int(moved.before[row]), int(moved.after[row]))
            for row in np.flatnonzero(placed < 0).tolist()
        ]
        in_rows = np.flatnonzero(placed >= 0)
        occasions, placed, cells = occasions[in_rows], placed[in_rows], moved.after[in_rows]
        stride = self._rows.stride
        if not stride:
            return Moves(_NO_CELLS, _NO_CELLS, loose, ())
        held = np.frombuffer(self._rows.cells, np.uint16).reshape(-1, stride)
        before: Array = held[numbers]
        after = before.copy()
        repeat, previous = _repeats(numbers)
        if len(repeat) and repeat.max():
            order = np.argsort(repeat, kind="stable")
            moves = np.argsort(repeat[occasions], kind="stable")
            cuts = np.searchsorted(repeat[occasions[moves]], np.arange(repeat.max() + 2)).tolist()
            for index, (start, end) in enumerate(runs_in(repeat[order])):
                these = order[start:end]
                if index:
                    before[these] = after[these] = after[previous[these]]
                some = moves[cuts[index] : cuts[index + 1]]
                after[occasions[some], placed[some]] = cells[some]
        else:
            after[occasions, placed] = cells
        is_last = np.ones(len(numbers), bool)
        is_last[previous[repeat > 0]] = False
        held[numbers[is_last]] = after[is_last]
        return Moves(before, after, loose, ())


def _repeats(numbers: Array) -> tuple[Array, Array]:
    """Return how many earlier places have the same number, and the last of them.

    >>> repeat, previous = _repeats(np.array([7, 9, 7]))
    >>> repeat.tolist(), previous[2:].tolist()
    ([0, 0, 1], [0])
    """
    order = np.argsort(numbers, kind="stable")
    is_first = np.ones(len(order), bool)
    is_first[1:] = numbers[order[1:]] != numbers[order[:-1]]
    counted = np.arange(len(order))
    repeat, previous = np.empty_like(order), np.empty_like(order)
    repeat[order] = counted - np.maximum.accumulate(np.where(is_first, counted, 0))
    previous[order[1:]] = order[:-1]
    return repeat, previous


def _last_of_each(numbers: Array, flips: Array) -> Array:
    """Return the places of the last flip that each object has of each segment, in any order."""
    heads = np.where(flips < 0, ~flips, flips)
    order = np.lexsort((heads, numbers))  # stable
    is_last = np.ones(len(order), bool)
    is_last[:-1] = (numbers[order[1:]] != numbers[order[:-1]]) | (heads[order[1:]] != heads[order[:-1]])
    last: Array = order[is_last]
    return last


def _turns(found: Flipped, numbers: Array, ats: Array) -> Iterator[Turn]:
    """Yield what flips; objects that enter, or leave, one segment at one instant, and nothing else, together."""
    starts, ends = runs_of(found.places)
    counts = ends - starts
    places = found.places[starts]
    numbers, ats, first = numbers[places], ats[places], found.flips[starts]
    begins = np.ones(len(starts), bool)
    begins[1:] = (ats[1:] != ats[:-1]) | (first[1:] != first[:-1]) | (counts[1:] > 1) | (counts[:-1] > 1)
    runs = np.flatnonzero(begins)
    run_ends = np.append(runs[1:], len(starts))[: len(runs)].tolist()
    listed, flips, from_, n_flips = numbers.tolist(), found.flips.tolist(), starts.tolist(), counts.tolist()
    for at, run, end in zip(ats[runs].tolist(), runs.tolist(), run_ends, strict=True):
        yield at, listed[run:end], tuple(flips[from_[run] : from_[run] + n_flips[run]])


def ordered(turns: Sequence[tuple[str, Sequence[Turn]]]) -> list[tuple[str, Turn]]:
    """Return the turns of objects of several types in order of their instants, and then of the types' names."""
    found = [(name, turn) for name, some in sorted(turns, key=lambda one: one[0]) for turn in some]
    return sorted(found, key=lambda one: one[1][0]) if len(turns) > 1 else found  # stable

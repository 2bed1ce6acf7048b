"""The matcher of one object type: from moved features to flipped segments.

When a feature of an object has moved, its step (`_steps`) names the clauses whose literal there has flipped;
those flip of which all other literals hold. They are looked at one by one, or sifted together if they are
many (`_wide`). Features that move at the same time move one after another. A segment of several clauses
flips when their OR does. A new object is matched as a whole: the masks of its cells on the dense features are
ANDed, and the other literals of the clauses that are left are looked at.

How clauses are numbered and features chosen is the business of `_plan`.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Sequence
from operator import invert
from typing import TYPE_CHECKING, Any

import attrs
from pyroaring import BitMap

from segmentkit.dsl.predicates import Predicate
from segmentkit.index import _plan
from segmentkit.index._booleans import BooleanFeature
from segmentkit.index._clauses import (
    clauses_of,
)
from segmentkit.index._features import FREE, Feature, Move
from segmentkit.index._plan import Plan
from segmentkit.index._segments import Segment
from segmentkit.index._steps import Trials
from segmentkit.index._wide import WIDE, Clauses, WideStep, WideTests
from segmentkit.index.deltas import Flips, bits_of

if TYPE_CHECKING:
    from segmentkit.index._bulk_bitmaps import Found

_FEW_SEGMENTS = 8  # up to here, and up to a quarter of those that are there, they extend the plan one by one
_FEW_FILTERS = 8  # up to here, there is less to share than digests save


@attrs.frozen
class MatchStatistics:
    """What the plan holds and how much it has looked at since it began."""

    segments: int
    clauses: int
    features: int
    dense_features: int
    timed_groups: int
    clauses_examined: int


class Matcher(Plan):
    """Matches the objects of one type against its plan, and keeps the memberships."""

    def add(self, segment: Segment, now: int) -> None:
        """Take a segment in, with its members."""
        segment.numbers.clear()
        segment.settle = self._settle_memberships
        self.plan(segment, now)
        if self.table.alive:
            segment.numbers |= self.select(segment, now)

    def add_all(self, segments: Sequence[Segment], now: int) -> None:
        """Take segments in, with their members; many at once cost one plan, and one look at the objects."""
        if len(segments) <= _FEW_SEGMENTS or len(segments) * 4 <= len(self.segments):
            for segment in segments:
                self.add(segment, now)
            return
        for segment in segments:
            segment.numbers.clear()
            segment.settle = self._settle_memberships
        self.plan_all(segments, now)
        if self.table.alive:
            for segment, found in zip(segments, self.select_all(segments, now), strict=True):
                segment.numbers |= found

    def _settle_memberships(self) -> None:
        with self._lock:
            self.catch_up()
            self.memberships.settle()

    def let_read(self, segment: Segment) -> None:
        """Keep the members of a segment of the plan up to the moment, since other filters read them."""
        self.memberships.settle()
        segment.is_read = True
        if segment.bits:
            self.memberships.keep_up(segment.bits[0])

    # --------------------------------------------------------------------- matching

    def carry(self, number: int, moves: list[Move], now: int) -> Flips:
        """Carry the moves of an object into the memberships; return what flips.

        Rows and facts are those after the moves.
        """
        rows = self._rows
        rows.now = now
        start = number * rows.stride
        row = rows.cells[start : start + rows.stride]
        if len(moves) == 1:
            feature, old, new = moves[0]
            clauses = self._flipped(number, row, feature, old, new)
        else:
            clauses = self._flipped_together(number, row, moves)
        if not clauses:
            return ()
        flips = self._settled(number, clauses, row)
        if flips:
            self.memberships.flip(number, flips)
        return flips

    def _flipped(self, number: int, row: array[int], feature: Feature, old: Any, new: Any) -> list[int]:
        """Return the clauses that flip when one feature moves: n comes to hold, ~n does no more.

        `row` has the cells of the others, and is left with the new cell of this one.
        """
        if not feature.is_in_rows:
            gained, lost = feature.step(old, new)
            return self._holding(number, gained, row) + [~n for n in self._holding(number, lost, row, (feature,))]
        try:
            trials = feature.trials[old, new]
        except KeyError:
            trials = self._trials(feature, old, new)
        if type(trials) is WideStep:
            return self._flipped_of_many(number, row, feature, new, trials)
        row[feature.place] = new
        self.clauses_examined += len(trials)
        found = []
        for flip, in_rows, not_in_rows in trials:
            for place, holds_in in in_rows:
                if not holds_in[row[place]]:
                    break
            else:
                for holds in not_in_rows:
                    if not holds(number):
                        break
                else:
                    found.append(flip)
        return found

    def _trials(self, feature: Feature, old: Any, new: Any) -> Trials:
        """Make what there is to try when a feature in the rows moves.

        A trial leaves out the literal that the move is about, and is shared by all steps (`bench_changes`).
        """
        gained, lost = feature.step(old, new)
        n_clauses = len(gained) + len(lost)
        if n_clauses >= WIDE:
            step = self._wide_tests().step(gained, lost)
            feature.remember(old, new, step, n_clauses)
            return step
        trials, known = [], feature.trial_by_flip
        for flip in (*map(invert, map(int, lost)), *map(int, gained)):
            trial = known.get(flip)
            if trial is None:
                clause = flip if flip >= 0 else ~flip
                in_rows = tuple(test for test in self._in_rows[clause] if test[0] != feature.place)
                trial = known[flip] = flip, in_rows, tuple(holds for _, holds in self._not_in_rows[clause])
            trials.append(trial)
        feature.remember(old, new, trials, n_clauses)
        return trials

    def _wide_tests(self) -> WideTests:
        """Return the tests of all clauses as arrays."""
        if self._wide is None:
            self._wide = WideTests()
        known = self._wide.n_clauses
        if known < len(self._in_rows):  # segments have been defined since
            self._wide.extend(self._in_rows[known:], self._not_in_rows[known:])
        return self._wide

    def _flipped_of_many(self, number: int, row: array[int], feature: Feature, new: int, step: WideStep) -> list[int]:
        """Return the same of a step of many clauses."""
        row[feature.place] = FREE
        found, asked = self._wide_tests().sift(step, row)
        self.clauses_examined += len(asked)
        row[feature.place] = new
        not_in_rows = self._not_in_rows
        for flip in asked:
            for _, holds in not_in_rows[flip if flip >= 0 else ~flip]:
                if not holds(number):
                    break
            else:
                found.append(flip)
        return found

    def _flipped_together(self, number: int, row: array[int], moves: list[Move]) -> list[int]:
        """Return the clauses that flip when several features move.

        Those in the rows move one after another, and a clause that flips twice has not flipped. Before them
        move, together, those whose literals are worked out from the facts, which are the new ones already.
        """
        in_rows, others = [], []
        for move in moves:
            feature, old, _ = move
            if feature.is_in_rows:
                row[feature.place] = old
                in_rows.append(move)
            else:
                others.append(move)
        flipped: dict[int, None] = {}
        if others:
            flipped = dict.fromkeys(self._flipped_at_once(number, row, others))
        for feature, old, new in in_rows:
            for clause in self._flipped(number, row, feature, old, new):
                if ~clause in flipped:
                    del flipped[~clause]
                else:
                    flipped[clause] = None
        return list(flipped)

    def _flipped_at_once(self, number: int, row: array[int], moves: list[Move]) -> list[int]:
        """Return the clauses that flip when features move of which only the facts after are known."""
        gained: dict[int, None] = {}
        lost: dict[int, list[Feature]] = {}
        for feature, old, new in moves:
            gaining, losing = feature.step(old, new)
            gained |= dict.fromkeys(map(int, gaining))
            for clause in map(int, losing):
                lost.setdefault(clause, []).append(feature)
        found = self._holding(number, list(gained), row)
        for clause, features in lost.items():  # what gained another literal at the same time did not hold before
            if clause not in gained and self._holding(number, (clause,), row, features):
                found.append(~clause)
        return found

    def _holding(
        self, number: int, clauses: Sequence[int] | Clauses, row: array[int], passed: Collection[Feature] = ()
    ) -> list[int]:
        """Return the clauses of which all literals hold, but for those on the features that are `passed` over.

        What rows tell is looked up here, without a call for each literal (`bench_changes`).
        """
        not_in_rows = self._not_in_rows
        found: list[int] = []
        if len(clauses) >= WIDE:
            tests = self._wide_tests()
            found, clauses = tests.sift(tests.step(clauses, ()), row)
        self.clauses_examined += len(clauses)
        in_rows = self._in_rows
        for clause in clauses:
            for place, holds_in in in_rows[clause]:
                if not holds_in[row[place]]:
                    break
            else:
                for feature, holds in not_in_rows[clause]:
                    if feature not in passed and not holds(number):
                        break
                else:
                    found.append(clause)
        return found

    def carry_all(self, feature: BooleanFeature, numbers: BitMap, now: int) -> list[tuple[int, Flips]]:
        """Carry a feature that comes to be the same for many objects; return what flips, by object.

        Cost: a vectorised look at the objects for each clause, and the objects that flip.
        """
        import numpy as np

        from segmentkit.index._bulk import Selection

        if not numbers:
            return []
        before, after, moving = feature.turn_all(numbers, now)
        if not moving:
            return []
        self._rows.now = now
        gained, lost = feature.step(before, after)
        clauses = [int(clause) for moved in (gained, lost) for clause in moved]
        gaining = set(clauses[: len(gained)])
        others = [[tuple(bound for bound in self._literals[clause] if bound[0] is not feature)] for clause in clauses]
        selection = Selection(self, now, np.array(moving.to_array(), dtype=np.int64))
        by_number: dict[int, list[int]] = {}
        for clause, found in zip(clauses, selection.members(others), strict=True):
            self.clauses_examined += len(found)
            for number in found:
                by_number.setdefault(number, []).append(clause if clause in gaining else ~clause)
        flipped = []
        for number, turned in by_number.items():
            start = number * self._rows.stride
            flips = self._settled(number, turned, self._rows.cells[start : start + self._rows.stride])
            if flips:
                self.memberships.flip(number, flips)
                flipped.append((number, flips))
        return flipped

    def _sift(self, number: int) -> int:
        """Return the clauses whose literals hold on all dense features."""
        rows, clauses = self._rows, self._all_bits
        start = number * rows.stride
        row = rows.cells[start : start + rows.stride]
        for masks, cell in zip(self._dense_masks, self._dense_cells(row), strict=True):
            clauses &= masks[cell]
            if not clauses:
                return 0
        for one in self._sets:
            if clauses & one.concerned:
                clauses &= one.mask(number)
        return clauses

    def _settled(self, number: int, clauses: Collection[int], row: Sequence[int]) -> Flips:
        """Turn flipped clauses into flipped segments.

        A segment of several clauses is entered with the first that comes to hold, and left with the last that
        does no more; its bitmap, which does not wait, tells whether another held before.
        """
        shared = self._shared.intersection(clauses)
        if not shared:
            return tuple(clauses)
        owners, bitmaps = self._owners, self.memberships.bitmaps
        heads = [clause for clause in clauses if clause not in shared]
        entered = {owners[clause][0] for clause in shared if clause >= 0}  # type: ignore[index]  # shared, so owned
        left = {owners[~clause][0] for clause in shared if clause < 0}  # type: ignore[index]  # as above
        heads += [head for head in entered if number not in bitmaps[head]]  # type: ignore[operator]
        heads += [~head for head in left - entered if not self._another_holds(number, shared, owners[head] or (), row)]
        return tuple(heads)

    def _another_holds(self, number: int, flipped: Collection[int], clauses: Iterable[int], row: Sequence[int]) -> bool:
        """Whether one of the clauses holds that has not flipped."""
        in_rows, not_in_rows = self._in_rows, self._not_in_rows
        for clause in clauses:
            if ~clause in flipped:
                continue
            for place, holds_in in in_rows[clause]:
                if not holds_in[row[place]]:
                    break
            else:
                for _, holds in not_in_rows[clause]:
                    if not holds(number):
                        break
                else:
                    return True
        return False

    def match(self, number: int, now: int) -> Flips:
        """Return the segments that an object satisfies, as if it entered them."""
        self._rows.now = now
        sifted = self._sift(number)
        self.clauses_examined += sifted.bit_count()
        plain = sifted & self._plain  # settled by the masks alone
        found = bits_of(plain)
        checks = self._sparse
        for bit in bits_of(sifted ^ plain):
            for _, holds in checks[bit]:
                if not holds(number):
                    break
            else:
                owner = self._owners[bit]
                found.append(bit if owner is None else owner[0])
        return tuple(dict.fromkeys(found))

    def select(self, segment: Segment, now: int) -> BitMap:
        """Return the numbers of all objects that satisfy a segment of the plan."""
        return self.select_all([segment], now)[0]

    def select_all(self, segments: Sequence[Segment], now: int) -> list[BitMap]:
        """Return, for each of some segments of the plan, the numbers of all objects that satisfy it."""
        self._rows.now = now
        return self._satisfying([self.bound_clauses(segment) for segment in segments], now)

    def satisfying(self, tree: Predicate, now: int) -> BitMap | Found:
        """Return the numbers of all objects that satisfy a predicate, which nothing remembers."""
        self._rows.now = now
        clauses = []
        for clause in clauses_of(tree):
            bound = []
            for key, literal in clause.items():
                known = (f for f in self._features.get(key, ()) if literal in f.number_by_literal and f.is_dear)
                feature = next(known, None)  # of what is cheap to work out, one literal is cheaper alone
                if feature is None:
                    feature = self.loose_feature(key, literal)
                bound.append((feature, feature.number_by_literal[literal]))
            clauses.append(tuple(bound))
        if len(self.table.alive) >= _plan.BULK_FROM:
            from segmentkit.index._bulk_find import Finder

            return Finder(self, now).found(clauses)
        return self._satisfying([clauses], now)[0]

    def recalculated(self, tree: Predicate, now: int) -> BitMap:
        """Return the numbers of all objects that satisfy a predicate, worked out from the facts alone."""
        clauses = [
            tuple((self.loose_feature(key, literal), 0) for key, literal in clause.items())
            for clause in clauses_of(tree)
        ]
        self._rows.now = now
        return self._satisfying([clauses], now, digested=False)[0]

    def _satisfying(
        self, segments: Sequence[Sequence[tuple[tuple[Feature, int], ...]]], now: int, *, digested: bool = True
    ) -> list[BitMap]:
        """Return, for each list of clauses, the objects that satisfy at least one; few ask digests of columns."""
        if len(self.table.alive) >= _plan.BULK_FROM:
            if digested and len(segments) <= _FEW_FILTERS:
                from segmentkit.index._bulk_find import Finder

                return [Finder(self, now).members(clauses) for clauses in segments]
            from segmentkit.index._bulk import Selection

            return Selection(self, now).members(segments)
        members = []
        for clauses in segments:
            found = BitMap()
            for clause in clauses:
                numbers: Iterable[int] = self.table.alive
                for feature, literal in clause:
                    test = feature.worked_out(literal) if feature.is_loose else feature.test(literal)
                    numbers = list(filter(test, numbers))
                found |= BitMap(numbers)
            members.append(found)
        return members

    def segments_of(self, number: int) -> list[Segment]:
        """Return the segments of which an object is a member."""
        self.memberships.settle()
        return [s for s in self.segments.values() if number in s.numbers and not s.is_hidden]

    # ---------------------------------------------------------------------- objects

    def make_room(self, number: int) -> None:
        """Give a new object a row."""
        if len(self._rows.cells) < (number + 1) * self._rows.stride:
            self._rows.append()
        if number >= self._rank_at:
            self.rank_tests(self._rows.now)

    def enter(self, number: int, now: int) -> Flips:
        """Take a new object in, which has no events yet; return the segments that it enters."""
        if self._entered is None:
            self._entered = [watcher for watcher in self.watchers if watcher.keeps_state and watcher.sees_new_objects]
        for watcher in self._entered:
            watcher.enter(number, now)
        flips = self.match(number, now)
        self.memberships.flip(number, flips)
        return flips

    def leave(self, number: int, now: int) -> Flips:
        """Let an object go whose facts are still there; return the segments that it leaves."""
        flips = tuple(~head for head in self.match(number, now))
        self.memberships.flip(number, flips)
        for watcher in self.watchers:
            if watcher.keeps_state:
                watcher.leave(number, now)
        return flips

    # ------------------------------------------------------------------- inspection

    def statistics(self) -> MatchStatistics:
        """Return what the plan holds."""
        return MatchStatistics(
            segments=sum(not segment.is_hidden for segment in self.segments.values()),
            clauses=sum(1 for literals in self._literals if literals),
            features=sum(len(features) for features in self._features.values()),
            dense_features=len(self._dense),
            timed_groups=len(self._groups),
            clauses_examined=self.clauses_examined,
        )

    def check_invariants(self, now: int) -> None:
        """Raise AssertionError if cells, masks or memberships contradict the facts."""
        if self.is_stale:
            return
        for features in self._features.values():
            for feature in features:
                for number in self.table.alive if feature.truths else ():
                    held, real = feature.current(number, now), feature.cell(number, now)
                    who = self.table.ids[number]
                    assert feature.truths[held] == feature.truths[real], (
                        f"{feature.key!r}: the index holds cell {held} for {who!r}, the facts say {real}"
                    )
        self.memberships.settle()
        for number in self.table.alive:
            names = {s.name for s in self.segments.values() if number in s.numbers}
            found = {s.name for s in map(self.heads.__getitem__, self.match(number, now)) if s is not None}
            assert names == found, f"{self.table.ids[number]!r} is in {names}, the clauses say {found}"
        for segment in self.segments.values():
            assert segment.numbers <= self.table.alive, f"{segment.name!r} has members that are deleted"

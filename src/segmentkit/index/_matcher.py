"""The matcher of one object type: from moved features to flipped segments.

When features of an object have moved, the clauses that flip are

    AND of the moved masks before  XOR  AND of the moved masks after

ANDed with the masks of everything that has not moved: the dense features one after another, then
the sparse literals of the few clauses that are left, one by one. A segment of several clauses
flips when their OR does. How clauses are numbered and features chosen is the business of `_plan`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

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
            self.memberships.settle()

    def let_read(self, segment: Segment) -> None:
        """Keep the members of a segment of the plan up to the moment, since other filters read them."""
        self.memberships.settle()
        segment.is_read = True
        if segment.bits:
            self.memberships.at_once.add(segment.bits[0])

    # --------------------------------------------------------------------- matching

    def flips(self, number: int, moves: list[Move], now: int) -> Flips:
        """Return what flips when features of an object move. Rows, bitmaps and facts are those after the move."""
        self._rows.now = now
        gained: list[int] = []
        lost: list[tuple[int, Feature]] = []
        for feature, old, new in moves:
            try:
                step = feature.steps[old, new]
            except KeyError:
                step = feature.step(old, new)
            if step is None:
                return self._flips_by_masks(number, moves)
            for clause in step:
                if clause >= 0:
                    gained.append(clause)
                else:
                    lost.append((~clause, feature))
        if not lost and not gained:
            return ()
        self.clauses_examined += len(gained) + len(lost)
        found = self._holding(number, gained) if gained else []
        if len(moves) == 1:
            if lost:
                found += [~n for n in self._held(number, [clause for clause, _ in lost], (moves[0][0],))]
        else:
            found = list(dict.fromkeys(found))
            losing: dict[int, list[Feature]] = {}
            for clause, feature in lost:
                if clause not in gained:  # what gained another literal at the same time did not hold before
                    losing.setdefault(clause, []).append(feature)
            for clause, features in losing.items():
                if self._held(number, (clause,), features):
                    found.append(~clause)
        return self._settled(number, found) if found else ()

    def _holding(self, number: int, clauses: Iterable[int]) -> list[int]:
        """Return the clauses of which all literals hold.

        What rows tell is looked up here, without a call for each literal (`bench_changes`).
        """
        rows, in_rows, not_in_rows, found = self._rows, self._in_rows, self._not_in_rows, []
        start = number * rows.stride
        row = rows.cells[start : start + rows.stride]
        for clause in clauses:
            for place, holds_in in in_rows[clause]:
                if not holds_in[row[place]]:
                    break
            else:
                for _, holds in not_in_rows[clause]:
                    if not holds(number):
                        break
                else:
                    found.append(clause)
        return found

    def _held(self, number: int, clauses: Iterable[int], moved: Collection[Feature]) -> list[int]:
        """Return the clauses of which all literals hold but for those on features that have moved."""
        rows, in_rows, not_in_rows, found = self._rows, self._in_rows, self._not_in_rows, []
        start = number * rows.stride
        row = rows.cells[start : start + rows.stride]
        places = [feature.place for feature in moved]
        for clause in clauses:
            for place, holds_in in in_rows[clause]:
                if not holds_in[row[place]] and place not in places:
                    break
            else:
                for feature, holds in not_in_rows[clause]:
                    if feature not in moved and not holds(number):
                        break
                else:
                    found.append(clause)
        return found

    def _flips_by_masks(self, number: int, moves: list[Move]) -> Flips:
        """Return what flips when features move so far that many clauses have to be looked at."""
        feature, old, new = moves[0]
        before, after = feature.mask_at(old), feature.mask_at(new)
        for feature, old, new in moves[1:]:
            before &= feature.mask_at(old)
            after &= feature.mask_at(new)
        flipped = self._sift(number, before ^ after, moves)
        if not flipped:
            return ()
        self.clauses_examined += flipped.bit_count()
        plain = flipped & self._plain  # settled by the masks alone
        entered = plain & after
        found = bits_of(entered)
        found += [~bit for bit in bits_of(plain ^ entered)]
        flipped ^= plain
        if not flipped:
            return tuple(found)
        moved = {move[0] for move in moves}
        others = []
        for bit in bits_of(flipped):
            for feature, holds in self._sparse[bit]:
                if feature not in moved and not holds(number):
                    break
            else:
                others.append(bit if after >> bit & 1 else ~bit)
        return (*found, *self._settled(number, others)) if others else tuple(found)

    def carry(self, number: int, moves: list[Move], now: int) -> Flips:
        """Carry the moves of an object into the memberships; return what flips."""
        flips = self.flips(number, moves, now)
        if flips:
            self.memberships.flip(number, flips)
        return flips

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
        mask = feature.mask_at(after)
        clauses = bits_of(feature.mask_at(before) ^ mask)
        others = [[tuple(bound for bound in self._literals[clause] if bound[0] is not feature)] for clause in clauses]
        selection = Selection(self, now, np.array(moving.to_array(), dtype=np.int64))
        by_number: dict[int, list[int]] = {}
        for clause, found in zip(clauses, selection.members(others), strict=True):
            self.clauses_examined += len(found)
            for number in found:
                by_number.setdefault(number, []).append(clause if mask >> clause & 1 else ~clause)
        flipped = []
        for number, turned in by_number.items():
            flips = self._settled(number, turned)
            if flips:
                self.memberships.flip(number, flips)
                flipped.append((number, flips))
        return flipped

    def _sift(self, number: int, clauses: int, moves: Iterable[Move]) -> int:
        """Return those of the clauses whose literals hold on all dense features that have not moved."""
        rows = self._rows
        start = number * rows.stride
        row = rows.cells[start : start + rows.stride]
        for feature, _, _ in moves:
            if feature.place >= 0:
                row[feature.place] = FREE  # what has moved is in `clauses` already
        for masks, cell in zip(self._dense_masks, self._dense_cells(row), strict=True):
            clauses &= masks[cell]
            if not clauses:
                return 0
        for one in self._sets:
            if clauses & one.concerned and all(one is not move[0] for move in moves):
                clauses &= one.mask(number)
        return clauses

    def _settled(self, number: int, clauses: list[int]) -> Flips:
        """Turn flipped clauses into flipped segments."""
        owners = self._owners
        heads = [clause for clause in clauses if owners[clause if clause >= 0 else ~clause] is None]
        if len(heads) == len(clauses):
            return tuple(heads)
        several: dict[int, list[int]] = {}
        for clause in clauses:
            owner = owners[clause if clause >= 0 else ~clause]
            if owner is not None:
                several.setdefault(owner[0], []).append(clause)
        for head, flipped in several.items():
            enters = flipped[0] >= 0
            if len(flipped) > 1 and any((clause >= 0) is not enters for clause in flipped):
                continue
            if not self._any_other(number, head, flipped):
                heads.append(head if enters else ~head)
        return tuple(heads)

    def _any_other(self, number: int, head: int, flipped: list[int]) -> bool:
        """Whether a clause of the segment holds that is not among those that have flipped."""
        others = [n for n in self._owners[head] or () if n not in flipped and ~n not in flipped]
        return bool(self._holding(number, others))

    def match(self, number: int, now: int) -> Flips:
        """Return the segments that an object satisfies, as if it entered them."""
        self._rows.now = now
        sifted = self._sift(number, self._all_bits, ())
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
        if self._is_stale:
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

"""The matcher of one object type: from moved features to flipped segments.

When features of an object have moved, the clauses that flip are

    AND of the moved masks before  XOR  AND of the moved masks after

ANDed with the masks of everything that has not moved: the dense features one after another, then
the sparse literals of the few clauses that are left, one by one. A segment of several clauses
flips when their OR does. How clauses are numbered and features chosen is the business of `_plan`.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs
from pyroaring import BitMap

from segmentkit.dsl.predicates import Predicate
from segmentkit.index._clauses import (
    clauses_of,
)
from segmentkit.index._features import FREE, Feature, Move
from segmentkit.index._plan import Plan
from segmentkit.index._segments import Segment
from segmentkit.index._series import Series
from segmentkit.index.deltas import bits_of, mask_of


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

    def add(self, segment: Segment, now: int) -> BitMap:
        """Take a segment in; return the numbers of its members."""
        self.plan(segment, now)
        return self.select(segment, now) if self.table.alive else BitMap()

    # --------------------------------------------------------------------- matching

    def flips(self, number: int, moves: list[Move], now: int) -> tuple[int, int]:
        """Return the segments that flip when features of an object move, and those of them that it enters.

        Both are masks of head bits. Rows, bitmaps and facts are those after the move.
        """
        feature, old, new = moves[0]
        before, after = feature.masks[old], feature.masks[new]
        for feature, old, new in moves[1:]:
            before &= feature.masks[old]
            after &= feature.masks[new]
        flipped = before ^ after
        if not flipped:
            return 0, 0
        dense_masks, rows = self._dense_masks, self._rows
        start = number * rows.stride
        row = rows.cells[start : start + len(dense_masks)]
        for feature, _, _ in moves:
            if feature.slot >= 0:
                row[feature.slot] = FREE  # what has moved is in `flipped` already
        for masks, cell in zip(dense_masks, row, strict=True):
            flipped &= masks[cell]
            if not flipped:
                return 0, 0
        rows.now = now
        if flipped & self._sparse_bits:
            flipped = self._check_sparse(number, flipped, {move[0] for move in moves})
        if flipped & self._multi_bits:
            return self._settle(number, flipped, after)
        return flipped, flipped & after

    def flip(
        self, number: int, moves: list[Move], now: int, cause: str, flips: list[tuple[str, int, int, str]]
    ) -> None:
        """Carry the moves of an object into the memberships and put what flips into `flips`."""
        flipped, entered = self.flips(number, moves, now)
        if flipped:
            self.record(number, flipped, entered)
            flips.append((self.table.ids[number] or "", flipped, entered, cause))

    def _check_sparse(self, number: int, clauses: int, moved: set[Feature]) -> int:
        """Return those of the clauses whose sparse literals on features that have not moved hold."""
        checks, failed = self._sparse, []
        candidates = bits_of(clauses & self._sparse_bits)
        self.clauses_examined += len(candidates)
        for bit in candidates:
            for feature, holds in checks[bit]:
                if not holds(number) and feature not in moved:
                    failed.append(bit)
                    break
        return clauses ^ mask_of(failed, len(checks)) if failed else clauses

    def _settle(self, number: int, flipped: int, after: int) -> tuple[int, int]:
        """Turn flipped clauses into flipped segments where a segment has several."""
        multi = flipped & self._multi_bits
        heads, entered = flipped ^ multi, flipped & after
        entering = entered & ~multi
        changed, came = [], []
        done: set[int] = set()
        flipped_bits = bits_of(multi)
        self.clauses_examined += len(flipped_bits)
        for bit in flipped_bits:
            bits, own = self._owner[bit]
            if bits[0] in done:
                continue
            done.add(bits[0])
            mine = multi & own
            new = mine & entered
            if (new == mine or not new) and not self._any_holds(bits, mine, number):
                changed.append(bits[0])
                if new:
                    came.append(bits[0])
        if changed:
            heads |= mask_of(changed, len(self._sparse))
            entering |= mask_of(came, len(self._sparse))
        return heads, entering

    def _any_holds(self, bits: tuple[int, ...], flipped: int, number: int) -> bool:
        """Whether one of the clauses holds, those in `flipped` aside."""
        tests = self._tests
        for bit in bits:
            if not flipped >> bit & 1:
                for holds in tests[bit]:
                    if not holds(number):
                        break
                else:
                    return True
        return False

    def match(self, number: int, now: int) -> int:
        """Return the segments that an object satisfies, as a mask of head bits."""
        alive = self._head_bits | self._multi_bits
        start = number * self._rows.stride
        row = self._rows.cells[start : start + len(self._dense_masks)]
        for masks, cell in zip(self._dense_masks, row, strict=True):
            alive &= masks[cell]
        self._rows.now = now
        alive = self._check_sparse(number, alive, set())
        heads = alive & ~self._multi_bits
        for bit in bits_of(alive & self._multi_bits):
            heads |= 1 << self._owner[bit][0][0]
        return heads

    def select(self, segment: Segment, now: int) -> BitMap:
        """Return the numbers of all objects that satisfy a segment of the plan."""
        found = BitMap()
        if self.heads[segment.bits[0]] is None:
            return found
        for bit in segment.bits:
            numbers: Iterable[int] = self.table.alive
            for feature, literal in self._literals[bit]:
                truths, current = feature.truths, feature.current
                numbers = [n for n in numbers if truths[current(n, now)] >> literal & 1]
            found |= BitMap(numbers)
        return found

    def satisfying(self, tree: Predicate, now: int) -> BitMap:
        """Return the numbers of all objects that satisfy a predicate, which nothing remembers."""
        found = BitMap()
        for clause in clauses_of(tree):
            numbers: Iterable[int] = self.table.alive
            for key, literal in clause.items():
                known = (f for f in self._features.get(key, ()) if literal in f.number_by_literal)
                feature = next(known, None)
                if feature is not None:
                    cell_of = feature.current
                else:
                    loose: dict[tuple[str, Predicate | None], Series] = {}
                    feature = self._feature(key, [literal], loose)
                    for one in loose.values():
                        one.cut()
                    cell_of = feature.cell
                truths, place = feature.truths, feature.number_by_literal[literal]
                numbers = [n for n in numbers if truths[cell_of(n, now)] >> place & 1]
            found |= BitMap(numbers)
        return found

    def memberships(self, number: int) -> int:
        """Return the segments that hold an object as a member, as a mask of head bits."""
        return sum(1 << s.bits[0] for s in self.segments.values() if s.bits and number in s.members)

    def record(self, number: int, flipped: int, entered: int) -> None:
        """Carry flips into the memberships."""
        heads = self.heads
        for bit in bits_of(entered):
            heads[bit].members.add(number)  # type: ignore[union-attr]  # every bit that flips is a head
        for bit in bits_of(flipped ^ entered):
            heads[bit].members.discard(number)  # type: ignore[union-attr]

    # ---------------------------------------------------------------------- objects

    def make_room(self, number: int) -> None:
        """Give a new object a row."""
        if len(self._rows.cells) < (number + 1) * self._rows.stride:
            self._rows.append()

    def enter(self, number: int, now: int) -> int:
        """Take a new object in; return the segments it satisfies, as a mask of head bits."""
        for watcher in self._entered:
            watcher.enter(number, now)
        for name, by_member in self._by_member.items():
            for member in self.table.columns[name].get(number):
                for watcher in by_member.get(member, ()):
                    watcher.enter(number, now)
        return self.match(number, now)

    def leave(self, number: int, now: int) -> None:
        """Forget an object whose facts are still there."""
        for watcher in self.watchers:
            if watcher.keeps_state:
                watcher.leave(number, now)

    # ------------------------------------------------------------------- inspection

    def statistics(self) -> MatchStatistics:
        """Return what the plan holds."""
        return MatchStatistics(
            segments=len(self.segments),
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
                for number in self.table.alive:
                    held, real = feature.current(number, now), feature.cell(number, now)
                    who = self.table.ids[number]
                    assert feature.truths[held] == feature.truths[real], (
                        f"{feature.key!r}: the index holds cell {held} for {who!r}, the facts say {real}"
                    )
        for number in self.table.alive:
            held, real = self.memberships(number), self.match(number, now)
            assert held == real, f"memberships of {self.table.ids[number]!r} are {held:b}, the clauses say {real:b}"
        for segment in self.segments.values():
            assert segment.members <= self.table.alive, f"{segment.name!r} has members that are deleted"

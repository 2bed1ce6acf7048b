"""Series: for each event name and filter, the features over its events, which move together.

An event that comes, goes or ages moves the features from cell to cell: the nth newest event is another one,
or has reached another age, and sums have an event more or less.

A series keeps one deadline per object: the next instant at which an event crosses a cut of one of
its features or, coming from the future, begins to count.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeAlias

from segmentkit.dsl.predicates import Predicate
from segmentkit.index._event_features import FAR, NEVER, NthFeature, SumFeature
from segmentkit.index._event_filter import EventFilter, Matching
from segmentkit.index._features import MISSING, Context, Feature, Move


class Series(EventFilter):
    """The events of one name that pass one filter, and the features that read them."""

    is_timed = True

    def __init__(self, event: str, where: Predicate | None, context: Context) -> None:
        super().__init__(event, where, context)
        self.nths: list[NthFeature] = []
        self.sums: list[SumFeature] = []
        self.features: list[Feature] = []
        self.block = -1
        """Place in the rows of the cells of all features, or -1 where they are worked out from the facts."""
        self._is_placed = False
        self._pending = array("q")
        self.keeps_deadlines = False
        """Whether the deadline of each object is kept, which pays for series of many features."""
        self.group = -1
        self._rows = context.rows
        self._deadlines = context.deadlines

    @property
    def keeps_state(self) -> bool:
        """Whether new objects have to be taken in."""
        return True

    @property
    def sees_new_objects(self) -> bool:
        """Whether an object without events is anything to it: one whose cells are in the rows."""
        return self._is_placed

    def settle(self) -> None:
        """Note whether cells are kept in the rows, once the places are given out."""
        self._is_placed = any(feature.place >= 0 for feature in self.features)

    def cut(self) -> None:
        """Settle the features once all of them are there.

        The order of cells is that of `features`: the nths by the number of events they take, then the sums.
        """
        self.nths.sort(key=lambda nth: (nth.least, nth.index))
        self.sums.sort(key=lambda total: total.offset)
        self.features = [*self.nths, *self.sums]
        self._leasts = [nth.least for nth in self.nths]
        self._indexes = [nth.index for nth in self.nths]
        self._is_run = self._indexes == list(range(-1, -1 - len(self.nths), -1))
        words = [least * self._stride for least in self._leasts]
        self._words_for = [] if self._is_run else words
        """How many words a row has to have for one nth to look at it, for two, ..."""
        self._newest_of = (
            [_getter_of_run(words)] if self._is_run else [_getter(words[:n]) for n in range(len(words) + 1)]
        )
        """By the number of nths that can look at a row, what returns the instants that they look at."""
        self._is_of_newest = all(index < 0 for index in self._indexes)
        self._edges = [nth.edges for nth in self.nths]
        self._missing = [MISSING] * len(self.nths)
        self._youngest = [[NEVER, NEVER, *nth.edges[1:-1]] for nth in self.nths]  # by cell, the least age in it
        self._lengths = [total.length for total in self.sums]
        self._shortest_first = sorted(set(self._lengths))
        self._sums_by_length: dict[int, list[tuple[int, SumFeature]]] = {}
        for index, total in enumerate(self.sums):
            self._sums_by_length.setdefault(total.length, []).append((index, total))
        self._cells_of_none: list[int] | None = None  # of an object without events, whatever the time
        self._sums_of: list[tuple[int, _Totals, list[int], list[list[Any]]]] = []
        """By property: its place, what adds it up, and of each sum the window's length and the edges."""
        for offset, group in groupby(self.sums, key=lambda total: total.offset):
            sums = list(group)
            edges = [total.edges for total in sums]
            self._sums_of.append((offset, sums[0].totals_from, [total.length for total in sums], edges))

    def _chosen(self, ats: Sequence[int]) -> Sequence[int]:
        """Return the instants that the nths look at, as far as there are enough events."""
        if self._is_run:  # a filter for each count is common: the newest events as one slice
            return ats[: -1 - len(self._indexes) : -1]
        return [ats[index] for index in self._indexes[: bisect_right(self._leasts, len(ats))]]

    def _newest(self, row: Any) -> Sequence[int]:
        """Return the same of a row whose events all match, and none of which is in the future."""
        return self._newest_of[bisect_right(self._words_for, len(row))](row)

    def look(self, number: int, now: int) -> tuple[list[int], int]:
        """Return the cells of all features for an object, and when time alone can next move one, or before."""
        matching = self.matching(number)
        ats = matching.until(now)
        cells = self._look(matching, ats, now)
        return cells, self._deadline(matching, ats, cells, now)

    def _look(self, matching: Matching, ats: Sequence[int], now: int) -> list[int]:
        """Return the cells of all features; `ats` are the instants of the matching events up to now."""
        cells = [bisect_right(edges, now - at) for edges, at in zip(self._edges, self._chosen(ats), strict=False)]
        cells += self._missing[len(cells) :]
        if self.sums:
            cells += self._look_at_sums(matching, ats, now)
        return cells

    def _look_at_sums(self, matching: Matching, ats: Sequence[int], now: int) -> list[int]:
        """Return the cells of the sums."""
        cells: list[int] = []
        for offset, totals_from, lengths, edges in self._sums_of:
            firsts = [bisect_right(ats, now - length) for length in lengths]
            totals = totals_from(matching.words(offset)[: len(ats)], set(firsts))
            values = map(totals.__getitem__, firsts)  # windows that hold the same events share a total
            if None in totals.values():
                cells += [MISSING if v is None else bisect_right(e, v) for v, e in zip(values, edges, strict=True)]
            else:
                cells += map(bisect_right, edges, values)
        return cells

    def _deadline(self, matching: Matching, ats: Sequence[int], cells: Sequence[int], now: int) -> int:
        """Return when time alone can next move a feature, or before; `ats` and `cells` are those of `now`."""
        deadline = matching.ats[len(ats)] if len(ats) < len(matching.ats) else NEVER
        for at, edges, cell in zip(self._chosen(ats), self._edges, cells, strict=False):
            due = at + edges[cell]
            if due < deadline:
                deadline = due
        if self.sums and ats:
            end = len(ats)
            for length in self._shortest_first:
                first = bisect_right(ats, now - length)
                if first < end and ats[first] + length < deadline:
                    deadline = ats[first] + length
        return deadline

    def next_deadline(self, number: int, now: int) -> int | None:
        """Return an instant, no later than the next at which time alone can move a feature; None if there is none."""
        if self.keeps_deadlines and now < self._pending[number] < NEVER:
            return self._pending[number]
        matching = self.matching(number)
        ats = matching.until(now)
        deadline = self._deadline(matching, ats, self._look(matching, ats, now), now)
        if self.keeps_deadlines:
            self._pending[number] = deadline
        return deadline if deadline < FAR else None

    def added(self, number: int, index: int, now: int, moves: list[Move]) -> None:
        """See that the object has got the event at `index`, which belongs to the series."""
        row = self.events.rows[number]
        if not self._is_of_newest or row[-self._stride] > now:
            self._added_anywhere(number, index, now, moves)
            return
        if self.block < 0:
            self._added_unplaced(number, index, row[index * self._stride], now, moves)
            return
        # None of the events is in the future, so the nth newest one is younger than before, or the same: a cell can
        # have moved only if its event is too young for it, and only one that has moved can have a deadline before
        # the one that is kept. Most events move nothing, and this is what each of them costs (`bench_changes`).
        rows, deadline = self._rows, NEVER
        cells, start = rows.cells, number * rows.stride + self.block
        if self.nths:
            chosen = self._newest(row) if self.where is None else self._newest_in(number, row, index)
            held = cells[start : start + len(chosen)]
            for nth, least, old, nth_at in zip(self.nths, self._youngest, held, chosen):  # noqa: B905  # slow
                if nth_at > now - least[old]:
                    edges = nth.edges
                    cell = bisect_right(edges, now - nth_at)
                    cells[number * rows.stride + nth.place] = cell
                    moves.append((nth, old, cell))
                    due = nth_at + edges[cell]
                    if due < deadline:
                        deadline = due
        if self.sums:
            matching = self.matching(number)
            found = self._look_at_sums(matching, matching.ats, now)
            self._write(start + len(self.nths), self.sums, found, moves)
            deadline = min(deadline, self._leaves(row[index * self._stride], now))
        if deadline < FAR:
            self._wait(number, deadline)

    def _added_anywhere(self, number: int, index: int, now: int, moves: list[Move]) -> None:
        """See that an object has got an event, whatever the series reads and however far in the future events are."""
        matching = self.matching(number)
        if self.block < 0:
            before = matching.without(index)
            self._go(number, self._look(before, before.until(now), now), matching, now, moves)
        else:
            self._update(number, matching, now, moves)

    def _newest_in(self, number: int, row: Any, index: int) -> Sequence[int]:
        """Return the instants that the nths look at, as far as there are enough events, none of them in the future.

        `row` is the object's, `index` that of a matching event. The newest ones stand last, so that of a long
        history with one value of a property little is looked at (`bench_changes`).
        """
        if self.dispatched is None:
            return self._chosen(self.matching(number).ats)
        stride = self._stride
        code, codes = row[index * stride + self._offset], row[self._offset - stride :: -stride]
        ats, turn = [], -1
        try:
            for _ in range(self._leasts[-1]):
                turn = codes.index(code, turn + 1)
                ats.append(row[-stride * (turn + 1)])
        except ValueError:
            pass  # there are no more
        return ats if self._is_run else [ats[n - 1] for n in self._leasts if n <= len(ats)]

    def _leaves(self, at: int, now: int) -> int:
        """Return when an event leaves the next window of a sum."""
        place = bisect_right(self._shortest_first, now - at)
        return at + self._shortest_first[place] if place < len(self._shortest_first) else NEVER

    def _added_unplaced(self, number: int, index: int, at: int, now: int, moves: list[Move]) -> None:
        """See the same where no cells are kept: they are worked out without the event and with it."""
        matching = self.matching(number)
        ats = matching.ats
        count, deadline = len(ats), NEVER
        for nth in self.nths:
            n, edges = nth.least, nth.edges
            if count < n:
                break
            nth_at = ats[-n]
            if nth_at > at:
                continue
            cell = bisect_right(edges, now - nth_at)
            before = MISSING if count == n else bisect_right(edges, now - ats[-n - 1])
            if before != cell:
                moves.append((nth, before, cell))
                if nth.place >= 0:
                    self._rows.cells[number * self._rows.stride + nth.place] = cell
            due = nth_at + edges[cell]
            if due < deadline:
                deadline = due
        if self.sums:
            without = matching.without(index)
            olds, cells = self._look_at_sums(without, without.ats, now), self._look_at_sums(matching, ats, now)
            for total, old, cell in zip(self.sums, olds, cells, strict=True):
                if old != cell:
                    moves.append((total, old, cell))
                    if total.place >= 0:
                        self._rows.cells[number * self._rows.stride + total.place] = cell
            deadline = min(deadline, self._leaves(at, now))
        if deadline < FAR:
            self._wait(number, deadline)

    def removing(self, number: int, index: int, now: int, moves: list[Move]) -> None:
        """See that the object is about to lose the event at `index`, which belongs to the series."""
        matching = self.matching(number)
        if self.block < 0:
            before = self._look(matching, matching.until(now), now)
            self._go(number, before, matching.without(index), now, moves)
        else:
            self._update(number, matching.without(index), now, moves)

    def pass_time(self, number: int, at: int, moves: list[Move]) -> None:
        """Put what time alone moves at the instant `at` into `moves`; the entry for `at` has been used up."""
        row = self.events.rows[number]
        if row is None:
            return
        if self.block >= 0 and row[-self._stride] < at:
            self._age(number, row, at, moves)
            return
        matching = self.matching(number)
        if not matching.ats:
            return
        if self.block < 0:
            before = self._look(matching, matching.until(at - 1), at - 1)
            self._go(number, before, matching, at, moves)
        else:
            self._forget_deadline(number)
            self._update(number, matching, at, moves)

    def _age(self, number: int, row: Any, now: int, moves: list[Move]) -> None:
        """Let the events, none of which is new, reach the age of `now`.

        From the cells in the row follows when each moves next, so one look at all of them, without a step of its
        own for each, finds what moves and the next deadline (`bench_changes`, time passing).
        """
        matching = None if self._is_of_newest and self.where is None else self.matching(number)
        chosen = self._newest(row) if matching is None else self._chosen(matching.ats)
        cells, start = self._rows.cells, number * self._rows.stride + self.block
        deadline = NEVER
        held = cells[start : start + len(chosen)]
        for nth, nth_at, edges, old in zip(self.nths, chosen, self._edges, held):  # noqa: B905  # slow if it asks
            due = nth_at + edges[old]
            if due < deadline:
                if due <= now:
                    cell = bisect_right(edges, now - nth_at)
                    cells[number * self._rows.stride + nth.place] = cell
                    moves.append((nth, old, cell))
                    due = nth_at + edges[cell]
                    if due >= deadline:
                        continue
                deadline = due
        if self.sums:
            deadline = min(deadline, self._age_sums(number, matching or self.matching(number), now, moves))
        self._forget_deadline(number)
        self._wait(number, deadline)

    def _age_sums(self, number: int, matching: Matching, now: int, moves: list[Move]) -> int:
        """Let events leave the windows of sums that they reach the age of; return when the next one leaves a window.

        An object has fewer events than there are sums, so it is the events that are gone through.
        """
        ats, lengths = matching.ats, self._shortest_first
        cells, start = self._rows.cells, number * self._rows.stride + self.block + len(self.nths)
        deadline = NEVER
        for first in range(len(ats), 0, -1):
            at = ats[first - 1]
            place = bisect_right(lengths, now - at)
            if place < len(lengths) and at + lengths[place] < deadline:
                deadline = at + lengths[place]
            if place and lengths[place - 1] == now - at and (first == len(ats) or ats[first] > at):
                for index, total in self._sums_by_length[now - at]:
                    value = total.totals_from(matching.words(total.offset), (first,))[first]
                    old = cells[start + index]
                    cell = MISSING if value is None else bisect_right(total.edges, value)
                    if cell != old:
                        cells[start + index] = cell
                        moves.append((total, old, cell))
            if place == len(lengths):
                break  # older ones have left the longest window
        return deadline

    def _go(self, number: int, before: Sequence[int], matching: Matching, now: int, moves: list[Move]) -> None:
        """Go from some cells to those of the events that match now."""
        ats = matching.until(now)
        after = self._look(matching, ats, now)
        self._wait(number, self._deadline(matching, ats, after, now))
        if before != after:
            self._place(number, after)
            for feature, old, new in zip(self.features, before, after, strict=True):
                if old != new:
                    moves.append((feature, old, new))

    def _update(self, number: int, matching: Matching, now: int, moves: list[Move]) -> None:
        """Bring the cells in the rows and the deadline to what matches now."""
        ats = matching.until(now)
        cells = self._look(matching, ats, now)
        self._write(number * self._rows.stride + self.block, self.features, cells, moves)
        self._wait(number, self._deadline(matching, ats, cells, now))

    def _write(self, start: int, features: Sequence[Feature], found: list[int], moves: list[Move]) -> None:
        """Write cells of some features into the rows from a place on, and those that are new into `moves`."""
        cells = self._rows.cells
        held, new = cells[start : start + len(found)], array("H", found)
        if held != new:
            cells[start : start + len(found)] = new
            for feature, old, cell in zip(features, held, found, strict=True):
                if old != cell:
                    moves.append((feature, old, cell))

    def _wait(self, number: int, deadline: int) -> None:
        """Let the object wait for a deadline.

        An entry that is too early stays: when its bucket comes due it finds its place. A new event mostly
        moves the deadline back, and then costs nothing here (`bench_changes`).
        """
        if deadline >= FAR:
            return
        if self.keeps_deadlines:
            if deadline >= self._pending[number]:
                return
            self._pending[number] = deadline
        self._deadlines.add(self.group, number, deadline)

    def enter(self, number: int, now: int) -> None:
        """Take a new object in."""
        if self.keeps_deadlines:
            self._pending.extend([NEVER] * (number + 1 - len(self._pending)))
            self._pending[number] = NEVER
        matching = self.matching(number)
        if not matching.ats:
            if self._is_placed:
                if self._cells_of_none is None:
                    self._cells_of_none = self._look(matching, (), now)
                self._place(number, self._cells_of_none)
            return
        ats = matching.until(now)
        cells = self._look(matching, ats, now)
        self._place(number, cells)
        self._wait(number, self._deadline(matching, ats, cells, now))

    def _place(self, number: int, cells: Sequence[int]) -> None:
        """Write cells into the rows, as far as they are kept there."""
        rows = self._rows
        start = number * rows.stride
        if self.block >= 0:
            rows.cells[start + self.block : start + self.block + len(cells)] = array("H", cells)
        elif self._is_placed:
            for feature, cell in zip(self.features, cells, strict=True):
                if feature.place >= 0:
                    rows.cells[start + feature.place] = cell

    def leave(self, number: int, now: int) -> None:
        """Forget an object whose facts are still there; its entry, if it has one, is passed over."""
        self._forget_deadline(number)

    def _forget_deadline(self, number: int) -> None:
        if self.keeps_deadlines:
            self._pending[number] = NEVER


def _getter(words: Sequence[int]) -> Callable[[Any], Sequence[int]]:
    """Return a function that returns what stands so many words before the end of a row."""
    if len(words) <= 1:
        return itemgetter(slice(-words[0], 1 - words[0]) if words else slice(0))
    return itemgetter(*(-n for n in words))


def _getter_of_run(words: Sequence[int]) -> Callable[[Any], Sequence[int]]:
    """Return a function that returns the same for words that stand evenly, as far as the row reaches."""
    return itemgetter(slice(-words[0], -words[-1] - 1, -words[0]) if words else slice(0))


_Totals: TypeAlias = Callable[[Sequence[int], Collection[int]], dict[int, Any]]

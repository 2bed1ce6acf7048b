"""Many objects at once: who satisfies a filter, and what the index has to know of them.

Objects are looked at in blocks, each as large as a container of a roaring bitmap and small enough for
the processor's cache. In a block, a feature gives the cell of every object (`_bulk_cells`), a
literal becomes a bitset made from comparisons of cells, and a clause ANDs bitsets. All of it
gives what `Feature.cell`, `Feature.enter` and `Matcher.match` give object by object; laws compare them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from pyroaring import BitMap

from segmentkit.dsl.predicates import Not
from segmentkit.index._attributes import AgeFeature
from segmentkit.index._booleans import BooleanFeature
from segmentkit.index._bulk_bitmaps import BLOCK, Array, bitmap_of, container, packed, truths_in, unpacked
from segmentkit.index._bulk_cells import Cells, ages
from segmentkit.index._bulk_facts import Block, blocks_of
from segmentkit.index._digests import SetDigest
from segmentkit.index._event_features import FAR, NEVER
from segmentkit.index._features import Feature, Rows, Watcher
from segmentkit.index._points import PointFeature
from segmentkit.index._segments import Segment
from segmentkit.index._series import Series
from segmentkit.index._sets import SetFeature

if TYPE_CHECKING:
    from segmentkit.index._plan import Plan

Bound: TypeAlias = tuple[tuple[Feature, int], ...]
"""A clause: literals by feature and number, all of which must hold."""

_FEW_PLACES: Final = 8  # of the rows, up to which one column after another is faster than turning all of them


class Selection:
    """Finds the objects that satisfy clauses.

    Args:
        plan: whose facts, rows and features count.
        now: the instant for which.
        numbers: the objects to look at, ascending; None is all of them.
    """

    def __init__(self, plan: Plan, now: int, numbers: Array | None = None) -> None:
        self._plan = plan
        self._now = now
        self._numbers = numbers
        self._cells = Cells(plan.zone, plan.loose_feature)
        self.n_placed = 0
        """How many features have their cells in rows."""
        self._runs: dict[tuple[Feature, int], tuple[int, list[tuple[int, int]]]] = {}

    def members(self, segments: Sequence[Sequence[Bound]]) -> list[BitMap]:
        """Return, for each list of clauses, the objects that satisfy at least one of them."""
        features = {feature for clauses in segments for clause in clauses for feature, _ in clause}
        self.n_placed = sum(feature.place >= 0 for feature in features)
        found: list[list[tuple[int, int, bytes]]] = [[] for _ in segments]
        listed: list[list[Array]] = [[] for _ in segments]
        for place, block in enumerate(blocks_of(self._plan.table, self._numbers, self._now)):
            view = _View(self, block)
            for index, clauses in enumerate(segments):
                bits = view.any_of(clauses)
                if bits is None:
                    continue
                if isinstance(block.numbers, range):
                    n_set, data = container(bits)
                    if n_set:
                        found[index].append((place, n_set, data))
                else:
                    listed[index].append(block.numbers[unpacked(bits, block.n_objects)])
        if self._numbers is None:
            alive = self._plan.table.alive
            is_dense = len(alive) == len(self._plan.table.ids)
            return [bitmap_of(parts) if is_dense else bitmap_of(parts) & alive for parts in found]
        return [BitMap(np.concatenate(parts).astype(np.uint32)) if parts else BitMap() for parts in listed]


class _View:
    """The bitsets of one block."""

    def __init__(self, selection: Selection, block: Block) -> None:
        self._selection = selection
        self._block = block
        self._rows: Array | None = None
        self._cells: dict[Feature, Array] = {}
        self._from: dict[tuple[Feature, int], Array] = {}
        self._literals: dict[tuple[Feature, int], Array] = {}
        self._ones = packed(np.ones(block.n_objects, bool))

    def any_of(self, clauses: Sequence[Bound]) -> Array | None:
        """Return the objects for which some clause holds; None for no object."""
        found: Array | None = None
        for clause in clauses:
            bits = self._all_of(clause)
            if bits is not None:
                found = bits if found is None else found | bits
        return found

    def _all_of(self, clause: Bound) -> Array | None:
        if not clause:
            return self._ones
        feature, literal = clause[0]
        bits = self._bits(feature, literal)
        for feature, literal in clause[1:]:
            bits = bits & self._bits(feature, literal)
            if not bits.any():
                return None
        return bits

    def _bits(self, feature: Feature, literal: int) -> Array:
        key = feature, literal
        bits = self._literals.get(key)
        if bits is None:
            bits = self._literals[key] = self._worked_out(feature, literal)
        return bits

    def _worked_out(self, feature: Feature, literal: int) -> Array:
        if isinstance(feature, SetFeature):
            bits = self._held_sets(feature, literal)
            if bits is not None:
                return bits
        if isinstance(feature, SetFeature | PointFeature):
            return packed(self._selection._cells.literal(feature, literal, self._block))
        cells = self._cells_of(feature)
        n_cells, runs = self._runs_of(feature, literal)
        found: Array | None = None
        for start, end in runs:
            if end == start + 1 and start > 1 and end < n_cells:
                bits = packed(cells == start)
            else:
                bits = self._at_least(feature, cells, start)
                if end < n_cells:
                    bits = bits & ~self._at_least(feature, cells, end)
            found = bits if found is None else found | bits
        return np.zeros_like(self._ones) if found is None else found

    def _held_sets(self, feature: SetFeature, literal: int) -> Array | None:
        """Return who has a member, from the digest of the sets; None if there is none, or for a choice of objects.

        Without it, half of the time for a thousand segments over attributes went into sets (`bench_bulk`).
        """
        block = self._block
        if not isinstance(block.numbers, range):
            return None
        digest = block.table.digests.of(next(iter(feature.attributes)))
        if not isinstance(digest, SetDigest):
            return None
        return digest.told(feature._wanted[literal], isinstance(feature.literals[literal], Not), block.numbers)[0]

    def _at_least(self, feature: Feature, cells: Array, cell: int) -> Array:
        """Return the objects in a cell or a later one."""
        if cell <= 1:
            return self._ones
        key = feature, cell
        bits = self._from.get(key)
        if bits is None:
            bits = self._from[key] = packed(cells >= cell)
        return bits

    def _runs_of(self, feature: Feature, literal: int) -> tuple[int, list[tuple[int, int]]]:
        """Return the number of cells, and the stretches of cells in which a literal holds."""
        known = self._selection._runs.get((feature, literal))
        if known is None or known[0] != len(feature.truths):  # open features make cells as they meet values
            truths = b"\0" + feature.truths_of(literal)[1:] + b"\0"
            runs, start = [], truths.find(1)
            while start >= 0:
                end = truths.index(0, start)
                runs.append((start, end))
                start = truths.find(1, end)
            known = len(feature.truths), runs
            self._selection._runs[feature, literal] = known
        return known

    def _cells_of(self, feature: Feature) -> Array:
        cells = self._cells.get(feature)
        if cells is None:
            cells = self._held(feature)
            if cells is None:
                cells = self._selection._cells.of(feature, self._block)
            self._cells[feature] = cells
        return cells

    def _held(self, feature: Feature) -> Array | None:
        """Return the cells that the index holds, where looking is cheaper than working them out."""
        block = self._block
        if feature.place >= 0:
            cells: Array
            if self._rows is None and self._selection.n_placed > _FEW_PLACES:
                self._rows = np.ascontiguousarray(_rows_of(feature.rows, block).T)
            if self._rows is None:
                cells = _column_of(feature, block)
            else:
                cells = self._rows[feature.place]
            return cells.astype(np.uint8) if len(feature.truths) < 2**8 else cells
        if isinstance(feature, BooleanFeature) and not feature.is_loose:
            if isinstance(block.numbers, range):
                inside = truths_in(feature.members, block.numbers.start, block.numbers.stop)
            else:
                inside = np.array([number in feature.members for number in block.iter_numbers()], bool)
            return inside.astype(np.uint8) + np.uint8(1)
        return None


def _rows_of(rows: Rows, block: Block) -> Array:
    view = np.frombuffer(rows.cells, np.uint16).reshape(-1, rows.stride)
    part: Array = view[_index(block)]
    return part.copy()


def _column_of(feature: Feature, block: Block) -> Array:
    rows = feature.rows
    view = np.frombuffer(rows.cells, np.uint16).reshape(-1, rows.stride)
    cells: Array = view[_index(block), feature.place]
    return cells.copy()


def _index(block: Block) -> Any:
    return slice(block.numbers.start, block.numbers.stop) if isinstance(block.numbers, range) else block.numbers


# ------------------------------------------------------------------------------ entering


def enter_all(plan: Plan, watchers: Iterable[Watcher], now: int, numbers: Array | None = None) -> None:
    """Let watchers look at objects anew: all of them, or those of the ascending `numbers`.

    Afterwards cells, bitmaps and deadlines are right for the facts. Deadlines of an earlier look may
    stay: an entry that is too early is passed over when it comes up.
    """
    watchers = [watcher for watcher in watchers if watcher.keeps_state]
    if not watchers:
        return
    cells = Cells(plan.zone, plan.loose_feature)
    due: dict[Watcher, list[tuple[Array, Array]]] = {}
    for block in blocks_of(plan.table, numbers, now):
        written: list[tuple[Feature, Array]] = []
        for watcher in watchers:
            match watcher:
                case Series():
                    _enter_series(watcher, cells, block, written, due)
                case AgeFeature():
                    _enter_age(watcher, block, written, due)
                case BooleanFeature():
                    _enter_boolean(watcher, cells, block, written)
                case Feature():
                    written.append((watcher, cells.of(watcher, block)))
        write_cells(plan._rows, block, written)
    for watcher, parts in due.items():
        plan._deadlines.add_many(
            watcher.group, np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
        )


def write_cells(rows: Rows, block: Block, written: Sequence[tuple[Feature, Array]]) -> None:
    """Write the cells of features into the rows of the objects of a block, as far as they have a place there."""
    placed = [(feature.place, cells) for feature, cells in written if feature.place >= 0]
    if not placed:
        return
    part = _rows_of(rows, block)  # a part that fits the cache, written back in one go
    for place, cells in placed:
        part[:, place] = cells
    np.frombuffer(rows.cells, np.uint16).reshape(-1, rows.stride)[_index(block)] = part


def _numbers_of(block: Block) -> Array:
    if isinstance(block.numbers, range):
        return np.arange(block.numbers.start, block.numbers.stop)
    return block.numbers


def _enter_series(
    series: Series,
    cells: Cells,
    block: Block,
    written: list[tuple[Feature, Array]],
    due: dict[Watcher, list[tuple[Array, Array]]],
) -> None:
    found, deadline = cells.series(series, block)
    written += zip(series.features, found, strict=True)
    _wait(series, block, wait_for(series, _numbers_of(block), deadline), deadline, due)


def wait_for(series: Series, numbers: Array, deadlines: Array) -> Array:
    """Let objects wait for deadlines of a series; return which of them need an entry of their own for it."""
    waits: Array = deadlines < FAR
    if series.keeps_deadlines:
        pending = series._pending
        n_missing = int(numbers.max(initial=-1)) + 1 - len(pending)
        pending.extend(array("q", [NEVER]) * n_missing)
        view = np.frombuffer(pending, np.int64)
        waits &= deadlines < view[numbers]
        view[numbers[waits]] = deadlines[waits]
        del view  # so that the buffer can grow again
    return waits


def _wait(
    watcher: Watcher, block: Block, waits: Array, deadline: Array, due: dict[Watcher, list[tuple[Array, Array]]]
) -> None:
    if waits.any():
        due.setdefault(watcher, []).append((_numbers_of(block)[waits], deadline[waits]))


def _enter_age(
    feature: AgeFeature,
    block: Block,
    written: list[tuple[Feature, Array]],
    due: dict[Watcher, list[tuple[Array, Array]]],
) -> None:
    found = ages(feature, block)
    if found is None:
        for number in block.iter_numbers():
            if number in block.table.alive:
                feature.enter(number, block.now)
        return
    written.append((feature, found[0]))
    _wait(feature, block, found[1] < FAR, found[1], due)


def _enter_boolean(feature: BooleanFeature, cells: Cells, block: Block, written: list[tuple[Feature, Array]]) -> None:
    if feature.is_timed:
        for number in block.iter_numbers():
            if number in block.table.alive:
                feature.enter(number, block.now)
        return
    found = cells.of(feature, block)
    numbers = _numbers_of(block)
    feature.members -= BitMap(numbers.astype(np.uint32))
    feature.members |= BitMap(numbers[found == 2].astype(np.uint32))
    written.append((feature, found))


# ----------------------------------------------------------------------------- refreshing


def refresh(
    plan: Plan, numbers: Array, first_new: int, now: int, event: str | None
) -> list[tuple[Segment, BitMap, BitMap]]:
    """Let features and segments see that facts of many objects have changed.

    Args:
        plan: of the objects' type; its table holds the new facts already.
        numbers: of the objects, ascending.
        first_new: the number from which on objects are new.
        now: the instant.
        event: the name of the events that have come, if nothing else has changed; None: anything may have.

    Returns:
        Each segment that something flips in, with the objects that enter it and those that leave it.
    """
    n_objects = len(plan.table.ids)
    are_all = len(numbers) == len(plan.table.alive)
    segments = list(plan.segments.values())
    if plan.is_stale:
        plan.refresh_plan(now)
    else:
        plan._rows.cells.frombytes(bytes(2 * (n_objects * plan._rows.stride - len(plan._rows.cells))))
        watchers = plan.watchers
        if event is not None and (not len(numbers) or numbers[-1] < first_new):
            watchers = [watcher for watcher in watchers if _reads(watcher, event)]
            segments = [segment for segment in segments if plan.reads_event(segment, event)]
        enter_all(plan, watchers, now, None if are_all else numbers)
        plan.follow_growth(now)
    plan.memberships.settle()
    plan._rows.now = now
    clauses = [plan.bound_clauses(segment) for segment in segments]
    found = Selection(plan, now, None if are_all else numbers).members(clauses)
    looked_at = BitMap(numbers[numbers < first_new].astype(np.uint32))
    flips = []
    for segment, members in zip(segments, found, strict=True):
        before = segment.numbers & looked_at
        entered, left = members - before, before - members
        if entered or left:
            segment.numbers -= left
            segment.numbers |= entered
            flips.append((segment, entered, left))
    return flips


def _reads(watcher: Watcher, event: str) -> bool:
    return watcher.event == event if isinstance(watcher, Series) else event in getattr(watcher, "events", ())


__all__ = ["BLOCK", "Bound", "Selection", "enter_all", "refresh", "wait_for", "write_cells"]

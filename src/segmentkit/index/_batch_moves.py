"""A wave of changes goes into the facts, and the features say how the cells of its objects have moved.

What is written, and what a feature makes of it, is what one operation of `Writer` after another writes and
makes; groups of more than a few objects go through `_bulk_store`, `_bulk_load` and `_bulk_cells` together.
Cells that lie in rows need no bookkeeping: the rows before and after tell what has moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs
import numpy as np

from segmentkit.index._attributes import AgeFeature, OrderedFeature, TextFeature
from segmentkit.index._batch_door import AttributeGroup, EventGroup, Wave
from segmentkit.index._batch_events import insert_events
from segmentkit.index._bulk import wait_for, write_cells
from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._bulk_cells import Cells, ages
from segmentkit.index._bulk_facts import Block
from segmentkit.index._bulk_store import TooWideError, set_values
from segmentkit.index._bulk_values import Coded, plain_list
from segmentkit.index._columns import Column, DecimalColumn
from segmentkit.index._event_features import FAR, NEVER
from segmentkit.index._features import Feature, Move
from segmentkit.index._plan import Plan
from segmentkit.index._routes import NOBODY
from segmentkit.index._runs import runs_in
from segmentkit.index._series import Series
from segmentkit.index._sets import SetFeature

FEW: Final = 24
"""Objects up to which a group goes one by one: for fewer, arrays cost more than they save (`bench_batches`)."""


Part: TypeAlias = tuple[Series, Array]
"""A series, and the rows of the group of events that concern it."""

LooseMove: TypeAlias = tuple[int, Feature, Any, Any]
"""Place of an object in the wave, and how a feature has moved whose cells are in no row."""


SetMove: TypeAlias = tuple[int, str, Any, Any]
"""Place of an object in the wave, and how an attribute of it has changed that is a set."""


@attrs.frozen(eq=False)
class Moves:
    """The rows of a wave's objects before and after, and the moves of features that are not in rows."""

    before: Array
    after: Array
    loose: Sequence[LooseMove]
    sets: Sequence[SetMove]


def write(plan: Plan, wave: Wave, now: int) -> Moves:
    """Carry out the changes of a wave; afterwards facts, rows, bitmaps and deadlines are right."""
    plan._rows.now = now
    before = _rows_of(plan, wave.numbers)
    writer = _WaveWriter(plan, wave, now)
    writer.set(wave.attributes)
    for events in wave.events:
        writer.add(events)
    return Moves(before, _rows_of(plan, wave.numbers), writer.loose, writer.sets)


def _rows_of(plan: Plan, numbers: Array) -> Array:
    rows = plan._rows
    found: Array = np.frombuffer(rows.cells, np.uint16).reshape(-1, rows.stride)[numbers] if rows.stride else _NO_CELLS
    return found


_NO_CELLS = np.zeros((0, 0), np.uint16)


@attrs.frozen(eq=False)
class _Before:
    """What features have to know of the old values of an attribute.

    together, cells: features that look at arrays, and their cells and deadlines as `_looked_at` gives them.
    one_by_one, olds: the others, and the old values, kept with `n_places` decimal places.
    """

    group: AttributeGroup
    together: Sequence[Feature]
    cells: Sequence[tuple[Array | None, Array | None]]
    one_by_one: Sequence[Feature]
    olds: Sequence[Any]
    n_places: int


class _WaveWriter:
    """Writes one wave, group after group."""

    def __init__(self, plan: Plan, wave: Wave, now: int) -> None:
        self.loose: list[LooseMove] = []
        self.sets: list[SetMove] = []
        self._plan = plan
        self._table = plan.table
        self._wave = wave
        self._now = now

    def _note(self, place: int, moves: list[Move]) -> None:
        """Take the moves of one object, of which the rows do not tell."""
        self.loose += [(place, *move) for move in moves if move[0].place < 0]

    def _block(self, places: Array) -> Block:
        return Block(self._table, self._wave.numbers[places], self._now)

    def _cells(self) -> Cells:
        """Return what works cells out; it remembers nothing from before the facts have changed."""
        return Cells(self._plan.zone, self._plan.loose_feature)

    def _note_cells(self, places: Array, feature: Feature, before: Array, after: Array) -> None:
        moved = np.flatnonzero(before != after)
        columns = places[moved].tolist(), before[moved].tolist(), after[moved].tolist()
        self.loose += [(place, feature, old, new) for place, old, new in zip(*columns, strict=True)]

    # ------------------------------------------------------------------- attributes

    def set(self, groups: Sequence[AttributeGroup]) -> None:
        """Give attributes their new values: first all of them, since a feature may read more than one."""
        noted = [self._before(group) for group in groups]
        for group in groups:
            set_values(self._table.columns[group.name], self._wave.numbers[group.places], group.values)
        for before in noted:
            self._after(before)

    def _before(self, group: AttributeGroup) -> _Before:
        """Note what features have to know of the old values of an attribute."""
        column, places = self._table.columns[group.name], group.places
        features = self._plan.by_attribute.get(group.name, ())
        together = [feature for feature in features if _goes_together(feature)] if len(places) > FEW else []
        one_by_one = [feature for feature in features if feature not in together]
        olds = list(map(column.get, self._wave.numbers[places].tolist())) if one_by_one else []
        return _Before(group, together, self._looked_at(together, places), one_by_one, olds, _n_places(column))

    def _after(self, before: _Before) -> None:
        """Let features see the new values of an attribute."""
        name, places, olds = before.group.name, before.group.places, before.olds
        self._see(before.together, places, before.cells)
        if before.one_by_one:
            n_more = _n_places(self._table.columns[name]) - before.n_places
            if n_more:
                olds = [None if old is None else old * 10**n_more for old in olds]
            self._see_one_by_one(name, before.one_by_one, places, olds)

    def _see_one_by_one(self, name: str, features: Sequence[Feature], places: Array, olds: Sequence[Any]) -> None:
        get, others = self._table.columns[name].get, [f for f in features if not isinstance(f, SetFeature)]
        has_sets = len(others) < len(features)
        numbers = self._wave.numbers[places].tolist()
        for place, number, old in zip(places.tolist(), numbers, olds, strict=True):
            new = get(number)
            if new == old:
                continue
            if has_sets:
                self.sets.append((place, name, old, new))
            if others:
                moves: list[Move] = []
                for feature in others:
                    feature.changed(number, old, new, self._now, moves)
                self._note(place, moves)

    def _looked_at(self, features: Sequence[Feature], places: Array) -> list[tuple[Array | None, Array | None]]:
        """Return the cells of each feature (None: the rows have them), and of ages when they move next."""
        if not features:
            return []
        block, cells = self._block(places), self._cells()
        found: list[tuple[Array | None, Array | None]] = []
        for feature in features:
            if isinstance(feature, AgeFeature):
                found.append(_ages(feature, block))
            else:
                found.append((None if feature.place >= 0 else cells.of(feature, block), None))
        return found

    def _see(
        self, features: Sequence[Feature], places: Array, before: Sequence[tuple[Array | None, Array | None]]
    ) -> None:
        """Let features see what the facts are now."""
        if not features:
            return
        block, cells = self._block(places), self._cells()
        written: list[tuple[Feature, Array]] = []
        for feature, (old, old_due) in zip(features, before, strict=True):
            if isinstance(feature, AgeFeature):
                new, due = _ages(feature, block)
                assert old_due is not None
                self._move_deadlines(feature.group, self._wave.numbers[places], old_due, due)
            else:
                new = cells.of(feature, block)
            if feature.place >= 0:
                written.append((feature, new))
            else:
                assert old is not None
                self._note_cells(places, feature, old, new)
        write_cells(self._plan._rows, block, written)

    def _move_deadlines(self, group: int, numbers: Array, olds: Array, news: Array) -> None:
        changed = olds != news
        taken = changed & (olds < FAR)
        self._plan._deadlines.take_many(group, numbers[taken], olds[taken])
        added = changed & (news < FAR)
        self._plan._deadlines.add_many(group, numbers[added], news[added])

    # ----------------------------------------------------------------------- events

    def add(self, group: EventGroup) -> None:
        """Add events of one name."""
        if len(group.places) <= FEW:
            self._add_one_by_one(group)
            return
        numbers = self._wave.numbers[group.places]
        parts, few = self._parts_of(group)
        before = self._loose_cells(group, [series for series, _ in parts])
        try:
            tags = insert_events(
                self._table, group.name, numbers, group.ats, ids=group.ids, values_by_name=group.values_by_name
            )
        except TooWideError:
            self._add_one_by_one(group)
            return
        self._see_series(group, parts, before)
        listed, places = numbers.tolist(), group.places.tolist()
        events = self._table.events[group.name]
        for series, rows in few:
            for row in rows.tolist():
                index = events.find(listed[row], int(tags[row]))
                assert index is not None
                moves: list[Move] = []
                series.added(listed[row], index, self._now, moves)
                self._note(places[row], moves)
        for feature in self._plan.routes.get(group.name, NOBODY).features:
            for place, number in zip(places, listed, strict=True):
                moves = []
                feature.look_again(number, self._now, moves)
                self._note(place, moves)

    def _parts_of(self, group: EventGroup) -> tuple[list[Part], list[Part]]:
        """Return the series that look at many events of the group together, and those that look at few.

        Where a property has to be of one value, only events of that value concern the series.
        """
        route = self._plan.routes.get(group.name, NOBODY)
        every = np.arange(len(group.places))
        parts = [(series, every) for series in (*route.series, *route.tested)]
        few: list[Part] = []
        for offset, series_by_value in route.by_value.items():
            values = group.values_by_name[self._table.events[group.name].names[offset]]
            assert isinstance(values, Coded)
            order = np.argsort(values.codes, kind="stable")
            for start, end in runs_in(values.codes[order]):
                rows = order[start:end]
                code = int(values.codes[rows[0]])
                for series in series_by_value.get(values.values[code], ()) if code >= 0 else ():
                    (parts if len(rows) > FEW else few).append((series, rows))
        return parts, few

    def _loose_cells(self, group: EventGroup, some: Sequence[Series]) -> dict[Feature, Array]:
        """Return the cells of those features of some series that rows do not have, for all objects of a group."""
        features = [feature for series in some for feature in series.features if feature.place < 0]
        if not features:
            return {}
        block, cells = self._block(group.places), self._cells()
        return {feature: cells.of(feature, block) for feature in features}

    def _see_series(self, group: EventGroup, parts: Sequence[Part], before: Mapping[Feature, Array]) -> None:
        """Let series look at the objects of the rows of a group; histories are read once for all of them."""
        block, cells, plan = self._block(group.places), self._cells(), self._plan
        for series, rows in parts:
            found, deadlines = cells.series(series, block)
            places = group.places[rows]
            numbers = self._wave.numbers[places]
            waits = rows[wait_for(series, numbers, deadlines[rows])]
            plan._deadlines.add_many(series.group, self._wave.numbers[group.places[waits]], deadlines[waits])
            written: list[tuple[Feature, Array]] = []
            for feature, after in zip(series.features, found, strict=True):
                if feature.place < 0:
                    self._note_cells(places, feature, before[feature][rows], after[rows])
                else:
                    written.append((feature, after[rows]))
            write_cells(plan._rows, self._block(places), written)

    def _add_one_by_one(self, group: EventGroup) -> None:
        table, route = self._table, self._plan.routes.get(group.name, NOBODY)
        events = table.events[group.name]
        types = events.type.properties
        columns = [plain_list(types[name], group.values_by_name[name]) for name in events.names]
        rows = list(zip(*columns, strict=True)) if columns else [()] * len(group.places)
        ids: Sequence[str | None] = group.ids or [None] * len(rows)
        numbers = self._wave.numbers[group.places].tolist()
        for place, number, at, event_id, values in zip(
            group.places.tolist(), numbers, group.ats.tolist(), ids, rows, strict=True
        ):
            index = table.add_event(number, group.name, at, event_id, values)
            moves: list[Move] = []
            for series in route.series_of(values):
                series.added(number, index, self._now, moves)
            for feature in route.features:
                feature.look_again(number, self._now, moves)
            self._note(place, moves)


def _n_places(column: Column) -> int:
    """Return the decimal places that the values of a column are kept with."""
    return column.scale.places if isinstance(column, DecimalColumn) else 0


def _goes_together(feature: Feature) -> bool:
    """Whether the cells of many objects come cheaper together than one by one."""
    if isinstance(feature, TextFeature):
        return feature._closed  # an open one would look at every value of the column
    return isinstance(feature, OrderedFeature | AgeFeature)


def _ages(feature: AgeFeature, block: Block) -> tuple[Array, Array]:
    """Return the cells and the deadlines of a feature over an age."""
    found = ages(feature, block)
    if found is not None:
        return found
    numbers = block.iter_numbers()
    due = [feature.next_deadline(number, block.now) for number in numbers]
    cells = np.array([feature.cell(number, block.now) for number in numbers], np.uint16)
    return cells, np.array([NEVER if at is None else at for at in due], np.int64)

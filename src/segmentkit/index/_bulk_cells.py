"""The cells of many objects at once, for each kind of feature: the same cells that `Feature.cell` gives.

What has no vectorised form here is worked out object by object, by the feature itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from segmentkit.dsl.predicates import And, AtLeast, Attribute, Constant, InBox, Not, Or, Predicate
from segmentkit.index._attributes import OTHER, AgeFeature, DayAgeFeature, OrderedFeature, TextFeature
from segmentkit.index._booleans import BooleanFeature
from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._bulk_facts import Block, Histories, n_cuts_until
from segmentkit.index._bulk_text import open_cells
from segmentkit.index._bulk_totals import cells_of_totals
from segmentkit.index._bulk_where import Passing, reduced
from segmentkit.index._bulk_windows import cells_in_windows
from segmentkit.index._clauses import BooleanKey, FeatureKey, SetKey, _spread_out, key_of
from segmentkit.index._columns import NumberColumn, PointColumn
from segmentkit.index._event_features import NEVER, NthFeature, SumFeature
from segmentkit.index._features import MISSING, Feature
from segmentkit.index._points import PointFeature
from segmentkit.index._series import Series
from segmentkit.index._sets import SetFeature

_MISSING_WORD = -(2**63)
_FEW_VALUES = 8
_FEW_LITERALS = 4


class Cells:
    """Works cells out, block after block, at one instant; remembers what holds for all blocks.

    Args:
        zone: the schema's.
        make: returns a feature of one literal, which nothing remembers.
    """

    def __init__(self, zone: str, make: Callable[[FeatureKey, Predicate], Feature]) -> None:
        self._zone = zone
        self._make = make
        self._cells_by_code: dict[Feature, Array] = {}
        self._truths_by_code: dict[tuple[Feature, int], Array] = {}
        self._codes_by_member: dict[Any, dict[str, list[int]]] = {}
        self._loose: dict[Predicate, Feature] = {}
        self._passing: dict[tuple[str, Predicate], Passing] = {}

    def of(self, feature: Feature, block: Block) -> Array:
        """Return the cell of each object of a block."""
        cells: Array | None = None
        match feature:
            case OrderedFeature():
                cells = self._ordered(feature, block)
            case TextFeature():
                cells = self._text(feature, block)
            case AgeFeature():
                cells = _age(feature, block)
            case NthFeature():
                cells = self._nth(feature, block)
            case SumFeature():
                matching = self.matching(feature.series, block)
                cells = None if matching is None else _sum(feature, matching, block)[0]
            case BooleanFeature():
                truths = self._formula(_spread_out(feature.predicate), block)
                cells = None if truths is None else truths.astype(np.uint8) + np.uint8(1)
        return one_by_one(feature, block) if cells is None else cells

    # ------------------------------------------------------------------- attributes

    def _ordered(self, feature: OrderedFeature, block: Block) -> Array | None:
        values = block.attribute(feature.key.attribute)  # type: ignore[union-attr]  # an OrderedKey
        if values is None:
            return None
        column = block.table.columns[feature.key.attribute]  # type: ignore[union-attr]
        missing = np.isnan(values) if isinstance(column, NumberColumn) else values == _MISSING_WORD
        cells = n_cuts_until(values, feature._cuts, cell_type(feature)) + _TWO
        if missing.any():
            cells[missing] = MISSING
        return cells

    def _text(self, feature: TextFeature, block: Block) -> Array | None:
        name = feature.key.attribute  # type: ignore[union-attr]  # a TextKey
        column: Any = block.table.columns[name]
        values = block.attribute(name)
        if values is None:
            return None
        named = feature._cell_by_value
        if column.type.kind == "boolean":
            return _few_values(values, named, {False: 0, True: 1}) if feature._closed else None
        if feature._closed and len(named) <= _FEW_VALUES:
            return _few_values(values, named, column.dictionary.code_by_value)
        known = self._cells_by_code.get(feature)
        if known is None:
            make = partial(_cells_by_code, feature, column, self._zone)
            known = self._cells_by_code[feature] = block.table.digests.cells_by_code(feature, make)
        return known[values]  # a missing value is -1, the last item

    # ----------------------------------------------------------------------- events

    def matching(self, series: Series, block: Block) -> Histories | None:
        """Return the events of a series; None if they are no machine words."""
        if series.where is None:
            return block.histories(series.event)
        if series.dispatched is not None:
            return block.with_code(series.event, series._offset, series._code_by_value.get(series.dispatched[1]))
        passes = self._passing.get((series.event, series.where))
        if passes is None:
            passes = self._passing[series.event, series.where] = Passing(series.events, series.where, self._zone)
        return block.matching(series.event, series.where, passes)

    def _nth(self, feature: NthFeature, block: Block) -> Array | None:
        if block.asks_little_of(feature.series.event):
            cells = cells_in_windows(feature, np.asarray(block.numbers), block.now, cell_type(feature))
            if cells is not None:
                return cells
        matching = self.matching(feature.series, block)
        return None if matching is None else _nth(feature, matching, block)[0]

    def series(self, series: Series, block: Block) -> tuple[list[Array], Array]:
        """Return the cells of the features of a series, and when time alone can next move one (or `NEVER`)."""
        matching = self.matching(series, block)
        if matching is None:
            return self._series_one_by_one(series, block)
        deadline = np.full(block.n_objects, NEVER, np.int64)
        coming = matching.seen < matching.ends
        if coming.any():
            deadline[coming] = matching.ats[matching.seen[coming]]
        found = []
        for nth in series.nths:
            cells, due = _nth(nth, matching, block)
            found.append(cells)
            np.minimum(deadline, due, out=deadline)
        for total in series.sums:
            totals, due = _sum(total, matching, block)
            found.append(one_by_one(total, block) if totals is None else totals)
            np.minimum(deadline, due, out=deadline)
        return found, deadline

    def _series_one_by_one(self, series: Series, block: Block) -> tuple[list[Array], Array]:
        looks = [series.look(number, block.now) for number in block.iter_numbers()]
        cells = np.array([cells for cells, _ in looks], np.uint16).reshape(len(looks), len(series.features))
        return list(cells.T), np.array([deadline for _, deadline in looks], np.int64)

    # --------------------------------------------------------------------- literals

    def literal(self, feature: Feature, literal: int, block: Block) -> Array:
        """Return whether a literal holds, for each object of a block."""
        if isinstance(feature, SetFeature):
            return self._set_truths(feature, literal, block)
        if isinstance(feature, PointFeature):
            return self._point_truths(feature, literal, block)
        cells = self.of(feature, block)
        truths: Array = np.frombuffer(feature.truths_of(literal), bool)[cells]
        return truths

    def _point_truths(self, feature: PointFeature, literal: int, block: Block) -> Array:
        """Return whether points satisfy a literal; circles are measured one by one."""
        found = self._formula(feature.literals[literal], block)
        if found is not None:
            return found
        holds = feature.worked_out(literal)
        return np.array([bool(holds(number)) for number in block.iter_numbers()], bool)

    def _set_truths(self, feature: SetFeature, literal: int, block: Block) -> Array:
        key = feature, literal
        truths = self._truths_by_code.get(key)
        column: Any = feature._column
        if truths is None:
            values, wanted = column.dictionary.values, feature._wanted[literal]
            if len(feature.literals) <= _FEW_LITERALS:
                truths = np.array([*(not wanted.isdisjoint(members or ()) for members in values), False])
            else:
                codes_by_member = self._codes_by_member.get(column)
                if codes_by_member is None:
                    codes_by_member = self._codes_by_member[column] = _codes_by_member(values)
                truths = np.zeros(len(values) + 1, bool)
                for member in wanted:
                    truths[codes_by_member.get(member, [])] = True
            if isinstance(feature.literals[literal], Not):
                truths = ~truths
            self._truths_by_code[key] = truths
        return truths[block.taken(column.codes, np.int32)]

    def _formula(self, predicate: Predicate, block: Block) -> Array | None:
        """Return whether a formula holds, from its parts; None if it has none."""
        match predicate:
            case And(items):
                return reduced(np.logical_and, [self._part(item, block) for item in items])
            case Or(items):
                return reduced(np.logical_or, [self._part(item, block) for item in items])
            case AtLeast(count, items):
                reached = np.zeros(block.n_objects, np.int64)
                for item in items:
                    reached += self._part(item, block)
                return reached >= count
            case Not(item):
                return ~self._part(item, block)
            case InBox(Attribute(name), south, west, north, east):
                column = block.table.columns[name]
                assert isinstance(column, PointColumn)
                latitudes, longitudes = (block.taken(part, float) for part in (column.latitudes, column.longitudes))
                return _in_box(latitudes, longitudes, (south, west, north, east))
            case _:
                return None

    def _part(self, predicate: Predicate, block: Block) -> Array:
        if isinstance(predicate, Constant):
            return np.full(block.n_objects, predicate.value)
        key = key_of(predicate)
        if key is None or (isinstance(key, BooleanKey) and key.predicate == predicate):
            found = self._formula(predicate, block)
            if found is not None:
                return found
        known = self._loose.get(predicate)
        if known is None:
            key = key or BooleanKey(predicate)
            if isinstance(key, SetKey) or (isinstance(key, BooleanKey) and key.predicate != predicate):
                found = self._formula(predicate, block)  # `not` around one test
                if found is not None:
                    return found
            known = self._loose[predicate] = self._make(key, predicate)
        return self.literal(known, 0, block)


def _in_box(latitudes: Array, longitudes: Array, box: tuple[float, float, float, float]) -> Array:
    """Return whether points lie in a box, as `dsl._geo.in_box` says it."""
    south, west, north, east = box

    def inside(longitude: Any) -> Any:
        if west <= east:
            return (longitude >= west) & (longitude <= east)
        return (longitude >= west) | (longitude <= east)

    meridian = bool(inside(180.0) or inside(-180.0))  # one line with two names
    found: Array = np.where(np.abs(longitudes) == 180.0, meridian, inside(longitudes))
    return found & (latitudes >= south) & (latitudes <= north)


def _codes_by_member(values: Sequence[Any]) -> dict[str, list[int]]:
    """Return the codes of the sets that have a member."""
    found: dict[str, list[int]] = {}
    for code, members in enumerate(values):
        for member in members or ():
            found.setdefault(member, []).append(code)
    return found


def one_by_one(feature: Feature, block: Block) -> Array:
    """Return the cells as the feature itself gives them."""
    cell, now, alive = feature.cell, block.now, block.table.alive
    found = [cell(number, now) if number in alive else MISSING for number in block.iter_numbers()]
    return np.array(found, np.int64 if max(found, default=0) > 65_535 else np.uint16)


_TWO = np.uint8(2)


def cell_type(feature: Feature) -> type[np.unsignedinteger[Any]]:
    """Return the smallest type that holds the feature's cells."""
    n_cells = len(feature.truths)
    return np.uint8 if n_cells < 2**8 else np.uint16 if n_cells < 2**16 else np.uint32


def _few_values(codes: Array, cell_by_value: Mapping[Any, int], code_by_value: Mapping[Any, int]) -> Array:
    """Return the cells of codes of which few have a cell of their own."""
    cells = np.full(len(codes), OTHER, np.uint8)
    for value, cell in cell_by_value.items():
        code = -1 if value is None else code_by_value.get(value)
        if code is not None:
            cells += (codes == code) * np.uint8((cell - OTHER) % 256)  # wraps around, for the one below the others
    return cells


def _cells_by_code(feature: TextFeature, column: Any, zone: str) -> Array:
    """Return the cell of each code of a column; the last item is that of a missing value."""
    values: Sequence[Any] = column.dictionary.values
    if feature._closed:
        cells = np.full(len(values) + 1, OTHER, cell_type(feature))
        for value, cell in feature._cell_by_value.items():
            code = len(values) if value is None else column.dictionary.code_by_value.get(value)
            if code is not None:
                cells[code] = cell
        return cells
    found = [*open_cells(feature, values, zone), feature._cell_of(None)] if len(values) else [feature._cell_of(None)]
    return np.array(found, cell_type(feature))  # an open feature makes cells as it goes


def _age(feature: AgeFeature, block: Block) -> Array | None:
    found = ages(feature, block)
    return None if found is None else found[0]


def ages(feature: AgeFeature, block: Block) -> tuple[Array, Array] | None:
    """Return the cells of a feature over an age, and when each object's next changes (or `NEVER`)."""
    values = block.attribute(feature.key.attribute)  # type: ignore[union-attr]  # an AgeKey
    if values is None:
        return None
    missing = values == _MISSING_WORD
    values[missing] = 0
    ages: Array = feature._age(values, block.now)  # type: ignore[arg-type, assignment]  # arithmetic on arrays
    places = n_cuts_until(ages, feature._cuts)
    waits = ~missing & (places < len(feature._cuts))
    due = np.full(len(values), NEVER, np.int64)
    due[waits] = reached(feature, values[waits], places[waits])
    cells = (places + 2).astype(cell_type(feature))
    cells[missing] = MISSING
    return cells, due


def reached(feature: AgeFeature, values: Array, places: Array) -> Array:
    """Return when values reach the ages at which the cuts of some places are."""
    reaching: Array = values + np.array([*feature._cuts, 0], np.int64)[places]
    if isinstance(feature, DayAgeFeature):
        days, which = np.unique(reaching, return_inverse=True)
        reaching = np.array([feature._reaches(day, 0) for day in days.tolist()], np.int64)[which]
    return reaching


def _nth(feature: NthFeature, matching: Histories, block: Block) -> tuple[Array, Array]:
    """Return the cells, and when each next changes."""
    due = np.full(block.n_objects, NEVER, np.int64)
    cells = np.full(block.n_objects, MISSING, cell_type(feature))
    there = np.flatnonzero(matching.seen - matching.starts >= feature.least)
    if len(there):
        places = matching.seen[there] + feature.index if feature.index < 0 else matching.starts[there] + feature.index
        ats = matching.ats[places]
        found = n_cuts_until(block.now - ats, feature.edges[2:-1]) + 2
        cells[there] = found
        due[there] = ats + np.array(feature.edges, np.int64)[found]
    return cells, due


def _sum(feature: SumFeature, matching: Histories, block: Block) -> tuple[Array | None, Array]:
    """Return the cells (None: no vectorised form), and when the next event leaves the window."""
    due = np.full(block.n_objects, NEVER, np.int64)
    first = matching.starts
    if feature.length < NEVER:
        first = first + np.minimum(matching.count_until(block.now - feature.length), matching.seen - matching.starts)
        inside = first < matching.seen
        due[inside] = matching.ats[first[inside]] + feature.length
    words = matching.property_words(feature.offset)
    return cells_of_totals(feature, words, first, matching.seen, cell_type(feature)), due

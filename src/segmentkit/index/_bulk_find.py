"""Who satisfies a few clauses: digests of columns narrow the objects down, and only the rest is looked at.

`_bulk.Selection` shares work between many segments, block after block. For one filter there is nothing to
share, and most of its cost is looking at objects that an attribute has ruled out already. So literals
that a digest answers come first, for all objects at once; the others see only who is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pyroaring import BitMap

from segmentkit.dsl.predicates import Not
from segmentkit.index._attributes import OTHER, AgeFeature, OrderedFeature, TextFeature
from segmentkit.index._bulk import Bound, Selection
from segmentkit.index._bulk_bitmaps import Array, Found, bitmap_of_bits, packed, places_of
from segmentkit.index._bulk_cells import Cells
from segmentkit.index._bulk_facts import blocks_of
from segmentkit.index._bulk_find_windows import with_events
from segmentkit.index._bulk_text import texts_where
from segmentkit.index._digests import CodeDigest, OrderedDigest, SetDigest, Told
from segmentkit.index._event_features import NthFeature, SumFeature
from segmentkit.index._features import MISSING, Feature
from segmentkit.index._points import PointFeature
from segmentkit.index._sets import SetFeature

if TYPE_CHECKING:
    from segmentkit.index._plan import Plan

_FEW: Final = 64  # objects up to which to look at one after another is faster
_COSTS: Final[tuple[type[Feature], ...]] = (PointFeature, NthFeature, SumFeature, TextFeature)
"""What digests leave open, the cheapest first."""


class Finder:
    """Finds the objects that satisfy clauses.

    Args:
        plan: whose facts, rows and features count.
        now: the instant for which.
    """

    def __init__(self, plan: Plan, now: int) -> None:
        self._plan = plan
        self._now = now

    def members(self, clauses: Sequence[Bound]) -> BitMap:
        """Return the objects that satisfy at least one of the clauses."""
        found = self.found(clauses)
        return found.bitmap if isinstance(found, Found) else found

    def found(self, clauses: Sequence[Bound]) -> BitMap | Found:
        """Return the same, where digests tell all of it without making a bitmap."""
        found, others = None, BitMap()
        for clause in clauses:
            bits, rest = self._narrowed(clause)
            if not rest:
                found = bits if found is None or bits is None else found | bits
                if bits is None:
                    return self._plan.table.alive.copy()
                continue
            others |= self._selected(bits, rest)
        alive = self._plan.table.alive
        if found is None:
            return others
        if not others and len(alive) == len(self._plan.table.ids):
            return Found(found)
        members = bitmap_of_bits(found)
        if others:
            members |= others
        return members & alive

    def _narrowed(self, clause: Bound) -> tuple[Array | None, Bound]:
        """Return who satisfies the literals that digests answer (None: everybody), and the other literals."""
        table, now = self._plan.table, self._now
        bits: Array | None = None
        unsure: list[tuple[Feature, int, Array]] = []
        rest: list[tuple[Feature, int]] = []
        for feature, literal in clause:
            told = self._told(feature, literal)
            if told is None:
                rest.append((feature, literal))
                continue
            bits = told[0] if bits is None else bits & told[0]
            if told[1] is not None:
                unsure.append((feature, literal, told[1]))
        for feature, literal, objects in unsure:
            assert bits is not None
            bits = self._sure(bits, feature, literal, objects)
        others: list[tuple[Feature, int]] = []
        for feature, literal in sorted(rest, key=lambda bound: _cost(bound[0])):
            found: Array | None = None
            if isinstance(feature, PointFeature) and bits is not None:
                found = self._sure(bits, feature, literal, bits)
            elif isinstance(feature, NthFeature | SumFeature) and feature.place < 0:
                found = with_events(bits, feature, literal, table, now)
            elif isinstance(feature, TextFeature) and feature.place < 0:
                found = self._with_text(bits, feature, literal)
            if found is None:
                others.append((feature, literal))
            else:
                bits = found
        return bits, tuple(others)

    def _sure(self, bits: Array, feature: Feature, literal: int, unsure: Array) -> Array:
        """Take out those of the objects left that are not sure and turn out not to satisfy a literal."""
        table, cells = self._plan.table, Cells(self._plan.zone, self._plan.loose_feature)
        numbers = places_of(bits & unsure)
        if len(numbers) <= _FEW:
            holds = feature.worked_out(literal)
            return _without(bits, np.array([number for number in numbers.tolist() if not holds(number)], np.int64))
        for block in blocks_of(table, numbers, self._now):
            out: Any = block.numbers[~cells.literal(feature, literal, block)]
            bits = _without(bits, out)
        return bits

    def _with_text(self, bits: Array | None, feature: TextFeature, literal: int) -> Array:
        """Return those of the objects left whose text satisfies a literal: of few, only their texts are tried."""
        column: Any = feature._column
        values: Sequence[Any] = column.dictionary.values
        codes = np.frombuffer(column.codes, np.int32)
        numbers = None if bits is None else places_of(bits)
        if numbers is not None:
            codes = codes[numbers]
        attribute, zone = next(iter(feature.attributes)), self._plan.zone
        tried, missing = feature.literals[literal], bool(feature.truths_of(literal)[MISSING])
        if len(codes) < len(values):
            texts = [values[code] if code >= 0 else "" for code in codes.tolist()]
            truths = texts_where(tried, attribute, texts, zone)
            truths[codes < 0] = missing
        else:
            texts = ["" if value is None else value for value in values]
            truths = np.append(texts_where(tried, attribute, texts, zone), missing)[codes]
        if numbers is None or bits is None:
            return packed(truths)
        found = np.zeros(64 * len(bits), bool)
        found[numbers[truths]] = True
        return packed(found)

    def _selected(self, bits: Array | None, rest: Bound) -> BitMap:
        """Return those of the objects left that satisfy the other literals."""
        numbers = None
        if bits is not None:
            left = bitmap_of_bits(bits) & self._plan.table.alive
            if len(left) * 4 > len(self._plan.table.alive) * 3:  # nearly all: in order they are read faster
                return Selection(self._plan, self._now).members([[rest]])[0] & left
            numbers = np.array(left.to_array(), np.int64)
        return Selection(self._plan, self._now, numbers).members([[rest]])[0]

    def _told(self, feature: Feature, literal: int) -> Told | None:
        """Return what a digest tells of a literal; None if there is none for it."""
        digests = self._plan.table.digests
        match feature:
            case OrderedFeature():
                digest = digests.of(next(iter(feature.attributes)))
                if isinstance(digest, OrderedDigest):
                    truths = feature.truths_of(literal)
                    return digest.told(feature._cuts, truths[MISSING + 1 :], truths[MISSING])
            case AgeFeature():
                digest = digests.of(next(iter(feature.attributes)))
                if isinstance(digest, OrderedDigest):  # the greater the value, the less its age
                    truths, today = feature.truths_of(literal), feature._age(0, self._now)
                    cuts = [today - cut + 1 for cut in reversed(feature._cuts)]
                    return digest.told(cuts, truths[MISSING + 1 :][::-1], truths[MISSING])
            case TextFeature() if feature._closed:
                digest = digests.of(next(iter(feature.attributes)))
                if isinstance(digest, CodeDigest):
                    truths = feature.truths_of(literal)
                    named = {value: truths[cell] for value, cell in feature._cell_by_value.items() if value is not None}
                    return digest.told(named, truths[OTHER], truths[MISSING])
            case SetFeature():
                digest = digests.of(next(iter(feature.attributes)))
                if isinstance(digest, SetDigest):
                    return digest.told(feature._wanted[literal], isinstance(feature.literals[literal], Not))
        return None


def _without(bits: Array, numbers: Array) -> Array:
    """Return a bitset without some of its numbers."""
    np.bitwise_and.at(bits, numbers >> 6, ~(np.uint64(1) << (numbers & 63).astype(np.uint64)))
    return bits


def _cost(feature: Feature) -> int:
    """Return when a feature is asked, those that are in rows after all others."""
    return next((place for place, kind in enumerate(_COSTS) if isinstance(feature, kind)), len(_COSTS))


__all__ = ["Finder"]

"""The plan of one object type: clauses numbered, features shared, watchers found by what changed.

Every clause of every segment has a number, its bit. The first clause of a segment is its *head*,
and deltas speak of segments by their heads. A few features are used by many clauses (*dense*):
their cells lie in rows and their masks are ANDed one after another. The literals of the others
are checked one by one for the few clauses that are left; how, is the business of `_clause_tests`.

Definitions on a type that has objects extend the plan at the price of their own literals; after
many of them the plan is built anew from all segments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from threading import RLock
from typing import TYPE_CHECKING, Final, cast

import attrs

from segmentkit.dsl.predicates import Predicate, Rank
from segmentkit.index._attributes import AgeFeature, DayAgeFeature, OrderedFeature, TextFeature
from segmentkit.index._booleans import BooleanFeature
from segmentkit.index._clause_tests import ClauseTests
from segmentkit.index._clauses import (
    AgeKey,
    BooleanKey,
    Clause,
    FeatureKey,
    NthKey,
    OrderedKey,
    PointKey,
    SetKey,
    SumKey,
    TextKey,
    clauses_of,
)
from segmentkit.index._deadlines import Deadlines
from segmentkit.index._event_features import NthFeature, SumFeature
from segmentkit.index._features import Context, Feature, Watcher
from segmentkit.index._memberships import Memberships
from segmentkit.index._points import PointFeature
from segmentkit.index._ranked import RankFeature, RankSource
from segmentkit.index._readings import readings_of
from segmentkit.index._routes import EventRoute
from segmentkit.index._segments import Segment
from segmentkit.index._series import Series
from segmentkit.index._sets import SetFeature
from segmentkit.index._table import Table
from segmentkit.schema import Schema

if TYPE_CHECKING:
    from segmentkit.index._batch_clauses import Clauses
    from segmentkit.index._matcher import Matcher
    from segmentkit.index._ripple import Ripple

_MOST_DENSE: Final = 48
_MOST_OPEN_LITERALS: Final = 15  # of a dense open text feature: its cells must fit a 16-bit word
_SPARE_BITS: Final = 256
BULK_FROM = 500
"""Objects from which on features and filters are worked out for all of them together (`_bulk`)."""
_MOST_PLACED: Final = 512  # cells of features of events that rows may have
_LEAST_KEPT: Final = 4  # features of a series from which on the deadline of each object is kept


class Plan(ClauseTests):
    """The segments of one object type, the features they read, and who has to see which change."""

    def __init__(self, table: Table, schema: Schema, deadlines: Deadlines, lock: RLock, ripple: Ripple) -> None:
        super().__init__(table)
        self._ripple = ripple
        self._lock = lock
        self.catch_up: Callable[[], None] = _nothing_is_behind
        """Lets objects catch up that time has not passed for yet, before memberships are read."""
        self.segments: dict[str, Segment] = {}
        self.memberships = Memberships()
        self.clauses_examined = 0
        self._schema = schema
        self._deadlines = deadlines
        self._groups: list[int] = []
        self.is_stale = False
        """Whether the plan has to be built anew before it is used."""
        self._n_patched = 0
        self._reset()
        table.rescaled.append(self._recut)

    def _recut(self) -> None:
        for features in self._features.values():
            for feature in features:
                feature.recut()

    def _reset(self) -> None:
        for group in self._groups:
            self._deadlines.unregister(group)
        self._groups = []
        self._reset_clauses()
        self._context = Context(self.table, self._schema, self._rows, self._deadlines)
        self._ripple.forget(self._matcher)
        self._sources: dict[Rank, RankSource] = {}
        self.watchers: list[Watcher] = []
        self._entered: list[Watcher] | None = None
        """The watchers that have to be told of a new object; None is not known yet."""
        self.by_attribute: dict[str, list[Feature]] = {}
        """The features that read an attribute."""
        self.routes: dict[str, EventRoute] = {}
        """By event name, who reads it."""
        self.heads: list[Segment | None] = []
        self._dense: list[Feature] = []
        self._sets: list[SetFeature] = []
        self._all_bits = 0
        self._ones = 0
        self._dense_masks: tuple[list[int], ...] = ()
        self._dense_cells: Callable[[Sequence[int]], Sequence[int]] = _chooser(())
        self._n_patched = 0
        self.clauses: Clauses | None = None
        """The clauses as arrays, of this edition or an earlier one, once a large batch has asked for them."""

    @property
    def edition(self) -> tuple[object, int, int]:
        """What differs from before once clauses, or the order of their tests, have changed."""
        return self._rows, self._n_patched, self._rank_at

    @property
    def zone(self) -> str:
        """The zone of conditions that name none."""
        return self._schema.zone

    @property
    def _matcher(self) -> Matcher:
        return cast("Matcher", self)  # every plan is that of a matcher

    # ---------------------------------------------------------------- definitions

    def plan(self, segment: Segment, now: int) -> None:
        """Take a segment in; on a type without objects that waits until it has some."""
        self.segments[segment.name] = segment
        if not self.table.alive:
            self.is_stale = True
            return
        self.refresh_plan(now)
        if not segment.bits:
            self._extend(segment, clauses_of(segment.lowered or segment.tree), now)

    def plan_all(self, segments: Sequence[Segment], now: int) -> None:
        """Take many segments in, with one plan built for all."""
        self.segments |= {segment.name: segment for segment in segments}
        self.is_stale = True
        if self.table.alive:
            self.refresh_plan(now)

    def remove(self, name: str) -> Segment:
        """Take a segment out of the plan."""
        segment = self.segments.pop(name)
        self.memberships.settle()
        idle: dict[Feature, None] = {}
        for bit in segment.bits:
            for feature, literal in self._literals[bit]:
                feature.release(literal, bit)
                if not any(feature.clauses_of):
                    idle[feature] = None
            self._forget_clause(bit)
            self.memberships.bitmaps[bit] = None
            self._all_bits &= ~(1 << bit)
        segment.bits = ()
        for feature in idle:
            self._let_go(feature)
        self._n_patched += 1
        self._mark_if_stale()
        return segment

    def _let_go(self, feature: Feature) -> None:
        """Stop watching for a feature that no clause reads, if it reads what may go: other segments and objects."""
        if not isinstance(feature, BooleanFeature | RankFeature):
            return
        if feature.is_dense:
            self.is_stale = True
            return
        self._features[feature.key].remove(feature)
        self._unwatch(feature)
        if isinstance(feature, RankFeature):
            source = feature.source
            source.drop(feature)
            if not source.features:
                del self._sources[source.rank]
                self._unwatch(source)

    def _unwatch(self, watcher: Watcher) -> None:
        self.watchers.remove(watcher)
        self._entered = None
        self._ripple.unregister(watcher)
        if watcher.is_timed:
            self._groups.remove(watcher.group)
            self._deadlines.unregister(watcher.group)
        if isinstance(watcher, Feature):
            for name in watcher.attributes:
                self.by_attribute[name].remove(watcher)
            for name in watcher.events:
                self.routes[name].features.remove(watcher)

    def _mark_if_stale(self) -> None:
        self.is_stale |= self._n_patched > max(32, len(self.segments) // 4)

    def refresh_plan(self, now: int) -> None:
        """Build the plan anew if definitions have made it stale; memberships stay."""
        if self.is_stale:
            self.is_stale = False
            self._build(now)

    def bound_clauses(self, segment: Segment) -> list[tuple[tuple[Feature, int], ...]]:
        """Return the clauses of a segment of the plan: literals by feature and number."""
        if self.heads[segment.bits[0]] is None:
            return []
        return [self._literals[bit] for bit in segment.bits]

    def reads_event(self, segment: Segment, name: str) -> bool:
        """Whether a segment of the plan reads events of a name."""
        return any(name in feature.events for bit in segment.bits for feature, _ in self._literals[bit])

    def _build(self, now: int) -> None:
        self.memberships.settle()
        self.memberships.clear()
        self._reset()
        clauses_by_segment = [
            (segment, clauses_of(segment.lowered or segment.tree)) for segment in self.segments.values()
        ]
        self.heads = [None] * len(clauses_by_segment)
        for bit, (segment, clauses) in enumerate(clauses_by_segment):
            self._number(segment, clauses, bit)
        n_bits = len(self.heads)
        self._ones = (1 << n_bits + max(_SPARE_BITS, n_bits // 2)) - 1
        literals: dict[FeatureKey, dict[Predicate, None]] = {}
        numbered = [(bit, c) for segment, cs in clauses_by_segment for bit, c in zip(segment.bits, cs, strict=False)]
        for _, clause in numbered:
            for key, literal in clause.items():
                literals.setdefault(key, {})[literal] = None
        self._grow(literals)
        uses: dict[Feature, int] = {}
        for bit, clause in numbered:
            for feature, _ in self._bind(bit, clause):
                uses[feature] = uses.get(feature, 0) + 1
        self._choose_dense(uses, len(numbered))
        for bit, _ in numbered:
            self._note_tests(bit)
        self._enter_all(self.watchers, now)
        self.rank_tests(now)

    def _enter_all(self, watchers: Iterable[Watcher], now: int) -> None:
        """Take all objects in. Sources come first: what they rank, others only write down."""
        others = []
        for watcher in watchers:
            if isinstance(watcher, RankSource):
                watcher.enter_all(self.table.alive, now)
            else:
                others.append(watcher)
        if len(self.table.alive) >= BULK_FROM:
            from segmentkit.index import _bulk

            _bulk.enter_all(self, others, now)
            return
        for watcher in others:
            if watcher.keeps_state:
                for number in self.table.alive:
                    watcher.enter(number, now)

    def _number(self, segment: Segment, clauses: list[Clause], head: int) -> None:
        """Give the clauses bits: the head the given one, the others new ones. No clause: none, it is never true."""
        extra = range(len(self.heads), len(self.heads) + max(0, len(clauses) - 1))
        self.heads += [None] * len(extra)
        self._add_clauses(len(self.heads) - len(self._literals))
        self.memberships.bitmaps += [None] * (len(self.heads) - len(self.memberships.bitmaps))
        if not clauses:
            segment.bits = (head,)  # a bit that nothing ever sets, so that every segment has one
            return
        segment.bits = (head, *extra)
        self.heads[head] = segment
        if segment.is_read or extra:
            self.memberships.keep_up(head)
        self.memberships.bitmaps[head] = segment.numbers
        for bit in segment.bits:
            self._all_bits |= 1 << bit
            if extra:
                self._owners[bit] = segment.bits
                self._shared |= {bit, ~bit}

    def _extend(self, segment: Segment, clauses: list[Clause], now: int) -> None:
        """Add one segment to the plan in use; its new literals get features of their own."""
        n_bits = len(self.heads) + max(1, len(clauses))
        if n_bits > self._ones.bit_length():
            self._build(now)
            return
        self.heads.append(None)
        self._number(segment, clauses, len(self.heads) - 1)
        literals: dict[FeatureKey, dict[Predicate, None]] = {}
        for clause in clauses:
            for key, literal in clause.items():
                if not any(literal in feature.number_by_literal for feature in self._features.get(key, ())):
                    literals.setdefault(key, {})[literal] = None
        new = self._grow(literals)
        for bit, clause in zip(segment.bits, clauses, strict=False):
            self._bind(bit, clause)
            self._note_tests(bit)
        self._enter_all(new, now)
        self._n_patched += 1
        self._mark_if_stale()

    def _bind(self, bit: int, clause: Clause) -> tuple[tuple[Feature, int], ...]:
        bound = []
        for key, literal in clause.items():
            feature = next(f for f in self._features[key] if literal in f.number_by_literal)
            number = feature.number_by_literal[literal]
            feature.bind(number, bit)
            bound.append((feature, number))
        self._literals[bit] = tuple(bound)
        return self._literals[bit]

    def _choose_dense(self, uses: dict[Feature, int], n_clauses: int) -> None:
        """Choose the features to AND before clauses are looked at one by one, and lay out the rows."""
        least = max(2, n_clauses // 200)
        ranked = sorted((f for f in uses if uses[f] >= least), key=lambda feature: -uses[feature])
        self._sets = [feature for feature in ranked if isinstance(feature, SetFeature)]
        self._dense = [feature for feature in ranked if _fits_a_row(feature)][:_MOST_DENSE]
        for feature in (*self._dense, *self._sets):
            feature.is_dense = True
            feature.build_masks(self._ones)
        self._dense.sort(key=lambda feature: -feature.weight())
        stride = 0
        for watcher in self.watchers:
            if isinstance(watcher, Series) and stride + len(watcher.features) <= _MOST_PLACED:
                watcher.block = stride
                watcher.keeps_deadlines = len(watcher.features) >= _LEAST_KEPT
                for feature in watcher.features:
                    feature.place = stride
                    stride += 1
        ages = [watcher for watcher in self.watchers if isinstance(watcher, AgeFeature)]
        for feature in dict.fromkeys((*self._dense, *ages)):
            if feature.place < 0 and (feature.is_dense or stride < _MOST_PLACED):
                feature.place = stride
                stride += 1
        for watcher in self.watchers:
            if isinstance(watcher, Series):
                watcher.settle()
        self._dense_masks = tuple(feature.masks for feature in self._dense)
        self._dense_cells = _chooser([feature.place for feature in self._dense])
        for features in self._features.values():
            for feature in features:
                feature.is_in_rows = feature.truths_in_row(0) is not None
        self._rows.reset(stride, len(self.table.ids))

    # ------------------------------------------------------------------- features

    def _grow(self, literals: dict[FeatureKey, dict[Predicate, None]]) -> list[Watcher]:
        """Make features for literals; return the new watchers, entered nowhere yet."""
        new: list[Watcher] = []
        known = len(self._sources)
        series: dict[tuple[str, Predicate | None], Series] = {}
        for key, found in literals.items():
            feature = self._feature(key, list(found), series)
            self._features.setdefault(key, []).append(feature)
            if not isinstance(feature, NthFeature | SumFeature):
                new.append(feature)
        for one in series.values():
            one.cut()
            new.append(one)
        new = [*list(self._sources.values())[known:], *new]  # a source before the features that it writes
        for watcher in new:
            self._watch(watcher)
        return new

    def _feature(
        self, key: FeatureKey, literals: list[Predicate], series: dict[tuple[str, Predicate | None], Series]
    ) -> Feature:
        """Return a new feature; one over events joins its series in `series`."""
        context = self._context
        match key:
            case OrderedKey():
                return OrderedFeature(key, literals, context)
            case TextKey():
                return TextFeature(key, literals, context)
            case SetKey():
                return SetFeature(key, literals, context)
            case AgeKey(_, None):
                return AgeFeature(key, literals, context)
            case AgeKey():
                return DayAgeFeature(key, literals, context)
            case BooleanKey(Rank() as rank):
                source = self._source_of(rank)
                ranked = RankFeature(key, literals, context, source)
                source.add(ranked)
                return ranked
            case PointKey():
                return PointFeature(key, literals, context)
            case BooleanKey():
                return BooleanFeature(key, literals, context)
            case NthKey(event, where):
                one = self._series_in(series, event, where)
                nth = NthFeature(key, literals, context, one)
                one.nths.append(nth)
                return nth
            case SumKey(aggregate):
                one = self._series_in(series, aggregate.events.name, aggregate.events.where)
                total = SumFeature(key, literals, context, one)
                one.sums.append(total)
                return total

    def _source_of(self, rank: Rank) -> RankSource:
        order = attrs.evolve(rank, count=1, percent=False, ties=False)
        if order not in self._sources:
            self._sources[order] = RankSource(order, self._context, self._matcher, self._ripple.spill)
        return self._sources[order]

    def loose_feature(self, key: FeatureKey, literal: Predicate) -> Feature:
        """Return a feature of one literal that the plan does not know; what it says is worked out from the facts."""
        loose: dict[tuple[str, Predicate | None], Series] = {}
        feature = self._feature(key, [literal], loose)
        feature.is_loose = True
        for one in loose.values():
            one.cut()
        return feature

    def _series_in(
        self, series: dict[tuple[str, Predicate | None], Series], event: str, where: Predicate | None
    ) -> Series:
        one = series.get((event, where))
        if one is None:
            one = series[event, where] = Series(event, where, self._context)
        return one

    def _watch(self, watcher: Watcher) -> None:
        """Let a watcher see the changes that it reads."""
        self.watchers.append(watcher)
        self._entered = None
        if watcher.is_timed:
            watcher.group = self._deadlines.register(watcher, self)
            self._groups.append(watcher.group)
        if isinstance(watcher, Series):
            self.routes.setdefault(watcher.event, EventRoute()).add(watcher)
            return
        if isinstance(watcher, RankSource):
            name = self.table.name
            readings = [reading for part in watcher.parts for reading in readings_of(part, name, self._schema)]
            self._ripple.register(watcher, self._matcher, readings)
            return
        assert isinstance(watcher, Feature)
        if isinstance(watcher, BooleanFeature) and watcher.others:
            self._ripple.register(watcher, self._matcher, watcher.others)
        for name in watcher.attributes:
            self.by_attribute.setdefault(name, []).append(watcher)
        for name in watcher.events:
            self.routes.setdefault(name, EventRoute()).features.append(watcher)


def _nothing_is_behind() -> None:
    """Do nothing: a plan outside an engine is at one instant."""


def _chooser(places: Sequence[int]) -> Callable[[Sequence[int]], Sequence[int]]:
    """Return a function that picks the items at some places."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda row: [row[place] for place in places]


def _fits_a_row(feature: Feature) -> bool:
    if isinstance(feature, SetFeature | PointFeature):
        return False
    is_open = isinstance(feature, TextFeature) and isinstance(feature.key, TextKey) and not feature.key.closed
    if is_open:
        return len(feature.literals) <= _MOST_OPEN_LITERALS
    return len(feature.truths) < 2**16

"""The features over events: the age of the nth newest one, and the sum of a property in a window.

`count(purchase in the last 30 days) >= 3` says that the third newest purchase is younger than 30
days. So counts need no counter: `NthFeature(n)` has the age of the nth newest matching event cut at
the windows in use. Sums over a window are added up from the events in it, which are few; integers and
decimals exactly, doubles correctly rounded.

What they read of an object, and when they move, is the business of their series (`_series`).
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Collection, Sequence
from itertools import accumulate
from math import fsum, inf
from typing import TYPE_CHECKING, Any, Final

from segmentkit.dsl import _numbers
from segmentkit.dsl.predicates import Predicate, Relative
from segmentkit.index import _cells
from segmentkit.index._clauses import NthKey, SumKey
from segmentkit.index._events import MISSING_WORD, DecimalCodec, NumberCodec, doubles_in, integer_of
from segmentkit.index._features import MISSING, Context, Feature

if TYPE_CHECKING:
    from segmentkit.index._series import Series

NEVER: Final = 2**62
"""An instant that does not come, and a length that no window reaches."""

FAR: Final = 2**61
"""An instant beyond this is never, be it a sum with `NEVER`."""


class NthFeature(Feature):
    """The age of the nth newest event of a series, cut at the windows of its literals.

    `edges` are the cuts, so padded that the number of edges up to an age is its cell, and that the
    edge of that number is the next one that the age will reach.
    """

    is_timed = True

    def __init__(self, key: NthKey, literals: Sequence[Predicate], context: Context, series: Series) -> None:
        super().__init__(key, literals, context)
        self.events = frozenset((key.event,))
        self.index, self.least = (-key.n, key.n) if key.n > 0 else (-1 - key.n, -key.n)
        """Where the event stands among the matching ones, and how many of them that takes."""
        self.series = series
        cuts = _cells.age_cuts(literals)
        self.truths = _cells.truths_of_ages(literals, cuts)
        self.edges = [-NEVER, -NEVER, *cuts, NEVER]

    def cell(self, number: int, now: int) -> int:
        ats = self.series.visible(number, now)
        return MISSING if len(ats) < self.least else bisect_right(self.edges, now - ats[self.index])


class SumFeature(Feature):
    """The sum of a property over the events of a series in one window, cut at the totals of its literals."""

    is_timed = True

    def __init__(self, key: SumKey, literals: Sequence[Predicate], context: Context, series: Series) -> None:
        super().__init__(key, literals, context)
        aggregate = key.aggregate
        assert aggregate.property is not None
        self.events = frozenset((aggregate.events.name,))
        window = aggregate.events.window
        self.length = window.duration.micros if isinstance(window, Relative) else NEVER
        self.series = series
        events = context.table.events[aggregate.events.name]
        self.offset = events.position[aggregate.property.name]
        codec = events.codecs[self.offset - 2]
        self.is_double = isinstance(codec, NumberCodec)
        self.totals_from = _totals_of_doubles if self.is_double else _totals_of_integers
        domain = _cells.Domain(codec.scale if isinstance(codec, DecimalCodec) else None, is_double=self.is_double)
        self._cutter = _cells.cut_aggregate(domain, literals, context.zone)
        self.edges = [-inf, -inf, *self._cutter.cuts]
        """The cuts, so padded that the number of edges up to a sum is its cell."""
        self.truths = self._cutter.truths()

    def recut(self) -> None:
        self._cutter.recut()
        self.edges[2:] = self._cutter.cuts  # in place: the series has the list too

    def cell(self, number: int, now: int) -> int:
        matching = self.series.matching(number)
        ats = matching.until(now)
        first = bisect_right(ats, now - self.length)
        total = self.totals_from(matching.words(self.offset)[: len(ats)], (first,))[first]
        return MISSING if total is None else bisect_right(self.edges, total)


def _totals_of_doubles(words: Sequence[int], firsts: Collection[int]) -> dict[int, Any]:
    """Return the sum of the doubles in `words` from each of some places on, rounded once; None is out of range."""
    doubles = array("d", array("q", words).tobytes())  # the word for missing is minus zero, which adds nothing
    try:
        return {first: fsum(doubles[first:]) + 0.0 for first in firsts}
    except OverflowError:
        return {first: _numbers.total(doubles_in(words[first:])) for first in firsts}


def _totals_of_integers(words: Sequence[int], firsts: Collection[int]) -> dict[int, Any]:
    """Return the sum of the integers in `words` from each of some places on."""
    if MISSING_WORD in words or type(words) is list:
        words = [0 if word == MISSING_WORD else integer_of(word) for word in words]
    if len(firsts) == 1:
        return {first: sum(words[first:]) for first in firsts}
    running = [0, *accumulate(words)]
    last = running[-1]
    return {first: last - running[first] for first in firsts}

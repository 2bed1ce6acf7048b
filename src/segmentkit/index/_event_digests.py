"""Digests of events: for each object two bytes that say about when its nth newest event was.

Who did something at least n times in a window, and who may have the sum that a filter asks for, is told by looking
through them instead of looking the event up for each object (`bench_filters`). Buckets of instants are equally
long, some minutes for events of a quarter; what is in the bucket of a window's edge is looked up.

A digest is made when somebody asks for it a second time, or of half of the objects, and only so many are kept.
Pages that are put together anew are digested again when the next one asks. A row outside of its page is never sure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from segmentkit.index._bulk_bitmaps import Array, packed
from segmentkit.index._bulk_events import BEGINNING, nth_newest
from segmentkit.index._digests import Told, longer, where
from segmentkit.index._event_rows import PAGE, PAGE_BITS, Page
from segmentkit.index._events import EventTable

_MOST_KEPT: Final = 32
_MOST_ASKED: Final = 1_024
_BEFORE: Final = 1
"""The bucket of instants before those that were there when the digest was made; 0 is that of too few events."""
_FIRST: Final = 2
_BITS: Final = 16  # of a bucket


class EventDigests:
    """The digests of the events of a table, each as right as its pages when it is asked for."""

    def __init__(self, events: Mapping[str, EventTable]) -> None:
        self._events = events
        self._known: dict[tuple[str, int], NewestDigest] = {}
        self._asked: dict[tuple[str, int], None] = {}

    def newest(self, name: str, n: int, n_left: int, n_objects: int, now: int) -> NewestDigest | None:
        """Return the digest of the nth newest events of a name; None if there is none yet, or some are yet to come.

        Args:
            name: of the events.
            n: which.
            n_left: for how many objects the question is.
            n_objects: of the table.
            now: the instant.

        Cost: one look at each object, when it is made; later, at those whose pages are new.
        """
        key = name, n
        if key not in self._known and key not in self._asked and 2 * n_left < n_objects:
            self._asked[key] = None
            if len(self._asked) > _MOST_ASKED:
                del self._asked[next(iter(self._asked))]
            return None
        digest = self._known.pop(key, None)
        if digest is None or not digest.renew(n_objects):
            digest = NewestDigest(self._events[name], n, n_objects)
        self._known[key] = digest  # as the last one
        if len(self._known) > _MOST_KEPT:
            del self._known[next(iter(self._known))]
        return digest if digest.latest <= now else None

    @property
    def nbytes(self) -> int:
        """Bytes of all digests."""
        return sum(digest.codes.nbytes for digest in self._known.values())


class NewestDigest:
    """The bucket of the instant of each object's nth newest event, future ones included."""

    def __init__(self, events: EventTable, n: int, n_objects: int) -> None:
        self._events = events
        self._n_words = n * events.stride
        self._serials: list[int] = []
        self.latest = BEGINNING
        """The last instant of all events."""
        self.codes = np.zeros(n_objects, np.uint16)
        found = [self._instants(page) for page in events.rows.pages]
        known = [ats[ats > BEGINNING] for ats in found]
        lows, highs = ([int(pick(ats)) for ats in known if len(ats)] for pick in (np.min, np.max))
        self._origin = min(lows, default=0)
        span = (max(highs, default=0) - self._origin) * 5 // 4  # with room for what is to come
        self._shift, self._last = max(0, span.bit_length() - _BITS), 2**_BITS - 1
        for index, ats in enumerate(found):
            self._write(index, ats)

    def _instants(self, page: Page) -> Array:
        """Return when the nth newest event of each object of a page was."""
        if not len(page.data):
            return np.zeros(0, np.int64)
        words, bounds = np.frombuffer(page.data, np.int64), np.frombuffer(page.bounds, np.int32)
        self.latest = max(self.latest, page.latest(self._events.stride))
        return nth_newest(words, bounds[:-1], bounds[1:], self._n_words)

    def _write(self, index: int, ats: Array) -> None:
        codes = np.clip((ats - self._origin >> self._shift) + _FIRST, _BEFORE, self._last)
        codes[ats == BEGINNING] = 0
        first = index << PAGE_BITS
        self.codes[first : first + PAGE] = 0
        self.codes[first : first + len(ats)] = codes
        self._serials[index : index + 1] = [self._events.rows.pages[index].serial]

    def renew(self, n_objects: int) -> bool:
        """Digest pages that are new; False if there are instants for which there is no bucket."""
        self.codes = longer(self.codes, n_objects)
        pages, serials = self._events.rows.pages, self._serials
        for index, page in enumerate(pages):
            if index == len(serials) or page.serial != serials[index]:
                ats = self._instants(page)
                if len(ats) and int(ats.max()) - self._origin >> self._shift >= self._last:
                    return False
                self._write(index, ats)
        return True

    def told(self, cuts: Sequence[int], truths: Sequence[int], missing: int) -> Told:
        """Return who may satisfy a condition.

        Args:
            cuts: ascending instants at which its truth may change.
            truths: of events before all of the cuts, from the first on, from the second on, and so on.
            missing: of objects with fewer events.
        """
        table, unsure = np.zeros(self._last + 1, bool), np.zeros(self._last + 1, bool)
        table[0] = missing
        reached = [(cut - self._origin >> self._shift) + _FIRST for cut in cuts if cut <= self.latest]
        buckets = [min(max(bucket, _BEFORE), self._last) for bucket in reached]
        for start, truth in zip([_BEFORE, *buckets], truths, strict=False):
            table[start:] = truth
        for bucket, before, after in zip(buckets, truths, truths[1:], strict=False):
            unsure[bucket] |= bool(before) != bool(after)
        may_hold = where(self.codes, (table | unsure).tobytes())
        doubted = where(self.codes, unsure.tobytes()) if unsure.any() else None
        outside = self._outside()
        if outside is None:
            return may_hold, doubted
        return may_hold | outside, outside if doubted is None else doubted | outside

    def _outside(self) -> Array | None:
        """Return the objects whose rows are outside of pages, of which the pages tell nothing; None for nobody."""
        rows = self._events.rows
        if not len(rows):
            return None
        found = np.zeros(len(self.codes), bool)
        found[np.fromiter(rows, np.int64, len(rows))] = True
        return packed(found)


__all__ = ["EventDigests", "NewestDigest"]

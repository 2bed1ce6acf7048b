"""Sequences of events in time: which chains there are, given the instants of each step.

The idea: go from step to step and keep the instants at which a chain can end. An event carries a
chain on if it lies after the end of some chain and not after the last instant that this chain's gap
allows. Of the chains that end before an event only the greatest of those last instants matters,
which is kept on the way, so that a step costs one pass over two sorted lists.

    did a then b within 2 days      a at 1, 5; b at 2, 4, 6 (days)
    the chains of a end at 1, 5 and last to 3, 7; so b at 2 and 6 carry on, and b at 4 does not
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

from segmentkit.dsl import _calendar
from segmentkit.dsl.predicates import Chain, Duration

__all__ = ["holds", "next_deadline"]

_NEVER = _calendar.MAX_INSTANT + 1
"""After every event, and an instant that no clock reaches."""


def holds(chain: Chain, instants: Sequence[Sequence[int]], now: int, zone: str) -> bool:
    """Return whether the chain holds at `now`.

    Args:
        chain: what to look for.
        instants: for each step those of its events that have happened, sorted.
        now: microseconds since 1970 UTC.
        zone: in which gaps of months are taken.
    """
    if not chain.absent:
        return bool(_ends(chain, instants, zone))
    return any(over <= now for over in _silences(chain, instants, zone))


def next_deadline(chain: Chain, instants: Sequence[Sequence[int]], now: int, zone: str) -> int:
    """Return the first instant after `now` at which a gap is over without an event, if none comes."""
    if not chain.absent:
        return _NEVER
    return min((over for over in _silences(chain, instants, zone) if over > now), default=_NEVER)


def _ends(chain: Chain, instants: Sequence[Sequence[int]], zone: str) -> Sequence[int]:
    """Return the instants at which chains of all given steps end, sorted."""
    ends = instants[0]
    for step, found in zip(chain.steps[1:], instants[1:], strict=False):
        ends = _carried_on(ends, found, _last_instant(step.within, zone))
    return ends


def _silences(chain: Chain, instants: Sequence[Sequence[int]], zone: str) -> Iterator[int]:
    """Yield, for each chain of the other steps that the last one does not follow, when its gap is over.

    Without a gap that is at once: so far nothing has followed.
    """
    within, answers = chain.steps[-1].within, instants[-1]
    last_instant = _last_instant(within, zone)
    for end in _ends(chain, instants[:-1], zone):
        last, position = last_instant(end), bisect_right(answers, end)
        if position == len(answers) or answers[position] > last:
            yield end if within is None else last


def _last_instant(within: Duration | None, zone: str) -> Callable[[int], int]:
    """Return what gives the last instant that the gap after an instant holds."""

    def last(at: int) -> int:
        moved = None if within is None else _calendar.shift(at, within, 1, zone)
        return _NEVER if moved is None else moved

    return last


def _carried_on(ends: Sequence[int], found: Sequence[int], last_instant: Callable[[int], int]) -> list[int]:
    """Return those of `found` that lie after one of `ends` and not after its last instant."""
    carried, position, last = [], 0, _calendar.MIN_INSTANT - 1
    for at in found:
        while position < len(ends) and ends[position] < at:
            # not the latest end alone: a month after 31 January, 1:00 is before a month after 30 January, 2:00
            last = max(last, last_instant(ends[position]))
            position += 1
        if at <= last:
            carried.append(at)
    return carried

"""Laws of slices: time that passes for some objects after others brings each of them what passing it whole does."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from hypothesis import given, strategies as st

import segmentkit as sk
from tests.aging import CONTACTS, DEALS, SCHEMA, START, closings, events, filters, together_from, updates
from tests.examples import PARTS

_NEVER = 10**9


deletions = st.sampled_from(CONTACTS).map(lambda who: sk.Delete("contact", who))
visits = st.tuples(
    st.integers(0, 90).map(lambda minutes: timedelta(minutes=minutes)), st.lists(events | updates, max_size=2)
)
"""How long after the slice before changes come, and which."""
steps = st.lists(
    st.tuples(
        st.integers(1, 30).map(lambda hours: timedelta(hours=hours)), st.lists(visits, max_size=4), st.booleans()
    ),
    min_size=1,
    max_size=3,
)


class Pair:
    """Two engines that are given the same changes at the same instants; one passes time in slices."""

    def __init__(self, least: int, few: int, objects: int) -> None:
        self._least, self._few, self._objects = least, few, objects
        self.clock = sk.ManualClock(START)
        self.sliced, self.whole = (sk.Engine(SCHEMA, clock=self.clock) for _ in range(2))
        self._told: list[list[sk.Delta]] = [[], []]
        for engine, told in zip((self.sliced, self.whole), self._told, strict=True):
            engine.subscribe(told.append)

    def do(self, operation: str, *arguments: Any, **named: Any) -> None:
        """Let both do the same; one of them goes from deadline to deadline."""
        for engine, least in ((self.sliced, self._least), (self.whole, _NEVER)):
            with together_from(least, self._few):
                getattr(engine, operation)(*arguments, **named)

    def pass_time(self, by: timedelta, between: Iterable[tuple[timedelta, list[Any]]], *, ends_early: bool) -> None:
        """Let time pass, for one of them in slices, with changes in between for both."""
        self.clock.advance(by)
        to = self.clock.now()
        slices = self.sliced.advance_in_slices(to=to, objects=self._objects)
        with together_from(1, self._few):
            next(slices, None)
        with together_from(_NEVER, self._few):
            self.whole.advance(to=to)
        for later, changes in between:
            self.clock.advance(later)
            self.do("apply", changes)
            with together_from(1, self._few):
                next(slices, None)
        if not ends_early:
            with together_from(1, self._few):
                list(slices)

    def compare(self) -> None:
        """See that both have the same members, and that each object has been told the same, in the same order."""
        for segment in self.sliced.segments():
            assert self.sliced.members(segment.name) == self.whole.members(segment.name).snapshot()
        self.sliced.check_invariants()
        self.sliced.advance()  # tells what looking has let catch up
        sliced, whole = self._told
        assert [delta.seq for delta in sliced] == list(range(1, len(sliced) + 1))
        assert by_object(sliced) == by_object(whole)


def by_object(deltas: Iterable[sk.Delta]) -> dict[str, list[Any]]:
    """Return what each object has been told: instants in order, and what flipped at each."""
    found: dict[str, list[Any]] = {}
    for delta in deltas:
        told = found.setdefault(delta.object, [])
        if not told or told[-1][0] != (delta.at, delta.cause):
            told.append(((delta.at, delta.cause), set()))
        told[-1][1].add((delta.segment, delta.entered))
    return found


@PARTS
@given(
    wheres=st.lists(filters, min_size=1, max_size=3),
    facts=st.lists(events | updates | closings, min_size=4, max_size=24),
    steps=steps,
    deleted=st.lists(deletions, max_size=1),
    least=st.sampled_from([1, _NEVER]),
    few=st.integers(0, 2),
    objects=st.integers(1, 3),
)
def test_slices_bring_each_object_what_passing_time_whole_brings(
    wheres: list[str],
    facts: list[Any],
    steps: list[Any],
    deleted: list[Any],
    least: int,
    few: int,
    objects: int,
) -> None:
    """Whatever changes come in between, however late, and whether or not the slices are taken to their end."""
    pair = Pair(least, few, objects)
    pair.do("define", "closed", on="deal", where="closes more than 2 hours ago")
    for number, where in enumerate(wheres):
        pair.do("define", f"s{number}", on="contact", where=where)
        pair.do("define", f"not s{number}", on="contact", where=f"not ({where})")
    pair.do("apply", [*(sk.Put("contact", who) for who in CONTACTS), *(sk.Put("deal", who) for who in DEALS)])
    pair.do("apply", facts)
    for place, (by, between, ends_early) in enumerate(steps):
        again = [(timedelta(0), [*deleted, sk.Put("contact", deleted[0].id)])] if place == 1 and deleted else []
        pair.pass_time(by, [*between, *again], ends_early=ends_early)
        pair.compare()
    assert pair.sliced.verify() == []

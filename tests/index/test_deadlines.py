"""Deadlines: found in the order of time, never late, whatever was moved meanwhile."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, strategies as st

from segmentkit.index._deadlines import Deadlines
from tests.examples import PARTS

HOUR = 3_600_000_000
FAR = 10**18
BUCKET = 2**32  # microseconds


class Watch:
    """A group of objects whose deadlines are what the test says."""

    def __init__(self, deadlines: Deadlines, name: str = "watch") -> None:
        self.deadlines = deadlines
        self.at: dict[int, int] = {}
        self.asked = 0
        self.number = deadlines.register(self, owner=name)

    def next_deadline(self, number: int, now: int) -> int | None:
        """Return the deadline of an object."""
        self.asked += 1
        at = self.at.get(number)
        return at if at is not None and at > now else None

    def move(self, number: int, new: int | None) -> None:
        """Give an object another deadline, or none."""
        old = self.at.pop(number, None)
        if new is not None:
            self.at[number] = new
        self.deadlines.move(self.number, number, old, new)


def due(deadlines: Deadlines, now: int, limit: int) -> list[tuple[int, Any, int]]:
    """Let time pass; return what came due: (instant, owner, object)."""
    found = []
    while (at := deadlines.next(now, limit)) is not None:
        now = at
        found += [(at, owner, number) for owner, number, _ in deadlines.pop(at)]
    return found


def due_together(deadlines: Deadlines, until: int) -> list[tuple[int, Any, int]]:
    """Let time pass for all together; return what came due, and what only might have."""
    found, waiting = [], []
    for owner, watch, numbers in deadlines.take_due(until):
        found += [(watch.at.get(number, until), owner, number) for number in numbers]
        later = {number: at for number in numbers if (at := watch.at.get(number, until)) > until}
        waiting.append((watch.number, np.array(list(later), np.int64), np.array(list(later.values()), np.int64)))
    deadlines.add_all(waiting)
    deadlines.drop_until(until)
    return found


def test_what_is_due_may_be_taken_out_together() -> None:
    """Buckets in whole, exact entries up to the instant; what goes back in comes due like any other."""
    deadlines = Deadlines()
    watch = Watch(deadlines)
    instants = [3, HOUR, BUCKET + 5, BUCKET + 6, 3 * BUCKET, 900 * HOUR]
    for number, at in enumerate(instants):
        watch.move(number, at)
    assert deadlines.n_due(BUCKET + 5, 100) == 4
    assert deadlines.end_of_stretch(900 * HOUR, 4) == 2 * BUCKET - 1
    assert deadlines.end_of_stretch(BUCKET, 100) == BUCKET
    assert [number for _, _, number in due_together(deadlines, BUCKET + 5)] == [0, 1, 2, 3]
    assert deadlines.next(BUCKET + 5, BUCKET + 5) is None
    assert deadlines.earliest == BUCKET + 6
    assert [number for _, _, number in due(deadlines, BUCKET + 5, 900 * HOUR)] == [3, 4, 5]


def test_what_comes_due_comes_in_the_order_of_time() -> None:
    """Near ones, far ones, ones of one bucket, in whatever order they were added."""
    deadlines = Deadlines()
    watch = Watch(deadlines)
    instants = [5 * HOUR, 3, 5 * HOUR - 1, 900 * HOUR, 2, 5 * HOUR + 1, 24 * HOUR]
    for number, at in enumerate(instants):
        watch.move(number, at)
    assert due(deadlines, 0, 1000 * HOUR) == sorted((at, "watch", number) for number, at in enumerate(instants))


def test_nothing_beyond_the_limit_comes_due() -> None:
    """One at the limit does, one a microsecond later waits."""
    deadlines = Deadlines()
    watch = Watch(deadlines)
    watch.move(1, 5 * HOUR)
    watch.move(2, 5 * HOUR + 1)
    assert due(deadlines, 0, 5 * HOUR - 1) == []
    assert due(deadlines, 5 * HOUR - 1, 5 * HOUR) == [(5 * HOUR, "watch", 1)]
    assert due(deadlines, 5 * HOUR, FAR) == [(5 * HOUR + 1, "watch", 2)]


def test_instants_before_1970_are_instants_like_others() -> None:
    """Negative microseconds keep their order."""
    deadlines = Deadlines()
    watch = Watch(deadlines)
    for number, at in enumerate([-1, -900 * HOUR, 0, -BUCKET]):
        watch.move(number, at)
    assert [at for at, _, _ in due(deadlines, -1000 * HOUR, 1)] == [-900 * HOUR, -BUCKET, -1, 0]


def test_entries_of_one_instant_come_together_by_group_and_object() -> None:
    """In the order of registration, then of numbers, each once."""
    deadlines = Deadlines()
    first, second = Watch(deadlines, "first"), Watch(deadlines, "second")
    for number in (3, 1, 2):
        second.move(number, HOUR)
        first.move(number, HOUR)
    found = [(owner, number) for _, owner, number in due(deadlines, 0, FAR)]
    assert found == [(owner, number) for owner in ("first", "second") for number in (1, 2, 3)]


def test_far_deadlines_are_not_worked_out_before_their_time() -> None:
    """A bucket asks for exact instants when it comes due, once for each object."""
    deadlines = Deadlines()
    watch = Watch(deadlines)
    for number in range(100):
        watch.move(number, 24 * HOUR + number)
    assert due(deadlines, 0, 20 * HOUR) == []
    assert watch.asked == 0
    assert (deadlines.statistics().exact, deadlines.statistics().coarse, deadlines.statistics().buckets) == (0, 100, 1)
    assert len(due(deadlines, 20 * HOUR, 24 * HOUR + 9)) == 10
    assert watch.asked == 100
    assert (deadlines.statistics().exact, deadlines.statistics().coarse) == (90, 0)


def test_an_entry_that_moved_comes_at_its_new_instant_alone() -> None:
    """Later or earlier, to another bucket or within its own, as long as it waits coarsely."""
    deadlines = Deadlines()
    watch = Watch(deadlines)
    for old, new in ((24 * HOUR, 48 * HOUR), (48 * HOUR, 12 * HOUR), (12 * HOUR, 12 * HOUR + 1)):
        watch.move(1, old)
        watch.move(1, new)
    assert due(deadlines, 0, FAR) == [(12 * HOUR + 1, "watch", 1)]


def test_an_entry_added_while_others_wait_exactly_comes_in_its_place() -> None:
    """Before, between and after those whose bucket is open already."""
    deadlines = Deadlines()
    watch = Watch(deadlines)
    for number, at in enumerate([10, 40, 70, 100]):
        watch.move(number, at)
    assert [at for at, _, _ in due(deadlines, 0, 10)] == [10]
    for number, at in enumerate([110, 50, 20, 80, 30], start=4):
        watch.move(number, at)
    assert deadlines.earliest <= 20
    assert [at for at, _, _ in due(deadlines, 10, FAR)] == [20, 30, 40, 50, 70, 80, 100, 110]


def test_an_entry_taken_back_does_not_come_due() -> None:
    """Its bucket comes up and finds nobody."""
    deadlines = Deadlines()
    watch = Watch(deadlines)
    watch.move(1, 24 * HOUR)
    watch.move(2, 24 * HOUR)
    watch.move(1, None)
    assert due(deadlines, 0, FAR) == [(24 * HOUR, "watch", 2)]
    watch.move(3, 48 * HOUR + FAR)
    watch.move(3, None)
    assert due(deadlines, FAR, 2 * FAR) == []


def test_a_dropped_group_never_comes_due() -> None:
    """Neither its exact nor its coarse entries, and nobody asks it."""
    deadlines = Deadlines()
    dropped, kept = Watch(deadlines, "dropped"), Watch(deadlines, "kept")
    for watch in (dropped, kept):
        watch.move(1, HOUR)
        watch.move(2, 24 * HOUR)
        watch.move(3, HOUR + 1)
    assert [owner for _, owner, _ in due(deadlines, 0, HOUR)] == ["dropped", "kept"]
    deadlines.unregister(dropped.number)
    asked = dropped.asked
    assert due(deadlines, HOUR, FAR) == [(HOUR + 1, "kept", 3), (24 * HOUR, "kept", 2)]
    assert dropped.asked == asked


def test_nothing_is_due_before_earliest() -> None:
    """It is the only thing to look at while nothing is due, so it may be early but never late."""
    deadlines = Deadlines()
    watch = Watch(deadlines)
    assert deadlines.earliest > FAR
    watch.move(1, 24 * HOUR)
    assert deadlines.earliest <= 24 * HOUR
    watch.move(2, HOUR)
    assert deadlines.earliest <= HOUR
    due(deadlines, 0, HOUR)
    assert HOUR < deadlines.earliest <= 24 * HOUR
    due(deadlines, HOUR, 24 * HOUR)
    assert deadlines.earliest > FAR


moves = st.tuples(
    st.just("move"),
    st.integers(0, 1),
    st.integers(0, 3),
    st.none() | st.sampled_from([1, 2, BUCKET - 1, BUCKET, BUCKET + 1, 3 * BUCKET, 9 * BUCKET]),
)
passing = st.tuples(
    st.sampled_from(["pass", "pass together"]), st.sampled_from([0, 1, 2, BUCKET - 1, BUCKET, 2 * BUCKET])
)


@PARTS
@given(st.lists(moves | passing, max_size=40))
def test_deadlines_are_a_sorted_table_in_which_some_rows_are_hints(steps: list[tuple[Any, ...]]) -> None:
    """What is due comes due at its exact instant, in order; what comes besides had been there before."""
    deadlines = Deadlines()
    watches = (Watch(deadlines, "a"), Watch(deadlines, "b"))
    ever: set[tuple[int, Any, int]] = set()
    now = 0
    for kind, *arguments in steps:
        if kind == "move":
            group, number, delay = arguments
            new = None if delay is None else now + delay
            watches[group].move(number, new)
            if new is not None:
                ever.add((new, "ab"[group], number))
            continue
        limit = now + arguments[0]
        expected = {
            (at, "ab"[group], number)
            for group, watch in enumerate(watches)
            for number, at in watch.at.items()
            if at <= limit
        }
        if kind == "pass":
            found = due(deadlines, now, limit)
            assert [at for at, _, _ in found] == sorted(at for at, _, _ in found)
            assert expected <= set(found) <= ever
        else:
            n_due = deadlines.n_due(limit, 1_000)
            candidates = {(name, number) for _, name, number in due_together(deadlines, limit)}
            assert {(name, number) for _, name, number in expected} <= candidates
            assert n_due >= len(candidates)
            assert deadlines.next(limit, limit) is None
        for watch in watches:
            watch.at = {number: at for number, at in watch.at.items() if at > limit}
        now = limit
        waiting = [at for watch in watches for at in watch.at.values()]
        assert not waiting or deadlines.earliest <= min(waiting)

"""Stays: what was recorded comes back as half-open intervals, and a batch can be taken back."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, strategies as st

from segmentkit.index._stay_log import Stay, StayLog
from tests.examples import PARTS


def log_of(*steps: tuple[str, int, int]) -> StayLog:
    """Return a log after some steps: ("enter" or "leave", number, at)."""
    log = StayLog()
    for name, number, at in steps:
        getattr(log, name)(number, at)
    return log


def was_inside(stays: list[Stay], at: int) -> bool:
    """Return whether one of the stays holds an instant."""
    return any(entered <= at and (left is None or at < left) for entered, left in stays)


def test_stays_are_half_open_and_the_last_one_may_be_open() -> None:
    """In order of time, each object its own, also before 1970."""
    log = log_of(("enter", 3, -50), ("enter", 4, 10), ("leave", 3, 20), ("enter", 3, 21), ("leave", 4, 30))
    assert log.stays(3) == [(-50, 20), (21, None)]
    assert log.stays(4) == [(10, 30)]
    assert log.stays(5) == []
    assert (log.is_inside(3), log.is_inside(4), log.is_inside(5)) == (True, False, False)


def test_a_stay_of_length_zero_has_not_been() -> None:
    """Changes of one instant may come in one batch, which flips nothing, or in several."""
    log = log_of(("enter", 1, 10), ("leave", 1, 10))
    assert (log.stays(1), log.is_inside(1)) == ([], False)
    log = log_of(("enter", 1, 5), ("leave", 1, 7), ("enter", 1, 10), ("leave", 1, 10))
    assert log.stays(1) == [(5, 7)]


def test_who_leaves_and_comes_back_at_one_instant_was_never_away() -> None:
    """However often within the instant, and with others between."""
    log = log_of(("enter", 1, 5), ("leave", 1, 10), ("enter", 2, 10), ("enter", 1, 10))
    assert log.stays(1) == [(5, None)]
    log.leave(1, 10)
    assert log.stays(1) == [(5, 10)]
    log.enter(1, 10)
    log.leave(1, 11)
    assert log.stays(1) == [(5, 11)]
    assert log.stays(2) == [(10, None)]
    log.check_invariants()


def test_members_at_an_instant_are_those_who_had_entered_and_not_yet_left() -> None:
    """An object is inside at the instant it enters and no longer at the one it leaves."""
    log = log_of(("enter", 1, 10), ("enter", 2, 20), ("leave", 1, 30), ("enter", 1, 40))
    ats = (9, 10, 19, 20, 29, 30, 39, 40, 10**12)
    found = {at: [number for number in (1, 2, 3) if was_inside(log.stays(number), at)] for at in ats}
    assert found == {
        9: [],
        10: [1],
        19: [1],
        20: [1, 2],
        29: [1, 2],
        30: [2],
        39: [2],
        40: [1, 2],
        10**12: [1, 2],
    }


def test_many_enter_at_one_instant() -> None:
    """As when a segment is defined; some leave later."""
    log = StayLog()
    log.enter_many(range(0, 1_000, 2), 10)
    for number in range(0, 1_000, 4):
        log.leave(number, 20)
    stays_by_rest: dict[int, list[Stay]] = {0: [(10, 20)], 1: [], 2: [(10, None)], 3: []}
    assert [log.stays(number) for number in range(1_000)] == [stays_by_rest[number % 4] for number in range(1_000)]


def test_a_dropped_object_was_never_there() -> None:
    """Its number may be given to another one; dropping a stranger does nothing."""
    log = log_of(("enter", 1, 10), ("leave", 1, 20), ("enter", 1, 30), ("enter", 2, 30))
    log.drop(1)
    log.drop(99)
    assert (log.stays(1), log.is_inside(1), log.stays(2)) == ([], False, [(30, None)])
    log.enter(1, 25)
    assert log.stays(1) == [(25, None)]
    log.check_invariants()


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([("leave", 1, 10)], "object 1 leaves at 10 and is not inside"),
        ([("enter", 1, 10), ("enter", 1, 11)], "object 1 enters at 11 and has been inside since 10"),
        ([("enter", 1, 10), ("leave", 1, 9)], "object 1 leaves at 9, before it entered at 10"),
        ([("enter", 1, 1), ("leave", 1, 9), ("enter", 1, 8)], "object 1 enters at 8, before it left at 9"),
    ],
)
def test_a_flip_that_cannot_be_is_a_bug_of_the_caller(steps: list[tuple[str, int, int]], message: str) -> None:
    """Twice in the same direction, or back in time."""
    with pytest.raises(AssertionError, match=message):
        log_of(*steps)


def test_a_batch_that_could_not_be_kept_is_taken_back() -> None:
    """New stays, ended ones, forgotten ones, continued ones and dropped ones."""
    log = log_of(("enter", 1, 10), ("enter", 2, 10), ("enter", 3, 10), ("leave", 3, 20), ("enter", 4, 20))
    log.commit()
    before = {number: log.stays(number) for number in range(6)}
    log.leave(1, 20)
    log.drop(2)
    log.enter(3, 20)
    log.leave(4, 20)
    log.enter(5, 30)
    log.enter(2, 30)
    log.leave(5, 40)
    log.rollback()
    assert {number: log.stays(number) for number in range(6)} == before
    log.check_invariants()


def test_a_batch_taken_back_leaves_nothing_behind() -> None:
    """However often the store refuses it."""
    log = log_of(("enter", 1, 10))
    log.commit()
    size = log.nbytes
    for _ in range(300):
        log.leave(1, 20)
        log.rollback()
    assert log.nbytes <= size + 100


def test_forgotten_entries_do_not_pile_up() -> None:
    """An object that comes and goes within instants leaves nothing, nor do those that are deleted."""
    log = StayLog()
    log.enter(0, 0)
    for at in range(1, 20_000):
        log.enter(1, at)
        log.leave(1, at)
        log.enter(2, at)
        log.drop(2)
        log.commit()
    assert log.nbytes < 50_000
    assert log.stays(0) == [(0, None)]
    log.check_invariants()


def test_a_log_takes_little_memory_for_few_and_for_many_members() -> None:
    """A segment of everybody: 20 bytes for each; one of a few among a million: 300 for each."""
    everybody, few = StayLog(), StayLog()
    everybody.enter_many(range(100_000), 10**15)
    assert everybody.nbytes < 20 * 100_000
    few.enter_many(range(0, 1_000_000, 1_000), 10**15)
    assert few.nbytes < 300 * 1_000
    few.enter_many(range(1, 1_000_000, 10), 10**15)
    assert few.nbytes < 60 * 101_000
    members = [number for number in range(1_000_000) if few.is_inside(number)]
    assert members == sorted({*range(0, 1_000_000, 1_000), *range(1, 1_000_000, 10)})


def test_a_dense_log_meets_an_object_far_away() -> None:
    """The places change their form and back, and nothing is lost."""
    log = StayLog()
    log.enter_many(range(100), 10)
    log.enter(10**6, 11)
    assert log.nbytes < 30_000
    log.enter_many(range(100, 60_000), 12)
    assert (log.stays(99), log.stays(10**6), log.stays(59_999)) == ([(10, None)], [(11, None)], [(12, None)])
    assert (log.stays(60_000), log.stays(10**7)) == ([], [])
    log.check_invariants()


class Plain:
    """The members at every instant, as sets."""

    def __init__(self) -> None:
        self.members_at: dict[int, frozenset[int]] = {}

    def at(self, at: int) -> frozenset[int]:
        return self.members_at[max((known for known in self.members_at if known <= at), default=at)]

    def stays(self, number: int, end: int) -> list[tuple[int, int | None]]:
        found: list[tuple[int, int | None]] = []
        entered = None
        for at in range(end + 1):
            inside = number in self.members_at.get(at, frozenset())
            if inside and entered is None:
                entered = at
            elif not inside and entered is not None:
                found.append((entered, at))
                entered = None
        return found if entered is None else [*found, (entered, None)]


numbers = st.integers(0, 3) | st.sampled_from([90, 10**6])
batches = st.tuples(
    st.integers(0, 2),
    st.lists(st.tuples(st.sampled_from(["flip", "flip", "flip", "drop"]), numbers), max_size=5),
    st.booleans(),
)


@PARTS
@given(st.lists(batches, max_size=25))
def test_stays_are_the_membership_as_a_function_of_time(batches: list[Any]) -> None:
    """Whatever flips, is dropped, kept or taken back: the stays are those of the members after each instant."""
    log, plain, now = StayLog(), Plain(), 0
    members: frozenset[int] = frozenset()
    plain.members_at[0] = members
    for delay, steps, is_kept in batches:
        at, inside, dropped = now + delay, set(members), set()
        for kind, number in steps:
            if kind == "drop":
                log.drop(number)
                dropped.add(number)
                inside.discard(number)
            elif number in inside:
                log.leave(number, at)
                inside.discard(number)
            else:
                log.enter(number, at)
                inside.add(number)
        log.check_invariants()
        if not is_kept:
            log.rollback()
            continue
        log.commit()
        for passed in range(now + 1, at + 1):
            plain.members_at[passed] = members
        plain.members_at = {known: others - dropped for known, others in plain.members_at.items()}
        now, members = at, frozenset(inside)
        plain.members_at[now] = members
    log.check_invariants()
    everybody = {0, 1, 2, 3, 90, 10**6}
    for number in everybody:
        assert log.stays(number) == plain.stays(number, now)
        assert log.is_inside(number) == (number in members)
    for at in range(now + 1):
        assert {number for number in everybody if was_inside(log.stays(number), at)} == plain.members_at[at]


def test_a_long_log_is_written_anew_without_losing_a_stay() -> None:
    """Thousands of flips, drops and batches taken back, against lists."""
    draw = random.Random(3)
    log = StayLog()
    stays: dict[int, list[tuple[int, int | None]]] = {number: [] for number in range(300)}
    at = 0
    for _ in range(300):
        before = {number: list(known) for number, known in stays.items()}
        for _ in range(40):
            at += 1
            number = draw.randrange(300)
            known = stays[number]
            if draw.random() < 0.3:
                log.drop(number)
                known.clear()
            elif known and known[-1][1] is None:
                log.leave(number, at)
                known[-1] = (known[-1][0], at)
            else:
                log.enter(number, at)
                known.append((at, None))
        if draw.random() < 0.2:
            log.rollback()
            stays = before
        else:
            log.commit()
    log.check_invariants()
    assert {number: log.stays(number) for number in range(300)} == stays
    assert log.nbytes < 60_000

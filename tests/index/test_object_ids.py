"""Ids that somebody holds stay what they were, whatever happens to the objects and their numbers."""

from __future__ import annotations

import gc

from hypothesis import given, strategies as st
from pyroaring import BitMap

from segmentkit.index._object_ids import Deleted, ObjectIds

STEPS = st.lists(st.tuples(st.sampled_from(["hold", "drop", "replace"]), st.integers(0, 4)), max_size=40)


@given(STEPS)
def test_held_ids_are_those_of_the_moment_of_holding(steps: list[tuple[str, int]]) -> None:
    deleted, ids = Deleted(), [f"first {number}" for number in range(5)]
    held: list[tuple[ObjectIds, list[str]]] = []
    for step, (kind, number) in enumerate(steps):
        if kind == "hold":
            held.append((deleted.hold(BitMap(range(number, 5)), ids), ids[number:]))
        elif kind == "drop" and held:
            del held[number % len(held)]
        else:
            deleted.note(number, ids[number])
            ids[number] = f"{number} of step {step}"
        for found, expected in held:
            assert list(found) == expected
            assert [found[place] for place in range(len(found))] == expected


def test_nothing_is_written_down_when_nobody_holds_ids() -> None:
    deleted, ids = Deleted(), ["a", "b"]
    held = deleted.hold(BitMap([0, 1]), ids)
    deleted.note(0, "a")
    del held
    gc.collect()
    assert deleted._last is not None
    assert deleted._last() is None

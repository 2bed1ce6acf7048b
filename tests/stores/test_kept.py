"""Records that are kept: the last ones, as they came, packed or not."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import pytest
from hypothesis import given, strategies as st

from segmentkit.index.deltas import Backfill, Record
from segmentkit.stores import _kept
from segmentkit.stores._kept import KeptRecords
from tests.examples import PARTS


class Head:
    """A segment, as far as a record needs one."""

    def __init__(self, name: str) -> None:
        self.name = name


HEADS = [[Head(f"{plan} {number}") for number in range(3)] for plan in "ab"]
LONG = [None] * 40_000 + [Head("far")]

records = st.one_of(
    st.builds(
        lambda at, object_type, object_id, flips, heads, cause: Record(
            0, at, object_type, object_id, tuple(flips), heads, cause
        ),
        st.integers(-(2**60), 2**60),
        st.sampled_from(["contact", "deal"]),
        st.text(min_size=1, max_size=5),
        st.lists(st.sampled_from([0, 1, 2, ~0, ~1, ~2]), min_size=1, max_size=3, unique_by=lambda n: max(n, ~n)),
        st.sampled_from(HEADS),
        st.sampled_from(["event", "time"]),
    ),
    st.builds(lambda: Record(0, 5, "contact", "far", (40_000,), LONG, "put")),
    st.builds(
        lambda objects, entered: Backfill(0, 7, "contact", "segment", objects, entered, "load"),
        st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=3),
        st.booleans(),
    ),
)


@pytest.fixture(autouse=True, scope="module")
def _soon() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_kept, "_MANY", 4)
        yield


@PARTS
@given(st.integers(0, 12), st.lists(st.lists(records, max_size=6), max_size=8))
def test_the_last_records_are_kept_as_they_were(most: int, batches: list[list[Record | Backfill]]) -> None:
    """Packing shows in nothing: not in the records, not in how many there are, not from which number on."""
    kept, plain, seq = KeptRecords(most), deque[Record | Backfill](maxlen=most), 1
    for batch in batches:
        numbered = []
        for record in batch:
            numbered.append(record._replace(seq=seq))
            seq += record.n_deltas
        kept.extend(numbered)
        plain.extend(numbered)
        assert len(kept) == len(plain)
        assert list(kept.since(0)) == list(plain)
        assert kept.first == (plain[0] if plain else None)
        for after in range(seq + 1):
            expected = [record for record in plain if record.seq + record.n_deltas - 1 > after]
            assert [r for r in kept.since(after) if r.seq + r.n_deltas - 1 > after] == expected


def test_what_was_asked_for_stays_what_it_was() -> None:
    """Records that come or go later do not show in it."""
    kept = KeptRecords(3)
    one = Record(1, 0, "contact", "c", (1,), HEADS[0], "put")
    kept.extend([one])
    asked = kept.since(0)
    for seq in range(2, 20):
        kept.extend([one._replace(seq=seq)])
    assert list(asked) == [one]


def test_packed_records_take_a_fraction() -> None:
    """A few words and the id, instead of several objects."""
    kept = KeptRecords(1_000)
    kept.extend([Record(n, n, "contact", f"contact-{n}", (1, 2), HEADS[0], "put") for n in range(1, 1_001)])
    assert kept.nbytes < 60 * 1_000

"""Bitmaps made from bitsets hold the same numbers, whatever kind of container that takes."""

from __future__ import annotations

import numpy as np
import pytest
from pyroaring import BitMap

import segmentkit as sk
from segmentkit.index._bulk_bitmaps import BLOCK, bitmap_of, container, count_of, packed, truths_in, unpacked
from segmentkit.index._bulk_facts import n_cuts_until


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.06, 0.07, 0.5, 1.0])
@pytest.mark.parametrize("size", [1, 63, 64, 65, BLOCK])
def test_a_container_holds_what_the_bitset_says(share: float, size: int) -> None:
    truths = np.random.default_rng(1).random(size) < share
    bits = packed(truths)
    assert (unpacked(bits, size) == truths).all()
    assert count_of(bits) == truths.sum()
    n_set, data = container(bits)
    bitmap = bitmap_of([(3, n_set, data)] if n_set else [])
    assert bitmap == BitMap((np.flatnonzero(truths) + 3 * BLOCK).astype(np.uint32))
    assert (truths_in(bitmap, 3 * BLOCK, 3 * BLOCK + size) == truths).all()


def test_cuts_outside_of_machine_words_count_like_any_other() -> None:
    values = np.array([-(2**63), 0, 2**63 - 1])
    few, many = [-(2**70), -(2**63), 1, 2**63], [-(2**70), *range(1, 40), 2**63]
    assert n_cuts_until(values, few).tolist() == [2, 2, 3]
    assert n_cuts_until(values, many).tolist() == [1, 1, 40]


def test_members_are_right_across_blocks_and_without_deleted_objects() -> None:
    engine = sk.Engine(sk.Schema(sk.ObjectType("contact", {"orders": sk.integer})))
    size = 2 * BLOCK + 100
    engine.define("few", on="contact", where="orders >= 98")
    engine.load("contact", {"id": [f"c{i}" for i in range(size)], "orders": np.arange(size) % 100})
    for number in (0, 98, BLOCK + 1, size - 1):
        engine.delete("contact", f"c{number}")
    engine.define("most", on="contact", where="not orders >= 98")
    few = {f"c{i}" for i in range(size) if i % 100 >= 98} - {"c98", f"c{size - 1}"}
    assert set(engine.members("few")) == few
    assert len(engine.members("most")) == size - 4 - len(few)
    assert engine.preview(on="contact", where="orders >= 98").count == len(few)

"""Digests that are easy to get wrong in ways that random filters seldom show."""

from __future__ import annotations

import numpy as np
import pytest

import segmentkit as sk
from segmentkit.index import _digests, _matcher, _plan
from segmentkit.index._columns import column_for
from segmentkit.index._digests import OrderedDigest


def test_cells_of_a_column_of_many_texts_follow_its_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts that change, come and go between two looks, and codes that are used again."""
    monkeypatch.setattr(_digests, "_MOST_CODES", 1)
    monkeypatch.setattr(_plan, "BULK_FROM", 1)
    monkeypatch.setattr(_matcher, "_FEW_FILTERS", 0)
    engine = sk.Engine(sk.Schema(sk.ObjectType("contact", {"email": sk.text})))
    engine.load("contact", {"id": list("abcd"), "email": ["1@x", "2@x", "3@y", None]})
    segment = engine.define("At x", on="contact", where='email ends with "@x"')
    matcher, table = engine._matchers["contact"], engine._tables["contact"]

    def selected() -> list[str]:
        (found,) = matcher.select_all([segment], engine._now)
        return sorted(table.named(found))

    assert selected() == ["a", "b"]
    engine.apply([sk.Update("contact", "a", {"email": "1@y"}), sk.Update("contact", "d", {"email": "4@x"})])
    assert selected() == ["b", "d"]
    engine.delete("contact", "b")
    engine.put("contact", "e", email="5@y")
    engine.put("contact", "f", email="6@x")
    assert selected() == sorted(engine.members("At x")) == ["d", "f"]


@pytest.mark.parametrize("values", [[None], [3], [None, 5, 5, 7]])
def test_few_values_have_a_digest_that_tells_them_exactly(values: list[int | None]) -> None:
    column = column_for(sk.integer, lambda: None)
    for number, value in enumerate(values):
        column.append()
        column.set(number, value)
    told, unsure = OrderedDigest(column).told([5], bytes([0, 1]), 1)  # type: ignore[arg-type]
    expected = [value is None or value >= 5 for value in values]
    assert np.unpackbits(told.view(np.uint8), bitorder="little")[: len(values)].astype(bool).tolist() == expected
    assert unsure is None or 5 not in values

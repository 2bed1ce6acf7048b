"""Plain English is a text that people read: kept whole in a file, and reviewed there."""

from __future__ import annotations

import pytest

import segmentkit as sk
from tests.forms.shop import FILTERS, SHOP
from tests.snapshots.compare import assert_matches, names

FILE = "english.txt"


@pytest.mark.parametrize("text", FILTERS)
def test_each_filter_reads_like_this(text: str) -> None:
    assert_matches(FILE, text, sk.to_english(sk.parse(text, SHOP, on="contact"), on="contact"))


def test_the_file_has_these_filters_and_no_others() -> None:
    assert names(FILE) == set(FILTERS)
    assert len(FILTERS) >= 60


def test_a_sentence_may_begin_with_the_condition() -> None:
    assert sk.to_english(sk.parse("orders > 4", SHOP, on="contact")) == "Orders is more than 4."


def test_long_texts_and_lists_are_cut_short_and_stay_on_one_line() -> None:
    values = ", ".join(f'"{n}"' for n in range(100))
    sentence = sk.to_english(sk.parse(f'country in ({values}) or email = "{"x" * 500}\\n"', SHOP, on="contact"))
    assert "or 80 more" in sentence
    assert "\n" not in sentence
    assert len(sentence) < 400

"""Numbers of up to a thousand digits: every form can say them, and doubles are not asked to hold them."""

from __future__ import annotations

import pytest

from segmentkit import dsl, forms
from segmentkit.dsl.evaluate import DictFacts, evaluate
from segmentkit.errors import FilterSyntaxError, FilterTypeError
from tests.dsl import shop


@pytest.mark.parametrize(
    "value",
    ["9" * 1_000, "9" * 1_000 + ".0", "0." + "0" * 998 + "1", "9" * 998 + ".5", "0" * 5_000 + "1", "0.1" + "0" * 5_000],
    ids=["whole", "with a point", "small", "with a place", "zeros before", "zeros behind"],
)
def test_the_longest_numbers_are_written_and_read_again(value: str) -> None:
    tree = dsl.parse(f"ltv > {value} and orders < {value}", shop.SCHEMA, on="contact")
    assert dsl.parse(dsl.format(tree), shop.SCHEMA, on="contact") == tree
    assert forms.from_json(forms.to_json(tree), shop.SCHEMA, "contact") == tree


@pytest.mark.parametrize("value", ["9" * 1_001, "9" * 999 + ".5", "0." + "0" * 997 + "12"])
def test_longer_ones_are_refused(value: str) -> None:
    with pytest.raises(FilterSyntaxError, match="more than 1,000 digits"):
        dsl.parse(f"ltv > {value}", shop.SCHEMA, on="contact")


def test_a_distance_of_many_digits_is_everywhere() -> None:
    """A double does not hold it, but nothing on Earth is as far."""
    tree = dsl.parse(f"location within {'9' * 1_000} km of (0, 0)", shop.SCHEMA, on="contact")
    facts = DictFacts({"location": (90.0, 0.0)}, {})
    assert evaluate(tree, facts, 0, "UTC")


def test_a_duration_of_many_digits_is_too_long() -> None:
    with pytest.raises(FilterTypeError, match="longer than 10,000 years"):
        dsl.parse(f"signup more than {'9' * 1_000} days ago", shop.SCHEMA, on="contact")

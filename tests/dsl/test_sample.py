"""Samples: numbers that never change."""

from __future__ import annotations

import hashlib
import itertools

import pytest

import segmentkit as sk
from segmentkit.dsl._sample import sample
from segmentkit.dsl.evaluate import DictFacts, value_of
from segmentkit.dsl.predicates import Sample


@pytest.mark.parametrize(
    ("salt", "object_id", "number"),
    [
        ("spring", "customer-17", 0.4381774803643488),
        ("", "", 0.7891985391709461),
        ("a", "bc", 0.22496281702953225),
        ("ab", "c", 0.2603763155528295),
        ("ß", "łódź", 0.4566974086957494),
    ],
)
def test_the_numbers_are_fixed_for_ever(salt: str, object_id: str, number: float) -> None:
    """A release that changes one of these moves people between the arms of running experiments."""
    assert sample(salt, object_id) == number
    assert value_of(Sample(salt), DictFacts(object_type="contact", object_id=object_id), 0, "UTC") == number


def test_the_definition_can_be_followed_elsewhere() -> None:
    """The bytes that are hashed, written out."""
    digest = hashlib.blake2b(b"\0\0\0\0\0\0\0\x06springcustomer-17", digest_size=8).hexdigest()
    assert sample("spring", "customer-17") == (int(digest, 16) >> 11) / 2**53


def test_numbers_are_spread_evenly_and_salts_are_independent() -> None:
    """Of 20,000 ids a tenth is in each tenth, and of these a tenth in each tenth of another salt."""
    pairs = [(sample("a", str(n)), sample("b", str(n))) for n in range(20_000)]
    assert all(0 <= number < 1 for pair in pairs for number in pair)
    for low, other in itertools.product(range(10), repeat=2):
        found = sum(int(a * 10) == low and int(b * 10) == other for a, b in pairs)
        assert 140 <= found <= 260  # 200 expected; four standard deviations


def test_a_sample_grows_with_its_share_and_outlives_the_facts() -> None:
    """Whoever is in the tenth is in the fifth, and stays there whatever happens to them."""
    schema = sk.Schema(sk.ObjectType("contact", {"orders": sk.integer}))
    engine = sk.Engine(schema)
    engine.define("tenth", on="contact", where='sample("spring") < 0.10')
    engine.define("fifth", on="contact", where='sample("spring") < 0.20')
    ids = [f"customer-{n}" for n in range(500)]
    engine.apply([sk.Put("contact", object_id) for object_id in ids])
    tenth, fifth = set(engine.members("tenth")), set(engine.members("fifth"))
    assert tenth == {object_id for object_id in ids if sample("spring", object_id) < 0.10}
    assert 20 < len(tenth) < len(fifth) < 150
    assert tenth < fifth
    assert not engine.apply([sk.Update("contact", object_id, {"orders": 1}) for object_id in ids])
    engine.apply([sk.Delete("contact", object_id) for object_id in ids])
    engine.apply([sk.Put("contact", object_id) for object_id in reversed(ids)])
    assert set(engine.members("tenth")) == tenth
    engine.check_invariants()

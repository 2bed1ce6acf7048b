"""Many patterns over one text, tried together: as the evaluator says of each alone."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import segmentkit as sk
from segmentkit.dsl.evaluate import DictFacts, evaluate
from segmentkit.dsl.predicates import Attribute, Not, Predicate, TextTest

MAIL = Attribute("mail", sk.text)
_TEXTS = ("", "a", "ab", "abc", "ba", "b", "A", "aba", "caba", "ż", "aż")


def test_an_open_text_satisfies_the_patterns_that_the_evaluator_says() -> None:
    """Beginnings, ends and parts of all lengths, several at once, negated, ignoring case; and for no text."""
    rng = random.Random(2)
    filters: list[Predicate] = []
    for _ in range(40):
        patterns = tuple(rng.sample(_TEXTS[1:], rng.randint(1, 3)))
        test = TextTest(rng.choice(("contains", "starts with", "ends with")), MAIL, patterns, rng.random() < 0.2)
        filters.append(Not(test) if rng.random() < 0.3 else test)
    engine = sk.Engine(
        sk.Schema(sk.ObjectType("contact", {"mail": sk.text})), clock=sk.ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
    )
    for number, where in enumerate(filters):
        engine.define(f"s{number}", on="contact", where=where)
    engine.put("contact", "c")
    for value in [*_TEXTS, None, *rng.choices(_TEXTS, k=30)]:
        engine.update("contact", "c", mail=value)
        expected = {f"s{n}" for n, f in enumerate(filters) if evaluate(f, DictFacts({"mail": value}, {}), 0, "UTC")}
        assert set(engine.segments_of("contact", "c")) == expected, f"with {value!r}"
    engine.check_invariants()

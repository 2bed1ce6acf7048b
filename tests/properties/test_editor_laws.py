"""Laws of completion: it never fails, what it offers can be read, and it offers what people write."""

from __future__ import annotations

from random import Random

from hypothesis import given, note, strategies as st

from segmentkit import dsl
from segmentkit.dsl import predicates as p
from segmentkit.dsl._parse import language
from segmentkit.dsl._scan import scan
from segmentkit.editor import Completion, complete
from tests.dsl.shop import SCHEMA
from tests.examples import FORMS
from tests.properties.test_language_laws import cases
from tests.strategies import World

PIECES = (
    "orders", "plan", "company", "purchase", "did", "not", "and", "or", "(", ")", "[", "]", ".", ",", "=", ">", "in",
    "the", "last", "3", "days", '"free"', '"', "`", "#", "between", "is", "missing", "has", "any", "of", "sum", "then",
    "within",
    "at", "least", "times", "ago", "\n", "2026-01-01", "$x", "top", "segment", "zone", "%", "é", "\ud800", "1e5", "-",
)  # fmt: skip


@FORMS
@given(st.lists(st.sampled_from(PIECES), max_size=25), st.integers(0, 120))
def test_completion_never_fails(pieces: list[str], position: int) -> None:
    """Whatever the text, completions come back, and each takes the place of something at the cursor."""
    text = " ".join(pieces)
    for completion in complete(text, position, SCHEMA, "contact", segments=["A"]):
        start, end = completion.replaces
        assert 0 <= start <= min(position, len(text)) <= end <= len(text)


@FORMS
@given(st.text(max_size=60), st.integers(0, 60))
def test_completion_never_fails_on_any_text(text: str, position: int) -> None:
    """Nor on text that is no filter at all."""
    complete(text, position, SCHEMA, "contact")


def can_be_read(text: str) -> bool:
    """Whether lark's own parser takes all tokens of a text."""
    from lark import UnexpectedToken

    compiled = language()
    parser = compiled.begin()
    try:
        for token in scan(text).tokens:
            compiled.feed(parser, token)
    except UnexpectedToken:
        return False
    return True


@FORMS
@given(cases(), st.integers(0, 2), st.randoms(use_true_random=False))
def test_what_is_offered_can_be_read(case: tuple[World, p.Predicate], kept: int, chance: Random) -> None:
    """At the words of a filter: what is offered there, put in its place, is read by the parser."""
    world, tree = case
    text = dsl.format(tree)
    tokens = scan(text).tokens
    for token in chance.sample(tokens, min(2, len(tokens))):
        position = min(token.start + kept, token.end)
        for offer in complete(text[:position], position, world.schema, "contact"):
            filled = text[: offer.replaces[0]] + offer.text
            assert can_be_read(filled), filled


FUTURE = {"next"}
"""Windows of events that lie ahead hold nothing, so they are not offered."""


def is_among(word: str, offers: list[Completion]) -> bool:
    return any(offer.text == word or offer.text.startswith((f"{word} ", f"{word}(")) for offer in offers)


@FORMS
@given(cases(), st.randoms(use_true_random=False))
def test_what_people_write_is_offered(case: tuple[World, p.Predicate], chance: Random) -> None:
    """At the beginning of nearly every word of a filter, that word is offered."""
    world, tree = case
    text = dsl.format(tree)
    words = [token for token in scan(text).tokens if token.kind in ("word", "backticked")]
    words = chance.sample(words, min(10, len(words)))
    missing = [
        token.text
        for token in words
        if token.text not in FUTURE and not is_among(token.text, complete(text, token.start, world.schema, "contact"))
    ]
    note(text)
    assert len(missing) <= 1 + len(words) // 10, missing

"""Sequences of events, compared with every choice of events there is, instant by instant."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from segmentkit import values as types
from segmentkit.dsl import _calendar, _chains, format as render, parse
from segmentkit.dsl._horizon import next_change
from segmentkit.dsl.evaluate import DictFacts, EventFact, evaluate
from segmentkit.dsl.predicates import Chain, Duration, Events, Relative, Step
from segmentkit.errors import LimitError
from segmentkit.schema import ObjectType, Schema
from segmentkit.values import to_micros
from tests.dsl.shop import read
from tests.examples import PARTS

SECOND = 1_000_000
NAMES = ("a", "b")
LENGTHS = (Duration(0, "second"), Duration(1, "second"), Duration(2, "second"), Duration(5, "second"))


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    """Sequences of two to four steps over two kinds of events, with gaps of a few seconds."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=4))
    gaps = [draw(st.sampled_from((None, *LENGTHS))) for _ in names]
    steps = tuple(
        Step(Events(name), gap if place else None) for place, (name, gap) in enumerate(zip(names, gaps, strict=True))
    )
    window = draw(st.sampled_from((None, None, Relative("last", Duration(6, "second")))))
    return Chain(steps, draw(st.booleans()), window)


def events() -> st.SearchStrategy[dict[str, list[int]]]:
    """Instants of a few events, in seconds; some of them are shared."""
    return st.fixed_dictionaries({name: st.lists(st.integers(0, 12), max_size=5) for name in NAMES})


def facts_of(seconds_by_name: dict[str, list[int]]) -> DictFacts:
    return DictFacts(
        {},
        {
            name: [EventFact(second * SECOND, f"{name}{place}", {}) for place, second in enumerate(seconds)]
            for name, seconds in seconds_by_name.items()
        },
    )


def by_trying(chain: Chain, seconds_by_name: dict[str, list[int]], now: int) -> bool:
    """Say what the language says, in seconds, by trying every choice of one event for each step."""

    def is_there(second: int) -> bool:
        return second <= now and (chain.window is None or now - 6 < second)

    def follows(earlier: int, later: int, gap: Duration | None) -> bool:
        return earlier < later and (gap is None or later <= earlier + gap.count)

    steps = chain.steps[:-1] if chain.absent else chain.steps
    found = [[second for second in seconds_by_name[step.events.name] if is_there(second)] for step in steps]
    for choice in itertools.product(*found):
        pairs = zip(itertools.pairwise(choice), steps[1:], strict=True)
        if not all(follows(earlier, later, step.within) for (earlier, later), step in pairs):
            continue
        if not chain.absent:
            return True
        end, last = choice[-1], chain.steps[-1]
        answers = [second for second in seconds_by_name[last.events.name] if is_there(second)]
        is_over = last.within is None or end + last.within.count <= now
        if is_over and not any(follows(end, answer, last.within) for answer in answers):
            return True
    return False


@PARTS
@given(chains(), events(), st.integers(0, 30))
def test_a_chain_is_some_choice_of_events(chain: Chain, seconds: dict[str, list[int]], now: int) -> None:
    """A sequence holds exactly if trying every choice of events finds one in order and within the gaps."""
    assert evaluate(chain, facts_of(seconds), now * SECOND, "UTC") == by_trying(chain, seconds, now)


@PARTS
@given(chains(), events())
def test_the_horizon_finds_every_flip(chain: Chain, seconds: dict[str, list[int]]) -> None:
    """Going from one horizon to the next finds what looking at every second finds."""
    facts, end = facts_of(seconds), 25
    seen = [evaluate(chain, facts, second * SECOND, "UTC") for second in range(-1, end)]
    expected = [
        (second * SECOND, after) for second, (before, after) in enumerate(itertools.pairwise(seen)) if before != after
    ]
    walked, instant, holds = [], -SECOND, seen[0]
    while (upcoming := next_change(chain, facts, instant, "UTC")) is not None and upcoming < end * SECOND:
        assert upcoming > instant
        instant = upcoming
        if evaluate(chain, facts, instant, "UTC") != holds:
            holds = not holds
            walked.append((instant, holds))
    assert walked == expected


def test_months_go_by_the_best_of_all_ends_and_not_by_the_latest() -> None:
    """30 January, 2:00 lasts to 28 February, 2:00; 31 January, 1:00 only to 1:00 of that day."""
    chain = Chain((Step(Events("a")), Step(Events("b"), Duration(1, "month"))))
    first, second, answer = (
        to_micros(datetime(2026, *fields, tzinfo=UTC)) for fields in ((1, 30, 2), (1, 31, 1), (2, 28, 2))
    )
    assert _calendar.shift(second, Duration(1, "month"), 1, "UTC") < answer
    assert _chains.holds(chain, [[first, second], [answer]], answer, "UTC")
    assert not _chains.holds(chain, [[second], [answer]], answer, "UTC")


@pytest.mark.parametrize("absent", [False, True])
def test_a_gap_beyond_the_calendar_never_ends(absent: bool) -> None:
    """The gap holds every event there can be, and what did not happen is never known."""
    chain = Chain((Step(Events("a")), Step(Events("b"), Duration(9_000, "year"))), absent)
    assert _chains.holds(chain, [[0], [5]], 5, "UTC") is not absent
    assert not _chains.holds(chain, [[0], []], _calendar.MAX_INSTANT, "UTC")
    assert _chains.next_deadline(chain, [[0], []], 0, "UTC") > _calendar.MAX_INSTANT


def test_did_not_turns_the_whole_sequence_around() -> None:
    assert read("did not visit then purchase") == read("not (did visit then purchase)")


def test_spellings_of_an_anchored_window_are_one_tree() -> None:
    """`within d after T` is `since T before T + d`."""
    assert read("did visit within 3 days after signup") == read("did visit since signup before signup + 3 days")
    assert read("did visit within 3 days before signup") == read("did visit since signup - 3 days before signup")


def _instants(n: int, step: int) -> Sequence[int]:
    return range(0, n * step, step)


@pytest.mark.parametrize("n", [1_000, 4_000])
def test_work_grows_with_the_events_and_not_with_their_square(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each end of a chain is moved by the gap once."""
    calls: list[Any] = []
    shift = _calendar.shift
    monkeypatch.setattr(_calendar, "shift", lambda *given: calls.append(given) or shift(*given))
    chain = Chain((Step(Events("a")), Step(Events("b"), Duration(1, "second")), Step(Events("a"))))
    _chains.holds(chain, [_instants(n, 10), _instants(n, 10), _instants(n, 10)], n * 10, "UTC")
    assert len(calls) <= 2 * n


def test_a_step_counts_as_a_condition() -> None:
    """A sequence has a limit like any filter, and one below it is read, printed and evaluated in a loop."""
    with pytest.raises(LimitError, match="more than 10,000 conditions"):
        read("did visit" + " then visit" * 10_000)
    tree = read("did visit" + " then visit within 1 day" * 5_000)
    assert read(render(tree)) == tree
    facts = DictFacts({}, {"visit": [EventFact(at, str(at), {}) for at in range(50)]})
    assert not evaluate(tree, facts, 1_000, "UTC")
    assert next_change(tree, facts, 1_000, "UTC") is None


def test_the_words_of_sequences_are_free_as_names() -> None:
    """A word is a keyword only where the grammar can take it."""
    names = ("within", "after", "before", "anniversary", "polygon", "matches", "sample", "days")
    schema = Schema(ObjectType("contact", dict.fromkeys(names, types.date), {"visit": {}}))
    for name in names:
        for text in (f"{name} anniversary today", f"did visit since {name}", f"did visit within 3 days after {name}"):
            tree = parse(text, schema, "contact")
            assert parse(render(tree), schema, "contact") == tree


def test_events_may_be_called_like_the_words_between_them() -> None:
    schema = Schema(ObjectType("contact", {}, {name: {} for name in ("within", "after", "steps", "last", "in")}))
    for text in (
        "did within then within within 3 days",
        "did after then not last within 3 days",
        "did steps then `in`",
    ):
        tree = parse(text, schema, "contact")
        assert parse(render(tree), schema, "contact") == tree

"""The language without an engine: text to checked tree, tree to text, and the plain evaluator.

python -m tests.benchmarks.bench_language [--segments 1000] [--contacts 200] [--seed 1]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import segmentkit as sk
from segmentkit.dsl.evaluate import Alone, EventFact, evaluate
from tests.benchmarks import host
from tests.benchmarks.measure import HEADING, row, say
from tests.benchmarks.oracle import holds
from tests.benchmarks.trees import make_segments, to_filter
from tests.benchmarks.workload import START_US, Happening, Workload

MODULE = "tests.benchmarks.bench_language"
R = TypeVar("R")


class Result(NamedTuple):
    """What a run found out, besides what it printed."""

    mismatches: int


class ContactFacts(Alone):
    """One contact of the workload as the evaluator wants to see it."""

    def __init__(self, attributes: dict[str, Any], happenings: Sequence[Happening]) -> None:
        self._attributes = attributes
        self._events: dict[str, list[EventFact]] = {}
        for number, (event, at, properties) in enumerate(happenings):
            self._events.setdefault(event, []).append(EventFact(at=at, id=f"{number:06}", properties=properties))

    def attribute(self, name: str) -> Any:
        """Return the plain value, or None."""
        return self._attributes[name]

    def events(self, name: str) -> Sequence[EventFact]:
        """Return the events of that name, oldest first."""
        return self._events.get(name, ())


def run(n_segment: int, contacts: int, seed: int) -> Result:
    """Measure and print; compare the evaluator with the oracle and the canonical text with itself."""
    schema, segments = host.make_schema(), make_segments(n_segment, seed)
    texts = [to_filter(segment) for segment in segments]
    sk.parse(texts[0], schema, on="contact")  # the grammar is built on first use
    trees, parse_ns = _timed(lambda text: sk.parse(text, schema, on="contact"), texts)
    printed, format_ns = _timed(sk.format, trees)
    mismatches = sum(sk.parse(text, schema, on="contact") != tree for text, tree in zip(printed, trees, strict=True))

    workload = Workload(contacts, seed)
    facts = [ContactFacts(workload.contact(i), workload.happenings(i)) for i in range(contacts)]
    evaluate_ns: list[int] = []
    for number, (tree, segment) in enumerate(zip(trees, segments, strict=True)):
        answers, taken = _timed(lambda fact, tree=tree: evaluate(tree, fact, START_US, "UTC"), facts)  # type: ignore[misc]
        evaluate_ns += taken
        if number % 10 == 0:  # the oracle is slow; every tenth will do
            expected = [holds(segment, workload.contact(i), workload.happenings(i), START_US) for i in range(contacts)]
            mismatches += sum(answer != wanted for answer, wanted in zip(answers, expected, strict=True))
    say(f"{n_segment:,} filters, {sum(map(len, texts)) / n_segment:.0f} characters each; {contacts:,} contacts")
    say(HEADING)
    say(row("parse and check, per filter", parse_ns))
    say(row("format, per filter", format_ns))
    say(row("evaluate, per object", evaluate_ns))
    say(f"  {'mismatches':<28}{mismatches:10,}")
    return Result(mismatches)


def _timed(function: Callable[[Any], R], arguments: Sequence[Any]) -> tuple[list[R], list[int]]:
    tick = time.perf_counter_ns
    results, taken = [], []
    for argument in arguments:
        started = tick()
        result = function(argument)
        taken.append(tick() - started)
        results.append(result)
    return results, taken


def main(argv: Sequence[str] | None = None) -> list[Result]:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog=MODULE, description="parse, format and evaluate")
    parser.add_argument("--segments", type=int, default=1_000)
    parser.add_argument("--contacts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(argv)
    return [run(asked.segments, asked.contacts, asked.seed)]


if __name__ == "__main__":
    main()

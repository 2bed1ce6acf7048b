"""One segment more, and one less, on a live engine of many objects and segments.

    python -m tests.benchmarks.bench_define [--contacts 1000000] [--segments 10000] [--repeats 9]
        [--seed 1] [--formula] [--profile]

Each definition, and each drop, is followed by one change through `apply`: work that was only put off
would show there. Median and worst of the repeats, in milliseconds of wall time; the kinds of definitions:

- known: every literal is one that another segment has, so cells exist that answer it;
- new threshold: of an attribute that others read, with a constant that none has;
- new window: of events that others count, with a length that none has;
- new event filter: a series of events of its own, for every object;
- with `--formula`, new formula: arithmetic over two attributes, evaluated object by object, once.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import random
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import segmentkit as sk
from tests.benchmarks import bench_bulk, host
from tests.benchmarks.measure import resident_mib, say
from tests.benchmarks.trees import All, Node, iter_leaves, make_segments, to_filter
from tests.benchmarks.workload import START_US, Workload

MODULE = "tests.benchmarks.bench_define"


class Result(NamedTuple):
    """What a run found out, besides what it printed."""

    mismatches: int


def _known(segments: Sequence[Node], rng: random.Random) -> str:
    leaves = [rng.choice(list(iter_leaves(rng.choice(segments)))) for _ in range(3)]
    return to_filter(All(tuple(leaves)))


def _definitions(segments: Sequence[Node], seed: int) -> dict[str, Callable[[int], str]]:
    """Return, by kind, what makes the filter of a repeat."""
    rng = random.Random(f"definitions {seed}")
    return {
        "known": lambda _: _known(segments, rng),
        "new threshold": lambda n: f"ltv > {200 + n}.{rng.randrange(10**6):06} and orders >= 3",
        "new window": lambda n: f"did page_view at least 3 times in the last {1_000 + n} hours and orders >= 3",
        "new event filter": lambda n: f"did purchase[amount > {100 + n}.125] in the last 30 days and orders >= 3",
        "new formula": lambda n: f"ltv > {10 + n} * orders and orders >= 3",
    }


def run(contacts: int, n_segment: int, repeats: int, seed: int, formula: bool = False, profile: bool = False) -> Result:
    """Load, define and drop; print what each takes; compare members with those worked out from the facts."""
    workload, segments = Workload(contacts, seed), make_segments(n_segment, seed)
    engine, _ = host.make_engine()
    for label, seconds in bench_bulk.load_everything(engine, workload, segments).items():
        say(f"  {label:<28}{seconds:10.1f} s")
    say(f"{contacts:,} contacts, {n_segment:,} segments, {resident_mib():,.0f} MiB with the tables they came from")
    gc.collect()
    gc.freeze()
    mismatches, rng = 0, random.Random(f"changes {seed}")
    say(f"  {'milliseconds':<28}{'p50':>10}{'worst':>10}{'then apply':>12}{'worst':>10}")
    for kind, make in _definitions(segments, seed).items():
        is_formula = kind == "new formula"
        if is_formula and not formula:
            continue
        profiler = cProfile.Profile() if profile else None
        defining, dropping = Steps(engine, contacts, rng, profiler), Steps(engine, contacts, rng)
        for number in range(1 if is_formula else repeats):
            where = make(number)
            defining.take(partial(engine.define, "new", on="contact", where=where))
            segment = engine._catalogue.segments["new"]
            found = engine._matchers["contact"].recalculated(segment.tree, START_US)
            mismatches += len(segment.members ^ found)
            dropping.take(partial(engine.drop, "new"))
        defining.say(kind)
        dropping.say("  drop")
        if profiler is not None:
            pstats.Stats(profiler).strip_dirs().sort_stats("tottime").print_stats(16)
    dropping = Steps(engine, contacts, rng)
    for name in map(host.segment_name, rng.sample(range(n_segment), min(repeats, n_segment))):
        dropping.take(partial(engine.drop, name))
    dropping.say("drop an old segment")
    gc.unfreeze()
    say(f"  {'mismatches':<28}{mismatches:10,}")
    return Result(mismatches)


class Steps:
    """Milliseconds of some steps, and of the change that follows each."""

    def __init__(
        self, engine: sk.Engine, contacts: int, rng: random.Random, profiler: cProfile.Profile | None = None
    ) -> None:
        self._engine, self._contacts, self._rng, self._profiler = engine, contacts, rng, profiler
        self._steps: list[float] = []
        self._changes: list[float] = []

    def take(self, step: Callable[[], object]) -> None:
        """Take a step, then change one object."""
        change = sk.Update(
            "contact", host.object_id(self._rng.randrange(self._contacts)), {"company_size": self._rng.randrange(500)}
        )
        if self._profiler is not None:
            self._profiler.enable()
        started = time.perf_counter()
        step()
        stepped = time.perf_counter()
        self._engine.apply(change)
        changed = time.perf_counter()
        if self._profiler is not None:
            self._profiler.disable()
        self._steps.append((stepped - started) * 1e3)
        self._changes.append((changed - stepped) * 1e3)

    def say(self, label: str) -> None:
        """Print a line of the table."""
        steps, changes = self._steps, self._changes
        say(
            f"  {label:<28}{statistics.median(steps):10.2f}{max(steps):10.2f}"
            f"{statistics.median(changes):12.2f}{max(changes):10.2f}"
        )


def main(argv: Sequence[str] | None = None) -> list[Result]:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog=MODULE, description="one segment more, and one less")
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--segments", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--formula", action="store_true", help="also a definition that is evaluated object by object")
    parser.add_argument("--profile", action="store_true", help="where definitions spend their time")
    asked = parser.parse_args(argv)
    return [run(asked.contacts, asked.segments, asked.repeats, asked.seed, asked.formula, asked.profile)]


if __name__ == "__main__":
    main()

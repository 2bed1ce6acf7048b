"""Brand-new filters counted: each is asked once, of an engine that holds the facts and has no segments.

    python -m tests.benchmarks.bench_filters [--contacts 1000000] [--filters 100] [--seed 1]
        [--only attributes|windows]

Beside it numpy by hand (`rescan`), for attributes also Polars if it is installed. Milliseconds of CPU time, of
all threads, and of wall time. The engine is given text: parsing and checking it is part of `preview`, and
printed by itself. The first filters on an attribute make its digest; so a few are asked before, and what
they took is printed as the first look.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

import segmentkit as sk
from tests.benchmarks import bench_bulk, host
from tests.benchmarks.measure import say
from tests.benchmarks.polars_peer import PolarsPeer
from tests.benchmarks.trees import EVENTS, Node, Window, is_temporal, iter_leaves, make_segments, to_filter
from tests.benchmarks.workload import START_US, Workload

MODULE = "tests.benchmarks.bench_filters"
_WARM_UP = 40


class Result(NamedTuple):
    """What a run found out, besides what it printed."""

    mismatches: int


def _has_window(segment: Node) -> bool:
    return any(isinstance(leaf, Window) for leaf in iter_leaves(segment))


class Timer:
    """CPU and wall milliseconds of one contestant, filter by filter."""

    def __init__(self) -> None:
        self.cpu: list[float] = []
        self.wall: list[float] = []

    def time(self, action: Callable[[], int]) -> int:
        """Return what an action returns, and note what it took."""
        wall, cpu = time.perf_counter(), time.process_time()
        found = action()
        self.cpu.append((time.process_time() - cpu) * 1e3)
        self.wall.append((time.perf_counter() - wall) * 1e3)
        return found

    def say(self, label: str, against: Timer | None = None) -> None:
        """Print a line of the table."""
        ratio = ""
        if against is not None:
            ratio = f"{statistics.median(self.cpu) / statistics.median(against.cpu):10.2f}"
        say(
            f"  {label:<28}{statistics.median(self.cpu):10.2f}{statistics.fmean(self.cpu):10.2f}"
            f"{statistics.median(self.wall):10.2f}{ratio}"
        )


def run(contacts: int, filters: int, seed: int, kind: str) -> Result:
    """Count new filters of one kind by all contestants, and compare the counts."""
    workload = Workload(contacts, seed)
    wanted = _has_window if kind == "windows" else lambda segment: not is_temporal(segment)
    pool = [segment for segment in make_segments(20 * (filters + _WARM_UP), seed + 1) if wanted(segment)]
    first, asked = pool[:_WARM_UP], pool[_WARM_UP : _WARM_UP + filters]
    engine, _ = host.make_engine()
    engine.load("contact", bench_bulk.contacts_frame(workload))
    if kind == "windows":
        for event in EVENTS:
            engine.load_events("contact", event, bench_bulk.events_frame(workload, event))
    rescan = bench_bulk.Everything(workload, [])
    rescan.tick(START_US)
    polars = PolarsPeer(workload) if kind == "attributes" and PolarsPeer.is_installed() else None
    gc.collect()
    gc.freeze()
    started = time.perf_counter()
    for segment in first:
        _by_engine(engine, segment)
        _by_numpy(rescan, segment)  # sorts its events, and is not charged for that
    say(
        f"{contacts:,} contacts, {len(asked)} filters with {kind}; {_WARM_UP} others first, in all "
        f"{time.perf_counter() - started:.1f} s"
    )
    ours, parsing, theirs, polarss = Timer(), Timer(), Timer(), Timer()
    mismatches = 0
    for segment in asked:
        parsing.time(partial(_parsed, engine, segment))
        count = ours.time(partial(_by_engine, engine, segment))
        mismatches += count != theirs.time(partial(_by_numpy, rescan, segment))
        if polars is not None:
            mismatches += count != polarss.time(partial(_by_polars, polars, segment))
    gc.unfreeze()
    say(f"  {'milliseconds':<28}{'CPU p50':>10}{'CPU mean':>10}{'wall p50':>10}{'to ours':>10}")
    ours.say("engine.preview(...).count")
    parsing.say("  of which parsing, about")
    theirs.say("numpy", ours)
    if polars is not None:
        polarss.say("Polars", ours)
    say(f"  {'memory of digests':<28}{engine.stats().bytes_by_part['digests'] / 2**20:10.1f} MiB")
    say(f"  {'mismatches':<28}{mismatches:10,}")
    return Result(mismatches)


def _parsed(engine: sk.Engine, segment: Node) -> int:
    sk.parse(to_filter(segment), engine.schema, "contact")
    return 0


def _by_polars(polars: PolarsPeer, segment: Node) -> int:
    return polars.counts([segment])[0]


def _by_engine(engine: sk.Engine, segment: Node) -> int:
    return engine.preview(on="contact", where=to_filter(segment)).count


def _by_numpy(rescan: bench_bulk.Everything, segment: Node) -> int:
    rescan._static.clear()
    rescan._leaves.clear()
    rescan._aggregates.clear()
    return int(np.count_nonzero(rescan._truth(segment)))


def main(argv: Sequence[str] | None = None) -> list[Result]:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog=MODULE, description="brand-new filters, each counted once")
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--filters", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("attributes", "windows"))
    asked = parser.parse_args(argv)
    kinds = [asked.only] if asked.only else ["attributes", "windows"]
    return [run(asked.contacts, asked.filters, asked.seed, kind) for kind in kinds]


if __name__ == "__main__":
    main()

"""Nothing happens but time: the engine's `advance` beside a numpy rescan, and a million flips at one instant.

    python -m tests.benchmarks.bench_time [--contacts 100000] [--segments 1000] [--steps 5] [--seed 1]
        [--herd 1000000] [--only ticks|herd]

The rescan starts from columns that are ready and knows which segments time can change; it
finds what differs between two ticks. The engine reports every flip with its instant, also
those that are undone before the tick ends, so its number of deltas may be the larger one.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import numpy as np

import segmentkit as sk
from tests.benchmarks import host
from tests.benchmarks.measure import peak_mib, resident_mib, run_apart, say
from tests.benchmarks.rescan import Rescan
from tests.benchmarks.trees import make_segments
from tests.benchmarks.workload import START_US, Workload, to_datetime

MODULE = "tests.benchmarks.bench_time"
_STEPS = (("one hour", 3_600_000_000), ("one minute", 60_000_000))


class Result(NamedTuple):
    """What a run found out, besides what it printed."""

    mismatches: int


def run_ticks(contacts: int, n_segment: int, steps: int, seed: int) -> Result:
    """Let the clock move by hours, then by minutes, and compare all temporal memberships after each pace."""
    workload, segments = Workload(contacts, seed), make_segments(n_segment, seed)
    engine, _ = host.make_engine()
    host.define(engine, segments)
    host.load_contacts(engine, workload)
    host.load_events(engine, workload)
    rescan = Rescan(workload, segments)
    now, mismatches = START_US, 0
    rescan.tick(now)
    say(f"{contacts:,} contacts, {n_segment:,} segments, {len(rescan.segments):,} of them change with time")
    gc.collect()
    for pace, step in _STEPS:
        engine_ms, rescan_ms, deltas, flips = [], [], [], []
        for _ in range(steps):
            now += step
            started = time.perf_counter()
            deltas.append(len(engine.advance(to=to_datetime(now))))
            advanced = time.perf_counter()
            flips.append(rescan.tick(now))
            rescan_ms.append((time.perf_counter() - advanced) * 1e3)
            engine_ms.append((advanced - started) * 1e3)
        mismatches += _compare(engine, rescan, contacts)
        ours, theirs = statistics.median(engine_ms), statistics.median(rescan_ms)
        say(f"  {pace}, median of {steps}")
        say(f"    {'engine':<12}{ours:10.2f} ms {statistics.fmean(deltas):12,.1f} deltas on the way")
        say(f"    {'numpy rescan':<12}{theirs:10.2f} ms {statistics.fmean(flips):12,.1f} memberships differ")
        say(f"    {'ratio':<12}{theirs / max(ours, 1e-9):10.1f}")
    say(f"  {'mismatches':<14}{mismatches:10,} of {contacts * len(rescan.segments) * len(_STEPS):,} memberships")
    return Result(mismatches)


def _compare(engine: sk.Engine, rescan: Rescan, contacts: int) -> int:
    mismatches = 0
    numbers = {host.object_id(contact): contact for contact in range(contacts)}
    for segment, expected in rescan.members.items():
        found = np.zeros(contacts, bool)
        found[[numbers[identity] for identity in engine.members(host.segment_name(segment))]] = True
        mismatches += int(np.count_nonzero(found ^ expected))
    return mismatches


def run_herd(size: int) -> Result:
    """Let `size` objects enter a segment at one midnight as a whole, and another at the next in slices."""
    schema = sk.Schema(sk.ObjectType("contract", {"ends": sk.date}), zone="Europe/Warsaw")
    evening = datetime(2026, 1, 1, 22, 59, 59, tzinfo=UTC)  # one second before the day ends in Warsaw
    midnight = evening + timedelta(seconds=1)
    clock = sk.ManualClock(evening)
    engine = sk.Engine(schema, clock=clock)
    engine.define("over", on="contract", where="ends < today")
    engine.define("long over", on="contract", where="ends more than 1 day ago")
    last_day = {"ends": date(2026, 1, 1)}
    started = time.perf_counter()
    for first in range(0, size, 10_000):
        engine.apply([sk.Put("contract", f"contract-{i}", last_day) for i in range(first, min(size, first + 10_000))])
    loaded = time.perf_counter() - started
    gc.collect()
    before, peak = resident_mib(), peak_mib()
    started = time.perf_counter()
    clock.set(midnight)
    deltas = engine.advance()
    seconds = time.perf_counter() - started
    count, members = len(deltas), len(engine.members("over"))
    at_once = all(deltas[i].at == midnight for i in random.Random(0).sample(range(count), min(count, 100)))
    say(f"{size:,} objects that flip at one midnight")
    say(f"  {'load':<14}{loaded:10.1f} s")
    say(f"  {'advance':<14}{seconds:10.3f} s {count / seconds:14,.0f} deltas per second")
    say(f"  {'memory':<14}{before:10.0f} MiB before, peak {peak:,.0f} MiB before and {peak_mib():,.0f} MiB after")
    mismatches = abs(size - count) + abs(size - members) + (not at_once)
    clock.set(midnight + timedelta(days=1))
    mismatches += _pass_in_slices(engine, size)
    say(f"  {'mismatches':<14}{mismatches:10,}")
    return Result(mismatches)


def _pass_in_slices(engine: sk.Engine, size: int) -> int:
    """Take a midnight in slices, with a change after each; return how many objects did not enter at it."""
    some, entered = random.Random(0), 0
    slices, waits, changes = engine.advance_in_slices(), [], []
    while True:
        started = time.perf_counter()
        deltas = next(slices, None)
        if deltas is None:
            break
        waits.append(time.perf_counter() - started)
        started = time.perf_counter()
        found = engine.update("contract", f"contract-{some.randrange(size)}", ends=None)
        changes.append(time.perf_counter() - started)
        entered += sum(delta.entered for delta in (*deltas, *found))
    for label, taken in (("slices", waits), ("changes", changes)):
        say(
            f"  {label:<14}{len(taken):10,} {statistics.median(taken) * 1e3:12.1f} ms, worst {max(taken) * 1e3:,.1f} ms"
        )
    return abs(size - entered)


def main(argv: Sequence[str] | None = None) -> list[Result]:
    """Run from the command line; both parts run in a process each."""
    parser = argparse.ArgumentParser(prog=MODULE, description="passing time beside a numpy rescan")
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--segments", type=int, default=1_000)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--herd", type=int, default=1_000_000, help="objects that flip at one midnight")
    parser.add_argument("--only", choices=("ticks", "herd"))
    asked = parser.parse_args(argv)
    if asked.only == "ticks":
        return [run_ticks(asked.contacts, asked.segments, asked.steps, asked.seed)]
    if asked.only == "herd":
        return [run_herd(asked.herd)]
    options = ["--contacts", asked.contacts, "--segments", asked.segments, "--steps", asked.steps]
    run_apart(MODULE, [*options, "--seed", asked.seed, "--only", "ticks"])
    run_apart(MODULE, ["--herd", asked.herd, "--only", "herd"])
    return []


if __name__ == "__main__":
    main()

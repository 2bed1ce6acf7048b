"""Batches: what `engine.apply([...])` costs for each change, beside numpy that looks at the changed contacts again.

    python -m tests.benchmarks.bench_batches [--contacts 100000] [--segments 1000]
        [--sizes 1,10,100,1000,10000] [--changes 30000] [--seed 1]

Engine and peer take turns, batch by batch, on the same stream. Time passes in the engine before each batch and
is not charged: the peer does not follow it.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

import segmentkit as sk
from tests.benchmarks import bench_bulk, host
from tests.benchmarks.batch_peer import BatchPeer
from tests.benchmarks.measure import integers, say
from tests.benchmarks.trees import make_segments
from tests.benchmarks.workload import Change, Workload, make_changes

MODULE = "tests.benchmarks.bench_batches"
_FEWEST, _MOST = 3, 200  # batches of a size


class Result(NamedTuple):
    """What a run found out, besides what it printed."""

    mismatches: int
    peer_over_apply: dict[int, float]


class Times(NamedTuple):
    """Nanoseconds for each batch of a size, and how many flips the engine and the peer told."""

    build: list[int]
    apply: list[int]
    peer: list[int]
    flips: list[int]


def run(contacts: int, n_segment: int, sizes: Sequence[int], changes: int, seed: int) -> Result:
    """Load, measure each size on its part of the stream, verify and print."""
    workload, segments = Workload(contacts, seed), make_segments(n_segment, seed)
    counts = {size: min(_MOST, max(_FEWEST, changes // size)) for size in sizes}
    warm_up = min(2_000, changes)
    stream = make_changes(workload, warm_up + sum(size * count for size, count in counts.items()))
    say(f"{contacts:,} contacts, {n_segment:,} segments, seed {seed}")
    engine, clock = host.make_engine()
    bench_bulk.load_everything(engine, workload, segments)
    peer = BatchPeer(workload, segments)
    gc.collect()
    gc.freeze()  # what has been loaded stays; neither side pays for the other's objects being looked at
    remaining = iter(stream)
    _take_turns(engine, clock, peer, list(islice(remaining, warm_up)), 0)
    say(f"  {'microseconds per change':<28}{'build':>10}{'apply':>10}{'peer':>10}{'peer / apply':>14}{'flips':>8}")
    ratios = {}
    for size, count in counts.items():
        times = Times([], [], [], [])
        for turn in range(count):
            spent = _take_turns(engine, clock, peer, list(islice(remaining, size)), turn)
            for column, value in zip(times, spent, strict=True):
                column.append(value)
        ratios[size] = statistics.median(p / a for p, a in zip(times.peer, times.apply, strict=True))
        build, apply, theirs = (statistics.median(column) / size / 1e3 for column in times[:3])
        flips = sum(times.flips) / size / count
        label = f"batches of {size:,}"
        say(f"  {label:<28}{build:10.1f}{apply:10.1f}{theirs:10.1f}{ratios[size]:14.2f}{flips:8.2f}")
    gc.unfreeze()
    mismatches, looked_at = _verify(engine, peer, stream)
    say(f"  {'mismatches':<28}{mismatches:10,} of {looked_at:,} memberships")
    return Result(mismatches, ratios)


def _take_turns(
    engine: sk.Engine, clock: sk.ManualClock, peer: BatchPeer, batch: Sequence[Change], turn: int
) -> tuple[int, int, int, int]:
    """Let both apply a batch, the engine first in every other turn; return nanoseconds and flips."""
    arguments = list(map(host.change_arguments, batch))  # what a host has in hand
    clock.set(arguments[-1][0])
    engine.advance()
    theirs = 0
    if turn % 2:
        theirs, _ = _timed(lambda: peer.apply(batch, batch[-1].at))
    build, changes = _timed(lambda: [_change(*each) for each in arguments])
    spent, deltas = _timed(lambda: engine.apply(changes))
    if not turn % 2:
        theirs, _ = _timed(lambda: peer.apply(batch, batch[-1].at))
    return build, spent, theirs, len(deltas)


def _change(at: Any, identity: str, values: Any, event: str | None) -> sk.Update | sk.Event:
    if event is None:
        return sk.Update("contact", identity, values)
    return sk.Event("contact", identity, event, values, at=at)


def _timed(action: Callable[[], Any]) -> tuple[int, Any]:
    started = time.thread_time_ns()
    result = action()
    return time.thread_time_ns() - started, result


def _verify(engine: sk.Engine, peer: BatchPeer, stream: Sequence[Change]) -> tuple[int, int]:
    """Compare the engine with the peer's look at the last instant, for all contacts that have changed.

    Returns:
        How many memberships differ, and how many were looked at.
    """
    rows = np.unique(np.array([change.contact for change in stream]))
    expected = peer.evaluated(rows, stream[-1].at)
    mismatches = 0
    for number in range(expected.shape[1]):
        found = np.zeros(len(peer.matrix), bool)  # contacts are numbered in the order of the table
        found[np.array(engine._catalogue.segments[host.segment_name(number)].members.to_array(), np.int64)] = True
        mismatches += int(np.count_nonzero(found[rows] != expected[:, number]))
    return mismatches, expected.size


def main(argv: Sequence[str] | None = None) -> list[Result]:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog=MODULE, description="batches beside numpy over the changed contacts")
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--segments", type=int, default=1_000)
    parser.add_argument("--sizes", type=integers, default=[1, 10, 100, 1_000, 10_000], help="with commas")
    parser.add_argument("--changes", type=int, default=30_000, help="of each size, about")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(argv)
    return [run(asked.contacts, asked.segments, asked.sizes, asked.changes, asked.seed)]


if __name__ == "__main__":
    main()

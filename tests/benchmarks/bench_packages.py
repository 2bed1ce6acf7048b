"""Single changes: what `engine.apply([change])` costs beside the packages that a user would pick instead.

    python -m tests.benchmarks.bench_packages [--contacts 100000] [--segments 1000] [--changes 10000] [--seed 1]
        [--peers zen-engine,datalogic-py,sqlite3,clipspy,rule-engine] [--indexed] [--cpu]

No segment reads events or the time, which most of the packages could not follow, and only attributes change that some
segment reads. All contacts are in the engine; a package holds only those that the stream touches.

Engine and peer take turns in chunks of the same stream, so that a noisy machine hits both; each peer has a process of
its own. Slow ones are given the beginning of the stream, so that the run ends today. A package that is not installed
is passed over. With `--indexed`, the host of a package asks it only about the segments that mention what has changed.
"""

from __future__ import annotations

import argparse
import gc
import random
import time
from collections.abc import Container, Sequence
from itertools import islice
from typing import NamedTuple

import segmentkit as sk
from tests.benchmarks import bench_bulk, host
from tests.benchmarks.bench_changes import CHUNK, Times, take_turns
from tests.benchmarks.clips_peer import ClipsPeer
from tests.benchmarks.measure import HEADING, resident_mib, row, run_apart, say
from tests.benchmarks.oracle import holds
from tests.benchmarks.package_peers import DatalogicPeer, PackagePeer, RuleEnginePeer, SQLitePeer, ZenPeer
from tests.benchmarks.trees import Node
from tests.benchmarks.workload import AttributeChange, Workload, iter_changes

MODULE = "tests.benchmarks.bench_packages"

PEERS: dict[str, type[PackagePeer]] = {
    peer.package: peer for peer in (ZenPeer, DatalogicPeer, SQLitePeer, ClipsPeer, RuleEnginePeer)
}


class Result(NamedTuple):
    """What a run found out, besides what it printed."""

    mismatches: int
    peer_over_apply: float


def run(
    package: str,
    contacts: int,
    n_segment: int,
    changes: int,
    seed: int,
    indexed: bool = False,
    cpu: bool = False,
) -> Result:
    """Load, measure, verify and print, for one package."""
    kind = PEERS[package]
    changes = max(CHUNK, changes // kind.slowness)
    workload, segments = Workload(contacts, seed), bench_bulk.make_variant(n_segment, seed, "attributes")
    say(f"{package}: {contacts:,} contacts, {n_segment:,} segments, {changes:,} changes, seed {seed}")
    engine, clock = host.make_engine()
    engine.load("contact", bench_bulk.contacts_frame(workload))
    bench_bulk.define_together(engine, segments)

    before, started = resident_mib(), time.perf_counter()
    peer = kind(segments, indexed)
    warm_up = max(CHUNK, min(2_000, changes // 5))
    stream = _make_changes(workload, peer.read, warm_up + changes)
    for contact in sorted({change.contact for change in stream}):
        peer.load(contact, workload.contact(contact))
    say(f"  {'define and load the peer':<28}{time.perf_counter() - started:10.1f} s")
    say(f"  {'memory of the peer':<28}{resident_mib() - before:10.0f} MiB for {len(peer.memberships):,} contacts")

    gc.collect()
    gc.freeze()  # as in bench_changes
    tick = time.thread_time_ns if cpu else time.perf_counter_ns
    times = Times(tick)
    take_turns(engine, clock, peer, stream[:warm_up], Times(tick))
    take_turns(engine, clock, peer, stream[warm_up:], times)
    gc.unfreeze()
    say(HEADING)
    for label, taken in (
        ("engine: apply", times.apply),
        ("engine: time passing", times.advance),
        ("engine: reading the deltas", times.read),
        (package, times.peer),
    ):
        say(row(label, taken))
    say(f"  {'peer / apply':<28}{times.ratio(times.apply):10.1f}")
    say(f"  {'peer / all of the engine':<28}{times.ratio(times.advance, times.apply, times.read):10.1f}")
    mismatches, looked_at = verify(engine, peer, workload, segments, stream)
    mismatches += abs(times.deltas - times.peer_deltas)
    say(f"  {'mismatches':<28}{mismatches:10,} of {looked_at:,} memberships and {times.deltas:,} deltas")
    return Result(mismatches, times.ratio(times.apply))


def _make_changes(workload: Workload, attributes: Container[str], count: int) -> list[AttributeChange]:
    """Return the first changes of the stream that change one of the attributes."""
    changes = (change for change in iter_changes(workload) if isinstance(change, AttributeChange))
    return list(islice((change for change in changes if change.attribute in attributes), count))


def verify(
    engine: sk.Engine,
    peer: PackagePeer,
    workload: Workload,
    segments: Sequence[Node],
    stream: Sequence[AttributeChange],
) -> tuple[int, int]:
    """Compare peer and engine over all contacts that have changed, and both with the oracle over some of them.

    Returns:
        How many memberships differ, and how many were looked at.
    """
    facts = {contact: workload.contact(contact) for contact in peer.memberships}
    for change in stream:
        facts[change.contact][change.attribute] = change.value
    mismatches = 0
    for contact, numbers in peer.memberships.items():
        names = set(map(host.segment_name, numbers))
        mismatches += len(names ^ set(engine.segments_of("contact", host.object_id(contact))))
    for contact in random.Random(0).sample(sorted(facts), min(300, len(facts))):
        plain = {n for n, segment in enumerate(segments) if holds(segment, facts[contact], [], stream[-1].at)}
        mismatches += len(plain ^ peer.memberships[contact])
    return mismatches, len(facts) * len(segments)


def main(argv: Sequence[str] | None = None) -> list[Result]:
    """Run from the command line; several packages run in a process each."""
    parser = argparse.ArgumentParser(prog=MODULE, description="single changes beside other packages")
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--segments", type=int, default=1_000)
    parser.add_argument("--changes", type=int, default=10_000, help="slow packages are given fewer")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--peers", type=lambda text: text.split(","), default=list(PEERS), help="one or more, with commas"
    )
    parser.add_argument("--indexed", action="store_true", help="ask packages only about segments that can have changed")
    parser.add_argument("--cpu", action="store_true", help="processor time instead of wall time, on a busy machine")
    asked = parser.parse_args(argv)
    if unknown := set(asked.peers) - set(PEERS):
        parser.error(f"unknown peers {sorted(unknown)}; choose from {', '.join(PEERS)}")
    installed = [package for package in asked.peers if PEERS[package].is_installed()]
    for package in set(asked.peers).difference(installed):
        say(f"{package}: passed over, as it is not installed; pip install {package}")
    if len(installed) == 1:
        flags = asked.indexed, asked.cpu
        return [run(installed[0], asked.contacts, asked.segments, asked.changes, asked.seed, *flags)]
    for package in installed:
        options = ["--contacts", asked.contacts, "--segments", asked.segments, "--changes", asked.changes]
        options += ["--seed", asked.seed, "--peers", package]
        options += [flag for flag, on in (("--indexed", asked.indexed), ("--cpu", asked.cpu)) if on]
        run_apart(MODULE, options)
    return []


if __name__ == "__main__":
    main()

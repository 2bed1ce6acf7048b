"""Single changes: what `engine.apply([change])` costs beside the hand-written peer on the same changes.

    python -m tests.benchmarks.bench_changes [--contacts 100000] [--segments 100,1000,10000]
        [--changes 10000] [--seed 1] [--money number|decimal] [--peer tuned|plain]
        [--profile] [--cpu]

Engine and peer take turns in chunks of the same stream, so that a noisy machine hits both.
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
from typing import Any, NamedTuple, Protocol

import segmentkit as sk
from tests.benchmarks import bench_bulk, host
from tests.benchmarks.measure import HEADING, integers, resident_mib, row, run_apart, say
from tests.benchmarks.oracle import holds
from tests.benchmarks.peer import Peer, PlainPeer
from tests.benchmarks.trees import Node, make_segments
from tests.benchmarks.workload import START_US, Change, EventChange, Happening, Workload, make_changes, to_datetime

MODULE = "tests.benchmarks.bench_changes"
CHUNK = 100


class Result(NamedTuple):
    """What a run found out, besides what it printed."""

    mismatches: int
    peer_over_apply: float


class Times:
    """Nanoseconds per change and numbers of deltas, in the order of the stream."""

    def __init__(self, tick: Callable[[], int]) -> None:
        self.tick = tick
        self.advance: list[int] = []
        self.apply: list[int] = []
        self.read: list[int] = []
        self.peer: list[int] = []
        self.deltas = self.time_deltas = self.peer_deltas = 0

    def ratio(self, *parts: list[int]) -> float:
        """Return peer / engine, the engine's cost being the sum of `parts`: the median over the chunks."""
        starts = range(0, len(self.peer), CHUNK)
        return statistics.median(
            sum(self.peer[s : s + CHUNK]) / max(1, sum(sum(part[s : s + CHUNK]) for part in parts)) for s in starts
        )


def run(
    contacts: int,
    n_segment: int,
    changes: int,
    seed: int,
    money: str,
    profile: bool = False,
    cpu: bool = False,
    kind: str = "tuned",
) -> Result:
    """Load, measure, verify and print, for one number of segments."""
    workload, segments = Workload(contacts, seed, money), make_segments(n_segment, seed, money)
    warm_up = max(CHUNK, min(2_000, changes // 5))
    stream = make_changes(workload, warm_up + changes + (changes if profile else 0))
    say(f"{contacts:,} contacts, {n_segment:,} segments, {changes:,} changes, seed {seed}, money as {money}")
    say(f"  {'peer':<28}{kind:>10}")

    before = resident_mib()
    engine, clock = host.make_engine(money)
    if money == "number":
        steps = bench_bulk.load_everything(engine, workload, segments)
    else:  # tables hold amounts as doubles
        steps = {
            "define": host.define(engine, segments),
            "load contacts": host.load_contacts(engine, workload),
            f"load {len(workload.events['at']):,} events": host.load_events(engine, workload),
        }
    for label, spent in steps.items():
        say(f"  {label:<28}{spent:10.1f} s")
    say(f"  {'memory of the engine':<28}{resident_mib() - before:10.0f} MiB")

    peer = _make_peer(workload, segments, stream, kind)
    gc.collect()
    gc.freeze()  # what has been loaded stays; neither side pays for the other's objects being looked at
    tick = time.thread_time_ns if cpu else time.perf_counter_ns
    times = Times(tick)
    take_turns(engine, clock, peer, stream[:warm_up], Times(tick))
    take_turns(engine, clock, peer, stream[warm_up : warm_up + changes], times)
    gc.unfreeze()
    _print(times)
    if profile:
        _profile(engine, clock, peer, stream[warm_up + changes :])
    mismatches, looked_at = verify(engine, peer, workload, segments, stream)
    say(f"  {'mismatches':<28}{mismatches:10,} of {looked_at:,} memberships")
    return Result(mismatches, times.ratio(times.apply))


def _make_peer(workload: Workload, segments: Sequence[Node], stream: Sequence[Change], kind: str = "tuned") -> Peer:
    """Return the peer with those contacts loaded that the stream touches."""
    sample = [(workload.contact(i), workload.happenings(i)) for i in range(min(300, workload.n_contact))]
    peer = (PlainPeer if kind == "plain" else Peer)(segments, sample, START_US)
    for contact in sorted({change.contact for change in stream}):
        peer.load(contact, workload.contact(contact), workload.happenings(contact), START_US)
    return peer


class Follower(Protocol):
    """What takes turns with the engine: it tells the numbers of the segments entered and left."""

    def update(self, contact: int, attribute: str, value: Any, now: int) -> tuple[set[int], set[int]]:
        """Set one attribute."""

    def track(self, contact: int, happening: Happening) -> tuple[set[int], set[int]]:
        """Record an event."""


def take_turns(
    engine: sk.Engine, clock: sk.ManualClock, peer: Follower, stream: Sequence[Change], times: Times
) -> None:
    """Feed the stream to engine and peer in chunks, each first every other time."""
    for number, start in enumerate(range(0, len(stream), CHUNK)):
        chunk = stream[start : start + CHUNK]
        if number % 2:
            _measure_peer(peer, chunk, times)
            _measure_engine(engine, clock, chunk, times)
        else:
            _measure_engine(engine, clock, chunk, times)
            _measure_peer(peer, chunk, times)


def _measure_engine(engine: sk.Engine, clock: sk.ManualClock, chunk: Sequence[Change], times: Times) -> None:
    tick = times.tick
    for arguments in map(host.change_arguments, chunk):
        clock.set(arguments[0])
        started = tick()
        by_time = engine.advance(to=arguments[0])
        advanced = tick()
        deltas = host.apply_change(engine, arguments)
        applied = tick()
        for delta in deltas:
            delta.segment, delta.entered  # noqa: B018 - deltas are made when somebody looks; the peer's sets are ready
        read = tick()
        times.advance.append(advanced - started)
        times.apply.append(applied - advanced)
        times.read.append(read - applied)
        times.deltas += len(deltas)
        times.time_deltas += len(by_time)


def _measure_peer(peer: Follower, chunk: Sequence[Change], times: Times) -> None:
    tick = times.tick
    for change in chunk:
        started = tick()
        entered, left = _apply_to_peer(peer, change)
        times.peer.append(tick() - started)
        times.peer_deltas += len(entered) + len(left)


def _apply_to_peer(peer: Follower, change: Change) -> tuple[set[int], set[int]]:
    if isinstance(change, EventChange):
        return peer.track(change.contact, change.happening)
    return peer.update(change.contact, change.attribute, change.value, change.at)


def _print(times: Times) -> None:
    count = len(times.apply)
    say(HEADING)
    for label, taken in (
        ("engine: apply", times.apply),
        ("engine: time passing", times.advance),
        ("engine: reading the deltas", times.read),
        ("peer", times.peer),
    ):
        say(row(label, taken))
    say(
        f"  deltas per change: {times.deltas / count:.2f} by apply, {times.time_deltas / count:.2f} by time;"
        f" peer {times.peer_deltas / count:.2f}"
    )
    say(f"  {'peer / apply':<28}{times.ratio(times.apply):10.2f}")
    say(f"  {'peer / (apply + reading)':<28}{times.ratio(times.apply, times.read):10.2f}")
    say(f"  {'peer / (time + apply)':<28}{times.ratio(times.advance, times.apply):10.2f}")


def _profile(engine: sk.Engine, clock: sk.ManualClock, peer: Peer, stream: Sequence[Change]) -> None:
    """Print where `apply` spends its time, and keep the peer abreast."""
    profiler = cProfile.Profile()
    for change in stream:
        arguments = host.change_arguments(change)
        clock.set(arguments[0])
        engine.advance(to=arguments[0])
        profiler.enable()
        host.apply_change(engine, arguments)
        profiler.disable()
        _apply_to_peer(peer, change)
    pstats.Stats(profiler).strip_dirs().sort_stats("tottime").print_stats(25)


def verify(
    engine: sk.Engine, peer: Peer, workload: Workload, segments: Sequence[Node], stream: Sequence[Change]
) -> tuple[int, int]:
    """Compare the engine with the peer's re-evaluation at the last instant, and both with the oracle.

    Contacts are some of those that the stream changed and some of those it left alone.

    Returns:
        How many memberships differ, and how many were looked at.
    """
    now, rng = stream[-1].at, random.Random(0)
    assert engine.now == to_datetime(now)
    changed = rng.sample(sorted(peer.people), min(300, len(peer.people)))
    untouched = sorted(set(rng.sample(range(workload.n_contact), min(200, workload.n_contact))) - set(peer.people))
    for contact in untouched:
        peer.load(contact, workload.contact(contact), workload.happenings(contact), now)
    chosen = changed + untouched
    expected = {contact: peer.evaluate_all(contact, now) for contact in chosen}
    mismatches = 0
    for number in range(len(segments)):
        members = engine.members(host.segment_name(number))
        mismatches += sum((host.object_id(i) in members) != (number in expected[i]) for i in chosen)
    for contact in chosen:
        names = {host.segment_name(number) for number in expected[contact]}
        mismatches += len(names ^ set(engine.segments_of("contact", host.object_id(contact))))
    for contact in chosen[:10] + chosen[-10:]:
        attributes, happenings = _final_facts(workload, stream, contact)
        plain = {n for n, segment in enumerate(segments) if holds(segment, attributes, happenings, now)}
        mismatches += len(plain ^ expected[contact])
    return mismatches, len(chosen) * len(segments)


def _final_facts(workload: Workload, stream: Sequence[Change], contact: int) -> tuple[dict[str, Any], list[Any]]:
    attributes, happenings = workload.contact(contact), workload.happenings(contact)
    for change in stream:
        if change.contact != contact:
            continue
        if isinstance(change, EventChange):
            happenings.append(change.happening)
        else:
            attributes[change.attribute] = change.value
    return attributes, happenings


def main(argv: Sequence[str] | None = None) -> list[Result]:
    """Run from the command line; several numbers of segments run in a process each."""
    parser = argparse.ArgumentParser(prog=MODULE, description="single changes beside the hand-written peer")
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--segments", type=integers, default=[100, 1_000, 10_000], help="one or more, with commas")
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--money", choices=("number", "decimal"), default="number")
    parser.add_argument("--peer", choices=("tuned", "plain"), default="tuned", help="which of the hosts in peer.py")
    parser.add_argument("--profile", action="store_true", help="also print where apply spends its time")
    parser.add_argument("--cpu", action="store_true", help="processor time instead of wall time, on a busy machine")
    asked = parser.parse_args(argv)
    if len(asked.segments) == 1:
        flags = asked.profile, asked.cpu, asked.peer
        return [run(asked.contacts, asked.segments[0], asked.changes, asked.seed, asked.money, *flags)]
    for n_segment in asked.segments:
        options = ["--contacts", asked.contacts, "--segments", n_segment, "--changes", asked.changes]
        options += ["--seed", asked.seed, "--money", asked.money, "--peer", asked.peer]
        options += [flag for flag, on in (("--profile", asked.profile), ("--cpu", asked.cpu)) if on]
        run_apart(MODULE, options)
    return []


if __name__ == "__main__":
    main()

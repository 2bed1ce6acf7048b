"""Memory by part: what the library, the segments, the contacts and their events each add to the process.

    python -m tests.benchmarks.bench_memory [--contacts 100000] [--segments 1000] [--seed 1] [--tables]

Without segments, what is added are the facts alone; the difference is what being indexed costs. Contacts and
events are fed in batches, or with `--tables` loaded from Arrow tables. Before each look, the allocator is told
to give back what nobody uses; how much it had kept depends on what happened before in the process.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import segmentkit as sk
from tests.benchmarks import bench_bulk, host
from tests.benchmarks.measure import peak_mib, resident_mib, run_apart, say
from tests.benchmarks.trees import EVENTS, make_segments
from tests.benchmarks.workload import Workload

MODULE = "tests.benchmarks.bench_memory"


class Result(NamedTuple):
    """What a run found out, besides what it printed."""

    mismatches: int


def run(contacts: int, n_segment: int, seed: int, *, tables: bool = False) -> Result:
    """Load part by part and print what each adds; count contacts or events that did not arrive as mismatches."""
    workload, segments = Workload(contacts, seed), make_segments(n_segment, seed)
    n_event = len(workload.events["at"])
    say(f"{contacts:,} contacts, {n_event:,} events, {n_segment:,} segments")
    engine, _ = host.make_engine()
    if tables:
        bench_bulk.contacts_frame(Workload(10, seed))  # loads pyarrow, which is no part of the engine
    last = _settled()
    say(f"  {'python, numpy, workload':<28}{last:10.1f} MiB")
    engine.define("everybody", on="contact", where="true")
    steps: tuple[tuple[str, Callable[[], float], int, str], ...] = (
        ("segments", lambda: host.define(engine, segments), n_segment, "segment"),
        ("contacts", lambda: _contacts(engine, workload, tables=tables), contacts, "contact"),
        ("events", lambda: _events(engine, workload, tables=tables), n_event, "event"),
    )
    total = -last
    for label, load, count, unit in steps:
        load()
        now = _settled()
        each = f"{(now - last) * 2**20 / count:12,.0f} bytes per {unit}" if count else ""
        say(f"  {label:<28}{now - last:10.1f} MiB {each}")
        last = now
    say(f"  {'all of it':<28}{total + last:10.1f} MiB")
    for part, size in engine.stats().bytes_by_part.items():
        say(f"    {part:<26}{size / 2**20:10.1f} MiB")
    say(f"  {'peak':<28}{peak_mib():10.1f} MiB")
    mismatches = abs(len(engine.members("everybody")) - contacts)
    return Result(mismatches)


def _contacts(engine: sk.Engine, workload: Workload, *, tables: bool) -> float:
    if not tables:
        return host.load_contacts(engine, workload)
    engine.load("contact", bench_bulk.contacts_frame(workload))
    return 0.0


def _events(engine: sk.Engine, workload: Workload, *, tables: bool) -> float:
    if not tables:
        return host.load_events(engine, workload)
    for event in EVENTS:
        engine.load_events("contact", event, bench_bulk.events_frame(workload, event))
    return 0.0


def _settled() -> float:
    gc.collect()
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].default_memory_pool().release_unused()
    with contextlib.suppress(OSError, AttributeError):  # only glibc can be told
        ctypes.CDLL(None).malloc_trim(0)
    return resident_mib()


def main(argv: Sequence[str] | None = None) -> list[Result]:
    """Run from the command line: with the segments and without, in a process each."""
    parser = argparse.ArgumentParser(prog=MODULE, description="memory by part")
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--segments", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--here", action="store_true", help="in this process, and not a second time without segments")
    parser.add_argument("--tables", action="store_true", help="load Arrow tables instead of feeding batches")
    asked = parser.parse_args(argv)
    if asked.here:
        return [run(asked.contacts, asked.segments, asked.seed, tables=asked.tables)]
    for n_segment in (0, asked.segments):
        options = ["--contacts", asked.contacts, "--segments", n_segment, "--seed", asked.seed, "--here"]
        options += ["--tables"] if asked.tables else []
        run_apart(MODULE, options)
    return []


if __name__ == "__main__":
    main()

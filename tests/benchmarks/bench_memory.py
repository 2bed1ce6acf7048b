"""Memory by part: what the library, the segments, the contacts and their events each add to the process.

    python -m tests.benchmarks.bench_memory [--contacts 100000] [--segments 1000] [--seed 1]

Without segments, what is added are the facts alone; the difference is what being indexed costs.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tests.benchmarks import host
from tests.benchmarks.measure import peak_mib, resident_mib, run_apart, say
from tests.benchmarks.trees import make_segments
from tests.benchmarks.workload import Workload

MODULE = "tests.benchmarks.bench_memory"


class Result(NamedTuple):
    """What a run found out, besides what it printed."""

    mismatches: int


def run(contacts: int, n_segment: int, seed: int) -> Result:
    """Load part by part and print what each adds; count contacts or events that did not arrive as mismatches."""
    workload, segments = Workload(contacts, seed), make_segments(n_segment, seed)
    n_event = len(workload.events["at"])
    say(f"{contacts:,} contacts, {n_event:,} events, {n_segment:,} segments")
    last = _settled()
    say(f"  {'python, numpy, workload':<28}{last:10.1f} MiB")
    engine, _ = host.make_engine()
    engine.define("everybody", on="contact", where="true")
    steps: tuple[tuple[str, Callable[[], float], int, str], ...] = (
        ("segments", lambda: host.define(engine, segments), n_segment, "segment"),
        ("contacts", lambda: host.load_contacts(engine, workload), contacts, "contact"),
        ("events", lambda: host.load_events(engine, workload), n_event, "event"),
    )
    for label, load, count, unit in steps:
        load()
        now = _settled()
        each = f"{(now - last) * 2**20 / count:12,.0f} bytes per {unit}" if count else ""
        say(f"  {label:<28}{now - last:10.1f} MiB {each}")
        last = now
    say(f"  {'peak':<28}{peak_mib():10.1f} MiB")
    mismatches = abs(len(engine.members("everybody")) - contacts)
    return Result(mismatches)


def _settled() -> float:
    gc.collect()
    return resident_mib()


def main(argv: Sequence[str] | None = None) -> list[Result]:
    """Run from the command line: with the segments and without, in a process each."""
    parser = argparse.ArgumentParser(prog=MODULE, description="memory by part")
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--segments", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--here", action="store_true", help="in this process, and not a second time without segments")
    asked = parser.parse_args(argv)
    if asked.here:
        return [run(asked.contacts, asked.segments, asked.seed)]
    for n_segment in (0, asked.segments):
        options = ["--contacts", asked.contacts, "--segments", n_segment, "--seed", asked.seed, "--here"]
        run_apart(MODULE, options)
    return []


if __name__ == "__main__":
    main()

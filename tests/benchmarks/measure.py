"""Timing, memory and running parts in processes of their own."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path


def row(label: str, nanoseconds: Sequence[int]) -> str:
    """Return mean, median and 99th percentile in microseconds as a line of a table."""
    ordered = sorted(nanoseconds)
    mean, p50 = statistics.fmean(ordered), statistics.median(ordered)
    p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    return f"  {label:<28}{mean / 1e3:10.1f}{p50 / 1e3:10.1f}{p99 / 1e3:10.1f}"


HEADING = f"  {'microseconds':<28}{'mean':>10}{'p50':>10}{'p99':>10}"


def resident_mib() -> float:
    """Return the memory this process occupies now, in MiB; its peak so far where that is all the system tells."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return peak_mib()
    import resource

    return pages * resource.getpagesize() / 2**20


def peak_mib() -> float:
    """Return the most memory this process has occupied, in MiB."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def run_apart(module: str, arguments: Iterable[object]) -> None:
    """Run a benchmark in a process of its own, so that memory and garbage of one do not reach the next."""
    subprocess.run([sys.executable, "-m", module, *map(str, arguments)], check=True)


def integers(text: str) -> list[int]:
    """Return a list of integers from "100,1000,10_000"."""
    return [int(part) for part in text.split(",")]


def say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    print(line, flush=True)  # noqa: T201 - printing is what benchmarks are for

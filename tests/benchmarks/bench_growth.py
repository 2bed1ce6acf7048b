"""Growth: what a change that flips nothing costs with more segments, and with more objects.

    python -m tests.benchmarks.bench_growth [--segments 100,1000,10000] [--objects 10000,100000,1000000]
        [--contacts 20000] [--planned 1000] [--changes 10000] [--seed 1] [--only segments|objects]

Most changes flip nothing, so this is what a host pays for being right all the time. Engines of all sizes
take turns in chunks of the stream, in one process: a busy machine slows all of them. Over segments they
are given the same changes, and those count that flip nothing even with the most segments; over objects
each has a stream of its own, as a change more often meets an object that nobody has touched for long.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tests.benchmarks import bench_bulk, host
from tests.benchmarks.measure import integers, run_apart, say
from tests.benchmarks.trees import make_segments
from tests.benchmarks.workload import Workload, make_changes

MODULE = "tests.benchmarks.bench_growth"
CHUNK = 100


class Result(NamedTuple):
    """What a run found out, besides what it printed.

    `examined` has, for each size, the mean number of clauses that a change examined which flipped nothing.
    """

    mismatches: int
    examined: tuple[float, ...]


class Course:
    """An engine of one size, and what each change of its stream cost."""

    def __init__(self, contacts: int, n_segment: int, changes: int, seed: int) -> None:
        workload, segments = Workload(contacts, seed), make_segments(n_segment, seed)
        self.stream = make_changes(workload, changes)
        self.engine, self._clock = host.make_engine()
        bench_bulk.load_everything(self.engine, workload, segments)
        self.nanoseconds: list[int] = []
        self.examined: list[int] = []
        self.deltas: list[int] = []

    def play(self, start: int, end: int) -> None:
        """Apply a stretch of the stream; time passes before each change and is not counted."""
        tick = time.thread_time_ns
        for arguments in map(host.change_arguments, self.stream[start:end]):
            self._clock.set(arguments[0])
            self.engine.advance(to=arguments[0])
            looked = self._clauses_examined
            started = tick()
            deltas = host.apply_change(self.engine, arguments)
            self.nanoseconds.append(tick() - started)
            self.examined.append(self._clauses_examined - looked)
            self.deltas.append(len(deltas))

    @property
    def _clauses_examined(self) -> int:
        return self.engine._matchers["contact"].clauses_examined  # `stats()` looks at each column, too

    def still(self) -> list[int]:
        """Return the places of the changes that flipped nothing."""
        return [place for place, count in enumerate(self.deltas) if not count]

    def microseconds(self, places: Iterable[int]) -> tuple[float, float]:
        """Return mean and median cost of the changes at some places."""
        chosen = [self.nanoseconds[place] for place in places]
        return statistics.fmean(chosen) / 1e3, statistics.median(chosen) / 1e3


def _play(courses: Sequence[Course], warm_up: int) -> None:
    gc.collect()
    gc.freeze()
    changes = len(courses[0].stream)
    for start in range(0, changes, CHUNK):
        for course in courses:
            course.play(start, min(changes, start + CHUNK))
    gc.unfreeze()
    for course in courses:
        del course.nanoseconds[:warm_up], course.examined[:warm_up], course.deltas[:warm_up]


def _say(courses: Sequence[Course], labels: Sequence[str], places: Sequence[Sequence[int]]) -> Result:
    say(f"  {'':<20}{'mean µs':>10}{'p50 µs':>10}{'clauses':>10}{'changes':>10}{'to the first':>14}")
    first, examined = 0.0, []
    for course, label, chosen in zip(courses, labels, places, strict=True):
        mean, median = course.microseconds(chosen)
        looked = statistics.fmean(course.examined[place] for place in chosen)
        first = first or mean
        examined.append(looked)
        say(f"  {label:<20}{mean:10.1f}{median:10.1f}{looked:10.2f}{len(chosen):10,}{mean / first:14.2f}")
    return Result(0, tuple(examined))


def run_segments(contacts: int, sizes: Sequence[int], changes: int, seed: int) -> Result:
    """Apply the same changes with ever more segments."""
    say(f"{contacts:,} contacts; changes that flip nothing with {max(sizes):,} segments")
    warm_up = changes // 5
    courses = [Course(contacts, size, warm_up + changes, seed) for size in sizes]
    _play(courses, warm_up)
    still = courses[sizes.index(max(sizes))].still()
    found = _say(courses, [f"{size:,} segments" for size in sizes], [still] * len(courses))
    more = sum(course.deltas[place] for course in courses for place in still)  # the smaller ones are contained
    say(f"  {'mismatches':<20}{more:10,}")
    return Result(more, found.examined)


def run_objects(sizes: Sequence[int], n_segment: int, changes: int, seed: int) -> Result:
    """Apply changes among ever more objects."""
    say(f"{n_segment:,} segments; changes that flip nothing")
    warm_up = changes // 5
    courses = [Course(size, n_segment, warm_up + changes, seed) for size in sizes]
    _play(courses, warm_up)
    return _say(courses, [f"{size:,} objects" for size in sizes], [course.still() for course in courses])


def main(argv: Sequence[str] | None = None) -> list[Result]:
    """Run from the command line; both parts run in a process each."""
    parser = argparse.ArgumentParser(prog=MODULE, description="the cost of a change that flips nothing, over sizes")
    parser.add_argument("--segments", type=integers, default=[100, 1_000, 10_000])
    parser.add_argument("--objects", type=integers, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--contacts", type=int, default=20_000, help="for the part over segments")
    parser.add_argument("--planned", type=int, default=1_000, help="segments for the part over objects")
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("segments", "objects"))
    asked = parser.parse_args(argv)
    if asked.only == "segments":
        return [run_segments(asked.contacts, asked.segments, asked.changes, asked.seed)]
    if asked.only == "objects":
        return [run_objects(asked.objects, asked.planned, asked.changes, asked.seed)]
    shared = ["--changes", asked.changes, "--seed", asked.seed]
    sizes = ",".join(map(str, asked.segments))
    run_apart(MODULE, [*shared, "--segments", sizes, "--contacts", asked.contacts, "--only", "segments"])
    sizes = ",".join(map(str, asked.objects))
    run_apart(MODULE, [*shared, "--objects", sizes, "--planned", asked.planned, "--only", "objects"])
    return []


if __name__ == "__main__":
    main()

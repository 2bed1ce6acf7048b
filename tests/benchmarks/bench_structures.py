"""The structures behind relations, ranks and membership history, each alone.

python -m tests.benchmarks.bench_structures [--objects 100000] [--changes 10000] [--seed 1]
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterable, Sequence
from heapq import nsmallest
from typing import Any, NamedTuple

from segmentkit.index._links import Links
from segmentkit.index._ranks import EVERYONE, Cutoff, Ranking, Row
from segmentkit.index._stay_log import StayLog
from tests.benchmarks.measure import HEADING, row, say

MODULE = "tests.benchmarks.bench_structures"
CUTOFFS = (Cutoff(10), Cutoff(100), Cutoff(10, percent=True), Cutoff(1, percent=True, ties=True))


class Result(NamedTuple):
    """What a run found out, besides what it printed."""

    mismatches: int


def run(n_object: int, n_change: int, seed: int) -> Result:
    """Measure and print each structure; count answers that differ from plain ones."""
    mismatches = 0
    for measure in (measure_links, measure_ranks, measure_groups, measure_stays):
        mismatches += measure(n_object, n_change, random.Random(seed))
    say(f"  {'mismatches':<28}{mismatches:10,}")
    return Result(mismatches)


def measure_links(n_object: int, n_change: int, draw: random.Random) -> int:
    """Objects that point to one of a fifth as many targets, a tenth of them to the first one."""
    targets = [f"company {n}" for n in range(n_object // 5)]
    of = [targets[0] if draw.random() < 0.1 else draw.choice(targets) for _ in range(n_object)]
    links = Links()
    started = time.perf_counter()
    for number, target in enumerate(of):
        links.link(number, target)
    _say_bulk("links", n_object, started, links.nbytes)
    moves = [(draw.randrange(n_object), draw.choice(targets)) for _ in range(n_change)]

    def move(number: int, target: str) -> None:
        links.unlink(number, of[number])
        links.link(number, target)
        of[number] = target

    say(HEADING)
    say(row("point elsewhere", _timed(move, moves)))
    say(row("read a target's sources", _timed(links.bitmap, ((draw.choice(targets),) for _ in range(n_change)))))
    return sum(list(links.sources(t)) != [n for n, other in enumerate(of) if other == t] for t in targets[:5])


def measure_ranks(n_object: int, n_change: int, draw: random.Random) -> int:
    """One ranking of all objects, with one cut-off and with four; amounts in cents, some of them equal."""
    mismatches = 0
    for cutoffs in (CUTOFFS[:1], CUTOFFS):
        mismatches += _measure_ranking(n_object, n_change, draw, cutoffs, n_group=0)
    return mismatches


def measure_groups(n_object: int, n_change: int, draw: random.Random) -> int:
    """A ranking in groups of five."""
    return _measure_ranking(n_object, n_change, draw, CUTOFFS[:1], n_group=max(1, n_object // 5))


def _measure_ranking(n_object: int, n_change: int, draw: random.Random, cutoffs: Sequence[Cutoff], n_group: int) -> int:
    def any_row(number: int) -> Row:
        return number, f"c{number}", number % n_group if n_group else EVERYONE, draw.randrange(1_000_000)

    values: dict[int, Row] = {number: any_row(number) for number in range(n_object)}
    ranking = Ranking(is_top=True)
    for cutoff in cutoffs:
        ranking.add_cutoff(cutoff)
    started = time.perf_counter()
    ranking.set_many(values.values())
    what = f"{n_group:,} groups" if n_group else "one group"
    _say_bulk(f"{what}, cut-offs: {len(cutoffs)}", n_object, started)
    ranking.examined = n_flip = 0
    changes = [any_row(draw.randrange(n_object)) for _ in range(n_change)]

    def change(*new: Any) -> None:
        nonlocal n_flip
        n_flip += len(ranking.set_many((new,)))

    say(HEADING)
    say(row("change", _timed(change, changes)))
    say(f"  {'flips per change':<28}{n_flip / n_change:10.2f}; entries looked at {ranking.examined / n_change:.2f}")
    values |= {new[0]: new for new in changes}
    started = time.perf_counter()
    again = [any_row(draw.randrange(n_object)) for _ in range(n_change)]
    ranking.set_many(again)
    say(f"  {'in one batch, each':<28}{(time.perf_counter() - started) / n_change * 1e6:10.1f}")
    values |= {new[0]: new for new in again}
    chosen = [value for value in values.values() if value[2] == values[0][2]]
    first = nsmallest(cutoffs[0].places(len(chosen)), chosen, key=lambda value: (-value[3], value[1]))
    own = {value[0] for value in chosen}
    return len({value[0] for value in first} ^ (set(ranking.members(cutoffs[0])) & own))


def measure_stays(n_object: int, n_change: int, draw: random.Random) -> int:
    """A segment of every tenth object, as many flips as changes; its members half way back as the stays have them."""
    log, members = StayLog(), set(range(0, n_object, 10))
    started = time.perf_counter()
    log.enter_many(members, 0)
    log.commit()
    _say_bulk("stays", len(members), started, log.nbytes)
    half_way: set[int] = set()
    at = 0

    def flip(number: int) -> None:
        nonlocal at, half_way
        at += 1
        if number in members:
            log.leave(number, at)
            members.discard(number)
        else:
            log.enter(number, at)
            members.add(number)
        log.commit()
        if at == n_change // 2:
            half_way = set(members)

    numbers = [(draw.randrange(n_object),) for _ in range(n_change)]
    say(HEADING)
    say(row("flip and commit", _timed(flip, numbers)))
    say(row("read an object's stays", _timed(log.stays, numbers)))
    middle = n_change // 2
    found = {n for n in range(n_object) if any(a <= middle and (b is None or middle < b) for a, b in log.stays(n))}
    return len(found ^ half_way)


def _say_bulk(label: str, count: int, started: float, nbytes: int | None = None) -> None:
    taken = time.perf_counter() - started
    memory = "" if nbytes is None else f", {nbytes / count:.0f} bytes each"
    say(f"{label}: {count:,} in {taken:.2f} s, {taken / count * 1e6:.1f} µs{memory}")


def _timed(function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> list[int]:
    tick = time.perf_counter_ns
    taken = []
    for each in arguments:
        started = tick()
        function(*each)
        taken.append(tick() - started)
    return taken


def main(argv: Sequence[str] | None = None) -> list[Result]:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog=MODULE, description="links, ranks and stays, each alone")
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(argv)
    return [run(asked.objects, asked.changes, asked.seed)]


if __name__ == "__main__":
    main()

"""One change that reaches many objects: a company's contacts, a rank's neighbours, a chain of segments.

python -m tests.benchmarks.bench_relations [--contacts 100000] [--around 10000] [--products 100000] [--changes 2000]
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

import segmentkit as sk
from tests.benchmarks.measure import HEADING, row, say

MODULE = "tests.benchmarks.bench_relations"
BATCH = 2_000
TURNS = 6
DEPTH = 10

SCHEMA = sk.Schema(
    sk.ObjectType("contact", {"orders": sk.integer}, relations={"company": sk.one("company")}),
    sk.ObjectType("company", {"industry": sk.text}, relations={"contacts": sk.many("contact", via="company")}),
    sk.ObjectType("product", {"sales": sk.integer}),
)
BY_COMPANY = {
    "0 %": 'company.industry = "SaaS" and orders > 1_000',
    "1 %": 'company.industry = "SaaS" and orders = 0',
    "100 %": 'company.industry = "SaaS"',
}
"""Filters by the share of contacts that flips when the company's industry changes; orders go from 0 to 99."""
RANKS = {"top 100": "top 100 by sales", "bottom 10 %": "bottom 10% by sales"}


class Result(NamedTuple):
    """What a run found out, besides what it printed."""

    mismatches: int


def measure_company(n_contact: int, n_around: int) -> int:
    """One company with all contacts changes its industry, there and back; others stand around."""
    engine = _engine()
    say(f"a company with {n_contact:,} contacts changes industry; {n_around:,} other companies, a contact each")
    puts: list[sk.Change] = [sk.Put("company", "giant", {"industry": "Paper"})]
    puts += [sk.Put("contact", f"c{n}", {"company": "giant", "orders": n % 100}) for n in range(n_contact)]
    puts += [sk.Put("company", f"other {n}", {"industry": "Paper"}) for n in range(n_around)]
    puts += [sk.Put("contact", f"o{n}", {"company": f"other {n}", "orders": n % 100}) for n in range(n_around)]
    _load(engine, puts)
    say(f"  {'flips':<12}{'contacts':>10}{'ms':>10}{'µs each':>10}{'clauses looked at':>20}")
    mismatches = 0
    for share, where in BY_COMPANY.items():
        engine.define("it", on="contact", where=where)
        expected = {"0 %": 0, "1 %": len(range(0, n_contact, 100)), "100 %": n_contact}[share]
        taken, examined = [], engine.stats().clauses_examined
        for turn in range(TURNS):
            industry = "Paper" if turn % 2 else "SaaS"
            started = time.perf_counter()
            deltas = engine.update("company", "giant", industry=industry)
            taken.append(time.perf_counter() - started)
            inside = 0 if turn % 2 else expected
            mismatches += (len(deltas) != expected) + (len(engine.members("it")) != inside)
        best, looked = min(taken), (engine.stats().clauses_examined - examined) / TURNS
        each = f"{best / expected * 1e6:10.2f}" if expected else f"{'-':>10}"
        say(f"  {share:<12}{expected:10,}{best * 1e3:10.2f}{each}{looked:20,.0f}")
        engine.drop("it")
    return mismatches + _mismatches_of_one_contact(engine)


def _mismatches_of_one_contact(engine: sk.Engine) -> int:
    """Time what leads the other way: one contact comes and goes, and the company counts."""
    engine.define("big", on="company", where="count(contacts) > 1")
    moves: list[Callable[[], object]] = []
    for n in range(200):
        company = None if n % 2 else "giant"
        moves.append(lambda company=company: engine.update("contact", "c1", company=company))
    say(HEADING)
    say(row("a contact comes or goes", _timed(moves)))
    return len(engine.members("big")) != 1


def measure_ranks(n_product: int, n_change: int, seed: int) -> int:
    """Single products sell more, or are counted anew; most of them near the others, some anywhere."""
    draw = random.Random(seed)
    engine = _engine()
    sales = [draw.randrange(1_000_000) for _ in range(n_product)]
    _load(engine, (sk.Put("product", f"p{n}", {"sales": amount}) for n, amount in enumerate(sales)))
    mismatches = 0
    for name, where in RANKS.items():
        started = time.perf_counter()
        engine.define(name, on="product", where=where)
        say(f"{name} of {n_product:,} products: defined in {time.perf_counter() - started:.2f} s")
    flips = 0

    def change(number: int, amount: int) -> None:
        nonlocal flips
        flips += len(engine.update("product", f"p{number}", sales=amount))

    changes = [(draw.randrange(n_product), draw.randrange(1_000_000)) for _ in range(n_change)]
    say(HEADING)
    say(row("any product, any value", _timed(lambda one=one: change(*one) for one in changes)))
    say(f"  {'flips per change':<28}{flips / n_change:10.2f}")
    for number, amount in changes:
        sales[number] = amount
    flips = 0
    best = sorted(range(n_product), key=lambda number: -sales[number])[:200]
    near = [(draw.choice(best), draw.randrange(sales[best[-1]], 1_000_000)) for _ in range(n_change)]
    say(row("one of the first 200", _timed(lambda one=one: change(*one) for one in near)))
    say(f"  {'flips per change':<28}{flips / n_change:10.2f}")
    for number, amount in near:
        sales[number] = amount
    ordered = sorted((-amount, f"p{number}") for number, amount in enumerate(sales))
    mismatches += {name for _, name in ordered[:100]} != set(engine.members("top 100"))
    ordered = sorted((amount, f"p{number}") for number, amount in enumerate(sales))
    mismatches += {name for _, name in ordered[: -(-n_product // 10)]} != set(engine.members("bottom 10 %"))
    return mismatches


def measure_chain(n_contact: int, n_change: int, seed: int) -> int:
    """Contacts whose flip goes through a chain of segments, each in the one before."""
    draw = random.Random(seed)
    engine = _engine()
    orders = [n % 10 for n in range(n_contact)]
    _load(engine, (sk.Put("contact", f"c{n}", {"orders": count}) for n, count in enumerate(orders)))
    engine.define("s0", on="contact", where="orders > 4")
    for depth in range(1, DEPTH):
        engine.define(f"s{depth}", on="contact", where=f'in segment "s{depth - 1}" and orders < 100')
    flips = 0

    def change(number: int) -> None:
        nonlocal flips
        orders[number] = 9 - orders[number]
        flips += len(engine.update("contact", f"c{number}", orders=orders[number]))

    numbers = [draw.randrange(n_contact) for _ in range(n_change)]
    say(f"a chain of {DEPTH} segments over {n_contact:,} contacts, each change flips all of them")
    say(HEADING)
    say(row("change", _timed(lambda number=number: change(number) for number in numbers)))
    expected = sum(count > 4 for count in orders)
    wrong = sum(len(engine.members(f"s{depth}")) != expected for depth in range(DEPTH))
    return wrong + (flips != DEPTH * n_change)


def _engine() -> sk.Engine:
    return sk.Engine(SCHEMA, clock=sk.ManualClock(datetime(2026, 11, 22, tzinfo=UTC)))


def _load(engine: sk.Engine, changes: Iterable[sk.Change]) -> None:
    started, feed, total = time.perf_counter(), iter(changes), 0
    while batch := list(islice(feed, BATCH)):
        engine.apply(batch)
        total += len(batch)
    say(f"  loaded {total:,} objects in {time.perf_counter() - started:.1f} s")


def _timed(calls: Iterable[Callable[[], Any]]) -> list[int]:
    tick = time.perf_counter_ns
    taken = []
    for call in calls:
        started = tick()
        call()
        taken.append(tick() - started)
    return taken


def _runs(asked: argparse.Namespace) -> Iterator[int]:
    yield measure_company(asked.contacts, 0)
    yield measure_company(asked.contacts, asked.around)
    yield measure_ranks(asked.products, asked.changes, asked.seed)
    yield measure_chain(asked.contacts, asked.changes, asked.seed)


def main(argv: Sequence[str] | None = None) -> list[Result]:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog=MODULE, description="one change that reaches many objects")
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--around", type=int, default=10_000, help="other companies in the second run")
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--changes", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    mismatches = sum(_runs(parser.parse_args(argv)))
    say(f"  {'mismatches':<28}{mismatches:10,}")
    return [Result(mismatches)]


if __name__ == "__main__":
    main()

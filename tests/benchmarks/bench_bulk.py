"""Many objects at once: tables loaded, segments defined over them, one new filter; beside numpy by hand.

    python -m tests.benchmarks.bench_bulk [--contacts 100000] [--segments 1000] [--seed 1] [--repeats 5]
        [--variant full|attributes]

Milliseconds of CPU time, of all threads, and of wall time. With `--variant attributes` no segment reads
events or the time, none are loaded, and Polars is asked too, if it is installed.

The peer has the workload's own columns and sorted events as arrays, and computes equal conditions and
aggregates once for all segments (`rescan`). It knows no ids, keeps no memberships and follows no change.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import segmentkit as sk
from tests.benchmarks import host, vocabulary as words
from tests.benchmarks.measure import resident_mib, say
from tests.benchmarks.polars_peer import PolarsPeer
from tests.benchmarks.rescan import Rescan
from tests.benchmarks.trees import EVENTS, Node, is_temporal, make_segments, to_filter
from tests.benchmarks.workload import START_US, Array, Workload

MODULE = "tests.benchmarks.bench_bulk"

FILTERS: Sequence[tuple[str, str]] = (
    ("attributes", "orders >= 3 and age between 30 and 40 and email_marketing_consent"),
    ("a text and a set", 'country = "PL" and tags has "tag 03"'),
    ("an event window", "did purchase at least 2 times in the last 33 days and orders >= 3"),
    ("a sum", "sum(purchase.amount in the last 33 days) > 150"),
)


class Result(NamedTuple):
    """What a run found out, besides what it printed."""

    mismatches: int


class Everything(Rescan):
    """The peer: all segments, not only those that time can change."""

    def __init__(self, workload: Workload, segments: Sequence[Node]) -> None:
        super().__init__(workload, segments)
        self.segments = dict(enumerate(segments))


def contacts_frame(workload: Workload) -> Any:
    """Return all contacts as an Arrow table, as a warehouse would send it."""
    import pyarrow as pa

    c, n = workload.columns, workload.n_contact
    missing_age = np.isnan(c["age"])
    domains = [f"@{domain}" for domain in words.DOMAINS]
    return pa.table(
        {
            "id": pa.array([host.object_id(i) for i in range(n)]),
            **{name: _coded(c[name], values) for name, values in _VOCABULARIES.items()},
            "age": pa.array(np.where(missing_age, 0, c["age"]).astype(np.int64), mask=missing_age),
            "ltv": pa.array(c["ltv"]),
            "orders": pa.array(c["orders"]),
            "email_marketing_consent": pa.array(c["email_marketing_consent"]),
            "tags": _sets(c["tags"], words.TAGS),
            "lists": _sets(c["lists"], words.LISTS),
            "last_visit": _instants(c["last_visit"], c["last_visit"] < 0),
            "location": pa.FixedSizeListArray.from_arrays(
                pa.array(np.column_stack((c["latitude"], c["longitude"])).ravel()), 2
            ),
            "company_size": pa.array(c["company_size"]),
            "email": pa.array([f"user{i}{domains[code]}" for i, code in enumerate(c["domain"].tolist())]),
        }
    )


_VOCABULARIES = {"country": words.COUNTRIES, "plan": words.PLANS, "city": words.CITIES}


def events_frame(workload: Workload, event: str) -> Any:
    """Return all events of a name as an Arrow table, oldest first."""
    import pyarrow as pa

    rows = np.flatnonzero(workload.events["kind"] == EVENTS.index(event))
    rows = rows[np.argsort(workload.events["at"][rows], kind="stable")]
    e = {name: column[rows] for name, column in workload.events.items()}
    ids = pa.array([host.object_id(i) for i in range(workload.n_contact)])
    columns = {"object": ids.take(pa.array(e["contact"])), "at": _instants(e["at"], e["at"] < 0)}
    if event == "page_view":
        columns["url"] = _coded(e["code"], words.URLS)
    elif event == "purchase":
        columns |= {"category": _coded(e["code"], words.CATEGORIES), "amount": pa.array(e["amount"])}
    return pa.table(columns)


def _coded(codes: Array, values: Sequence[str]) -> Any:
    import pyarrow as pa

    return pa.array(list(values)).take(pa.array(codes.astype(np.int32)))


def _instants(micros: Array, missing: Array) -> Any:
    import pyarrow as pa

    return pa.array(micros, mask=missing).cast(pa.timestamp("us", "UTC"))


def _sets(masks: Array, vocabulary: Sequence[str]) -> Any:
    import pyarrow as pa

    bits = (masks[:, None] >> np.arange(len(vocabulary))) & 1
    offsets = np.concatenate(([0], np.cumsum(bits.sum(axis=1)))).astype(np.int32)
    members = pa.array(list(vocabulary)).take(pa.array(np.nonzero(bits)[1]))
    return pa.ListArray.from_arrays(pa.array(offsets), members)


def load_everything(engine: sk.Engine, workload: Workload, segments: Sequence[Node]) -> dict[str, float]:
    """Load all tables and define all segments; return the seconds of each step, building tables left aside."""
    people = contacts_frame(workload)
    frames = {event: events_frame(workload, event) for event in EVENTS}
    return {
        "load contacts": _seconds(lambda: engine.load("contact", people)),
        f"load {sum(map(len, frames.values())):,} events": _seconds(
            lambda: [engine.load_events("contact", e, f) for e, f in frames.items()]
        ),
        "define": _seconds(lambda: define_together(engine, segments)),
    }


def make_variant(count: int, seed: int, variant: str) -> list[Node]:
    """Return segments of all kinds, or with `attributes` those that read neither events nor the time."""
    if variant == "full":
        return make_segments(count, seed)
    timeless = [segment for segment in make_segments(4 * count + 100, seed) if not is_temporal(segment)]
    return timeless[:count]


def run(contacts: int, n_segment: int, seed: int, repeats: int, variant: str = "full") -> Result:
    """Load, define, count; print what each takes; compare all memberships with the peer's."""
    workload, segments = Workload(contacts, seed), make_variant(n_segment, seed, variant)
    frames = {event: events_frame(workload, event) for event in EVENTS} if variant == "full" else {}
    people = contacts_frame(workload)
    gc.collect()
    say(f"{contacts:,} contacts, {sum(map(len, frames.values())):,} events, {n_segment:,} segments ({variant})")
    say(f"  {'milliseconds':<44}{'CPU':>10}{'wall':>12}")
    engine, _ = host.make_engine()
    before = resident_mib()
    _say("load contacts from Arrow", _spent(lambda: engine.load("contact", people)))
    _say("load events from Arrow", _spent(lambda: [engine.load_events("contact", e, f) for e, f in frames.items()]))
    say(f"  {'memory added':<44}{resident_mib() - before:10.0f} MiB")
    peer = Everything(workload, segments)
    theirs = _spent(lambda: peer.tick(START_US))
    parsing = _spent(lambda: [sk.parse(to_filter(s), engine.schema, "contact") for s in segments])
    defining = _spent(lambda: define_together(engine, segments))
    recomputing = _spent(lambda: _recomputed(engine))
    _say("define all segments from one file", defining)
    _say("  of which parsing and checking, about", parsing)
    _say("  all members again, once they are defined", recomputing)
    _say("all members by numpy", theirs)
    contestants = {"numpy": theirs}
    mismatches = 0
    if variant == "attributes" and PolarsPeer.is_installed():
        polars, counts = PolarsPeer(workload), list[int]()
        contestants["Polars"] = _spent(lambda: counts.extend(polars.counts(segments)))
        _say("all members counted by Polars", contestants["Polars"])
        mismatches += sum(len(s.members) != n for s, n in zip(engine.segments(), counts, strict=True))
    for name, spent in contestants.items():
        label = f"{name}'s CPU time to defining / all members again"
        say(f"  {label:<44}{spent.cpu / defining.cpu:10.2f}{spent.cpu / recomputing.cpu:12.2f}")
    for name, where in FILTERS:
        times = [_spent(partial(_count, engine, where)) for _ in range(repeats)]
        _say(f"count a filter: {name}", Spent(*(statistics.median(column) for column in zip(*times, strict=True))))
    for number, expected in peer.members.items():
        found = np.zeros(contacts, bool)  # contacts are numbered in the order of the table
        found[np.array(engine._catalogue.segments[host.segment_name(number)].members.to_array(), np.int64)] = True
        mismatches += int(np.count_nonzero(found ^ expected))
    say(f"  {'mismatches':<44}{mismatches:10,} of {contacts * n_segment:,}")
    return Result(mismatches)


def define_together(engine: sk.Engine, segments: Sequence[Node]) -> None:
    """Define all segments from one file."""
    text = "\n".join(
        f'segment "{host.segment_name(i)}" on contact where {to_filter(s)}' for i, s in enumerate(segments)
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "segments.seg"
        path.write_text(text, encoding="utf-8")
        engine.define_file(path)


def _recomputed(engine: sk.Engine) -> Any:
    """Compute the members of all segments again, from the facts and the cells of the plan."""
    return engine._matchers["contact"].select_all(list(engine._catalogue.segments.values()), START_US)


def _count(engine: sk.Engine, where: str) -> int:
    return engine.preview(on="contact", where=where).count


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


class Spent(NamedTuple):
    """Milliseconds of CPU time, of all threads, and of wall time."""

    cpu: float
    wall: float


def _spent(action: Callable[[], object]) -> Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return Spent((time.process_time() - cpu) * 1e3, (time.perf_counter() - wall) * 1e3)


def _say(what: str, spent: Spent) -> None:
    say(f"  {what:<44}{spent.cpu:10.1f}{spent.wall:12.1f}")


def main(argv: Sequence[str] | None = None) -> list[Result]:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog=MODULE, description="many objects at once, beside numpy by hand")
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--segments", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5, help="how often each new filter is counted")
    parser.add_argument("--variant", choices=("full", "attributes"), default="full")
    asked = parser.parse_args(argv)
    return [run(asked.contacts, asked.segments, asked.seed, asked.repeats, asked.variant)]


if __name__ == "__main__":
    main()

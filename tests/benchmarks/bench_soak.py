"""A long run with a steady population: whether memory stays what it is.

    python -m tests.benchmarks.bench_soak [--changes 1000000] [--contacts 2000] [--segments 200]
        [--keep 10000] [--seed 1]

The changes of the workload, and beside them everything that a host does to an engine in a year:

- each event is retracted once there are twenty for each contact, so that their number is steady;
- every hundredth change a contact is deleted, and put again a little later;
- every tenth stretch of a hundred changes is one batch; the others come one by one;
- members are read, deltas asked for and taken by a subscriber;
- every thousandth change a segment is dropped and another one defined, of a pool of twice as many.

Resident memory and the sizes of what could grow are printed twenty times on the way. The store keeps
`--keep` records of deltas, so its share is settled early. Time passes as in the workload: nearly four years
in a million changes of 2,000 contacts.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import segmentkit as sk
from segmentkit.index._columns import CodedColumn
from tests.benchmarks import host
from tests.benchmarks.measure import resident_mib, say
from tests.benchmarks.trees import make_segments, to_filter
from tests.benchmarks.workload import (
    EVENTS_PER_CONTACT,
    START_US,
    AttributeChange,
    Workload,
    iter_changes,
    to_datetime,
)

MODULE = "tests.benchmarks.bench_soak"
BATCH = 100
_EACH_DELETE = 100
_EACH_DEFINITION = 1_000
_LOOKS = 20


class Result(NamedTuple):
    """What a run found out, besides what it printed.

    `grown_mib` is how much memory the second half of the run added.
    """

    mismatches: int
    grown_mib: float


class Soak:
    """An engine, and a host that treats it as hosts do."""

    def __init__(self, contacts: int, n_segment: int, keep: int, seed: int) -> None:
        self._workload = Workload(contacts, seed)
        self._pool = make_segments(2 * n_segment, seed)
        self._defined = deque(range(n_segment))
        self._waiting = deque(range(n_segment, 2 * n_segment))
        self.clock = sk.ManualClock(to_datetime(START_US))
        self.engine = sk.Engine(host.make_schema(), store=sk.MemoryStore(keep), clock=self.clock)
        self.taken = 0
        """Deltas that the subscriber has been told."""
        self.engine.subscribe(self._take)
        for number in self._defined:
            self._define(number)
        host.load_contacts(self.engine, self._workload)
        self._alive = [True] * contacts
        self._generation = [0] * contacts
        self._events: deque[tuple[int, int, str]] = deque()
        self._deleted: deque[int] = deque()
        self._stream = iter_changes(self._workload)
        self._n_changes = 0

    def _take(self, delta: sk.Delta) -> None:
        self.taken += 1

    def _define(self, number: int) -> None:
        self.engine.define(host.segment_name(number), on="contact", where=to_filter(self._pool[number]))

    def _put(self, contact: int) -> sk.Put:
        return sk.Put("contact", host.object_id(contact), host.public(self._workload.contact(contact)))

    def _changes(self) -> Iterator[sk.Update | sk.Event | sk.Put | sk.Delete | sk.Retract]:
        """Yield the next changes of the workload, with those that keep the population steady."""
        for change in self._stream:
            self._n_changes += 1
            contact = change.contact
            if self._n_changes % _EACH_DELETE == 0 and self._alive[contact]:
                self._alive[contact] = False
                self._generation[contact] += 1
                self._deleted.append(contact)
                yield sk.Delete("contact", host.object_id(contact))
            if len(self._deleted) > 5:
                again = self._deleted.popleft()
                self._alive[again] = True
                yield self._put(again)
            if not self._alive[contact]:
                continue
            self.clock.set(max(self.clock.now(), to_datetime(change.at)))
            _, identity, values, event = host.change_arguments(change)
            if isinstance(change, AttributeChange) or event is None:
                yield sk.Update("contact", identity, values)
                continue
            event_id = f"event {self._n_changes}"
            self._events.append((contact, self._generation[contact], event_id))
            yield sk.Event("contact", identity, event, values, id=event_id)
            while len(self._events) > EVENTS_PER_CONTACT * self._workload.n_contact:
                contact, generation, event_id = self._events.popleft()
                if self._alive[contact] and self._generation[contact] == generation:
                    yield sk.Retract("contact", host.object_id(contact), event_id)

    def play(self, count: int) -> None:
        """Carry out `count` changes, and what a host does beside them."""
        changes, done = self._changes(), 0
        while done < count:
            stretch = min(BATCH, count - done)
            if done // BATCH % 10 == 9:
                self.engine.apply([next(changes) for _ in range(stretch)])
            else:
                for _ in range(stretch):
                    self.engine.apply(next(changes))
            done += stretch
            name = host.segment_name(self._defined[0])
            len(self.engine.members(name))
            if done % _EACH_DEFINITION == 0:
                self.engine.members(name).page(limit=10)
                self.engine.drop(name)
                self._waiting.append(self._defined.popleft())
                self._defined.append(self._waiting.popleft())
                self._define(self._defined[-1])
                sum(1 for _ in self.engine.deltas(self.engine.stats().seq - 100))

    def sizes(self) -> str:
        """Return the sizes of what could grow, as the columns of `HEADING`."""
        stats = self.engine.stats()
        table = self.engine._tables["contact"]
        columns = [column for column in table.columns.values() if isinstance(column, CodedColumn)]
        codes = sum(len(column.dictionary.values) for column in columns)
        features = [f for known in self.engine._matchers["contact"]._features.values() for f in known]
        steps = sum(len(feature.trials) for feature in features)
        waiting = stats.deadlines.exact + stats.deadlines.coarse
        return f"{stats.events:10,}{codes:8,}{waiting:11,}{len(features):10,}{steps:9,}"


_HEADING = f"{'events':>10}{'codes':>8}{'deadlines':>11}{'features':>10}{'steps':>9}"


def run(changes: int, contacts: int, n_segment: int, keep: int, seed: int) -> Result:
    """Play; print memory and sizes on the way; check the memberships of some contacts at the end."""
    say(f"{changes:,} changes, {contacts:,} contacts, {n_segment:,} segments, {keep:,} records kept")
    soak = Soak(contacts, n_segment, keep, seed)
    say(f"  {'changes':>12}{'MiB':>9}{'CPU s':>9}{_HEADING}")
    memory: list[float] = []
    started, each = time.process_time(), max(BATCH, changes // _LOOKS)
    for done in range(0, changes, each):
        soak.play(min(each, changes - done))
        gc.collect()
        memory.append(resident_mib())
        spent = time.process_time() - started
        say(f"  {min(done + each, changes):12,}{memory[-1]:9.1f}{spent:9.0f}{soak.sizes()}")
    grown = memory[-1] - memory[len(memory) // 2]
    say(f"  {'second half added':<28}{grown:10.1f} MiB")
    mismatches = _mismatches(soak.engine, contacts)
    say(f"  {'deltas taken':<28}{soak.taken:10,}")
    say(f"  {'mismatches':<28}{mismatches:10,}")
    return Result(mismatches, grown)


def _mismatches(engine: sk.Engine, contacts: int) -> int:
    """Compare memberships with those that an engine finds which only now gets the facts."""
    fresh = sk.Engine(engine.schema, clock=sk.ManualClock(engine.now))
    fresh.apply(list(engine.iter_facts()))
    for segment in engine.segments():
        fresh.define(segment.name, on="contact", where=segment.where)
    return sum(
        engine.segments_of("contact", name) != fresh.segments_of("contact", name)
        for name in map(host.object_id, range(min(contacts, 500)))
    )


def main(argv: Sequence[str] | None = None) -> list[Result]:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog=MODULE, description="memory over a long run with a steady population")
    parser.add_argument("--changes", type=int, default=1_000_000)
    parser.add_argument("--contacts", type=int, default=2_000)
    parser.add_argument("--segments", type=int, default=200)
    parser.add_argument("--keep", type=int, default=10_000, help="records of deltas that the store keeps")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(argv)
    return [run(asked.changes, asked.contacts, asked.segments, asked.keep, asked.seed)]


if __name__ == "__main__":
    main()

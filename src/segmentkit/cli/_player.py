"""Plays data with virtual time: every event at its own instant, and time between them.

The clock is moved to the instant of each event before the event is fed (events at one instant
are one batch), and to the end of each step, so that what time alone brings happens at its
exact instant. Objects are there from the beginning. At the end memberships are those of a
run that loads everything at `now`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

import attrs

from segmentkit.cli._load import Fact, Facts, instant_of
from segmentkit.cli._progress import Progress
from segmentkit.cli._run import Segment, apply, define
from segmentkit.clock import ManualClock
from segmentkit.engine import Engine
from segmentkit.index.deltas import Delta, Deltas, Event, Put
from segmentkit.schema import Schema

_BATCH: Final = 2_000


@attrs.frozen
class Step:
    """A stretch of the replay, up to `end`; `day` is the last civil day in it."""

    day: date
    end: datetime


@attrs.define
class Course:
    """What happened: sizes at the end of each step, the deltas of each step, and counts.

    The deltas of the first step begin with those of the objects themselves.
    `seconds` is the time spent in the engine, without reading files and printing.
    """

    engine: Engine
    first_day: date
    steps: list[Step] = attrs.field(factory=list)
    sizes_by_name: dict[str, list[int]] = attrs.field(factory=dict)
    deltas_by_step: list[list[Deltas]] = attrs.field(factory=list)
    n_changes: int = 0
    seconds: float = 0.0

    @property
    def n_deltas(self) -> int:
        """How many deltas there were."""
        return sum(len(deltas) for batches in self.deltas_by_step for deltas in batches)

    def iter_deltas(self, from_step: int = 0) -> Iterator[Delta]:
        """Yield the deltas from a step on (negative: counted from the end), in order."""
        for batches in self.deltas_by_step[from_step:]:
            for deltas in batches:
                yield from deltas


def iter_steps(start: datetime, end: datetime, length: str, zone: str) -> Iterator[Step]:
    """Yield the civil days, weeks (from Monday) or months of `zone` from `start` on; the last one ends at `end`.

    >>> from datetime import UTC
    >>> for step in iter_steps(datetime(2026, 1, 31, 5, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC), "day", "UTC"):
    ...     print(step.day, step.end.isoformat())
    2026-01-31 2026-02-01T00:00:00+00:00
    2026-02-01 2026-02-01T00:00:00+00:00
    """
    local = ZoneInfo(zone)
    day = start.astimezone(local).date()
    last_day = end.astimezone(local).date()
    while True:
        following = _next_day(day, length)
        if following > last_day:
            yield Step(last_day, end)
            return
        midnight = datetime(following.year, following.month, following.day, tzinfo=local)
        yield Step(following - timedelta(days=1), midnight.astimezone(end.tzinfo))
        day = following


def _next_day(day: date, length: str) -> date:
    """Return the first day of the step after the one that holds `day`."""
    if length == "week":
        return day + timedelta(days=7 - day.weekday())
    if length == "month":
        return date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return day + timedelta(days=1)


def play(
    schema: Schema,
    segments: Sequence[Segment],
    facts: Facts,
    now: datetime,
    length: str,
    *,
    progress: Progress,
    show: Callable[[Deltas], None] | None = None,
) -> Course:
    """Play the facts up to `now` in steps of `length` ("day", "week" or "month") and return what happened.

    Events after `now` are left out: nobody sees them before their instant. `show` gets the
    deltas of each call as they come.
    """
    start = min(now, instant_of(facts.events[0])) if facts.events else now
    clock = ManualClock(start)
    first_day = start.astimezone(ZoneInfo(schema.zone)).date()
    player = _Player(Course(Engine(schema, clock=clock), first_day), clock, show)
    define(player.course.engine, segments)
    player.course.sizes_by_name = {segment.name: [] for segment in segments}
    events = deque(fact for fact in facts.events if instant_of(fact) <= now)
    n_changes = len(facts.objects) + len(events)
    for i in range(0, len(facts.objects), _BATCH):
        player.feed(facts.objects[i : i + _BATCH])
        progress(player.course.n_changes, n_changes, first_day.isoformat())
    for step in iter_steps(start, now, length, schema.zone):
        player.step(step, list(_take(events, step, is_last=step.end == now)))
        progress(player.course.n_changes, n_changes, step.day.isoformat())
    return player.course


def _take(events: deque[Fact[Event]], step: Step, *, is_last: bool) -> Iterator[Fact[Event]]:
    """Take the events of a step off the left; one at the very end of a step belongs to the next step."""
    while events and (is_last or instant_of(events[0]) < step.end):
        yield events.popleft()


class _Player:
    """Feeds an engine and notes what happens."""

    def __init__(self, course: Course, clock: ManualClock, show: Callable[[Deltas], None] | None) -> None:
        self.course = course
        self._clock = clock
        self._show = show
        self._found: list[Deltas] = []

    def step(self, step: Step, events: Sequence[Fact[Event]]) -> None:
        """Feed the events at their instants, let time pass to the end of the step, and note the sizes."""
        course = self.course
        for at, batch in groupby(events, key=instant_of):
            self._clock.set(at)
            self.feed(list(batch))
        self._pass_time(step.end)
        course.steps.append(step)
        course.deltas_by_step.append(self._found)
        self._found = []
        for name, sizes in course.sizes_by_name.items():
            sizes.append(len(course.engine.members(name)))

    def feed(self, facts: Sequence[Fact[Put] | Fact[Event]]) -> None:
        """Apply one batch now."""
        begin = time.perf_counter()
        deltas = apply(self.course.engine, facts)
        self.course.seconds += time.perf_counter() - begin
        self.course.n_changes += len(facts)
        self._note(deltas)

    def _pass_time(self, to: datetime) -> None:
        begin = time.perf_counter()
        self._clock.set(to)
        deltas = self.course.engine.advance(to=to)
        self.course.seconds += time.perf_counter() - begin
        self._note(deltas)

    def _note(self, deltas: Deltas) -> None:
        if deltas:
            self._found.append(deltas)
            if self._show is not None:
                self._show(deltas)

"""Two ways to find when time alone flips a filter, which share no code; a law compares them.

`flips_by_horizon` walks from one `next_change` to the next, as the model does.
`flips_by_candidates` never looks at the horizon: it collects every instant at which
anything could change (facts, literals, those moved by each duration in the tree, civil
days, changes of offset), evaluates around each, and bisects where two neighbours differ.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from segmentkit.dsl import predicates as p
from segmentkit.dsl._horizon import next_change
from segmentkit.dsl.evaluate import evaluate
from segmentkit.values import from_micros, to_micros

if TYPE_CHECKING:
    from tests.model import ObjectFacts

__all__ = ["flips_by_candidates", "flips_by_horizon"]


def flips_by_horizon(tree: p.Predicate, facts: ObjectFacts, now: int, to: int, zone: str) -> Iterator[tuple[int, bool]]:
    """Yield each instant in (now, to] at which `tree` flips, and to what, going by `next_change`."""
    holds = evaluate(tree, facts, now, zone)
    instant = now
    while True:
        upcoming = next_change(tree, facts, instant, zone)
        if upcoming is None or upcoming > to:
            return
        assert upcoming > instant, f"the horizon of {instant} is {upcoming}, which does not lie after it"
        instant = upcoming
        if evaluate(tree, facts, instant, zone) != holds:
            holds = not holds
            yield instant, holds


def flips_by_candidates(
    tree: p.Predicate, facts: ObjectFacts, now: int, to: int, zone: str
) -> Iterator[tuple[int, bool]]:
    """Yield the same as `flips_by_horizon`, found by looking everywhere."""
    instants = sorted({to, *(instant for instant in candidates(tree, facts, now, to, zone) if now < instant < to)})

    def holds_at(instant: int) -> bool:
        return evaluate(tree, facts, instant, zone)

    previous, holds = now, holds_at(now)
    for instant in instants:
        if holds_at(instant) != holds:
            holds = not holds
            yield first_instant(lambda t, wanted=holds: holds_at(t) == wanted, previous, instant), holds
        previous = instant


def first_instant(is_past: Callable[[int], bool], low: int, high: int) -> int:
    """Return the first instant in (low, high] that `is_past`, where `low` is not and `high` is."""
    while high - low > 1:
        middle = (low + high) // 2
        if is_past(middle):
            high = middle
        else:
            low = middle
    return high


def candidates(
    tree: p.Predicate, facts: ObjectFacts, now: int, to: int, zone: str, others: Iterable[int] = ()
) -> set[int]:
    """Return every instant around which `tree` could change for these facts, in (now, to] and elsewhere.

    `others` are instants that it may read besides, such as those of entries into segments.
    """
    nodes = list(p.iter_nodes(tree))
    zones = [ZoneInfo(name) for name in {zone, *(getattr(node, "zone", None) or zone for node in nodes)}]
    instants = {now, *others, *_instants(nodes, facts, zones)}
    durations = {duration for node in nodes for duration in _durations(node)}
    for _ in durations and range(2):  # two durations may add up: `signup + 7 days more than 3 days ago`
        instants |= {
            moved for instant in instants for duration in durations for moved in _moved(instant, duration, zones)
        }
    if any(_goes_by_the_day(node) for node in nodes):
        instants |= set(_civil_days(now, to, zones))
    if any(isinstance(node, p.Call) and node.function == "hour" and _reads_now(node) for node in nodes):
        instants |= set(range(now - now % _QUARTER, to, _QUARTER))
    return {instant + step for instant in instants for step in (-1, 0, 1)}


_QUARTER = 900_000_000  # offsets are multiples of a quarter of an hour, so whole local hours fall on these


def _reads_now(node: p.Node) -> bool:
    return any(isinstance(below, p.Now) for below in p.iter_nodes(node))


def _instants(nodes: Sequence[p.Node], facts: ObjectFacts, zones: Sequence[ZoneInfo]) -> Iterator[int]:
    event_types = facts.type.events
    known = [(kind, facts.attributes.get(name)) for name, kind in facts.type.attributes.items()]
    for event in facts.stored:
        yield event.at
        known += [(kind, event.properties.get(name)) for name, kind in event_types[event.name].properties.items()]
    known += [(node.type, node.value) for node in nodes if isinstance(node, p.Literal)]
    for value_type, value in known:
        if value is not None and value_type.kind == "instant":
            yield value
        elif value is not None and value_type.kind == "date":
            for zone, day in itertools.product(zones, (value, value + 1)):
                yield _local(date.fromordinal(day), time(), zone)


def _moved(instant: int, duration: p.Duration, zones: Sequence[ZoneInfo]) -> Iterator[int]:
    for sign in (-1, 1):
        if duration.months == 0:
            yield instant + sign * duration.micros
            continue
        for zone in zones:
            local = from_micros(instant).astimezone(zone)
            first = _month_later(local.date(), sign * duration.months)
            for shift in range(-3, 4):  # where clamping at the end of a month may put it
                yield _local(first + timedelta(days=shift), local.time(), zone)


def _durations(node: p.Node) -> Iterator[p.Duration]:
    if isinstance(node, p.Relative):
        yield node.duration
        if node.second is not None:
            yield node.second
    elif isinstance(node, p.Literal) and isinstance(node.value, p.Duration):
        yield node.value
    elif isinstance(node, p.Chain):
        yield from (step.within for step in node.steps if step.within is not None)


def _goes_by_the_day(node: p.Node) -> bool:
    return (
        isinstance(node, p.Calendar | p.Today | p.Anniversary)
        or any(duration.months for duration in _durations(node))
        or (isinstance(node, p.Literal | p.Attribute | p.Property | p.Aggregate) and node.type.kind == "date")
        or (isinstance(node, p.Aggregate) and node.function == "days")
        or (isinstance(node, p.Call) and node.function in ("year", "month", "day", "weekday", "hour"))
    )


def _civil_days(now: int, to: int, zones: Sequence[ZoneInfo]) -> Iterator[int]:
    for zone in zones:
        day = from_micros(now).astimezone(zone).date()
        while (midnight := _local(day, time(), zone)) <= to:
            yield midnight
            yield from _changes_of_offset(day, zone)
            day += timedelta(days=1)


@cache
def _changes_of_offset(day: date, zone: ZoneInfo) -> Sequence[int]:
    start = datetime.combine(day, time(), UTC)
    hours = [start + timedelta(hours=hour) for hour in range(25)]
    offsets = [hour.astimezone(zone).utcoffset() for hour in hours]
    around = [pair for index, pair in enumerate(itertools.pairwise(hours)) if offsets[index] != offsets[index + 1]]
    return [to_micros(hour) for pair in around for hour in pair]


def _month_later(day: date, months: int) -> date:
    total = day.year * 12 + day.month - 1 + months
    year, month = divmod(total, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))


@lru_cache(maxsize=100_000)
def _local(day: date, at: time, zone: ZoneInfo) -> int:
    return to_micros(datetime.combine(day, at, zone).astimezone(UTC))

"""`segmentkit run --replay`: what the replay of `_player` saw, as text or JSON.

Sizes over time, who entered and left last, one object's course through the segments, and the speed.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

from segmentkit.cli._chart import can_draw_blocks, sparkline
from segmentkit.cli._load import Facts
from segmentkit.cli._player import Course, play
from segmentkit.cli._progress import progress_bar
from segmentkit.cli._report import (
    clip,
    ids_text,
    instant_text,
    plural,
    print_deltas,
    print_json,
    print_segments,
    print_table,
    width_of_stdout,
)
from segmentkit.cli._run import Segment, data_text, print_members, segment_rows, summary
from segmentkit.schema import Schema

_MAX_CHART: Final = 60
_LAST_STEPS: Final = 3
_MAX_LINES: Final = 16
"""Most lines about the last days, and about the object."""


def replay(
    arguments: argparse.Namespace, schema: Schema, segments: Sequence[Segment], facts: Facts, now: datetime
) -> int:
    """Play the facts up to `now`, print what happened, and return the exit status."""
    as_json = arguments.format == "json"
    show = partial(print_deltas, as_json=as_json) if arguments.deltas else None
    with progress_bar("replay") as progress:
        course = play(schema, segments, facts, now, arguments.replay, progress=progress, show=show)
    if arguments.members is not None:
        print_members(course.engine, arguments.members, as_json=as_json)
        return 0
    types = [fact.change.object_type for fact in facts.objects if fact.change.id == arguments.object]
    chosen = (types[0], arguments.object) if types else eventful_object(course, segments)
    if as_json:
        _print_json(course, segments, facts, now, chosen)
    else:
        _print_report(course, segments, facts, chosen)
    return 0


def eventful_object(course: Course, segments: Sequence[Segment]) -> tuple[str, str] | None:
    """Return type and id of an object to look at: in the most segments, then with the most deltas, then the first."""
    n_segments: Counter[tuple[str, str]] = Counter()
    for segment in segments:
        n_segments.update((segment.on, object_id) for object_id in course.engine.members(segment.name))
    n_deltas = Counter((delta.object_type, delta.object) for delta in course.iter_deltas())
    return min(n_segments or n_deltas, key=lambda key: (-n_segments[key], -n_deltas[key], key), default=None)


def _print_report(course: Course, segments: Sequence[Segment], facts: Facts, chosen: tuple[str, str] | None) -> None:
    print(f"{data_text(facts)}, from {course.first_day} to {course.steps[-1].day}\n")
    rows = segment_rows(course.engine, segments, facts)
    names = max(len(clip(row.name)) for row in rows)
    width = max(10, min(_MAX_CHART, width_of_stdout() - names - 36))
    blocks = can_draw_blocks(sys.stdout.encoding)
    print_segments(
        rows,
        {name: (max(sizes), sparkline(sizes, width, blocks=blocks)) for name, sizes in course.sizes_by_name.items()},
    )
    _print_last(course)
    if chosen is not None:
        _print_object(course, *chosen)
    print(f"\n{speed_text(course)}")


def _print_last(course: Course) -> None:
    """Who entered and left in the last steps: a line for each instant, segment and direction."""
    ids_by_group: dict[tuple[datetime, str, bool], list[str]] = {}
    for delta in course.iter_deltas(-_LAST_STEPS):
        ids_by_group.setdefault((delta.at, delta.segment, delta.entered), []).append(delta.object)
    groups = list(ids_by_group.items())
    since = course.steps[-_LAST_STEPS:][0].day
    print(f"\nentered (+) and left (-) from {since} to {course.steps[-1].day}")
    print_table(
        ["instant", "segment", "", "who"],
        [
            [instant_text(at), clip(name), f"{'+' if entered else '-'}{len(ids):,}", ids_text(ids, len(ids))]
            for (at, name, entered), ids in groups[-_MAX_LINES:]
        ],
        right=[2],
    )
    if len(groups) > _MAX_LINES:
        print(f"... and {plural(len(groups) - _MAX_LINES, 'line')} before these; --deltas prints everything")


def _print_object(course: Course, object_type: str, object_id: str) -> None:
    names = list(course.engine.segments_of(object_type, object_id))
    print(f"\n{object_type} {object_id} is in {plural(len(names), 'segment')}: {', '.join(names) or 'none'}")
    found = [d for d in course.iter_deltas() if (d.object_type, d.object) == (object_type, object_id)]
    if len(found) > _MAX_LINES:
        print(f"  ... {plural(len(found) - _MAX_LINES, 'delta')} before these")
    for delta in found[-_MAX_LINES:]:
        print(f"  {instant_text(delta.at)} {'+' if delta.entered else '-'} {delta.segment}")


def speed_text(course: Course) -> str:
    """Return how much was done, and how fast."""
    return (
        f"{plural(course.n_changes, 'change')} and {plural(len(course.steps), 'step')} of time"
        f" in {course.seconds:.1f} s: {course.n_changes / max(course.seconds, 1e-6):,.0f} changes per second,"
        f" {plural(course.n_deltas, 'delta')}"
    )


def _print_json(
    course: Course, segments: Sequence[Segment], facts: Facts, now: datetime, chosen: tuple[str, str] | None
) -> None:
    rows = segment_rows(course.engine, segments, facts)
    fields = summary(course.engine, rows, facts, now, chosen[1] if chosen else None)
    print_json(
        "summary",
        **fields,
        days=[step.day.isoformat() for step in course.steps],
        sizes=course.sizes_by_name,
        n_changes=course.n_changes,
        n_deltas=course.n_deltas,
        seconds=round(course.seconds, 3),
    )

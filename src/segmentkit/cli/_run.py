"""`segmentkit run`: memberships over data files, at one instant or day by day.

The definitions are checked before any data is read, and all data is read before the engine
sees the first change, so that a mistake costs nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice

import attrs

from segmentkit.cli._check import read_definitions
from segmentkit.cli._failure import Failure, suggestion
from segmentkit.cli._load import Fact, Facts, instant_of, load
from segmentkit.cli._progress import progress_bar
from segmentkit.cli._project import gather_definitions, gather_sources
from segmentkit.cli._report import (
    SAMPLE,
    SegmentRow,
    instant_text,
    plural,
    print_deltas,
    print_json,
    print_segments,
)
from segmentkit.cli._schema_file import read_schema
from segmentkit.cli._values import from_text
from segmentkit.clock import ManualClock, SystemClock
from segmentkit.dsl import parse
from segmentkit.dsl._dependencies import evaluation_order, segments_read
from segmentkit.engine import Engine
from segmentkit.errors import DataError
from segmentkit.index.deltas import Delta, Deltas, Event, Put
from segmentkit.schema import Schema
from segmentkit.values import instant

_BATCH = 2_000


@attrs.frozen
class Segment:
    """What is needed to define a segment."""

    name: str
    on: str
    where: str
    description: str = ""
    hidden_from: frozenset[str] = frozenset()
    refers_to: frozenset[str] = frozenset()


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    project = gather_definitions(arguments.files, arguments.schema)
    schema = read_schema(project.schema)
    checked = read_definitions(project.definitions, schema)
    if checked.problems:
        raise Failure("\n\n".join(checked.problems), 1)
    segments = [
        Segment(d.name, d.on, d.where, d.description, d.hidden_from, segments_read(checked.tree_by_name[d.name]))
        for d in checked.definitions
    ]
    segments += _segment_of_options(arguments, schema, {segment.name: segment.on for segment in segments})
    _check_names(arguments, segments)
    sources = gather_sources(arguments.objects, arguments.events, arguments.rename)
    facts = load((*project.sources, *sources), schema, ignore_columns=arguments.ignore_columns)
    if arguments.object is not None and not any(fact.change.id == arguments.object for fact in facts.objects):
        raise Failure(f"no object {arguments.object!r} in the data")
    now = _now(arguments.now, facts)
    if arguments.replay:
        from segmentkit.cli._replay import replay

        return replay(arguments, schema, segments, facts, now)
    return _run_at(arguments, schema, segments, facts, now)


def _segment_of_options(arguments: argparse.Namespace, schema: Schema, types: Mapping[str, str]) -> list[Segment]:
    """Return the segment that --where, --on and --name describe, if they do; it may refer to those of `types`."""
    if arguments.where is None:
        if arguments.on is not None or arguments.name is not None:
            raise Failure("--on and --name go with --where")
        return []
    if arguments.on is None and len(schema.types) > 1:
        raise Failure(f"--where needs --on TYPE, one of {', '.join(schema.types)}")
    on = arguments.on or next(iter(schema.types))
    tree = parse(arguments.where, schema, on, origin="--where", segments=types)
    return [Segment(arguments.name or "filter", on, arguments.where, refers_to=segments_read(tree))]


def _check_names(arguments: argparse.Namespace, segments: Sequence[Segment]) -> None:
    names = [segment.name for segment in segments]
    if not names:
        raise Failure("no segments; name a .seg file, or give a filter with --where")
    if arguments.where is not None and names[-1] in names[:-1]:
        raise Failure(f"segment {names[-1]!r} is defined in a file already; give the filter another --name")
    if arguments.members is not None and arguments.members not in names:
        raise Failure(f"no segment {arguments.members!r}{suggestion(arguments.members, names)}")


def _now(spelled: str | None, facts: Facts) -> datetime:
    if spelled is not None:
        try:
            now: datetime = from_text(spelled, instant)
        except ValueError as error:
            raise Failure(f"--now: {error}") from None
        return now
    if facts.events:
        return instant_of(facts.events[-1])
    return SystemClock().now()


def _run_at(
    arguments: argparse.Namespace, schema: Schema, segments: Sequence[Segment], facts: Facts, now: datetime
) -> int:
    engine = Engine(schema, clock=ManualClock(now))
    as_json = arguments.format == "json"
    every: list[Fact[Put] | Fact[Event]] = [*facts.objects, *facts.events]
    with progress_bar("load") as progress:
        for start in range(0, len(every), _BATCH):
            apply(engine, every[start : start + _BATCH])
            progress(start + _BATCH, len(every), "")
    deltas: list[Delta] = []
    if arguments.deltas:
        engine.subscribe(deltas.append)
    define(engine, segments)
    print_deltas(deltas, as_json=as_json)
    if arguments.members is not None:
        print_members(engine, arguments.members, as_json=as_json)
        return 0
    rows = segment_rows(engine, segments, facts)
    if as_json:
        print_json("summary", **summary(engine, rows, facts, now, arguments.object))
        return 0
    print(f"{data_text(facts)}; now is {instant_text(now)}\n")
    print_segments(rows)
    if arguments.object is not None:
        print(f"\n{object_text(engine, facts, arguments.object)}")
    return 0


def define(engine: Engine, segments: Sequence[Segment]) -> None:
    """Define all segments, each after those that it refers to."""
    by_name = {segment.name: segment for segment in segments}
    for name in evaluation_order({segment.name: sorted(segment.refers_to) for segment in segments}):
        segment = by_name[name]
        engine.define(
            segment.name,
            on=segment.on,
            where=segment.where,
            description=segment.description,
            hidden_from=segment.hidden_from,
        )


def apply(engine: Engine, facts: Sequence[Fact[Put] | Fact[Event]]) -> Deltas:
    """Apply the facts as one batch and return its deltas; a refused fact is a Failure that names its row."""
    try:
        return engine.apply([fact.change for fact in facts])
    except DataError as error:
        origin = f"{facts[error.position - 1].origin}: " if error.position else ""  # the first one is number 1
        raise Failure(f"{origin}{error}") from None


def segment_rows(engine: Engine, segments: Sequence[Segment], facts: Facts) -> list[SegmentRow]:
    """Return a row for each segment, in the order of their definitions."""
    n_by_type = facts.n_objects_by_type
    rows = []
    for segment in segments:
        members = engine.members(segment.name)
        sample = tuple(islice(members, SAMPLE))
        rows.append(SegmentRow(segment.name, segment.on, len(members), n_by_type.get(segment.on, 0), sample))
    return rows


def print_members(engine: Engine, name: str, *, as_json: bool) -> None:
    """Print the ids of all members, one on each line, or as one JSON object."""
    members = engine.members(name)
    if as_json:
        print_json("members", segment=name, ids=list(members))
    else:
        for object_id in members:
            print(object_id)


def segments_by_type(engine: Engine, facts: Facts, object_id: str) -> dict[str, list[str]]:
    """Return the segments of the object, by the types that have an object with this id."""
    types = dict.fromkeys(fact.change.object_type for fact in facts.objects if fact.change.id == object_id)
    return {object_type: list(engine.segments_of(object_type, object_id)) for object_type in types}


def object_text(engine: Engine, facts: Facts, object_id: str) -> str:
    """Return one line for each type that has the object: the segments it is in."""
    return "\n".join(
        f"{object_type} {object_id}: {', '.join(names) or 'in no segment'}"
        for object_type, names in segments_by_type(engine, facts, object_id).items()
    )


def data_text(facts: Facts) -> str:
    """Return what the data consists of, in words."""
    parts = [plural(n, object_type) for object_type, n in facts.n_objects_by_type.items()] or ["no objects"]
    return f"{', '.join(parts)}, {plural(len(facts.events), 'event')}"


def summary(
    engine: Engine, rows: Sequence[SegmentRow], facts: Facts, now: datetime, object_id: str | None
) -> dict[str, object]:
    """Return the fields of the summary in JSON."""
    fields: dict[str, object] = {
        "now": instant_text(now),
        "n_events": len(facts.events),
        "segments": [
            {
                "name": row.name,
                "on": row.object_type,
                "members": row.n_members,
                "of": row.n_objects,
                "share": round(row.share, 6),
                "sample": list(row.sample),
            }
            for row in rows
        ],
    }
    if object_id is not None:
        fields["object"] = {"id": object_id, "segments": segments_by_type(engine, facts, object_id)}
    return fields

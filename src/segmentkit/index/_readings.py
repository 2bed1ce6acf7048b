"""What a predicate reads, and of whom: the object itself, or others that relations lead to."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Literal as OneOf, TypeAlias

import attrs

from segmentkit.dsl.predicates import (
    Attribute,
    Crossing,
    Events,
    InSegment,
    Node,
    OneRelated,
    Path,
    Related,
    RelatedAggregate,
    children,
)
from segmentkit.schema import Schema

Hop: TypeAlias = tuple[str, str]
"""A relation: the type that has it, and its name."""


@attrs.frozen(cache_hash=True)
class Reading:
    """Something is read of the objects of a type that a path leads to.

    attribute: the one of that name (a to-one relation is one). event: events of that name.
    segment: membership in the segment. presence: whether the object at the end of the path is there.
    reference: which objects of the type refer, by the to-one relation of that name, to the one that the
    path leads to.
    """

    kind: OneOf["attribute", "event", "segment", "presence", "reference"]
    object_type: str
    name: str
    path: tuple[Hop, ...] = ()


def readings_of(node: Node, object_type: str, schema: Schema) -> list[Reading]:
    """Return all readings of a predicate or value on objects of a type, each once."""
    return list(dict.fromkeys(_readings(node, object_type, (), schema)))


def _readings(node: Node, on: str, path: tuple[Hop, ...], schema: Schema) -> Iterator[Reading]:
    match node:
        case Attribute(name):
            yield Reading("attribute", on, name, path)
        case Events(name):
            yield Reading("event", on, name, path)
            yield from _below(node, on, path, schema)
        case InSegment(segment) | Crossing(_, segment):
            yield Reading("segment", on, segment, path)
            yield from _below(node, on, path, schema)
        case Path(relation, further) | OneRelated(relation, further):
            yield Reading("attribute", on, relation, path)
            target, longer = schema.type(on).relations[relation].target, (*path, (on, relation))
            yield Reading("presence", target, "", longer)
            yield from _readings(further, target, longer, schema)
        case Related(relation, where):
            target, longer = yield from _reference(relation, on, path, schema)
            if where is not None:
                yield from _readings(where, target, longer, schema)
        case RelatedAggregate(_, related, value):
            yield from _readings(related, on, path, schema)
            if value is not None:
                target, longer = yield from _reference(related.relation, on, path, schema)
                yield from _readings(value, target, longer, schema)
        case _:
            yield from _below(node, on, path, schema)


def _below(node: Node, on: str, path: tuple[Hop, ...], schema: Schema) -> Iterator[Reading]:
    for child in children(node):
        yield from _readings(child, on, path, schema)


def _reference(
    relation: str, on: str, path: tuple[Hop, ...], schema: Schema
) -> Generator[Reading, None, tuple[str, tuple[Hop, ...]]]:
    declared = schema.type(on).relations[relation]
    assert declared.via is not None, f"{relation!r} of {on!r} is a to-one relation"
    yield Reading("reference", declared.target, declared.via, path)
    return declared.target, (*path, (on, relation))

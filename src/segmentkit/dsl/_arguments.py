"""What callers from Python hand to the language besides text: checked where it comes in."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from typing import Any

from segmentkit.errors import ArgumentError, FilterSyntaxError, Problem, repr_of
from segmentkit.schema import Schema
from segmentkit.values import MAX_TEXT

__all__ = ["check_arguments", "check_characters", "check_region", "check_schema", "check_segments", "in_order"]


def check_schema(schema: Any) -> None:
    """Raise ArgumentError unless it is a schema."""
    if not isinstance(schema, Schema):
        raise ArgumentError.of("schema", "a Schema", schema)


def check_characters(text: str, start: int, end: int, origin: str) -> None:
    """Raise FilterSyntaxError if a part of a text, comments too, has half of a surrogate pair: none can keep it."""
    try:
        text[start:end].encode()
    except UnicodeEncodeError as error:
        place = start + error.start
        message = f"U+{ord(text[place]):04X} is half of a surrogate pair"
        raise FilterSyntaxError([Problem.at(message, text, place, place + 1)], text, origin) from None


def check_region(region: Any) -> None:
    """Raise ArgumentError unless it is where a part of a text begins and ends, or None for all of it."""
    is_pair = isinstance(region, tuple | list) and len(region) == 2
    if region is not None and not (is_pair and all(isinstance(end, int) and 0 <= end <= sys.maxsize for end in region)):
        raise ArgumentError.of("region", "two offsets into the text", region)


def in_order(items: Collection[Any]) -> list[Any]:
    """Return the items of a set, sorted as they are spelled: a tree must not depend on the hash seed."""
    return sorted(items, key=lambda item: repr_of(item, MAX_TEXT))


def check_arguments(schema: Any, params: Any = None, origin: Any = "") -> None:
    """Raise ArgumentError unless a filter can be checked by these; see `segmentkit.parse`."""
    check_schema(schema)
    _check_mapping("params", params)
    if not isinstance(origin, str):
        raise ArgumentError.of("origin", "text", origin)


def check_segments(segments: Any) -> None:
    """Raise ArgumentError unless these are the object types of segments by name, or None; linear in their number."""
    _check_mapping("segments", segments)
    if segments is not None and not all(isinstance(on, str) for on in segments.values()):
        raise ArgumentError.of("segments", "the object type of each name", segments)


def _check_mapping(what: str, found: Any) -> None:
    if found is not None and (not isinstance(found, Mapping) or not all(isinstance(name, str) for name in found)):
        raise ArgumentError.of(what, "a mapping by name", found)

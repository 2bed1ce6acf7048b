"""What callers from Python hand to the language besides text: checked where it comes in."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from segmentkit.errors import ArgumentError, FilterSyntaxError, Problem
from segmentkit.schema import Schema

__all__ = ["check_arguments", "check_characters", "check_region", "check_schema"]


def check_schema(schema: Any) -> None:
    """Raise ArgumentError unless it is a schema."""
    if not isinstance(schema, Schema):
        raise ArgumentError.of("schema", "a Schema", schema)


def check_characters(text: str, origin: str) -> None:
    """Raise FilterSyntaxError if a filter, or a comment in it, has half of a surrogate pair: nothing can keep it."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = f"U+{ord(text[error.start]):04X} is half of a surrogate pair"
        raise FilterSyntaxError([Problem.at(message, text, error.start, error.start + 1)], text, origin) from None


def check_region(region: Any) -> None:
    """Raise ArgumentError unless it is where a part of a text begins and ends, or None for all of it."""
    is_pair = isinstance(region, tuple | list) and len(region) == 2
    if region is not None and not (is_pair and all(isinstance(end, int) and 0 <= end <= sys.maxsize for end in region)):
        raise ArgumentError.of("region", "two offsets into the text", region)


def check_arguments(schema: Any, params: Any = None, segments: Any = None, origin: Any = "") -> None:
    """Raise ArgumentError unless a filter can be checked by these; see `segmentkit.parse`."""
    check_schema(schema)
    for what, found in (("params", params), ("segments", segments)):
        if found is not None and (not isinstance(found, Mapping) or not all(isinstance(name, str) for name in found)):
            raise ArgumentError.of(what, "a mapping by name", found)
    if segments is not None and not all(isinstance(on, str) for on in segments.values()):
        raise ArgumentError.of("segments", "the object type of each name", segments)
    if not isinstance(origin, str):
        raise ArgumentError.of("origin", "text", origin)

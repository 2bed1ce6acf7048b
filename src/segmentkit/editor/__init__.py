"""For hosts' editors and filter panels: what may come next in a text, and what a schema lets filters ask.

::

    text before the cursor --_cursor--> tokens and the word being written
    tokens --_place (_machine)--> parser state, names in scope, the condition at hand
    place --_phrases, _names, _types--> completions, each checked by the parser
    schema --_describe--> plain data for a panel
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from segmentkit.dsl._arguments import check_schema
from segmentkit.editor._completion import Completion
from segmentkit.errors import ArgumentError
from segmentkit.schema import Schema

__all__ = ["Completion", "complete", "describe"]


def complete(
    text: str, position: int, schema: Schema, on: str, *, segments: Iterable[str] | Mapping[str, str] = ()
) -> list[Completion]:
    """Return what may come next at a position of a filter, the likeliest first.

    Names of the schema with their types, operators that go with what stands to the left, units
    behind numbers, events behind `did`, properties in an event's brackets, attributes of a related
    type behind its dot or in its brackets, declared choices, names of segments, keywords. A text
    may be unfinished; a condition that is broken is skipped up to the next `and` or `or`. No text
    is an error: where nothing is known, the list is empty.

    Args:
        text: of the filter, as far as it is written; what stands behind the position has no influence.
        position: offset of the cursor.
        schema: what names mean.
        on: the object type that the filter is about.
        segments: names of segments; with a mapping to their object types, those of the type at hand are offered.

    Raises:
        ArgumentError: an argument is of another type.

    Cost:
        Linear in the text before the cursor.

    >>> from segmentkit.schema import ObjectType, Schema
    >>> from segmentkit.values import choice, integer
    >>> schema = Schema(ObjectType("contact", {"orders": integer, "plan": choice("free", "pro")}))
    >>> [c.text for c in complete("plan = ", 7, schema, on="contact")][:2]
    ['"free"', '"pro"']
    >>> [(c.text, c.type, c.replaces) for c in complete("ord", 3, schema, on="contact")]
    [('orders', 'integer', (0, 3))]
    """
    from segmentkit.editor._complete import completions

    check_schema(schema)
    if not isinstance(text, str) or not isinstance(on, str):
        raise ArgumentError.of("text and on", "text", on if isinstance(text, str) else text)
    if isinstance(position, bool) or not isinstance(position, int):
        raise ArgumentError.of("position", "an offset into the text", position)
    names: list[Any] = list(segments) if isinstance(segments, Iterable) and not isinstance(segments, str) else [None]
    if not all(isinstance(name, str) for name in names):
        raise ArgumentError.of("segments", "names of segments", segments)
    by_name = dict(segments) if isinstance(segments, Mapping) else dict.fromkeys(names, "")
    return completions(text, position, schema, on, by_name)


def describe(schema: Schema) -> dict[str, Any]:
    """Return what filters can ask of a schema as plain data, ready for `json.dumps`."""
    from segmentkit.editor._describe import described

    check_schema(schema)
    return described(schema)

"""The filter language: text to typed trees and back, and what the trees mean.

::

    text --_scan--> tokens --_parse (grammar.lark)--> lark tree --_check (schema)--> predicates
    predicates --_render--> canonical text
    predicates --evaluate--> true or false for an object's facts at an instant

`parse` and `format` are the way in and out. `predicates` has the nodes, `evaluate` their
meaning, `definitions` reads files of named segments. lark is imported on the first parse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segmentkit.dsl.predicates import Node, Predicate
from segmentkit.errors import FilterTypeError, FormError, Problem, SegmentKitError, repr_of
from segmentkit.schema import Schema

__all__ = ["format", "parse"]


def parse(
    text: str,
    schema: Schema,
    on: str,
    params: Mapping[str, Any] | None = None,
    origin: str = "",
    *,
    region: tuple[int, int] | None = None,
    segments: Mapping[str, str] | None = None,
) -> Predicate:
    """Return the typed tree of a filter.

    Args:
        text: the filter.
        schema: what its names mean.
        on: the object type that it is about.
        params: values for the `$parameters`; each takes the type of what it meets, like a literal.
        origin: what errors call the text, such as "segment 'whales'".
        region: read only `text[start:end]`; positions still count in `text`, which is
            how errors in a file of definitions know their line.
        segments: the object type of each segment that the filter may refer to; without
            it, names of segments are not checked.

    Raises:
        FilterSyntaxError: the text is not in the language.
        ArgumentError: schema, params or segments are something else.
        UnknownNameError: all that is wrong is names that nobody declared.
        FilterTypeError: the filter does not fit the schema; all its problems are in it.
        LimitError: the filter is too long, too deep or has too many conditions.

    Cost:
        Linear in the length. The first call of a process also reads the grammar.

    >>> from segmentkit.schema import ObjectType
    >>> from segmentkit.values import integer
    >>> schema = Schema(ObjectType("contact", {"orders": integer}))
    >>> format(parse("(orders>4)  AND not orders = 7", schema, on="contact"))
    'orders > 4 and orders != 7'
    """
    from segmentkit.dsl._arguments import check_segments

    check_segments(segments)
    return parsed(text, schema, on, params, origin, region=region, segments=segments)


def parsed(
    text: str,
    schema: Schema,
    on: str,
    params: Mapping[str, Any] | None = None,
    origin: str = "",
    *,
    region: tuple[int, int] | None = None,
    segments: Mapping[str, str] | None = None,
) -> Predicate:
    """Return the same for `segments` of our own, which may be many thousand, and are not looked at one by one."""
    from segmentkit.dsl._arguments import check_arguments, check_characters, check_region

    check_arguments(schema, params, origin)
    if not isinstance(text, str):
        raise FilterTypeError(
            [Problem(f"expected the text of a filter, got {repr_of(text)} ({type(text).__name__})")], ""
        )
    from segmentkit.dsl._check import check
    from segmentkit.dsl._parse import parse_tree

    check_region(region)
    start, end = region or (0, len(text))
    if not text.isascii():
        check_characters(text, start, end, origin)
    tree = parse_tree(text, start, end, origin)
    return check(tree, schema, on, params or {}, text, origin, segments)


def format(tree: Node) -> str:  # noqa: A001  # the public name; nobody formats numbers here
    """Return the canonical text of a tree, on one line; `parse` gives an equal tree.

    Raises:
        FilterTypeError: it is no tree.
        FormError: the tree, put together by hand, says something that the language has no words for.

    Cost:
        Linear in the size of the tree.
    """
    from segmentkit.dsl._render import render

    try:
        return render(tree)
    except SegmentKitError:
        raise
    except ValueError as error:
        raise FormError([Problem(str(error), pointer="")]) from None

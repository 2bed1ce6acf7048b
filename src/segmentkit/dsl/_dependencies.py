"""Segments that refer to segments: which ones, in what order, and whether in a circle.

Pure functions over names. A reference is a condition on a segment anywhere in a filter, also
inside the brackets of related objects and in what a rank goes by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from segmentkit.dsl.predicates import Crossing, InSegment, Predicate, iter_nodes
from segmentkit.errors import CycleError, Problem

__all__ = ["evaluation_order", "segments_read"]


def segments_read(tree: Predicate) -> frozenset[str]:
    """Return the names of the segments that a filter refers to.

    Cost:
        Linear in the size of the tree.
    """
    return frozenset(node.segment for node in iter_nodes(tree) if isinstance(node, InSegment | Crossing))


def evaluation_order(references: Mapping[str, Iterable[str]]) -> list[str]:
    """Return all segments, each after those it refers to, and otherwise in the order of `references`.

    Args:
        references: the names that each segment refers to; one that is not a key is left out.

    Raises:
        CycleError: segments refer to each other in a circle; `path` is the first such circle found.

    Cost:
        Linear in segments and references, without recursion.

    >>> evaluation_order({"C": ["B", "A"], "B": ["A"], "A": []})
    ['A', 'B', 'C']
    >>> try:
    ...     evaluation_order({"A": ["B"], "B": ["A"]})
    ... except CycleError as error:
    ...     print(error.path)
    ('A', 'B', 'A')
    """
    order: dict[str, None] = {}
    for start in references:
        path: dict[str, Iterator[str]] = {}
        following: str | None = start
        while following is not None or path:
            if following is not None and following in path:
                raise _cycle([*path][[*path].index(following) :])
            if following is not None and following in references and following not in order:
                path[following] = iter(references[following])
            current = next(reversed(path), None)
            if current is None:
                break
            following = next(path[current], None)
            if following is None:
                order[current] = None
                del path[current]
    return list(order)


_MOST_SHOWN: Final = 10
"""Segments of a circle that a message names; `CycleError.path` has all of them."""


def _cycle(names: list[str]) -> CycleError:
    path = (*names, names[0])
    shown, many = (
        (path, "segments")
        if len(names) <= _MOST_SHOWN
        else ((*names[: _MOST_SHOWN - 2], "...", names[0]), f"{len(names):,} segments")
    )
    message = f"{many} refer to each other in a circle: {' -> '.join(shown)}"
    problem = Problem(message, 0, len(path[0]), hint="say what one of them means without the next")
    return CycleError([problem], path[0], path=path)

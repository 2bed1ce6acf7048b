"""Who is among the first: the order that `top` and `bottom` put objects in.

The plain form, which defines the meaning: given the entries of everybody that is ranked, count
those that come before one. An entry is there only if its object passes `of` and its values
are known; so a missing value is never ranked, and never counts for a percentage.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import attrs

from segmentkit.dsl import _operations
from segmentkit.dsl.predicates import Rank, Value

__all__ = ["Entry", "is_among_first", "places"]


@attrs.frozen
class Entry:
    """One object that is ranked: its id, the value it goes by, and the value of its group."""

    id: str
    by: Any
    per: Any = None


def places(rank: Rank, n_ranked: int) -> int:
    """Return how many of so many that are ranked in one group are first, ties left aside.

    >>> from segmentkit.dsl.predicates import Literal
    >>> from segmentkit.values import integer
    >>> places(Rank("top", 10, percent=True, by=Literal(1, integer)), 11)
    2
    """
    if not rank.percent:
        return int(rank.count)
    return math.ceil(Fraction(rank.count) * n_ranked / 100)


def is_among_first(rank: Rank, own: Entry, entries: Iterable[Entry], zone: str) -> bool:
    """Return whether `own`, one of the entries, is among the first of its group."""
    rivals = [entry for entry in entries if rank.per is None or _holds("=", entry.per, own.per, rank.per, zone)]
    ahead = sum(_is_before(rank, rival, own, zone) for rival in rivals)
    return ahead < places(rank, len(rivals))


def _is_before(rank: Rank, rival: Entry, own: Entry, zone: str) -> bool:
    """Return whether a rival comes before; with ties, equal values have one place together."""
    if _holds("=", rival.by, own.by, rank.by, zone):
        return not rank.ties and rival.id < own.id
    return _holds(">" if rank.direction == "top" else "<", rival.by, own.by, rank.by, zone)


def _holds(operator: str, a: Any, b: Any, value: Value, zone: str) -> bool:
    return _operations.compare(operator, a, value.type, b, value.type, zone=zone)

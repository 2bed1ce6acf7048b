"""What an engine says of itself: statistics, previews, differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import nsmallest

import attrs

from segmentkit.index._deadlines import DeadlineStatistics
from segmentkit.index._matcher import MatchStatistics

__all__ = ["Difference", "EngineStatistics", "Preview"]


@attrs.frozen
class Difference:
    """A membership that the engine holds otherwise than the plain evaluator says; see `Engine.verify`."""

    segment: str
    object: str
    held: bool
    evaluated: bool


@attrs.frozen
class EngineStatistics:
    """What an engine holds and what it has looked at.

    `bytes_by_part` has columns, ids, events, digests, relations, cells, masks, memberships, deadlines and stays:
    what `segmentkit` itself holds of each, about. `matching` has, for each object type, clauses, features and how
    many clauses were examined one by one since the engine began; `deadlines` is what waits for time.
    """

    revision: int
    seq: int
    objects: Mapping[str, int]
    events: int
    bytes_by_part: Mapping[str, int]
    matching: Mapping[str, MatchStatistics]
    deadlines: DeadlineStatistics

    @property
    def clauses_examined(self) -> int:
        """How many clauses were examined one by one, over all types."""
        return sum(matching.clauses_examined for matching in self.matching.values())


@attrs.frozen(repr=False)
class Preview:
    """Who would be in a segment that is not defined, as of the moment of asking.

    `entering`, `leaving` and `unchanged` compare with the segment given as `against`, else they
    compare with an empty one. All are in order of id.

    Cost: counting is free; a list of ids is made when it is asked for.
    """

    _found: Sequence[str]
    _entering: Sequence[str]
    _leaving: Sequence[str]
    _unchanged: Sequence[str]

    @property
    def members(self) -> tuple[str, ...]:
        """The members there would be."""
        return tuple(sorted(self._found))

    @property
    def entering(self) -> tuple[str, ...]:
        """Those that are not in the segment compared with."""
        return tuple(sorted(self._entering))

    @property
    def leaving(self) -> tuple[str, ...]:
        """The members of the segment compared with that would not be members."""
        return tuple(sorted(self._leaving))

    @property
    def unchanged(self) -> tuple[str, ...]:
        """The members of both."""
        return tuple(sorted(self._unchanged))

    @property
    def count(self) -> int:
        """How many members there would be."""
        return len(self._found)

    @property
    def sample(self) -> tuple[str, ...]:
        """The first ten members."""
        return tuple(nsmallest(10, self._found))

    def __repr__(self) -> str:
        return f"<preview: {self.count:,} members, +{len(self._entering):,} -{len(self._leaving):,}>"

"""Polars on the workload's attributes, where it is installed: `pip install polars`.

It is given the columns that numpy has: texts as small integers, sets as bit masks, instants as integers, so
that no string is compared. That is more than a host would have at hand, and nothing is charged for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from tests.benchmarks import vocabulary as words
from tests.benchmarks.rescan import _COMPARE, _WORDS
from tests.benchmarks.trees import All, Condition, Negation, Node, Some, Window
from tests.benchmarks.workload import Workload

try:
    import polars as pl
except ImportError:
    pl = None  # type: ignore[assignment]


class PolarsPeer:
    """Counts the contacts that satisfy segments without windows or relative times."""

    def __init__(self, workload: Workload) -> None:
        columns = {name: pl.Series(name, column) for name, column in workload.columns.items()}
        self._frame = pl.DataFrame(columns | {"age": columns["age"].fill_nan(None)})

    @staticmethod
    def is_installed() -> bool:
        """Return whether there is a Polars to ask."""
        return pl is not None

    def counts(self, segments: Sequence[Node]) -> list[int]:
        """Return how many contacts satisfy each segment, in one query that shares equal conditions."""
        sums = [self._truth(segment).sum().alias(str(number)) for number, segment in enumerate(segments)]
        return [int(count) for count in self._frame.lazy().select(sums).collect().row(0)]

    def _truth(self, node: Node) -> Any:
        match node:
            case All(parts):
                return reduce(lambda left, right: left & right, map(self._truth, parts))
            case Some(parts):
                return reduce(lambda left, right: left | right, map(self._truth, parts))
            case Negation(part):
                return ~self._truth(part)
            case Window():
                raise ValueError("a window needs events")
            case Condition():
                return _condition(node)


def _condition(condition: Condition) -> Any:
    name, value = condition.attribute, condition.value
    if name == "location":
        south, west, north, east = value
        return pl.col("latitude").is_between(south, north) & pl.col("longitude").is_between(west, east)
    if name == "email":
        return pl.col("domain").is_in([i for i, domain in enumerate(words.DOMAINS) if f"@{domain}".endswith(value)])
    column = pl.col(name)
    if name in _WORDS:
        codes = [_WORDS[name].index(word) for word in ([value] if isinstance(value, str) else value)]
        if name in ("tags", "lists"):
            return (column & sum(1 << code for code in codes)) != 0
        return column == codes[0] if len(codes) == 1 else column.is_in(codes)
    match condition.operator:
        case "between":
            found = column.is_between(*value)
        case "missing":
            return column.is_null()
        case operator:
            found = _COMPARE[operator](column, value)
    return found.fill_null(False) if name == "age" else found

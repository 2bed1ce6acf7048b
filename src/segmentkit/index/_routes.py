"""Where an event goes: for each event name, the series it belongs to and the other features that read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from segmentkit.index._features import Feature
    from segmentkit.index._series import Series


class EventRoute:
    """The readers of the events of one name.

    Most series have no filter, or one that a single property decides: those are found without trying any filter.
    """

    __slots__ = ("by_value", "features", "is_split", "series", "tested")

    def __init__(self) -> None:
        self.series: list[Series] = []
        """Those to which every event belongs."""
        self.features: list[Feature] = []
        """Features, series aside, that have to look again."""
        self.tested: list[Series] = []
        """Those whose filter has to be tried."""
        self.by_value: dict[int, dict[Any, list[Series]]] = {}
        """The others, by the place of a property and the value that it has to have."""
        self.is_split = False
        """Whether there are series to which only some of the events belong."""

    def add(self, series: Series) -> None:
        """Take a series in."""
        if series.where is None:
            self.series.append(series)
            return
        self.is_split = True
        if series.dispatched is None:
            self.tested.append(series)
        else:
            offset, value = series.dispatched
            self.by_value.setdefault(offset, {}).setdefault(value, []).append(series)

    def series_of(self, values: tuple[Any, ...]) -> Sequence[Series]:
        """Return the series to which an event with these plain property values belongs; not to be changed."""
        found = self.series
        for offset, series_by_value in self.by_value.items():
            more = series_by_value.get(values[offset])
            if more is not None:
                found = found + more
        if self.tested:
            found = found + [one for one in self.tested if one.passes(values)]
        return found


NOBODY: Final = EventRoute()
"""The route of events that nobody reads."""

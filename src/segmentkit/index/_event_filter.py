"""The events that belong to a series: those of one name that pass one filter.

Many filters ask that a text property have one value (`purchase[category = "wine"]`); the events of an object
that pass such a one are found by the code of the text, without evaluating anything.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Final

from segmentkit.dsl.evaluate import DictFacts, EventFact, evaluate
from segmentkit.dsl.predicates import Predicate
from segmentkit.index._clauses import equal_property
from segmentkit.index._events import DictionaryCodec, EventTable
from segmentkit.index._features import Context

_NO_FACTS: Final = DictFacts({}, {})


class Matching:
    """The events of one object that belong to a series, future ones included: their instants, and their words."""

    __slots__ = ("_indexes", "_row", "_stride", "ats")

    def __init__(self, row: Any, stride: int, indexes: list[int] | None) -> None:
        self._row = row
        self._stride = stride
        self._indexes = indexes
        ats: Sequence[int] = row[::stride]
        self.ats: Sequence[int] = ats if indexes is None else [ats[i] for i in indexes]
        """In order."""

    def until(self, now: int) -> Sequence[int]:
        """Return the instants up to now."""
        ats = self.ats
        return ats if not ats or ats[-1] <= now else ats[: bisect_right(ats, now)]

    def words(self, offset: int) -> Sequence[int]:
        """Return the words of a property, one for each of the events."""
        words: Sequence[int] = self._row[offset :: self._stride]
        return words if self._indexes is None else [words[i] for i in self._indexes]

    def without(self, index: int) -> Matching:
        """Return the same events but for the object's event at `index`, which is one of them."""
        stride = self._stride
        indexes = range(len(self._row) // stride) if self._indexes is None else self._indexes
        return Matching(self._row, stride, [i for i in indexes if i != index])


_NOTHING: Final = Matching((), 1, None)


class EventFilter:
    """The events of one name that pass one filter; all of that name without one."""

    def __init__(self, event: str, where: Predicate | None, context: Context) -> None:
        self.event = event
        self.where = where
        self.events: EventTable = context.table.events[event]
        self._stride = self.events.stride
        self._zone = context.zone
        self.dispatched: tuple[int, Any] | None = None
        """Place and value of the property that decides whether an event matches, if one does."""
        equal = equal_property(where)
        if equal is not None:
            name, value = equal
            self.dispatched = (self.events.names.index(name), value)
            self._offset = self.events.position[name]
            codec = self.events.codecs[self._offset - 2]
            assert isinstance(codec, DictionaryCodec)
            self._code_by_value = codec.dictionary.code_by_value

    def passes(self, values: tuple[Any, ...]) -> bool:
        """Whether an event with these plain property values passes."""
        where = self.where
        if where is None:
            return True
        names = self.events.names
        fact = EventFact(0, "", {n: v for n, v in zip(names, values, strict=True) if v is not None})
        return evaluate(where, _NO_FACTS, 0, self._zone, fact)

    def matching(self, number: int) -> Matching:
        """Return the object's events that pass."""
        row = self.events.rows[number]
        stride = self.events.stride
        if row is None:
            return _NOTHING
        if self.where is None:
            return Matching(row, stride, None)
        if self.dispatched is not None:
            code = self._code_by_value.get(self.dispatched[1])
            if code is None:
                return _NOTHING
            words = row[self._offset :: stride]
            return Matching(row, stride, [i for i, word in enumerate(words) if word == code])
        values = self.events.values
        return Matching(row, stride, [i for i in range(len(row) // stride) if self.passes(values(number, i))])

    def visible(self, number: int, now: int) -> Sequence[int]:
        """Return the instants of the object's matching events up to now, in order."""
        return self.matching(number).until(now)

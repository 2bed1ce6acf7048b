"""Which events pass a filter that reads their properties, for many events at once.

The truth of a condition on one property is asked of the plain evaluator: once for each distinct
value of a dictionary, or once for each piece between the cuts of an ordered one.
"""

from __future__ import annotations

import numpy as np

from segmentkit.dsl.evaluate import DictFacts, EventFact, evaluate
from segmentkit.dsl.predicates import (
    And,
    AtLeast,
    Between,
    Compare,
    Constant,
    In,
    IsMissing,
    Literal,
    Not,
    Or,
    Predicate,
    Property,
    iter_nodes,
)
from segmentkit.index import _cells
from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._bulk_facts import Histories, n_cuts_until
from segmentkit.index._events import DecimalCodec, DictionaryCodec, EventTable, NumberCodec

_MISSING = -(2**63)
_NO_FACTS = DictFacts({}, {})


class Passing:
    """Tells of the events of a table which pass a filter that reads nothing but the event."""

    def __init__(self, events: EventTable, where: Predicate, zone: str) -> None:
        self._events = events
        self._where = where
        self._zone = zone

    def __call__(self, histories: Histories) -> Array:
        return self._truths(self._where, histories)

    def _truths(self, where: Predicate, histories: Histories) -> Array:
        match where:
            case Constant(value):
                return np.full(len(histories.ats), value)
            case Not(item):
                return ~self._truths(item, histories)
            case And(items):
                return reduced(np.logical_and, [self._truths(item, histories) for item in items])
            case Or(items):
                return reduced(np.logical_or, [self._truths(item, histories) for item in items])
            case AtLeast(count, items):
                reached = np.zeros(len(histories.ats), np.int64)
                for item in items:
                    reached += self._truths(item, histories)
                return reached >= count
            case _:
                return self._truths_of_leaf(where, histories)

    def _truths_of_leaf(self, leaf: Predicate, histories: Histories) -> Array:
        names = {node.name for node in iter_nodes(leaf) if isinstance(node, Property)}
        if len(names) == 1:
            name = names.pop()
            offset = self._events.position[name]
            codec = self._events.codecs[offset - 2]
            words = histories.property_words(offset)
            if isinstance(codec, DictionaryCodec):
                return self._coded(leaf, name, codec, words)
            if self._events.type.properties[name].kind == "boolean":
                answers = [self._holds(leaf, name, value) for value in (False, True, None)]
                return np.array(answers, bool)[np.where(words == _MISSING, 2, words)]
            if _is_cut(leaf):
                return self._ordered(leaf, name, words)
        return self._one_by_one(leaf, histories)

    def _holds(self, leaf: Predicate, name: str, value: object) -> bool:
        return evaluate(leaf, _NO_FACTS, 0, self._zone, EventFact(0, "", {} if value is None else {name: value}))

    def _coded(self, leaf: Predicate, name: str, codec: DictionaryCodec, words: Array) -> Array:
        values = codec.dictionary.values
        truths = np.zeros(len(values) + 1, bool)  # the last one is of missing values
        truths[-1] = self._holds(leaf, name, codec.decode(_MISSING))
        for code in range(len(values)) if len(values) < len(words) else np.unique(words[words >= 0]).tolist():
            if values[code] is not None:
                truths[code] = self._holds(leaf, name, values[code])
        return truths[np.where(words == _MISSING, len(values), words)]

    def _ordered(self, leaf: Predicate, name: str, words: Array) -> Array:
        value_type = self._events.type.properties[name]
        codec = self._events.codecs[self._events.position[name] - 2]
        scale = codec.scale if isinstance(codec, DecimalCodec) else None
        domain = _cells.Domain(scale, is_double=isinstance(codec, NumberCodec))
        cutter = _cells.Cutter(
            domain,
            [leaf],
            lambda one: _cells.points_of(one, value_type, self._zone),
            lambda one, value: self._holds(one, name, value),
        )
        truths = np.array([truth & 1 for truth in cutter.truths()], bool)
        values = words.view(np.float64) if domain.is_double else words
        if domain.is_double:
            values = np.where(words == _MISSING, 0.0, values)
        cells = n_cuts_until(np.ascontiguousarray(values), cutter.cuts) + 2
        return truths[np.where(words == _MISSING, 1, cells)]

    def _one_by_one(self, leaf: Predicate, histories: Histories) -> Array:
        names, codecs, zone = self._events.names, self._events.codecs, self._zone
        found = []
        for row in histories.words.tolist():
            values = [codec.decode(word) for codec, word in zip(codecs, row[2:], strict=True)]
            fact = EventFact(0, "", {n: v for n, v in zip(names, values, strict=True) if v is not None})
            found.append(evaluate(leaf, _NO_FACTS, 0, zone, fact))
        return np.array(found, bool)


def reduced(operation: np.ufunc, truths: list[Array]) -> Array:
    """Return the truths of several conditions, combined by a connective."""
    found: Array = operation.reduce(truths)
    return found


def _is_cut(leaf: Predicate) -> bool:
    """Whether a condition compares one property with constants, so that its truth is constant between cuts."""
    match leaf:
        case Compare(_, Property(), Literal()) | Between(Property(), Literal(), Literal()) | IsMissing(Property()):
            return True
        case In(Property()):
            return True
        case _:
            return False

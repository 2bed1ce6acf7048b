"""The cells of many distinct texts at once, for features that ask for more than equality.

Each condition is tried on all values before the next one: a test of text is one comprehension, and all
endings (or beginnings) of one length are looked up in one table. Literals are put together from conditions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from segmentkit.dsl.evaluate import DictFacts, evaluate
from segmentkit.dsl.predicates import And, AtLeast, Not, Or, Predicate, TextTest
from segmentkit.index._attributes import TextFeature
from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._bulk_where import reduced


def open_cells(feature: TextFeature, values: Sequence[Any], zone: str) -> list[int]:
    """Return the cell of each value of an open feature; None, for a code that is free, has any."""
    texts = ["" if value is None else value for value in values]
    truths = _Truths(feature.key.attribute, texts, zone)  # type: ignore[union-attr]  # a TextKey
    rows = np.packbits(np.array([truths.of(literal) for literal in feature.literals], bool), axis=0).T
    patterns = np.ascontiguousarray(rows).view(f"V{rows.shape[1]}").ravel()
    _, firsts, places = np.unique(patterns, return_index=True, return_inverse=True)
    cells = np.array([feature._cell_of(texts[first]) for first in firsts.tolist()], np.int64)
    found: list[int] = cells[places].tolist()
    return found


def texts_where(literal: Predicate, attribute: str, texts: list[str], zone: str) -> Array:
    """Return which of some texts satisfy one condition."""
    return _Truths(attribute, texts, zone, is_alone=True).of(literal)


class _Truths:
    """Which of some texts satisfy conditions; each is tried once. One alone shares no table of affixes."""

    def __init__(self, attribute: str, texts: list[str], zone: str, *, is_alone: bool = False) -> None:
        self._is_alone = is_alone
        self._attribute = attribute
        self._texts = texts
        self._zone = zone
        self._known: dict[Predicate, Array] = {}
        self._affixes: dict[tuple[str, int], tuple[Array, dict[str, int]]] = {}

    def of(self, predicate: Predicate) -> Array:
        """Return the truth of a formula for each text."""
        match predicate:
            case Not(item):
                return ~self.of(item)
            case And(items):
                return reduced(np.logical_and, [self.of(item) for item in items])
            case Or(items):
                return reduced(np.logical_or, [self.of(item) for item in items])
            case AtLeast(count, items):
                reached = np.zeros(len(self._texts), np.int64)
                for item in items:
                    reached += self.of(item)
                return reached >= count
            case _:
                if predicate not in self._known:
                    self._known[predicate] = self._tried(predicate)
                return self._known[predicate]

    def _tried(self, leaf: Predicate) -> Array:
        texts = self._texts
        match leaf:
            case TextTest("contains", _, (pattern,), False):
                return np.array([pattern in text for text in texts], bool)
            case TextTest("contains", _, patterns, False):
                return np.array([any(pattern in text for pattern in patterns) for text in texts], bool)
            case TextTest("starts with", _, patterns, False) if self._is_alone:
                return np.array([text.startswith(patterns) for text in texts], bool)
            case TextTest("ends with", _, patterns, False) if self._is_alone:
                return np.array([text.endswith(patterns) for text in texts], bool)
            case TextTest("starts with" | "ends with" as test, _, patterns, False):
                return reduced(np.logical_or, [self._with_affix(test, pattern) for pattern in patterns])
            case _:
                attribute, zone = self._attribute, self._zone
                return np.array([evaluate(leaf, DictFacts({attribute: text}, {}), 0, zone) for text in texts], bool)

    def _with_affix(self, test: str, pattern: str) -> Array:
        """Return which texts begin, or end, with a pattern, by the codes of all their affixes of its length."""
        length = len(pattern)
        if not length:
            return np.ones(len(self._texts), bool)
        known = self._affixes.get((test, length))
        if known is None:
            codes: dict[str, int] = {}
            code_of = codes.setdefault
            if test == "ends with":
                listed = [code_of(text[-length:], len(codes)) for text in self._texts]
            else:
                listed = [code_of(text[:length], len(codes)) for text in self._texts]
            known = self._affixes[test, length] = np.array(listed, np.int64), codes
        found: Array = known[0] == known[1].get(pattern, -1)
        return found


__all__ = ["open_cells", "texts_where"]

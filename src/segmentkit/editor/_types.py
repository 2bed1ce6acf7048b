"""The type of what stands to the left of the cursor in a condition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from segmentkit.dsl import parse
from segmentkit.dsl._check_types import AGGREGATES
from segmentkit.dsl._literals import quote_name
from segmentkit.dsl.predicates import IsEmpty, IsMissing, iter_nodes
from segmentkit.editor._place import Meaning, Place, Read, names_before
from segmentkit.errors import SegmentKitError
from segmentkit.values import ValueType

__all__ = ["Left", "left_of"]

_OPERATORS: Final = frozenset(
    {"=", "!=", "<", "<=", ">", ">=", "before", "after", "since", "until", "on", "between", "in", "not", "is", "has"}
    | {"contains", "starts", "ends", "matches", "more", "less", "at", "within", "anniversary"}
)
_LONGEST: Final = 2_000
"""Characters of a value whose type is worked out; typing goes on meanwhile."""


@attrs.frozen
class Left:
    """What a condition is about, and its operator, once it is there.

    The kind is that of a value's type, "event", "relation", "start" where nothing is written yet, or "".
    """

    kind: str
    type: ValueType | None = None
    operator: str = ""


def left_of(place: Place, text: str) -> Left:
    """Return what the condition at the cursor is about."""
    condition = place.condition
    if not condition:
        return Left("start")
    first = condition[0].word
    if first in ("did", "entered", "left", "was") and first:
        return Left("event", operator=first)
    if first in ("any", "all", "no"):
        return Left("relation", operator=first)
    if first in ("top", "bottom"):
        return Left("", operator=first)
    if place.function in AGGREGATES and place.last != "(":
        return Left("event", operator=place.function)
    if place.function:
        return Left("", operator="(")
    cut = _operator(condition)
    end = condition[cut].token.start if cut < len(condition) else condition[-1].token.end
    operator = condition[cut].word if cut < len(condition) else ""
    written = text[condition[0].token.start : end]
    if not operator and _is_relation(place):
        return Left("relation")
    value_type = _type_of(written, place.meaning) if len(written) <= _LONGEST else None
    return Left("" if value_type is None else value_type.kind, value_type, operator)


def _is_relation(place: Place) -> bool:
    """Return whether the condition is the name of a relation so far."""
    names = names_before(place.condition)
    owner = place.meaning.over(names[:-1]).object_type
    return bool(names) and owner is not None and place.meaning.event is None and names[-1] in owner.relations


def _operator(condition: Sequence[Read]) -> int:
    """Return where the operator stands, or the length if there is none yet."""
    depth = 0
    for position, read in enumerate(condition):
        depth += (read.word in ("(", "[")) - (read.word in (")", "]"))
        if position and depth == 0 and read.word in _OPERATORS:
            return position
    return len(condition)


def _type_of(written: str, meaning: Meaning) -> ValueType | None:
    """Return the type of a value, or None if it is none that fits the schema."""
    if meaning.object_type is None:
        return None
    for state in ("is missing", "is empty"):
        test = f"{written} {state}"
        if meaning.event is not None:
            test = f"did {quote_name(meaning.event.name)}[{test}]"
        try:
            tree = parse(test, meaning.schema, meaning.object_type.name)
        except SegmentKitError:
            continue
        for node in iter_nodes(tree):
            if isinstance(node, IsMissing | IsEmpty):
                return node.value.type
    return None

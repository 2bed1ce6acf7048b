"""What formats of others share: where names lead, constants by type, and what cannot be said.

An importer makes expressions of the builder, so that what comes in is text, parsed and
checked like any other filter. Names and constants are looked up here first, because an
error in a document should say its place in the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import attrs

from segmentkit.dsl import _literals
from segmentkit.dsl._arguments import check_schema
from segmentkit.dsl._parse import MAX_CONDITIONS, MAX_DEPTH
from segmentkit.dsl._render import render
from segmentkit.dsl._scope import check_on, suggestion
from segmentkit.dsl.predicates import Attribute, Literal, Node, Path, Value as TreeValue, iter_nodes
from segmentkit.errors import LimitError
from segmentkit.forms._build_expressions import PlainValue, Value
from segmentkit.forms._build_sources import RelatedSource, attribute
from segmentkit.forms._build_written import ATOM, SIGN, Written
from segmentkit.forms._json import Complaints, pointer
from segmentkit.forms._scalars import SAFE, shown
from segmentkit.schema import ObjectType, Schema
from segmentkit.values import ValueType

__all__ = ["Named", "Vocabulary", "cannot", "check_size", "constant", "constant_to_json", "path_of"]

MAX_NODES: Final = 50 * MAX_CONDITIONS
"""Most objects, lists and constants of a document."""

_NUMBER: Final = re.compile(r"-?[0-9]{1,1000}(?:\.[0-9]{1,1000})?", re.ASCII)


def check_size(document: Any, what: str) -> None:
    """Refuse a document that is too deep or too large, in a loop; later passes may recurse.

    Raises:
        LimitError: objects are nested more than 200 deep, or it has half a million parts.
    """
    seen = 0
    stack: list[tuple[Any, Any, int, str]] = [(document, None, 0, "")]
    while stack:
        found, inside, depth, where = stack.pop()
        seen += 1
        if depth > MAX_DEPTH + 10:  # a comparison and its operands nest a little more than its filter does
            message = f"the {what} is nested more than {MAX_DEPTH} deep below {where[:200]}"
            raise LimitError(message, what="depth", limit=MAX_DEPTH, found=depth)
        if seen > MAX_NODES:
            message = f"the {what} has more than {MAX_NODES:,} parts"
            raise LimitError(message, what="parts", limit=MAX_NODES, found=seen)
        if isinstance(found, dict | list):
            parts = found.items() if isinstance(found, dict) else enumerate(found)
            deeper = depth + (isinstance(found, dict) or isinstance(inside, list))  # a list of an object is no level
            stack.extend((below, found, deeper, where + pointer(key) if depth < 8 else where) for key, below in parts)


# -------------------------------------------------------------------------------- names


@attrs.frozen
class Named:
    """What a name of a document leads to: an expression, and the type of its values."""

    value: Value
    type: ValueType


@attrs.frozen
class Vocabulary:
    """The attributes of an object type, those over to-one relations included, by dotted names."""

    schema: Schema
    on: str

    @classmethod
    def of(cls, schema: Schema, on: str) -> Vocabulary:
        """Return the names of a type.

        Raises:
            UnknownNameError: the schema has no such type.
            ArgumentError: it is no schema.
        """
        check_schema(schema)
        check_on(on, schema)
        return cls(schema, on)

    def find(self, name: Any, where: str, complaints: Complaints) -> Named | None:
        """Return what a dotted name leads to, or None after a complaint."""
        if not isinstance(name, str) or not name:
            complaints.add(where, f"expected the name of an attribute, found {shown(name)}")
            return None
        owner = self.schema.types[self.on]
        if name in owner.attributes:
            return Named(attribute(name), owner.attributes[name])
        *relations, last = name.split(".")
        value: RelatedSource | None = None
        for relation in relations:
            link = owner.relations.get(relation)
            if link is None or link.cardinality != "one":
                self._unknown(name, owner, where, complaints)
                return None
            value = RelatedSource(relation) if value is None else value[relation]
            owner = self.schema.types[link.target]
        if value is None or last not in owner.attributes:
            self._unknown(last, owner, where, complaints)
            return None
        return Named(value[last], owner.attributes[last])

    def _unknown(self, name: str, owner: ObjectType, where: str, complaints: Complaints) -> None:
        complaints.add(
            where, f"unknown attribute {shown(name)} of '{owner.name}'", suggestion(name[:100], owner.attributes)
        )


def path_of(value: TreeValue) -> str | None:
    """Return the dotted name of an attribute, or of one over to-one relations; None for other values."""
    names: list[str] = []
    found: Any = value
    while isinstance(found, Path):
        names.append(found.relation)
        found = found.value
    if not isinstance(found, Attribute) or (names and any("." in name for name in (*names, found.name))):
        return None
    return ".".join((*names, found.name))


# ---------------------------------------------------------------------------- constants


def constant(value: Any, value_type: ValueType) -> Value:
    """Return a constant of a document that meets a value of this type.

    Raises:
        ValueError: it does not fit.
    """
    found = _spelled(value, value_type)
    return PlainValue(Written(found, found, SIGN if found[0] == "-" else ATOM))


def _spelled(value: Any, value_type: ValueType) -> str:
    kind = value_type.kind
    if value_type.is_numeric:
        return _number(value, value_type)
    if kind == "boolean":
        if value in ("true", "false") or isinstance(value, bool):
            return str(value).lower()
    elif kind in ("instant", "date"):
        return _time(value, value_type)
    elif isinstance(value, str):
        if kind == "choice":
            value_type.convert(value)
        return _literals.write_text(ValueType("text").convert(value))
    raise ValueError(f"expected {value_type.described}, found {shown(value)}")


def _number(value: Any, value_type: ValueType) -> str:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return value.strip()
    if isinstance(value, float) and not isinstance(value, bool):
        return _literals.write_number(Decimal(repr(ValueType("number").convert(value))))
    if isinstance(value, int) and not isinstance(value, bool):
        return _literals.write_number(ValueType("integer").convert(value))
    raise ValueError(f"expected {value_type.described}, found {shown(value)}")


def _time(value: Any, value_type: ValueType) -> str:
    """Return an instant or a date; each may be compared with the other."""
    if not isinstance(value, str) or len(value) > 40:
        raise ValueError(f"expected {value_type.described} as text such as '2026-11-22', found {shown(value)}")
    if len(value) == 10:
        return _literals.write_date(_literals.read_date(value))
    return _literals.write_instant(_literals.read_instant(value))


def constant_to_json(literal: Literal) -> Any:
    """Return a constant as JSON has it: numbers as numbers where a double holds them, times as ISO 8601 text."""
    value: Any = literal.value
    match literal.type.kind:
        case "integer":
            return value if abs(value) <= SAFE else str(value)
        case "decimal":
            near = float(value) if abs(value) < 10**15 else 0.0
            return near if Decimal(repr(near)) == value else _literals.write_number(value)
        case "instant":
            return _literals.write_instant(value)
        case "date":
            return _literals.write_date(value)
        case _:
            return value


# ----------------------------------------------------------------------------- refusals


def cannot(node: Node, where: str, form: str, complaints: Complaints) -> None:
    """Note that a form has no words for a node."""
    text = render(node)
    hint = "; ".join(_reasons(node))
    complaints.add(where, f"{form} cannot say '{text if len(text) <= 120 else text[:117] + '...'}'", hint)


_REASONS: Final = {
    "Events": "it has no conditions on events",
    "Aggregate": "it has no aggregates",
    "Related": "it has no conditions on related objects",
    "RelatedAggregate": "it has no aggregates",
    "OneRelated": "it has no conditions on related objects",
    "InSegment": "it has no segments",
    "Crossing": "it has no membership history",
    "Rank": "it has no ranks",
    "Relative": "it has no windows that move with time",
    "Calendar": "it has no windows of the calendar",
    "Now": "it does not know now",
    "Today": "it does not know today",
    "Within": "it has no places",
    "InBox": "it has no places",
    "InPolygon": "it has no places",
    "Matches": "its regular expressions are those of another engine",
    "Call": "it has no such function",
    "AtLeast": "it does not count conditions",
    "Sample": "it has no samples",
}


def _reasons(node: Node) -> Iterator[str]:
    found: dict[str, None] = {}
    for below in iter_nodes(node):
        reason = _REASONS.get(type(below).__name__)
        if reason is not None:
            found[reason] = None
        if getattr(below, "ignoring_case", False):
            found["it cannot ignore case"] = None
        if getattr(below, "zone", None) is not None:
            found["it has no time zones"] = None
    yield from found

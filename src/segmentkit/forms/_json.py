"""Trees as JSON and back: one object for each node, `{"node": "compare", "operator": ">", ...}`.

The fields are those of the nodes, from one table (`_shapes`); what has its default is left out.
We did not use cattrs: it recurses on the Python stack, so that the depth of a stranger's document
would be its limit, and it stops short of saying everything that is wrong with a JSON pointer each.

Reading goes over the document twice, in loops. The first pass, parents first, finds for each
object its class, its scalars and its problems; the second, children first, makes the nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import attrs

from segmentkit.dsl._parse import MAX_CONDITIONS, MAX_DEPTH, MAX_LISTED
from segmentkit.dsl._scan import MAX_PROBLEMS
from segmentkit.dsl.predicates import And, AtLeast, Node, Not, Or
from segmentkit.errors import FormError, LimitError, Problem
from segmentkit.forms._rules import rule_of
from segmentkit.forms._scalars import READERS, WRITERS, did_you_mean, read_constant, read_word, shown, write_constant
from segmentkit.forms._shapes import CONDITIONS, LEVELS, Field, described, shapes, tag_of

__all__ = ["VERSION", "Complaints", "pointer", "read", "write"]

VERSION: Final = 1
MAX_NESTED: Final = 5 * MAX_DEPTH
"""How deep objects may lie in each other: for each level of a filter there are a few, such as an aggregate's events."""

_CONNECTIVES: Final = (And, Or, Not, AtLeast)
_TAGS: Final = {node: tag_of(node) for node in shapes()}
_NODES: Final = {tag: node for node, tag in _TAGS.items()}


def write(tree: Node) -> dict[str, Any]:
    """Return a node as JSON-able dictionaries and lists, without recursion."""
    whole: dict[str, Any] = {}
    waiting: list[tuple[Node, dict[str, Any]]] = [(tree, whole)]

    def written(node: Node) -> dict[str, Any]:
        below: dict[str, Any] = {}
        waiting.append((node, below))
        return below

    while waiting:
        node, found = waiting.pop()
        found["node"] = _TAGS[type(node)]
        for field in shapes()[type(node)]:
            value = getattr(node, field.name)
            if (value is None and field.optional) or (not field.required and value == field.default):
                continue
            convert: Callable[[Any], Any] = written if field.nodes else _writer(node, field)
            found[field.name] = [convert(item) for item in value] if field.many else convert(value)
    return whole


def _writer(node: Any, field: Field) -> Callable[[Any], Any]:
    if field.kind == "constant":
        return lambda value: write_constant(value, node.type)
    return WRITERS[field.kind]


# --------------------------------------------------------------------------- reading


def pointer(*steps: str | int) -> str:
    """Return the JSON pointer of a place.

    >>> pointer("filter", "items", 0, "a/b")
    '/filter/items/0/a~1b'
    """
    return "".join(
        "/" + (step if isinstance(step, str) else shown(step)).replace("~", "~0").replace("/", "~1") for step in steps
    )


@attrs.define
class Complaints:
    """What is wrong with a document so far."""

    problems: list[Problem] = attrs.field(factory=list)

    def add(self, where: str, message: str, hint: str = "") -> None:
        """Note a problem, up to as many as anybody reads."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(message, hint=hint, pointer=where))

    def raise_if_any(self, origin: str = "") -> None:
        """Raise FormError if there are problems."""
        if self.problems:
            raise FormError(self.problems, "", origin)


@attrs.define
class _Part:
    """An object of the document that becomes a node: its class, and the fields found so far."""

    node: type
    where: str
    fields: dict[str, Any]
    parent: _Part | None
    field: Field | None
    """Which field of the parent it is, or one of many in."""


@attrs.frozen
class _Place:
    """A place of the document that waits to be looked at, and what may stand there."""

    found: Any
    where: str
    nodes: frozenset[type]
    parent: _Part | None = None
    field: Field | None = None
    level: int = 0
    nested: int = 0


@attrs.define
class _Sizes:
    """How much was read."""

    conditions: int = 0
    listed: int = 0

    def count(self, node: type, where: str) -> None:
        """Count a node; LimitError if there are too many conditions."""
        self.conditions += node in CONDITIONS and node not in _CONNECTIVES
        if self.conditions > MAX_CONDITIONS:
            raise LimitError(
                f"the filter has more than {MAX_CONDITIONS:,} conditions at {where}; "
                "list values with 'in', or split it into several segments",
                what="conditions", limit=MAX_CONDITIONS, found=self.conditions,
            )  # fmt: skip

    def count_listed(self, found: int, where: str) -> None:
        """Count the items of a list of constants; LimitError if there are too many."""
        self.listed += max(0, found - 1)
        if self.listed > MAX_LISTED:
            raise LimitError(
                f"the filter lists more than {MAX_LISTED:,} values at {where}; "
                "keep such a set as an attribute of its objects, or split the filter into several segments",
                what="listed values", limit=MAX_LISTED, found=self.listed,
            )  # fmt: skip


def _check_depth(level: int, nested: int, where: str) -> None:
    if level > MAX_DEPTH or nested > MAX_NESTED:
        raise LimitError(
            f"the filter is nested more than {MAX_DEPTH} deep at {where}; split it into several segments",
            what="depth", limit=MAX_DEPTH, found=MAX_DEPTH + 1,
        )  # fmt: skip


def read(document: Any, where: str, nodes: frozenset[type], *, typed: bool) -> Node:
    """Return the node of a document that is one of some classes.

    Args:
        document: what `json.loads` gave.
        where: the pointer to it.
        nodes: the classes that may stand there.
        typed: whether names have to say their type; otherwise one that is left out is text.

    Raises:
        FormError: with every problem of the document.
        LimitError: it is too deep or too large.
    """
    reader = _Reader(typed)
    reader.take(document, where, nodes)
    return reader.node()


def _adds_level(part: _Part) -> bool:
    """Return whether a node counts for the depth: `not` does where no word such as `!=` says it."""
    if part.node is Not:
        return part.parent is not None and part.parent.node in _CONNECTIVES
    return part.node in LEVELS


class _Reader:
    def __init__(self, typed: bool) -> None:
        self._typed = typed
        self._complaints = Complaints()
        self._sizes = _Sizes()
        self._parts: list[_Part] = []
        self._waiting: list[_Place] = []

    def take(self, document: Any, where: str, nodes: frozenset[type]) -> None:
        """Look at the whole document, parents first."""
        self._waiting.append(_Place(document, where, nodes))
        while self._waiting:
            place = self._waiting.pop()
            part = self._part(place)
            if part is None:
                continue
            _check_depth(place.level + _adds_level(part), place.nested, place.where)
            self._sizes.count(part.node, place.where)
            self._parts.append(part)
            self._fields(part, place)

    def node(self) -> Node:
        """Return the node of the document, made children first."""
        self._complaints.raise_if_any()
        node: Any = None
        for part in reversed(self._parts):
            made = {field.name: part.fields.get(field.name, field.default) for field in shapes()[part.node]}
            for field in shapes()[part.node]:
                if field.many and field.nodes:
                    made[field.name] = tuple(reversed(made[field.name]))
            node = part.node(**made)
            problem = rule_of(node)
            if problem:
                self._complaints.add(part.where, problem)
            if part.parent is not None and part.field is not None:
                if part.field.many:
                    part.parent.fields[part.field.name].append(node)
                else:
                    part.parent.fields[part.field.name] = node
        self._complaints.raise_if_any()
        result: Node = node
        return result

    def _part(self, place: _Place) -> _Part | None:
        """Return what an object is, or None after a complaint."""
        found, where, nodes = place.found, place.where, place.nodes
        if not isinstance(found, dict):
            self._complaints.add(where, f"expected {described(nodes)} as an object, found {shown(found)}")
            return None
        tag = found.get("node")
        node = _NODES.get(tag) if isinstance(tag, str) else None
        if node is None:
            at, what = where + "/node", "the kind of node is missing" if tag is None else f"unknown node {shown(tag)}"
            near = did_you_mean(tag, [_TAGS[node] for node in nodes]) if isinstance(tag, str) else ""
            self._complaints.add(at if tag is not None else where, what, near or f"expected {described(nodes)}")
            return None
        if node not in nodes:
            self._complaints.add(where, f"expected {described(nodes)}, found {shown(tag)}")
            return None
        return _Part(node, where, {}, place.parent, place.field)

    def _fields(self, part: _Part, place: _Place) -> None:
        """Read the fields of an object: scalars at once, nodes later."""
        found: dict[Any, Any] = place.found
        below = attrs.evolve(place, parent=part, level=place.level + _adds_level(part), nested=place.nested + 1)
        known = {field.name: field for field in shapes()[part.node]}
        for key in found:
            if key not in known and key != "node":
                hint = did_you_mean(key, known) if isinstance(key, str) else ""
                shown_key = shown(key)
                self._complaints.add(part.where, f"unknown key {shown_key} of '{_TAGS[part.node]}'", hint)
        for field in sorted(known.values(), key=lambda field: field.kind == "constant"):  # its type comes first
            where = part.where + pointer(field.name)
            if field.name not in found:
                self._missing(part, field)
            elif found[field.name] is None and field.optional:
                continue
            elif field.many:
                self._many(attrs.evolve(below, found=found[field.name], where=where, field=field, nodes=field.nodes))
            elif field.nodes:
                self._waiting.append(
                    attrs.evolve(below, found=found[field.name], where=where, field=field, nodes=field.nodes)
                )
            else:
                part.fields[field.name] = self._scalar(part, field, found[field.name], where)

    def _missing(self, part: _Part, field: Field) -> None:
        if not field.required or field.optional:
            return
        if field.kind == "type" and not self._typed and _TAGS[part.node] != "literal":
            part.fields[field.name] = READERS["type"]("text")  # the schema knows better
            return
        self._complaints.add(part.where, f"'{_TAGS[part.node]}' has no '{field.name}'")

    def _many(self, place: _Place) -> None:
        """Read a list: of scalars at once, of nodes later."""
        part, field, found, where = place.parent, place.field, place.found, place.where
        assert part is not None
        assert field is not None
        part.fields[field.name] = []
        if not isinstance(found, list):
            self._complaints.add(where, f"expected a list, found {shown(found)}")
            return
        if not field.nodes & CONDITIONS:
            self._sizes.count_listed(len(found), where)
        if field.nodes:
            for index in range(len(found) - 1, -1, -1):
                self._waiting.append(attrs.evolve(place, found=found[index], where=f"{where}/{index}"))
        else:
            read = [self._scalar(part, field, item, f"{where}/{index}") for index, item in enumerate(found)]
            part.fields[field.name] = tuple(read)

    def _scalar(self, part: _Part, field: Field, found: Any, where: str) -> Any:
        """Return the value of a scalar, or None after a complaint."""
        try:
            if field.kind == "word":
                return read_word(found, field.words)
            if field.kind == "constant":
                value_type = part.fields.get("type")
                return None if value_type is None else read_constant(found, value_type)
            return READERS[field.kind](found)
        except ValueError as error:
            self._complaints.add(where, str(error))
            return None

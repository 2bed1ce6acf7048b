"""Files of named segments: definitions as text.

::

    segment "Retention" on contact
      describe "Bought more than four times and quiet for 40 days"
      hide from "agent-7", "agent-9"
      refresh every 4 hours            # without it: live
      tags "crm", "mail"
      where orders > 4
        and last_visit more than 40 days ago

A file holds any number of these. Clauses come in any order, each at most once, and `where`
last: it reaches up to the next `segment`. Line breaks and indentation mean nothing. Filters
are checked for syntax here, and against a schema by `Definition.parse`; all positions
count in the file. Segments may refer to each other whatever their order; `in_order` gives the one in
which they can be defined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any, Final, Protocol

import attrs
from attrs import evolve

from segmentkit.dsl import _literals
from segmentkit.dsl._dependencies import evaluation_order, segments_read
from segmentkit.dsl._scan import Token, scan, shown
from segmentkit.dsl._scope import suggestion
from segmentkit.dsl.predicates import UNITS, Crossing, Duration, InSegment, Predicate, iter_nodes
from segmentkit.errors import ArgumentError, CycleError, FilterSyntaxError, LimitError, Problem
from segmentkit.schema import Schema

__all__ = ["CLAUSES", "MAX_FILE", "Definition", "format_definitions", "in_order", "parse_definitions", "split_tokens"]

MAX_FILE: Final = 10_000_000
"""Most characters of a file of definitions."""


@attrs.frozen
class Definition:
    """One segment of a file, as it is written there.

    `where` is `source[where_offset:][:len(where)]`. `refresh` is None for a segment that is live.
    """

    name: str
    on: str
    where: str
    where_offset: int
    description: str = ""
    hidden_from: frozenset[str] = frozenset()
    refresh: Duration | None = None
    tags: tuple[str, ...] = ()
    source: str = attrs.field(default="", eq=False, repr=False)
    origin: str = attrs.field(default="", eq=False)

    def parse(
        self, schema: Schema, params: Mapping[str, Any] | None = None, segments: Mapping[str, str] | None = None
    ) -> Predicate:
        """Return the typed tree of the filter; errors point into the file.

        Args:
            schema: what its names mean.
            params: values for its parameters.
            segments: the object type of each segment that it may refer to; None checks no names.

        Raises:
            UnknownNameError, FilterTypeError, LimitError: as `segmentkit.dsl.parse`.
        """
        from segmentkit.dsl import parsed

        region = (self.where_offset, self.where_offset + len(self.where))
        return parsed(self.source, schema, self.on, params, self.origin, region=region, segments=segments)


def parse_definitions(text: str, origin: str = "") -> list[Definition]:
    """Return the segments of a file, in its order.

    Args:
        text: the contents of the file.
        origin: what errors call it, such as its path.

    Raises:
        FilterSyntaxError: with every syntax problem of the file, filters included.
        LimitError: the file or a filter is too large.

    >>> [d.where for d in parse_definitions('segment "Loyal" on contact where orders > 4')]
    ['orders > 4']
    """
    if not isinstance(text, str):
        raise ArgumentError.of("text", "the contents of a definition file", text)
    if len(text) > MAX_FILE:
        message = f"the file has {len(text):,} characters, over the limit of {MAX_FILE:,}; split it"
        raise LimitError(message, what="length", limit=MAX_FILE, found=len(text))
    tokens, problems = scan(text)
    definitions: list[Definition] = []
    names: dict[str, int] = {}
    for part in split_tokens(tokens):
        reader = _Reader(text, origin, part, problems)
        definition = reader.read()
        if definition is None:
            continue
        first = names.setdefault(definition.name, part[0].start)
        if first != part[0].start:
            line = text.count("\n", 0, first) + 1
            reader.note(f"segment {shown(definition.name)} is defined twice", part[1], f"the first is in line {line}")
        definitions.append(definition)
    if problems:
        raise FilterSyntaxError(sorted(problems, key=lambda problem: problem.start), text, origin)
    return definitions


def in_order(parsed: Iterable[tuple[Definition, Predicate]]) -> list[tuple[Definition, Predicate]]:
    """Return definitions with their trees, each behind those it refers to, and otherwise in the order given.

    Args:
        parsed: definitions of different names; references to others than these are passed over.

    Raises:
        CycleError: segments refer to each other in a circle; it points to the reference with which that begins.

    >>> from segmentkit.schema import ObjectType, Schema
    >>> schema = Schema(ObjectType("contact"))
    >>> file = parse_definitions('segment "A" on contact where in segment "B" segment "B" on contact where true')
    >>> [d.name for d, _ in in_order((d, d.parse(schema)) for d in file)]
    ['B', 'A']
    """
    found = {definition.name: (definition, tree) for definition, tree in parsed}
    try:
        order = evaluation_order({name: sorted(segments_read(tree)) for name, (_, tree) in found.items()})
    except CycleError as error:
        raise _placed(error, *found[error.path[0]]) from None
    return [found[name] for name in order]


def _placed(error: CycleError, definition: Definition, tree: Predicate) -> CycleError:
    """Return the error of a circle that begins with the definition, at the reference to the next segment of it."""
    following = error.path[1]
    references = (node for node in iter_nodes(tree) if isinstance(node, InSegment | Crossing))
    start, end = next((node.span for node in references if node.segment == following and node.span), (0, 0))
    problems = [Problem.at(p.message, definition.source, start, end, p.hint) for p in error.problems]
    return CycleError(problems, definition.source, definition.origin, path=error.path)


class Defined(Protocol):
    """What can be written as a definition: a segment of an engine, or anything with these fields."""

    @property
    def name(self) -> str:
        """The name of the segment."""

    @property
    def object_type(self) -> str:
        """The object type."""

    @property
    def where(self) -> str:
        """The text of the filter."""

    @property
    def description(self) -> str:
        """For people, or empty."""

    @property
    def hidden_from(self) -> frozenset[str]:
        """The agents that do not see it."""

    @property
    def refresh(self) -> str:
        """Such as "4 hours", or empty."""

    @property
    def tags(self) -> tuple[str, ...]:
        """For the host."""


def format_definitions(segments: Iterable[Defined]) -> str:
    """Return segments as the text of a definition file; `define_file` of it gives equal segments.

    Args:
        segments: such as `engine.segments()`, in the order in which they are written.

    >>> from types import SimpleNamespace
    >>> loyal = SimpleNamespace(
    ...     name="Loyal", object_type="contact", where="orders > 4 and email is known",
    ...     description="Ours", hidden_from=frozenset({"agent-7"}), refresh="4 hours", tags=("crm",))
    >>> print(format_definitions([loyal]), end="")
    segment "Loyal" on contact
      describe "Ours"
      hide from "agent-7"
      refresh every 4 hours
      tags "crm"
      where orders > 4
        and email is known
    """
    from segmentkit.dsl._layout import format_file

    return format_file("\n".join(map(_written, segments)))


def _written(segment: Defined) -> str:
    """Return a definition as text, not laid out; the filter ends its own lines, because it may end in a comment."""
    quoted = _literals.write_text
    parts = [f"segment {quoted(segment.name)} on {_literals.quote_name(segment.object_type)}"]
    if segment.description:
        parts.append(f"describe {quoted(segment.description)}")
    if segment.hidden_from:
        parts.append(f"hide from {', '.join(map(quoted, sorted(segment.hidden_from)))}")
    if segment.refresh:
        parts.append(f"refresh every {segment.refresh}")
    if segment.tags:
        parts.append(f"tags {', '.join(map(quoted, segment.tags))}")
    return "\n".join([*parts, f"where {segment.where}"])


def split_tokens(tokens: list[Token]) -> list[list[Token]]:
    """Return the tokens of each definition; whatever comes before the first one is a part of its own."""
    starts = [i for i in range(len(tokens)) if i == 0 or _begins(tokens, i)]
    return [tokens[start:end] for start, end in pairwise([*starts, len(tokens)])]


def _begins(tokens: list[Token], index: int) -> bool:
    """Return whether a definition begins here: `segment "..."`, but not in a condition on a segment."""
    if tokens[index].lower != "segment" or tokens[index - 1].lower in ("in", "entered", "left"):
        return False
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    return following is not None and (following.kind == "text" or following.text[:1] in ("'", '"'))


class _Stop(Exception):  # noqa: N818  # it carries no error: the problem is noted
    """The rest of a definition cannot be read; its problem is noted."""


class _Reader:
    """Reads the tokens of one definition."""

    def __init__(self, source: str, origin: str, tokens: list[Token], problems: list[Problem]) -> None:
        self._source = source
        self._origin = origin
        self._tokens = tokens
        self._problems = problems
        self._position = 0
        self._clauses: dict[str, Any] = {}

    def note(self, message: str, token: Token | None, hint: str = "") -> None:
        """Note a problem at a token, or behind the last one."""
        start, end = (token.start, token.end) if token is not None else (self._tokens[-1].end,) * 2
        self._problems.append(Problem.at(message, self._source, start, end, hint))

    def read(self) -> Definition | None:
        """Return the definition, or None after its problems were noted."""
        try:
            self._word("segment")
            name = self._text("the name of the segment, in quotes")
            if not name:
                raise self._failed("a segment has a name", self._tokens[1])
            self._word("on")
            on = self._name()
            for clause in iter(self._clause, "where"):
                self._read_clause(clause)
            start, end = self._where()
        except _Stop:
            return None
        where = self._source[start:end]
        origin = self._origin
        return Definition(name, on, where, start, source=self._source, origin=origin, **self._clauses)

    # --------------------------------------------------------------------- clauses

    def _clause(self) -> str:
        token = self._next()
        clause = token.lower if token is not None else ""
        if token is not None and token.kind == "word" and clause in (*_CLAUSES, "where"):
            return clause
        if token is None:
            raise self._failed("the segment has no 'where'", None, "end it with 'where' and a filter")
        hint = suggestion(token.text, [*_CLAUSES, "where"])
        raise self._failed(f"expected {_EXPECTED}, found {shown(token.text)}", token, hint)

    def _read_clause(self, clause: str) -> None:
        token = self._tokens[self._position - 1]
        field, read = _CLAUSES[clause]
        value = read(self)
        if field in self._clauses:
            self.note(f"'{clause}' stands twice in one segment", token)
        self._clauses[field] = value

    def _describe(self) -> str:
        return self._text("a description in quotes")

    def _hide(self) -> frozenset[str]:
        self._word("from")
        return frozenset(self._texts("the name of an agent, in quotes"))

    def _tags(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._texts("a tag in quotes")))

    def _refresh(self) -> Duration:
        self._word("every")
        amount, unit = self._next(), self._next()
        name = unit.lower.removesuffix("s") if unit is not None else ""
        if amount is None or amount.kind != "number" or name not in UNITS:
            raise self._failed("'refresh every' takes a duration", amount, "write it like 'refresh every 4 hours'")
        count = _literals.read_number(amount.text)
        if not isinstance(count, int) or not 0 < count <= 1_000_000_000:
            raise self._failed("'refresh every' takes a whole number of units, from 1", amount)
        return Duration(count, name)  # type: ignore[arg-type]  # UNITS has them

    def _where(self) -> tuple[int, int]:
        """Return where the filter stands, after its syntax was checked."""
        from segmentkit.dsl._parse import parse_tokens

        rest = self._tokens[self._position :]
        if not rest:
            raise self._failed("'where' has no filter behind it", self._tokens[self._position - 1])
        start, end = rest[0].start, rest[-1].end
        if any(token.kind == "bad" for token in rest):
            raise _Stop
        try:
            parse_tokens(rest, self._source, end, self._origin)
        except FilterSyntaxError as error:
            clauses = {token.start for token in rest if token.lower in _CLAUSES}
            behind = "clauses stand before 'where'"
            self._problems += [evolve(p, hint=behind) if p.start in clauses else p for p in error.problems]
        return start, end

    # ---------------------------------------------------------------------- tokens

    def _next(self) -> Token | None:
        if self._position == len(self._tokens):
            return None
        self._position += 1
        token = self._tokens[self._position - 1]
        if token.kind == "bad":  # it has its problem already
            raise _Stop
        return token

    def _failed(self, message: str, token: Token | None, hint: str = "") -> _Stop:
        self.note(message, token, hint)
        return _Stop()

    def _word(self, word: str) -> None:
        token = self._next()
        if token is None or token.lower != word:
            found = "the end" if token is None else shown(token.text)
            hint = "a definition is 'segment \"NAME\" on TYPE where FILTER'" if word in ("segment", "on") else ""
            raise self._failed(f"expected '{word}', found {found}", token, hint)

    def _text(self, what: str) -> str:
        token = self._next()
        if token is None or token.kind != "text":
            raise self._failed(f"expected {what}, found {shown(token.text) if token else 'the end'}", token)
        return _literals.read_text(token.text)

    def _texts(self, what: str) -> list[str]:
        texts = [self._text(what)]
        while self._position < len(self._tokens) and self._tokens[self._position].text == ",":
            self._position += 1
            texts.append(self._text(what))
        return texts

    def _name(self) -> str:
        token = self._next()
        if token is None or token.kind not in ("word", "backticked"):
            found = shown(token.text) if token else "the end"
            raise self._failed(f"expected the name of an object type, found {found}", token)
        return token.text.strip("`")


_CLAUSES: Final[dict[str, tuple[str, Callable[[_Reader], Any]]]] = {
    "describe": ("description", _Reader._describe),
    "hide": ("hidden_from", _Reader._hide),
    "refresh": ("refresh", _Reader._refresh),
    "tags": ("tags", _Reader._tags),
}
CLAUSES: Final = frozenset({*_CLAUSES, "where"})
"""The words that begin a clause of a definition."""
_EXPECTED: Final = "'where', 'describe', 'hide from', 'refresh every' or 'tags'"

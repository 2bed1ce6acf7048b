"""Where the checker looks names up, and where it collects what is wrong.

A `Scope` is the attributes of an object type and, inside an event's brackets, the event's
properties. All scopes of a filter share one `Findings`. A check that fails reports once and
returns None; whatever is made of None is None too, without a second report.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs

from segmentkit.dsl._literals import quote_name
from segmentkit.dsl._scan import MAX_PROBLEMS, shown
from segmentkit.dsl.predicates import Predicate, Span, Value
from segmentkit.errors import DefinitionError, FilterTypeError, Problem, UnknownNameError, repr_of
from segmentkit.schema import EventType, ObjectType, Schema

if TYPE_CHECKING:
    from lark import Token, Tree

    Node: TypeAlias = Tree[Token] | Token

__all__ = ["Findings", "Scope", "bare", "check_on", "either", "name_of", "nearest", "span", "suggestion", "words_of"]


def span(node: Node) -> Span:
    """Return where a tree or token stands in the text."""
    place: Any = getattr(node, "meta", node)
    return place.start_pos, place.end_pos


def bare(node: Tree[Token]) -> Tree[Token]:
    """Return the tree without parentheses around it."""
    while node.data == "parenthesis":
        node = node.children[0]  # type: ignore[assignment]
    return node


def name_of(node: Node) -> str:
    """Return the name that a `name` tree spells, without backticks."""
    token = str(node.children[0])  # type: ignore[union-attr]
    return token[1:-1] if token[0] == "`" else token


def words_of(tree: Tree[Token]) -> str:
    """Return the keywords of a tree in lower case, such as `at least`."""
    return " ".join(str(word).lower() for word in tree.children)


@attrs.define
class Findings:
    """The problems of one filter so far."""

    source: str
    problems: list[Problem] = attrs.field(factory=list)
    names: list[str] = attrs.field(factory=list)
    only_names: bool = True
    checked: dict[int, Value | None] = attrs.field(factory=dict)
    """Values that were checked before what contains them, by the id of their tree."""

    def add(self, where: Span, message: str, hint: str = "", name: str | None = None) -> None:
        """Note a problem; `name` is given when all that is wrong is a name that nobody declared."""
        self.only_names = self.only_names and name is not None
        if name is not None:
            self.names.append(name)
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem.at(message, self.source, *where, hint))

    def error(self, origin: str) -> DefinitionError:
        """Return the exception that carries all problems, in the order of the text."""
        problems = sorted(self.problems, key=lambda problem: problem.start)
        if self.only_names:
            return UnknownNameError(problems, self.source, origin, tuple(dict.fromkeys(self.names)))
        return FilterTypeError(problems, self.source, origin)


@attrs.frozen
class Scope:
    """What names mean at one place of a filter."""

    schema: Schema
    object_type: ObjectType
    params: Mapping[str, Any]
    findings: Findings
    condition: Callable[[Tree[Token], Scope], Predicate | None]
    """The checker of conditions, for the brackets of events."""
    aggregate: Callable[[Tree[Token], Scope], Value | None]
    """The checker of aggregates, which are values that contain events."""
    event: EventType | None = None
    ranks: int = 0
    """In how many ranks this place is."""
    segments: Mapping[str, str] | None = None
    """Object type of each segment that there is; None if nobody knows."""
    windows: int = 0
    """In how many bounds of windows this place is; events may stand in one, such as `since last(visit)`."""

    def report(self, node: Node | Span, message: str, hint: str = "") -> None:
        """Note a problem of a node."""
        self.findings.add(node if isinstance(node, tuple) else span(node), message, hint)

    def unknown(  # noqa: PLR0917  # the order of the sentence
        self, node: Node, what: str, name: str, owner: str, known: Iterable[str], hint: str = ""
    ) -> None:
        """Note that nobody declared a name: `what` it should be, and of which `owner`."""
        message = f"unknown {what} {shown(name, 100)}" + (f" of {owner}" if owner else "")
        self.findings.add(span(node), message, hint or suggestion(name, known), name)

    def giving(self, parameter: str, value: Any) -> Scope:
        """Return the scope in which a parameter has one value of the list that was given for it."""
        return attrs.evolve(self, params={parameter: value})

    def bounding(self) -> Scope:
        """Return the scope of a bound of a window."""
        return attrs.evolve(self, windows=self.windows + 1)

    def inside(self, event: EventType) -> Scope:
        """Return the scope of the brackets of an event."""
        return attrs.evolve(self, event=event)

    def outside(self) -> Scope:
        """Return the scope around the brackets of an event."""
        return attrs.evolve(self, event=None)

    def ranking(self) -> Scope:
        """Return the scope of what a rank goes by."""
        return attrs.evolve(self, ranks=self.ranks + 1)

    def at(self, object_type: str) -> Scope:
        """Return the scope of a related object."""
        return attrs.evolve(self, object_type=self.schema.type(object_type), event=None)


def check_on(on: Any, schema: Schema, origin: str = "") -> None:
    """Raise UnknownNameError unless the schema has the object type."""
    if isinstance(on, str) and on in schema.types:
        return
    name = on if isinstance(on, str) else repr_of(on)
    problem = Problem.at(f"unknown object type {shown(name, 100)}", name, 0, len(name), suggestion(name, schema.types))
    raise UnknownNameError([problem], name, origin, (name,))


_LONGEST_MISSPELT: Final = 250  # names have up to 200 characters, and the search takes their product


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the declared name that was probably meant, whatever its case."""
    if len(name) > _LONGEST_MISSPELT:
        return None
    known = list(known)
    by_fold = {candidate.casefold(): candidate for candidate in reversed(known)}
    close = difflib.get_close_matches(name.casefold(), by_fold, 1, 0.6)
    return by_fold[close[0]] if close else None


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the nearest declared name as a question, or all of them if they are few."""
    known = sorted(known)
    near = nearest(name, known)
    if near is not None:
        return f"did you mean '{quote_name(near)}'?"
    if 0 < len(known) <= 8:
        return "declared: " + ", ".join(f"'{candidate}'" for candidate in known)
    return ""


def either(words: Iterable[str]) -> str:
    """Return `'a', 'b' or 'c'`."""
    quoted = [f"'{word}'" for word in words]
    return " or ".join(part for part in (", ".join(quoted[:-1]), quoted[-1]) if part)

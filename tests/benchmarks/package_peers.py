"""Packages that a user would pick instead, each told the segments in its own language and given every advantage.

A peer keeps the facts and the segments of each contact, takes in one changed attribute, finds the segments anew and
takes the set difference. What makes it as fast as we know how:

- segments are translated and compiled once, and a package that can look at all of them in one call does so;
- only attributes that some segment reads are kept, a location as two numbers, a set as the package looks into it
  fastest, and nothing is asked that can be known: only an age can be missing, so only ages are asked about;
- `in` is written the way that is fastest in the package;
- with `indexed`, a change makes it look only at the segments that mention the attribute, which the host keeps apart.

Values are trusted, as in `peer.py`. The languages disagree about missing values (an error, unknown, or zero); here a
comparison with one is guarded, so that it is false and its negation true everywhere.
"""

from __future__ import annotations

import importlib.util
import json
import sqlite3
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from typing import Any, ClassVar, TypeAlias

from tests.benchmarks import vocabulary as words
from tests.benchmarks.trees import All, Condition, Negation, Node, Some, Window, iter_leaves, key_of
from tests.benchmarks.workload import Happening

Facts: TypeAlias = dict[str, Any]
Find: TypeAlias = Callable[[int], set[int]]
"""From the number of a contact to the numbers of those segments that hold."""

NULLABLE = frozenset({"age"})
"""What can be missing of that which segments read here."""


class PackagePeer(ABC):
    """Contacts, the segments each is in, and a package that tells which hold.

    Args:
        segments: numbered by their position; none reads events or the time.
        indexed: look only at the segments that mention what has changed.
    """

    module: ClassVar[str]
    package: ClassVar[str]
    slowness: ClassVar[int] = 1
    """It is given one of so many changes, so that a run takes about as long as any other."""

    def __init__(self, segments: Sequence[Node], indexed: bool) -> None:
        self.read = sorted({key_of(leaf) for segment in segments for leaf in iter_leaves(segment)})
        self.memberships: dict[int, set[int]] = {}
        self._all = dict(enumerate(segments))
        self._mentions: defaultdict[str, dict[int, Node]] = defaultdict(dict)
        for number, segment in self._all.items():
            for leaf in iter_leaves(segment):
                self._mentions[key_of(leaf)][number] = segment
        self._prepare(indexed)

    @classmethod
    def is_installed(cls) -> bool:
        """Return whether the package can be imported."""
        return importlib.util.find_spec(cls.module) is not None

    def load(self, contact: int, attributes: Mapping[str, Any]) -> None:
        """Take in a contact and put it into its segments."""
        facts: Facts = {}
        for name in self.read:
            facts |= self._facts(name, attributes[name])
        self._insert(contact, facts)
        self.memberships[contact] = self._find(contact, None)[0]

    def update(self, contact: int, attribute: str, value: Any, now: int) -> tuple[set[int], set[int]]:
        """Set one attribute; return the segments that the contact entered and left."""
        self._write(contact, self._facts(attribute, value))
        holding, looked_at = self._find(contact, attribute)
        member_of = self.memberships[contact]
        entered = holding - member_of
        left = (member_of & looked_at) - holding
        member_of |= entered
        member_of -= left
        return entered, left

    def track(self, contact: int, happening: Happening) -> tuple[set[int], set[int]]:
        """Return that nothing was entered or left: no segment reads events."""
        return set(), set()

    def _facts(self, attribute: str, value: Any) -> Facts:
        """Return what the package is given for the value of an attribute."""
        if attribute == "location":
            return {"latitude": value[0], "longitude": value[1]}
        return {attribute: self._set(attribute, value) if isinstance(value, frozenset) else value}

    @abstractmethod
    def _prepare(self, indexed: bool) -> None:
        """Tell the package the segments."""

    @abstractmethod
    def _set(self, attribute: str, value: frozenset[str]) -> Any:
        """Return a set the way the package looks into it."""

    @abstractmethod
    def _insert(self, contact: int, facts: Facts) -> None:
        """Store the facts of a new contact."""

    @abstractmethod
    def _write(self, contact: int, facts: Facts) -> None:
        """Store some facts of a known contact."""

    @abstractmethod
    def _find(self, contact: int, changed: str | None) -> tuple[set[int], frozenset[int]]:
        """Return the segments that hold, and those that were looked at: all of them unless an attribute `changed`."""


class CompiledPeer(PackagePeer):
    """A peer whose package compiles many segments to one function of a contact; facts are a dict for each contact."""

    def _prepare(self, indexed: bool) -> None:
        self.people: dict[int, Facts] = {}
        everything = self._compile(self._all), frozenset(self._all)
        self._by_key: defaultdict[str | None, tuple[Find, frozenset[int]]] = defaultdict(lambda: everything)
        if indexed:
            for key, some in self._mentions.items():
                self._by_key[key] = self._compile(some), frozenset(some)

    def _set(self, attribute: str, value: frozenset[str]) -> Any:
        return list(value)

    def _insert(self, contact: int, facts: Facts) -> None:
        self.people[contact] = facts

    def _write(self, contact: int, facts: Facts) -> None:
        self.people[contact].update(facts)

    def _find(self, contact: int, changed: str | None) -> tuple[set[int], frozenset[int]]:
        find, looked_at = self._by_key[changed]
        return find(contact), looked_at

    @abstractmethod
    def _compile(self, segments: Mapping[int, Node]) -> Find:
        """Return a function that finds those of the segments that hold."""


# ------------------------------------------------------------------ languages of text


class TextPeer(CompiledPeer):
    """A peer whose package reads text with `and`, `or`, `not` and comparisons."""

    def _text(self, node: Node) -> str:
        match node:
            case All(parts):
                return "(" + " and ".join(map(self._text, parts)) + ")"
            case Some(parts):
                return "(" + " or ".join(map(self._text, parts)) + ")"
            case Negation(part):
                return f"(not ({self._text(part)}))"
            case Window():
                raise ValueError("a window needs events")
            case Condition(name, "missing"):
                return f"({name} {self._null})"
            case Condition(name) if name in NULLABLE:
                return f"({name} {self._not_null} and {self._known(node)})"
            case Condition():
                return self._known(node)

    _null, _not_null = "== null", "!= null"

    def _list(self, segments: Mapping[int, Node]) -> str:
        return "[" + ", ".join(map(self._text, segments.values())) + "]"

    def _known(self, condition: Condition) -> str:
        """Return a condition on a value that is there."""
        name, value = condition.attribute, condition.value
        match condition.operator:
            case "in":
                return self._one_of(name, value)
            case "between":
                return f"({name} >= {value[0]} and {name} <= {value[1]})"
            case "has":
                return self._has_any(name, [value])
            case "has any":
                return self._has_any(name, value)
            case "ends with":
                return self._ends_with(name, value)
            case "box":
                south, west, north, east = value
                latitude = f"latitude >= {south} and latitude <= {north}"
                return f"({latitude} and longitude >= {west} and longitude <= {east})"
            case "=" if isinstance(value, bool):
                return name if value else f"(not {name})"
            case "=":
                return f"({name} == {self._literal(value)})"
            case compare:
                return f"({name} {compare} {self._literal(value)})"

    def _literal(self, value: Any) -> str:
        return json.dumps(value)

    def _one_of(self, name: str, values: Sequence[str]) -> str:
        return "(" + " or ".join(f"{name} == {self._literal(value)}" for value in values) + ")"

    def _has_any(self, name: str, values: Sequence[str]) -> str:
        return "(" + " or ".join(f"{self._literal(value)} in {name}" for value in values) + ")"

    @abstractmethod
    def _ends_with(self, name: str, ending: str) -> str: ...


class ZenPeer(TextPeer):
    """GoRules: one expression, the list of all segments."""

    module, package = "zen", "zen-engine"

    def _compile(self, segments: Mapping[int, Node]) -> Find:
        import zen

        expression = zen.compile_expression(self._list(segments))
        numbers, people = list(segments), self.people
        return lambda contact: set(compress(numbers, expression.evaluate(people[contact])))

    def _one_of(self, name: str, values: Sequence[str]) -> str:
        return f"({name} in {json.dumps(values)})"

    def _ends_with(self, name: str, ending: str) -> str:
        return f"endsWith({name}, {json.dumps(ending)})"


class RuleEnginePeer(TextPeer):
    """rule-engine, in Python: one rule, the list of all segments."""

    module, package, slowness = "rule_engine", "rule-engine", 20

    def _compile(self, segments: Mapping[int, Node]) -> Find:
        import rule_engine

        rule = rule_engine.Rule(self._list(segments), rule_engine.Context(resolver=rule_engine.resolve_item))
        numbers, people = list(segments), self.people
        return lambda contact: set(compress(numbers, rule.evaluate(people[contact])))

    def _set(self, attribute: str, value: frozenset[str]) -> Any:
        return set(value)

    def _ends_with(self, name: str, ending: str) -> str:
        return f"{name}.ends_with({json.dumps(ending)})"


class SQLitePeer(TextPeer):
    """SQLite in memory: a row for each contact, with sets as bits, and a query that gives the segments as bits, too."""

    module, package = "sqlite3", "sqlite3"

    _null, _not_null = "is null", "is not null"
    _texts = frozenset({"country", "plan", "city", "email"})
    _reals = frozenset({"ltv", "latitude", "longitude"})
    _bits = 62
    _words: ClassVar = {"tags": words.TAGS, "lists": words.LISTS}

    def _prepare(self, indexed: bool) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        columns = " ".join(self.read).replace("location", "latitude longitude").split()
        typed = [f"{name} {self._type(name)}" for name in columns]
        self.connection.execute(f"create table contact (id integer primary key, {', '.join(typed)})")
        super()._prepare(indexed)

    def _type(self, name: str) -> str:
        return "text" if name in self._texts else "real" if name in self._reals else "integer"

    def _compile(self, segments: Mapping[int, Node]) -> Find:
        numbers, texts, execute = list(segments), list(map(self._text, segments.values())), self.connection.execute
        starts = range(0, len(texts), self._bits)
        columns = ", ".join(self._gathered(texts[start : start + self._bits]) for start in starts)
        query = f"select {columns} from contact where id = ?"  # noqa: S608 - from our own trees

        def find(contact: int) -> set[int]:
            found = set()
            for start, column in zip(starts, execute(query, (contact,)).fetchone(), strict=True):
                rest = column
                while rest:
                    bit = rest.bit_length() - 1
                    found.add(numbers[start + bit])
                    rest ^= 1 << bit
            return found

        return find

    def _gathered(self, texts: Sequence[str]) -> str:
        """Return an integer with a bit for each text; only within `case` does SQLite stop at what decides."""
        return " | ".join(f"case when {text} then {1 << bit} else 0 end" for bit, text in enumerate(texts))

    def _insert(self, contact: int, facts: Facts) -> None:
        names, marks = ", ".join(facts), ", ".join("?" * len(facts))
        self.connection.execute(f"insert into contact (id, {names}) values (?, {marks})", (contact, *facts.values()))  # noqa: S608 - names of our own

    def _write(self, contact: int, facts: Facts) -> None:
        assignments = ", ".join(f"{name} = ?" for name in facts)
        self.connection.execute(f"update contact set {assignments} where id = ?", (*facts.values(), contact))  # noqa: S608 - names of our own

    def _set(self, attribute: str, value: frozenset[str]) -> Any:
        return self._mask(attribute, value)

    def _mask(self, attribute: str, members: Sequence[str] | frozenset[str]) -> int:
        return sum(1 << self._words[attribute].index(word) for word in members)

    def _literal(self, value: Any) -> str:
        return f"'{value}'" if isinstance(value, str) else repr(value)

    def _has_any(self, name: str, values: Sequence[str]) -> str:
        return f"({name} & {self._mask(name, values)} != 0)"

    def _ends_with(self, name: str, ending: str) -> str:
        return f"(substr({name}, -{len(ending)}) = {self._literal(ending)})"


# ------------------------------------------------------------------ JsonLogic


class DatalogicPeer(CompiledPeer):
    """JsonLogic in Rust: one rule, the list of all segments."""

    module, package = "datalogic_py", "datalogic-py"

    def _compile(self, segments: Mapping[int, Node]) -> Find:
        import datalogic_py

        engine = datalogic_py.Engine()
        rule, session = engine.compile([_logic(segment) for segment in segments.values()]), engine.session()
        numbers, people = list(segments), self.people
        return lambda contact: set(compress(numbers, session.evaluate(rule, people[contact])))


def _logic(node: Node) -> Any:
    match node:
        case All(parts):
            return {"and": [_logic(part) for part in parts]}
        case Some(parts):
            return {"or": [_logic(part) for part in parts]}
        case Negation(part):
            return {"!": [_logic(part)]}
        case Window():
            raise ValueError("a window needs events")
        case Condition(name, "missing"):
            return {"===": [{"var": name}, None]}
        case Condition(name) if name in NULLABLE:
            return {"and": [{"!==": [{"var": name}, None]}, _known_logic(node)]}
        case Condition():
            return _known_logic(node)


def _known_logic(condition: Condition) -> Any:
    variable, value = {"var": condition.attribute}, condition.value
    match condition.operator:
        case "in":
            return {"in": [variable, list(value)]}
        case "between":
            return {"<=": [value[0], variable, value[1]]}
        case "has":
            return {"in": [value, variable]}
        case "has any":
            return {"or": [{"in": [word, variable]} for word in value]}
        case "ends with":
            return {"ends_with": [variable, value]}
        case "box":
            south, west, north, east = value
            latitude, longitude = {"var": "latitude"}, {"var": "longitude"}
            return {"and": [{"<=": [south, latitude, north]}, {"<=": [west, longitude, east]}]}
        case "=":
            return {"===": [variable, value]}
        case compare:
            return {compare: [variable, value]}

"""CLIPS, which like segmentkit works out from a changed fact what can flip: `pip install clipspy`.

Each attribute of each contact is a fact. A segment becomes its clauses (conditions that hold together), and each clause
a rule that tells the number of the segment. A negation is a negated test of a fact that is always there, never the
absence of a fact, and a rule also matches those facts that only other clauses of its segment test. So a changed fact
fires the rules of exactly those segments that mention its attribute and hold for its contact; what is not told is left.

Patterns stand in one order for all rules, so that rules share what they begin with; attributes that change seldom or
hold for few contacts come first, so that a change meets few partial matches. What a change costs still grows with the
number of contacts that CLIPS holds.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from itertools import chain, product
from typing import Any, NamedTuple

from tests.benchmarks.package_peers import NULLABLE, Facts, PackagePeer
from tests.benchmarks.trees import All, Condition, Negation, Node, Some, Window, iter_leaves, key_of

_ORDER = "country city email location company_size plan lists tags ltv age orders email_marketing_consent".split()
_COLUMNS = {"location": ("latitude", "longitude")}
_ATTRIBUTES = {column: attribute for attribute, columns in _COLUMNS.items() for column in columns}
_SETS = frozenset({"tags", "lists"})


class Literal(NamedTuple):
    """A condition, or its negation."""

    condition: Condition
    is_negated: bool


class ClipsPeer(PackagePeer):
    """CLIPS with a template for each attribute; it keeps an index of its own, whatever `indexed` says."""

    module, package, slowness = "clips", "clipspy", 4

    def _prepare(self, indexed: bool) -> None:
        import clips

        self._nil = clips.Symbol("nil")
        self._mentioned = {name: frozenset(some) for name, some in self._mentions.items()}
        self._environment = clips.Environment()
        self._environment.build("(defglobal ?*told* = (create$))")  # a seventh faster than a call of Python
        self._told = self._environment.find_global("told")
        for name in self.read:
            kind = "multislot" if name in _SETS else "slot"
            slots = " ".join(f"({kind} {column})" for column in _COLUMNS.get(name, (name,)))
            self._environment.build(f"(deftemplate {name} (slot contact) {slots})")
        self._templates = {name: self._environment.find_template(name) for name in self.read}
        self._stored: dict[tuple[int, str], tuple[Any, Facts]] = {}
        self._looked_at = frozenset[int]()
        for number, segment in self._all.items():
            mentioned = {key_of(leaf) for leaf in iter_leaves(segment)}
            for place, clause in enumerate(_clauses(segment)):
                patterns = _patterns(clause, mentioned)
                self._environment.build(
                    f"(defrule segment-{number}-{place} {patterns} => (bind ?*told* ?*told* {number}))"
                )

    def _set(self, attribute: str, value: frozenset[str]) -> Any:
        return tuple(value)

    def _insert(self, contact: int, facts: Facts) -> None:
        by_attribute = defaultdict[str, Facts](dict)
        for column, value in facts.items():
            by_attribute[_ATTRIBUTES.get(column, column)][column] = value
        for attribute, slots in by_attribute.items():
            fact = self._templates[attribute].assert_fact(contact=contact, **self._slots(slots))
            self._stored[contact, attribute] = fact, slots

    def _write(self, contact: int, facts: Facts) -> None:
        column = next(iter(facts))
        attribute = _ATTRIBUTES.get(column, column)
        fact, known = self._stored[contact, attribute]
        if facts == known:  # CLIPS would fire nothing, but nothing was left
            self._looked_at = frozenset()
            return
        fact.modify_slots(**self._slots(facts))
        self._stored[contact, attribute] = fact, facts
        self._looked_at = self._mentioned[attribute]

    def _slots(self, facts: Facts) -> Facts:
        return {column: self._nil if value is None else value for column, value in facts.items()}

    def _find(self, contact: int, changed: str | None) -> tuple[set[int], frozenset[int]]:
        self._environment.run()
        told = set(self._told.value)
        self._told.value = ()
        return told, self._looked_at


def _clauses(node: Node, is_negated: bool = False) -> Iterator[Sequence[Literal]]:
    """Yield conjunctions of which at least one holds exactly if the node holds, or does not where it `is_negated`."""
    match node:
        case Condition():
            yield (Literal(node, is_negated),)
        case Negation(part):
            yield from _clauses(part, not is_negated)
        case All(parts) | Some(parts):
            each = [list(_clauses(part, is_negated)) for part in parts]
            if isinstance(node, Some) == is_negated:
                yield from (list(chain.from_iterable(some)) for some in product(*each))
            else:
                yield from chain.from_iterable(each)
        case Window():
            raise ValueError("a window needs events")


def _patterns(clause: Sequence[Literal], mentioned: Set[str]) -> str:
    literals = defaultdict[str, list[Literal]](list)
    for literal in clause:
        literals[literal.condition.attribute].append(literal)
    slots = {name: _slots(name, literals[name]) if name in literals else "" for name in _ORDER if name in mentioned}
    return " ".join(f"({name} (contact ?contact) {some})" for name, some in slots.items())


def _slots(attribute: str, literals: Sequence[Literal]) -> str:
    """Return constraints on the slots of a fact: constants, which CLIPS looks up, or else a test."""
    condition, is_negated = literals[0]
    if len(literals) == 1 and not is_negated and condition.operator in ("=", "in"):
        values = condition.value if condition.operator == "in" else [condition.value]
        return f"({attribute} {'|'.join(map(_constant, values))})"
    tests = [f"(not {_test(c)})" if is_negated else _test(c) for c, is_negated in literals]
    test = tests[0] if len(tests) == 1 else "(and " + " ".join(tests) + ")"
    *others, last = _COLUMNS.get(attribute, (attribute,))
    bound = "".join(f"({column} ?{column}) " for column in others)
    return f"{bound}({last} {'$' if attribute in _SETS else ''}?{last}&:{test})"


def _test(condition: Condition) -> str:
    if condition.operator == "missing":
        return f"(eq ?{condition.attribute} nil)"
    if condition.attribute in NULLABLE:
        return f"(and (neq ?{condition.attribute} nil) {_known(condition)})"
    return _known(condition)


def _known(condition: Condition) -> str:
    name, value = f"?{condition.attribute}", condition.value
    match condition.operator:
        case "=":
            return f"(eq {name} {_constant(value)})"
        case "in":
            return "(or " + " ".join(f"(eq {name} {_constant(word)})" for word in value) + ")"
        case "between":
            return f"(<= {value[0]} {name} {value[1]})"
        case "has":
            return f"(member$ {_constant(value)} {name})"
        case "has any":
            return "(or " + " ".join(f"(member$ {_constant(word)} {name})" for word in value) + ")"
        case "ends with":
            start = f"(- (str-length {name}) {len(value) - 1})"
            return f"(eq (sub-string {start} (str-length {name}) {name}) {_constant(value)})"
        case "box":
            south, west, north, east = value
            return f"(and (<= {south} ?latitude {north}) (<= {west} ?longitude {east}))"
        case compare:
            return f"({compare} {name} {_constant(value)})"


def _constant(value: Any) -> str:
    return str(value).upper() if isinstance(value, bool) else json.dumps(value)

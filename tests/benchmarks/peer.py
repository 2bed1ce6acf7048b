"""What a host would write by hand: generated functions behind a dependency index, tuned or plain.

For each attribute and each kind of event there is generated Python that looks again,
straight-line, at all segments that mention it. A change runs the functions of its key and
takes the set difference with the segments the contact was in before. Nobody moves time:
memberships that only time changes stay wrong until something else about the contact changes.

What makes the tuned one, `Peer`, fast, so that beating it means something:

- a contact is one dict; events are sorted lists of instants, once per kind and once per kind
  and property value; sums come from running totals, so that any window is one bisect;
- missing numbers are NaN, so that no condition needs a test for None;
- attributes are read, and limits of windows computed, once per function; aggregates that
  several segments are expected to need are computed once, the others where they stand;
- conditions stand in the order that decides soonest for the least work, by frequencies
  measured on a sample of contacts.

`PlainPeer` is what the same host has after an afternoon: a dict of attributes, for each kind of
event a list of (at, properties), and in the generated code the conditions as the segment has them,
with aggregates as generator expressions over the list.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

from tests.benchmarks.trees import (
    DAY_US,
    EVENTS,
    All,
    Condition,
    Leaf,
    Negation,
    Node,
    Some,
    Window,
    iter_leaves,
    key_of,
)
from tests.benchmarks.workload import Happening

Person: TypeAlias = dict[str, Any]
Evaluate: TypeAlias = Callable[[Person, int], set[int]]
Sample: TypeAlias = Sequence[tuple[Mapping[str, Any], Sequence[Happening]]]

_NAN = float("nan")
_NOTHING: tuple[list[int], list[Any]] = ([], [0])


class Peer:
    """Contacts, the segments each is in, and one generated function per attribute and kind of event.

    Args:
        segments: numbered by their position.
        sample: attributes and events of some contacts, to measure how often each condition holds.
        now: the instant of the sample.
    """

    def __init__(self, segments: Sequence[Node], sample: Sample, now: int) -> None:
        chance = _measure({leaf for segment in segments for leaf in iter_leaves(segment)}, sample, now)
        mentions: defaultdict[str, dict[int, Node]] = defaultdict(dict)
        for number, segment in enumerate(segments):
            for leaf in iter_leaves(segment):
                mentions[key_of(leaf)][number] = segment
        nobody: tuple[Evaluate, frozenset[int]] = (lambda person, now: set(), frozenset())
        self._by_key = defaultdict(
            lambda: nobody, {key: (_generate(some, chance), frozenset(some)) for key, some in mentions.items()}
        )
        self._evaluate_all = _generate(dict(enumerate(segments)), chance)
        self.people: dict[int, Person] = {}
        self.memberships: dict[int, set[int]] = {}

    def load(self, contact: int, attributes: Mapping[str, Any], happenings: Iterable[Happening], now: int) -> None:
        """Take in a contact with its events so far, and put it into its segments."""
        self.people[contact] = _person(attributes, happenings)
        self.memberships[contact] = self.evaluate_all(contact, now)

    def update(self, contact: int, attribute: str, value: Any, now: int) -> tuple[set[int], set[int]]:
        """Set one attribute; return the segments that the contact entered and left."""
        person = self.people[contact]
        person[attribute] = _NAN if value is None else value
        return self._reevaluate(contact, person, attribute, now)

    def track(self, contact: int, happening: Happening) -> tuple[set[int], set[int]]:
        """Record an event at its own instant; return the segments that the contact entered and left."""
        person = self.people[contact]
        _record(person, happening)
        return self._reevaluate(contact, person, happening.event, happening.at)

    def _reevaluate(self, contact: int, person: Person, key: str, now: int) -> tuple[set[int], set[int]]:
        evaluate, mentioned = self._by_key[key]
        holding = evaluate(person, now)
        member_of = self.memberships[contact]
        entered = holding - member_of
        left = (member_of & mentioned) - holding
        if entered:
            member_of |= entered
        if left:
            member_of -= left
        return entered, left

    def evaluate_all(self, contact: int, now: int) -> set[int]:
        """Return all segments that hold for the contact at `now`, looking at each."""
        return self._evaluate_all(self.people[contact], now)


def _person(attributes: Mapping[str, Any], happenings: Iterable[Happening]) -> Person:
    person: Person = {name: _NAN if value is None else value for name, value in attributes.items()}
    person |= {"page_view": [], "page_view url": {}, "email_open": [], "purchase": ([], [0]), "purchase category": {}}
    for happening in happenings:
        _record(person, happening)
    return person


def _record(person: Person, happening: Happening) -> None:
    event, at, properties = happening
    if event == "purchase":
        _add_amount(person["purchase"], at, properties["amount"])
        by_category = person["purchase category"]
        category = properties["category"]
        if category not in by_category:
            by_category[category] = ([], [0])
        _add_amount(by_category[category], at, properties["amount"])
        return
    person[event].append(at)
    if event == "page_view":
        person["page_view url"].setdefault(properties["url"], []).append(at)


def _add_amount(history: tuple[list[int], list[Any]], at: int, amount: Any) -> None:
    instants, totals = history
    instants.append(at)
    totals.append(totals[-1] + amount)


def _measure(leaves: Iterable[Leaf], sample: Sample, now: int) -> dict[Leaf, float]:
    """Return how often each condition holds in the sample, never quite 0 or 1."""
    ordered = list(leaves)
    evaluate = _generate(dict(enumerate(ordered)), dict.fromkeys(ordered, 0.5))
    hits = Counter(number for person in sample for number in evaluate(_person(*person), now))
    return {leaf: (hits[number] + 0.5) / (len(sample) + 1) for number, leaf in enumerate(ordered)}


# ------------------------------------------------------------------ source of one function


class _Source:
    """Expressions of one function: names for what is shared, and how often each aggregate is expected to be needed."""

    def __init__(self, chance: Mapping[Leaf, float]) -> None:
        self.chance = chance
        self.needed: defaultdict[str, float] = defaultdict(float)
        self.names: dict[str, str] = {}
        self.constants: dict[str, Any] = {}
        self.attributes: set[str] = set()
        self.histories: set[str] = set()
        self.days: set[int] = set()

    def expression(self, node: Node, reached: float) -> tuple[str, float, float]:
        """Return Python for a node, the chance that it holds, and about what it costs (a comparison is 1)."""
        match node:
            case All(parts):
                return self._chain(parts, reached, " and ")
            case Some(parts):
                return self._chain(parts, reached, " or ")
            case Negation(part):
                text, chance, cost = self.expression(part, reached)
                return f"not ({text})", 1 - chance, cost
            case Window():
                aggregate = self._aggregate(node)
                self.needed[aggregate] += reached
                text = f"{self.names.get(aggregate, aggregate)} {_python(node.operator)} {node.value}"
                return text, self.chance[node], 1.0 if aggregate in self.names else 5.0
            case Condition():
                return self._condition(node), self.chance[node], _COSTS.get(node.operator, 1.0)

    def _chain(self, parts: Sequence[Node], reached: float, word: str) -> tuple[str, float, float]:
        def decides(part: tuple[str, float, float]) -> float:
            return 1 - part[1] if word == " and " else part[1]

        probed = {part: _Source.expression(self._silent(), part, 0.0) for part in parts}
        ordered = sorted(parts, key=lambda part: probed[part][2] / decides(probed[part]))
        texts, goes_on, cost = [], 1.0, 0.0
        for part in ordered:
            built = self.expression(part, reached * goes_on)
            texts.append(built[0])
            cost += goes_on * built[2]
            goes_on *= 1 - decides(built)
        chance = goes_on if word == " and " else 1 - goes_on
        return "(" + word.join(texts) + ")", chance, cost

    def _silent(self) -> _Source:
        """Return a source to ask for chance and cost without counting a use."""
        other = _Source(self.chance)
        other.names = self.names
        return other

    def _constant(self, value: Any) -> str:
        if not isinstance(value, Decimal):
            return repr(value)
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return name

    def _condition(self, condition: Condition) -> str:
        name, value = f"a_{condition.attribute}", condition.value
        self.attributes.add(condition.attribute)
        match condition.operator:
            case "in":
                return f"{name} in {set(value)!r}"
            case "between":
                return f"{value[0]} <= {name} <= {value[1]}"
            case "missing":
                return f"{name} != {name}"
            case "has":
                return f"{value!r} in {name}"
            case "has any":
                return "(" + " or ".join(f"{word!r} in {name}" for word in value) + ")"
            case "ends with":
                return f"{name}.endswith({value!r})"
            case "box":
                south, west, north, east = value
                return f"({south} <= {name}[0] <= {north} and {west} <= {name}[1] <= {east})"
            case "older":
                return f"{name} < {self._limit(value)}"
            case "within":
                return f"{name} > {self._limit(value)}"
            case "=" if isinstance(value, bool):
                return name if value else f"not {name}"
            case compare:
                return f"{name} {_python(compare)} {self._constant(value)}"

    def _limit(self, days: int) -> str:
        self.days.add(days)
        return f"ago{days}"

    def _aggregate(self, window: Window) -> str:
        """Return Python for the count or sum; no event is in the future, so the window ends with the list."""
        limit = self._limit(window.days)
        if window.where is None:
            self.histories.add(window.event)
            history = f"e_{window.event}"
        else:
            key = f"{window.event} {window.where[0]}"
            self.histories.add(key)
            history = f"e_{key.replace(' ', '_')}.get({window.where[1]!r}, nothing{int(window.event == 'purchase')})"
        if window.aggregate == "sum":
            return f"((h := {history})[1][-1] - h[1][bisect_right(h[0], {limit})])"
        instants = f"{history}[0]" if window.event == "purchase" else history
        return f"(len(h := {instants}) - bisect_right(h, {limit}))"


_COSTS = {"in": 1.2, "between": 1.6, "has": 1.3, "has any": 2.5, "ends with": 2.5, "box": 2.0}


def _python(operator: str) -> str:
    return "==" if operator == "=" else operator


def _generate(segments: Mapping[int, Node], chance: Mapping[Leaf, float]) -> Evaluate:
    """Compile one function that returns the numbers of those of `segments` that hold."""
    first = _Source(chance)
    for segment in segments.values():
        first.expression(segment, 1.0)
    source = _Source(chance)
    shared = [aggregate for aggregate, uses in first.needed.items() if uses > 1]
    source.names = {aggregate: f"v{i}" for i, aggregate in enumerate(shared)}
    tests = [f" if {source.expression(segment, 1.0)[0]}: add({number})" for number, segment in segments.items()]
    lines = ["def evaluate(c, now):", " held = set(); add = held.add"]
    lines += [f" a_{name} = c[{name!r}]" for name in sorted(source.attributes)]
    lines += [f" e_{name.replace(' ', '_')} = c[{name!r}]" for name in sorted(first.histories)]
    lines += [f" ago{days} = now - {days * DAY_US}" for days in sorted(first.days)]
    lines += [f" {name} = {aggregate}" for aggregate, name in source.names.items()]
    scope = {"bisect_right": bisect_right, "nothing0": [], "nothing1": _NOTHING, **source.constants}
    exec(compile("\n".join([*lines, *tests, " return held"]), "<generated by the peer>", "exec"), scope)  # noqa: S102 - from our own trees, and generated code is what the peer is about
    evaluate: Evaluate = scope["evaluate"]
    return evaluate


# ---------------------------------------------------------------------------------- plain


class PlainPeer(Peer):
    """The same index of functions, in the code and over the facts that come to mind first."""

    def __init__(self, segments: Sequence[Node], sample: Sample, now: int) -> None:
        mentions: defaultdict[str, dict[int, Node]] = defaultdict(dict)
        for number, segment in enumerate(segments):
            for leaf in iter_leaves(segment):
                mentions[key_of(leaf)][number] = segment
        nobody: tuple[Evaluate, frozenset[int]] = (lambda person, now: set(), frozenset())
        self._by_key = defaultdict(
            lambda: nobody, {key: (_generate_plain(some), frozenset(some)) for key, some in mentions.items()}
        )
        self._evaluate_all = _generate_plain(dict(enumerate(segments)))
        self.people = {}
        self.memberships = {}

    def load(self, contact: int, attributes: Mapping[str, Any], happenings: Iterable[Happening], now: int) -> None:
        person: Person = dict(attributes)
        person |= {event: [] for event in EVENTS}
        for happening in happenings:
            person[happening.event].append((happening.at, happening.properties))
        self.people[contact] = person
        self.memberships[contact] = self.evaluate_all(contact, now)

    def update(self, contact: int, attribute: str, value: Any, now: int) -> tuple[set[int], set[int]]:
        person = self.people[contact]
        person[attribute] = value
        return self._reevaluate(contact, person, attribute, now)

    def track(self, contact: int, happening: Happening) -> tuple[set[int], set[int]]:
        person = self.people[contact]
        person[happening.event].append((happening.at, happening.properties))
        return self._reevaluate(contact, person, happening.event, happening.at)


def _generate_plain(segments: Mapping[int, Node]) -> Evaluate:
    """Compile one function that looks at the segments one after another, each as it is written."""
    scope: dict[str, Any] = {}
    tests = [f" if {_plain(segment, scope)}: held.add({number})" for number, segment in segments.items()]
    lines = ["def evaluate(c, now):", " held = set()", *tests, " return held"]
    exec(compile("\n".join(lines), "<generated by the plain peer>", "exec"), scope)  # noqa: S102 - as in `_generate`
    evaluate: Evaluate = scope["evaluate"]
    return evaluate


def _plain(node: Node, scope: dict[str, Any]) -> str:
    match node:
        case All(parts):
            return "(" + " and ".join(_plain(part, scope) for part in parts) + ")"
        case Some(parts):
            return "(" + " or ".join(_plain(part, scope) for part in parts) + ")"
        case Negation(part):
            return f"not {_plain(part, scope)}"
        case Window(event, aggregate, where, days, operator, value):
            term = "p['amount']" if aggregate == "sum" else "1"
            matches = "" if where is None else f" and p[{where[0]!r}] == {where[1]!r}"
            total = f"sum({term} for at, p in c[{event!r}] if at > now - {days * DAY_US}{matches})"
            return f"({total} {_python(operator)} {value})"
        case Condition():
            return _plain_condition(node, scope)


def _plain_condition(condition: Condition, scope: dict[str, Any]) -> str:
    name, value = f"c[{condition.attribute!r}]", condition.value
    is_known = f"{name} is not None"
    match condition.operator:
        case "in":
            return f"({name} in {set(value)!r})"
        case "between":
            return f"({is_known} and {value[0]} <= {name} <= {value[1]})"
        case "missing":
            return f"({name} is None)"
        case "has":
            return f"({value!r} in {name})"
        case "has any":
            return f"(not {name}.isdisjoint({set(value)!r}))"
        case "ends with":
            return f"({is_known} and {name}.endswith({value!r}))"
        case "box":
            south, west, north, east = value
            return f"({is_known} and {south} <= {name}[0] <= {north} and {west} <= {name}[1] <= {east})"
        case "older":
            return f"({is_known} and {name} < now - {value * DAY_US})"
        case "within":
            return f"({is_known} and {name} > now - {value * DAY_US})"
        case "=" if isinstance(value, bool):
            return f"({name} is {value})"
        case "=":
            return f"({name} == {_named(value, scope)})"
        case compare:
            return f"({is_known} and {name} {compare} {_named(value, scope)})"


def _named(value: Any, scope: dict[str, Any]) -> str:
    """Return Python for a constant; decimals are named in the scope of the function."""
    if not isinstance(value, Decimal):
        return repr(value)
    name = f"k{len(scope)}"
    scope[name] = value
    return name

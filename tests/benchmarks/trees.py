"""Segments of the benchmarks as small neutral trees, their generator, and their filter text.

A tree knows nothing of segmentkit, so that the engine, the hand-written peer, the numpy
rescan and the oracle can each be given the same segments in their own terms. Nodes are
hashable: equal conditions are one condition, which those that share work rely on.

Meaning, the same for everybody: a comparison with a missing value is false and `Negation`
is the exact complement; a window of d days holds the instants in `(now - d, now]`; "older
than d days" is `< now - d`; a count or sum over nothing is 0.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from tests.benchmarks import vocabulary as words

DAY_US = 86_400_000_000


class All(NamedTuple):
    """Every part holds."""

    parts: tuple[Node, ...]


class Some(NamedTuple):
    """At least one part holds."""

    parts: tuple[Node, ...]


class Negation(NamedTuple):
    """The part does not hold."""

    part: Node


class Condition(NamedTuple):
    """A condition on one attribute.

    operator: one of = < <= > >= in between (both ends in), missing, has, has any,
    ends with, box (south, west, north, east), older (value in days), within (value in days).
    """

    attribute: str
    operator: str
    value: Any


class Window(NamedTuple):
    """A condition on a count of events, or on a sum of amounts, over the last `days` days.

    where: None, or a property and the value it has to equal.
    """

    event: str
    aggregate: str
    where: tuple[str, str] | None
    days: int
    operator: str
    value: int


Leaf: TypeAlias = Condition | Window
Node: TypeAlias = All | Some | Negation | Condition | Window

ATTRIBUTES = (
    "country plan city age ltv orders email_marketing_consent tags lists last_visit location company_size email"
).split()
EVENTS = ("page_view", "purchase", "email_open")


def iter_leaves(node: Node) -> Iterator[Leaf]:
    """Yield the conditions of a tree from left to right."""
    if isinstance(node, All | Some):
        for part in node.parts:
            yield from iter_leaves(part)
    elif isinstance(node, Negation):
        yield from iter_leaves(node.part)
    else:
        yield node


def key_of(leaf: Leaf) -> str:
    """Return what has to change for the condition to change: an attribute, or an event's name."""
    return leaf.attribute if isinstance(leaf, Condition) else leaf.event


def is_temporal(node: Node) -> bool:
    """Return whether time alone can change the tree's truth."""
    return any(isinstance(leaf, Window) or leaf.operator in ("older", "within") for leaf in iter_leaves(node))


# ------------------------------------------------------------------ generator


def make_segments(count: int, seed: int, money: str = "number") -> list[Node]:
    """Return `count` segments of 2 to 5 conditions; a shorter list is the beginning of a longer one.

    30 % have a condition on events, 20 % one on relative time, 20 % an OR group, 10 % a negated part.
    """
    rng = random.Random(f"segments {seed}")
    return [_segment(rng, float if money == "number" else _to_decimal) for _ in range(count)]


def _to_decimal(value: float) -> Decimal:
    return Decimal(f"{value:.2f}")


def _segment(rng: random.Random, to_money: Callable[[float], Any]) -> Node:
    size = rng.choices((2, 3, 4, 5), (35, 35, 20, 10))[0]
    leaves: list[Node] = []
    if rng.random() < 0.30:
        leaves.append(_window(rng))
    if rng.random() < 0.20:
        leaves.append(_relative(rng))
    while len(leaves) < size:
        leaves.append(_condition(rng, to_money))
    rng.shuffle(leaves)
    if rng.random() < 0.20:
        group = leaves[: 3 if size >= 4 and rng.random() < 0.4 else 2]
        leaves = [Some(tuple(group)), *leaves[len(group) :]]
        if len(leaves) == 1:
            leaves.append(_condition(rng, to_money))
    if rng.random() < 0.10:
        chosen = rng.randrange(len(leaves))
        leaves[chosen] = Negation(leaves[chosen])
    return All(tuple(leaves))


def skewed(rng: random.Random, vocabulary: Sequence[str], exponent: float) -> str:
    """Return one word, the first the likeliest: the larger the exponent, the more so (1 is uniform)."""
    return vocabulary[int(len(vocabulary) * rng.random() ** exponent)]


def _several(rng: random.Random, vocabulary: Sequence[str], exponent: float, low: int, high: int) -> tuple[str, ...]:
    wanted, found = rng.randint(low, high), set[str]()
    while len(found) < wanted:
        found.add(skewed(rng, vocabulary, exponent))
    return tuple(sorted(found))


def _age_range(rng: random.Random) -> tuple[int, int]:
    low = rng.randint(18, 70)
    return (low, low + rng.randint(3, 25))


def _box(rng: random.Random) -> tuple[float, float, float, float]:
    south, west = round(rng.gauss(40, 10), 2), round(rng.uniform(-170, 140), 2)
    return (south, west, round(south + rng.uniform(1, 12), 2), round(west + rng.uniform(2, 30), 2))


# weight, attribute, operator ("a|b" is either), how the value is drawn
_CONDITIONS: tuple[tuple[int, str, str, Any], ...] = (
    (12, "country", "=", lambda r: skewed(r, words.COUNTRIES, 4)),
    (8, "country", "in", lambda r: _several(r, words.COUNTRIES, 2.5, 2, 6)),
    (6, "plan", "=", lambda r: r.choice(words.PLANS)),
    (4, "plan", "in", lambda r: tuple(sorted(r.sample(words.PLANS, r.randint(2, 3))))),
    (4, "city", "=", lambda r: skewed(r, words.CITIES, 4)),
    (5, "city", "in", lambda r: _several(r, words.CITIES, 2.5, 2, 10)),
    (9, "age", "between", _age_range),
    (5, "age", ">=|>|<|<=", lambda r: r.randint(20, 80)),
    (1, "age", "missing", lambda r: True),
    (9, "ltv", ">=|>", lambda r: round(r.lognormvariate(4.5, 1.0), 2)),
    (3, "ltv", "<", lambda r: round(r.lognormvariate(4.5, 1.0), 2)),
    (7, "orders", ">=|>|<=", lambda r: r.randint(1, 12)),
    (2, "orders", "=", lambda r: r.choice((0, 0, 1, 2))),
    (10, "email_marketing_consent", "=", lambda r: r.random() < 0.92),
    (10, "tags", "has", lambda r: skewed(r, words.TAGS, 1.7)),
    (3, "tags", "has any", lambda r: _several(r, words.TAGS, 1.5, 2, 4)),
    (6, "lists", "has", lambda r: skewed(r, words.LISTS, 1.5)),
    (5, "company_size", ">=|<", lambda r: int(r.lognormvariate(3.5, 1.2)) + 1),
    (2, "email", "ends with", lambda r: "@" + skewed(r, words.DOMAINS, 4)),
    (2, "location", "box", _box),
)
_CONDITION_WEIGHTS = [row[0] for row in _CONDITIONS]

# weight, event, aggregate, property to filter by and its values, operator, how the bound is drawn
_WINDOWS: tuple[tuple[int, str, str, tuple[str, Sequence[str], float] | None, str, Any], ...] = (
    (35, "page_view", "count", None, ">=|>", lambda r: r.randint(1, 20)),
    (15, "page_view", "count", ("url", words.URLS, 4), ">=", lambda r: r.randint(1, 3)),
    (12, "purchase", "count", None, ">=", lambda r: r.randint(1, 4)),
    (15, "purchase", "sum", None, ">=", lambda r: r.randint(1, 40) * 25),
    (5, "purchase", "sum", ("category", words.CATEGORIES, 1), ">=", lambda r: r.randint(1, 20) * 25),
    (10, "purchase", "count", None, "=", lambda r: 0),
    (8, "email_open", "count", None, ">=|<", lambda r: r.randint(1, 5)),
)
_WINDOW_WEIGHTS = [row[0] for row in _WINDOWS]


def _condition(rng: random.Random, to_money: Callable[[float], Any]) -> Condition:
    _, attribute, operators, draw = rng.choices(_CONDITIONS, _CONDITION_WEIGHTS)[0]
    value = draw(rng)
    return Condition(attribute, rng.choice(operators.split("|")), to_money(value) if attribute == "ltv" else value)


def _window(rng: random.Random) -> Window:
    _, event, aggregate, filtered, operators, draw = rng.choices(_WINDOWS, _WINDOW_WEIGHTS)[0]
    where = None
    if filtered is not None:
        where = (filtered[0], skewed(rng, filtered[1], filtered[2]))
    days = rng.choice((1, 3, 7, 14, 28, 30, 45, 60, 90)) if rng.random() < 0.8 else rng.randint(1, 90)
    return Window(event, aggregate, where, days, rng.choice(operators.split("|")), draw(rng))


def _relative(rng: random.Random) -> Condition:
    days = rng.choice((1, 3, 7, 14, 30, 40, 60, 90)) if rng.random() < 0.6 else rng.randint(1, 118)
    return Condition("last_visit", "older" if rng.random() < 0.6 else "within", days)


# ------------------------------------------------------------------ filter text


def to_filter(node: Node) -> str:
    """Return the tree in segmentkit's filter language."""
    match node:
        case All(parts):
            return " and ".join(_grouped(part) for part in parts)
        case Some(parts):
            return " or ".join(_grouped(part) for part in parts)
        case Negation(part):
            return "not " + _grouped(part, always=True)
        case Window():
            return _window_text(node)
        case Condition():
            return _condition_text(node)


def _grouped(node: Node, always: bool = False) -> str:
    text = to_filter(node)
    return f"({text})" if always or isinstance(node, All | Some) else text


def _literal(value: Any) -> str:
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


def _listed(values: Sequence[Any]) -> str:
    return "(" + ", ".join(map(_literal, values)) + ")"


def _condition_text(condition: Condition) -> str:
    name, value = condition.attribute, condition.value
    match condition.operator:
        case "between":
            return f"{name} between {value[0]} and {value[1]}"
        case "in":
            return f"{name} in {_listed(value)}"
        case "missing":
            return f"{name} is missing"
        case "has any":
            return f"{name} has any of {_listed(value)}"
        case "box":
            return f"{name} in box {_listed(value)}"
        case "older":
            return f"{name} more than {value} days ago"
        case "within":
            return f"{name} in the last {value} days"
        case "=" if value is True:
            return name
        case operator:
            return f"{name} {operator} {_literal(value)}"


_TIMES = {">=": "at least", ">": "more than", "<": "fewer than", "=": "exactly"}


def _window_text(window: Window) -> str:
    matching = window.event
    if window.where is not None:
        matching += f"[{window.where[0]} = {_literal(window.where[1])}]"
    span = f"in the last {window.days} days"
    if window.aggregate == "sum":
        return f"sum({matching}.amount {span}) {window.operator} {window.value}"
    if (window.operator, window.value) == ("=", 0):
        return f"did not {matching} {span}"
    return f"did {matching} {_TIMES[window.operator]} {window.value} times {span}"

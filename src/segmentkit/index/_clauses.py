"""From a predicate to clauses of literals, each literal on one feature.

A *feature* is a function of one object that gives one value; `FeatureKey` names it, and equal keys
of all segments are one feature. A *literal* is a predicate that reads a single feature. A filter
becomes an OR of *clauses*, each an AND of at most one literal per feature:

    country = "PL" and (orders > 4 or vip)
      ->  {country: country = "PL", orders: orders > 4}
          {country: country = "PL", vip: vip}

Where that would give more than `MAX_CLAUSES`, or where a condition reads several features at once,
the sub-formula is one boolean feature of its own, evaluated as a whole.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal as OneOf, TypeAlias

import attrs

from segmentkit import values
from segmentkit.dsl.predicates import (
    Aggregate,
    And,
    Arithmetic,
    AtLeast,
    Attribute,
    Between,
    Calendar,
    Compare,
    Constant,
    Events,
    In,
    InBox,
    InWindow,
    IsMissing,
    IsTrue,
    Literal,
    Not,
    Now,
    Or,
    Predicate,
    Property,
    Relative,
    SetTest,
    TextTest,
    Today,
    Value,
    Within,
    iter_nodes,
)

MAX_CLAUSES: Final = 16
"""Most clauses that a filter, or a part of one, is multiplied out to."""

_LANES: Final = 4  # tests of one set in one clause, from where on each is a feature of its own


@attrs.frozen
class OrderedKey:
    """The value of an attribute with an order, told apart by cuts."""

    attribute: str


@attrs.frozen
class TextKey:
    """The value of a text, choice or boolean attribute.

    `closed`: literals only ask for equality, so that every value they do not name is alike.
    """

    attribute: str
    closed: bool


@attrs.frozen
class AgeKey:
    """How long ago the instant of an attribute was; of a date, how many civil days in `zone` ("": the schema's)."""

    attribute: str
    zone: str | None = None


@attrs.frozen
class NthKey:
    """How long ago the nth newest matching event was: `count(... in the last w) >= n` is that it is under w.

    With a negative n it is the nth oldest.
    """

    event: str
    where: Predicate | None
    n: int


@attrs.frozen
class SumKey:
    """The sum of a property over matching events in an exact window that ends now, or over all."""

    aggregate: Aggregate


@attrs.frozen
class SetKey:
    """Whether the set of an attribute has any of some members.

    A clause may ask that of one set more than once; each time but the first goes to the next `lane`.
    """

    attribute: str
    lane: int = 0


@attrs.frozen
class PointKey:
    """Which of the places that filters name the point of an attribute lies in."""

    attribute: str


@attrs.frozen
class BooleanKey:
    """Whether a predicate holds."""

    predicate: Predicate


FeatureKey: TypeAlias = OrderedKey | TextKey | SetKey | PointKey | AgeKey | NthKey | SumKey | BooleanKey

Clause: TypeAlias = dict[FeatureKey, Predicate]
"""The literal of each feature; all must hold. An empty clause always holds."""

_ORDERED = ("integer", "number", "decimal", "instant", "date")


def clauses_of(predicate: Predicate) -> list[Clause]:
    """Return the clauses of which at least one holds exactly when `predicate` does.

    No clause: never true. The work is bounded: `MAX_CLAUSES` at every level.
    """
    return _clauses(_spread_out(predicate), True)


def _clauses(node: Predicate, positive: bool) -> list[Clause]:
    key = key_of(node)
    if isinstance(node, Not) and isinstance(key, SetKey):
        return _clauses(node.item, not positive)
    if key is not None:
        literal = _any_of(_merged(list(node.items))) if isinstance(node, Or) else node
        return [{key: literal if positive else Not(literal)}]
    match node:
        case Constant(value):
            return [{}] if value == positive else []
        case Not(item):
            return _clauses(item, not positive)
        case And(items) | Or(items):
            is_product = isinstance(node, And) == positive
            found = _product(items, positive) if is_product else _union(items, positive)
            if found is not None:
                return found
    return [{BooleanKey(node): node if positive else Not(node)}]


def _union(items: tuple[Predicate, ...], positive: bool) -> list[Clause] | None:
    groups: dict[FeatureKey | int, list[Predicate]] = {}
    for index, item in enumerate(items):
        key = key_of(item)
        if isinstance(key, SetKey) and not (positive and isinstance(item, SetTest)):
            key = None  # `none of these, or none of those` is two tests
        groups.setdefault(index if key is None else key, []).append(item)
    found: list[Clause] = []
    for key_or_index, group in groups.items():
        if isinstance(key_or_index, int):
            found += _clauses(group[0], positive)
        else:
            signed = _merged([item if positive else Not(item) for item in group])
            found.append({key_or_index: _any_of(signed)})
        if len(found) > MAX_CLAUSES:
            return None
    return [{}] if {} in found else found


def _any_of(items: list[Predicate]) -> Predicate:
    first = items[0]
    if isinstance(first, SetTest) and all(isinstance(item, SetTest) for item in items):
        members = dict.fromkeys(member for item in items if isinstance(item, SetTest) for member in item.members)
        return attrs.evolve(first, members=tuple(members))
    return items[0] if len(items) == 1 else Or(tuple(items))


def _merged(items: list[Predicate]) -> list[Predicate]:
    """Return a disjunction over one feature with its equalities put into one list of options."""
    options: dict[Literal, None] = {}
    others: list[Predicate] = []
    subject: Value | None = None
    for item in items:
        match item:
            case Compare("=", value, Literal() as option, False, None) if option.type.kind == value.type.kind:
                subject = value
                options[option] = None
            case In(value, found, False):
                subject = value
                options |= dict.fromkeys(found)
            case _:
                others.append(item)
    if subject is None or len(options) < 2:
        return items
    return [In(subject, tuple(options)), *others]


def _product(items: tuple[Predicate, ...], positive: bool) -> list[Clause] | None:
    found: list[Clause] = [{}]
    for item in items:
        factors = _clauses(item, positive)
        if len(found) * len(factors) > MAX_CLAUSES:
            return None
        found = [_join(left, right) for left in found for right in factors]
    return found


def _join(left: Clause, right: Clause) -> Clause:
    joined = dict(left)
    for key, literal in right.items():
        if isinstance(key, SetKey):
            _join_test(joined, key, literal)
            continue
        mine = joined.get(key)
        if mine is None or mine == literal:
            joined[key] = literal
        else:
            joined[key] = And((*(mine.items if isinstance(mine, And) else (mine,)), literal))
    return joined


def _join_test(clause: Clause, key: SetKey, literal: Predicate) -> None:
    """Add a test of a set to a clause, in the first lane that is free."""
    for lane in range(_LANES):
        free = SetKey(key.attribute, lane)
        if clause.setdefault(free, literal) == literal:
            return
    clause[BooleanKey(literal)] = literal


def key_of(node: Predicate) -> FeatureKey | None:
    """Return the single feature that `node` reads, or None if it is a formula over several."""
    match node:
        case Constant():
            return None
        case And(items) | Or(items) | AtLeast(_, items):
            first = key_of(items[0]) if items else None
            if isinstance(first, SetKey) and isinstance(node, Or) and all(isinstance(i, SetTest) for i in items):
                return first if all(key_of(item) == first for item in items) else None
            if first is None or isinstance(first, BooleanKey | SetKey):
                return BooleanKey(node) if isinstance(node, AtLeast) else None
            if any(key_of(item) != first for item in items[1:]):
                return BooleanKey(node) if isinstance(node, AtLeast) else None
            return first
        case Not(item):
            return key_of(item)
        case _:
            return _key_of_leaf(node)


def _key_of_leaf(leaf: Predicate) -> FeatureKey:
    match leaf:
        case Compare(">=", Aggregate("count", events, None), Literal(int(n)), zone=None) if n >= 1 and _is_prefix(
            events
        ):
            return NthKey(events.name, events.where, n)
        case InWindow(
            Aggregate("first" | "last" as function, Events(name, where, None), None), Relative(zone=None) as window
        ) if _is_exact(window) and _reads_event_only(where):
            return NthKey(name, where, 1 if function == "last" else -1)
        case InWindow(Attribute(name, type), Relative() as window) if type == values.instant and _is_exact(window):
            return AgeKey(name)
        case Compare(_, Attribute(name, type), Now()) if type == values.instant:
            return AgeKey(name)
        case Compare(_, Attribute(name, type), Today(), False, zone) if type == values.date:
            return AgeKey(name, zone or "")
        case InWindow(Attribute(name, type), Relative() as window) if type == values.date and _counts_days(window):
            return AgeKey(name, window.zone or "")
        case Compare(_, Aggregate("sum", events) as total, Literal(), zone=None) | Between(
            Aggregate("sum", events) as total, Literal(), Literal(), None
        ) if _is_prefix(events):
            return SumKey(total)
        case Compare(_, Attribute() as subject, Literal()) | Between(Attribute() as subject, Literal(), Literal()):
            return _attribute_key(leaf, subject, closed=isinstance(leaf, Compare) and leaf.operator == "=")
        case In(Attribute() as subject) | IsMissing(Attribute() as subject) | IsTrue(Attribute() as subject):
            return _attribute_key(leaf, subject, closed=True)
        case TextTest(_, Attribute() as subject):
            return _attribute_key(leaf, subject, closed=False)
        case SetTest("any", Attribute(name), _, False):
            return SetKey(name)
        case InBox(Attribute(name)) | Within(Attribute(name)):
            return PointKey(name)
        case _:
            return BooleanKey(leaf)


def _attribute_key(leaf: Predicate, subject: Attribute, *, closed: bool) -> FeatureKey:
    kind = subject.type.kind
    if kind in _ORDERED:
        return OrderedKey(subject.name)
    if kind in ("text", "choice", "boolean"):
        folds = getattr(leaf, "ignoring_case", False)
        return TextKey(subject.name, closed and not folds)
    return BooleanKey(leaf)


def _is_exact(window: Relative) -> bool:
    return not window.duration.months and not (window.second and window.second.months)


def _counts_days(window: Relative) -> bool:
    durations = (window.duration,) if window.second is None else (window.duration, window.second)
    return all(duration.unit in ("day", "week") for duration in durations)


def _is_prefix(events: Events) -> bool:
    """Whether the window is all time or `in the last` exact duration, and the filter reads the event alone."""
    window = events.window
    if window is not None and not (isinstance(window, Relative) and window.form == "last" and _is_exact(window)):
        return False
    return _reads_event_only(events.where)


def _reads_event_only(where: Predicate | None) -> bool:
    return where is None or not any(
        isinstance(node, Attribute | Now | Today | Relative | Calendar | Aggregate | Arithmetic)
        for node in iter_nodes(where)
    )


def _spread_out(node: Predicate) -> Predicate:
    """Return `node` said in fewer kinds of conditions.

    Every count against an integer with `>=` alone (`= 2` is `>= 2 and not >= 3`), `has all of` member by member.
    """
    match node:
        case And(items):
            return And(tuple(_spread_out(item) for item in items))
        case Or(items):
            return Or(tuple(_spread_out(item) for item in items))
        case AtLeast(count, items):
            return AtLeast(count, tuple(_spread_out(item) for item in items))
        case Not(item):
            return Not(_spread_out(item))
        case SetTest("all", Attribute() as value, members, False) if 0 < len(members) <= MAX_CLAUSES:
            tests = [SetTest("any", value, (member,)) for member in members]
            return tests[0] if len(tests) == 1 else And(tuple(tests))
        case Compare(operator, Aggregate("count", events) as count, Literal(n), zone=None) if _is_prefix(
            events
        ) and _is_whole(n):
            return _spread(count, operator, int(n))
        case Between(Aggregate("count", events) as count, Literal(low), Literal(high), None) if (
            _is_prefix(events) and _is_whole(low) and _is_whole(high)
        ):
            return _both(_spread(count, ">=", int(low)), _spread(count, "<=", int(high)))
        case _:
            return node


def _is_whole(value: object) -> bool:
    return isinstance(value, int | Decimal) and value == int(value)


def _spread(count: Aggregate, operator: OneOf["=", "<", "<=", ">", ">="], n: int) -> Predicate:
    def at_least(k: int) -> Predicate:
        return Compare(">=", count, Literal(k, values.integer)) if k >= 1 else Constant(True)

    match operator:
        case ">=":
            return at_least(n)
        case ">":
            return at_least(n + 1)
        case "<":
            return _negated(at_least(n))
        case "<=":
            return _negated(at_least(n + 1))
        case "=":
            return _both(at_least(n), _negated(at_least(n + 1))) if n >= 0 else Constant(False)


def _negated(node: Predicate) -> Predicate:
    return Constant(not node.value) if isinstance(node, Constant) else Not(node)


def _both(left: Predicate, right: Predicate) -> Predicate:
    if isinstance(left, Constant):
        return right if left.value else left
    if isinstance(right, Constant):
        return left if right.value else right
    return And((left, right))


def equal_property(where: Predicate | None) -> tuple[str, object] | None:
    """Return (property, value) if the filter asks for exactly that, so that events can be dispatched by value."""
    match where:
        case Compare("=", Property(name, type), Literal(value), False) if type.kind in ("text", "choice"):
            return name, value
        case _:
            return None

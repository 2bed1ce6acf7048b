"""What a single condition tells about the features that it reads.

For each sign of a condition the constraints are certain to hold, and may say less than is
known. A condition of an unknown kind is opaque: equal ones hold together, no more.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from segmentkit.dsl import _calendar, _operations
from segmentkit.dsl.evaluate import DictFacts, evaluate, value_of
from segmentkit.dsl.predicates import (
    Anniversary,
    AnyRelated,
    Arithmetic,
    Call,
    Compare,
    In,
    InBox,
    InPolygon,
    InWindow,
    IsEmpty,
    IsMissing,
    IsTrue,
    Literal,
    Matches,
    Negate,
    Node,
    Predicate,
    RelatedAggregate,
    SetTest,
    TextTest,
    Today,
    Value,
    Within,
    iter_nodes,
)
from segmentkit.linting import _time
from segmentkit.linting._formula import Atom, Constraint, Junction, Sketch
from segmentkit.linting._keys import (
    AxisKey,
    DistanceKey,
    FoldKey,
    MemberKey,
    OpaqueKey,
    PairKey,
    ValueKey,
    value_key,
)
from segmentkit.linting._regions import ALL, KNOWN, MISSING, NONE, Region, above, below, between, of_points
from segmentkit.values import ValueType, integer

__all__ = ["constant_of", "is_whole", "opaque", "region_of", "sketch"]

_FLIPPED: Final = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ORDERS: Final = {"=": (0,), "<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}


def sketch(node: Predicate, zone: str) -> Sketch:
    """Return what a condition tells; connectives and what is made of them are opaque here."""
    match node:
        case Compare():
            return _compare(node, node.zone or zone)
        case In(value, options, ignoring_case):
            return _among(value, options, ignoring_case, zone)
        case IsMissing(value):
            return exactly(value_key(value, zone), MISSING)
        case IsTrue(value):
            found = constant_of(value, zone)
            return exactly(value_key(value, zone), of_points([1], whole=True)) if found is None else found[0] is True
        case TextTest(_, value):
            return _text_test(node, value, zone)
        case SetTest(quantifier, value, members, ignoring_case):
            return _members(quantifier, value_key(value, zone), members, ignoring_case)
        case AnyRelated(related):
            count = RelatedAggregate("count", related, None, integer)
            return exactly(value_key(count, zone), above(1, or_equal=True, whole=True))
        case IsEmpty(value):
            return opaque(IsEmpty(value), zone)
        case Within(value, _, _, centre):
            return _derived(DistanceKey(value_key(value, zone), centre), below(node.metres, or_equal=True))
        case InBox(value):
            return _box(node, value_key(value, zone))
        case Matches(value) | InPolygon(value) | Anniversary(value):
            whole = opaque(node, zone)
            return Atom((*whole.holds, Constraint(value_key(value, zone), KNOWN)), whole.fails)
        case InWindow(value, window):
            return _time.in_window(value, window, window.zone or zone, value_key(value, zone))
        case _:
            return opaque(node, zone)


def opaque(node: Node, zone: str) -> Atom:
    """Return a condition of which nothing is known but that it holds or does not."""
    return exactly(OpaqueKey(node, zone), of_points([1]))


def exactly(key: ValueKey | OpaqueKey | MemberKey, region: Region) -> Atom:
    """Return a condition that holds exactly where a feature lies in a region."""
    return Atom((Constraint(key, region),), (Constraint(key, ~region),))


def _derived(key: Any, region: Region) -> Atom:
    """Return a condition on what is made of a value; it fails where the value is missing."""
    return Atom((Constraint(key, region), Constraint(key.base, KNOWN)), (Constraint(key, ~region),))


# ------------------------------------------------------------------------ comparisons


def constant_of(value: Value, zone: str) -> tuple[Any, ValueType] | None:
    """Return the plain value (None if missing) and type of an expression of constants; None if it is no such."""
    if all(isinstance(node, Literal | Arithmetic | Negate | Call) for node in iter_nodes(value)):
        return value_of(value, DictFacts(), 0, zone), value.type
    return None


def is_whole(value_type: ValueType) -> bool:
    """Return whether the plain values of a type are whole numbers."""
    return value_type.kind in ("integer", "instant", "date", "duration", "boolean")


def _compare(node: Compare, zone: str) -> Sketch:
    left, right = (constant_of(side, zone) for side in (node.left, node.right))
    if left is not None and right is not None:
        return evaluate(node, DictFacts(), 0, zone)
    if right is not None:
        return _with_constant(node, node.operator, node.left, right, zone)
    if left is not None:
        return _with_constant(node, _FLIPPED[node.operator], node.right, left, zone)
    return _time.compare(node, zone) or _pair(node, zone)


def _with_constant(node: Compare, operator: str, value: Value, constant: tuple[Any, ValueType], zone: str) -> Sketch:
    if constant[0] is None:
        return False
    if _reads_day(value):
        return opaque(node, zone)
    key = value_key(value, zone)
    if node.ignoring_case:
        return _folded(key, [str(constant[0])])
    region = region_of(operator, value.type, *constant, zone)
    return opaque(node, zone) if region is None else exactly(key, region)


def _reads_day(value: Value) -> bool:
    """Return whether the value is a day around now, which is not to be told from its neighbours by constants."""
    return isinstance(value, Today)


def region_of(
    operator: str, value_type: ValueType, constant: Any, constant_type: ValueType, zone: str
) -> Region | None:
    """Return for which values of a type `value operator constant` holds, or None if that is not known."""
    whole = is_whole(value_type)
    match value_type.kind, constant_type.kind:
        case "instant", "date":
            low, high = (_calendar.day_start(day, zone) for day in (constant, constant + 1))
            return {
                "=": between(low, high - 1, whole=True),
                "<": below(low, or_equal=False, whole=True),
                "<=": below(high, or_equal=False, whole=True),
                ">": above(high, or_equal=True, whole=True),
                ">=": above(low, or_equal=True, whole=True),
            }[operator]
        case "date", "instant":
            constant = _calendar.civil_day(constant, zone)
        case "duration", "duration":
            constant = _operations.micros_of(constant)
            if constant is None:
                return NONE
        case _ if isinstance(constant, int | float | Decimal | Fraction) and not isinstance(constant, bool):
            constant = Fraction(constant)
    match operator:
        case "=":
            return of_points([constant], whole=whole)
        case "<" | "<=":
            return below(constant, or_equal=operator == "<=", whole=whole)
        case _:
            return above(constant, or_equal=operator == ">=", whole=whole)


def _pair(node: Compare, zone: str) -> Sketch:
    left, right = value_key(node.left, zone), value_key(node.right, zone)
    orders: Iterable[int] = _ORDERS[node.operator]
    if hash(left) > hash(right):
        left, right, orders = right, left, [-order for order in orders]
    mixed = node.left.type.kind != node.right.type.kind and "instant" in (node.left.type.kind, node.right.type.kind)
    key = PairKey(left, right, zone if mixed else None, node.ignoring_case)
    region = of_points(orders, whole=True)
    if left == right:
        region = KNOWN if region.least <= 0 <= region.greatest else NONE
        return exactly(left, region)
    known = Constraint(left, KNOWN), Constraint(right, KNOWN)
    return Atom((Constraint(key, region), *known), (Constraint(key, ~region),))


# -------------------------------------------------------------------------------- text


def _among(value: Value, options: tuple[Literal, ...], ignoring_case: bool, zone: str) -> Sketch:
    found = constant_of(value, zone)
    if found is not None:
        return evaluate(In(value, options, ignoring_case), DictFacts(), 0, zone)
    key = value_key(value, zone)
    if ignoring_case:
        return _folded(key, [option.value for option in options])
    if _reads_day(value):
        return opaque(In(value, options), zone)
    region = NONE
    same = [option.value for option in options if option.type.kind == value.type.kind and value.type.is_text]
    if len(same) == len(options):
        return exactly(key, of_points(same))
    for option in options:
        part = region_of("=", value.type, option.value, option.type, zone)
        if part is None:
            return opaque(In(value, options), zone)
        region |= part
    return exactly(key, region)


def _folded(key: ValueKey, texts: list[str]) -> Atom:
    folded = of_points([text.casefold() for text in texts])
    base = FoldKey(key)
    return Atom((Constraint(base, folded), Constraint(key, KNOWN)), (Constraint(base, ~folded),))


def _text_test(node: TextTest, value: Value, zone: str) -> Sketch:
    if constant_of(value, zone) is not None:
        return evaluate(node, DictFacts(), 0, zone)
    key = value_key(value, zone)
    if "" in node.patterns:
        return exactly(key, KNOWN)
    return Atom((Constraint(key, KNOWN, node),), (Constraint(key, ALL, node, passes=False),))


# -------------------------------------------------------------------------------- sets


def _members(quantifier: str, key: ValueKey, members: tuple[str, ...], ignoring_case: bool) -> Sketch:
    if len(members) == 0:
        return quantifier == "all"
    wanted = dict.fromkeys(member.casefold() if ignoring_case else member for member in members)
    parts = tuple(exactly(MemberKey(key, member, ignoring_case), of_points([1])) for member in wanted)
    return parts[0] if len(parts) == 1 else Junction(quantifier == "all", parts)


# ------------------------------------------------------------------------------ places


def _box(node: InBox, key: ValueKey) -> Sketch:
    latitude = _derived(AxisKey(key, "latitude"), between(node.south, node.north))
    return Junction(True, (latitude, _derived(AxisKey(key, "longitude"), _longitudes(node.west, node.east))))


def _longitudes(west: float, east: float) -> Region:
    """Return the longitudes of a box; the meridian of 180 degrees has two names, and both are in or none."""
    crosses = west > east
    region = (above(west, or_equal=True) | below(east, or_equal=True)) if crosses else between(west, east)
    edge = of_points([-180.0, 180.0])
    return region | edge if (region & edge).stretches else region

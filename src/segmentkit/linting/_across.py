"""What features tell about each other: the last check of a conjunction whose features all have values left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from segmentkit.dsl.predicates import Call, Constant, IsEmpty, OneRelated, Path
from segmentkit.linting._counts import Counted, counted, is_counted_by, is_never
from segmentkit.linting._keys import FoldKey, Key, MemberKey, OpaqueKey, PairKey, ValueKey, bases
from segmentkit.linting._regions import KNOWN, Region, of_points

if TYPE_CHECKING:
    from segmentkit.linting._solve import Solver, State

__all__ = ["is_possible"]

States: TypeAlias = "Mapping[Key, State]"

_MOST_COMPARED: Final = 40
"""Aggregates of one conjunction that are compared with each other; the rest is left alone."""
_MOST_POINTS: Final = 1_000
_HOLDS: Final = of_points([1])
_FAILS: Final = of_points([0])
_ZERO: Final = of_points([0])


def is_possible(states: States, solver: Solver) -> bool:
    """Return False only if no object has values in all these regions."""
    return (
        all(_agrees(key, state.region, states) for key, state in states.items())
        and _counts_agree(states, solver)
        and _is_there(states)
    )


def _agrees(key: Key, region: Region, states: States) -> bool:
    """Return whether what is made of values can be as they are."""
    made_of = [states[base].region for base in bases(key) if base in states]
    all_known = len(made_of) == len(bases(key)) > 0 and not any(base.missing for base in made_of)
    if all_known and not region.stretches and _is_comparable(key):
        return False
    if not region.missing and not all(base.stretches for base in made_of):
        return False
    match key:
        case FoldKey(base) if base in states:
            points = states[base].region.points(_MOST_POINTS)
            folded = None if points is None else of_points([point.casefold() for point in points])
            return folded is None or states[base].region.missing or bool((folded & region).stretches)
        case PairKey(left, right, None, False) if len(made_of) == 2 and not region.missing:
            return _can_compare(left, right, region, *made_of)
        case MemberKey(base, member, False) if region == _HOLDS:
            folded_key = MemberKey(base, member.casefold(), True)
            return folded_key not in states or states[folded_key].region != _FAILS
        case OpaqueKey(IsEmpty(value)):
            return _size_agrees(region == _HOLDS, [k for k in states if _is_size(k, value)], states) and (
                region != _HOLDS or not any(_is_member(k, value) and s.region == _HOLDS for k, s in states.items())
            )
        case ValueKey(Call("size", (value,))):
            members = sum(
                _is_member(k, value) and s.region == _HOLDS and isinstance(k, MemberKey) and not k.folded
                for k, s in states.items()
            )
            return region.missing or region.greatest >= members
        case _:
            return True


def _is_comparable(key: Key) -> bool:
    return not isinstance(key, PairKey) or key.left.value.type.kind != "duration"


def _is_member(key: Key, value: object) -> bool:
    return isinstance(key, MemberKey) and key.set.value == value


def _is_size(key: Key, value: object) -> bool:
    return isinstance(key, ValueKey) and key.value == Call("size", (value,), key.value.type)  # type: ignore[arg-type]


def _size_agrees(empty: bool, sizes: list[Key], states: States) -> bool:
    return all(
        states[key].region.missing or (states[key].region.least <= 0 if empty else states[key].region.greatest > 0)
        for key in sizes
    )


def _can_compare(left: ValueKey, right: ValueKey, region: Region, a: Region, b: Region) -> bool:
    """Return whether some values of both regions are in one of the orders."""
    a, b = a & KNOWN, b & KNOWN
    types = left.value.type, right.value.type
    numeric = all(value_type.is_numeric for value_type in types)
    if not numeric and types[0].kind != types[1].kind:
        return True
    orders = [order for order in (-1, 0, 1) if (region & of_points([order], whole=True)).stretches]
    for order in orders:
        if order == 0 and (a & b).stretches:
            return True
        if order < 0 and _can_be_below(a, b):
            return True
        if order > 0 and _can_be_below(b, a):
            return True
    return False


def _can_be_below(a: Region, b: Region) -> bool:
    low, high = a.stretches[0][0], b.stretches[-1][1]
    return low is None or high is None or low < high


# -------------------------------------------------------------------------------- counts


def _counts_agree(states: States, solver: Solver) -> bool:
    """Return whether the aggregates can be as they are: more is counted in what holds more."""
    counts = [found for key in states if (found := counted(key)) is not None][:_MOST_COMPARED]
    solver.steps -= len(counts) * len(counts)
    for one in counts:
        region = states[one.key].region
        if is_never(one, solver):
            nothing = region.missing if one.is_missing_without else bool((region & _ZERO).stretches)
            if not (nothing or (one.is_reached and region.missing)):
                return False
        if (
            one.is_instant
            and not region.stretches
            and not one.is_reached
            and not all(
                states[other.key].region.least <= 0
                for other in counts
                if other.is_count and is_counted_by(other, one, solver)
            )
        ):
            return False
        least = _least(one, region)
        if least > 0 and not all(
            states[other.key].region.greatest >= (least if _is_no_more(one, other) else 1)
            for other in counts
            if other is not one and other.is_count and is_counted_by(one, other, solver)
        ):
            return False
    return True


def _least(one: Counted, region: Region) -> Any:
    """Return how many there are at least, by this aggregate."""
    if region.missing:
        return 0
    if one.is_count:
        return region.least
    return 1 if one.is_missing_without else 0


def _is_no_more(one: Counted, other: Counted) -> bool:
    """Return whether `one` is never more than `other`, when it counts some of the same."""
    return one.function == "count" == other.function or (
        one.function == "days" and (other.function == "count" or one.inner_zone == other.inner_zone)
    )


# ----------------------------------------------------------------------------- relations


def _is_there(states: States) -> bool:
    """Return whether the object that a known path leads to may be there."""
    for key, state in states.items():
        match key:
            case OpaqueKey(OneRelated(relation, Constant(True))) if state.region == _FAILS:
                if any(_reaches(other, relation) and not s.region.missing for other, s in states.items()):
                    return False
            case _:
                continue
    return True


def _reaches(key: Key, relation: str) -> bool:
    """Return whether a feature is a value of the object that a relation leads to, missing without it."""
    if not isinstance(key, ValueKey) or not isinstance(key.value, Path):
        return False
    return key.value.relation == relation and key.value.type.kind != "text_set"

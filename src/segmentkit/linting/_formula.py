"""Formulas of what must hold: conjunctions and disjunctions of constraints, without negation.

A `Must` says of several features (a key each) in which region their values lie. Both a
condition and its negation are such constraints, and each may say less than it knows: the
regions are supersets. So "no values fit" is certain, and "some may" is not.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TypeAlias

import attrs

from segmentkit.dsl.predicates import TextTest
from segmentkit.linting._regions import ALL, Region

__all__ = [
    "All",
    "Any",
    "Atom",
    "Constraint",
    "Formula",
    "Junction",
    "Must",
    "Sketch",
    "all_of",
    "any_of",
    "signed",
]


@attrs.frozen
class Constraint:
    """The value of a feature lies in the region, and passes (or not) a test of text."""

    key: Hashable
    region: Region = ALL
    test: TextTest | None = None
    passes: bool = True


@attrs.frozen(eq=False)
class Must:
    """All of these constraints hold."""

    constraints: tuple[Constraint, ...]


@attrs.frozen(eq=False)
class All:
    """All of the parts hold."""

    parts: tuple[Formula, ...]


@attrs.frozen(eq=False)
class Any:
    """Some of the parts hold."""

    parts: tuple[Formula, ...]


Formula: TypeAlias = bool | Must | All | Any


@attrs.frozen(eq=False)
class Atom:
    """What follows from a condition, and what follows from its negation."""

    holds: tuple[Constraint, ...]
    fails: tuple[Constraint, ...]


@attrs.frozen(eq=False)
class Junction:
    """A condition that is the conjunction (or disjunction) of simpler ones, exactly."""

    conjoined: bool
    parts: tuple[Sketch, ...]


Sketch: TypeAlias = bool | Atom | Junction
"""A condition taken apart, of which both signs are known."""


def signed(sketch: Sketch, positive: bool) -> Formula:
    """Return what follows from a condition, or else from its negation."""
    match sketch:
        case bool():
            return sketch == positive
        case Atom(holds, fails):
            return Must(holds if positive else fails)
        case Junction(conjoined, parts):
            join = all_of if conjoined == positive else any_of
            return join(signed(part, positive) for part in parts)


def all_of(parts: Iterable[Formula]) -> Formula:
    """Return the conjunction."""
    kept: list[Formula] = []
    for part in parts:
        if part is False:
            return False
        if isinstance(part, All):
            kept += part.parts
        elif part is not True:
            kept.append(part)
    return kept[0] if len(kept) == 1 else All(tuple(kept)) if kept else True


def any_of(parts: Iterable[Formula]) -> Formula:
    """Return the disjunction; parts that say where one feature lies become one part."""
    regions: dict[Hashable, Region] = {}
    kept: list[Formula] = []
    for part in parts:
        if part is True:
            return True
        if isinstance(part, Any):
            kept += part.parts
        elif isinstance(part, Must) and len(part.constraints) == 1 and part.constraints[0].test is None:
            only = part.constraints[0]
            known = regions.get(only.key)
            regions[only.key] = only.region if known is None else known | only.region
        elif part is not False:
            kept.append(part)
    kept += [Must((Constraint(key, region),)) for key, region in regions.items()]
    return kept[0] if len(kept) == 1 else Any(tuple(kept)) if kept else False

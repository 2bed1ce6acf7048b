"""The linter: what a filter says that is probably not meant.

::

    tree --_build--> formula of constraints on features   (_atoms, _time, _related)
    formulas --_solve--> "never together", or no answer    (_regions, _across, _counts, _windows)
    questions to the solver --> findings                   (_truth, _missing, _others)

A condition becomes constraints on features: a region of values of an attribute, a position
against now, a count of events. Everything the linter claims is one question: can these
conditions, each with its sign, hold together? "Always true" is that the negation cannot,
"implied" that the others and the negation cannot. The solver says no only when it is certain.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segmentkit.dsl._arguments import check_region
from segmentkit.dsl.predicates import Predicate
from segmentkit.errors import ArgumentError
from segmentkit.linting._finding import Finding
from segmentkit.schema import Schema

__all__ = ["Finding", "lint"]


def lint(
    where: str | Predicate,
    schema: Schema,
    on: str,
    *,
    segments: Mapping[str, Predicate] | None = None,
    params: Mapping[str, Any] | None = None,
    region: tuple[int, int] | None = None,
) -> list[Finding]:
    """Return what is probably not meant in a filter, in the order of its text.

    Found are conditions that always or never hold, that exclude each other, or that others
    imply; segments with the same members, more or fewer; negations that let objects in which
    lack the value; and windows of the past that leave out where it never happened. What is
    called always false is false for every object at every instant, and likewise for the rest;
    of what is not found nothing is said.

    Args:
        where: the filter; a tree is written as text first, and positions count in `format(tree)`.
        schema: what its names mean.
        on: the object type that it is about.
        segments: existing segments of the same type, by name; `in segment` conditions are looked into too.
        params: values for the `$parameters`.
        region: read only `where[start:end]`; positions still count in `where`.

    Raises:
        DefinitionError: the filter is wrong, as from `segmentkit.parse`.
        LimitError: it is too large.
        ArgumentError: an argument is of another type.

    Cost:
        Bounded: past a fixed number of steps no more findings are looked for; a few seconds for the largest filters.

    >>> from segmentkit.schema import ObjectType
    >>> from segmentkit.values import integer, text
    >>> schema = Schema(ObjectType("contact", {"orders": integer, "country": text}))
    >>> [finding.code for finding in lint('orders > 4 and orders > 2 and country != "PL"', schema, on="contact")]
    ['redundant', 'negation-lets-missing-in']
    """
    from segmentkit.dsl import format as written, parse
    from segmentkit.linting._finding import Notes
    from segmentkit.linting._missing import note_missing
    from segmentkit.linting._others import note_others
    from segmentkit.linting._solve import Solver
    from segmentkit.linting._truth import TruthWalk

    if segments is not None and not (
        isinstance(segments, Mapping) and all(isinstance(tree, Predicate) for tree in segments.values())
    ):
        raise ArgumentError.of("segments", "the tree of each name", segments)
    check_region(region)
    text = where if isinstance(where, str) else written(where)
    tree = parse(text, schema, on, params, region=region)
    notes = Notes(text, *(region or (0, len(text))))
    solver = Solver(schema.zone, segments=segments or {})
    if TruthWalk(solver, notes, on).walk(tree) is None:
        note_missing(tree, solver, notes)
        note_others(tree, segments or {}, solver, notes, on)
    return sorted(notes.findings, key=lambda finding: finding.start)

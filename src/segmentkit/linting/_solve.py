"""Can a formula hold? "No" is certain; "yes" may be wrong, and is given when the work is too much.

Constraints of a conjunction narrow the region of each feature; an empty region ends the
attempt. Disjunctions are tried part by part, the last choice undone first, in a loop that
keeps what it changed. What is left is compared across features (`_across`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

import attrs

from segmentkit.dsl.predicates import Predicate, TextTest
from segmentkit.linting import _across, _text
from segmentkit.linting._build import Builder
from segmentkit.linting._domains import domain
from segmentkit.linting._formula import All, Any, Constraint, Formula, Must
from segmentkit.linting._keys import Key
from segmentkit.linting._regions import Region

__all__ = ["MAX_STEPS", "Solver", "State"]

MAX_STEPS: Final = 200_000
"""Most constraints looked at for one filter, all questions about it together; long regions count more."""

_MOST_NESTED: Final = 6
_PER_STEP: Final = 4
"""Stretches of a region that take as long as a step."""


@attrs.frozen
class State:
    """What is left for a feature: a region, and the tests of text that its value passes or does not."""

    region: Region
    tests: tuple[tuple[TextTest, bool], ...] = ()


Pending: TypeAlias = "tuple[Formula, Pending] | None"


class Solver:
    """Answers whether predicates exclude each other, until its steps are used up.

    Args:
        zone: of the schema.
        segments: what `in segment` stands for, by name; one that is not here is opaque.
        steps: how much work all answers together may take.
    """

    def __init__(
        self, zone: str, *, segments: Mapping[str, Predicate] = MappingProxyType({}), steps: int = MAX_STEPS
    ) -> None:
        self.steps = steps
        self._builder = Builder(zone, segments)
        self._memo: dict[object, bool] = {}
        self._depth = 0

    def excludes(self, *signed: tuple[Predicate, bool], zone: str | None = None) -> bool:
        """Return True only if no object, at no instant, makes each of the predicates true (or false, by its sign)."""
        if self.steps <= 0:
            return False
        self.steps -= len(signed)
        return self.is_impossible([self._builder.formula(node, positive, zone) for node, positive in signed])

    def remembered(self, question: object) -> bool | None:
        """Return an answer given before."""
        return self._memo.get(question)

    def remember(self, question: object, answer: bool) -> bool:
        """Keep an answer, and return it."""
        self._memo[question] = answer
        return answer

    def is_impossible(self, formulas: Iterable[Formula]) -> bool:
        """Return True only if the formulas never hold together.

        Filters in brackets are asked about from inside here, a few levels deep.
        """
        if self._depth == _MOST_NESTED:
            return False
        self._depth += 1
        try:
            return self._is_impossible(formulas)
        finally:
            self._depth -= 1

    def _is_impossible(self, formulas: Iterable[Formula]) -> bool:
        attempt = _Attempt(self)
        pending: Pending = None
        for formula in formulas:
            pending = (formula, pending)
        choices: list[tuple[Pending, int]] = [(pending, 0)]
        while choices:
            pending, mark = choices.pop()
            attempt.undo(mark)
            options = attempt.take(pending)
            if options is None:
                continue
            if self.steps <= 0 or not options:
                return False
            found, rest = options
            parts = found.parts if isinstance(found, Any) else (found,)
            choices += [((part, rest), attempt.mark) for part in reversed(parts)]
        return True


class _Attempt:
    """The features of one conjunction, with what was there before each change."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self._states: dict[Key, State] = {}
        self._changes: list[tuple[Key, State | None]] = []

    @property
    def mark(self) -> int:
        return len(self._changes)

    def undo(self, mark: int) -> None:
        """Take back all changes since a mark."""
        while len(self._changes) > mark:
            key, before = self._changes.pop()
            if before is None:
                del self._states[key]
            else:
                self._states[key] = before

    def take(self, pending: Pending) -> tuple[()] | tuple[Formula, Pending] | None:
        """Take in all that must hold; return what to choose from and the rest, () if done, None if it fails."""
        later: Pending = None
        while pending is not None:
            formula, pending = pending
            match formula:
                case True:
                    continue
                case False:
                    return None
                case All(parts):
                    for part in parts:
                        pending = (part, pending)
                case Any():
                    later = (formula, later)
                case Must(constraints):
                    if self._solver.steps <= 0:
                        return ()
                    if not all(self._narrow(constraint) for constraint in constraints):
                        return None
        if later is not None:
            return later
        return () if _across.is_possible(self._states, self._solver) else None

    def _narrow(self, constraint: Constraint) -> bool:
        """Take one constraint in; return whether the feature has a value left."""
        key: Key = constraint.key  # type: ignore[assignment]  # formulas are built over these
        before = self._states.get(key)
        state = State(domain(key)) if before is None else before
        self._solver.steps -= 1 + (len(state.region.stretches) + len(constraint.region.stretches)) // _PER_STEP
        region, tests = state.region & constraint.region, state.tests
        if constraint.test is not None and (constraint.test, constraint.passes) not in tests:
            tests = (*tests, (constraint.test, constraint.passes))
        region = _text.passing(region, tests) if tests else region
        after = State(region, tests)
        if after != before:
            self._changes.append((key, before))
            self._states[key] = after
        return not region.is_empty and not (tests and _text.exclude_each_other(tests) and not region.missing)

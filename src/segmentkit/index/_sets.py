"""The feature over one attribute that is a set: tags, lists.

An object has few members of the many that filters name, so a set has no cells: its mask is put
together from what each of its members brings. A literal asks for any of some members or, negated, for none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from segmentkit.dsl.predicates import Not, Predicate, SetTest
from segmentkit.index._clauses import SetKey
from segmentkit.index._columns import SetColumn
from segmentkit.index._features import Context, Feature, Move
from segmentkit.index._steps import Step


class SetFeature(Feature):
    """Which members a set has. Its mask is computed, so it has neither cells nor rows."""

    def __init__(self, key: SetKey, literals: Sequence[Predicate], context: Context) -> None:
        super().__init__(key, literals, context)
        self.attributes = frozenset((key.attribute,))
        column = context.table.columns[key.attribute]
        assert isinstance(column, SetColumn), f"{key.attribute!r} holds no sets"
        self._column = column
        self._wanted = [frozenset(_test_in(literal).members) for literal in self.literals]
        self._is_negated = [isinstance(literal, Not) for literal in self.literals]
        self._literals_of: dict[str, list[int]] = {}
        for number, wanted in enumerate(self._wanted):
            for member in wanted:
                self._literals_of.setdefault(member, []).append(number)
        self.concerned = 0
        """The clauses that need something of the set."""
        self._base = 0  # mask of the empty set
        self._gains: dict[str, int] = {}
        self._losses: dict[str, int] = {}

    def build_masks(self, ones: int) -> None:
        """Work out the mask of the empty set, and what each member adds and takes."""
        self.ones = ones
        self._base, self._gains, self._losses, self.concerned = ones, {}, {}, 0
        for literal, wanted, bits in zip(self.literals, self._wanted, self._bits_by_literal(), strict=True):
            brought = self._losses if isinstance(literal, Not) else self._gains
            self.concerned |= bits
            if brought is self._gains:
                self._base &= ~bits
            for member in wanted:
                brought[member] = brought.get(member, 0) | bits
        self.masks = [ones]  # that of an object left out, as for all features

    def bind(self, literal: int, clause: int) -> None:
        self.clauses_of[literal].append(clause)
        if self.masks:
            self.build_masks(self.ones)

    def release(self, literal: int, clause: int) -> None:
        self.clauses_of[literal].remove(clause)
        if self.masks:
            self.build_masks(self.ones)

    def step(self, before: tuple[str, ...], after: tuple[str, ...]) -> Step:
        """Return the clauses whose literal flips: of those that ask for a member that has come or gone."""
        gained: list[int] = []
        lost: list[int] = []
        for literal in {n for member in set(before) ^ set(after) for n in self._literals_of.get(member, ())}:
            wanted = self._wanted[literal]
            had, has = not wanted.isdisjoint(before), not wanted.isdisjoint(after)
            if had is not has:
                holds = has is not self._is_negated[literal]
                (gained if holds else lost).extend(self.clauses_of[literal])
        return gained, lost

    def weight(self) -> float:
        """Return about how many clauses an object violates here: those that ask for a member."""
        return (self.ones & ~self._base).bit_count()

    def mask_of(self, members: Iterable[str]) -> int:
        """Return the mask of the objects whose set has exactly these members."""
        gains, losses = self._gains, self._losses
        kept, lost = self._base, 0
        for member in members:
            if member in gains:
                kept |= gains[member]
            if member in losses:
                lost |= losses[member]
        return kept & ~lost if lost else kept

    def mask(self, number: int) -> int:
        """Return the mask of an object."""
        return self.mask_of(self._column.get(number))

    def changed(self, number: int, old: Any, new: Any, now: int, moves: list[Move]) -> None:
        moves.append((self, old, new))

    @property
    def cost(self) -> int:
        return 1

    @property
    def keeps_state(self) -> bool:
        return False

    def test(self, literal: int) -> Callable[[int], object]:
        column, is_apart = self._column, self._wanted[literal].isdisjoint
        codes, values = column.codes, column.dictionary.values  # as `get` does, without the call: `bench_changes`
        if isinstance(self.literals[literal], Not):
            return lambda number: (code := codes[number]) < 0 or is_apart(values[code])
        return lambda number: (code := codes[number]) >= 0 and not is_apart(values[code])

    worked_out = test


def _test_in(literal: Predicate) -> SetTest:
    test = literal.item if isinstance(literal, Not) else literal
    assert isinstance(test, SetTest), f"{literal!r} is no test of a set"
    return test

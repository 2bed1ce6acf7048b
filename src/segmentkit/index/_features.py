"""Features: what the index knows of an object, cut into cells.

The literals of one feature cut its values into *cells* in which each of them is constant. When it moves
from one cell to another, only the clauses between them can flip: its *step* (`_steps`). A dense feature, one
that many clauses read, has a mask for every cell too, one bit per clause: set when the clause puts no
constraint on the feature, or the cell satisfies it. The clauses a new object satisfies are the AND of these.

Cell 0 is free (satisfies everything), cell 1 is missing.
The literals of a feature never change; a definition with a new literal brings another feature.

A dense feature keeps its cell of each object in a row (`Rows`); the cell of the others comes from
the facts, or for boolean features from a bitmap. A feature is told what has changed once the facts
are the new ones, and puts its move, if it moved, into `moves`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import attrs

from segmentkit.dsl.predicates import (
    Predicate,
)
from segmentkit.index._cells import truths_by_literal
from segmentkit.index._clauses import FeatureKey
from segmentkit.index._deadlines import Deadlines
from segmentkit.index._steps import Crossings, Step, Trial, Trials, literals_at_cuts
from segmentkit.index._table import Table
from segmentkit.index.deltas import bits_of, mask_of
from segmentkit.schema import Schema

FREE: Final = 0  # the cell that satisfies everything
MISSING: Final = 1


class Rows:
    """One row of small integers per object: its cell of each dense feature.

    One flat array: an object's cells lie together, so that an AND over them reads one stretch of memory.
    `now` is the instant for which a cell is asked that is not in a row.
    """

    def __init__(self) -> None:
        self.stride = 0
        self.cells = array("H")
        self.now = 0

    def reset(self, stride: int, n_objects: int) -> None:
        """Make room for `stride` cells of `n_objects` objects, all free."""
        self.stride = stride
        self.cells = array("H", bytes(2 * stride * n_objects))

    def append(self) -> None:
        """Add an object whose cells are free."""
        self.cells.frombytes(bytes(2 * self.stride))


@attrs.frozen
class Context:
    """What the features of one plan share: facts, the schema, rows, and where deadlines go."""

    table: Table
    schema: Schema
    rows: Rows
    deadlines: Deadlines

    @property
    def zone(self) -> str:
        """The zone of conditions that name none."""
        return self.schema.zone


Move = tuple["Feature", Any, Any]
"""A feature and its cells before and after (of a feature over sets: the sets)."""


_MOST_REMEMBERED: Final = 65_536  # clauses of steps, by feature


class Feature:
    """The part that all features share: literals, their truth by cell, and masks."""

    is_timed = False
    sees_new_objects = True
    is_loose = False
    """Whether the plan does not know the feature, so that nobody tells it of changes."""

    def __init__(self, key: FeatureKey, literals: Sequence[Predicate], context: Context) -> None:
        self.key = key
        self.literals = tuple(literals)
        self.number_by_literal = {literal: i for i, literal in enumerate(self.literals)}
        self.clauses_of: list[list[int]] = [[] for _ in self.literals]
        """By literal, the clauses that need it."""
        self.truths: list[int] = []
        self._held: tuple[int, list[bytes]] = (0, [])
        self.masks: list[int] = []
        """By cell; only of features that are ANDed, the dense ones."""
        self.trials: dict[tuple[Any, Any], Trials] = {}
        """By cells before and after, what to try (`Matcher`), as far as that is remembered."""
        self.trial_by_flip: dict[int, Trial] = {}
        self._n_remembered = 0
        self._crossings: Crossings | None = None
        self._cuts_of_literals: list[Step] | None = None
        self.is_dense = False
        self.place = -1
        """Where the rows have the cell; or -1."""
        self.is_in_rows = False
        """Whether literals are looked up in the rows."""
        self.rows = context.rows
        self.group = -1
        self.attributes: frozenset[str] = frozenset()
        self.events: frozenset[str] = frozenset()

    # -- clauses

    def bind(self, literal: int, clause: int) -> None:
        """Let a clause need the literal."""
        self.clauses_of[literal].append(clause)
        self.forget_steps()
        for cell in range(len(self.masks)):
            if not self.truths[cell] >> literal & 1:
                self.masks[cell] &= ~(1 << clause)

    def release(self, literal: int, clause: int) -> None:
        """Let a clause need the literal no more."""
        self.clauses_of[literal].remove(clause)
        self.forget_steps()
        for cell in range(len(self.masks)):
            self.masks[cell] |= 1 << clause

    # -- masks

    def build_masks(self, ones: int) -> None:
        """Work `masks` out from the clauses bound to each literal; `ones` has every clause's bit set."""
        self.ones = ones
        bits = self._bits_by_literal()
        last = self.truths[-1]
        mask = self._mask(last, bits)
        masks = []
        for truth in self.truths:  # each from the one before: a clause has one literal here, so its bits toggle alone
            for literal in bits_of((truth ^ last) & ((1 << len(bits)) - 1)):
                mask ^= bits[literal]
            masks.append(mask)
            last = truth
        self.masks = masks

    def _bits_by_literal(self) -> list[int]:
        n_bits = self.ones.bit_length()
        return [mask_of(clauses, n_bits) for clauses in self.clauses_of]

    def _mask(self, truth: int, bits: Sequence[int]) -> int:
        violated = 0
        for literal in bits_of(~truth & ((1 << len(bits)) - 1)):
            violated |= bits[literal]
        return self.ones & ~violated

    def weight(self) -> float:
        """Return about how many clauses an object violates here, to AND the strongest masks first."""
        cells = self.typical_cells()
        return sum((self.ones & ~self.masks[cell]).bit_count() for cell in cells) / max(1, len(cells))

    def typical_cells(self) -> Sequence[int]:
        """Return cells that objects are likely to be in."""
        return range(2, len(self.masks))

    @property
    def is_dear(self) -> bool:
        """Whether what the index holds of an object is cheaper to look at than the facts."""
        return self.place >= 0 and bool(self.events)

    @property
    def cost(self) -> int:
        """How dear a test of a literal is, from 0: look-ups go before what has to be worked out."""
        return 0 if self.place >= 0 else 2 if self.events else 1

    # -- steps

    def remember(self, before: Any, after: Any, trials: Trials, n_clauses: int) -> None:
        """Remember what to try on the way from one cell to another, since moves repeat (`bench_changes`)."""
        self._n_remembered += 1 + n_clauses
        if self._n_remembered > _MOST_REMEMBERED:
            self.trials.clear()
            self._n_remembered = 0
        self.trials[before, after] = trials

    def forget_steps(self) -> None:
        """See that clauses have been bound or released."""
        self.forget_trials()
        self._crossings = None

    def forget_trials(self) -> None:
        """See that the tests of clauses have come into another order."""
        self.trials.clear()
        self.trial_by_flip.clear()
        self._n_remembered = 0

    def step(self, before: Any, after: Any) -> Step:
        """Return the clauses whose literal flips: of cells in order, those of all the cuts that are crossed."""
        if self._crossings is None:
            if self._cuts_of_literals is None:
                self._cuts_of_literals = literals_at_cuts(self.truths, len(self.literals))
            self._crossings = Crossings(self.truths, self._cuts_of_literals, self.clauses_of)
        if before < after:
            return self._crossings.between(before, after)
        lost, gained = self._crossings.between(after, before)
        return gained, lost

    # -- cells

    def recut(self) -> None:
        """Follow a decimal column whose scale has grown; the numbering of the cells stays."""

    def cell(self, number: int, now: int) -> int:
        """Return the cell of an object, worked out from its facts."""
        raise AssertionError("each kind of feature has its own")

    def current(self, number: int, now: int) -> int:
        """Return the cell that the index holds to be the object's."""
        if self.place >= 0:
            return self.rows.cells[number * self.rows.stride + self.place]
        return self.cell(number, now)

    def test(self, literal: int) -> Callable[[int], object]:
        """Return a function that tells of an object whether a literal holds (at `rows.now`)."""
        if self.place < 0:
            return self.worked_out(literal)
        holds, rows, place = self.truths_of(literal), self.rows, self.place
        cells, stride = rows.cells, rows.stride
        return lambda number: holds[cells[number * stride + place]]

    def truths_in_row(self, literal: int) -> bytes | None:
        """Return, for each cell, 1 if the literal holds in it, else 0; None if rows do not tell."""
        return self.truths_of(literal) if self.place >= 0 else None

    def truths_of(self, literal: int) -> bytes:
        """Return, for each cell, 1 if the literal holds in it, else 0."""
        if self._held[0] != len(self.truths):  # all literals at once: each alone was half of planning (`bench_bulk`)
            self._held = len(self.truths), truths_by_literal(self.truths, len(self.literals))
        return self._held[1][literal]

    def worked_out(self, literal: int) -> Callable[[int], object]:
        """Return a function that tells the same from the facts, whatever the rows hold."""
        truths, rows, cell = self.truths, self.rows, self.cell
        return lambda number: truths[cell(number, rows.now)] >> literal & 1

    def changed(self, number: int, old: Any, new: Any, now: int, moves: list[Move]) -> None:
        """See that an attribute that the feature reads has gone from one domain value to another."""
        raise AssertionError("each kind of feature has its own")

    def look_again(self, number: int, now: int, moves: list[Move]) -> None:
        """See that events or other facts that the feature reads have changed."""
        raise AssertionError("each kind of feature has its own")

    def move(self, number: int, before: int, after: int, moves: list[Move]) -> None:
        """Go from one cell to another."""
        if self.place >= 0:
            self.rows.cells[number * self.rows.stride + self.place] = after
        moves.append((self, before, after))

    def pass_time(self, number: int, at: int, moves: list[Move]) -> None:
        """Put what time alone moves at the instant `at` into `moves`; the entry for `at` has been used up."""
        raise AssertionError("each kind of feature that time moves has its own")

    @property
    def keeps_state(self) -> bool:
        """Whether new objects have to be taken in: the cells of others are always worked out."""
        return self.place >= 0 or self.is_timed

    def enter(self, number: int, now: int) -> None:
        """Take a new object in: its cell and its deadline."""
        if self.place >= 0:
            self.rows.cells[number * self.rows.stride + self.place] = self.cell(number, now)

    def leave(self, number: int, now: int) -> None:
        """Forget an object whose facts are still there."""

    def next_deadline(self, number: int, now: int) -> int | None:
        """Return the next instant at which time alone can move the object, or None."""
        return None


class Watcher(Protocol):
    """What sees the facts change: a feature, or a series of them."""

    is_timed: bool
    group: int

    @property
    def sees_new_objects(self) -> bool:
        """Whether an object without events is anything to it."""

    def pass_time(self, number: int, at: int, moves: list[Move]) -> None:
        """Put what time alone moves at `at` into `moves`."""

    @property
    def keeps_state(self) -> bool:
        """Whether new objects have to be taken in."""

    def enter(self, number: int, now: int) -> None:
        """Take a new object in."""

    def leave(self, number: int, now: int) -> None:
        """Forget an object whose facts are still there."""

    def next_deadline(self, number: int, now: int) -> int | None:
        """Return the next instant at which time alone can move the object, or None."""

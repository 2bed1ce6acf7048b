"""From the moves of many objects to the segments that flip for each: `Matcher.carry`, for a wave.

A move concerns the clauses whose literal it flips (`Feature.step`). So a wave is a list of pairs of an
object and a clause, some ten thousand for a thousand objects, and literal after literal takes those pairs
out for which it does not hold: on the rows after the wave for a clause that has gained a literal, on those
before it for one that has lost one.
"""

from __future__ import annotations

from typing import TypeAlias

import attrs
import numpy as np

from segmentkit.index._batch_clauses import Clauses
from segmentkit.index._batch_lists import Lists
from segmentkit.index._batch_moves import Moves
from segmentkit.index._batch_tests import Asked
from segmentkit.index._bulk_bitmaps import Array

Pairs: TypeAlias = tuple[Array, Array]
"""Places of objects in the wave, and clauses."""


@attrs.frozen(eq=False)
class Flipped:
    """What flips: `flips[i]`, a head n that is entered or ~n that is left, for the object at `places[i]`, ascending."""

    places: Array
    flips: Array
    n_examined: int


def flips_of(clauses: Clauses, numbers: Array, moves: Moves, ats: Array | None = None) -> Flipped:
    """Return the segments that flip; facts are those after the wave.

    `ats` are the instants of the moves, where they are not all `rows.now`.
    """
    return _Flips(clauses, numbers, moves, ats).found()


class _Flips:
    def __init__(self, clauses: Clauses, numbers: Array, moves: Moves, ats: Array | None) -> None:
        self._clauses = clauses
        self._numbers = numbers
        self._moves = moves
        self._ats = ats

    def found(self) -> Flipped:
        """Return what flips."""
        in_rows, features_in_rows = self._pairs_in_rows()
        loose, features = self._loose_pairs()
        places, steps = np.concatenate((in_rows[0], loose[0])), np.concatenate((in_rows[1], loose[1]))
        features = np.concatenate((features_in_rows, features))
        untold = np.flatnonzero(features >= 0)
        flipped = places[untold], steps[untold], features[untold]
        gains = np.flatnonzero(steps >= 0)
        gains = gains[self._hold_in_rows(places[gains], steps[gains], self._moves.after)]
        losses = np.flatnonzero(steps < 0)
        losses = losses[self._hold_in_rows(places[losses], ~steps[losses], self._moves.before)]
        chosen = np.concatenate((gains, losses))
        pairs = places[chosen], np.where(steps[chosen] < 0, ~steps[chosen], steps[chosen])
        holds = self._hold_besides(pairs, len(gains), flipped)
        keys = 2 * self._keys(*pairs) + (np.arange(len(chosen)) >= len(gains))
        keys = np.sort(keys[holds])
        keys = keys[np.diff(keys, prepend=-1) != 0]  # a clause may have gained two literals at once
        places, clauses = np.divmod(keys >> 1, max(1, self._clauses.n_clauses))
        return self._settled(places, clauses, (keys & 1) == 0, len(steps))

    def _keys(self, places: Array, clauses: Array) -> Array:
        keys: Array = places * self._clauses.n_clauses + clauses
        return keys

    # ------------------------------------------------------------------------ moves

    def _pairs_in_rows(self) -> tuple[Pairs, Array]:
        """Return the pairs of the moves that rows tell of, clauses signed as steps, and the features as in `untold`."""
        before, after = self._moves.before, self._moves.after
        places, columns = np.divmod(np.flatnonzero(before != after), max(1, before.shape[1]))
        keys = (columns << 32) + (before[places, columns].astype(np.int64) << 16) + after[places, columns]
        distinct, which = np.unique(keys, return_inverse=True)
        by_place = self._clauses.by_place
        moves = [(by_place[key >> 32], key >> 16 & 0xFFFF, key & 0xFFFF) for key in distinct.tolist()]
        rows, steps = Lists(self._clauses.steps.between(moves)).of(which)
        return (places[rows], steps), self._clauses.untold[columns[rows]]

    def _loose_pairs(self) -> tuple[Pairs, Array]:
        """Return the same of the other moves, and the numbers of their features."""
        clauses, places, moves = self._clauses, [], []
        for place, feature, before, after in self._moves.loose:
            if feature in clauses.features:
                places.append(place)
                moves.append((feature, before, after))
        steps = clauses.steps.between(moves)
        owners, signed = Lists(steps).of(np.arange(len(steps)))
        features = np.array([clauses.features[move[0]] for move in moves], np.int64)
        of_sets, tests, holds = clauses.tests.flipped_by_sets(self._moves.sets)
        which, concerned = clauses.clauses_of_test.of(tests)
        concerned = np.where(holds[which], concerned, ~concerned)
        return (
            np.concatenate((np.array(places, np.int64)[owners], of_sets[which])),
            np.concatenate((signed, concerned)),
        ), np.concatenate((features[owners], clauses.feature_of_test[tests[which]]))

    # --------------------------------------------------------------------- literals

    def _hold_in_rows(self, places: Array, clauses: Array, cells: Array) -> Array:
        """Return the rows of those pairs for which all literals hold that rows tell of."""
        held: Array = self._clauses.in_rows.sift_pairs(cells, places, clauses)
        return held

    def _hold_besides(self, pairs: Pairs, n_gains: int, flipped: tuple[Array, Array, Array]) -> Array:
        """Return whether the other literals hold: now for the first pairs, before the wave for the rest.

        Tests only tell what is now, so `flipped` are the literals that have flipped of what is tested: places,
        steps, and features by number.
        """
        places, clauses = pairs
        rows, tests = self._clauses.rest.of(clauses)
        if not len(flipped[0]):
            return self._all_hold((places[rows], tests, rows, len(places)))
        has_flipped = np.zeros(len(self._numbers), bool)
        has_flipped[flipped[0]] = True
        gained = flipped[1] >= 0
        asked = np.flatnonzero((rows >= n_gains) & has_flipped[places[rows]])
        n_features = len(self._clauses.features)
        keys = self._keys(places[rows[asked]], clauses[rows[asked]]) * n_features
        lost = self._keys(flipped[0][~gained], ~flipped[1][~gained]) * n_features + flipped[2][~gained]
        is_open = np.ones(len(rows), bool)  # a literal that was lost held before, whatever it says now
        is_open[asked] = ~np.isin(keys + self._clauses.feature_of_test[tests[asked]], lost)
        rows, tests = rows[is_open], tests[is_open]
        holds = self._all_hold((places[rows], tests, rows, len(places)))
        losses = n_gains + np.flatnonzero(has_flipped[places[n_gains:]])
        keys = self._keys(places[losses], clauses[losses])
        holds[losses] &= ~np.isin(keys, self._keys(flipped[0][gained], flipped[1][gained]))
        return holds

    def _all_hold(self, asked: Asked) -> Array:
        return self._clauses.tests.all_hold(self._numbers, asked, self._ats)

    # --------------------------------------------------------------------- segments

    def _settled(self, places: Array, clauses: Array, enters: Array, n_examined: int) -> Flipped:
        """Turn flipped clauses, which are sorted by object, into flipped segments."""
        several = self._clauses.owners[clauses] >= 0
        whole = ~several
        flips = np.where(enters, clauses, ~clauses)[whole]
        if several.any():
            more_places, more_flips = self._settle_several(places[several], clauses[several], enters[several])
            whole_places = np.concatenate((places[whole], more_places))
            flips = np.concatenate((flips, more_flips))
            order = np.argsort(whole_places.astype(np.uint16), kind="stable")
            return Flipped(whole_places[order], flips[order], n_examined)
        return Flipped(places[whole], flips, n_examined)

    def _settle_several(self, places: Array, clauses: Array, enters: Array) -> Pairs:
        """Return what flips of the segments of several clauses: one of which a clause holds all the time does not."""
        table = self._clauses
        flipped = self._keys(places, clauses)
        segments, which = np.unique(self._keys(places, table.owners[clauses]), return_inverse=True)
        n_entered = np.bincount(which, enters, len(segments))
        alike = np.flatnonzero((n_entered == 0) | (n_entered == np.bincount(which, minlength=len(segments))))
        objects, heads = np.divmod(segments[alike], table.n_clauses)
        rows, others = table.siblings.of(heads)
        keys = self._keys(objects[rows], others)
        at = np.minimum(np.searchsorted(flipped, keys), len(flipped) - 1)
        still = np.flatnonzero(flipped[at] != keys)
        rows, others = rows[still], others[still]
        held = self._hold_in_rows(objects[rows], others, self._moves.after)
        rows, others = rows[held], others[held]
        asked, tests = table.rest.of(others)
        holds = self._all_hold((objects[rows[asked]], tests, asked, len(rows)))
        flips = np.ones(len(alike), bool)
        flips[rows[holds]] = False
        found = np.flatnonzero(flips)
        return objects[found], np.where(n_entered[alike[found]] > 0, heads[found], ~heads[found])

"""Ranks: who is among the first of those that rank, kept up as values, groups and the population change.

A `Ranking` orders the objects of one `by`, one `per` and one `of`, from the top or from the bottom,
and serves all cut-offs of that order (`top 10`, `top 100`, `top 5% with ties`). All groups are in one
sorted list of entries, an entry being

    (number of the group, order, object id, number of the object)

where the order grows from the first place to the last: the value itself from the bottom, its negative
from the top. So the places of a group are neighbours, ties stand in the order of their ids, and a
cut-off is the *last* entry inside: an object is inside when its entry is not above that. After a
change the last entry is looked up again by its place; who stands between the old one and the new one
has flipped, and nobody else has but those that moved.

The rules (`top 3 by value per owner`):

- An object without a value does not rank, and neither does one without a group: a missing owner is
  nobody's owner, as a comparison with a missing value is false. An object outside the population is
  not set, or is removed.
- Ties go to the smaller object id, in text order; with ties, all that tie with the last are inside.
- n% of m objects are the ceiling of m * n / 100, exactly.

Three deals, of which two tie for the second place:

>>> ranking = Ranking(is_top=True)
>>> ranking.set_many([(0, "a", EVERYONE, 30), (1, "b", EVERYONE, 10), (2, "c", EVERYONE, 10)])
[]
>>> [list(ranking.add_cutoff(cutoff)) for cutoff in (Cutoff(2), Cutoff(2, ties=True))]
[[0, 1], [0, 1, 2]]
>>> for number, cutoff, entered in ranking.set_many([(2, "c", EVERYONE, 20)]):
...     print(number, cutoff.ties, entered)
1 False False
1 True False
2 False True
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple, TypeAlias

import attrs
from pyroaring import BitMap
from sortedcontainers import SortedList

EVERYONE: Final = ()
"""The group of all objects of a ranking without `per`."""


@attrs.frozen(cache_hash=True)
class Cutoff:
    """How many places are inside: `count` of them, or that many per cent of those that rank.

    With `ties`, all that tie with the last of them are inside too.

    >>> Cutoff(10).places(7), Cutoff(10, percent=True).places(71)
    (7, 8)
    """

    count: int | Decimal
    percent: bool = False
    ties: bool = False
    _share: tuple[int, int] = attrs.field(init=False, eq=False, repr=False)  # integers: a Fraction takes 5 µs a use

    @_share.default
    def _share_default(self) -> tuple[int, int]:
        return (Fraction(self.count) / 100).as_integer_ratio()

    def places(self, n_ranked: int) -> int:
        """Return how many of `n_ranked` places are inside, not counting those that tie with the last."""
        wanted = -(-self._share[0] * n_ranked // self._share[1]) if self.percent else int(self.count)
        return min(wanted, n_ranked)


class Flip(NamedTuple):
    """An object is inside a cut-off now and was not, or the other way round."""

    number: int
    cutoff: Cutoff
    entered: bool


Row: TypeAlias = tuple[int, str, Hashable, Any]
"""Number, object id, group and value; None for a missing group or value."""

_Entry: TypeAlias = tuple[int, Any, str, int]


class _Group:
    """The objects that rank against each other: how many, and the last entry inside each cut-off."""

    __slots__ = ("key", "lasts", "number", "size")

    def __init__(self, key: Hashable, number: int, n_cutoffs: int) -> None:
        self.key = key
        self.number = number
        self.size = 0
        self.lasts: list[_Entry | None] = [None] * n_cutoffs


class Ranking:
    """The order of all objects by one value, in groups, and who is inside each cut-off.

    Values are integers (also instants, dates and durations), doubles that are not NaN, decimals or
    fractions, and compare exactly. Groups are told apart by equality.

    Cost: a change is O(c log n + flips) for c cut-offs; `set_many` of r rows is O(r log n + flips), or
    one sort where the rows are a large part of all.
    """

    def __init__(self, *, is_top: bool) -> None:
        self._order = _descending if is_top else _ascending
        self._cutoffs: list[Cutoff] = []
        self._entries: SortedList[Any] = SortedList()
        self._entry_by_number: dict[int, _Entry] = {}
        self._groups: dict[Hashable, _Group] = {}
        self._group_by_number: dict[int, _Group] = {}
        self._last_group = 0
        self.examined = 0
        """How many entries have been looked at so far, besides the searches in the sorted list."""

    # ------------------------------------------------------------------------- changes

    def remove(self, number: int) -> list[Flip]:
        """Let an object no longer rank, whether or not it did; return who flips, as `set_many`."""
        return self.set_many(((number, "", None, None),))

    def set_many(self, rows: Iterable[Row]) -> list[Flip]:
        """Give objects their groups and values, all at once; of several rows for one object the last counts.

        Returns:
            Each (object, cut-off) whose answer differs between before and after, once, in no particular
            order. Setting the rows of before again returns the opposite flips.
        """
        entry_by_number = self._entry_by_number
        was: dict[int, int] = {}
        removed: list[_Entry] = []
        added: list[_Entry] = []
        touched: dict[int, _Group] = {}
        for number, object_id, group_key, value in {row[0]: row for row in rows}.values():
            self.examined += 1
            old = entry_by_number.get(number)
            new = None if value is None or group_key is None else self._entry(number, object_id, group_key, value)
            if old == new:
                continue
            was[number] = self._inside(old)
            if old is not None:
                self._resize(old[0], -1, touched)
                removed.append(old)
                del entry_by_number[number]
            if new is not None:
                self._resize(new[0], 1, touched)
                added.append(new)
                entry_by_number[number] = new
        self._replace(removed, added)
        flips: list[Flip] = []
        is_step = len(removed) == len(added) == len(touched) == 1
        for group in touched.values():
            before = group.lasts
            if not group.size:
                self._drop(group)
            elif is_step:
                self._step(group, removed[0], added[0])
            else:
                group.lasts = self._find_lasts(group)
            self._collect(group, before, was, flips)
        self._collect_moved(was, flips)
        return flips

    def _entry(self, number: int, object_id: str, group_key: Hashable, value: Any) -> _Entry:
        group = self._groups.get(group_key)
        if group is None:
            self._last_group += 1
            group = self._groups[group_key] = _Group(group_key, self._last_group, len(self._cutoffs))
            self._group_by_number[group.number] = group
        return group.number, self._order(value), object_id, number

    def _resize(self, group_number: int, by: int, touched: dict[int, _Group]) -> None:
        group = self._group_by_number[group_number]
        group.size += by
        touched[group_number] = group

    def _inside(self, entry: _Entry | None) -> int:
        """Return a bit for each cut-off that the entry is inside of, by the last entries that are known."""
        bits = 0
        if entry is not None:
            for place, last in enumerate(self._group_by_number[entry[0]].lasts):
                if last is not None and entry <= last:
                    bits |= 1 << place
        return bits

    def _replace(self, removed: list[_Entry], added: list[_Entry]) -> None:
        """Take entries out of the sorted list and put others in."""
        entries = self._entries
        if 4 * len(removed) > len(entries):  # sorting what is left beats so many searches
            gone = set(map(id, removed))
            left = [entry for entry in entries if id(entry) not in gone]
            entries.clear()
            entries.update(left)
        else:
            for entry in removed:
                entries.remove(entry)
        if len(added) == 1:
            entries.add(added[0])
        else:
            entries.update(added)

    def _drop(self, group: _Group) -> None:
        group.lasts = [None] * len(self._cutoffs)
        del self._groups[group.key], self._group_by_number[group.number]

    def _step(self, group: _Group, old: _Entry, new: _Entry) -> None:
        """Look up the last entries again of which one object that stays in its group can have moved some.

        It has moved none above and none below its way. That is most of them: this halves the time of a
        change with four cut-offs (`bench_structures`).
        """
        lasts = group.lasts
        crossed = [
            place
            for place, (cutoff, last) in enumerate(zip(self._cutoffs, lasts, strict=True))
            if last is not None and not _is_beside(old, new, last, cutoff.ties)
        ]
        if crossed:
            start = self._entries.bisect_left((group.number,))
            group.lasts = lasts[:]
            for place in crossed:
                group.lasts[place] = self._last(self._cutoffs[place], start, group.size)

    def _find_lasts(self, group: _Group) -> list[_Entry | None]:
        start = self._entries.bisect_left((group.number,))
        return [self._last(cutoff, start, group.size) for cutoff in self._cutoffs]

    def _collect(self, group: _Group, before: list[_Entry | None], moved: dict[int, int], flips: list[Flip]) -> None:
        """Collect who has flipped without having moved: who stands between a last entry and the one before."""
        after = group.lasts
        if after is before:
            return
        for cutoff, old, new in zip(self._cutoffs, before, after, strict=True):
            if old is new or old == new:
                continue
            entered = old is None or (new is not None and old < new)
            lower, upper = (old, new) if entered else (new, old)
            for entry in self._entries.irange(lower or (group.number,), upper, inclusive=(False, True)):
                self.examined += 1
                if entry[3] not in moved:
                    flips.append(Flip(entry[3], cutoff, entered))

    def _collect_moved(self, was: dict[int, int], flips: list[Flip]) -> None:
        """Collect the flips of those that moved, from the bits of what each was inside of before."""
        for number, before in was.items():
            after = self._inside(self._entry_by_number.get(number))
            differs = before ^ after
            if differs:
                flips += [
                    Flip(number, cutoff, bool(after >> place & 1))
                    for place, cutoff in enumerate(self._cutoffs)
                    if differs >> place & 1
                ]

    def _last(self, cutoff: Cutoff, start: int, size: int) -> _Entry | None:
        """Return the last entry inside the cut-off among `size` entries from `start` on."""
        self.examined += 1
        places = cutoff.places(size)
        if not places:
            return None
        last: _Entry = self._entries[start + places - 1]
        if cutoff.ties and places < size:
            last = self._entries[self._entries.bisect_right((last[0], last[1], _ABOVE_ALL_IDS)) - 1]
        return last

    # ------------------------------------------------------------------------ cut-offs

    def add_cutoff(self, cutoff: Cutoff) -> BitMap:
        """Serve one more cut-off, which must be a new one; return who is inside."""
        assert cutoff not in self._cutoffs, f"{cutoff} is served already"
        self._cutoffs.append(cutoff)
        for group in self._groups.values():
            start = self._entries.bisect_left((group.number,))
            group.lasts.append(self._last(cutoff, start, group.size))
        return self.members(cutoff)

    def remove_cutoff(self, cutoff: Cutoff) -> None:
        """Serve a cut-off no longer."""
        place = self._cutoffs.index(cutoff)
        del self._cutoffs[place]
        for group in self._groups.values():
            del group.lasts[place]

    # ------------------------------------------------------------------------- reading

    def members(self, cutoff: Cutoff) -> BitMap:
        """Return the numbers of all objects inside a cut-off, of all groups; O(members + groups log n)."""
        place = self._cutoffs.index(cutoff)
        members = BitMap()
        for group in self._groups.values():
            last = group.lasts[place]
            if last is not None:
                members.update([entry[3] for entry in self._entries.irange((group.number,), last)])
        return members

    def is_inside(self, number: int, cutoff: Cutoff) -> bool:
        """Return whether an object is inside a cut-off."""
        return bool(self._inside(self._entry_by_number.get(number)) >> self._cutoffs.index(cutoff) & 1)

    def check_invariants(self) -> None:
        """Raise AssertionError if the entries, the groups and the last entries do not belong together."""
        entries = list(self._entries)
        assert entries == sorted(self._entry_by_number.values()), "entries and objects differ, or are out of order"
        for number, entry in self._entry_by_number.items():
            assert entry[3] == number, f"the entry of object {number} is {entry}"
        assert sum(group.size for group in self._groups.values()) == len(entries), "the groups are miscounted"
        for key, group in self._groups.items():
            own = [entry for entry in entries if entry[0] == group.number]
            assert group.key == key, f"group {key!r} is called {group.key!r}"
            assert group.size == len(own) > 0, f"group {key!r} has {len(own)} entries, {group.size} are counted"
            for cutoff, last in zip(self._cutoffs, group.lasts, strict=True):
                inside = own[: cutoff.places(len(own))]
                if cutoff.ties and inside:
                    inside = [entry for entry in own if entry[1] <= inside[-1][1]]
                expected = inside[-1] if inside else None
                assert last == expected, f"the last of group {key!r} inside {cutoff} is {expected}, {last} is kept"


def _is_beside(old: _Entry, new: _Entry, last: _Entry, ties: bool) -> bool:
    """Return whether an object goes from `old` to `new` without passing or touching the last entry, or its tie."""
    if ties:
        return bool((old[1] < last[1] and new[1] < last[1]) or (last[1] < old[1] and last[1] < new[1]))
    return (old < last and new < last) or (last < old and last < new)


class _AboveAllIds:
    """What follows every text, so that a search ends behind all that tie."""

    __slots__ = ()

    def __gt__(self, other: object) -> bool:
        return True

    def __lt__(self, other: object) -> bool:
        return False


_ABOVE_ALL_IDS: Final = _AboveAllIds()


def _ascending(value: Any) -> Any:
    """Return the value."""
    return value


def _descending(value: Any) -> Any:
    """Return what is smaller the larger `value` is, exactly."""
    if isinstance(value, Decimal):
        return value.copy_negate()  # a minus rounds to the context's precision
    return -value

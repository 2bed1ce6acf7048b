"""The rows of words behind the events of one name: packed in pages, but for those that change.

An array of its own costs an object more than its events are worth: of twenty million events, a third of the
memory, and a look at each object to read all of them. So objects share *pages*: for `PAGE` successive numbers,
all their words in one array, and where each object's begin. The row of an object that changes is taken out of
its page and put back with the others, when there are many (`bench_memory`, `bench_bulk`).

A row that holds an integer too long for a word is a list, and stays outside.
"""

from __future__ import annotations

import mmap
import sys
from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any, Final, TypeAlias

PAGE_BITS: Final = 14
PAGE: Final = 1 << PAGE_BITS
"""How many successive numbers share a page: so many that arrays are read in long stretches, and so few that
folding one page, some milliseconds, holds nobody up."""

_MOST_TAKEN: Final = 1_024
"""How many rows of a page may be outside before they are put back."""
_serials: Final = count()
_NO_BOUNDS: Final = array("i", [0])
_IN_PAGE: Final = object()
"""Stands for a row that is not outside."""
_POPULATE: Final = getattr(mmap, "MAP_POPULATE", 0)  # all at once, since all is written: a quarter of a fold
_PRIVATE: Final = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _POPULATE} if sys.platform != "win32" else {}

Memory: TypeAlias = bytes | mmap.mmap
"""What gives bytes for slices."""


def memory_of(n_bytes: int) -> Memory:
    """Return memory of zeros from the system itself, to which it goes back as soon as nobody needs it.

    An allocator keeps what is freed between other things, and pages come and go: of 100,000 contacts with
    2,000,000 events that come one after another, it kept 90 MiB (`bench_memory`).
    """
    return mmap.mmap(-1, n_bytes, **_PRIVATE) if n_bytes else b""


class Page:
    """The words of successive objects, one after the other.

    The words of the object at place i are those from `bounds[i]` to before `bounds[i + 1]` of `data`; an object at
    a place past the last bound has none. `taken` are the numbers whose rows are outside, so that what the page has
    of them is old.
    """

    __slots__ = ("_latest", "bounds", "data", "grouped", "limit", "serial", "taken")

    def __init__(self, data: Memory, bounds: array[int], limit: int) -> None:
        self.data = data
        self.bounds = bounds
        self.taken: list[int] = []
        self.limit = limit
        """How many rows may be taken."""
        self.serial = next(_serials)
        """Which page it is, of all there have ever been."""
        self._latest: int | None = None
        self.grouped: dict[int, tuple[Any, Any]] = {}
        """By the place of a coded property, the events in order of code, and where each code ends (`_bulk_windows`)."""

    def latest(self, stride: int) -> int:
        """Return the last instant in the page, which has events of so many words; it is looked for but once."""
        if self._latest is None:
            import numpy as np

            self._latest = int(np.frombuffer(self.data, np.int64)[::stride].max())
        return self._latest

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        found = sum(a.nbytes + b.nbytes for a, b in self.grouped.values())
        return len(self.data) + 4 * len(self.bounds) + 8 * len(self.taken) + int(found)


class EventRows(dict[int, Any]):
    """Rows by object number; to look one up gives None for an object without words.

    As a dictionary it holds only the rows outside of pages, which may be changed in place; any other is a copy
    of what is in a page. `take` gets a row that may be changed.

    Cost: a row outside is looked up as in any dictionary; a row in a page takes two calls more. A page is put
    back at a microsecond or two for each row.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pages: list[Page] = []
        self.lists: set[int] = set()
        """Numbers whose rows are lists, or once were."""
        self._asked = -1
        self._answer: Any = None

    def __missing__(self, number: int) -> Any:
        """Return a copy of the row in its page; the last one is remembered, since a change may ask again and again."""
        if number == self._asked:
            return self._answer
        try:
            page = self.pages[number >> PAGE_BITS]
            bounds, place = page.bounds, number & PAGE - 1
            row = array("q", page.data[8 * bounds[place] : 8 * bounds[place + 1]]) or None
        except IndexError:
            row = None
        self._asked, self._answer = number, row
        return row

    def take(self, number: int) -> Any:
        """Return the row of an object, to be changed; None if it has none, and then one can be set."""
        row = self.get(number, _IN_PAGE)
        if row is not _IN_PAGE:
            return row
        try:
            page = self.pages[number >> PAGE_BITS]
            bounds, place = page.bounds, number & PAGE - 1
            row = array("q", page.data[8 * bounds[place] : 8 * bounds[place + 1]])
        except IndexError:
            return None
        if not row:
            return None
        if len(page.taken) >= page.limit:
            self.fold(number >> PAGE_BITS)
            page = self.pages[number >> PAGE_BITS]
        page.taken.append(number)
        self.setdefault(number, row)  # which notes nothing
        return row

    def __setitem__(self, number: int, row: Any) -> None:
        """Make `row` that of an object; None for no words."""
        if number not in self:
            index = number >> PAGE_BITS
            page = self._page(index)
            if len(page.taken) >= page.limit:
                self.fold(index)
                page = self.pages[index]
            page.taken.append(number)
        if type(row) is list:
            self.lists.add(number)
        super().__setitem__(number, row)

    def _page(self, index: int) -> Page:
        while len(self.pages) <= index:
            self.pages.append(Page(b"", _NO_BOUNDS, _MOST_TAKEN))
        return self.pages[index]

    def iter_numbers(self) -> Iterator[int]:
        """Yield every number that may have a row, and others; rows may be put meanwhile."""
        for index, page in enumerate(self.pages):
            first = index << PAGE_BITS
            yield from range(first, max(first + len(page.bounds), max(page.taken, default=0) + 1))

    def fold(self, index: int) -> None:
        """Put the rows of a page back into it, but for lists."""
        page = self.pages[index]
        if page.taken:
            self.replace(index, *self.spliced(index))

    def spliced(self, index: int) -> tuple[Memory, array[int]]:
        """Return data and bounds of a page as they are now; lists left out."""
        import numpy as np

        page, first = self.pages[index], index << PAGE_BITS
        numbers = sorted(page.taken)
        old = np.frombuffer(page.bounds, np.int32)
        n_old = len(old) - 1
        counts = np.zeros(max(n_old, numbers[-1] - first + 1), np.int32)
        counts[:n_old] = np.diff(old)
        places = np.array(numbers, np.int64) - first
        starts, ends = ((8 * old[np.minimum(places + i, n_old)].astype(np.int64)).tolist() for i in (0, 1))
        rows = [b"" if row is None or type(row) is list else row for row in map(self.get, numbers)]
        counts[places] = list(map(len, rows))
        bounds = array("i", [0])
        bounds.frombytes(np.cumsum(counts, dtype=np.int32).tobytes())
        words, done = memoryview(page.data), 0
        pieces: list[Any] = []
        for row, start, end in zip(rows, starts, ends, strict=True):
            pieces += (words[done:start], row)
            done = end
        pieces.append(words[done:])
        data = memory_of(8 * bounds[-1])
        if isinstance(data, mmap.mmap):
            deque(map(data.write, pieces), maxlen=0)
        return data, bounds

    def replace(self, index: int, data: Memory, bounds: array[int]) -> None:
        """Make the words of a page anew; its rows outside are dropped, but for lists."""
        self._asked = -1
        taken = self._page(index).taken
        lists = [number for number in taken if type(self[number]) is list] if self.lists else []
        kept = [self[number] for number in lists]
        deque(map(self.pop, taken), maxlen=0)
        self.update(zip(lists, kept, strict=True))
        page = self.pages[index] = Page(data, bounds, len(lists) + _MOST_TAKEN)
        page.taken += lists

    def any_list(self, numbers: Iterable[int]) -> bool:
        """Whether one of some objects has a row that is a list."""
        return bool(self.lists) and any(type(self.get(number)) is list for number in self.lists.intersection(numbers))

    @property
    def nbytes(self) -> int:
        """Bytes of pages and rows."""
        rows = sum(144 + 8 * len(row) for row in self.values() if row is not None)
        return rows + sum(page.nbytes for page in self.pages)

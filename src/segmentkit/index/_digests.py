"""Digests: for each object one byte, or two, that says about where its value of an attribute lies.

A filter that nobody has asked before is answered by comparing whole columns, and what that costs is reading
them. The digest of a column of numbers cuts its values into up to 255 buckets of about as many objects each;
a bucket lies wholly on one side of a constant, but for one, whose objects are looked at themselves,
and only those that everything else lets pass. Text of few distinct values has its codes in a byte or two,
and sets have a bitset for each member. (`bench_bulk`, new filters; `bench_define`.)

A digest is made when it is first asked for. The column then notes the objects whose values change, and
they are digested again when the next one asks; so it is derived state that costs a change one append.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Final, Protocol, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np

from segmentkit.index._attributes import TextFeature
from segmentkit.index._bulk_bitmaps import Array, packed
from segmentkit.index._columns import BooleanColumn, CodedColumn, Column, IntegerColumn, NumberColumn
from segmentkit.index._table import Table

_MOST_NOTED: Final = 16_384  # changed objects from which on a column is digested afresh
_SAMPLE: Final = 65_536
_MOST_EDGES: Final = 254
_MOST_MEMBERS: Final = 256
_MOST_CODES: Final = 2**16 - 2
_FEW_VALUES: Final = 6  # of two bytes, up to which comparing with each is faster than a table
_MISSING_WORD: Final = -(2**63)
_CHUNK: Final = 131_072  # codes compared at a time, few enough for what lies between to stay in the cache

Told: TypeAlias = tuple[Array, Array | None]
"""The objects for which a condition may hold, and those of them for which that is not sure (None: nobody)."""


class CellsByCode:
    """The cells of the texts of a column, for one feature, as of some number of notes of changes."""

    def __init__(self, cells: Array, touched: deque[int], n_objects: int) -> None:
        self.cells = cells
        self.touched = touched
        self._n_seen = len(touched)
        self._n_objects = n_objects

    def renew(self, feature: TextFeature, n_objects: int) -> bool:
        """Take in the texts of objects that have changed since; False if there is no room for a cell."""
        if self._n_seen == len(self.touched) and self._n_objects == n_objects:
            return True
        column: Any = feature._column
        values, codes, missing = column.dictionary.values, column.codes, self.cells[-1]
        more = len(values) + 1 - len(self.cells)
        if more:
            self.cells = np.concatenate((self.cells[:-1], np.full(more + 1, missing, self.cells.dtype)))
        most = np.iinfo(self.cells.dtype).max
        for number in chain(islice(self.touched, self._n_seen, None), range(self._n_objects, n_objects)):
            code = codes[number]
            if code >= 0:
                cell = feature._cell_of(values[code])
                if cell > most:
                    return False
                self.cells[code] = cell
        self._n_seen, self._n_objects = len(self.touched), n_objects
        return True


class Digest(Protocol):
    """What a column keeps for whole-column questions."""

    n_objects: int

    def renew(self, numbers: Array) -> bool:
        """Digest some objects again, or for the first time; False if the digest no longer fits the column."""

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""


class Digests:
    """The digests of a table, by attribute, each as right as its column when it is asked for."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._known: dict[str, tuple[Digest | None, deque[int]]] = {}
        self._cells: WeakKeyDictionary[TextFeature, CellsByCode] = WeakKeyDictionary()

    def of(self, name: str) -> Digest | None:
        """Return the digest of an attribute; None if its values are not of a kind to have one.

        Cost: one look at the column, the first time and after a table was loaded; else what has changed since.
        """
        column: Any = self._table.columns[name]
        digest, touched = self._known.get(name, (None, None))
        is_current = touched is not None and touched is column.touched and len(touched) < _MOST_NOTED
        if touched is not None and is_current and (digest is None or self._renewed(digest, touched)):
            return digest
        column.touched = touched = deque(maxlen=_MOST_NOTED)
        digest = _digest_of(column)
        self._known[name] = digest, touched
        return digest

    def cells_by_code(self, feature: TextFeature, make: Callable[[], Array]) -> Array:
        """Return the cell of each code of a column of text, that of a missing value last.

        Of a column with more texts than two bytes tell apart it is remembered, for as long as the feature
        lives: trying a million texts takes longer than all else together (`bench_bulk`).
        """
        name = next(iter(feature.attributes))
        if feature.is_loose or self.of(name) is not None:
            return make()
        touched, known = self._known[name][1], self._cells.get(feature)
        if known is None or known.touched is not touched or not known.renew(feature, len(self._table.ids)):
            known = self._cells[feature] = CellsByCode(make(), touched, len(self._table.ids))
        return known.cells

    def _renewed(self, digest: Digest, touched: deque[int]) -> bool:
        new = range(digest.n_objects, len(self._table.ids))
        if not touched and not new:
            return True
        numbers = np.unique(np.array([*touched, *new], np.int64))
        touched.clear()
        return digest.renew(numbers)

    @property
    def nbytes(self) -> int:
        """Bytes of all digests."""
        return sum(digest.nbytes for digest, _ in self._known.values() if digest is not None)


def _digest_of(column: Column) -> Digest | None:
    match column:
        case IntegerColumn():
            return OrderedDigest(column) if column._missing is not None and len(column.values) else None
        case NumberColumn():
            return OrderedDigest(column) if len(column.values) else None
        case CodedColumn() if column.type.kind == "text_set":
            return SetDigest.of(column)
        case CodedColumn() | BooleanColumn():
            return CodeDigest.of(column)
        case _:
            return None


class OrderedDigest:
    """Numbers, instants and dates: the bucket of each value, 0 being that of missing ones.

    Bucket b has the values from `edges[b - 2]` to before `edges[b - 1]`.
    """

    def __init__(self, column: IntegerColumn | NumberColumn) -> None:
        self._column: Any = column
        self._dtype = np.float64 if isinstance(column, NumberColumn) else np.int64
        values, missing = self._values(slice(None))
        known = values[~missing][:: max(1, len(values) // _SAMPLE)]
        edges = _edges_of(known)
        self._edges = edges
        self._listed: list[Any] = edges.tolist()
        self._is_one_value = np.ones(len(edges) + 2, bool)
        """Whether all values of a bucket are its lowest."""
        self._is_one_value[1] = False  # it has no lowest
        self.codes = np.zeros(len(values), np.uint8)
        self.n_objects = 0
        self._write(slice(None), values, missing)

    def _values(self, where: Any) -> tuple[Array, Array]:
        values = np.frombuffer(self._column.values, self._dtype)[where]
        if isinstance(where, slice):
            values = values.copy()  # so that the buffer can grow again
        return values, np.isnan(values) if self._dtype is np.float64 else values == _MISSING_WORD

    def _write(self, where: Any, values: Array, missing: Array) -> None:
        codes = np.searchsorted(self._edges, values, "right") + 1
        codes[missing] = 0
        lows = np.concatenate((self._edges[:1], self._edges[:1], self._edges))[codes] if len(self._edges) else values
        self._is_one_value[np.unique(codes[(lows != values) & ~missing])] = False
        self.codes[where] = codes
        self.n_objects = len(self.codes)

    def renew(self, numbers: Array) -> bool:
        if self._column.values.__class__ is list:
            return False
        self.codes = longer(self.codes, int(numbers[-1]) + 1)
        self._write(numbers, *self._values(numbers))
        return True

    def told(self, cuts: Sequence[Any], truths: Sequence[int], missing: int) -> Told:
        """Return who may satisfy a condition.

        Args:
            cuts: ascending values at which its truth may change.
            truths: of values that have reached none of the cuts, the first, the first two, and so on.
            missing: of missing values.
        """
        edges, n_codes = self._listed, len(self._listed) + 2
        turns, unsure = bytearray(n_codes + 1), set()
        for place, cut in enumerate(cuts):
            if bool(truths[place]) == bool(truths[place + 1]):
                continue
            bucket = bisect_right(edges, cut) + 1
            if bucket >= 2 and edges[bucket - 2] == cut:
                turns[bucket] ^= 1
                continue
            turns[bucket + 1] ^= 1
            if not self._is_one_value[bucket]:
                unsure.add(bucket)
        table, truth = bytearray(n_codes), bool(truths[0])
        table[0] = bool(missing)
        for code in range(1, n_codes):
            truth ^= bool(turns[code])
            table[code] = truth or code in unsure
        bits = where(self.codes, table)
        if not unsure:
            return bits, None
        return bits, where(self.codes, bytes(code in unsure for code in range(n_codes)))

    @property
    def nbytes(self) -> int:
        return self.codes.nbytes


class CodeDigest:
    """Text, choices and booleans: the code of each value plus one, 0 being missing."""

    def __init__(self, column: CodedColumn | BooleanColumn, dtype: Any) -> None:
        self._column: Any = column
        self.codes = (self._taken(slice(None)) + 1).astype(dtype)
        self.n_objects = len(self.codes)

    @classmethod
    def of(cls, column: CodedColumn | BooleanColumn) -> CodeDigest | None:
        """Return the digest of a column; None if it has more distinct values than two bytes tell apart."""
        n_codes = len(column.dictionary.values) if isinstance(column, CodedColumn) else 2
        return cls(column, np.uint8 if n_codes < 2**8 - 1 else np.uint16) if n_codes <= _MOST_CODES else None

    def _taken(self, numbers: Any) -> Array:
        column = self._column
        if isinstance(column, BooleanColumn):
            found: Array = np.frombuffer(column.values, np.int8)[numbers]
        else:
            found = np.frombuffer(column.codes, np.int32)[numbers]
        return found

    def renew(self, numbers: Array) -> bool:
        codes = self._taken(numbers) + 1
        if codes.max() > np.iinfo(self.codes.dtype).max:
            return False
        self.codes = longer(self.codes, int(numbers[-1]) + 1)
        self.codes[numbers] = codes
        self.n_objects = len(self.codes)
        return True

    def told(self, truth_by_value: Mapping[Any, int], other: int, missing: int) -> Told:
        """Return who satisfies a condition, from its truth for the values that it names and for any other."""
        column = self._column
        if isinstance(column, BooleanColumn):
            code_by_value: Mapping[Any, int] = {False: 0, True: 1}
        else:
            code_by_value = column.dictionary.code_by_value
        n_codes = min(np.iinfo(self.codes.dtype).max, max(code_by_value.values(), default=0) + 1) + 1
        table = bytearray([other != 0]) * n_codes
        table[0] = missing != 0
        for value, truth in truth_by_value.items():
            code = code_by_value.get(value)
            if code is not None:
                table[code + 1] = truth != 0
        return where(self.codes, table), None

    @property
    def nbytes(self) -> int:
        return self.codes.nbytes


class SetDigest:
    """Sets: for each member a bitset of the objects that have it."""

    def __init__(self, column: CodedColumn, place_by_member: dict[str, int], bits: Array, n_objects: int) -> None:
        self._column = column
        self._place_by_member = place_by_member
        self._bits = bits
        self.n_objects = n_objects

    @classmethod
    def of(cls, column: CodedColumn) -> SetDigest | None:
        """Return the digest of a column; None if its sets have too many different members."""
        values = [members or () for members in column.dictionary.values]
        place_by_member: dict[str, int] = {}
        place_of = place_by_member.setdefault
        places = [place_of(member, len(place_by_member)) for member in chain.from_iterable(values)]
        if len(place_by_member) > _MOST_MEMBERS:
            return None
        owners = np.repeat(np.arange(len(values)), np.fromiter(map(len, values), np.int64, len(values)))
        has = np.zeros((len(place_by_member), len(values) + 1), bool)
        has[np.array(places, np.int64), owners] = True
        codes = np.frombuffer(column.codes, np.int32).copy()
        bits = np.array([packed(row[codes]) for row in has], np.uint64)
        return cls(column, place_by_member, bits.reshape(len(has), -(-len(codes) // 64)), len(codes))

    def renew(self, numbers: Array) -> bool:
        n_objects = max(self.n_objects, int(numbers[-1]) + 1)
        n_words = -(-n_objects // 64)
        if n_words > self._bits.shape[1]:
            bits = np.zeros((len(self._bits), n_words + n_words // 16), np.uint64)
            bits[:, : self._bits.shape[1]] = self._bits
            self._bits = bits
        self.n_objects = n_objects
        words, ones = numbers >> 6, np.uint64(1) << (numbers & 63).astype(np.uint64)
        for row in self._bits:
            np.bitwise_and.at(row, words, ~ones)
        for word, one, number in zip(words.tolist(), ones, numbers.tolist(), strict=True):
            for member in self._column.get(number):
                place = self._place_by_member.get(member)
                if place is None:
                    return False
                self._bits[place, word] |= one
        return True

    def told(self, wanted: frozenset[str], negated: bool, numbers: range | None = None) -> Told:
        """Return who has any of some members, or none of them: of all objects, or of a block of them."""
        first, last = (0, self.n_objects) if numbers is None else (numbers.start, numbers.stop)
        words = slice(first >> 6, -(-last // 64))
        places = [self._place_by_member[member] for member in wanted if member in self._place_by_member]
        bits: Array = np.zeros(words.stop - words.start, np.uint64)
        for place in places:
            bits |= self._bits[place, words]
        if negated:
            bits = ~bits
            if last % 64:
                bits[-1] &= np.uint64((1 << last % 64) - 1)  # there is no object past the last
        return bits, None

    @property
    def nbytes(self) -> int:
        return self._bits.nbytes


def where(codes: Array, table: bytes | bytearray) -> Array:
    """Return the bitset of the objects whose code a table of truths, one for each code, says yes to.

    >>> where(np.array([0, 1, 2, 3], np.uint8), bytes([0, 1, 1, 0])).tolist()
    [6]
    """
    truths = np.frombuffer(table, np.int8)
    steps = (np.flatnonzero(truths[1:] != truths[:-1]) + 1).tolist()
    if not steps:
        return packed(np.full(len(codes), bool(table[0])))
    holds = _test_of(codes.dtype, table, steps)
    bits = [packed(holds(codes[start : start + _CHUNK])) for start in range(0, len(codes), _CHUNK)]
    return bits[0] if len(bits) == 1 else np.concatenate(bits)


def _test_of(dtype: Any, table: bytes | bytearray, steps: list[int]) -> Callable[[Array], Array]:
    """Return what tells codes, given where the truth turns from one code to the next."""
    first = dtype.type(steps[0])
    if len(steps) == 1:
        return (lambda codes: codes < first) if table[0] else (lambda codes: codes >= first)
    if len(steps) == 2:
        width = dtype.type(steps[1] - steps[0])
        if width == 1:
            return (lambda codes: codes != first) if table[0] else (lambda codes: codes == first)
        if table[0]:
            return lambda codes: codes - first >= width  # wraps around, for codes below
        return lambda codes: codes - first < width
    if dtype == np.uint8:
        every = bytes(table).ljust(256, b"\0")
        return lambda codes: np.frombuffer(codes.tobytes().translate(every), bool)
    truths = np.frombuffer(table, bool)
    chosen = [dtype.type(code) for code in np.flatnonzero(truths).tolist()]
    if len(chosen) > _FEW_VALUES:
        return lambda codes: truths[codes]
    return lambda codes: np.logical_or.reduce([codes == code for code in chosen])


def _edges_of(known: Array) -> Array:
    """Return where to cut values: into equal shares, and around those that are frequent."""
    distinct, counts = np.unique(known, return_counts=True)
    if len(distinct) <= _MOST_EDGES:
        return distinct
    shares = np.sort(known)[np.linspace(0, len(known) - 1, _MOST_EDGES // 2).astype(np.int64)]
    frequent = np.argsort(-counts)[: _MOST_EDGES // 4]
    after = np.minimum(frequent + 1, len(distinct) - 1)
    edges: Array = np.unique(np.concatenate((shares, distinct[frequent], distinct[after])))
    return edges


def longer(codes: Array, n_objects: int) -> Array:
    """Return codes for so many objects, those of new ones being 0."""
    return codes if n_objects <= len(codes) else np.concatenate((codes, np.zeros(n_objects - len(codes), codes.dtype)))


__all__ = ["CodeDigest", "Digest", "Digests", "OrderedDigest", "SetDigest", "Told", "longer", "where"]

"""Columns of pyarrow, read without making a Python object for each value.

Where a column's type does not say for sure what `ValueType.convert` would make of its values, there is no
shortcut here: an instant without zone, a number finer than what is declared, anything nested but lists of text.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from segmentkit.index._bulk_bitmaps import Array
from segmentkit.index._bulk_values import Coded, Pairs, Values, Words, checked_codes, days_of, from_numpy, micros_of
from segmentkit.values import ValueType, text

_BITS = 62  # of a word that has no sign
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def from_arrow(value_type: ValueType, column: Any) -> Values | None:
    """Return the values of an array or chunked array of pyarrow; None: no shortcut."""
    import pyarrow as pa

    column = _in_one(column)
    kind, found = value_type.kind, column.type
    missing = _nulls(column)
    if value_type.is_text:
        return _text(value_type, column)
    if kind == "text_set" and (pa.types.is_list(found) or pa.types.is_large_list(found)):
        return _sets(column)
    if kind == "point" and (pa.types.is_list(found) or pa.types.is_fixed_size_list(found)):
        return _points(column, missing)
    if kind == "instant" and pa.types.is_timestamp(found) and found.tz is not None:
        return _instants(column, missing)
    if kind == "date" and pa.types.is_date32(found):
        return days_of(_zero_filled(column, pa.int32()), missing)
    if kind == "decimal" and pa.types.is_decimal128(found) and found.scale >= 0:
        return _decimals(column, missing)
    if pa.types.is_boolean(found):
        return from_numpy(value_type, column.fill_null(False).to_numpy(zero_copy_only=False), missing)
    if pa.types.is_integer(found) or pa.types.is_float32(found) or pa.types.is_float64(found):
        return from_numpy(value_type, column.fill_null(0).to_numpy(zero_copy_only=False), missing)
    return None


def places_in(known: Sequence[str | None], column: Any) -> Array | None:
    """Return where each text of a column stands among distinct ones that are known; None if one does not.

    It takes two thirds of what finding the distinct ones of a long column does (`bench_bulk`, loading).
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return None
    found = pc.index_in(_in_one(column), pa.array(known, column.type), skip_nulls=True)
    return None if found.null_count else found.to_numpy()


def _in_one(column: Any) -> Any:
    """Return a column as one array."""
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # several chunks, or none, in some versions
            column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    return column


def _nulls(column: Any) -> Array:
    if not column.null_count:
        return np.zeros(len(column), bool)
    nulls: Array = column.is_null().to_numpy(zero_copy_only=False)
    return nulls


def _zero_filled(column: Any, word_type: Any) -> Array:
    values: Array = column.view(word_type).fill_null(0).to_numpy(zero_copy_only=False)
    return values


def _text(value_type: ValueType, column: Any) -> Coded | None:
    import pyarrow as pa

    found = column.type
    if not pa.types.is_dictionary(found):
        if not (pa.types.is_string(found) or pa.types.is_large_string(found)):
            if not hasattr(pa.types, "is_string_view") or not pa.types.is_string_view(found):
                return None
            column = column.cast(pa.large_string())
        column = column.dictionary_encode()
    values = column.dictionary
    if values.null_count or not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return None
    codes = column.indices.cast(pa.int32()).fill_null(-1).to_numpy(zero_copy_only=False)
    distinct = values.to_pylist()
    if len(set(distinct)) < len(distinct):
        return None
    return checked_codes(value_type, codes, distinct)


def _sets(column: Any) -> Coded | None:
    """Return sets, each distinct row of members converted once."""
    import pyarrow as pa

    members = column.values
    if not (pa.types.is_string(members.type) or pa.types.is_large_string(members.type)) or members.null_count:
        return None
    encoded = members.dictionary_encode()
    names = encoded.dictionary.to_pylist()
    if not _are_plain(names):
        return None
    codes = encoded.indices.cast(pa.int32()).to_numpy(zero_copy_only=False)
    offsets = column.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
    missing = _nulls(column)
    if len(names) <= _BITS:
        return _sets_of_few(names, codes, offsets, missing)
    words, ends = codes.tobytes(), (4 * offsets).tolist()
    code_by_row: dict[bytes, int] = {}
    rows = [code_by_row.setdefault(words[start:end], len(code_by_row)) for start, end in pairwise(ends)]
    found = np.where(missing, -1, np.array(rows, np.int32))
    distinct: dict[Any, int] = {}  # the same members in another order are the same set
    sets = (frozenset([names[code] for code in array("i", row)]) for row in code_by_row)
    again = [distinct.setdefault(members, len(distinct)) for members in sets]
    return Coded(np.array([*again, -1], np.int32)[found], list(distinct))


def _sets_of_few(names: list[str], codes: Array, offsets: Array, missing: Array) -> Coded:
    """Return sets of few different members: each is a word with a bit for each of its members."""
    words = np.zeros(len(offsets) - 1, np.int64)
    filled = np.flatnonzero(np.diff(offsets))
    if len(filled):
        bits = np.int64(1) << codes[: offsets[-1]].astype(np.int64)
        words[filled] = np.bitwise_or.reduceat(bits, offsets[filled])
    words[missing] = 0
    patterns, found = np.unique(words, return_inverse=True)
    rows, bits = np.nonzero(patterns[:, None] >> np.arange(len(names)) & 1)
    members, ends = [names[bit] for bit in bits.tolist()], np.searchsorted(rows, np.arange(len(patterns) + 1)).tolist()
    sets = [frozenset(members[start:end]) for start, end in pairwise(ends)]
    return Coded(np.where(missing, -1, found).astype(np.int32), sets)


def _are_plain(members: list[str]) -> bool:
    try:
        for member in members:
            text.convert(member)
    except ValueError:
        return False
    return True


def _points(column: Any, missing: Array) -> Pairs | None:
    """Return points in lists of two doubles."""
    import pyarrow as pa

    if pa.types.is_fixed_size_list(column.type):
        if column.type.list_size != 2:
            return None
    elif len(column) and not (np.diff(column.offsets.to_numpy(zero_copy_only=False)) == np.where(missing, 0, 2)).all():
        return None
    parts = column.flatten()
    if parts.null_count or not pa.types.is_float64(parts.type):
        return None
    known = parts.to_numpy(zero_copy_only=False).reshape(-1, 2)
    if len(known) != len(column) - int(missing.sum()) or not (np.abs(known) <= (90.0, 180.0)).all():
        return None
    pairs = np.full((len(column), 2), np.nan)
    pairs[~missing] = known
    return Pairs(pairs)


def _instants(column: Any, missing: Array) -> Words | None:
    import pyarrow as pa

    values = _zero_filled(column, pa.int64())
    per_second = _PER_SECOND[column.type.unit]
    if per_second > 1_000_000:
        if (values % 1_000).any():
            return None  # finer than a microsecond
        return micros_of(values // 1_000, missing)
    factor = 1_000_000 // per_second
    if len(values) and max(int(values.max()), -int(values.min())) >= 2**62 // factor:
        return None
    return micros_of(values * factor, missing)


def _decimals(column: Any, missing: Array) -> Words | None:
    """Return decimals that fit a machine word."""
    buffer = column.buffers()[1]
    if buffer is None:
        return None
    halves = np.frombuffer(buffer, np.int64)[2 * column.offset : 2 * (column.offset + len(column))].reshape(-1, 2)
    low, high = np.where(missing, 0, halves[:, 0]), np.where(missing, 0, halves[:, 1])
    if (high != low >> 63).any() or (low == -(2**63)).any():
        return None
    return Words(low, missing, places=column.type.scale)

"""Tables of other libraries, taken apart into columns.

A frame is a mapping of columns, or anything that speaks Arrow's C stream interface: tables and readers
of pyarrow, data frames of polars and pandas, relations of DuckDB. A column is a list, a numpy array
or an array of pyarrow; `segmentkit.index._bulk_values` reads all three.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from segmentkit.errors import DataError, MissingExtraError, repr_of

__all__ = ["columns_of", "host_values"]


def columns_of(frame: Any) -> dict[str, Any]:
    """Return the columns of a frame by name, all of the same length.

    Raises:
        DataError: it is no frame, or its columns differ in length.
        MissingExtraError: it speaks Arrow, and pyarrow is not installed.

    >>> columns_of({"id": ("c1", "c2"), "orders": [5, None]})
    {'id': ['c1', 'c2'], 'orders': [5, None]}
    """
    if isinstance(frame, Mapping):
        columns = {name: _column(name, column) for name, column in frame.items()}
        lengths = {len(column) for column in columns.values()}
        if len(lengths) > 1:
            found = ", ".join(f"{name!r} has {len(column):,}" for name, column in columns.items())
            raise DataError(f"the columns of a frame have to be of the same length: {found}")
        return columns
    if hasattr(frame, "__arrow_c_stream__") or hasattr(frame, "__arrow_c_array__"):
        arrow = _pyarrow()
        try:
            table = arrow.table(frame)
        except arrow.ArrowInvalid as error:  # an array that is no table
            raise DataError(f"the frame is no table: {error}") from None
        names = table.column_names
        if len(set(names)) < len(names):
            raise DataError(f"a column of the frame comes twice: {', '.join(map(repr, names))}")
        return dict(zip(names, table.columns, strict=True))
    raise DataError(
        "expected a mapping of columns, or a table that speaks Arrow (pyarrow, polars, pandas, a DuckDB relation), "
        f"got {type(frame).__name__}"
    )


def _column(name: Any, column: Any) -> Any:
    if not isinstance(name, str):
        raise DataError(f"the name of a column has to be text, got {repr_of(name)} ({type(name).__name__})")
    if hasattr(column, "__arrow_c_stream__") or hasattr(column, "__arrow_c_array__"):
        return _pyarrow().chunked_array(column) if hasattr(column, "__arrow_c_stream__") else _pyarrow().array(column)
    if type(column).__module__ == "numpy" and getattr(column, "ndim", 0) == 1:
        return column
    if (
        isinstance(column, str | bytes | Mapping)
        or not isinstance(column, Iterable)
        or getattr(column, "shape", None) == ()
    ):
        raise DataError(f"column {repr_of(name)}: expected a list or an array, got {type(column).__name__}")
    return list(column)


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError:
        raise MissingExtraError(
            "reading Arrow tables needs pyarrow; install it with: pip install 'segmentkit[parquet]'"
        ) from None
    return pyarrow


def host_values(column: Any) -> list[Any]:
    """Return the values of a column as the Python objects that `apply` would be given.

    >>> import numpy as np
    >>> host_values(np.array([1.5, 2.0]))
    [1.5, 2.0]
    """
    if isinstance(column, list):
        return column
    if hasattr(column, "to_pylist"):
        try:
            values: list[Any] = column.to_pylist()
        except (ValueError, OverflowError):  # an instant too fine or too far for Python stays what it is
            return [_scalar(value) for value in column]
        return values
    if column.dtype.kind in "mM":
        return list(column)  # as integers they would pass for numbers
    listed: list[Any] = column.tolist()
    return listed


def _scalar(value: Any) -> Any:
    try:
        return value.as_py()
    except (ValueError, OverflowError):
        return value

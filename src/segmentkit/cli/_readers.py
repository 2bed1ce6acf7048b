"""Data files as rows: CSV, JSON lines and Parquet, plain or gzipped.

The end of the name says the format (``.csv``, ``.jsonl``, ``.ndjson``, ``.parquet``, each
also with ``.gz``); whether the content is compressed is seen from its first bytes. Rows come
lazily, in the order of the file, with their values as the format has them.

Row numbers are the ones a person would look for: the row of a spreadsheet for CSV (the
header is row 1, blank rows count), the line for JSON lines, the record from 1 for Parquet.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import attrs

from segmentkit.cli._failure import Failure
from segmentkit.errors import MissingExtraError

_FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
_MAX_CELL = 1 << 20


@attrs.frozen
class Row:
    """One record: its number, and its values by column; `problem` says why there are none."""

    number: int
    values: dict[str, Any]
    problem: str = ""


@attrs.frozen
class Table:
    """A file that is being read.

    `columns` are known before the first row, but for JSON lines, where each row has its own.
    `is_text` says that all values are text or None.
    """

    columns: tuple[str, ...] | None
    rows: Iterator[Row]
    is_text: bool = False


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """Open a data file; its rows can be read inside the `with` block.

    Raises:
        Failure: there is no such file, its name says no known format, or its content is not what the name says.
        MissingExtraError: Parquet, without the extra.
    """
    kind = _format_of(path)
    try:
        with ExitStack() as stack:
            raw = stack.enter_context(path.open("rb"))
            is_gzip = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            content: Any = stack.enter_context(gzip.GzipFile(fileobj=raw)) if is_gzip else raw
            if kind == "parquet":
                yield _read_parquet(path, io.BytesIO(content.read()) if is_gzip else raw)
            else:
                lines = stack.enter_context(io.TextIOWrapper(content, encoding="utf-8-sig", newline=""))
                yield _read_csv(path, lines) if kind == "csv" else Table(None, _json_rows(lines))
    except UnicodeDecodeError as error:
        raise Failure(f"{path}: not text in UTF-8 ({error.reason} at byte {error.start:,} of a block)") from None
    except (OSError, EOFError) as error:
        raise Failure(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None


def _format_of(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    kind = _FORMATS.get(suffixes[-1] if suffixes else "")
    if kind is None:
        raise Failure(f"{path}: the name says no known format; name it {', '.join(_FORMATS)}, each also with .gz")
    return kind


def _read_csv(path: Path, lines: TextIO) -> Table:
    csv.field_size_limit(_MAX_CELL)
    records = csv.reader(lines, strict=True)
    try:
        header = next(records, None)
    except csv.Error as error:
        raise Failure(f"{path}, row 1: {error}") from None
    if not header:
        raise Failure(f"{path}: no header; the first row has to name the columns")
    return Table(tuple(header), _csv_rows(header, records), is_text=True)


def _csv_rows(header: list[str], records: Iterator[list[str]]) -> Iterator[Row]:
    number = 1
    width = len(header)
    while True:
        number += 1
        try:
            cells = next(records)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(number, {}, f"not CSV: {error}")
            return  # where the next row begins is anyone's guess
        if len(cells) == width:
            yield Row(number, {column: cell or None for column, cell in zip(header, cells, strict=True)})
        elif cells:
            yield Row(number, {}, f"expected {width} columns as in the header, got {len(cells)}")


def _json_rows(lines: TextIO) -> Iterator[Row]:
    decoder = json.JSONDecoder(
        parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_refuse_duplicates
    )
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            values = decoder.decode(line.strip())
        except (ValueError, RecursionError) as error:
            yield Row(number, {}, f"not a JSON object: {error}")
            continue
        if isinstance(values, dict):
            yield Row(number, values)
        else:
            yield Row(number, {}, f"expected a JSON object, got {line.strip()[:40]!r}")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands there twice")
    return values


def _read_parquet(path: Path, content: BinaryIO) -> Table:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtraError(
            f"reading {path} needs pyarrow; install it with: pip install 'segmentkit[parquet]'"
        ) from None
    try:
        file = parquet.ParquetFile(content)
    except pyarrow.ArrowException as error:
        raise Failure(f"{path}: not a Parquet file: {error}") from None
    return Table(tuple(file.schema_arrow.names), _parquet_rows(path, file))


def _parquet_rows(path: Path, file: Any) -> Iterator[Row]:
    number = 0
    for batch in file.iter_batches():
        try:
            records = batch.to_pylist()
        except ValueError as error:
            raise Failure(f"{path}, rows {number + 1:,} to {number + len(batch):,}: {error}") from None
        for values in records:
            number += 1
            yield Row(number, values)

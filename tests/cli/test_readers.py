from __future__ import annotations

import gzip
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from segmentkit.cli._failure import Failure
from segmentkit.cli._readers import Row, open_table
from segmentkit.errors import MissingExtraError


def rows_of(path: Path) -> list[Row]:
    with open_table(path) as table:
        return list(table.rows)


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_csv_rows_carry_the_numbers_that_a_spreadsheet_shows(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", 'id,note\na,"two\nlines"\n\nb,\n')
    assert rows_of(path) == [Row(2, {"id": "a", "note": "two\nlines"}), Row(4, {"id": "b", "note": None})]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.CSV.GZ"])
def test_compression_is_seen_from_the_content_not_from_the_name(tmp_path: Path, name: str) -> None:
    content = b"id\na\n"
    assert rows_of(written(tmp_path, name, gzip.compress(content))) == rows_of(written(tmp_path, "plain.csv", content))


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_data(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "\ufeffid,n\r\na,1\r\n")
    assert rows_of(path) == [Row(2, {"id": "a", "n": "1"})]


def test_a_csv_row_of_another_width_is_a_problem_of_that_row_only(tmp_path: Path) -> None:
    rows = rows_of(written(tmp_path, "a.csv", "id,n\na\nb,1\nc,1,2\n"))
    assert [row.problem for row in rows] == [
        "expected 2 columns as in the header, got 1",
        "",
        "expected 2 columns as in the header, got 3",
    ]


def test_a_quote_that_never_ends_is_a_problem_with_its_row(tmp_path: Path) -> None:
    (row,) = rows_of(written(tmp_path, "a.csv", 'id\n"a\nb\n'))
    assert row.number == 2
    assert row.problem.startswith("not CSV")


def test_a_csv_file_without_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no header"):
        rows_of(written(tmp_path, "a.csv", ""))


def test_json_numbers_are_exact_and_other_types_their_own(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", '{"id": "a", "n": 0.1, "k": 3, "b": true, "x": null}\n\n{"id": "b"}\n')
    assert rows_of(path) == [
        Row(1, {"id": "a", "n": Decimal("0.1"), "k": 3, "b": True, "x": None}),
        Row(3, {"id": "b"}),
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "not a JSON object"),
        ("[1]", "expected a JSON object"),
        ('{"n": NaN}', "NaN is not a number"),
        ('{"n": 1, "n": 2}', "'n' stands there twice"),
        ('{"n": ' + "[" * 100_000, "not a JSON object"),
    ],
)
def test_a_broken_json_line_is_a_problem_of_that_line_only(tmp_path: Path, line: str, problem: str) -> None:
    broken, fine = rows_of(written(tmp_path, "a.jsonl", line + '\n{"id": "a"}\n'))
    assert problem in broken.problem
    assert fine == Row(2, {"id": "a"})


@pytest.mark.parametrize("compress", [False, True])
def test_parquet_rows_have_the_types_of_the_file(tmp_path: Path, compress: bool) -> None:
    values: dict[str, list[Any]] = {
        "id": ["a", "b"],
        "at": [datetime(2026, 11, 22, tzinfo=UTC), None],
        "amount": [Decimal("19.90"), Decimal("0.00")],
        "day": [date(2026, 11, 22), None],
        "tags": [["vip"], []],
    }
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table(values), path)
    if compress:
        path = written(tmp_path, "a.parquet.gz", gzip.compress(path.read_bytes()))
    first, second = rows_of(path)
    assert first == Row(1, {name: column[0] for name, column in values.items()})
    assert second == Row(2, {name: column[1] for name, column in values.items()})


def test_parquet_without_its_extra_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'segmentkit\[parquet\]'"):
        rows_of(written(tmp_path, "a.parquet", b"PAR1"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xlsx", b"", "the name says no known format"),
        ("a.gz", gzip.compress(b"id\n", mtime=0), "the name says no known format"),
        ("a.csv", b"id\n\xff\xfe\n", "not text in UTF-8"),
        ("a.csv.gz", gzip.compress(b"id\na\n" * 1000, mtime=0)[:-20], "cannot read"),
        ("a.parquet", b"id\na\n", "not a Parquet file"),
    ],
    ids=["no such format", "no format", "not UTF-8", "cut off", "not Parquet"],
)
def test_a_file_that_is_not_what_its_name_says_is_one_clear_message(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = written(tmp_path, name, content)
    with pytest.raises(Failure, match=message) as caught:
        rows_of(path)
    assert str(path) in caught.value.message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"cannot read .*none\.csv: No such file"):
        rows_of(tmp_path / "none.csv")

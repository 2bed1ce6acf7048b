"""What the command line prints on stdout: tables for people, JSON lines for programs.

With `--format json` every line is one JSON object with a `kind`: the deltas first, if they
were asked for, and one summary as the last line. Instants are ISO 8601 in UTC.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from segmentkit.index.deltas import Delta

SAMPLE = 4
"""How many ids a table shows."""
_MAX_NAME = 36


@attrs.frozen
class SegmentRow:
    """One segment in the summary: `n_objects` is how many objects its type has."""

    name: str
    object_type: str
    n_members: int
    n_objects: int
    sample: tuple[str, ...]

    @property
    def share(self) -> float:
        """Members among the objects of the type, 0 when there are none."""
        return self.n_members / self.n_objects if self.n_objects else 0.0


def instant_text(at: datetime) -> str:
    """Return an aware datetime in UTC as ISO 8601 with Z.

    >>> from datetime import UTC
    >>> instant_text(datetime(2026, 11, 22, tzinfo=UTC))
    '2026-11-22T00:00:00Z'
    """
    return at.isoformat().replace("+00:00", "Z")


def print_json(kind: str, **fields: Any) -> None:
    """Print one line of JSON."""
    print(json.dumps({"kind": kind, **fields}, ensure_ascii=False))


def print_deltas(deltas: Iterable[Delta], *, as_json: bool) -> None:
    """Print each delta as a line."""
    for delta in deltas:
        if as_json:
            print_json(
                "delta",
                seq=delta.seq,
                at=instant_text(delta.at),
                segment=delta.segment,
                object=delta.object,
                entered=delta.entered,
            )
        else:
            print(f"{instant_text(delta.at)} {'+' if delta.entered else '-'} {delta.object} {delta.segment}")


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """Print columns under headings, numbers (the columns in `right`) to the right; no line ends in blanks.

    >>> print_table(["segment", "members"], [["New", "12"], ["Retention", "5"]], right=[1])
    segment    members
    New             12
    Retention        5
    """
    cells = [list(headings), *(list(row) for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headings))]
    for row in cells:
        line = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(line).rstrip())


def clip(name: str, width: int = _MAX_NAME) -> str:
    """Return the text in at most `width` characters.

    >>> clip("Bought in the last 30 days", 12)
    'Bought in...'
    """
    return name if len(name) <= width else name[: width - 3] + "..."


def ids_text(ids: Sequence[str], n: int) -> str:
    """Return the first ids, and dots when there are more.

    >>> ids_text(["a", "b", "c", "d"], 5)
    'a b c d ...'
    """
    shown = " ".join(clip(object_id, 24) for object_id in ids[:SAMPLE])
    return f"{shown} ..." if n > SAMPLE else shown


def print_segments(rows: Sequence[SegmentRow], charts: Mapping[str, tuple[int, str]] | None = None) -> None:
    """Print the table of segments; `charts` has, for each name, its largest size and the line that shows its sizes."""
    headings = ["segment", "on", "members", "share", *(["peak", "size over time"] if charts else ["ids"])]
    table = []
    for row in rows:
        cells = [clip(row.name), row.object_type, f"{row.n_members:,}", f"{row.share:.1%}"]
        if charts:
            peak, line = charts[row.name]
            cells += [f"{peak:,}", line]
        else:
            cells.append(ids_text(row.sample, row.n_members))
        table.append(cells)
    if len({row.object_type for row in rows}) == 1:
        for cells in (headings, *table):
            del cells[1]
    right = [i for i, heading in enumerate(headings) if heading in ("members", "share", "peak")]
    print_table(headings, table, right=right)


def plural(n: int, noun: str) -> str:
    """Return the count with its noun.

    >>> plural(1, "event"), plural(23570, "customer")
    ('1 event', '23,570 customers')
    """
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def width_of_stdout() -> int:
    """How many characters a line may have; 100 where nobody says."""
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100

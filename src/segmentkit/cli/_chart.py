"""Small charts for a terminal: one line of text for one series of counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_ASCII: Final = "_.-:=+*#"


def can_draw_blocks(encoding: str | None) -> bool:
    """Whether a stream with this encoding can show block characters.

    >>> can_draw_blocks("utf-8"), can_draw_blocks("ascii"), can_draw_blocks(None)
    (True, False, False)
    """
    try:
        _BLOCKS.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def sparkline(series: Sequence[int], width: int, *, blocks: bool = True) -> str:
    """Return the series as one line of at most `width` characters, from zero to its largest value.

    A series longer than `width` is cut into `width` equal stretches, each shown by its last
    value. Zero is always the lowest mark and anything above zero a higher one.

    >>> sparkline([0, 1, 4, 8], 10)
    '▁▂▅█'
    >>> sparkline([0, 1, 4, 8], 2, blocks=False)
    '.#'
    """
    marks = _BLOCKS if blocks else _ASCII
    points = resample(series, width)
    top = max(points, default=0)
    highest = len(marks) - 1
    return "".join(marks[0 if point <= 0 else max(1, round(point / top * highest))] for point in points)


def resample(series: Sequence[int], width: int) -> list[int]:
    """Return at most `width` values: the last one of each of `width` equal stretches.

    >>> resample([1, 2, 3, 4, 5, 6], 3)
    [2, 4, 6]
    """
    n = len(series)
    if n <= width:
        return list(series)
    return [series[(i + 1) * n // width - 1] for i in range(max(1, width))]

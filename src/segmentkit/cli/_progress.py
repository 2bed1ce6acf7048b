"""A progress bar on stderr, where somebody is looking at it."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

Progress = Callable[[int, int, str], None]
"""Called with what is done, the total, and a word on where we are, as often as one likes."""

_REDRAW_S = 0.1


@contextmanager
def progress_bar(label: str, stream: TextIO | None = None) -> Iterator[Progress]:
    """Give a `Progress` that draws on `stream` (default stderr) when that is a terminal, and is removed at the end."""
    stream = stream or sys.stderr
    if not stream.isatty():
        yield _ignore
        return
    bar = _Bar(label, stream)
    try:
        yield bar
    finally:
        bar.clear()


def _ignore(_done: int, _total: int, _where: str) -> None:
    """Draw nothing."""


class _Bar:
    """Redraws itself in place, at most ten times a second."""

    def __init__(self, label: str, stream: TextIO) -> None:
        self._label = label
        self._stream = stream
        self._drawn_at = float("-inf")
        self._length = 0

    def __call__(self, done: int, total: int, where: str = "") -> None:
        moment = time.monotonic()
        if moment - self._drawn_at < _REDRAW_S and done < total:
            return
        self._drawn_at = moment
        line = bar_line(self._label, done, total, where, shutil.get_terminal_size().columns - 1)
        self._stream.write("\r" + line.ljust(self._length))
        self._stream.flush()
        self._length = len(line)

    def clear(self) -> None:
        """Wipe the line."""
        self._stream.write("\r" + " " * self._length + "\r")
        self._stream.flush()


def bar_line(label: str, done: int, total: int, where: str, width: int) -> str:
    """Return the bar as text of at most `width` characters.

    >>> bar_line("replay", 5, 10, "1997-03-01", 50)
    'replay [##########----------]  50 % 1997-03-01'
    """
    share = min(1.0, done / total) if total else 1.0
    cells = max(5, min(20, width - len(label) - len(where) - 10))
    filled = round(share * cells)
    line = f"{label} [{'#' * filled}{'-' * (cells - filled)}] {round(share * 100):>3} % {where}"
    return line[: max(0, width)]

"""The one exception of the command line, for what went wrong outside of the library."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class Failure(Exception):  # noqa: N818 - `main` shows it as a message; nobody else sees it
    """The command cannot go on; `message` may have several lines, `status` is the exit status."""

    def __init__(self, message: str, status: int = 2) -> None:
        self.message = message
        self.status = status
        super().__init__(message)


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for the closest of the known names, or "".

    >>> suggestion("ammount", ["amount", "cds"])
    "; did you mean 'amount'?"
    """
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""

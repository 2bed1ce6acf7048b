"""Regular expressions of RE2: searched for in time linear in the text, whatever the pattern.

Python's own `re` is no substitute: it backtracks, so that one pattern can stop an engine. RE2
comes with the extra `segmentkit[regex]` and is imported when the first pattern is read.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from segmentkit.errors import MissingExtraError

__all__ = ["INSTALL", "is_found", "problem"]

INSTALL: Final = "pip install 'segmentkit[regex]'"
"""What brings RE2."""

_LOOKS_AROUND: Final = ("(?=", "(?!", "(?<=", "(?<!")


def problem(pattern: str, ignoring_case: bool) -> tuple[str, str] | None:
    """Return why a pattern cannot be used, and what to do, or None if it can."""
    try:
        re2 = _re2()
    except MissingExtraError:
        return "'matches' needs RE2, which is not installed", INSTALL
    try:
        _compiled(pattern, ignoring_case)
    except re2.error as error:
        (reason,) = error.args
        said = reason.decode() if isinstance(reason, bytes) else str(reason)
        return f"not a regular expression of RE2: {said}", _hint(said)
    return None


def _hint(said: str) -> str:
    if any(said.endswith(start) for start in _LOOKS_AROUND):
        return "RE2 does not look ahead or behind; join two conditions with 'and' or 'and not'"
    if said.startswith("invalid escape sequence") and said[-1].isdigit():
        return "RE2 has no references back to a group"
    return ""


def is_found(pattern: str, ignoring_case: bool, text: str) -> bool:
    """Return whether the pattern is found anywhere in the text.

    Raises:
        MissingExtraError: RE2 is not installed.

    Cost:
        Linear in the text. Compiling is done once for each of the latest thousand patterns.
    """
    return _compiled(pattern, ignoring_case).search(text) is not None


def _re2() -> Any:
    try:
        import re2

        re2.Options  # noqa: B018  # another package of the same name has none
    except (ImportError, AttributeError):
        raise MissingExtraError(f"'matches' needs RE2, which is not installed; {INSTALL}") from None
    return re2


@lru_cache(maxsize=1_024)
def _compiled(pattern: str, ignoring_case: bool) -> Any:
    re2 = _re2()
    options = re2.Options()
    options.case_sensitive = not ignoring_case
    options.log_errors = False  # RE2 would write to the standard error
    return re2.compile(pattern, options)

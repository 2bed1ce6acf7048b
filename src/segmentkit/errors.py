"""Every exception segmentkit raises, and how their messages show a value.

::

    SegmentKitError
    ├── DefinitionError            a filter or a definition is wrong; nothing was defined
    │   ├── FilterSyntaxError      (ValueError) the text is not in the language
    │   ├── FilterTypeError        (TypeError)  all problems of a filter against its schema
    │   ├── UnknownNameError       (LookupError) a segment, type, attribute or event nobody declared
    │   ├── CycleError             (ValueError) segments that refer to each other in a circle
    │   └── FormError              (ValueError) a filter in another form, such as JSON, cannot be read or written
    ├── SchemaError                (ValueError) the schema contradicts itself
    ├── DataError                  (ValueError) a fact was refused; its batch changed nothing
    ├── ClockError                 (ValueError) an instant is naive, or time would go back
    ├── LimitError                 (ValueError) something is larger than its declared limit
    ├── ArgumentError              (TypeError, ValueError) a call got something that it cannot take
    ├── StoreError                 (RuntimeError) a store failed or holds something else than expected
    └── MissingExtraError          (ImportError) an optional package is needed; says how to install it

Each error is also the builtin that a Python user would expect. The parts of a message
are in fields, so nobody needs to read them out of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import attrs

__all__ = [
    "ArgumentError",
    "ClockError",
    "CycleError",
    "DataError",
    "DefinitionError",
    "FilterSyntaxError",
    "FilterTypeError",
    "FormError",
    "LimitError",
    "MissingExtraError",
    "Problem",
    "SchemaError",
    "SegmentKitError",
    "StoreError",
    "UnknownNameError",
]


def repr_of(value: object, limit: int = 100) -> str:
    """Return a value as a message shows it: short, and whatever the value is.

    >>> repr_of("abc"), repr_of(10**5000), repr_of("a" * 1000, 20)
    ("'abc'", 'a very large int', "'aaaaaaaaaaaaaaaa...")
    """
    if type(value) is str or type(value) is bytes:
        value = value[: limit + 1]  # what is beyond is not shown, and may be much
    try:
        found = repr(value)
    except Exception as error:  # it may run the host's code, which may do anything
        if isinstance(error, ValueError | RecursionError) and type(value).__module__ == "builtins":
            return f"a very large {type(value).__name__}"  # no number of so many digits is written, nothing that deep
        return f"a {type(value).__name__} whose repr() fails"
    return found if len(found) <= limit else found[: limit - 3] + "..."


def closest(name: object, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant, if one is near.

    >>> closest("ammount", ["amount", "cds"])
    'amount'
    """
    from difflib import get_close_matches

    if not isinstance(name, str) or len(name) > _LONGEST_MISSPELT:
        return None
    return next(iter(get_close_matches(name, list(known), n=1)), None)


_LONGEST_MISSPELT: Final = 250  # names have up to 200 characters, and the search takes their product


class SegmentKitError(Exception):
    """The root: catch it to catch everything that segmentkit raises on purpose."""


_HALF_PAIR = re.compile("[\ud800-\udfff]")


@attrs.frozen
class Problem:
    """One thing that is wrong with a filter, and where.

    `start` and `end` are offsets into the source text; `line` and `column` count from 1.
    `hint` says what to do, or is empty. `pointer` is the place in JSON (RFC 6901; "" is the whole
    document) where there is no text to point into, and None otherwise.
    """

    message: str
    start: int = 0
    end: int = 0
    line: int = 1
    column: int = 1
    hint: str = ""
    pointer: str | None = None

    @classmethod
    def at(cls, message: str, source: str, start: int, end: int, hint: str = "") -> Problem:
        """Return the problem of `source[start:end]`, with line and column worked out."""
        line = source.count("\n", 0, start) + 1
        column = start - (source.rfind("\n", 0, start) + 1) + 1
        return cls(message, start, end, line, column, hint)

    def render(self, source: str, origin: str = "") -> str:
        """Return message, source line, caret and hint, the way a compiler prints them."""
        head = f"{origin}, " if origin else ""
        if self.pointer is not None:
            report = f"{head}at {self.pointer or 'the top'}: {self.message}"
            return f"{report}\n{self.hint}" if self.hint else report
        lines = source.split("\n")
        text = lines[self.line - 1].rstrip("\r") if self.line <= len(lines) else ""
        offset = min(self.column - 1, len(text))
        width = max(1, min(self.end - self.start, len(text) - offset))
        text = _HALF_PAIR.sub("\ufffd", text)  # or the message could not be printed
        if len(text) > 160:  # keep a screen's width around the caret of a very long line
            cut = max(0, offset - 60)
            text, offset = text[cut : cut + 160], offset - cut
            width = min(width, 160 - offset)
        margin = "".join(c if c == "\t" else " " for c in text[:offset])
        caret = "^" * max(1, width)
        report = f"{head}line {self.line}, column {self.column}: {self.message}\n    {text}\n    {margin}{caret}"
        return f"{report}\n{self.hint}" if self.hint else report


class DefinitionError(SegmentKitError):
    """A filter cannot be used; `problems` has every finding, in the order of the text."""

    def __init__(self, problems: Sequence[Problem], source: str = "", origin: str = "") -> None:
        self.problems = tuple(problems)
        self.source = source
        self.origin = origin
        super().__init__("\n".join(problem.render(source, origin) for problem in self.problems))

    def __reduce__(self) -> tuple[Any, ...]:  # the one of exceptions would call the class with the message alone
        return _again, (type(self), str(self), self.__dict__.copy())

    @property
    def line(self) -> int:
        """Line of the first problem, from 1."""
        return self.problems[0].line

    @property
    def column(self) -> int:
        """Column of the first problem, from 1."""
        return self.problems[0].column


def _again(kind: type[DefinitionError], message: str, parts: dict[str, Any]) -> DefinitionError:
    """Return a copy of an error, such as one that came from another process."""
    error = kind.__new__(kind, message)
    error.__dict__.update(parts)
    return error


class FilterSyntaxError(DefinitionError, ValueError):
    """The text is not in the filter language."""


class FilterTypeError(DefinitionError, TypeError):
    """The filter does not fit its schema; all its problems are reported at once."""


class UnknownNameError(DefinitionError, LookupError):
    """Every problem of the filter is a name nobody declared; `names` has them."""

    def __init__(
        self, problems: Sequence[Problem], source: str = "", origin: str = "", names: Sequence[str] = ()
    ) -> None:
        super().__init__(problems, source, origin)
        self.names = tuple(names)


class CycleError(DefinitionError, ValueError):
    """Segments refer to each other in a circle; `path` begins and ends with the same name."""

    def __init__(
        self, problems: Sequence[Problem], source: str = "", origin: str = "", path: Sequence[str] = ()
    ) -> None:
        super().__init__(problems, source, origin)
        self.path = tuple(path)


class FormError(DefinitionError, ValueError):
    """A filter in another form cannot be read, or cannot be written in it.

    Each problem has a JSON `pointer`: into the document that was read, or for a filter that
    cannot be written into what `segmentkit.to_json` gives for it.
    """


class SchemaError(SegmentKitError, ValueError):
    """A schema contradicts itself: a name twice, a relation to nowhere, an unknown zone."""


class DataError(SegmentKitError, ValueError):
    """A fact does not fit; the batch it came in changed nothing.

    `object_type`, `object_id`, `name` (attribute, event or property) and `value` are the
    parts, each None where it does not apply; `position` is the place in the batch, from 1.
    """

    def __init__(
        self,
        message: str,
        *,
        object_type: str | None = None,
        object_id: object = None,
        name: str | None = None,
        value: object = None,
        position: int | None = None,
    ) -> None:
        self.object_type = object_type
        self.object_id = object_id
        self.name = name
        self.value = value
        self.position = position
        super().__init__(message)


class ClockError(SegmentKitError, ValueError):
    """An instant is naive, or the clock would go back; nothing changed."""


class LimitError(SegmentKitError, ValueError):
    """Something is larger than its declared limit: `what`, `limit` and `found` say which."""

    def __init__(self, message: str, *, what: str = "", limit: int = 0, found: int = 0) -> None:
        self.what = what
        self.limit = limit
        self.found = found
        super().__init__(message)


class ArgumentError(SegmentKitError, TypeError, ValueError):
    """A call got something that it cannot take, such as a number for a callback; nothing was done."""

    @classmethod
    def of(cls, what: str, expected: str, found: object) -> ArgumentError:
        """Return the error for an argument, or another part of a call, that is not what was expected."""
        return cls(f"{what}: expected {expected}, got {repr_of(found)} ({type(found).__name__})")


def cannot_leave(what: str, instead: str) -> ArgumentError:
    """Return the error for copying or pickling what belongs to its engine."""
    return ArgumentError(f"{what} cannot be copied or pickled; {instead}")


class StoreError(SegmentKitError, RuntimeError):
    """A store failed, or holds something other than the engine expects."""


class MissingExtraError(SegmentKitError, ImportError):
    """An optional package is missing; the message says which extra to install."""

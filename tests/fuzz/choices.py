"""Decisions out of bytes: what a coverage-guided fuzzer mutates, turned into choices.

It has the methods of `tests.strategies.Source`, so that whatever draws from one can draw from the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

__all__ = ["Choices"]

T = TypeVar("T")


class Choices:
    """Reads choices from bytes; behind their end every choice is the first one."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @classmethod
    def of(cls, number: int, size: int = 600) -> Choices:
        """Return choices that look random and are the same for the same number."""
        return cls(Random(number).randbytes(size))

    def below(self, n: int) -> int:
        """Return 0 to n - 1."""
        size = 1 if n <= 256 else 3
        taken = self._data[self._position : self._position + size]
        self._position += size
        return int.from_bytes(taken, "big") % n

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[self.below(len(options))]

    def some(self, options: Sequence[T]) -> list[T]:
        """Return some of the options, in their order."""
        return [option for option in options if self.below(2)]

    def chance(self, one_in: int) -> bool:
        """Return True once in `one_in` times."""
        return self.below(one_in) == one_in - 1

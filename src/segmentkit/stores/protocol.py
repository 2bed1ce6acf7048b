"""What a store does: keep what must survive, one batch at a time.

The engine computes; a store remembers. A batch (facts, definitions and the deltas they caused) is
appended as one transaction: all of it or, if `append` raises, nothing. Everything else in an
engine is derived from what a store gives back.

Optional powers are further Protocols that a store may satisfy; the engine asks with `isinstance`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

import attrs

from segmentkit.errors import StoreError
from segmentkit.index.deltas import Change, Delta, Deltas
from segmentkit.values import from_micros

__all__ = ["Batch", "Definition", "FactSource", "SharesFacts", "Store"]


T = TypeVar("T")


@attrs.frozen
class Definition:
    """A segment as it was defined; `where` is the filter's text, `refresh` reads like "4 hours", "" is live."""

    name: str
    on: str
    where: str
    description: str = ""
    hidden_from: frozenset[str] = frozenset()
    refresh: str = ""
    tags: tuple[str, ...] = ()


class Batch(NamedTuple):
    """One transaction.

    `now_us` is the engine's instant after it in microseconds, `now` the same as a datetime. `changes`
    have every instant and event id filled in. Dropped segments go before defined ones come; `deltas`
    are in order of `seq`.
    """

    now_us: int
    changes: Sequence[Change]
    deltas: Deltas
    defined: Sequence[Definition] = ()
    dropped: Sequence[str] = ()

    @property
    def now(self) -> datetime:
        """The engine's instant after the batch."""
        return from_micros(self.now_us)


@runtime_checkable
class Store(Protocol):
    """Keeps facts, definitions and deltas for one engine."""

    def append(self, batch: Batch) -> None:
        """Make a batch durable, whole or not at all; whatever is raised, nothing of it was kept."""

    def now(self) -> datetime | None:
        """Return the instant of the last batch; None for an empty store."""

    def seq(self) -> int:
        """Return the number of the last delta; 0 if there was none."""

    def definitions(self) -> Iterable[Definition]:
        """Return the definitions in force, in the order in which they were made."""

    def facts(self) -> Iterable[Change]:
        """Return changes (`Put`, then `Event`) that bring an empty engine to the facts of the last batch."""

    def deltas(self, after: int) -> Iterable[Delta]:
        """Return the deltas with numbers above `after`, in order; StoreError if some are no longer kept."""


def from_store(what: str, read: Callable[[], Iterable[T]]) -> Iterator[T]:
    """Ask a store at once, and return an iterator over what it gives; StoreError if it fails then or later.

    Args:
        what: it is asked for, for the message.
        read: asks it.
    """
    with _failing(what):
        given = read()
    return _guarded(what, given)


def _guarded(what: str, given: Iterable[T]) -> Iterator[T]:
    with _failing(what):
        yield from given


@contextmanager
def _failing(what: str) -> Iterator[None]:
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        raise StoreError(f"the store failed to give {what}: {error}") from error


class FactSource(Protocol):
    """Where the facts of a running engine can be read."""

    def iter_facts(self) -> Iterable[Change]:
        """Yield the facts as `Put` and `Event` changes."""


@runtime_checkable
class SharesFacts(Protocol):
    """A store in the same process that reads the engine's own facts instead of keeping them twice.

    Its batches come without `changes`, and an append must not fail.
    """

    def attach(self, source: FactSource) -> None:
        """Read facts from `source` from now on."""

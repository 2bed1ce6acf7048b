"""Where `now` comes from. Only `SystemClock` reads the wall clock; tests and replays use `ManualClock`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

from segmentkit.errors import ClockError, repr_of
from segmentkit.values import from_micros, to_micros

__all__ = ["Clock", "ManualClock", "SystemClock"]


@runtime_checkable
class Clock(Protocol):
    """Anything with a `now()` that returns an aware datetime and never goes back."""

    def now(self) -> datetime:
        """Return the current instant."""
        ...


class SystemClock:
    """The machine's clock, in UTC. While it is set back it stands still, until it is later than before."""

    def __init__(self) -> None:
        self._latest = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """Return the current instant, or the latest one it has returned."""
        self._latest = max(self._latest, datetime.now(UTC))
        return self._latest

    def __repr__(self) -> str:
        return "SystemClock()"


class ManualClock:
    """A clock that stands still until it is moved.

    Args:
        start: aware datetime.

    >>> clock = ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
    >>> clock.advance(timedelta(hours=1))
    >>> clock.now().isoformat()
    '2026-11-22T01:00:00+00:00'
    """

    def __init__(self, start: datetime) -> None:
        self._now = from_micros(to_micros(start))

    def now(self) -> datetime:
        """Return the instant it was last set to, in UTC."""
        return self._now

    def set(self, to: datetime) -> None:
        """Move to the instant `to`; ClockError if it is naive or earlier than now."""
        micros = to_micros(to)
        if micros < to_micros(self._now):
            raise ClockError(f"the clock is at {self._now.isoformat()} and cannot go back to {to.isoformat()}")
        self._now = from_micros(micros)

    def advance(self, by: timedelta) -> None:
        """Move on by `by`; ClockError if it is negative, no timedelta, or leads beyond the year 9999."""
        if not isinstance(by, timedelta):
            raise ClockError(f"expected a timedelta, got {repr_of(by)} ({type(by).__name__})")
        try:
            to = self._now + by
        except OverflowError:
            raise ClockError(f"{self._now.isoformat()} and {by!r} lead outside of the years 1 to 9999") from None
        self.set(to)

    def __repr__(self) -> str:
        return f"ManualClock({self._now.isoformat()})"

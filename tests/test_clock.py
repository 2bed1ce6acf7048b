"""The clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import segmentkit as sk
from segmentkit import clock as clocks


def test_the_system_clock_stands_still_while_it_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time never goes back for an engine because somebody corrected the machine."""
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    readings = iter([noon, noon - timedelta(seconds=5), noon + timedelta(seconds=1)])

    class Wall(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]  # as much of it as is called
            return next(readings)

    monkeypatch.setattr(clocks, "datetime", Wall)
    clock = sk.SystemClock()
    assert [clock.now() for _ in range(3)] == [noon, noon, noon + timedelta(seconds=1)]


def test_the_system_clock_reads_the_present() -> None:
    """In UTC."""
    before = datetime.now(UTC)
    assert before <= sk.SystemClock().now() <= datetime.now(UTC)


def test_a_manual_clock_does_not_go_back() -> None:
    """Neither by an instant nor by a negative length; it stays where it is."""
    clock = sk.ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
    with pytest.raises(sk.ClockError):
        clock.set(datetime(2026, 11, 21, tzinfo=UTC))
    with pytest.raises(sk.ClockError):
        clock.advance(timedelta(seconds=-1))
    assert clock.now() == datetime(2026, 11, 22, tzinfo=UTC)

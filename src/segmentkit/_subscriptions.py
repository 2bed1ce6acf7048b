"""Telling the host: listeners, and what they have not been told yet."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable

from segmentkit.index.deltas import Delta

_log = logging.getLogger("segmentkit")


class Subscription:
    """A listener and the deltas it has not been given yet."""

    def __init__(self, callback: Callable[[Delta], object], segment: str | None) -> None:
        self.callback = callback
        self.segment = segment
        self.backlog: deque[Delta] = deque()

    def deliver(self) -> None:
        """Call back for every waiting delta in order; a failing one waits for the next time."""
        while self.backlog:
            delta = self.backlog[0]
            try:
                self.callback(delta)
            except Exception:
                _log.exception("a subscriber failed on delta %d; it gets it again", delta.seq)
                return
            if self.backlog:  # the callback may have ended its subscription
                self.backlog.popleft()


class Subscriptions:
    """All listeners of an engine, and the deltas that wait for them."""

    def __init__(self) -> None:
        self.all: list[Subscription] = []
        self._delivering = False

    def add(self, subscription: Subscription) -> None:
        """Tell `subscription` of every delta from now on."""
        self.all.append(subscription)

    def remove(self, subscription: Subscription) -> None:
        """Tell it no more."""
        if subscription in self.all:
            self.all.remove(subscription)
            subscription.backlog.clear()

    def tell(self, deltas: Iterable[Delta]) -> None:
        """Put deltas behind those that wait, and deliver, each listener's in order.

        Called from within a callback, which has changed something, it leaves delivery to the call around it.
        """
        told = list(deltas)
        for subscription in self.all:
            wanted = subscription.segment
            subscription.backlog.extend(delta for delta in told if wanted is None or delta.segment == wanted)
        if self._delivering:
            return
        self._delivering = True
        try:
            tried: set[Subscription] = set()
            while waiting := [s for s in self.all if s.backlog and s not in tried]:
                for subscription in waiting:
                    subscription.deliver()
                    if subscription.backlog:
                        tried.add(subscription)
        finally:
            self._delivering = False

"""The best answer to passing time with numpy alone: look again at every temporal segment of every contact.

No package follows time, so a host asks again. What makes the asking fast: one column per
attribute; events sorted by instant once per kind, per url and per category, so that a window is a slice and an
aggregate one `bincount` over it; equal aggregates and equal conditions are computed once per
tick, and conditions that time cannot change are kept from the first tick on.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from tests.benchmarks import vocabulary as words
from tests.benchmarks.trees import DAY_US, EVENTS, All, Condition, Leaf, Negation, Node, Some, Window, is_temporal
from tests.benchmarks.workload import Array, Workload

_COMPARE = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_WORDS = {
    "country": words.COUNTRIES,
    "plan": words.PLANS,
    "city": words.CITIES,
    "tags": words.TAGS,
    "lists": words.LISTS,
}


class Rescan:
    """Membership of the segments that time can change, one boolean per contact, as of the last tick."""

    def __init__(self, workload: Workload, segments: Sequence[Node]) -> None:
        self.segments = {number: segment for number, segment in enumerate(segments) if is_temporal(segment)}
        self.members: dict[int, Array] = {}
        self._workload = workload
        self._n_rows = workload.n_contact
        self._columns = workload.columns
        self._static: dict[Leaf, Array] = {}
        self._leaves: dict[Leaf, Array] = {}
        self._aggregates: dict[Any, Array] = {}
        self._histories: dict[Any, tuple[Array, Array, Array]] = {}
        self._now = 0

    def tick(self, now: int) -> int:
        """Bring all temporal segments to `now`; return how many memberships differ from the last tick."""
        self._now = now
        self._leaves.clear()
        self._aggregates.clear()
        flips = 0
        for number, segment in self.segments.items():
            members = self._truth(segment)
            if number in self.members:
                flips += int(np.count_nonzero(members ^ self.members[number]))
            self.members[number] = members
        return flips

    def _truth(self, node: Node) -> Array:
        match node:
            case All(parts):
                return reduce(operator.and_, map(self._truth, parts))
            case Some(parts):
                return reduce(operator.or_, map(self._truth, parts))
            case Negation(part):
                return ~self._truth(part)
            case Window() | Condition(operator="older" | "within"):
                if node not in self._leaves:
                    self._leaves[node] = self._temporal(node)
                return self._leaves[node]
            case Condition():
                if node not in self._static:
                    self._static[node] = self._timeless(node)
                return self._static[node]

    def _temporal(self, leaf: Leaf) -> Array:
        if isinstance(leaf, Window):
            truth: Array = _COMPARE[leaf.operator](self._aggregate(leaf), leaf.value)
            return truth
        visits, limit = self._columns["last_visit"], self._now - leaf.value * DAY_US
        known = visits >= 0
        older: Array = known & (visits < limit)
        within: Array = (visits > limit) & (visits <= self._now)
        return older if leaf.operator == "older" else within

    def _aggregate(self, window: Window) -> Array:
        identity = (window.event, window.aggregate, window.where, window.days)
        if identity not in self._aggregates:
            at, contacts, amounts = self._history(window)
            first, end = np.searchsorted(at, [self._now - window.days * DAY_US, self._now], side="right")
            weights = amounts[first:end] if window.aggregate == "sum" else None
            self._aggregates[identity] = np.bincount(contacts[first:end], weights, self._n_rows)
        return self._aggregates[identity]

    def _history(self, window: Window) -> tuple[Array, Array, Array]:
        """Return instants, contacts and amounts of the window's kind of events, oldest first."""
        identity = (window.event, window.where)
        if identity not in self._histories:
            events = self._workload.events
            chosen = events["kind"] == EVENTS.index(window.event)
            if window.where is not None:
                vocabulary = words.URLS if window.where[0] == "url" else words.CATEGORIES
                chosen &= events["code"] == vocabulary.index(window.where[1])
            rows = np.flatnonzero(chosen)
            rows = rows[np.argsort(events["at"][rows], kind="stable")]
            self._histories[identity] = (events["at"][rows], events["contact"][rows], events["amount"][rows])
        return self._histories[identity]

    def _timeless(self, condition: Condition) -> Array:
        name, value = condition.attribute, condition.value
        if name == "location":
            south, west, north, east = value
            latitude, longitude = self._columns["latitude"], self._columns["longitude"]
            inside: Array = (latitude >= south) & (latitude <= north) & (longitude >= west) & (longitude <= east)
            return inside
        if name == "email":
            fitting = [code for code, domain in enumerate(words.DOMAINS) if f"@{domain}".endswith(value)]
            return np.isin(self._columns["domain"], fitting)
        column = self._columns[name]
        if name in _WORDS:
            wanted = [value] if isinstance(value, str) else value
            codes = [_WORDS[name].index(word) for word in wanted]
            if name in ("tags", "lists"):
                overlaps: Array = (column & sum(1 << code for code in codes)) != 0
                return overlaps
            return np.isin(column, codes)
        match condition.operator:
            case "between":
                between: Array = (column >= value[0]) & (column <= value[1])
                return between
            case "missing":
                return np.isnan(column)
            case compare:
                truth: Array = _COMPARE[compare](column, value if isinstance(value, bool) else float(value))
                return truth

"""The best answer to batches with numpy alone: look again at every segment, for the contacts that have changed.

What makes it fast: one column per attribute, and events by contact, so that the rows of a batch are one
`take` each; equal conditions and aggregates are computed once per batch; and memberships as one matrix with
a row per contact, so that the difference is one comparison. New events wait in arrays of their own until
there are many, because to insert them into sorted ones copies all.

Values are trusted, instants are integers. Time alone is not followed: a window that has run out stays
unnoticed until the contact changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.benchmarks import vocabulary as words
from tests.benchmarks.rescan import Rescan
from tests.benchmarks.trees import EVENTS, Node, Window
from tests.benchmarks.workload import START_US, Array, AttributeChange, Change, EventChange, Workload

_MOST_NEW = 100_000  # events that wait
_CODES: dict[str, dict[str, int]] = {
    name: {word: code for code, word in enumerate(vocabulary)}
    for name, vocabulary in {
        "country": words.COUNTRIES,
        "plan": words.PLANS,
        "city": words.CITIES,
        "tags": words.TAGS,
        "lists": words.LISTS,
        "email": words.DOMAINS,
        "page_view": words.URLS,
        "purchase": words.CATEGORIES,
    }.items()
}
_EVENT_COLUMNS = ("contact", "kind", "at", "code", "amount")
_NUMBERS = ("age", "ltv", "orders", "email_marketing_consent", "last_visit", "company_size")


class BatchPeer(Rescan):
    """All segments over all contacts, `members[contact, segment]`, as of the last batch that touched each contact."""

    def __init__(self, workload: Workload, segments: Sequence[Node]) -> None:
        super().__init__(workload, segments)
        self.segments = dict(enumerate(segments))
        self._whole = {name: column.copy() for name, column in workload.columns.items()}
        self._events = {name: workload.events[name] for name in _EVENT_COLUMNS}  # sorted by contact and instant
        self._offsets = workload.offsets
        self._new: list[tuple[int, int, int, int, float]] = []
        self._n_rows = 0
        self._local = np.full(workload.n_contact, -1)
        self.matrix = np.ascontiguousarray(self.evaluated(np.arange(workload.n_contact), START_US))

    def apply(self, changes: Sequence[Change], now: int) -> tuple[Array, Array, Array]:
        """Apply a batch; return what flips: contacts, segments, and whether they are entered."""
        for change in changes:
            if isinstance(change, EventChange):
                self._happen(change)
            else:
                self._set(change)
        rows = np.unique(np.array([change.contact for change in changes]))
        after = self.evaluated(rows, now)
        before = self.matrix[rows]
        self.matrix[rows] = after
        if len(self._new) > _MOST_NEW:
            self._merge()
        found, segments = np.nonzero(before != after)
        return rows[found], segments, after[found, segments]

    def evaluated(self, rows: Array, now: int) -> Array:
        """Return who of some contacts is in which segment, a row for each."""
        self._now, self._n_rows = now, len(rows)
        self._columns = {name: column[rows] for name, column in self._whole.items()}
        for known in (self._leaves, self._static, self._aggregates, self._histories):
            known.clear()
        self._gathered = self._gather(rows)
        truths = np.empty((len(self.segments), len(rows)), bool)
        for number, segment in self.segments.items():
            truths[number] = self._truth(segment)
        return truths.T

    def _set(self, change: AttributeChange) -> None:
        name, contact, value, columns = change.attribute, change.contact, change.value, self._whole
        if name in _NUMBERS:
            columns[name][contact] = value
        elif name in ("country", "plan", "city"):
            columns[name][contact] = _CODES[name][value]
        elif name in ("tags", "lists"):
            codes = _CODES[name]
            columns[name][contact] = sum(1 << codes[word] for word in value)
        elif name == "location":
            columns["latitude"][contact], columns["longitude"][contact] = value
        else:
            columns["domain"][contact] = _CODES[name][value.partition("@")[2]]

    def _happen(self, change: EventChange) -> None:
        event, at, properties = change.happening
        code, amount = -1, 0.0
        if event == "page_view":
            code = _CODES[event][properties["url"]]
        elif event == "purchase":
            code, amount = _CODES[event][properties["category"]], properties["amount"]
        self._new.append((change.contact, EVENTS.index(event), at, code, amount))

    def _merge(self) -> None:
        columns = [np.concatenate(pair) for pair in zip(self._events.values(), self._new_columns(), strict=True)]
        order = np.lexsort((columns[2], columns[0]))
        self._events = {name: column[order] for name, column in zip(_EVENT_COLUMNS, columns, strict=True)}
        counts = np.bincount(self._events["contact"], minlength=self._workload.n_contact)
        self._offsets = np.concatenate([[0], np.cumsum(counts)])
        self._new.clear()

    def _new_columns(self) -> list[Array]:
        columns: list[Any] = list(zip(*self._new, strict=True)) or [()] * len(_EVENT_COLUMNS)
        types = [self._events[name].dtype for name in _EVENT_COLUMNS]
        return [np.array(column, dtype) for column, dtype in zip(columns, types, strict=True)]

    def _gather(self, rows: Array) -> dict[str, Array]:
        """Return the events of some contacts by instant, `contact` being their place in `rows`."""
        counts = self._offsets[rows + 1] - self._offsets[rows]
        owners = np.repeat(np.arange(len(rows)), counts)
        which = np.arange(len(owners)) + np.repeat(self._offsets[rows] - np.cumsum(counts) + counts, counts)
        found = {name: column[which] for name, column in self._events.items()} | {"contact": owners}
        if self._new:
            new = dict(zip(_EVENT_COLUMNS, self._new_columns(), strict=True))
            self._local[rows] = np.arange(len(rows))
            places = self._local[new["contact"]]
            self._local[rows] = -1
            chosen = np.flatnonzero(places >= 0)
            new["contact"] = places
            found = {name: np.concatenate((column, new[name][chosen])) for name, column in found.items()}
        order = np.argsort(found["at"], kind="stable")
        return {name: column[order] for name, column in found.items()}

    def _history(self, window: Window) -> tuple[Array, Array, Array]:
        identity = (window.event, window.where)
        if identity not in self._histories:
            events = self._gathered
            if window.where is None:
                rows = np.flatnonzero(events["kind"] == EVENTS.index(window.event))
                self._histories[identity] = (events["at"][rows], events["contact"][rows], events["amount"][rows])
                self._histories[window.event, "codes"] = (events["code"][rows],) * 3
            else:
                at, contacts, amounts = self._history(Window(window.event, "count", None, 1, ">=", 1))
                rows = np.flatnonzero(
                    self._histories[window.event, "codes"][0] == _CODES[window.event][window.where[1]]
                )
                self._histories[identity] = (at[rows], contacts[rows], amounts[rows])
        return self._histories[identity]

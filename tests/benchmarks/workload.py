"""Contacts, their events and a stream of changes, all from (number of contacts, seed).

Columns hold the contacts (codes into `vocabulary`, NaN or -1 for missing, bit masks for
sets), arrays sorted by contact and instant hold the events; single contacts and events are
decoded on demand into the plain records below, which every competitor is fed from.
Instants are whole microseconds since 1970 UTC. Money is a float, or with
`Workload(..., money="decimal")` an exact Decimal with two places; amounts are multiples
of 0.25, so that sums of floats are exact in any order.
"""

from __future__ import annotations

import getpass
import os
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tests.benchmarks import vocabulary as words
from tests.benchmarks.trees import ATTRIBUTES, DAY_US, EVENTS, skewed

START_US = 1_767_225_600_000_000
"""The instant at which the contacts are loaded and the stream of changes begins: 2026-01-01 00:00 UTC."""
HISTORY_DAYS = 90
EVENTS_PER_CONTACT = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Array = npt.NDArray[Any]


def to_datetime(micros: int) -> datetime:
    """Return microseconds since 1970 as an aware datetime."""
    return _EPOCH + timedelta(microseconds=micros)


class Happening(NamedTuple):
    """One event: what, when, and its properties (url; category and amount; or none)."""

    event: str
    at: int
    properties: Mapping[str, Any]


class AttributeChange(NamedTuple):
    """At `at`, the attribute of the contact becomes `value`."""

    at: int
    contact: int
    attribute: str
    value: Any


class EventChange(NamedTuple):
    """The contact does something, now."""

    contact: int
    happening: Happening

    @property
    def at(self) -> int:
        """The event's own instant: events arrive when they happen."""
        return self.happening.at


Change = AttributeChange | EventChange


class Workload:
    """The contacts and events of one (size, seed).

    columns: one array per attribute, location as `latitude` and `longitude`.
    events: arrays `contact`, `kind` (index into EVENTS), `at`, `code` (url or category, else -1), `amount`.
    offsets: the events of contact i are `offsets[i]:offsets[i + 1]`.
    """

    def __init__(self, n_contact: int, seed: int, money: str = "number") -> None:
        self.n_contact, self.seed, self.money = n_contact, seed, money
        arrays = _cached(n_contact, seed)
        self.columns = {name[1:]: array for name, array in arrays.items() if name[0] == "c"}
        self.events = {name[1:]: array for name, array in arrays.items() if name[0] == "e"}
        counts = np.bincount(self.events["contact"], minlength=n_contact)
        self.offsets = np.concatenate([[0], np.cumsum(counts)])

    def to_money(self, value: float) -> Any:
        """Return an amount of money the way this variant holds it."""
        return Decimal(f"{value:.2f}") if self.money == "decimal" else float(value)

    def contact(self, i: int) -> dict[str, Any]:
        """Return the attributes of one contact; None is missing, `last_visit` is in microseconds."""
        c = self.columns
        age, visit = c["age"][i], int(c["last_visit"][i])
        return {
            "country": words.COUNTRIES[c["country"][i]],
            "plan": words.PLANS[c["plan"][i]],
            "city": words.CITIES[c["city"][i]],
            "age": None if np.isnan(age) else int(age),
            "ltv": self.to_money(c["ltv"][i]),
            "orders": int(c["orders"][i]),
            "email_marketing_consent": bool(c["email_marketing_consent"][i]),
            "tags": _decode(int(c["tags"][i]), words.TAGS),
            "lists": _decode(int(c["lists"][i]), words.LISTS),
            "last_visit": None if visit < 0 else visit,
            "location": (float(c["latitude"][i]), float(c["longitude"][i])),
            "company_size": int(c["company_size"][i]),
            "email": f"user{i}@{words.DOMAINS[c['domain'][i]]}",
        }

    def happenings(self, i: int) -> list[Happening]:
        """Return the events of one contact, oldest first."""
        return self._decoded(slice(self.offsets[i], self.offsets[i + 1]))

    def iter_log(self) -> Iterator[tuple[int, Happening]]:
        """Yield all events of all contacts with the contact's number, oldest first."""
        order = np.argsort(self.events["at"], kind="stable")
        for start in range(0, len(order), 10_000):
            block = order[start : start + 10_000]
            yield from zip(self.events["contact"][block].tolist(), self._decoded(block), strict=True)

    def _decoded(self, which: slice | Array) -> list[Happening]:
        columns = (self.events[name][which].tolist() for name in ("kind", "at", "code", "amount"))
        return [self._happening(*row) for row in zip(*columns, strict=True)]

    def _happening(self, kind: int, at: int, code: int, amount: float) -> Happening:
        properties: dict[str, Any] = {}
        if EVENTS[kind] == "page_view":
            properties["url"] = words.URLS[code]
        elif EVENTS[kind] == "purchase":
            properties["category"] = words.CATEGORIES[code]
            properties["amount"] = self.to_money(amount)
        return Happening(EVENTS[kind], at, properties)


def _decode(mask: int, vocabulary: Sequence[str]) -> frozenset[str]:
    return frozenset(word for bit, word in enumerate(vocabulary) if mask >> bit & 1)


# ------------------------------------------------------------------ making the arrays


def _cached(n_contact: int, seed: int) -> dict[str, Array]:
    """Make the arrays, or read them back from a temporary directory of this user."""
    path = Path(tempfile.gettempdir()) / f"segmentkit-benchmarks-{getpass.getuser()}" / f"v1-{n_contact}-{seed}.npz"
    if path.exists():
        with np.load(path, allow_pickle=False) as stored:
            return dict(stored)
    arrays = _make(n_contact, seed)
    if n_contact >= 10_000:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}.npz")
        np.savez(unfinished, **arrays)  # type: ignore[arg-type]
        unfinished.replace(path)
    return arrays


def _make(n: int, seed: int) -> dict[str, Array]:
    rng = np.random.default_rng([seed, n])
    return _make_contacts(n, rng) | _make_events(n, rng)


def _zipf(size: int, exponent: float) -> Array:
    weights: Array = 1.0 / np.arange(1, size + 1) ** exponent
    weights /= weights.sum()
    return weights


def _make_contacts(n: int, rng: np.random.Generator) -> dict[str, Array]:
    age = rng.integers(18, 91, n).astype(np.float64)
    age[rng.random(n) < 0.05] = np.nan
    visit = START_US - (rng.beta(0.8, 1.6, n) * 120 * DAY_US).astype(np.int64)
    visit[rng.random(n) < 0.10] = -1
    return {
        "ccountry": rng.choice(200, n, p=_zipf(200, 1.0)).astype(np.int16),
        "cplan": rng.choice(5, n, p=[0.5, 0.2, 0.15, 0.1, 0.05]).astype(np.int8),
        "ccity": rng.choice(2_000, n, p=_zipf(2_000, 0.9)).astype(np.int16),
        "cage": age,
        "cltv": np.round(rng.lognormal(4.5, 1.3, n), 2),
        "corders": rng.negative_binomial(1, 0.25, n).astype(np.int32),
        "cemail_marketing_consent": rng.random(n) < 0.65,
        "ctags": _make_sets(n, rng, len(words.TAGS), 3.0),
        "clists": _make_sets(n, rng, len(words.LISTS), 1.5),
        "clast_visit": visit,
        "clatitude": np.round(rng.normal(40, 12, n).clip(-85, 85), 5),
        "clongitude": np.round(rng.uniform(-180, 180, n), 5),
        "ccompany_size": np.maximum(1, rng.lognormal(3.5, 1.6, n)).astype(np.int32),
        "cdomain": rng.choice(300, n, p=_zipf(300, 1.0)).astype(np.int16),
    }


def _make_sets(n: int, rng: np.random.Generator, size: int, mean: float) -> Array:
    """Return a bit mask of Poisson(mean) members for each contact, the first members the likeliest."""
    counts = rng.poisson(mean, n)
    masks = np.zeros(n, np.int64)
    members = rng.choice(size, int(counts.sum()), p=_zipf(size, 0.6)).astype(np.int64)
    np.bitwise_or.at(masks, np.repeat(np.arange(n), counts), np.int64(1) << members)
    return masks


def _make_events(n: int, rng: np.random.Generator) -> dict[str, Array]:
    """Return events of contacts that differ in how active they are, 20 each on average."""
    activity = rng.gamma(0.8, 1 / 0.8, n)
    counts = np.stack([rng.poisson(share * activity) for share in (15, 2, 3)], axis=1)
    total = int(counts.sum())
    contact = np.repeat(np.arange(n, dtype=np.int32), counts.sum(axis=1))
    kind = np.repeat(np.tile(np.arange(3, dtype=np.int8), n), counts.ravel())
    at = START_US - (rng.random(total) * HISTORY_DAYS * DAY_US).astype(np.int64)
    url = rng.choice(len(words.URLS), total, p=_zipf(len(words.URLS), 1.0))
    category = rng.choice(len(words.CATEGORIES), total, p=_zipf(len(words.CATEGORIES), 0.7))
    code = np.select([kind == 0, kind == 1], [url, category], -1).astype(np.int16)
    amount = np.where(kind == 1, _amounts(rng.lognormal(4.0, 0.9, total)), 0.0)
    order = np.lexsort((at, contact))
    return {"econtact": contact, "ekind": kind[order], "eat": at[order], "ecode": code[order], "eamount": amount[order]}


def _amounts(raw: Array) -> Array:
    amounts: Array = np.maximum(1, np.round(raw * 4)) / 4
    return amounts


# ------------------------------------------------------------------ the stream of changes


def make_changes(workload: Workload, count: int) -> list[Change]:
    """Return the first changes of the stream."""
    return list(islice(iter_changes(workload), count))


def iter_changes(workload: Workload) -> Iterator[Change]:
    """Yield changes in time order, 60 % events and 40 % updates of one attribute, for ever.

    Time moves at the pace of the history: as many events per contact and day as in the 90 days before.
    """
    rng = random.Random(f"changes {workload.seed} {workload.n_contact}")
    pause = 0.6 * HISTORY_DAYS * DAY_US / (EVENTS_PER_CONTACT * workload.n_contact)
    known: dict[int, dict[str, Any]] = {}
    at = float(START_US)
    while True:
        at += rng.expovariate(1 / pause)
        contact = rng.randrange(workload.n_contact)
        if rng.random() < 0.6:
            yield EventChange(contact, _new_happening(rng, workload, int(at)))
            continue
        attributes = known.get(contact) or known.setdefault(contact, workload.contact(contact))
        attribute = rng.choices(ATTRIBUTES, _UPDATE_WEIGHTS)[0]
        value = _new_value(rng, workload, attribute, attributes[attribute], int(at))
        attributes[attribute] = value
        yield AttributeChange(int(at), contact, attribute, value)


_UPDATE_WEIGHTS = (2, 5, 2, 2, 10, 10, 3, 15, 5, 40, 3, 3, 1)
"""In the order of ATTRIBUTES: mostly visits, then tags, orders and value; country or e-mail seldom."""


def _new_happening(rng: random.Random, workload: Workload, at: int) -> Happening:
    event = rng.choices(EVENTS, (15, 2, 3))[0]
    properties: dict[str, Any] = {}
    if event == "page_view":
        properties["url"] = skewed(rng, words.URLS, 4)
    elif event == "purchase":
        properties["category"] = rng.choice(words.CATEGORIES)
        properties["amount"] = workload.to_money(max(1, round(rng.lognormvariate(4, 0.9) * 4)) / 4)
    return Happening(event, at, properties)


def _new_value(rng: random.Random, workload: Workload, attribute: str, old: Any, at: int) -> Any:
    match attribute:
        case "country":
            return skewed(rng, words.COUNTRIES, 4)
        case "plan":
            return rng.choice(words.PLANS)
        case "city":
            return skewed(rng, words.CITIES, 4)
        case "age":
            return rng.randint(18, 90)
        case "ltv":
            return old + workload.to_money(round(rng.lognormvariate(3, 1), 2))
        case "orders":
            return old + 1
        case "email_marketing_consent":
            return not old
        case "tags":
            return old ^ {skewed(rng, words.TAGS, 1.5)}
        case "lists":
            return old ^ {skewed(rng, words.LISTS, 1.5)}
        case "last_visit":
            return at
        case "location":
            return (round(rng.gauss(40, 12), 5), round(rng.uniform(-180, 180), 5))
        case "company_size":
            return int(rng.lognormvariate(3.5, 1.6)) + 1
        case _:
            return f"user{rng.randrange(10**6)}@{rng.choice(words.DOMAINS)}"

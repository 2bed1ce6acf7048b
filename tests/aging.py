"""Contacts, and filters over them that time alone moves often: what laws of passing time draw from, and how it goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import strategies as st

import segmentkit as sk
from segmentkit import _passing
from segmentkit.index import _batch_time, _bulk_members

START = datetime(2026, 3, 28, 12, tzinfo=UTC)  # the day before Warsaw loses an hour
SCHEMA = sk.Schema(
    sk.ObjectType(
        "contact",
        {"born": sk.instant, "day": sk.date, "tier": sk.text},
        events={"visit": {"page": sk.text, "n": sk.integer, "w": sk.number, "d": sk.decimal}},
    ),
    sk.ObjectType("deal", {"closes": sk.instant}),
    zone="Europe/Warsaw",
)
CONTACTS, DEALS = [f"c{n}" for n in range(6)], ["d0", "d1"]

hours = st.integers(1, 9)
counts = st.integers(1, 3)
conditions = st.one_of(
    st.builds("count(visit in the last {} hours) >= {}".format, hours, counts),
    st.builds('count(visit[page = "{}"] in the last {} hours) >= {}'.format, st.sampled_from("ab"), hours, counts),
    st.builds("did visit[n > {}] in the last {} hours".format, counts, hours),
    st.builds("sum(visit.n in the last {} hours) > {}".format, hours, counts),
    st.builds('sum(visit[page = "a"].d in the last {} hours) > {}'.format, hours, counts),
    st.builds("sum(visit.w in the last {} hours) <= {}".format, hours, counts),
    st.builds("first(visit) more than {} hours ago".format, hours),
    st.builds("last(visit.n) = {} and did visit today".format, counts),
    st.builds("count(visit today) = {}".format, counts),
    st.builds("born more than {} hours ago".format, hours),
    st.builds("day in the last {} days".format, counts),
    st.builds("born + {} hours < now".format, hours),
    st.just('tier = "pro"'),
)
filters = st.builds(
    lambda parts, joins, nots: " ".join(
        f"{join} {'not ' if no else ''}({part})" for join, no, part in zip(["", *joins], nots, parts, strict=False)
    ).strip(),
    st.lists(conditions, min_size=1, max_size=3),
    st.lists(st.sampled_from(["and", "or"]), min_size=2, max_size=2),
    st.lists(st.booleans(), min_size=3, max_size=3),
)
instants = st.integers(-8, 4).map(lambda hour: START + timedelta(hours=hour))
events = st.builds(
    lambda who, at, page, n, w: sk.Event(
        "contact", who, "visit", {"page": page, "n": n, "w": w, "d": None if n is None else Decimal(n) / 4}, at
    ),
    st.sampled_from(CONTACTS),
    instants,
    st.sampled_from(["a", "b", None]),
    st.sampled_from([1, 2, -1, None, 2**63]),
    st.sampled_from([0.5, 1.0, 1.7e308]),
)
updates = st.builds(
    lambda who, born, day, tier: sk.Update("contact", who, {"born": born, "day": day, "tier": tier}),
    st.sampled_from(CONTACTS),
    st.none() | instants,
    st.none() | st.integers(-2, 1).map(lambda days: date(2026, 3, 28) + timedelta(days=days)),
    st.sampled_from([None, "pro"]),
)
closings = st.builds(lambda who, at: sk.Update("deal", who, {"closes": at}), st.sampled_from(DEALS), instants)
steps = st.lists(
    st.tuples(st.integers(0, 6).map(lambda hours: timedelta(hours=hours)), st.lists(events | updates, max_size=3)),
    max_size=4,
)


@contextmanager
def together_from(least: int, few: int = 0, *, stretch: int = 50_000) -> Iterator[None]:
    """Let `least` entries be passed together, and watchers of more than `few` objects look at arrays."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_passing, "TOGETHER_FROM", least)
        patch.setattr(_passing, "_STRETCH", stretch)
        patch.setattr(_batch_time, "FEW", few)
        patch.setattr(_batch_time, "_MOST_OCCASIONS", max(1, stretch // 2))
        patch.setattr(_bulk_members, "FEW", few)
        yield

"""The example that ships: its eight segments against a calculation written for this test alone."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from tests.cli.shop import Shop

EXAMPLE = Path(__file__).parents[2] / "examples" / "cdnow"
EVENTS = "purchases.csv.gz"
FOREVER = datetime.max.replace(tzinfo=UTC)


@attrs.frozen
class Purchase:
    at: datetime
    amount: Decimal


def days(n: int) -> timedelta:
    return timedelta(days=n)


def total(purchases: Sequence[Purchase]) -> Decimal:
    return sum((purchase.amount for purchase in purchases), Decimal(0))


RULES: dict[str, Callable[[Sequence[Purchase], datetime], bool]] = {
    "Retention": lambda ps, now: len(ps) > 4 and ps[-1].at < now - days(40) and total(ps) > 800,
    "High-value customers": lambda ps, _: len(ps) >= 10 or total(ps) >= 500,
    "New": lambda ps, now: now - days(30) < ps[0].at,
    "Slipping away": lambda ps, now: len(ps) >= 2 and now - days(120) < ps[-1].at <= now - days(60),
    "Bought in the last 30 days": lambda ps, now: now - days(30) < ps[-1].at,
    "Never again": lambda ps, now: len(ps) == 1 and ps[0].at < now - days(180),
    "One big order": lambda ps, _: any(purchase.amount > 200 for purchase in ps),
    "Lapsed big spenders": lambda ps, now: total(ps) > 300 and not now - days(180) < ps[-1].at,
}


def expected(
    now: datetime, keep: Callable[[str], bool] = lambda _: True, before: datetime = FOREVER
) -> dict[str, list[str]]:
    """Return the members of each segment at `now`, over the purchases up to `now` and `before` a further instant."""
    purchases: dict[str, list[Purchase]] = {}
    with gzip.open(EXAMPLE / EVENTS, "rt") as lines:
        for row in csv.DictReader(lines):
            at = datetime.fromisoformat(row["at"])
            if at <= now and at < before and keep(row["contact"]):
                purchases.setdefault(row["contact"], []).append(Purchase(at, Decimal(row["amount"])))
    return {name: sorted(c for c, ps in purchases.items() if rule(ps, now)) for name, rule in RULES.items()}


def copy_some(shop: Shop, keep: Callable[[str], bool]) -> None:
    """Make the shop a copy of the example with those customers only."""
    for name in ("project.toml", "schema.toml", "segments.seg"):
        shop.write(name, (EXAMPLE / name).read_text("utf-8"))
    for name, column in (("customers.csv.gz", 0), (EVENTS, 1)):
        header, *rows = gzip.decompress((EXAMPLE / name).read_bytes()).decode().splitlines(keepends=True)
        shop.write(name, header + "".join(row for row in rows if keep(row.split(",")[column])))


def is_sampled(customer: str) -> bool:
    return customer.endswith("33")


@pytest.mark.parametrize(
    "now",
    ["1997-01-01T00:00:00Z", "1997-03-31T00:00:00Z", "1998-02-09T23:59:59.999999Z", "1998-06-30T00:00:00Z"],
)
def test_the_segments_of_every_hundredth_customer_are_what_their_words_say(shop: Shop, now: str) -> None:
    copy_some(shop, is_sampled)
    rules = expected(datetime.fromisoformat(now), is_sampled)
    assert sum(map(len, rules.values())) > 0 or now.startswith("1997-01")
    for name, members in rules.items():
        assert shop.run("--now", now, "--members", name).lines == members, name


def test_a_replay_of_every_hundredth_customer_ends_with_the_same_members(shop: Shop) -> None:
    copy_some(shop, is_sampled)
    (summary,) = shop.run("--replay", "day", "--now", "1998-06-30T00:00Z", "--format", "json").json
    rules = expected(datetime(1998, 6, 30, tzinfo=UTC), is_sampled)
    assert {segment["name"]: segment["members"] for segment in summary["segments"]} == {
        name: len(members) for name, members in rules.items()
    }
    assert len(summary["days"]) > 540


@pytest.mark.slow
def test_the_whole_replay_has_the_sizes_of_the_calculation_on_every_hundredth_day(shop: Shop) -> None:
    (summary,) = shop.call("run", EXAMPLE, "--replay", "day", "--format", "json").json
    for index in range(0, len(summary["days"]), 100):
        end = datetime.fromisoformat(summary["days"][index]).replace(tzinfo=UTC) + days(1)
        rules = expected(end, before=end)
        assert {name: sizes[index] for name, sizes in summary["sizes"].items()} == {
            name: len(members) for name, members in rules.items()
        }, summary["days"][index]
    assert {segment["name"]: segment["members"] for segment in summary["segments"]} == {
        "Retention": 118,
        "High-value customers": 1_360,
        "New": 0,
        "Slipping away": 1_755,
        "Bought in the last 30 days": 1_506,
        "Never again": 11_908,
        "One big order": 307,
        "Lapsed big spenders": 361,
    }

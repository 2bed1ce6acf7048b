from __future__ import annotations

import random
from datetime import UTC, date, datetime

import pytest

from segmentkit.cli._player import iter_steps
from tests.cli.shop import Shop


def steps(start: str, end: str, length: str, zone: str = "UTC") -> list[tuple[date, datetime]]:
    found = iter_steps(datetime.fromisoformat(start), datetime.fromisoformat(end), length, zone)
    return [(step.day, step.end) for step in found]


def test_the_steps_are_civil_days_also_where_a_day_has_23_hours() -> None:
    assert steps("2026-03-28T12:00Z", "2026-03-30T12:00Z", "day", "Europe/Warsaw") == [
        (date(2026, 3, 28), datetime(2026, 3, 28, 23, tzinfo=UTC)),
        (date(2026, 3, 29), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        (date(2026, 3, 30), datetime(2026, 3, 30, 12, tzinfo=UTC)),
    ]


def test_weeks_end_with_sunday_and_months_with_their_last_day() -> None:
    assert [day for day, _ in steps("2026-11-19T00:00Z", "2026-12-01T00:00Z", "week")] == [
        date(2026, 11, 22),
        date(2026, 11, 29),
        date(2026, 12, 1),
    ]
    assert [day for day, _ in steps("2026-11-19T00:00Z", "2027-02-01T00:00Z", "month")] == [
        date(2026, 11, 30),
        date(2026, 12, 31),
        date(2027, 1, 31),
        date(2027, 2, 1),
    ]


def test_a_stretch_of_no_length_is_one_step() -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    assert steps(at.isoformat(), at.isoformat(), "day") == [(at.date(), at)]


def test_a_replay_prints_every_flip_at_its_exact_instant(shop: Shop) -> None:
    lines = shop.run("--replay", "day", "--deltas", "--now", "2026-11-07T00:00Z").lines
    assert [line for line in lines if line.endswith(" Buyers") and line.startswith("2026")] == [
        "2026-11-01T12:00:00Z + anna Buyers",
        "2026-11-02T12:00:00Z + bob Buyers",
        "2026-11-03T12:00:00Z - anna Buyers",
        "2026-11-04T12:00:00Z - bob Buyers",
        "2026-11-04T12:00:00Z + anna Buyers",
        "2026-11-06T12:00:00Z - anna Buyers",
    ]


def test_a_replay_ends_with_sizes_flips_an_object_and_the_speed(shop: Shop) -> None:
    out = shop.run("--replay", "day").out
    assert out.startswith("3 contacts, 3 events, from 2026-11-01 to 2026-11-04\n")
    assert "Buyers         1  33.3%     2  ▅█▅▅\n" in out
    assert "entered (+) and left (-) from 2026-11-02 to 2026-11-04\n" in out
    assert "2026-11-04T12:00:00Z  Buyers   +1  anna\n" in out
    assert "contact anna is in 1 segment: Buyers\n" in out
    assert "changes per second" in out.splitlines()[-1]


def test_the_object_of_a_replay_can_be_chosen(shop: Shop) -> None:
    assert "contact cleo is in 1 segment: Abroad\n  2026-11-01T12:00:00Z + Abroad\n" in (
        shop.run("--replay", "day", "--object", "cleo").out
    )


def test_the_json_of_a_replay_has_the_size_of_each_segment_on_each_day(shop: Shop) -> None:
    *deltas, summary = shop.run("--replay", "day", "--deltas", "--format", "json").json
    assert summary["days"] == ["2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04"]
    assert summary["sizes"] == {"Buyers": [1, 2, 1, 1], "Abroad": [2, 2, 2, 2]}
    assert summary["n_changes"] == 6
    assert summary["n_deltas"] == len(deltas) == 7
    assert [delta["seq"] for delta in deltas] == list(range(1, 8))


def test_events_after_now_are_left_out(shop: Shop) -> None:
    (summary,) = shop.run("--replay", "day", "--now", "2026-11-02T11:00Z", "--format", "json").json
    assert (summary["sizes"]["Buyers"], summary["n_changes"]) == ([1, 1], 4)


@pytest.mark.parametrize("length", ["day", "week", "month"])
def test_a_replay_ends_with_the_members_of_a_plain_run(shop: Shop, length: str) -> None:
    draw = random.Random(7)
    rows = "".join(
        f"{draw.choice(['anna', 'bob', 'cleo'])},2026-{draw.randint(10, 11)}-{draw.randint(10, 28)}T{hour:02}:30Z,1\n"
        for hour in range(24)
    )
    shop.write("purchases.jsonl", "")
    events = f"contact.purchase={shop.write('more.csv', 'contact,at,amount' + chr(10) + rows)}"
    for now in ("2026-10-20T00:00Z", "2026-11-18T12:30Z", "2026-12-31T00:00Z"):
        for name in ("Buyers", "Abroad"):
            argv = ("--events", events, "--now", now, "--members", name)
            assert shop.run(*argv, "--replay", length).lines == shop.run(*argv).lines

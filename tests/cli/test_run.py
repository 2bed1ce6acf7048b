from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shop import Shop

TABLE = """\
3 contacts, 3 events; now is 2026-11-04T12:00:00Z

segment  members  share  ids
Buyers         1  33.3%  anna
Abroad         2  66.7%  bob cleo
"""


def test_run_shows_members_share_and_ids_at_the_instant_of_the_last_event(shop: Shop) -> None:
    result = shop.run()
    assert (result.status, result.out, result.err) == (0, TABLE, "")


def test_another_now_gives_the_members_at_that_instant_to_the_microsecond(shop: Shop) -> None:
    before = shop.run("--now", "2026-11-04T11:59:59.999999Z", "--members", "Buyers")
    at = shop.run("--now", "2026-11-04T13:00+01:00", "--members", "Buyers")
    assert (before.lines, at.lines) == (["bob"], ["anna"])


def test_a_filter_on_the_command_line_joins_the_segments_of_the_files(shop: Shop) -> None:
    result = shop.run("--where", "sum(purchase.amount) = 20", "--on", "contact", "--name", "Twenty")
    assert result.lines[-1].split() == ["Twenty", "1", "33.3%", "anna"]


def test_a_filter_alone_needs_no_definition_file(shop: Shop) -> None:
    result = shop.call(
        "run",
        *("--schema", shop.folder / "schema.toml"),
        *("--objects", f"contact={shop.folder / 'contacts.csv'}"),
        *("--where", 'country = "PL"', "--on", "contact", "--members", "filter"),
    )
    assert (result.status, result.lines) == (0, ["anna"])


def test_members_prints_ids_and_nothing_else(shop: Shop) -> None:
    assert shop.run("--members", "Abroad").lines == ["bob", "cleo"]
    assert shop.run("--members", "Abroad", "--format", "json").json == [
        {"kind": "members", "segment": "Abroad", "ids": ["bob", "cleo"]}
    ]


def test_the_segments_of_an_object_are_shown(shop: Shop) -> None:
    assert shop.run("--object", "bob").lines[-1] == "contact bob: Abroad"
    assert shop.run("--object", "anna", "--now", "2026-12-01T00:00Z").lines[-1] == "contact anna: in no segment"


def test_json_is_one_summary_line(shop: Shop) -> None:
    (summary,) = shop.run("--format", "json", "--object", "anna").json
    assert summary == {
        "kind": "summary",
        "now": "2026-11-04T12:00:00Z",
        "n_events": 3,
        "segments": [
            {"name": "Buyers", "on": "contact", "members": 1, "of": 3, "share": 0.333333, "sample": ["anna"]},
            {"name": "Abroad", "on": "contact", "members": 2, "of": 3, "share": 0.666667, "sample": ["bob", "cleo"]},
        ],
        "object": {"id": "anna", "segments": {"contact": ["Buyers"]}},
    }


def test_deltas_are_lines_before_the_summary(shop: Shop) -> None:
    *deltas, summary = shop.run("--format", "json", "--deltas").json
    assert [(delta["segment"], delta["object"], delta["entered"]) for delta in deltas] == [
        ("Buyers", "anna", True),
        ("Abroad", "bob", True),
        ("Abroad", "cleo", True),
    ]
    assert {delta["at"] for delta in deltas} == {"2026-11-04T12:00:00Z"}
    assert summary["kind"] == "summary"


@pytest.mark.parametrize(
    ("argv", "status", "message"),
    [
        (["--where", "ordes > 4", "--on", "contact"], 1, "--where, line 1, column 1: unknown"),
        (["--where", "true"], 2, "--where needs --on TYPE, one of contact, company"),
        (["--on", "contact"], 2, "--on and --name go with --where"),
        (["--where", "true", "--on", "contact", "--name", "Buyers"], 2, "'Buyers' is defined in a file already"),
        (["--members", "Buyer"], 2, "no segment 'Buyer'; did you mean 'Buyers'?"),
        (["--object", "dora"], 2, "no object 'dora' in the data"),
        (["--now", "2026-11-04"], 2, "--now: expected an instant"),
        (["--now", "9999-12-31T23:59:59-01:00"], 2, "outside of the years 1 to 9999 in UTC"),
        (["--now", "0001-01-01T00:00:00+01:00"], 2, "outside of the years 1 to 9999 in UTC"),
        (["--events", "contact.purchase=none.csv"], 2, "cannot read none.csv"),
        (["--schema", "none.toml"], 2, "cannot read none.toml"),
        (["none.seg"], 2, "cannot read none.seg"),
    ],
)
def test_a_mistake_is_one_clean_message_and_an_exit_status(
    shop: Shop, argv: list[str], status: int, message: str
) -> None:
    result = shop.run(*argv)
    assert (result.status, result.out) == (status, "")
    assert result.err.startswith("segmentkit: ")
    assert message in result.err
    assert "Traceback" not in result.err


def test_broken_definitions_are_reported_before_any_data_is_read(shop: Shop) -> None:
    shop.write("segments.seg", 'segment "A" on contact where ordes > 4 and purchases > 1\n')
    shop.write("contacts.csv", "broken")
    result = shop.run()
    assert result.status == 1
    assert "ordes" in result.err
    assert "purchases" in result.err
    assert "contacts.csv" not in result.err


def test_broken_rows_are_all_reported_and_nothing_is_shown(shop: Shop) -> None:
    shop.write("purchases.jsonl", '{"contact": "anna", "at": "x", "amount": true}\n{"contact": "eve"}\n')
    result = shop.run()
    assert (result.status, result.out) == (2, "")
    assert "purchases.jsonl, row 1, column 'at': expected an instant" in result.err
    assert "purchases.jsonl, row 1, column 'amount': expected a decimal, got True" in result.err
    assert "purchases.jsonl, row 2, column 'at': it has to be there" in result.err
    assert "nothing was loaded" in result.err


def test_a_fact_that_only_the_engine_can_refuse_is_named_by_its_row(shop: Shop) -> None:
    rows = "e1,anna,2026-11-01T00:00Z,1\ne1,anna,2026-11-01T00:00Z,2\n"
    path = shop.write("more.csv", "id,contact,at,amount\n" + rows)
    result = shop.run("--events", f"contact.purchase={path}")
    assert result.status == 2
    assert f"{path}, row 3: " in result.err
    assert "e1" in result.err


def test_an_empty_project_of_data_has_no_members_at_the_present(shop: Shop) -> None:
    shop.write("contacts.csv", "id\n")
    shop.write("purchases.jsonl", "")
    result = shop.run()
    assert result.status == 0
    assert result.lines[0].startswith("no objects, 0 events; now is 20")
    assert result.lines[-1].split() == ["Abroad", "0", "0.0%"]


def segmentkit(*argv: str | Path, **environment: str) -> list[str]:
    return [sys.executable, "-m", "segmentkit", *map(str, argv)]


def test_a_terminal_that_is_not_utf_8_shows_escapes_and_ascii_charts(shop: Shop) -> None:
    shop.write("segments.seg", 'segment "Łódź" on contact where true\n')
    done = subprocess.run(
        segmentkit("run", shop.folder, "--replay", "day"),
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
    )
    printed = done.stdout.decode("ascii")
    assert "\\u0141\\xf3d\\u017a" in printed
    assert "####" in printed


def test_a_reader_that_stops_early_is_no_error(shop: Shop) -> None:
    shop.write("contacts.csv", "id\n" + "".join(f"c{i}\n" for i in range(30_000)))
    shop.write("purchases.jsonl", "")
    with subprocess.Popen(
        segmentkit("run", shop.folder, "--members", "Abroad"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


@pytest.mark.parametrize("argv", [[], ["runn"], ["run", "--replay", "minute"], ["check"]])
def test_a_command_that_argparse_refuses_ends_with_status_two(shop: Shop, argv: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        shop.call(*argv)
    assert caught.value.code == 2


def test_segments_that_refer_to_each_other_run_in_any_order(shop: Shop) -> None:
    """Rows are in the order of the file; a filter of the command line may refer to them, too."""
    shop.write(
        "segments.seg",
        'segment "Both" on contact where in segment "Buyers" and in segment "Poles"\n'
        'segment "Poles" on contact where country = "PL"\n'
        'segment "Buyers" on contact where did purchase\n',
    )
    (result,) = shop.run("--where", 'not in segment "Both"', "--on", "contact", "--format", "json").json
    rows = [(row["name"], row["sample"]) for row in result["segments"]]
    assert rows == [
        ("Both", ["anna"]),
        ("Poles", ["anna"]),
        ("Buyers", ["anna", "bob"]),
        ("filter", ["bob", "cleo"]),
    ]

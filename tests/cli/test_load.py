from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from segmentkit import schema as s, values as v
from segmentkit.cli._failure import Failure
from segmentkit.cli._load import MAX_PROBLEMS, Facts, Source, load
from segmentkit.errors import SchemaError
from segmentkit.index.deltas import Event, Put

SCHEMA = s.Schema(
    s.ObjectType(
        "contact",
        {"orders": v.integer, "tags": v.text_set},
        events={"purchase": {"amount": v.decimal}, "move": {"object": v.text, "contact": v.text}},
        relations={"company": s.one("company")},
    ),
    s.ObjectType("company", {"name": v.text}),
)
AT = datetime(2026, 11, 22, tzinfo=UTC)


class Files:
    """Sources written into a folder, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sources: list[Source] = []

    def add(self, name: str, text: str, object_type: str, event: str | None = None, **rename: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        self.sources.append(Source(path, object_type, event, rename))
        return path

    def load(self, *, ignore_columns: bool = False) -> Facts:
        return load(self.sources, SCHEMA, ignore_columns=ignore_columns)

    def problems(self) -> list[str]:
        with pytest.raises(Failure) as caught:
            self.load()
        return caught.value.message.replace(f"{self.folder}/", "").splitlines()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_rows_become_puts_and_events_whatever_the_order_of_the_files(files: Files) -> None:
    files.add("p.csv", "id,contact,at,amount\ne1,a,2026-11-22T00:00:00Z,19.90\n", "contact", "purchase")
    files.add("c.jsonl", '{"id": "a", "orders": 5, "tags": ["vip"], "company": "acme"}\n', "contact")
    facts = files.load()
    assert [fact.change for fact in facts.objects] == [
        Put("contact", "a", {"orders": 5, "tags": ["vip"], "company": "acme"})
    ]
    assert [fact.change for fact in facts.events] == [
        Event("contact", "a", "purchase", {"amount": "19.90"}, at=AT, id="e1")
    ]
    assert facts.events[0].origin.endswith("p.csv, row 2")


def test_events_are_sorted_by_instant_and_otherwise_stay_in_the_order_of_their_rows(files: Files) -> None:
    rows = "b,2026-11-23T00:00:00Z,1\na,2026-11-22T00:00:00Z,2\nc,2026-11-22T01:00:00+01:00,3\n"
    files.add("p.csv", "object,at,amount\n" + rows, "contact", "purchase")
    assert [(fact.change.object, fact.row) for fact in files.load().events] == [("a", 3), ("c", 4), ("b", 2)]


def test_objects_that_only_events_mention_exist_where_no_file_lists_them(files: Files) -> None:
    rows = "a,2026-11-22T00:00:00Z\na,2026-11-23T00:00:00Z\n"
    files.add("p.csv", "contact_id,at\n" + rows, "contact", "purchase")
    assert [fact.change for fact in files.load().objects] == [Put("contact", "a", {})]


def test_an_event_of_an_object_that_the_file_of_objects_lacks_is_a_problem(files: Files) -> None:
    files.add("c.csv", "id\na\n", "contact")
    files.add("p.csv", "contact,at\nb,2026-11-22T00:00:00Z\n", "contact", "purchase")
    assert files.problems() == [
        "p.csv, row 2, column 'object': no contact 'b' in the objects",
        "1 problem; nothing was loaded",
    ]


def test_every_broken_row_is_reported_with_row_column_value_and_expectation(files: Files) -> None:
    files.add("c.csv", "id,orders\na,five\n,5\nc,5,5\nd,6\n", "contact")
    files.add("p.csv", "contact,at,amount\nd,yesterday,-\n", "contact", "purchase")
    instant = "an instant in ISO 8601 with a zone, such as 2026-11-22T10:00:00Z"
    assert files.problems() == [
        "c.csv, row 2, column 'orders': expected an integer, got 'five'",
        "c.csv, row 3, column 'id': it has to be there, and is missing",
        "c.csv, row 4: expected 2 columns as in the header, got 3",
        f"p.csv, row 2, column 'at': expected {instant}, got 'yesterday'",
        "p.csv, row 2, column 'amount': expected a decimal, got '-'",
        "5 problems; nothing was loaded",
    ]


def test_reading_stops_at_the_twentieth_problem(files: Files) -> None:
    files.add("c.csv", "id,orders\n" + "a,x\n" * 100, "contact")
    problems = files.problems()
    assert len(problems) == MAX_PROBLEMS + 1
    assert problems[-1] == "the first 20 problems; nothing was loaded"


def test_an_id_that_stands_in_two_rows_is_a_problem_that_names_both(files: Files) -> None:
    files.add("c.csv", "id\na\nb\na\n", "contact")
    assert files.problems()[
        0
    ] == f"c.csv, row 4, column 'id': 'a' stands in {files.folder}/c.csv, row 2 already".replace(f"{files.folder}/", "")


def test_an_unknown_column_is_an_error_with_a_suggestion(files: Files) -> None:
    files.add("p.csv", "contact,at,ammount\n", "contact", "purchase")
    (problem,) = files.problems()
    assert problem.startswith("p.csv, row 1: unknown column 'ammount'; did you mean 'amount'? (known: amount, id, at,")


def test_an_unknown_key_of_json_lines_is_reported_once(files: Files) -> None:
    files.add("c.jsonl", '{"id": "a", "ordres": 1}\n{"id": "b", "ordres": 1}\n', "contact")
    problem, end = files.problems()
    assert "did you mean 'orders'" in problem
    assert end == "1 problem; nothing was loaded"


def test_unknown_columns_can_be_left_out(files: Files) -> None:
    files.add("c.csv", "id,note,orders\na,hello,5\n", "contact")
    assert [fact.change for fact in files.load(ignore_columns=True).objects] == [Put("contact", "a", {"orders": 5})]


def test_a_column_can_be_given_another_name(files: Files) -> None:
    text = "Customer,When,amount\na,2026-11-22T00:00:00Z,5\n"
    files.add("p.csv", text, "contact", "purchase", Customer="object", When="at")
    assert [fact.change.at for fact in files.load().events] == [AT]


def test_two_columns_of_one_meaning_are_refused(files: Files) -> None:
    files.add("p.csv", "object,contact,at\n", "contact", "purchase")
    assert files.problems() == ["p.csv, row 1: columns 'object' and 'contact' both are 'object'"]


def test_a_column_that_is_needed_and_not_there_is_named(files: Files) -> None:
    files.add("p.csv", "contact,amount\n", "contact", "purchase")
    assert files.problems() == ["p.csv, row 1: no column 'at'; give one that name with --rename COLUMN=at"]


def test_a_property_keeps_its_name_even_where_that_names_an_object_elsewhere(files: Files) -> None:
    text = "contact_id,at,object,contact\na,2026-11-22T00:00:00Z,sofa,b\n"
    files.add("m.csv", text, "contact", "move")
    (fact,) = files.load().events
    assert (fact.change.object, fact.change.properties) == ("a", {"object": "sofa", "contact": "b"})


def test_an_unknown_event_or_type_is_an_error(files: Files) -> None:
    files.add("p.csv", "object,at\n", "contact", "purchases")
    assert files.problems() == ["p.csv: 'contact' has no event 'purchases'; did you mean 'purchase'?"]
    with pytest.raises(SchemaError, match="no object type 'kontact'"):
        load([Source(files.folder / "p.csv", "kontact")], SCHEMA)


def test_an_instant_that_utc_cannot_write_is_a_problem_of_its_row(files: Files) -> None:
    files.add("p.csv", "contact,at\na,9999-12-31T23:59:59-01:00\n", "contact", "purchase")
    assert "p.csv, row 2, column 'at': 9999-12-31T23:59:59-01:00 lies outside of the years" in files.problems()[0]

from __future__ import annotations

from pathlib import Path

import pytest

from segmentkit.cli._failure import Failure
from segmentkit.cli._load import Source
from segmentkit.cli._project import Project, gather_definitions, gather_sources, read_project

FULL = """
schema = "schema.toml"
definitions = ["a.seg", "b.seg"]

[objects]
customer = "customers.csv"

[events.customer]
visit = "visits.jsonl"

[events.customer.purchase]
file = "purchases.csv.gz"
columns = { contact = "customer" }
"""


def written(folder: Path, text: str) -> Path:
    (folder / "project.toml").write_text(text)
    return folder


@pytest.mark.parametrize("name", ["", "project.toml"])
def test_a_project_names_its_files_relative_to_its_folder(tmp_path: Path, name: str) -> None:
    assert read_project(written(tmp_path, FULL) / name) == Project(
        tmp_path / "schema.toml",
        (tmp_path / "a.seg", tmp_path / "b.seg"),
        (
            Source(tmp_path / "customers.csv", "customer"),
            Source(tmp_path / "visits.jsonl", "customer", "visit"),
            Source(tmp_path / "purchases.csv.gz", "customer", "purchase", {"contact": "customer"}),
        ),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("definitions = []", "expected schema = FILE"),
        ("schema = 'a'\ndefinitions = 'b'", "expected schema = FILE"),
        ("schema = 'a'\nobject = 'b'", "unknown key 'object'; did you mean 'objects'"),
        ("schema = 'a'\nobjects = 'b'", "objects: expected a table"),
        ("schema = 'a'\n[events]\ncustomer = 'b'", "events.customer: expected a table"),
        ("schema = 'a'\n[objects.customer]\npath = 'b'", "objects.customer: unknown key 'path'"),
        ("schema = 'a'\n[objects.customer]\ncolumns = {}", "objects.customer: expected file = FILE"),
    ],
)
def test_a_mistake_in_a_project_names_the_file_and_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(Failure) as caught:
        read_project(written(tmp_path, text))
    assert caught.value.message.startswith(f"{tmp_path / 'project.toml'}: ")
    assert message in caught.value.message


def test_definition_files_and_projects_are_gathered_in_the_order_of_the_command(tmp_path: Path) -> None:
    project = gather_definitions([Path("first.seg"), written(tmp_path, FULL), Path("last.seg")])
    assert [path.name for path in project.definitions] == ["first.seg", "a.seg", "b.seg", "last.seg"]
    assert project.schema == tmp_path / "schema.toml"


def test_the_schema_of_the_command_replaces_that_of_the_project(tmp_path: Path) -> None:
    assert gather_definitions([written(tmp_path, FULL)], Path("other.toml")).schema == Path("other.toml")


def test_without_any_schema_the_command_says_how_to_name_one() -> None:
    with pytest.raises(Failure, match="--schema FILE"):
        gather_definitions([Path("a.seg")])


def test_options_name_sources_too() -> None:
    assert gather_sources(["customer=a=b.csv"], ["customer.visit=v.csv"], ["Customer ID=object"]) == (
        Source(Path("a=b.csv"), "customer", None, {"Customer ID": "object"}),
        Source(Path("v.csv"), "customer", "visit", {"Customer ID": "object"}),
    )


@pytest.mark.parametrize(
    ("objects", "events", "rename", "message"),
    [
        (["customer"], [], [], "--objects: expected TYPE=FILE, got customer"),
        (["=a.csv"], [], [], "--objects: expected TYPE=FILE, got =a.csv"),
        ([], ["customer=a.csv"], [], "--events: expected TYPE.EVENT=FILE, got customer=a.csv"),
        ([], [], ["a"], "--rename: expected COLUMN=NAME, got a"),
    ],
)
def test_an_option_of_another_shape_is_refused(
    objects: list[str], events: list[str], rename: list[str], message: str
) -> None:
    with pytest.raises(Failure) as caught:
        gather_sources(objects, events, rename)
    assert caught.value.message == message

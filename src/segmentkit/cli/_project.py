"""What a command works on: schema, definition files and data files, from options and project files.

A project is a folder with a ``project.toml``, so that one name is enough on the command line::

    schema = "schema.toml"
    definitions = ["segments.seg"]

    [objects]
    customer = "customers.csv.gz"

    [events.customer.purchase]                  # or: purchase = "purchases.csv.gz" below [events.customer]
    file = "purchases.csv.gz"
    columns = { contact = "customer" }          # column of the file = what it is

Paths are relative to the folder. Options add to what the project says, but `--schema` replaces it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from segmentkit.cli._failure import Failure, suggestion
from segmentkit.cli._load import Source
from segmentkit.cli._schema_file import read_toml

PROJECT_FILE = "project.toml"


@attrs.frozen
class Project:
    """The files of a command, in the order in which they were named."""

    schema: Path
    definitions: tuple[Path, ...] = ()
    sources: tuple[Source, ...] = ()


def read_project(path: Path) -> Project:
    """Return the project of a folder, or of a project file.

    Raises:
        Failure: there is none, or it says something else than a project.
    """
    file = path / PROJECT_FILE if path.is_dir() else path
    folder = file.parent
    document = read_toml(file)
    try:
        _check_keys("the project", document, ("schema", "definitions", "objects", "events"))
        schema = document.get("schema")
        definitions = document.get("definitions", [])
        if not isinstance(schema, str) or not isinstance(definitions, list):
            raise ValueError("expected schema = FILE and definitions = [FILE, ...]")
        sources = [
            _source(f"objects.{name}", folder, entry, name, None)
            for name, entry in _table("objects", document.get("objects", {})).items()
        ]
        for name, by_event in _table("events", document.get("events", {})).items():
            for event, entry in _table(f"events.{name}", by_event).items():
                sources.append(_source(f"events.{name}.{event}", folder, entry, name, event))
    except ValueError as error:
        raise Failure(f"{file}: {error}") from None
    return Project(
        folder / schema,
        tuple(folder / str(definition) for definition in definitions),
        tuple(sources),
    )


def gather_definitions(paths: Sequence[Path], schema: Path | None = None) -> Project:
    """Return the projects and definition files among `paths` as one project; `schema` replaces theirs.

    Raises:
        Failure: nothing names a schema, or a project cannot be read.
    """
    projects = {path: read_project(path) for path in paths if path.is_dir() or path.name == PROJECT_FILE}
    schema = schema or next((project.schema for project in projects.values()), None)
    if schema is None:
        raise Failure("no schema; name one with --schema FILE, or a folder with a project.toml")
    definitions: list[Path] = []
    for path in paths:
        definitions += projects[path].definitions if path in projects else (path,)
    return Project(schema, tuple(definitions), tuple(source for p in projects.values() for source in p.sources))


def gather_sources(objects: Iterable[str], events: Iterable[str], rename: Iterable[str]) -> tuple[Source, ...]:
    """Return the data files that options name as TYPE=FILE, TYPE.EVENT=FILE and COLUMN=NAME."""
    names = dict(_pair("--rename", "COLUMN=NAME", text) for text in rename)
    sources = [
        Source(Path(file), object_type, None, names)
        for object_type, file in (_pair("--objects", "TYPE=FILE", text) for text in objects)
    ]
    for name, file in (_pair("--events", "TYPE.EVENT=FILE", text) for text in events):
        object_type, dot, event = name.partition(".")
        if not (object_type and dot and event):
            raise Failure(f"--events: expected TYPE.EVENT=FILE, got {name}={file}")
        sources.append(Source(Path(file), object_type, event, names))
    return tuple(sources)


def _pair(option: str, shape: str, text: str) -> tuple[str, str]:
    left, equals, right = text.partition("=")
    if not (left and equals and right):
        raise Failure(f"{option}: expected {shape}, got {text}")
    return left, right


def _source(where: str, folder: Path, entry: object, object_type: str, event: str | None) -> Source:
    if isinstance(entry, str):
        return Source(folder / entry, object_type, event)
    table = _table(where, entry)
    _check_keys(where, table, ("file", "columns"))
    file, columns = table.get("file"), _table(f"{where}.columns", table.get("columns", {}))
    if not isinstance(file, str) or not all(isinstance(name, str) for name in columns.values()):
        raise ValueError(f"{where}: expected file = FILE and columns = {{ COLUMN = NAME, ... }}, got {entry!r}")
    return Source(folder / file, object_type, event, columns)


def _table(where: str, document: object) -> Mapping[str, Any]:
    if not isinstance(document, dict):
        raise ValueError(f"{where}: expected a table, got {document!r}")
    return document


def _check_keys(where: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            raise ValueError(f"{where}: unknown key {key!r}{suggestion(key, known)} (known: {', '.join(known)})")

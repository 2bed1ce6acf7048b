"""`segmentkit check`: every problem of definition files, what is probably not meant, and an exit status for CI."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from segmentkit.cli._failure import Failure, suggestion
from segmentkit.cli._project import gather_definitions
from segmentkit.cli._report import plural
from segmentkit.cli._schema_file import read_schema
from segmentkit.errors import DefinitionError, SegmentKitError
from segmentkit.schema import Schema

if TYPE_CHECKING:
    from segmentkit.dsl.definitions import Definition
    from segmentkit.dsl.predicates import Predicate


def check(arguments: argparse.Namespace) -> int:
    """Run the command; return 0 without problems, 1 with some (`--strict`: or with warnings)."""
    project = gather_definitions(arguments.files, arguments.schema)
    schema = read_schema(project.schema)
    definitions, problems = read_definitions(project.definitions, schema)
    for problem in problems:
        print(problem, end="\n\n")
    found = plural(len(problems), "problem") if problems else "no problems"
    warnings = 0
    if (arguments.lint or arguments.strict) and not problems:
        warnings, hints = _lint(definitions, schema)
        found += f", {plural(warnings, 'warning')}, {plural(hints, 'hint')}"
    print(f"{plural(len(definitions), 'segment')} in {plural(len(project.definitions), 'file')}: {found}")
    return 1 if problems or (arguments.strict and warnings) else 0


def _lint(definitions: Iterable[Definition], schema: Schema) -> tuple[int, int]:
    """Print what is probably not meant, each segment compared with those before it; return warnings and hints."""
    from segmentkit.linting import lint

    counts = {"warning": 0, "hint": 0}
    trees: dict[str, dict[str, Predicate]] = {}
    for definition in definitions:
        earlier = trees.setdefault(definition.on, {})
        region = definition.where_offset, definition.where_offset + len(definition.where)
        for finding in lint(definition.source, schema, definition.on, segments=earlier, region=region):
            counts[finding.severity] += 1
            print(finding.render(definition.source, definition.origin), end="\n\n")
        earlier[definition.name] = definition.parse(schema)
    return counts["warning"], counts["hint"]


def read_definitions(paths: Iterable[Path], schema: Schema) -> tuple[list[Definition], list[str]]:
    """Return the definitions of the files, and everything that is wrong with them, ready to print.

    Places are those of the file. A file that is not in the language gives problems only.

    Raises:
        Failure: a file cannot be read.
    """
    from segmentkit.dsl.definitions import parse_definitions

    definitions: list[Definition] = []
    problems: list[str] = []
    path_by_name: dict[str, Path] = {}
    for path in paths:
        text = _read(path)
        try:
            found = parse_definitions(text, origin=str(path))
        except DefinitionError as error:
            problems += [problem.render(error.source, error.origin) for problem in error.problems]
            continue
        for definition in found:
            if definition.name in path_by_name:
                problems.append(
                    f"{path}: segment {definition.name!r} is defined in {path_by_name[definition.name]} already"
                )
            path_by_name.setdefault(definition.name, path)
            problems += _problems_of(definition, schema)
        definitions += found
    return definitions, problems


def _problems_of(definition: Definition, schema: Schema) -> list[str]:
    where = f"{definition.origin}, segment {definition.name!r}"
    if definition.on not in schema.types:
        return [f"{where}: unknown object type {definition.on!r}{suggestion(definition.on, schema.types)}"]
    try:
        definition.parse(schema)
    except DefinitionError as error:
        return [problem.render(error.source, error.origin) for problem in error.problems]
    except SegmentKitError as error:
        return [f"{where}: {error}"]
    return []


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Failure(f"{path}: not text in UTF-8 ({error.reason} at byte {error.start:,})") from None
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror or error}") from None

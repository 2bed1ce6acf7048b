"""`segmentkit check`: every problem of definition files, what is probably not meant, and an exit status for CI.

All files of a call belong together: a segment may refer to one of another file, whatever the order.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from segmentkit.cli._failure import Failure, suggestion
from segmentkit.cli._project import gather_definitions
from segmentkit.cli._report import plural
from segmentkit.cli._schema_file import read_schema
from segmentkit.errors import CycleError, DefinitionError, SegmentKitError
from segmentkit.schema import Schema

if TYPE_CHECKING:
    from segmentkit.dsl.definitions import Definition
    from segmentkit.dsl.predicates import Predicate


@attrs.frozen
class Checked:
    """The definitions of some files in their order, the trees of those without problems, and all problems, to print."""

    definitions: Sequence[Definition]
    tree_by_name: Mapping[str, Predicate]
    problems: Sequence[str]


def check(arguments: argparse.Namespace) -> int:
    """Run the command; return 0 without problems, 1 with some (`--strict`: or with warnings)."""
    project = gather_definitions(arguments.files, arguments.schema)
    schema = read_schema(project.schema)
    checked = read_definitions(project.definitions, schema)
    for problem in checked.problems:
        print(problem, end="\n\n")
    found = plural(len(checked.problems), "problem") if checked.problems else "no problems"
    warnings = 0
    if (arguments.lint or arguments.strict) and not checked.problems:
        warnings, hints = _lint(checked, schema)
        found += f", {plural(warnings, 'warning')}, {plural(hints, 'hint')}"
    print(f"{plural(len(checked.definitions), 'segment')} in {plural(len(project.definitions), 'file')}: {found}")
    return 1 if checked.problems or (arguments.strict and warnings) else 0


def _lint(checked: Checked, schema: Schema) -> tuple[int, int]:
    """Print what is probably not meant, each segment compared with those before it; return warnings and hints."""
    from segmentkit.linting import lint

    counts = {"warning": 0, "hint": 0}
    trees: dict[str, dict[str, Predicate]] = {}
    for definition in checked.definitions:
        earlier = trees.setdefault(definition.on, {})
        region = definition.where_offset, definition.where_offset + len(definition.where)
        for finding in lint(definition.source, schema, definition.on, segments=earlier, region=region):
            counts[finding.severity] += 1
            print(finding.render(definition.source, definition.origin), end="\n\n")
        earlier[definition.name] = checked.tree_by_name[definition.name]
    return counts["warning"], counts["hint"]


def read_definitions(paths: Iterable[Path], schema: Schema) -> Checked:
    """Return the definitions of the files, and everything that is wrong with them.

    Places are those of the file. A file that is not in the language gives problems only; then nobody
    knows all segments, and references to unknown ones pass.

    Raises:
        Failure: a file cannot be read.
    """
    from segmentkit.dsl.definitions import parse_definitions

    definitions: list[Definition] = []
    problems: list[str] = []
    path_by_name: dict[str, Path] = {}
    knows_all = True
    for path in paths:
        text = _read(path)
        try:
            found = parse_definitions(text, origin=str(path))
        except DefinitionError as error:
            problems += _rendered(error)
            knows_all = False
            continue
        for definition in found:
            if definition.name in path_by_name:
                problems.append(
                    f"{path}: segment {definition.name!r} is defined in {path_by_name[definition.name]} already"
                )
            path_by_name.setdefault(definition.name, path)
        definitions += found
    types = {definition.name: definition.on for definition in reversed(definitions)} if knows_all else None
    trees: dict[str, Predicate] = {}
    for definition in definitions:
        tree = _parsed(definition, schema, types, problems)
        if tree is not None:
            trees.setdefault(definition.name, tree)
    return Checked(definitions, trees, [*problems, *_circle(definitions, trees)])


def _parsed(
    definition: Definition, schema: Schema, types: Mapping[str, str] | None, problems: list[str]
) -> Predicate | None:
    where = f"{definition.origin}, segment {definition.name!r}"
    if definition.on not in schema.types:
        hint = suggestion(definition.on, schema.types)
        problems.append(f"{where}: unknown object type {definition.on!r}{hint}")
        return None
    try:
        return definition.parse(schema, segments=types)
    except DefinitionError as error:
        problems += _rendered(error)
    except SegmentKitError as error:
        problems.append(f"{where}: {error}")
    return None


def _circle(definitions: Iterable[Definition], trees: Mapping[str, Predicate]) -> list[str]:
    from segmentkit.dsl.definitions import in_order

    first = {definition.name: definition for definition in reversed(list(definitions))}
    try:
        in_order((first[name], tree) for name, tree in trees.items())
    except CycleError as error:
        return _rendered(error)
    return []


def _rendered(error: DefinitionError) -> list[str]:
    return [problem.render(error.source, error.origin) for problem in error.problems]


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Failure(f"{path}: not text in UTF-8 ({error.reason} at byte {error.start:,})") from None
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror or error}") from None

"""What is fuzzed: how an input is made out of choices, and what is asked of it.

A target makes inputs that JSON can hold, so that one that breaks something is kept as it is.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import attrs

import segmentkit as sk
from segmentkit.cli import main
from segmentkit.dsl._layout import format_file
from segmentkit.dsl.definitions import format_definitions, parse_definitions
from segmentkit.forms.jsonlogic import from_jsonlogic, to_jsonlogic
from segmentkit.forms.querybuilder import from_querybuilder, to_querybuilder
from tests.fuzz import expressions
from tests.fuzz.choices import Choices
from tests.fuzz.laws import check_engine, check_facts, check_tree, parsed
from tests.fuzz.mutate import mutated_document, mutated_text
from tests.fuzz.seeds import FILTERS, SCHEMAS, SEGMENTS, Seed, words_of

__all__ = ["TARGETS", "Case", "Target"]

Case: TypeAlias = dict[str, Any]
_WORDS: Final = {schema: words_of(schema) for schema in SCHEMAS}


@attrs.frozen
class Target:
    """One entrance of the library."""

    make: Callable[[Choices], Case]
    check: Callable[[Case], None]


# -------------------------------------------------------------------------------- filters


def _filter(choices: Choices, at_most: int = 4) -> Case:
    seed = choices.pick(FILTERS)
    text = mutated_text(seed.text, _WORDS[seed.schema], choices, at_most)
    on = choices.pick(list(SCHEMAS[seed.schema].types)) if choices.chance(16) else seed.on
    return {"schema": seed.schema, "on": on, "text": text, "facts": choices.below(65_536)}


def _check_filter(case: Case) -> None:
    tree = parsed(case["text"], case["schema"], case["on"])
    if tree is not None:
        check_tree(tree, case["schema"], case["on"])
        check_facts(tree, case["schema"], case["on"], case["facts"])


def _check_engine(case: Case) -> None:
    if parsed(case["text"], case["schema"], case["on"]) is not None:
        check_engine(case["text"], case["schema"], case["on"], case["facts"])


# ----------------------------------------------------------------------- completion, lint


def _unfinished(choices: Choices) -> Case:
    case = _filter(choices)
    return {**case, "position": choices.below(len(case["text"]) + 3)}


def _check_completion(case: Case) -> None:
    text, position = case["text"], case["position"]
    for found in sk.complete(text, position, SCHEMAS[case["schema"]], case["on"], segments=SEGMENTS[case["schema"]]):
        start, end = found.replaces
        assert 0 <= start <= min(position, len(text)) <= end <= len(text), found


def _check_lint(case: Case) -> None:
    schema, on = SCHEMAS[case["schema"]], case["on"]
    others = {"same": parsed(case["text"], case["schema"], on), "all": parsed("true", case["schema"], on)}
    segments = {name: tree for name, tree in others.items() if tree is not None}
    try:
        findings = sk.lint(case["text"], schema, on, segments=segments)
    except sk.SegmentKitError:
        return
    for finding in findings:
        assert 0 <= finding.start <= finding.end <= len(case["text"]), finding
        assert finding.message


# ------------------------------------------------------------------------------ documents


def _document(choices: Choices) -> Case:
    seed = choices.pick(FILTERS)
    tree = parsed(seed.text, seed.schema, seed.on)
    if tree is None:
        seed = Seed("forms", "contact", "orders > 4 and not country in ('PL', 'DE')")
        tree = sk.parse(seed.text, SCHEMAS["forms"], "contact")
    form = choices.pick(("json", "json", "querybuilder", "jsonlogic"))
    write: Mapping[str, Callable[..., Any]] = {"querybuilder": to_querybuilder, "jsonlogic": to_jsonlogic}
    try:
        document = write.get(form, sk.to_json)(tree)
    except sk.FormError:
        form, document = "json", sk.to_json(tree)
    found = mutated_document(document, choices)
    return {"schema": seed.schema, "on": seed.on, "form": form, "document": found, "facts": choices.below(65_536)}


def _check_document(case: Case) -> None:
    document, schema, on = case["document"], SCHEMAS[case["schema"]], case["on"]
    readers: Mapping[str, Callable[[], Any]] = {
        "json": lambda: sk.from_json(document, schema, on, segments=SEGMENTS[case["schema"]]),
        "querybuilder": lambda: from_querybuilder(document, schema, on),
        "jsonlogic": lambda: from_jsonlogic(document, schema, on),
    }
    if case["form"] == "json":
        _check_unbound(document)
    try:
        tree = readers[case["form"]]()
    except sk.SegmentKitError as error:
        assert str(error)  # noqa: PT017 - any error of the library is fine, and has a message
        return
    check_tree(tree, case["schema"], on)
    check_facts(tree, case["schema"], on, case["facts"])
    for write, read in ((to_querybuilder, from_querybuilder), (to_jsonlogic, from_jsonlogic)):
        with contextlib.suppress(sk.FormError):
            written = write(tree)
            assert sk.normalize(read(written, schema, on)) == sk.normalize(tree), written


def _check_unbound(document: Any) -> None:
    """Without a schema a document is a tree that other forms can say, or an error."""
    try:
        tree = sk.from_json(document)
    except sk.SegmentKitError:
        return
    assert sk.format(tree)
    assert sk.to_english(tree)
    assert sk.format(sk.normalize(tree))
    assert sk.from_json(json.loads(json.dumps(sk.to_json(tree)))) == tree


# ---------------------------------------------------------------------------- expressions


def _expression(choices: Choices) -> Case:
    seed = choices.pick(FILTERS)
    return {"schema": seed.schema, "on": seed.on, "expression": expressions.drawn(choices), "facts": 1}


def _check_expression(case: Case) -> None:
    try:
        expression = expressions.made(case["expression"])
    except sk.SegmentKitError:
        return
    try:
        tree = expressions.resolved(expression, case["schema"], case["on"])
    except sk.SegmentKitError:
        return
    check_tree(tree, case["schema"], case["on"])


# ---------------------------------------------------------------------------------- files

_CLAUSES: Final = (
    'describe "Ours"', 'hide from "agent-7", "b"', "refresh every 4 hours", 'tags "crm", "mail"', "# note", "\n\n",
    "describe ''", "refresh every 1 month", 'tags "a", "a"', "# a 'quote", "describe 'x' # behind",
)  # fmt: skip
_FILE_WORDS: Final = (
    "segment", "on", "contact", "where", '"A"', "'B'", "describe", "hide from", "refresh every", "tags", "4 hours",
    "# c\n", "\n", ",", "`contact`", "in segment 'A'", "entered segment 'A'",
    "true", "(", ")", "segment 'C' on contact",
)  # fmt: skip


def _definitions(choices: Choices) -> Case:
    seed = choices.pick(FILTERS)
    parts = []
    for number in range(1 + choices.below(3)):
        clauses = [choices.pick(_CLAUSES) for _ in range(choices.below(3))]
        where = mutated_text(choices.pick(FILTERS).text, _WORDS[seed.schema], choices, 1)
        parts.append("\n".join([f'segment "S{number}" on {seed.on}', *clauses, f"where {where}"]))
    text = mutated_text("\n".join(parts), (*_FILE_WORDS, *_FILE_WORDS, *_WORDS[seed.schema]), choices, 3)
    return {"schema": seed.schema, "on": seed.on, "text": text}


def _check_definitions(case: Case) -> None:
    try:
        definitions = parse_definitions(case["text"], "it.seg")
    except sk.SegmentKitError as error:
        assert str(error)  # noqa: PT017 - any error of the library is fine, and has a message
        return
    laid_out = format_file(case["text"])
    assert format_file(laid_out) == laid_out
    again = parse_definitions(laid_out)
    assert [attrs.evolve(d, where="", where_offset=0) for d in again] == [
        attrs.evolve(d, where="", where_offset=0) for d in definitions
    ]
    schema, segments = SCHEMAS[case["schema"]], {d.name: d.on for d in definitions}
    engine = sk.Engine(schema)
    for definition, other in zip(definitions, again, strict=True):
        try:
            tree = definition.parse(schema, segments=segments)
        except sk.SegmentKitError:
            continue
        assert other.parse(schema, segments=segments) == tree
        with contextlib.suppress(sk.SegmentKitError):
            engine.define(definition.name, on=definition.on, where=definition.where, tags=definition.tags)
    exported = engine.export_definitions()
    assert format_definitions(engine.segments()) == exported
    assert len(parse_definitions(exported)) == len(engine.segments())


_SCHEMA: Final = """zone = "Europe/Warsaw"
[types.contact.attributes]
orders = "integer"
plan = ["free", "pro"]
tags = "text_set"
[types.contact.events.purchase]
amount = "decimal"
[types.contact.relations]
company = { one = "company" }
deals = { many = "deal", via = "contact" }
[types.company.attributes]
size = "integer"
[types.deal.relations.contact]
one = "contact"
"""
_PROJECT: Final = """schema = "schema.toml"
definitions = ["it.seg"]
[objects]
contact = "contacts.csv"
[events.contact.purchase]
file = "purchases.csv"
columns = { customer = "object" }
"""
_TOML_WORDS: Final = (
    "[", "]", "{", "}", "=",
    '"', "'", ".", "1", "true", "2026-01-01", '"integer"', '"text"', "[types.a]", "[[types]]",
    "zone", '"UTC"', '"Mars/Base"', "[]", "{}", '""', '"`"', "types", "contact", "one", "many", "via", "\n", "#", "inf",
    '["a", "a"]', "schema", '"../it.seg"', '"\\u0000"', '[1, "x"]', "objects", "events", "columns",
    "file", "'''", "1e9",
)  # fmt: skip


def _schema_file(choices: Choices) -> Case:
    which = choices.below(3)
    schema = mutated_text(_SCHEMA, _TOML_WORDS, choices, 5 if which else 0)
    project = mutated_text(_PROJECT, _TOML_WORDS, choices, 5 if which != 1 else 0)
    definitions = 'segment "A" on contact where orders > 4 and any deals\n'
    if choices.chance(4):
        definitions = mutated_text(definitions, (*_FILE_WORDS, *_WORDS["related"]), choices, 3)
    return {"schema.toml": schema, "project.toml": project, "it.seg": definitions}


def _check_schema_file(case: Case) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in case.items():
            (folder / file).write_bytes(text.encode("utf-8", "surrogatepass"))
        for arguments in (
            ["check", "--lint", "--schema", folder / "schema.toml", folder / "it.seg"],
            ["check", folder],
            ["run", folder],
            ["fmt", folder],
            ["fmt", "--check", folder],
        ):
            status, output = _run([str(argument) for argument in arguments])
            assert status in (0, 1, 2), output
            assert "Traceback" not in output


def _run(arguments: list[str]) -> tuple[int, str]:
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        status = main(arguments)
    return status, output.getvalue()


TARGETS: Final[Mapping[str, Target]] = {
    "filter": Target(_filter, _check_filter),
    "engine": Target(lambda choices: _filter(choices, 2), _check_engine),
    "document": Target(_document, _check_document),
    "expression": Target(_expression, _check_expression),
    "definitions": Target(_definitions, _check_definitions),
    "completion": Target(_unfinished, _check_completion),
    "lint": Target(_filter, _check_lint),
    "command line": Target(_schema_file, _check_schema_file),
}

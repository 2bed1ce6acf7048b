"""The documentation is complete and true: every public name has an entry, every filter shown parses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import segmentkit
from segmentkit import errors, values
from segmentkit.dsl import _check_constants, _check_rank, _parse, _scan, definitions

DOCS = Path(__file__).parents[2] / "docs"
LANGUAGE = (DOCS / "reference/language.md").read_text("utf-8")
API = (DOCS / "reference/api.md").read_text("utf-8")
ERRORS = (DOCS / "reference/errors.md").read_text("utf-8")
README = (DOCS.parent / "README.md").read_text("utf-8")
PAGES = [DOCS.parent / "README.md", *sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)]


def blocks(page: str, language: str) -> list[str]:
    """Return the blocks of a page that are fenced as `language`."""
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def cells(line: str) -> list[str]:
    """Return the cells of a line of a table."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def examples(page: str) -> Iterator[str]:
    """Yield the filters of a page: blocks fenced as `filter`, and the code in columns headed "example"."""
    yield from blocks(page, "filter")
    column = None
    for line in page.splitlines():
        if not line.startswith("|"):
            column = None
        elif column is None:
            heads = cells(line)
            column = heads.index("example") if "example" in heads else -1
        elif column >= 0 and not line.startswith(("|---", "|:")):
            found = re.findall(r"`([^`]+)`", cells(line)[column])
            assert found, f"a row without an example: {line}"
            yield from found


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """What the first Python block of the language page declares."""
    names: dict[str, Any] = {}
    exec(blocks(LANGUAGE, "python")[0], names)  # noqa: S102  # our own page, and the block that its readers run
    return names


@pytest.mark.parametrize("filter", dict.fromkeys(examples(LANGUAGE)))
def test_every_filter_of_the_language_reference_parses(filter: str, page: dict[str, Any]) -> None:
    tree = segmentkit.parse(filter, page["schema"], on="contact", params=page["params"])
    assert segmentkit.parse(segmentkit.format(tree), page["schema"], on="contact") == tree


def test_the_language_reference_has_all_keywords() -> None:
    """Every keyword of the grammar is on the page; those of what is to come are in its list."""
    grammar = (Path(segmentkit.__file__).parent / "dsl/grammar.lark").read_text("utf-8")
    prose = re.sub(r"^```.*?^```", "", LANGUAGE, flags=re.MULTILINE | re.DOTALL)
    code = " ".join(re.findall(r"`([^`]+)`", prose)) + " ".join(blocks(LANGUAGE, "filter"))
    rules = [re.split(r"(?<!/)//", line)[0] for line in grammar.splitlines()]
    keywords = {word for rule in rules for word in re.findall(r'"([a-z]+)"', rule)}
    singular = {word.removesuffix("s") for word in keywords}
    missing = {word for word in singular if not re.search(rf"\b{word}s?\b", code)}
    assert missing == set()


@pytest.mark.parametrize(
    "limit",
    [
        _parse.MAX_LENGTH,
        _parse.MAX_DEPTH,
        _check_rank.MAX_RANKS,
        _parse.MAX_CONDITIONS,
        _parse.MAX_LISTED,
        values.MAX_TEXT,
        values.MAX_DIGITS,
        _check_constants.MAX_YEARS,
        definitions.MAX_FILE,
        _scan.MAX_PROBLEMS,
    ],
)
def test_the_language_reference_has_the_limits(limit: int) -> None:
    assert f"| {limit:,} |" in LANGUAGE.partition("## Limits")[2]


@pytest.mark.parametrize("name", segmentkit.__all__)
def test_every_public_name_has_an_entry(name: str) -> None:
    if isinstance(getattr(segmentkit, name), type) and issubclass(getattr(segmentkit, name), Exception):
        assert f"\n## {name}\n" in ERRORS
    else:
        assert re.search(rf"^\.\. (auto\w+|data):: segmentkit\.{name}$", API, re.MULTILINE), f"{name} is not in api.md"


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name != "Problem"])
def test_every_error_has_an_entry_with_cause_and_remedy(name: str) -> None:
    entry = ERRORS.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    assert "**Cause.**" in entry
    assert "**Remedy.**" in entry


def test_the_first_commands_of_the_readme_are_the_ones_promised() -> None:
    """The first runs the example, the second the tests; each makes or reuses its environment."""
    run, test = (block.strip() for block in blocks(README, "sh")[:2])
    assert run.startswith("python3 -m venv .venv && .venv/bin/python -m pip install -q -e . && ")
    assert run.endswith(".venv/bin/segmentkit run examples/cdnow --replay day")
    assert test.startswith("python3 -m venv .venv && .venv/bin/python -m pip install -q -e '.[test]' && ")
    assert test.endswith(".venv/bin/python -m pytest -q -n auto")


def test_the_laws_name_tests_that_exist() -> None:
    page = (DOCS / "explanation/invariants.md").read_text("utf-8")
    tests = "".join(path.read_text("utf-8") for path in sorted(Path(__file__).parents[1].rglob("test_*.py")))
    for name in re.findall(r"`(test_\w+)`", page):
        assert f"def {name}(" in tests, name
    for path in re.findall(r"`(tests/[\w/.]+)`", page):
        assert (DOCS.parent / path).exists(), path


def test_every_option_of_the_command_line_is_described() -> None:
    page = (DOCS / "reference/command-line.md").read_text("utf-8")
    source = (Path(segmentkit.__file__).parent / "cli/__init__.py").read_text("utf-8")
    options = set(re.findall(r'"(--[a-z-]+)"', source))
    assert options >= {"--schema", "--replay"}
    assert {option for option in options if option not in page} == set()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(DOCS.parent)))
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]*)", path.read_text("utf-8")):
        assert not target or (path.parent / target).exists(), target

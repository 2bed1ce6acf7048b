"""Texts that people read, kept in files and compared whole.

A file holds sections, each a line `=== name` and the text below it. `UPDATE_SNAPSHOTS=1` in the
environment writes what was found instead of comparing; the diff is then for a person to read.
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent


def assert_matches(file: str, name: str, found: str) -> None:
    """Compare a text with a section of a file."""
    path = FOLDER / file
    sections = _sections(path)
    if os.environ.get("UPDATE_SNAPSHOTS") and sections.get(name) != found.strip("\n"):
        sections[name] = found.strip("\n")
        path.write_text("".join(f"=== {key}\n{text}\n\n" for key, text in sections.items()), encoding="utf-8")
    assert name in sections, f"{path} has no section {name!r}; run with UPDATE_SNAPSHOTS=1 and read the diff"
    assert found.strip("\n") == sections[name]


def names(file: str) -> set[str]:
    """Return the names of all sections of a file."""
    return set(_sections(FOLDER / file))


def _sections(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    parts = ("\n" + path.read_text(encoding="utf-8")).split("\n=== ")[1:]
    pairs = (part.split("\n", 1) for part in parts)
    return {name: text.strip("\n") for name, text in pairs}

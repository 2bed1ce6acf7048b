"""A small project in a folder, and the command line over it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from segmentkit.cli import main

SHOP = {
    "project.toml": """
schema = "schema.toml"
definitions = ["segments.seg"]
[objects]
contact = "contacts.csv"
[events.contact]
purchase = "purchases.jsonl"
""",
    "schema.toml": """
zone = "Europe/Warsaw"
[types.contact.attributes]
country = "text"
[types.contact.events.purchase]
amount = "decimal"
[types.company]
""",
    "segments.seg": """
segment "Buyers" on contact
  where did purchase in the last 2 days

segment "Abroad" on contact
  where country != "PL"
""",
    "contacts.csv": "id,country\nanna,PL\nbob,DE\ncleo,\n",
    "purchases.jsonl": (
        '{"contact": "bob", "at": "2026-11-02T12:00:00Z", "amount": 5}\n'
        '{"contact": "anna", "at": "2026-11-01T12:00:00Z", "amount": 19.90}\n'
        '{"contact": "anna", "at": "2026-11-04T12:00:00Z", "amount": 0.1}\n'
    ),
}
"""A project of three contacts and three purchases, by file name."""


@attrs.frozen
class Result:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


@attrs.frozen
class Shop:
    """A folder with the project, and the command line over it."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, "utf-8")
        return path

    def call(self, *argv: str | Path) -> Result:
        return call(self.capture, argv)

    def run(self, *argv: str | Path) -> Result:
        return self.call("run", self.folder, *argv)


def call(capture: pytest.CaptureFixture[str], argv: Sequence[str | Path]) -> Result:
    status = main([str(argument) for argument in argv])
    printed = capture.readouterr()
    return Result(status, printed.out, printed.err)

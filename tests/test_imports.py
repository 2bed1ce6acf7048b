"""Which module may import which, and what importing the package costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import segmentkit

SOURCE = Path(segmentkit.__file__).parent

ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "values": {"errors"},
    "schema": {"errors", "values"},
    "clock": {"errors", "values"},
    "dsl": {"errors", "schema", "values"},
    "forms": {"errors", "schema", "values", "dsl"},
    "build": {"errors", "schema", "values", "dsl", "forms"},
    "index": {"errors", "schema", "values", "dsl"},
    "stores": {"errors", "schema", "values", "index.deltas"},
    "_reports": {"index"},
    "_subscriptions": {"index.deltas"},
    "_catalogue": {"errors", "schema", "values", "dsl", "index", "stores.protocol"},
    "_frames": {"errors"},
    "_exchange": {"errors", "index", "stores.protocol", "engine"},
    "_loading": {"errors", "schema", "values", "index", "_frames", "_exchange", "engine"},
    "_batches": {"errors", "index", "engine"},
    "_passing": {"index", "engine"},
    "_slices": {"index", "_passing", "engine"},
    "engine": {
        "errors",
        "schema",
        "values",
        "clock",
        "dsl",
        "index",
        "stores",
        "_reports",
        "_subscriptions",
        "_catalogue",
        "_exchange",
        "_loading",
        "_batches",
        "_passing",
        "_slices",
    },
    "linting": {"errors", "schema", "values", "dsl"},
    "editor": {"errors", "schema", "values", "dsl"},
    "cli": {"errors", "schema", "values", "clock", "dsl", "linting", "index.deltas", "engine"},
    "__main__": {"cli"},
}
"""What each part may import, besides itself. `__init__` may import everything but the command line."""

HEAVY = ("lark", "numpy", "pyarrow", "argparse", "pygments")


def modules() -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Yield what a file imports from the package, wherever the import stands, as dotted names below it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            head, _, rest = name.partition(".")
            if head == "segmentkit":
                yield rest


def is_below(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}.")


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_imports_run_one_way(path: Path) -> None:
    part = path.relative_to(SOURCE).with_suffix("").parts[0]
    allowed = {*ALLOWED, "presets", "build"} - {"cli", "__main__"} if part == "__init__" else {part, *ALLOWED[part]}
    wrong = [name for name in imported(path) if not any(is_below(name, other) for other in allowed)]
    assert wrong == []


def test_importing_the_package_leaves_what_is_large_for_its_first_use() -> None:
    code = (
        "import sys, time; begin = time.perf_counter(); import segmentkit; "
        "print(f'{time.perf_counter() - begin:.3f} s'); "
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, loaded = done.stdout.split("\n")[:2]
    print(f"import segmentkit: {seconds}")  # noqa: T201 - a figure to look at, no more
    assert loaded == ""

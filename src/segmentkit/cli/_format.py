"""`segmentkit fmt`: definition files in their one layout, written back or only checked."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from segmentkit.cli._failure import Failure
from segmentkit.cli._report import plural
from segmentkit.errors import DefinitionError, LimitError

__all__ = ["format_files"]


def format_files(arguments: argparse.Namespace) -> int:
    """Run the command; return 1 if a file is not in the language, or with `--check` not in its layout."""
    from segmentkit.dsl._layout import format_file

    changed = broken = seen = 0
    for path in _files(arguments.files):
        seen += 1
        text = _read(path)
        try:
            wanted = format_file(text, str(path))
        except (DefinitionError, LimitError) as error:
            print(error, file=sys.stderr)
            broken += 1
            continue
        if wanted == text:
            continue
        changed += 1
        if not arguments.check:
            path.write_text(wanted, encoding="utf-8", newline="\n")
        print(f"{'would change' if arguments.check else 'changed'} {path}")
    done = "would change" if arguments.check else "changed"
    print(f"{plural(seen, 'file')}: {changed} {done}, {broken} with problems")
    return 1 if broken or (changed and arguments.check) else 0


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the files, and for a folder the definition files in it."""
    for path in paths:
        if path.is_dir():
            yield from sorted(path.rglob("*.seg"))
        else:
            yield path


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise Failure(f"{path}: not text in UTF-8 ({error.reason} at byte {error.start:,})") from None
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror or error}") from None

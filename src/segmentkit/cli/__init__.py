"""The command line: `segmentkit run`, `segmentkit check` and `segmentkit fmt`.

`main` owns what all commands share: the options, the exit status (0 fine, 1 definitions have
problems, 2 anything else), clean messages on stderr instead of tracebacks, and output that
also works in a pipe and on a terminal that is not UTF-8.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` (default: the process's arguments) spells, and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        _never_fail_to_encode(stream)
    arguments = _parser().parse_args(argv)
    from segmentkit.cli._failure import Failure
    from segmentkit.errors import DefinitionError, SegmentKitError

    try:
        status: int = arguments.command(arguments)
        sys.stdout.flush()
    except Failure as failure:
        return _complain(failure.message, failure.status)
    except DefinitionError as error:
        return _complain(str(error), 1)
    except SegmentKitError as error:
        return _complain(str(error), 2)
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _complain("interrupted", 130)
    return status


def _complain(message: str, status: int) -> int:
    print(f"segmentkit: {message}", file=sys.stderr)
    return status


def _never_fail_to_encode(stream: TextIO) -> None:
    """What the stream's encoding cannot show comes out as an escape."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _start_run(arguments: argparse.Namespace) -> int:
    from segmentkit.cli._run import run

    return run(arguments)


def _start_check(arguments: argparse.Namespace) -> int:
    from segmentkit.cli._check import check

    return check(arguments)


def _start_format(arguments: argparse.Namespace) -> int:
    from segmentkit.cli._format import format_files

    return format_files(arguments)


class _Version(argparse.Action):
    """Prints the version; asks for it only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"segmentkit {version('segmentkit')}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="segmentkit", description="Live segments over objects, events and time.", allow_abbrev=False
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands.add_parser("run", help="show memberships over data files", allow_abbrev=False))
    _add_check(commands.add_parser("check", help="report the problems of definition files", allow_abbrev=False))
    _add_format(commands.add_parser("fmt", help="lay definition files out", allow_abbrev=False))
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Show which objects belong to which segments. Data files are CSV, JSON lines or Parquet, plain or gzipped."
    )
    parser.set_defaults(command=_start_run)
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help=".seg file, or folder with a project.toml that names files"
    )
    files = parser.add_argument_group("data, added to that of the project")
    files.add_argument("--schema", type=Path, metavar="FILE", help="object types, attributes and events, as TOML")
    files.add_argument(
        "--objects", metavar="TYPE=FILE", action="append", default=[], help="one row for each object; repeatable"
    )
    files.add_argument(
        "--events", metavar="TYPE.EVENT=FILE", action="append", default=[], help="one row for each event; repeatable"
    )
    files.add_argument(
        "--rename",
        metavar="COLUMN=NAME",
        action="append",
        default=[],
        help="what a column of these files is: id, object, at, or a declared name; repeatable",
    )
    files.add_argument("--ignore-columns", action="store_true", help="leave out columns that the schema does not know")
    one = parser.add_argument_group("one more segment")
    one.add_argument("--where", metavar="FILTER", help="such as 'orders > 4'")
    one.add_argument("--on", metavar="TYPE", help="the type of its objects; not needed when the schema has only one")
    one.add_argument("--name", help="its name (default: filter)")
    time = parser.add_argument_group("time")
    time.add_argument("--now", metavar="INSTANT", help="default: the instant of the last event, or else the clock")
    time.add_argument(
        "--replay",
        choices=["day", "week", "month"],
        help="play the events in their order up to now, and note the sizes at the end of each of these",
    )
    output = parser.add_argument_group("output")
    output.add_argument("--members", metavar="NAME", help="print the ids of this segment's members and nothing else")
    output.add_argument("--object", metavar="ID", help="show the segments of this object")
    output.add_argument("--deltas", action="store_true", help="print each entering and leaving as a line")
    output.add_argument("--format", choices=["table", "json"], default="table", help="json: one object on each line")


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Report every problem of definition files. Exit status: 0 none, 1 some, 2 a file cannot be read."
    )
    parser.set_defaults(command=_start_check)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=".seg file, or folder with a project.toml")
    parser.add_argument("--lint", action="store_true", help="also print what is probably not meant")
    parser.add_argument("--strict", action="store_true", help="lint, and end with status 1 if there is a warning")
    parser.add_argument("--schema", type=Path, metavar="FILE", help="object types, attributes and events, as TOML")


def _add_format(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Lay definition files out in their one way, comments kept, and write them back. "
        "Exit status: 0 fine, 1 a file is not in the language, 2 a file cannot be read."
    )
    parser.set_defaults(command=_start_format)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=".seg file, or folder with some")
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if a file would change")

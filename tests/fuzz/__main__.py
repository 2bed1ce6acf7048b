"""The fuzzer: `python -m tests.fuzz`, guided by coverage where atheris is installed, at random otherwise.

It goes on behind a finding and writes each new one, by target and place, as a case to the folder given.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

_ENGINES = ("atheris", "random")


def main() -> int:
    """Fuzz for some seconds; return 1 if something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="for all targets together (default: 600)")
    parser.add_argument("--seed", type=int, default=0, help="where random bytes begin")
    parser.add_argument("--target", action="append", help="fuzz this one only; repeatable")
    parser.add_argument("--engine", choices=_ENGINES, help="default: atheris if it is installed")
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"), help="folder for what is found")
    arguments = parser.parse_args()
    atheris = _atheris(arguments.engine)
    from tests.fuzz.run import Session  # behind atheris, which follows what is imported then

    session = Session(arguments.target, arguments.seconds, arguments.findings)
    if atheris is None:
        session.run_at_random(arguments.seed)
        print(session.report())
        return 1 if session.found else 0

    def one_input(data: bytes) -> None:
        if session.is_over():
            print(session.report(), flush=True)
            os._exit(1 if session.found else 0)  # libFuzzer has no other way to be stopped from inside
        session.try_bytes(data)

    folder = tempfile.mkdtemp()  # libFuzzer grows long inputs slowly, so it begins with some
    for number in range(200):
        (Path(folder) / str(number)).write_bytes(Random(arguments.seed * 1_000 + number).randbytes(400))
    options = ("-max_len=400", "-len_control=0", "-verbosity=0", "-rss_limit_mb=0", "-timeout=120")
    quiet = ("-report_slow_units=120", f"-artifact_prefix={folder}/")
    atheris.Setup([sys.argv[0], folder, f"-seed={arguments.seed + 1}", *options, *quiet], one_input)
    atheris.Fuzz()
    return 0


def _atheris(engine: str | None) -> Any:
    """Return atheris, following what segmentkit does, or None."""
    if engine == "random":
        return None
    try:
        import atheris
    except ImportError:
        if engine == "atheris":
            raise
        return None
    with atheris.instrument_imports(include=["segmentkit"]):
        import segmentkit.build
        import segmentkit.cli._run
        import segmentkit.editor._complete
        import segmentkit.forms.jsonlogic
        import segmentkit.forms.querybuilder
        import segmentkit.linting._truth  # noqa: F401
    return atheris


if __name__ == "__main__":
    sys.exit(main())

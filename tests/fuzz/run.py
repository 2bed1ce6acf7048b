"""One session of fuzzing: which target gets which bytes, how long that took, and what broke."""

from __future__ import annotations

import json
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.fuzz.choices import Choices
from tests.fuzz.targets import TARGETS, Case

__all__ = ["SLOW", "Session"]

SLOW: Final = 5.0
"""Seconds of processor time that no small input may take."""


class Session:
    """Tries inputs, counts them by target, and keeps one case of each finding.

    Args:
        targets: names of targets; none for all.
        seconds: how long to go on.
        findings: folder for new cases, or None to raise what is found.
    """

    def __init__(self, targets: Sequence[str] | None, seconds: float, findings: Path | None) -> None:
        self._names = list(targets or TARGETS)
        self._end = time.monotonic() + seconds
        self._findings = findings
        self.counts: Counter[str] = Counter()
        self.found: dict[str, str] = {}
        self.slowest: dict[str, float] = {}

    def is_over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self._end

    def run_at_random(self, seed: int) -> None:
        """Try random bytes until the time is up."""
        random = Random(seed)
        while not self.is_over():
            self.try_bytes(random.randbytes(400))

    def try_bytes(self, data: bytes) -> None:
        """Make an input of some target out of bytes, and check it."""
        choices = Choices(data)
        name = choices.pick(self._names)
        case = TARGETS[name].make(choices)
        self.counts[name] += 1
        began = time.process_time()
        try:
            TARGETS[name].check(case)
        except Exception as error:
            if self._findings is None:
                raise
            self._keep(name, case, error)
        took = time.process_time() - began
        self.slowest[name] = max(took, self.slowest.get(name, 0))
        if took > SLOW:
            slow = TimeoutError(f"{took:.1f} s")
            if self._findings is None:
                raise slow
            self._keep(name, case, slow)

    def _keep(self, name: str, case: Case, error: Exception) -> None:
        frames = [f"{Path(frame.filename).stem}:{frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
        place = f"{name} {type(error).__name__} {' '.join(frames[-3:])}"
        if place in self.found or self._findings is None:
            return
        self.found[place] = str(error)[:300]
        self._findings.mkdir(parents=True, exist_ok=True)
        written: dict[str, Any] = {"target": name, "input": case, "found": f"{type(error).__name__}: {error}"[:2000]}
        written["trace"] = frames[-8:]
        path = self._findings / f"{name.replace(' ', '-')}-{len(self.found)}.json"
        path.write_text(json.dumps(written, indent=1) + "\n", "utf-8")
        print(f"found {path}: {place}: {str(error)[:200]}".encode("ascii", "backslashreplace").decode(), flush=True)

    def report(self) -> str:
        """Return how often each target was tried, and what was found."""
        rows = [f"{name:14}{self.counts[name]:9,}   slowest {self.slowest.get(name, 0):.2f} s" for name in self._names]
        return "\n".join([*rows, f"{len(self.found)} findings"])

"""Inputs that once broke something, each by name, and with `-m fuzz` a while of new ones."""

from __future__ import annotations

import os
from random import Random
from typing import Any

import pytest

from tests.fuzz.run import Session
from tests.fuzz.seeds import corpus
from tests.fuzz.targets import TARGETS

CASES = corpus()
_OPEN = pytest.mark.xfail(strict=True, raises=AssertionError, reason="found, and not mended yet")


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=name, marks=[_OPEN] if case.get("open") else []) for name, case in CASES]
)
def test_a_kept_input_breaks_nothing_again(case: dict[str, Any]) -> None:
    TARGETS[case["target"]].check(case["input"])


def test_every_target_has_a_kept_input() -> None:
    assert {case["target"] for _, case in CASES} == set(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_a_few_new_inputs_break_nothing(target: str) -> None:
    """The same ones each time, so that a target that cannot run any more is noticed."""
    session, random = Session([target], 3_600, None), Random(target)
    for _ in range(5):
        session.try_bytes(random.randbytes(400))


@pytest.mark.fuzz
@pytest.mark.parametrize("target", TARGETS)
def test_inputs_that_are_nearly_right_break_nothing(target: str) -> None:
    """For FUZZ_SECONDS (default 60) each target; `python -m tests.fuzz` is guided by coverage and goes on."""
    Session([target], float(os.environ.get("FUZZ_SECONDS", "60")), None).run_at_random(0)

"""`segmentkit fmt`: files are laid out or only checked, and the exit status says what was found."""

from __future__ import annotations

from pathlib import Path

import pytest

from segmentkit.cli import main

UGLY = 'segment "A"   on contact where orders>4 # many\n'
TIDY = 'segment "A" on contact\n  where orders > 4  # many\n'


def test_files_are_written_back_in_their_layout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.seg").write_text(UGLY)
    (tmp_path / "b.seg").write_text(TIDY)
    assert main(["fmt", str(tmp_path)]) == 0
    assert (tmp_path / "a.seg").read_text() == (tmp_path / "b.seg").read_text() == TIDY
    assert "2 files: 1 changed, 0 with problems" in capsys.readouterr().out


def test_check_writes_nothing_and_fails_when_something_would_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.seg"
    path.write_text(UGLY)
    assert main(["fmt", "--check", str(path)]) == 1
    assert path.read_text() == UGLY
    assert f"would change {path}" in capsys.readouterr().out
    path.write_text(TIDY)
    assert main(["fmt", "--check", str(path)]) == 0


def test_a_file_with_problems_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.seg"
    path.write_text('segment "A" on contact where orders >')
    assert main(["fmt", str(path)]) == 1
    assert path.read_text() == 'segment "A" on contact where orders >'
    assert "line 1" in capsys.readouterr().err


def test_line_ends_and_marks_of_other_systems_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.seg"
    path.write_bytes(b"\xef\xbb\xbf" + UGLY.replace("\n", "\r\n").encode())
    assert main(["fmt", str(path)]) == 0
    assert path.read_bytes() == TIDY.encode()


def test_a_file_that_is_not_there_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", str(tmp_path / "none.seg")]) == 2
    assert "cannot read" in capsys.readouterr().err

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shop import SHOP, Shop


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    result = Shop(tmp_path, capsys)
    for name, text in SHOP.items():
        result.write(name, text)
    return result

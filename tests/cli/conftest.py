"""Sheets for the program to work on, in its folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def workbook(tmp_path: Path, samples: Path) -> Path:
    return Path(shutil.copy(samples / "catalog.xlsx", tmp_path / "catalog.xlsx"))


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "sheet.csv"
    path.write_text("SKU,EAN\n1,4006381333931\n2,4210201072959\n3,junk\n", encoding="utf-8")
    return path

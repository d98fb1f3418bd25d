"""Real workbooks, where they are at hand (a folder beside the repository, or ENRICHER_CORPUS); none is part of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from enricher.sheets.xlsx import worksheets
from tests.sheets.xlsx.excel_rules import broken_rules, raw_members

CORPUS = Path(os.environ.get("ENRICHER_CORPUS") or Path(__file__).parents[4] / "shared" / "corpus")
HEADERS = {
    "ar_supermarket_padded16.xlsx": 1,
    "fr_order_no_header.xlsx": 0,
    "keepa_bluray_orderform_chart.xlsx": 5,
    "tr_technopolis_eans.xlsx": 1,
}
MAY_CHANGE = ("xl/worksheets/sheet1.xml", "xl/tables/", "xl/workbook.xml")


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] if name.startswith("ar_") else []) for name in HEADERS]
)
def test_a_real_workbook_keeps_all_its_cells_and_parts(name: str, enrich: Any, shown: Any) -> None:
    path = CORPUS / name
    if not path.exists():
        pytest.skip(f"{name} is not here")
    result = enrich(path, HEADERS[name])
    old, new = raw_members(path), raw_members(result.path)
    assert list(old) == list(new)
    assert all(part.startswith(MAY_CHANGE) for part in old if old[part] != new[part])
    assert set(broken_rules(result.path)) <= set(broken_rules(path))
    before, after = shown(worksheets(path)[0]), shown(worksheets(result.path)[0])
    for (number, texts), (same_number, more) in zip(before, after, strict=True):
        assert number == same_number
        assert more[: len(texts)] == texts
    assert openpyxl.load_workbook(result.path, read_only=True).worksheets[0].max_row

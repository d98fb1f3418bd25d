from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from enricher.codes import Layout, find_columns
from enricher.errors import ConfigError, InputError
from enricher.model import LOOKUP_FIELDS, Cells, CodeType, Preview

ASINS = ["B088H39PXX", "B01NAL48FU", "B00NNUMI86"]
EANS = ["4006381333931", "4210201072959", "4548736144194"]


def preview(*rows: list[str]) -> Preview:
    count = len(rows)
    columns = [
        Cells(pa.array(list(texts), pa.string()), np.zeros(count, np.bool_), np.zeros(count, np.uint8))
        for texts in zip(*rows, strict=True)
    ]
    return Preview(tuple(columns), tuple(range(1, count + 1)))


def chosen(layout: Layout) -> list[str]:
    return [column.name for column in layout.code_columns]


def test_content_outweighs_the_header() -> None:
    layout = find_columns(preview(["EAN", "Ref"], *(["", asin] for asin in ASINS)))
    assert chosen(layout) == ["Ref"]


def test_asins_come_before_gtins() -> None:
    layout = find_columns(preview(["EAN", "ASIN"], *([ean, asin] for ean, asin in zip(EANS, ASINS, strict=True))))
    assert chosen(layout) == ["ASIN", "EAN"]


def test_a_column_of_codes_in_another_dress_is_found() -> None:
    rows = [[f"b0{number:08}", f"W-{number}"] for number in range(900)]
    assert chosen(find_columns(preview(["Ref", "House no"], *rows))) == ["Ref"]


def test_title_rows_above_the_header_are_passed_over() -> None:
    rows = [["Order form 2026", "", ""], ["for: buyer", "", ""], ["Item", "ASIN", "Price"]]
    layout = find_columns(preview(*rows, *(["x", asin, "1.00"] for asin in ASINS)))
    assert (layout.header_row, layout.names) == (3, ("Item", "ASIN", "Price"))


def test_a_sheet_without_a_header_has_none() -> None:
    layout = find_columns(preview(*([asin, "thing"] for asin in ASINS)))
    assert (layout.header_row, [column.index for column in layout.code_columns]) == (0, [0])


def test_dates_and_house_numbers_are_no_column_of_codes() -> None:
    rows = [[f"1000{number:03}5", "2024-01-03", asin] for number, asin in zip(range(0, 900, 300), ASINS, strict=True)]
    assert chosen(find_columns(preview(["Import", "Date", "ASIN"], *rows))) == ["ASIN"]


def test_a_first_row_with_a_bad_code_is_no_header() -> None:
    layout = find_columns(preview(["4006381333930", "Pen"], *([ean, "Pencil"] for ean in EANS)))
    assert layout.header_row == 0


@pytest.mark.parametrize("prefix", ["amazon_", "az_", ""])
@pytest.mark.parametrize("suffix", ["", "_2"])
def test_columns_that_an_earlier_run_added_are_passed_over(prefix: str, suffix: str) -> None:
    fields = [f"{prefix}{name}{suffix}" for name in ("asin", "title", "ean")]
    header = ["My code", *fields, *(f"{name}{suffix}" for name in LOOKUP_FIELDS)]
    rows = [[ean, asin, "t", ean, *("x" for _ in LOOKUP_FIELDS)] for ean, asin in zip(EANS, ASINS, strict=True)]
    layout = find_columns(preview(header, *rows))
    assert chosen(layout) == ["My code"]
    assert "an earlier run added columns" in layout.hints[-1]


def test_of_two_columns_with_as_many_codes_the_other_is_named() -> None:
    layout = find_columns(preview(["EAN", "EAN code"], *([ean, ean] for ean in EANS)))
    assert chosen(layout) == ["EAN"]
    assert "column 'EAN code' holds as many codes as 'EAN'" in layout.hints[0]
    with pytest.raises(ConfigError, match="2 columns are called 'EAN'"):
        find_columns(preview(["EAN", "EAN"], *([ean, ean] for ean in EANS)), wanted=["EAN"])


def test_fnskus_and_numbers_are_no_codes() -> None:
    with pytest.raises(InputError, match="no column with ASINs, UPCs or EANs"):
        find_columns(preview(["fnsku", "created"], ["X001XNL7UV", "1596240000000"], ["X001XNL7UW", "1596240000001"]))


def test_a_column_can_be_named_or_lettered() -> None:
    sheet = preview(["A1", "Code", "Other"], *([ean, asin, "x"] for ean, asin in zip(EANS, ASINS, strict=True)))
    assert chosen(find_columns(sheet, wanted=["code"])) == ["Code"]
    assert chosen(find_columns(sheet, wanted=["A"])) == ["A1"]


def test_an_unknown_column_is_refused_with_the_list() -> None:
    with pytest.raises(ConfigError, match=r"no column 'EANS'.*Code"):
        find_columns(preview(["Code"], *([asin] for asin in ASINS)), wanted=["EANS"])


def test_marketplaces_are_pointed_out_but_not_used_unasked() -> None:
    sheet = preview(["ASIN", "marketplace"], *([asin, "de"] for asin in ASINS))
    layout = find_columns(sheet)
    assert layout.domain_column is None
    assert "--domain-column 'marketplace'" in layout.hints[0]
    assert find_columns(sheet, domain_column="marketplace").domain_column == 1


def test_a_wanted_type_decides_between_columns() -> None:
    sheet = preview(["ASIN", "EAN"], *([asin, ean] for ean, asin in zip(EANS, ASINS, strict=True)))
    assert chosen(find_columns(sheet, code_type=CodeType.EAN)) == ["EAN"]

"""The row of the header: below titles and blank rows, or not there at all."""

from __future__ import annotations

import pytest

from enricher.codes import find_columns
from enricher.errors import ConfigError, InputError
from tests.codes.reading import ASINS, EANS, preview

GOODS = [["Pencil", asin, "1.00"] for asin in ASINS]


@pytest.mark.parametrize(
    "titles",
    [
        [],
        [["Order form 2026", "", ""]],
        [["Order form 2026", "", ""], ["", "", ""], ["for: buyer", "", "March"]],
        [["Order form", "Order form", "Order form"]],
        [["", "", ""], ["", "", ""]],
        [["2026-03-01", "", ""]],
        [["Price list", "Valid until 31.12.2026, all prices in EUR and without VAT; minimum order 100 pieces", ""]],
        [["Customer no.", "1234567", ""], ["Phone", "+49 30 1234567", ""]],
        [["Supplier's GLN", "4012345000009", ""]],
    ],
)
def test_rows_above_the_header_are_passed_over(titles: list[list[str]]) -> None:
    layout = find_columns(preview(*titles, ["Item", "ASIN", "Price"], *GOODS))
    assert (layout.header_row, layout.names) == (len(titles) + 1, ("Item", "ASIN", "Price"))


def test_blank_rows_may_stand_below_the_header() -> None:
    layout = find_columns(preview(["Item", "ASIN", "Price"], ["", "", ""], *GOODS))
    assert layout.header_row == 1


def test_a_header_may_have_fewer_words_than_a_row_of_titles() -> None:
    layout = find_columns(
        preview(["Our", "new", "catalog"], ["", "EAN", "Price"], *(["", ean, "1.00"] for ean in EANS))
    )
    assert (layout.header_row, layout.names[1]) == (2, "EAN")


@pytest.mark.parametrize("names", [["Artikel", "Ref", "Preis"], ["Item", "Col 2", ""], ["品名", "番号", "価格"]])
def test_a_header_needs_no_word_for_a_code(names: list[str]) -> None:
    assert find_columns(preview(names, *GOODS)).names == tuple(names)


def test_two_columns_of_a_header_may_be_called_the_same() -> None:
    assert find_columns(preview(["EAN", "EAN"], *(map(list, zip(EANS, EANS[::-1], strict=True))))).header_row == 1


def test_a_sheet_without_a_header_has_none() -> None:
    layout = find_columns(preview(*GOODS))
    assert (layout.header_row, layout.names) == (0, ("", "", ""))
    assert [column.index for column in layout.code_columns] == [1]
    assert [column.label for column in layout.code_columns] == ["column B"]


@pytest.mark.parametrize("first", [["4006381333930", "Pen"], ["'4006381333930", "Pen"], ["12345", "Pen"]])
def test_a_first_row_with_a_bad_code_is_no_header(first: list[str]) -> None:
    assert find_columns(preview(first, *([ean, "Pencil"] for ean in EANS))).header_row == 0


def test_the_header_row_can_be_named() -> None:
    sheet = preview(["EAN", "Name"], ["Code", "Title"], *([ean, "Pencil"] for ean in EANS))
    assert find_columns(sheet).names == ("EAN", "Name")
    assert find_columns(sheet, header_row=2).names == ("Code", "Title")
    assert find_columns(sheet, header_row=0).names == ("", "")
    with pytest.raises(ConfigError, match="--header-row 99: that row is empty or beyond the start of the sheet"):
        find_columns(sheet, header_row=99)


def test_the_row_with_the_named_columns_is_the_header() -> None:
    sheet = preview(["EAN", "Name"], ["Code", "Title"], *([ean, "Pencil"] for ean in EANS))
    assert find_columns(sheet, wanted=["code"]).header_row == 2


def test_a_header_without_rows_below_is_refused() -> None:
    with pytest.raises(InputError, match="there are no rows below the header in row 1"):
        find_columns(preview(["Item", "ASIN", "Price"]))

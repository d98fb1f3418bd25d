"""Which columns are taken: by what they hold, then by what they are called, and the others with a reason."""

from __future__ import annotations

import pytest

from enricher.codes import Layout, Marketplaces, Policy, find_columns
from enricher.codes.scan import scan, scan_columns
from enricher.errors import ConfigError, InputError
from enricher.model import LOOKUP_FIELDS, CodeType, Domain
from tests.codes.reading import ASINS, EANS, ISBNS, UPCS, cells, preview


def chosen(layout: Layout) -> list[str]:
    return [column.name for column in layout.code_columns]


def sheet(**columns: list[str]) -> Layout:
    """Lay out a sheet of columns that are as long as the shortest; an underscore is a space in the header."""
    rows = zip(*columns.values(), strict=False)
    return find_columns(preview([name.replace("_", " ") for name in columns], *map(list, rows)))


# --- content and header -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        *(
            "EAN",
            "EAN13",
            "UPC",
            "GTIN",
            "barcode",
            "Barkod",
            "Code EAN article",
            "JAN",
            "Variant Barcode",
            "product-id",
        ),
        *("external_product_id", "Strichcode", "Código de barras", "Штрихкод", "JANコード", "Ref", ""),
    ],
)
def test_eans_are_found_under_any_header(header: str) -> None:
    layout = find_columns(preview(["Item", header, "Price"], *(["Pencil", ean, "1.00"] for ean in EANS)))
    assert [column.index for column in layout.code_columns] == [1]


def test_content_outweighs_the_header() -> None:
    assert chosen(sheet(EAN=[""] * 5, Ref=ASINS)) == ["Ref"]
    assert chosen(sheet(EAN=["see box"] * 5, Ref=ASINS)) == ["Ref"]


def test_asins_come_before_gtins_wherever_they_stand() -> None:
    assert chosen(sheet(EAN=EANS, ASIN=ASINS)) == ["ASIN", "EAN"]
    assert chosen(sheet(UPC=UPCS, EAN=EANS, Ref=ASINS)) == ["Ref", "UPC", "EAN"]


def test_a_column_says_why_it_was_taken() -> None:
    asin, ean = sheet(Ref=ASINS, EAN=EANS).code_columns
    assert asin.reason == "by what its cells hold"
    assert ean.reason == "the header says EAN"


def test_a_column_of_codes_in_another_dress_is_found() -> None:
    assert chosen(sheet(Ref=[f"'{asin.lower()}" for asin in ASINS] * 200, House_no=["W-1"] * 1000)) == ["Ref"]


def test_a_type_column_is_used() -> None:
    rows = [*([asin, "1", "x"] for asin in ASINS), *([upc, "3", "x"] for upc in UPCS)]
    (column,) = find_columns(preview(["product-id", "product-id-type", "item-name"], *rows)).code_columns
    assert (column.name, column.claims) == ("product-id", 1)
    assert "types from 'product-id-type'" in column.reason


# --- decoys -----------------------------------------------------------------------------------------------------

_DECOYS = {
    "fnsku": ["X001XNL7UV", "X001XNL7UW", "X001XNL7UX", "X001XNL7UY", "X001XNL7UZ"],
    "Seller SKU": ["B088H39PXX", "B01NAL48FU", "B00NNUMI86", "B003E7UNE4", "B01IG0E1F0"],
    "SKU": EANS[:5],
    "created": [f"159624000{number}000" for number in (1001, 2002, 3003, 4004, 5005)],
    "listed at": ["1596240000003", "1596240000010", "1596240000027", "1596240000034", "1596240000041"],
    "Price": ["12.99", "1299.00", "8.49", "123456.70", "0.99"],
    "Amount": ["12,99", "1.299,00", "8,49", "9638507.40", "0,99"],
    "Import": ["10003015", "10006009", "10009003", "10012003", "10015007"],
    "Date": ["2024-01-03", "20240103", "03.01.2024", "20240110", "2024/01/27"],
    "Customer": ["4006381333931"] * 5,
    "Node": ["4650917800", "4650917801", "4650917802", "4650917803", "4650917875"],
    "Title": ["BASKETBALL", "Pencil 4006381333931 blue and red", "n/a", "x", "y"],
}


@pytest.mark.parametrize("name", _DECOYS)
def test_a_decoy_is_not_taken_beside_codes(name: str) -> None:
    rows = list(zip(_DECOYS[name], ASINS, strict=True))
    if name == "listed at":
        rows = [(f"15962400{number:05}", asin) for number, asin in enumerate(ASINS * 10)]
    assert chosen(find_columns(preview([name, "ASIN"], *map(list, rows)))) == ["ASIN"]


@pytest.mark.parametrize("name", ["fnsku", "created", "Price", "Date", "Import", "Node", "Customer"])
def test_a_sheet_of_decoys_is_refused_with_its_columns(name: str) -> None:
    with pytest.raises(InputError, match=rf"no column with ASINs, UPCs or EANs was found among: {name}.*--code-column"):
        find_columns(preview([name], *([cell] for cell in _DECOYS[name])))


def test_internal_numbers_are_no_column_of_codes() -> None:
    numbers = [str(number) for number in range(4_006_381_333_900, 4_006_381_334_000)]
    assert chosen(find_columns(preview(["No.", "ASIN"], *map(list, zip(numbers, ASINS * 20, strict=True))))) == ["ASIN"]


# --- runners-up -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "codes", "why"),
    [
        ("Parent ASIN", ["B00NNUMI86"] * 5, "of other articles, by its header"),
        ("Case UPC", UPCS[:5], "of other articles, by its header"),
        ("Competitor EAN", EANS[:5], "of other articles, by its header"),
        ("Other", ASINS[::-1], "column 'ASIN' (B) has such codes, too, and comes before it"),
        ("SKU", EANS[:5], "the header says that these are numbers of another kind"),
        ("Box", ["14006381333938", "14210201072956", "14548736144191", "17350177880128", "18902102164163"], "of cases"),
    ],
)
def test_a_column_that_is_passed_over_has_a_reason(name: str, codes: list[str], why: str) -> None:
    layout = find_columns(preview([name, "ASIN"], *map(list, zip(codes, ASINS, strict=True))))
    assert chosen(layout) == ["ASIN"]
    (runner_up,) = layout.runners_up
    assert runner_up.name == f"column {name!r} (A)"
    assert why in runner_up.reason


@pytest.mark.parametrize("name", ["Case UPC", "Old EAN", "Competitor ASIN", "Parent ASIN", "EAN Umkarton"])
def test_another_articles_codes_are_not_taken_although_they_stand_first(name: str) -> None:
    codes = ASINS if "ASIN" in name else UPCS
    for own in ("EAN", "UPC", "Ref"):
        layout = find_columns(preview([name, own], *map(list, zip(codes, EANS, strict=False))))
        assert chosen(layout) == [own]


def test_a_stray_isbn_column_is_passed_over() -> None:
    isbns = [*[""] * 59, "0439023483"]
    layout = sheet(standardUpc=[f"['00{upc}']" for upc in UPCS * 5], isbn10=isbns)
    assert chosen(layout) == ["standardUpc"]
    assert "too few to be more than stray entries" in layout.runners_up[0].reason


def test_of_two_columns_of_the_same_kind_the_first_is_taken() -> None:
    layout = sheet(EAN=EANS, EAN_code=EANS)
    assert chosen(layout) == ["EAN"]
    assert layout.runners_up[0].name == "column 'EAN code' (B)"
    assert "column 'EAN' (A) has such codes, too" in layout.runners_up[0].reason


def test_a_column_of_addresses_rescues_codes_that_lost_digits() -> None:
    shortened = [f"{ean[0]}.{ean[1:3]}E+12" for ean in EANS]
    urls = [f"https://shop.example/product/{ean}/name" for ean in EANS]
    layout = sheet(code=shortened, url=urls, name=["Pencil"] * 12)
    assert chosen(layout) == ["code", "url"]
    assert layout.code_columns[1].reason == "for the codes that lost digits"
    assert chosen(sheet(code=EANS, url=urls)) == ["code"]


def test_an_isbn_10_is_taken_beside_a_rounded_isbn_13() -> None:
    rounded = ["9.78043902348e+12", "9.78043955493e+12", "9.78031601584e+12", "9.78006112008e+12"]
    layout = sheet(isbn=ISBNS, isbn13=rounded)
    assert chosen(layout) == ["isbn", "isbn13"]


# --- as the user says -------------------------------------------------------------------------------------------


def test_a_column_can_be_named_or_lettered() -> None:
    rows = preview(["A1", "Code", "Other"], *([ean, asin, "x"] for ean, asin in zip(EANS, ASINS, strict=False)))
    assert chosen(find_columns(rows, wanted=["code"])) == ["Code"]
    assert chosen(find_columns(rows, wanted=["A"])) == ["A1"]
    assert chosen(find_columns(rows, wanted=["A1", " Code "])) == ["A1", "Code"]
    assert find_columns(rows, wanted=["Other"]).code_columns[0].reason == "named by you"


def test_an_unknown_or_doubtful_column_is_refused_with_the_list() -> None:
    with pytest.raises(ConfigError, match=r"no column 'EANS'.*Code"):
        find_columns(preview(["Code"], *([asin] for asin in ASINS)), wanted=["EANS"])
    with pytest.raises(ConfigError, match="2 columns are called 'EAN'"):
        find_columns(preview(["EAN", "EAN"], *([ean, ean] for ean in EANS)), wanted=["EAN"])


def test_a_wanted_type_decides_between_columns() -> None:
    rows = preview(["ASIN", "EAN"], *([asin, ean] for ean, asin in zip(EANS, ASINS, strict=False)))
    assert chosen(find_columns(rows, policy=Policy(wanted=CodeType.EAN))) == ["EAN"]
    assert chosen(find_columns(rows, policy=Policy(wanted=CodeType.ASIN))) == ["ASIN"]


def test_marketplaces_are_pointed_out_but_not_used_unasked() -> None:
    rows = preview(["ASIN", "marketplace"], *([asin, "de"] for asin in ASINS))
    layout = find_columns(rows)
    assert layout.domain_column is None
    assert layout.marketplaces == Marketplaces("marketplace", frozenset({Domain.DE}), by_header=True)
    assert find_columns(rows, domain_column="marketplace").domain_column == 1


@pytest.mark.parametrize(
    ("header", "cells", "named"),
    [
        ("Link", ["https://www.amazon.de/dp/B088H39PXX"] * 5, {Domain.DE}),
        ("Link", ["https://www.amazon.de/dp/1", "https://www.amazon.fr/dp/2"] * 2 + [""], {Domain.DE, Domain.FR}),
        ("Link", ["https://www.amazon.pl/dp/B088H39PXX"] * 5, {None}),
        ("sales-channel", ["Amazon.de"] * 5, {Domain.DE}),
        ("Where", ["A1PA6795UKMFR9"] * 5, {Domain.DE}),
        ("Marketplace", ["DE", "DE", "DE", "PL", "DE"], {Domain.DE, None}),
        ("marketplace", ["PL"] * 5, {None}),
        ("Market", ["DE", "FR"] * 2 + ["DE"], {Domain.DE, Domain.FR}),
    ],
)
def test_what_names_marketplaces_is_found_by_header_or_by_content(
    header: str, cells: list[str], named: set[Domain | None]
) -> None:
    layout = find_columns(preview(["ASIN", header], *map(list, zip(ASINS, cells, strict=True))))
    assert layout.marketplaces is not None
    assert layout.marketplaces.column == header
    assert set(layout.marketplaces.named) == named


@pytest.mark.parametrize(
    ("header", "cells"),
    [("Amazon: Stock", ["4", "1", "12", "3", "2"]), ("item-is-marketplace", ["y", "n", "y", "y", "y"])],
)
def test_what_only_sounds_like_marketplaces_is_none(header: str, cells: list[str]) -> None:
    layout = find_columns(preview(["ASIN", header], *map(list, zip(ASINS, cells, strict=True))))
    assert layout.marketplaces is None


def test_addresses_that_hold_the_codes_name_their_own_marketplaces() -> None:
    layout = find_columns(preview(["Link"], *([f"https://www.amazon.fr/dp/{asin}"] for asin in ASINS)))
    assert layout.marketplaces is None


def test_countries_are_only_pointed_out() -> None:
    layout = find_columns(preview(["ASIN", "Country"], *([asin, "Germany"] for asin in ASINS)))
    assert layout.marketplaces is None
    assert "--domain-column 'Country'" in layout.hints[0]


def test_a_lone_column_of_other_articles_is_not_bought_unasked() -> None:
    rows = preview(["Parent ASIN", "Name"], *([asin, "x"] for asin in ASINS))
    with pytest.raises(InputError, match=r"Passed over is column 'Parent ASIN' \(A\): of other articles"):
        find_columns(rows)
    assert chosen(find_columns(rows, wanted=["Parent ASIN"])) == ["Parent ASIN"]


def test_a_column_that_is_named_is_taken_with_nothing_usable_in_it() -> None:
    layout = find_columns(preview(["n", "EAN"], *(["x", f"59023{at}0000000"] for at in range(1, 9))))
    assert (chosen(layout), layout.codes) == (["EAN"], 0)


@pytest.mark.parametrize("prefix", ["amazon_", "az_", ""])
@pytest.mark.parametrize("suffix", ["", "_2"])
def test_columns_that_an_earlier_run_added_are_passed_over(prefix: str, suffix: str) -> None:
    fields = [f"{prefix}{name}{suffix}" for name in ("asin", "title", "ean")]
    header = ["My code", *fields, *(f"{name}{suffix}" for name in LOOKUP_FIELDS)]
    rows = [[ean, asin, "t", ean, *("x" for _ in LOOKUP_FIELDS)] for ean, asin in zip(EANS, ASINS, strict=False)]
    layout = find_columns(preview(header, *rows))
    assert chosen(layout) == ["My code"]
    assert "an earlier run added columns" in layout.hints[-1]


def test_a_column_of_cases_is_taken_if_they_are_unpacked() -> None:
    cases = ["14006381333938", "14210201072956", "14548736144191", "17350177880128", "18902102164163"]
    rows = preview(["Item", "GTIN"], *(["Pencil", case] for case in cases))
    assert find_columns(rows).codes == 0
    unpacked = find_columns(rows, policy=Policy(unpack_cases=True))
    assert (chosen(unpacked), unpacked.codes) == (["GTIN"], len(cases))


def test_many_columns_are_seen_at_once_as_they_are_one_by_one() -> None:
    texts = [["EAN", "4006381333931", f"text {at}", "", f"https://www.amazon.de/dp/B0{at:08d}"] for at in range(300)]
    columns = [cells(column) for column in texts]
    together, alone = scan_columns(columns), [scan(column) for column in columns]
    for one, other in zip(together, alone, strict=True):
        assert one.domains == other.domains
        assert one.blank.tolist() == other.blank.tolist()
        for name in ("digits", "can", "tail", "values"):
            assert getattr(one.shapes, name).tolist() == getattr(other.shapes, name).tolist()


def test_hundreds_of_columns_of_codes_are_not_chosen_from() -> None:
    rows = [[f"c{at}" for at in range(400)], ["4006381333931"] * 400]
    with pytest.raises(InputError, match="400 columns look like codes"):
        find_columns(preview(*rows))
    assert find_columns(preview(*rows), wanted=["c7"]).code_columns[0].index == 7


def test_of_a_very_long_cell_the_start_is_looked_at() -> None:
    [seen] = scan_columns([cells([", ".join(EANS[:2] * 10_000), "x" * 1_000_000])])
    assert seen.shapes.known().tolist() == [True, False]

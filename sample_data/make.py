"""Makes everything in this folder and the sandbox's shipped catalog, the same bytes each time.

    python sample_data/make.py [FOLDER]

Writes into the project, or into FOLDER as if it were the project. Owns the samples' layouts and their dirt; the
products come from invent.py. The workbook's bytes also depend on the versions of openpyxl and zlib.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from invent import Inventor, Product, invent, with_check_digit
from openpyxl import Workbook
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.styles.differential import DifferentialStyle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from openpyxl.worksheet.worksheet import Worksheet

SEED = 20260101
MADE_AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ZIP_TIME = MADE_AT.timetuple()[:6]

# 72 + 34 + 4: at most 110 different codes to send (some products share one), so that one full bucket of the Pro
# plan (120) answers the workbook.
GTIN_PRODUCTS = 72
ASIN_PRODUCTS = 34
UNKNOWN_CODES = 4
WORKBOOK_ROWS = 300
SUPPLIERS = ("Halvorsen & Pike", "Mondrago Import", "Tessel Trading", "Bluewater Goods", "Kestrel Supply")
WAREHOUSES = ("North", "South", "Harbour", "Returns")
PLAIN_ZEROS = "000000000000"


def main() -> None:
    """Make the files."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]
    products = invent(Random(SEED))
    files = {
        "enricher/sandbox/catalog.jsonl": shipped_catalog(products),
        "sample_data/catalog.xlsx": workbook(products, Random(SEED + 1)),
        "sample_data/catalog.csv": german_csv(products, Random(SEED + 2)),
        "sample_data/marketplaces.csv": marketplaces_csv(products, Random(SEED + 3)),
    }
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        print(f"{name}: {len(content):,} bytes")


def shipped_catalog(products: list[Product]) -> bytes:
    """Return one JSON object a line, a line a product and marketplace."""
    lines = (json.dumps(row, ensure_ascii=False) for product in products for row in product.rows())
    return "".join(line + "\n" for line in lines).encode()


# --- catalog.xlsx -----------------------------------------------------------------------------------------------

HEADER = (
    "SKU", "Product", "UPC / ASIN", "Supplier", "Warehouse", "Qty", "Cost", "Value", "Last ordered"
)  # fmt: skip
WIDTHS = (11, 34, 24, 20, 12, 8, 11, 13, 14)
Code = tuple[str | int | None, str]
"""What the code cell holds, and its number format."""


def workbook(products: list[Product], random: Random) -> bytes:
    """Return a stock list: styled header, autofilter, frozen panes, formulas, and codes in every state of neglect."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Catalog"
    sheet.append(HEADER)
    for number, (product, code) in enumerate(stock(products, random), start=2):
        write_row(sheet, number, product, code, random)
    decorate(sheet)
    notes = book.create_sheet("Notes")
    notes.column_dimensions["A"].width = 80
    notes.append(["The stock list of a shop that does not exist; every product in it is invented."])
    notes.append(["Codes are as they came: typed, pasted, scanned, exported. Blank means nobody has looked yet."])
    book.properties.creator = "Enricher"
    book.properties.created = MADE_AT.replace(tzinfo=None)
    buffer = io.BytesIO()
    book.save(buffer)
    return settled(buffer.getvalue())


def stock(products: list[Product], random: Random) -> list[tuple[str, Code]]:
    """Return the product's short name and the code cell of each row, in the order of the sheet."""
    american = [product for product in products if "com" in product.offers]
    odd, rest = american[:3], american[3:]
    by_gtin = [product for product in rest if product.upc is not None]
    # Numbers lose their zeros only where there are zeros to lose.
    zeros = [product for product in by_gtin if product.upc is not None and product.upc.startswith("0")]
    by_gtin = odd + zeros[:30] + [product for product in by_gtin if product not in zeros[:30]]
    by_gtin = by_gtin[:GTIN_PRODUCTS]
    by_asin = [product for product in rest if product not in by_gtin][:ASIN_PRODUCTS]
    inventor = Inventor(random)  # a fresh one: its codes are in nobody's catalog
    unknown = [inventor.upc() if number % 2 else inventor.asin() for number in range(UNKNOWN_CODES)]

    rows: list[tuple[str, Code]] = []
    rows += [(short_name(product), clean(product.upc)) for product in by_gtin]
    rows += [(short_name(product), clean(product.asin)) for product in by_asin]
    rows += [("Discontinued item", clean(code)) for code in unknown]
    rows += [(short_name(product), code) for product in by_gtin for code in untidy_upc(product, random)]
    rows += [(short_name(product), untidy_asin(product.asin, random)) for product in by_asin]
    rows += [("Gift wrap, in-house", clean(f"W-{number}")) for number in (10077, 10078, 10112)]
    rows += [(short_name(product), clean(wrong_check_digit(product.upc))) for product in by_gtin[10:15]]
    rows += [(short_name(product), clean(None)) for product in rest[-12:]]
    while len(rows) < WORKBOOK_ROWS:  # the same product in yet another warehouse
        product = random.choice(by_gtin + by_asin)
        rows.append((short_name(product), clean(product.upc if product in by_gtin else product.asin)))
    random.shuffle(rows)
    return rows


def short_name(product: Product) -> str:
    """Return the shop's own, shorter name."""
    name, dash, _ = product.titles[0].partition(" - ")
    return name.split(" ", 1)[1] if dash else str(product.item["productGroup"])


def clean(code: str | None) -> Code:
    """Return a code as it should be: text."""
    return code, "@" if code else "General"


def untidy_upc(product: Product, random: Random) -> Iterator[Code]:
    """Yield the same UPC as somebody's export left it; one or two cells."""
    upc = product.upc or ""
    states: list[Code] = [
        (int(upc), PLAIN_ZEROS),
        (f"{upc[0]} {upc[1:6]} {upc[6:11]} {upc[11]}", "@"),
        (f"{upc[0]}-{upc[1:6]}-{upc[6:11]}-{upc[11]}", "@"),
        (f"0{upc}", "@"),
        (f" {upc} ", "@"),
    ]
    if upc.startswith("0"):
        yield int(upc), "0"
    yield random.choice(states)


def untidy_asin(asin: str, random: Random) -> Code:
    """Return the same ASIN as it was typed or pasted."""
    return random.choice((asin.lower(), f"https://www.amazon.com/dp/{asin}", f"{asin} ", asin)), "@"


def wrong_check_digit(upc: str | None) -> str:
    """Return a UPC somebody mistyped."""
    text = upc or ""
    return text[:-1] + str((int(text[-1]) + 3) % 10)


def write_row(sheet: Worksheet, number: int, name: str, code: Code, random: Random) -> None:
    """Write one row of stock."""
    ordered = MADE_AT.date() - timedelta(days=random.randrange(1, 400))
    quantity, cost = random.choice((0, 2, 6, 12, 24, 48, 96)), round(random.uniform(4, 60), 2)
    supplier, warehouse = random.choice(SUPPLIERS), random.choice(WAREHOUSES)
    formula = f"=F{number}*G{number}"
    values = (f"{number + 999:06}", name, code[0], supplier, warehouse, quantity, cost, formula, ordered)
    formats = ("@", "General", code[1], "General", "General", "#,##0", '"$"#,##0.00', '"$"#,##0.00', "yyyy-mm-dd")
    for column, (value, number_format) in enumerate(zip(values, formats, strict=True), start=1):
        cell = sheet.cell(number, column, value)
        cell.number_format = number_format


def decorate(sheet: Worksheet) -> None:
    """Style the sheet the way people do."""
    for cell in sheet[1]:
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", start_color="2F5D62")
        cell.alignment = Alignment(horizontal="center", vertical="center")
    sheet.row_dimensions[1].height = 24
    for letter, width in zip("ABCDEFGHI", WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "C2"
    sheet.auto_filter.ref = f"A1:I{sheet.max_row}"
    pink = DifferentialStyle(fill=PatternFill("solid", end_color="F8D7DA"))
    empty = Rule("cellIs", operator="equal", formula=["0"], dxf=pink)
    sheet.conditional_formatting.add(f"F2:F{sheet.max_row}", empty)


def settled(content: bytes) -> bytes:
    """Return the workbook with fixed dates, and with the results of its formulas, as a spreadsheet program saves it.

    openpyxl stamps the current time on the parts and the properties, and writes formulas without results, which a
    program that doesn't calculate would show as blanks.
    """
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as book:
        for name in source.namelist():
            part = source.read(name).decode()
            if name == "docProps/core.xml":
                part = re.sub(r"(<dcterms:modified[^>]*>)[^<]*", rf"\g<1>{MADE_AT:%Y-%m-%dT%H:%M:%SZ}", part)
            elif name == "xl/worksheets/sheet1.xml":
                part = with_results(part)
            entry = zipfile.ZipInfo(name, ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0  # the same on every system
            book.writestr(entry, part, compresslevel=9)
    return target.getvalue()


def with_results(part: str) -> str:
    """Return the sheet's XML with the product beside each formula F*G."""
    numbers = {name: float(value) for name, value in re.findall(r'<c r="([FG]\d+)"[^>]*><v>([^<]*)', part)}

    def result(match: re.Match[str]) -> str:
        value = round(numbers[f"F{match[1]}"] * numbers[f"G{match[1]}"], 2)
        return f"<f>F{match[1]}*G{match[1]}</f><v>{value:g}</v>"

    return re.sub(r"<f>F(\d+)\*G\1</f><v ?(?:/>|></v>)", result, part)


# --- the CSVs ---------------------------------------------------------------------------------------------------


def german_csv(products: list[Product], random: Random) -> bytes:
    """Return a list as a German spreadsheet program exports it: semicolons, cp1252, CRLF, decimal commas."""
    german = [product for product in products if product.ean is not None and "de" in product.offers]
    rows: list[list[Any]] = [["Artikelnummer", "Bezeichnung", "EAN", "Lieferant", "Menge", "EK-Preis"]]
    suppliers = ("Müller & Söhne GmbH", "Großhandel Weiß; Köln", "Bäuerle KG", "Österreicher Import")
    chosen = german[:68] + random.sample(german[:68], 8)
    for number, product in enumerate(chosen, start=1):
        cost = f"{random.uniform(3, 1500):.2f}".replace(".", ",")
        name = product.titles[1].replace("\n", " ")
        rows.append([f"{number * 7:06}", name, product.ean, random.choice(suppliers), random.randrange(60), cost])
    rows += [[f"{number:06}", "Verpackungsmaterial (Größe L)", "", suppliers[0], 1, "0,50"] for number in (9001, 9002)]
    rows += [["009003", 'Prüfmuster "Süd"', with_check_digit("406173900000"), suppliers[1], 3, "9,99"]]
    return as_csv(rows, ";", "\r\n").encode("cp1252")


def marketplaces_csv(products: list[Product], random: Random) -> bytes:
    """Return a list whose rows are for different marketplaces, each named as it occurs to people."""
    names = {
        "de": ("de", "DE", "amazon.de"),
        "uk": ("UK", "uk", "amazon.co.uk"),
        "fr": ("fr", "amazon.fr"),
        "com": ("com", "US", "amazon.com"),
        "jp": ("jp", "amazon.co.jp"),
        "ca": ("ca", "CA"),
    }
    rows = [["sku", "asin", "ean", "marketplace"]]
    offers = [(product, domain) for product in products for domain in product.offers if domain in names]
    for number, (product, domain) in enumerate(random.sample(offers, 60), start=1):
        by_ean = product.ean is not None and random.random() < 0.45  # noqa: PLR2004 - a bit less than half
        codes = ["", product.ean or ""] if by_ean else [product.asin, ""]
        rows.append([f"MP-{number:04}", *codes, random.choice(names[domain])])
    return as_csv(rows, ",", "\n").encode()


def as_csv(rows: Iterable[list[Any]], delimiter: str, line_end: str) -> str:
    """Return the rows as CSV text."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator=line_end).writerows(rows)
    return buffer.getvalue()


if __name__ == "__main__":
    main()

"""Text files in many dialects and encodings, HTML and XML that call themselves .xls among them."""

from __future__ import annotations

import codecs
import csv
import io

from tests.fuzz.codes import ASINS, EANS, UPCS

_WORDS = (
    "plain",
    "a, b; c|d",
    'three "quoted" words',
    "two\nlines",
    "",
    "  edges  ",
    "NA",
    "None",
    "1E5",
    "007",
    "12,50",
)
_FOREIGN = ("Käse", "façade", "Müller & Söhne", "niño", "£5", "Straße")


def texts() -> dict[str, bytes]:
    """Make them; by name."""
    return {
        "comma.csv": _render(_rows(), ",", "\n").encode(),
        "semicolon_cp1252.csv": _render(_rows(foreign=True), ";", "\r\n").encode("cp1252"),
        "tabs_utf16.txt": codecs.BOM_UTF16_LE + _render(_rows(foreign=True), "\t", "\r\n").encode("utf-16-le"),
        "bars_bom.csv": codecs.BOM_UTF8 + _render(_rows(foreign=True), "|", "\n").encode(),
        "quoted_all.csv": _render(_rows(), ",", "\r\n", quoting=csv.QUOTE_ALL).encode(),
        "semicolon_dos.csv": _render(_rows(foreign=True), ";", "\r\n").encode("cp850"),
        "tabs.tsv": "".join(f'{at}\t{ean}\t6" nail\n' for at, ean in enumerate(EANS)).encode(),
        "one_column.txt": "".join(f"{asin}\n" for asin in ASINS).encode(),
        "headerless.csv": "".join(f"{ean},{at},x\n" for at, ean in enumerate(EANS)).encode(),
        "old_mac.csv": _render(_rows(), ",", "\r").encode(),
        "no_final_newline.csv": ("EAN,word\n" + "\n".join(f"{ean},w" for ean in EANS)).encode(),
        "ragged.csv": ("Stock list\n\nSKU,UPC,word\n" + "".join(f"{at},{upc}{',x' * (at % 4)}\n" for at, upc in
                       enumerate(UPCS))).encode(),
        "sep.csv": ("sep=;\r\n" + _render(_rows(), ";", "\r\n")).encode(),
        "japanese.csv": _render([["商品", "EAN"], *(["日本語", ean] for ean in EANS)], ",", "\r\n").encode("cp932"),
        "table.xls": _html().encode(),
        "spreadsheetml.xls": _spreadsheetml().encode(),
    }  # fmt: skip


def _rows(*, foreign: bool = False) -> list[list[str]]:
    words = _WORDS + (_FOREIGN if foreign else ())
    rows = [[f"SKU{at}", code, words[at % len(words)], f"{at},95", ""] for at, code in enumerate(EANS + UPCS)]
    return [["SKU", "EAN", "Title", "Price", "Note"], *rows]


def _render(rows: list[list[str]], delimiter: str, line_end: str, quoting: int = csv.QUOTE_MINIMAL) -> str:
    sink = io.StringIO(newline="")
    csv.writer(sink, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return sink.getvalue()


def _html() -> str:
    style = "style='mso-number-format:\"\\@\"'"
    rows = "".join(
        f'<tr><td>{at}</td><td x:num="{ean}" {style}>{ean}</td><td>a&amp;b<br>c' for at, ean in enumerate(EANS)
    )
    return (
        '<html><head><meta charset="utf-8"><style>td{}</style></head><body>'
        "<table><tr><th colspan=2>List<th>x</tr></table>"
        f"<table border=1><tr><th>No</th><th>EAN</th><th>Title</th></tr>{rows}</table></body></html>"
    )


def _spreadsheetml() -> str:
    cell = '<Cell><Data ss:Type="{}">{}</Data></Cell>'
    rows = "".join(
        f"<Row>{cell.format('Number', at)}{cell.format('String', ean)}"
        f'<Cell ss:Index="4"><Data ss:Type="DateTime">2024-05-06T07:08:09.000</Data></Cell></Row>'
        for at, ean in enumerate(EANS)
    )
    names = "<Row>" + "".join(cell.format("String", name) for name in ("No", "EAN", "x", "Day")) + "</Row>"
    return (
        '<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        f'<Worksheet ss:Name="Data"><Table>{names}{rows}</Table></Worksheet></Workbook>'
    )

# ruff: noqa: RUF001 - letters of many scripts are what this is about
from __future__ import annotations

import csv
import io
import itertools
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from enricher.sheets.csv.dialect import Dialect, detect

if TYPE_CHECKING:
    from pathlib import Path

COMMA = Dialect("utf-8", has_bom=False, delimiter=",", quoting=True, line_end="\n", decimal=".")
ASINS = "\n".join(f"B00ABCDEF{digit}" for digit in range(10))


def found(folder: Path, text: str) -> Dialect:
    path = folder / "in.csv"
    path.write_bytes(text.encode())
    return detect(path)


def records(text: str, dialect: Dialect) -> list[list[str]]:
    return list(dialect.reader(io.StringIO(text, newline="")))


def test_a_column_whose_quoted_header_has_a_line_break_and_commas_is_one_column(tmp_path: Path) -> None:
    text = f'"Product\nASIN, ""main"""\n{ASINS}\n'
    dialect = found(tmp_path, text)
    assert dialect.quoting
    read = records(text, dialect)
    assert read[0] == ['Product\nASIN, "main"']
    assert {len(fields) for fields in read} == {1}


@pytest.mark.parametrize("header", ['"a, b\nc, d"', '"a;b\nc\td"', '"EAN\n(13 digits), ""new"""'])
@pytest.mark.parametrize("rows", [1, 2, 300])
def test_a_column_of_codes_below_any_quoted_header_is_one_column(tmp_path: Path, header: str, rows: int) -> None:
    text = header + "\r\n" + "4006381333931\r\n" * rows
    assert [len(fields) for fields in records(text, found(tmp_path, text))] == [1] * (rows + 1)


@pytest.mark.parametrize("text", ["ASIN\nB00ABCDEF1\nB00ABCDEF2\n", "B00ABCDEF1", "EAN\r\n", "4006381333931\n" * 600])
def test_a_column_without_any_delimiter_is_extended_by_commas(tmp_path: Path, text: str) -> None:
    dialect = found(tmp_path, text)
    assert (dialect.delimiter, dialect.quoting) == (",", True)


def test_a_column_of_texts_is_not_cut_at_its_commas(tmp_path: Path) -> None:
    text = "Name\n" + "Chair\nDesk lamp\nTable, black, round\nSofa\nDesk\n" * 20
    assert {len(fields) for fields in records(text, found(tmp_path, text))} == {1}


@pytest.mark.parametrize("title", ["Report of 2024", "Report of 2024, all shops", "Produced by: me; on 3.4.2024"])
@pytest.mark.parametrize("gap", ["\n", "\n\n\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("rows", [3, 50])
def test_a_title_above_the_table_tells_nothing(tmp_path: Path, title: str, gap: str, delimiter: str, rows: int) -> None:
    table = ["EAN;Name;Stock", *["4006381333931;Pen;3"] * rows]
    text = title + "\n" + gap + "\n".join(table).replace(";", delimiter) + "\n"
    assert found(tmp_path, text).delimiter == delimiter


def test_a_title_with_a_comma_does_not_cut_prices_with_commas(tmp_path: Path) -> None:
    text = "Preisliste, Stand 2024\n\nArtikel;Preis\n" + "Stift;1,50\nHeft;12,00\n" * 10
    dialect = found(tmp_path, text)
    assert (dialect.delimiter, dialect.decimal) == (";", ",")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", ":", "^"])
@pytest.mark.parametrize("line", ["sep={}", '"sep={}"', "SEP={}"])
def test_the_first_line_of_excel_says_what_the_delimiter_is(tmp_path: Path, delimiter: str, line: str) -> None:
    text = line.format(delimiter) + "\r\nEAN;Name, long; x\r\n".replace(";", delimiter) * 3
    dialect = found(tmp_path, text)
    assert dialect.delimiter == delimiter
    assert dialect.line_end == "\r\n"


def test_a_declared_delimiter_holds_against_the_look_of_the_rows(tmp_path: Path) -> None:
    dialect = found(tmp_path, "sep=;\nNames\na,b,c\nd,e,f\n")
    assert dialect.delimiter == ";"
    assert found(tmp_path, "sep=^\na^b\n").description == "text, divided by ^, UTF-8"


def test_inch_marks_in_a_tab_file_are_no_quotes(tmp_path: Path) -> None:
    text = 'name\tasin\nrug 63" x 27"\tB07JND9C85\n"big" mat\tB07JND9C86\n18" mat\tB07JND9C87\n'
    dialect = found(tmp_path, text)
    assert (dialect.delimiter, dialect.quoting) == ("\t", False)
    assert "quotes have no meaning" in dialect.description
    assert records(text, dialect)[2] == ['"big" mat', "B07JND9C86"]


def test_a_field_that_starts_with_an_unpaired_mark_swallows_no_rows(tmp_path: Path) -> None:
    rows = [f'{size}" mat\tB07JND9C{size}' for size in range(10, 40)]
    rows[7] = '"Deluxe mat\tB07JND9C17'
    text = "name\tasin\n" + "\n".join(rows) + "\n"
    dialect = found(tmp_path, text)
    assert [len(fields) for fields in records(text, dialect)] == [2] * 31


def test_quoted_fields_with_a_broken_one_among_them_stay_quoted(tmp_path: Path) -> None:
    text = 'EAN,Name\n1,"Pen, red"\n2,"Pen "new" blue"\n3,"a ""b"", c"\n4,d\n'
    dialect = found(tmp_path, text)
    assert (dialect.delimiter, dialect.quoting) == (",", True)


def test_a_quote_that_is_never_closed_does_not_take_the_meaning_from_quotes(tmp_path: Path) -> None:
    assert found(tmp_path, 'a,b\n1,2\n3,"4\n5,6\n7,8\n').quoting


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_single_quotes_do_not_hide_the_delimiter(tmp_path: Path, delimiter: str) -> None:
    rows = ["'EAN';'Name';'Price'", *["'4006381333931';'Pen';'1.50'"] * 9]
    assert found(tmp_path, "\n".join(rows).replace(";", delimiter)).delimiter == delimiter


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_header_alone_is_enough(tmp_path: Path, delimiter: str) -> None:
    assert found(tmp_path, f"EAN{delimiter}Name").delimiter == delimiter


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_long_texts_with_all_delimiters_in_them_are_one_field(tmp_path: Path, delimiter: str) -> None:
    long = "One, two; three | four\tfive, \n" * 6000
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows([["EAN", "Text"], *[["4006381333931", long]] * 4])
    assert found(tmp_path, out.getvalue()).delimiter == delimiter


@pytest.mark.parametrize("rows", [1, 5, 600])
@pytest.mark.parametrize(
    ("header", "row"), [("", "A-1;76,45"), ("Artikel;Preis\n", "A-1;1.076,45"), ("", "x;-1,5;2,50")]
)
def test_decimal_commas_are_no_delimiters(tmp_path: Path, header: str, row: str, rows: int) -> None:
    dialect = found(tmp_path, header + f"{row}\n" * rows)
    assert (dialect.delimiter, dialect.decimal) == (";", ",")


def test_a_table_wider_than_the_sample_is_long_is_read(tmp_path: Path) -> None:
    text = "\n".join(";".join(f"column {column}" for column in range(16_000)) for _ in range(12))
    assert found(tmp_path, text).delimiter == ";"


def test_blank_lines_above_a_table_do_not_hide_it_however_many(tmp_path: Path) -> None:
    assert found(tmp_path, "\n" * 600 + "ASIN;Name\n" + "B00ABCDEF1;Desk\n" * 70_000).delimiter == ";"


def test_the_verdict_does_not_depend_on_what_was_read_before(tmp_path: Path) -> None:
    csv.field_size_limit(100)
    text = 'EAN,Text\n1,"' + "long, " * 40_000 + '"\n2,b\n'
    assert found(tmp_path, text).quoting
    assert [len(fields) for fields in records(text, found(tmp_path, text))] == [2, 2, 2]


@pytest.mark.parametrize(
    ("text", "line_end"),
    [
        ("a,b\r\n1,2\r\n", "\r\n"),
        ("a,b\n1,2\n", "\n"),
        ("a,b\r1,2\r", "\r"),
        ("a,b", "\n"),
        ("a,b\n1,2\n3,4\r\n", "\n"),
        ('a,b\r\n"1\n2\n3\n4\n5\n6",2\r\n3,4', "\r\n"),
        ('a,b\n"1\r\n2\r\n3\r\n4",2\n3,4', "\n"),
    ],
)
def test_the_line_end_is_that_of_most_records(tmp_path: Path, text: str, line_end: str) -> None:
    assert found(tmp_path, text).line_end == line_end


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"EAN,Name\n1,x\n", "text, commas, UTF-8"),
        (b"\xef\xbb\xbfEAN\tName\n1\tx\n", "text, tabs, UTF-8 with BOM"),
        ("EAN;Preis\nMütze;1,50\n".encode("cp850"), "text, semicolons, Western European, DOS (cp850), decimal commas"),
        ("EAN|Name\n1|x\n".encode("utf-16"), "text, bars, UTF-16 with BOM"),
    ],
)
def test_the_user_is_told_in_words(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "in.csv").write_bytes(data)
    assert detect(tmp_path / "in.csv").description == words


_EVERY = "Größe Käse crème Łódź Книга blue small"
WORDS = [
    *[(codec, _EVERY) for codec in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")],
    ("ascii", "blue small Large mug 12cm"),
    *itertools.product(
        ["cp1252", "cp850", "cp437"],
        [
            "Größe Käse Mütze Stück süß Übergröße für blue small",
            "brûlée théière boîte légère côté français blue small",
            "niño más camión jabón azúcar pequeño blue small",
            "qualità più caffè perché però città blue small",
        ],
    ),
    ("cp1250", "żółty książka świeży łódź dużą część większy blue small"),
    ("cp1250", "kůň čokoláda děti řízek šunka žlutý blue small"),
    ("cp1251", "Книга Название белый стол детская ножницы шкаф blue small"),
    ("cp1253", "Βιβλίο παιδιά Καρέκλα λευκή μέγεθος blue small"),
    ("cp1254", "Çocuk ayakkabısı gömlek düğme kırmızı çanta şapka blue small"),
    ("cp932", "ホワイトチェア 子供の本 ナイフ キッチン用 日本製 ステンレス blue small"),
    ("gb18030", "儿童图书 白色椅子 厨房刀具 红色手包 产品名称 blue small"),
    ("euc_kr", "어린이 도서 흰색 의자 주방용 스테인리스 blue small"),
]
MARKS = (", ", ";", "|", "\t", " ,")
CODES = st.sampled_from(["4006381333931", "012345678905", "B00ABCDEF1", "007", "A-17/3"])


def cells(words: list[str], delimiter: str) -> st.SearchStrategy[st.SearchStrategy[str]]:
    """Kinds of columns: what people keep in one is of one kind, with gaps."""
    word = st.sampled_from(words)
    phrase = st.lists(word, min_size=1, max_size=5).map(" ".join)
    decimal = "." if delimiter == "," else ","
    price = st.integers(100, 999_999).map(lambda cents: f"{cents // 100}{decimal}{cents % 100:02}")
    date = st.dates().map(lambda day: day.strftime("%d.%m.%Y"))
    text = st.lists(st.one_of(word, st.sampled_from([",", ";", "|", "\t", '"', "\n", "x"])), max_size=8).map(" ".join)
    return st.sampled_from([CODES, word, phrase, price, date, text]).map(
        lambda kind: st.one_of(kind, kind, st.just(""))
    )


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], str, str, str, int]:
    codec, spoken = draw(st.sampled_from(WORDS))
    delimiter = draw(st.sampled_from(",;\t|"))
    words = spoken.split()
    columns = draw(st.lists(cells(words, delimiter), min_size=1, max_size=8))
    names = [f"{draw(st.sampled_from(words))} {at}" for at in range(len(columns))]
    rows = [names, *draw(st.lists(st.tuples(*columns).map(list), min_size=1, max_size=60))]
    line_end = draw(st.sampled_from(["\n", "\r\n"]))
    return rows, codec, delimiter, line_end, draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))


@given(tables())
def test_a_table_is_read_in_the_dialect_it_was_written_in(
    tmp_path_factory: pytest.TempPathFactory, table: tuple[list[list[str]], str, str, str, int]
) -> None:
    rows, codec, delimiter, line_end, quoting = table
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    text = out.getvalue()
    if codec != "ascii" and not codec.startswith("utf"):
        # In one word any two encodings may spell one each; five are enough to be sure.
        assume(len({word for word in re.findall(r"[^\W\d]+", text) if not word.isascii()}) >= 5)
    if len(rows[0]) == 1 and quoting == csv.QUOTE_MINIMAL:
        # A column of texts each of which has a comma looks like a table with a title to anyone.
        assume(
            not any(mark in row[0] and '"' not in row[0] and delimiter not in row[0] for row in rows for mark in MARKS)
        )
    path = tmp_path_factory.mktemp("dialect") / "in.csv"
    path.write_bytes(text.encode(codec))
    dialect = detect(path)
    assert path.read_bytes().decode(dialect.encoding, dialect.errors).removeprefix("\ufeff") == text
    if len(rows[0]) > 1:
        assert dialect.delimiter == delimiter
        assert dialect.line_end == line_end
    assert records(text, dialect) == rows  # of one column too, whichever delimiter is taken for it

from __future__ import annotations

import csv
import dataclasses
import io
from typing import TYPE_CHECKING, Any, Literal, TextIO

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enricher.cells import Additions
from enricher.errors import InputError
from enricher.sheets.csv import CsvSource
from enricher.sheets.csv.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from enricher.sheets.grid import Grid


def additions(rows: int, **columns: list[Any]) -> Additions:
    """As many distinct pieces as rows, unless the columns say otherwise."""
    columns = columns or {"new": [f"n{row}" for row in range(rows)]}
    return Additions(pa.table(columns), np.arange(rows, dtype=np.int32))


def written(path: Path, added: Additions, header_row: int = 1) -> bytes:
    target = path.with_name("out.csv")
    CsvSource(path).write(target, header_row, added, lambda _: None)
    return target.read_bytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "in.csv"


def test_fields_are_appended_and_every_byte_before_them_is_kept(path: Path) -> None:
    path.write_bytes(b'a,b\r\n 1 ,"x ""y"""\r\n007,NA\r\n,""\r\n1E5,None')
    assert written(path, additions(4)) == (b'a,b,new\r\n 1 ,"x ""y""",n0\r\n007,NA,n1\r\n,"",n2\r\n1E5,None,n3')


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found_and_kept(path: Path, encoding: str, delimiter: str) -> None:
    lines = ["Größe;Stück;EAN", "klein;3;4006381333931", "groß;5;4210201072959", "übergroß;7;4548736144194"]
    path.write_bytes("\n".join(lines).replace(";", delimiter).encode(encoding))
    out = written(path, additions(3, neu=["ä", "b", "c"]))
    expected = [f"{line}{delimiter}{new}" for line, new in zip(lines, ["neu", "ä", "b", "c"], strict=True)]
    assert out == "\n".join(expected).replace(";", delimiter).encode(encoding)


@pytest.mark.parametrize("rows", [5, 250, 600])
@pytest.mark.parametrize(
    ("header", "row", "delimiter"),
    [
        ("EAN;Preis", "4008558517564;76,45", ";"),
        ("EAN;Name;Preis;UVP", "4008558517564;Stift, rot;1,50;2,00", ";"),
        ("EAN;Title", "4008558517564;one, two, three", ";"),
        ("EAN,cats", "4008558517564,a;b;c", ","),
        ("EAN,cats", "4008558517564,a|b|c", ","),
        ("4008558517564;53,24", "4008558517564;53,24", ";"),
        ("EAN\tName", "4008558517564\tone, two; three", "\t"),
    ],
)
def test_what_stands_inside_fields_is_no_delimiter(
    path: Path, rows: int, header: str, row: str, delimiter: str
) -> None:
    path.write_text("\n".join([header, *[row] * rows]) + "\n", encoding="utf-8")
    assert CsvSource(path).dialect.delimiter == delimiter


def test_a_file_that_changes_while_it_is_written_is_noticed(path: Path) -> None:
    path.write_bytes(b"a,b\n1,2\n")
    source = CsvSource(path)
    with pytest.raises(InputError, match="was changed while"):
        source.write(path.with_name("out.csv"), 1, additions(1), lambda _: path.touch())


def test_an_unclosed_quote_in_the_very_last_field_is_seen(path: Path) -> None:
    path.write_bytes(b'a,EAN\n1,4006381333931\n2,"4210201072959')
    with pytest.raises(InputError, match="line 3: a double quote is opened and never closed"):
        list(CsvSource(path).batches(1, [0]))


def test_bytes_that_are_no_text_in_the_encoding_are_kept(path: Path) -> None:
    path.write_bytes("a,b\né,1\n".encode() + b"\xe9\xff,2\n")
    assert written(path, additions(2)) == "a,b,new\né,1,n0\n".encode() + b"\xe9\xff,2,n1\n"


def test_line_breaks_inside_fields_are_no_rows(path: Path) -> None:
    path.write_bytes(b'a,b\n"one\ntwo",1\nthree,2\n')
    assert written(path, additions(2)) == b'a,b,new\n"one\ntwo",1,n0\nthree,2,n1\n'


def test_ragged_rows_are_filled_so_that_the_new_columns_line_up(path: Path) -> None:
    path.write_bytes(b"a,b\n1\n1,2,3\n1,2\n")
    assert written(path, additions(3)) == b"a,b,,new\n1,,,n0\n1,2,3,n1\n1,2,,n2\n"


def test_empty_lines_and_rows_above_the_header_stay_as_they_are(path: Path) -> None:
    path.write_bytes(b"Report\n\na,b\n\n1,2\n")
    added = Additions(pa.table({"new": ["n"]}), np.array([-1, 0], np.int32))
    assert written(path, added, header_row=3) == b"Report\n\na,b,new\n\n1,2,n\n"


def test_a_file_without_header_gets_none(path: Path) -> None:
    path.write_bytes(b"1,2\n3,4\n")
    assert written(path, additions(2), header_row=0) == b"1,2,n0\n3,4,n1\n"


@pytest.mark.parametrize(("mark", "encoding"), [("!", "utf-8"), ("§", "utf-8"), ("§", "cp1252"), ("\0", "utf-8")])
def test_a_delimiter_that_the_file_declares_may_be_any_character(path: Path, mark: str, encoding: str) -> None:
    path.write_bytes(f"sep={mark}\na{mark}b\n1{mark}2\n".encode(encoding))
    source = CsvSource(path)
    source.dialect = Dialect(encoding, has_bom=False, delimiter=mark, quoting=True, line_end="\n", decimal=".")
    (batch,) = source.batches(2, [1])
    assert batch.columns[0].text.to_pylist() == ["2"]
    source.write(path.with_name("out.csv"), 2, additions(1, new=[f"x{mark}y"]), lambda _: None)
    expected = f'sep={mark}\na{mark}b{mark}new\n1{mark}2{mark}"x{mark}y"\n'
    assert path.with_name("out.csv").read_bytes() == expected.encode(encoding)


def test_unescaped_quotes_in_a_tab_file_break_nothing(path: Path) -> None:
    path.write_bytes(b'name\tasin\nrug 63" x 27"\tB07JND9C85\n"big" mat\tB07JND9C86\n18" mat\tB07JND9C87\n')
    assert written(path, additions(3)).splitlines()[2] == b'"big" mat\tB07JND9C86\tn1'


def test_an_unclosed_quote_is_refused_with_its_line(path: Path) -> None:
    path.write_bytes(b'a,b\n1,2\n3,"4\n5,6\n7,8\n')
    with pytest.raises(InputError, match=r"in.csv, line 3: a double quote is opened and never closed"):
        list(CsvSource(path).batches(1, [0]))


@pytest.mark.parametrize("content", [b"", b"  \n ", bytes(range(256)) * 9 + b"\0" * 3000])
def test_what_is_no_table_of_text_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"in\.csv"):
        CsvSource(path)


def test_new_values_are_written_in_the_files_own_dialect(path: Path) -> None:
    path.write_bytes(b"EAN;Preis\n1;2,50\n2;19,99\n")
    added = additions(2, text=['a;b"c', "x\ny"], price=[1.5, None], count=[7, None], yes=[True, False])
    assert (
        written(path, added) == b'EAN;Preis;text;price;count;yes\n1;2,50;"a;b""c";1,5;7;TRUE\n2;19,99;"x\ny";;;FALSE\n'
    )


@pytest.mark.parametrize("text", ["=1+1", "+49", "-5%", "@x", "\tx"])
def test_a_text_that_looks_like_a_formula_stays_text(path: Path, text: str) -> None:
    path.write_bytes(b"a,b\n1,2\n")
    assert written(path, additions(1, new=[text])) == f"a,b,new\n1,2,'{text}\n".encode()


def test_characters_the_encoding_lacks_are_reported(path: Path) -> None:
    path.write_bytes("a;b\nä;ö\n".encode("cp1252"))
    target = path.with_name("out.csv")
    warnings = CsvSource(path).write(target, 1, additions(1, new=["日本"]), lambda _: None)
    assert target.read_bytes() == "a;b;new\nä;ö;??\n".encode("cp1252")
    assert "1 new texts have characters that cp1252 lacks" in warnings[0]


def test_a_new_column_never_shares_its_name(path: Path) -> None:
    path.write_bytes(b"EAN,NEW\n1,2\n")
    assert written(path, additions(1)) == b"EAN,NEW,new_2\n1,2,n0\n"


FIELD = st.text(st.sampled_from('ab ,;\t|"\n\r1ä漢'), max_size=8)


@settings(deadline=None)
@given(
    st.lists(st.lists(FIELD, min_size=1, max_size=6), max_size=12),
    st.sampled_from(",;\t|"),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.booleans(),
)
def test_stripping_what_was_appended_gives_back_the_input(  # noqa: PLR0913, PLR0917 - all that makes up a file
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[str]],
    delimiter: str,
    quoting: Literal[0, 1],
    line_end: str,
    encoding: str,
    is_cut: bool,  # noqa: FBT001
) -> None:
    buffer = io.StringIO(newline="")
    whole = [["EAN", "Title", "Price"], *[["4006381333931", "Pen", "2"]] * 20, *rows]
    csv.writer(buffer, delimiter=delimiter, quoting=quoting, lineterminator=line_end).writerows(whole)
    path = tmp_path_factory.mktemp("csv") / "in.csv"
    path.write_bytes(buffer.getvalue().removesuffix(line_end if is_cut else "").encode(encoding))
    source = CsvSource(path)
    read = records(path, source)
    batches = list(source.batches(1, [0, 1]))
    width = max(len(fields) for _, fields in read)
    below = [fields for _, fields in read[1:]]
    assert [text for batch in batches for text in batch.columns[1].text.to_pylist()] == [
        fields[1] if len(fields) > 1 else None for fields in below
    ]
    assert np.concatenate([batch.empty for batch in batches]).tolist() == [not any(fields) for fields in below]
    assert np.concatenate([batch.row_numbers for batch in batches]).tolist() == list(range(2, len(read) + 1))
    written(path, additions(len(below)))
    end = source.dialect.delimiter
    for at, ((raw, fields), (new, _)) in enumerate(zip(read, records(path.with_name("out.csv"), source), strict=True)):
        record = raw.rstrip("\r\n")
        appended = f"{end * (width - len(fields))}{end}{f'n{at - 1}' if at else 'new'}" if fields else ""
        assert new == record + appended + raw[len(record) :]


def records(path: Path, source: CsvSource) -> list[tuple[str, list[str]]]:
    """Cut a file as csv.reader does, read in the way that was found for `source`."""
    raw: list[str] = []

    def tee(file: TextIO) -> Iterator[str]:
        for line in file:
            raw.append(line)
            yield line

    found = []
    with path.open(encoding=encoding_with_mark(source), newline="") as file:
        for fields in source.dialect.reader(tee(file)):
            found.append(("".join(raw), fields))
            raw.clear()
    return found


def encoding_with_mark(source: CsvSource) -> str:
    dialect = source.dialect
    if not dialect.has_bom:
        return dialect.encoding
    return "utf-8-sig" if dialect.encoding == "utf-8" else "utf-16"


def test_every_field_goes_to_another_kind_of_file(path: Path) -> None:
    path.write_bytes(b'Report\n\na,b\n"x\ny",\n1,2,"3 ""q"""\n')
    rows = [row for grid in CsvSource(path).grids() for row in rows_of(grid)]
    assert rows == [
        (1, ["Report", None, None]),
        (2, [None, None, None]),
        (3, ["a", "b", None]),
        (4, ["x\ny", "", None]),
        (5, ["1", "2", '3 "q"']),
    ]


def rows_of(grid: Grid) -> list[tuple[int, list[str | None]]]:
    assert all(column.kinds is None for column in grid.columns)
    columns = [column.text.to_pylist() for column in grid.columns]
    return [(number, [column[at] for column in columns]) for at, number in enumerate(grid.numbers.tolist())]


def test_many_rows_come_in_grids_of_bounded_size_with_consecutive_numbers(path: Path) -> None:
    path.write_text("a,b\n" + "1,2\n" * 50_000 + ",".join("x" * 9_000) + "\n" + "3\n" * 50_000, encoding="utf-8")
    grids = list(CsvSource(path).grids())
    assert max(map(len, grids)) <= 20_000
    assert max(len(grid) * len(grid.columns) for grid in grids) < 5_000_000
    assert np.concatenate([grid.numbers for grid in grids]).tolist() == list(range(1, 100_003))


def test_the_preview_is_of_rows_that_hold_anything(path: Path) -> None:
    path.write_bytes(b'\n,,\nReport\n"",\na,b,c\n1,2\n' + b"x,y\n" * 100_000)
    preview = CsvSource(path).preview(3)
    assert preview.row_numbers == (3, 5, 6)
    assert [column.text.to_pylist() for column in preview.columns] == [
        ["Report", "a", "1"],
        [None, "b", "2"],
        [None, "c", None],
    ]
    assert len(CsvSource(path).preview(90_000).row_numbers) == 90_000


def test_what_is_no_text_in_the_encoding_is_shown_as_such(path: Path) -> None:
    path.write_bytes("a,b\né,1\n".encode() + b"\xe9\xff,2\n" + b"x,\xc3\n" + b"\xa4,4\n")
    source = CsvSource(path)
    source.dialect = dataclasses.replace(source.dialect, encoding="utf-8")
    (batch,) = source.batches(1, [0, 1])
    assert batch.columns[0].text.to_pylist() == ["é", "\ufffd\ufffd", "x", "\ufffd"]
    assert batch.columns[1].text.to_pylist() == ["1", "2", "\ufffd", "4"]


def test_large_files_are_read_and_written_across_many_blocks(path: Path) -> None:
    rows = [f'{row},"{row}, ""q""\n{row}",{"x" * (row % 90)}\r\n' for row in range(60_000)]
    path.write_text("id,text,more\r\n" + "".join(rows), encoding="utf-8", newline="")
    ticks: list[int] = []
    source = CsvSource(path)
    shares = [batch.share_read for batch in source.batches(1, [0])]
    assert len(shares) > 2
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    target = path.with_name("out.csv")
    source.write(target, 1, additions(60_000), ticks.append)
    assert sum(ticks) == 60_000
    expected = ["id,text,more,new\r\n", *(f"{raw[:-2]},n{row}\r\n" for row, raw in enumerate(rows))]
    assert target.read_bytes() == "".join(expected).encode()


def test_a_record_with_more_fields_than_a_spreadsheet_has_columns_is_refused(path: Path) -> None:
    path.write_text("a,b\n1,2\n" * 99 + "," * 16_384 + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"^in\.csv, row 199: it has 16,385 fields"):
        list(CsvSource(path).batches(1, [0]))


def test_one_wide_record_among_many_short_ones_does_not_fill_the_memory(path: Path) -> None:
    path.write_text("a,b\n" + "1,2\n" * 20_000 + "," * 9_999 + "\n", encoding="utf-8")
    source = CsvSource(path)
    before = pa.default_memory_pool().max_memory()
    target = path.with_name("out.csv")
    source.write(target, 1, additions(20_001), lambda _: None)
    assert pa.default_memory_pool().max_memory() - before < 150e6
    lines = target.read_bytes().splitlines()
    assert len(lines) == 20_002
    assert {line.count(b",") for line in lines} == {10_000}
    assert lines[-1] == b"," * 10_000 + b"n20000"


def test_nothing_but_the_output_is_left_in_its_folder(path: Path) -> None:
    path.write_bytes(b"a,b\n1,2\n")
    seen: list[set[str]] = []
    CsvSource(path).write(
        path.with_name("out.csv"), 1, additions(1), lambda _: seen.append({file.name for file in path.parent.iterdir()})
    )
    assert seen == [{"in.csv", "out.csv"}]
    assert {file.name for file in path.parent.iterdir()} == {"in.csv", "out.csv"}


def test_additions_for_another_number_of_rows_are_an_error(path: Path) -> None:
    path.write_bytes(b"a,b\n1,2\n3,4\n")
    for rows in (1, 3):
        with pytest.raises(ValueError, match=f"{rows} rows have additions"):
            written(path, additions(rows))

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enricher.errors import InputError
from enricher.model import Additions
from enricher.sheets.csv import CsvSource

if TYPE_CHECKING:
    from pathlib import Path


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


FIELD = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@given(
    st.lists(st.lists(FIELD, min_size=2, max_size=4), min_size=2, max_size=12), st.sampled_from(",;\t|"), st.booleans()
)
def test_stripping_what_was_appended_gives_back_the_input(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[str]],
    delimiter: str,
    quote_all: bool,  # noqa: FBT001
) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL).writerows(rows)
    path = tmp_path_factory.mktemp("csv") / "in.csv"
    path.write_bytes(buffer.getvalue().encode())
    source = CsvSource(path)
    read = [(raw, fields) for raw, fields in source._records()]  # noqa: SLF001 - the bytes are what is tested
    assert "".join(raw for raw, _ in read).encode() == path.read_bytes()
    count = sum(len(batch.empty) for batch in source.batches(0, [0]))
    assert count == len(read)
    written(path, additions(count), header_row=0)
    renewed = [raw for raw, _ in CsvSource(path.with_name("out.csv"))._records()]  # noqa: SLF001 - the same
    width = max(len(fields) for _, fields in read)
    end = source.dialect.delimiter
    for at, ((raw, fields), new) in enumerate(zip(read, renewed, strict=True)):
        record = raw.rstrip("\r\n")
        appended = f"{end * (width - len(fields))}{end}n{at}" if fields else ""
        assert new == record + appended + raw[len(record) :]

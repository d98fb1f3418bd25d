"""The quick way to cut records against csv.reader over the whole file, on nasty input and at every block boundary."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from enricher.errors import InputError
from enricher.sheets.csv.blocks import Block, blocks
from enricher.sheets.csv.dialect import Dialect
from enricher.sheets.csv.feed import MAX_RECORD_BYTES, Feed, byte_order_mark, to_file
from enricher.sheets.csv.records import ParsedBlock

if TYPE_CHECKING:
    from collections.abc import Iterator


def a_dialect(encoding: str = "utf-8", delimiter: str = ",", *, quoting: bool = True, bom: bool = False) -> Dialect:
    return Dialect(encoding, bom, delimiter, quoting, "\n", ".")


def cut(data: bytes, dialect: Dialect, block_bytes: int) -> Iterator[Block]:
    return blocks(Feed(io.BytesIO(data), dialect, block_bytes, "in.csv"))


@dataclass(frozen=True, slots=True)
class Record:
    raw: bytes
    content: bytes
    fields: list[str]


def by_arithmetic(data: bytes, dialect: Dialect, block_bytes: int) -> list[Record]:
    """Read all there is to read of blocks, and see that it fits together."""
    records = []
    for block in cut(data, dialect, block_bytes):
        assert block.starts[0] == 0
        widths = block.widths.tolist()
        everything, some = slice(None), slice(len(widths) // 2, None)
        columns = [block.column(at, everything) for at in range(max(widths) + 1)]
        for at, column in enumerate(columns):
            column.validate(full=True)
            assert block.column(at, some).to_pylist() == column[some.start :].to_pylist()
        texts = [list(values) for values in zip(*(column.to_pylist() for column in columns), strict=True)]
        stops = [*block.starts[1:].tolist(), len(block.data)]
        for start, end, stop, width, row, empty in zip(
            block.starts, block.ends, stops, widths, texts, block.empty, strict=True
        ):
            assert row[width:] == [None] * (len(row) - width)
            assert empty == (not any(row))
            raw, content = block.data[start:stop], block.data[start:end]
            records.append(Record(bytes(to_file(raw, dialect)), bytes(to_file(content, dialect)), row[:width]))
    return records


def by_csv_reader(data: bytes, dialect: Dialect) -> list[Record]:
    """Cut the text of the whole file with csv.reader alone; ValueError(line) for a quote left open."""
    bom = byte_order_mark(dialect)
    text = data[len(bom) :].decode(dialect.encoding, dialect.errors)
    raw: list[str] = []
    line = 1

    def tee() -> Iterator[str]:
        for text_line in io.StringIO(text, newline=""):
            raw.append(text_line)
            yield text_line
        if raw:
            raise ValueError(line)

    records = []
    for fields in dialect.reader(tee()):
        whole = "".join(raw)
        line += len(raw)
        raw.clear()
        shown = [_shown(field, dialect) for field in fields]
        encoded = [part.encode(dialect.encoding, dialect.errors) for part in (whole, whole.rstrip("\r\n"))]
        records.append(Record(encoded[0], encoded[1], shown))
    return records


def _shown(field: str, dialect: Dialect) -> str:
    if dialect.encoding.startswith("utf-16"):
        return field.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return field.encode(dialect.encoding, dialect.errors).decode(dialect.encoding, "replace")


def compare(data: bytes, dialect: Dialect, block_bytes: int) -> None:
    try:
        expected = by_csv_reader(data, dialect)
    except ValueError as error:
        with pytest.raises(InputError, match=rf"^in\.csv, line {error}: a double quote is opened and never closed"):
            by_arithmetic(data, dialect, block_bytes)
    else:
        assert by_arithmetic(data, dialect, block_bytes) == expected


UNHURRIED = settings(deadline=None)  # the first example loads encodings
PIECES = [b",", b",,", b'"', b'""', b'"""', b"\n", b"\n\n", b"\r", b"\r\n", b"\r\r\n", b"a", b" ", b"\0", b";"]
PIECES += [
    b'"a"',
    b'"a,b"',
    b'"a\nb"',
    b'"a\r\nb"',
    b'"a\rb"',
    b'""""',
    b'"",""',
    b'a"b',
    b"\xc3\xa4",
    b"\xff",
    b"\xe2\x82",
]
PIECES += [b"12345678905,", b"\xef\xbb\xbf", b'x,"y"\n', b'"x""y",z\r\n', b",\n", b"a,b\n", b'"a" ', b' "a"']
NASTY = st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)
SOUND = st.lists(
    st.lists(st.sampled_from([b"", b"a", b"12", b'""', b'"x,y"', b'"p\nq"', b'"u""v"', b'""""']), max_size=4),
    max_size=30,
).map(lambda rows: b"".join(b",".join(row) + b"\n" for row in rows))
SIZES = st.one_of(st.integers(1, 40), st.just(1 << 20))


@UNHURRIED
@given(st.one_of(NASTY, SOUND), SIZES, st.sampled_from(["utf-8", "cp1252", "latin-1", "cp850"]), st.booleans())
@example(b'a,b\n1,"2\n3"', 4, "utf-8", True)
@example(b'"a"b,"c', 7, "utf-8", True)
@example(b'""""\n"",""\n,\n\n""\n', 1 << 20, "utf-8", True)
@example(b"a\r\n\r\nb\r\n", 3, "utf-8", True)
@example(b"a,b\r\n1,2\r", 5, "utf-8", True)
@example(b"\xc3,\xa4\n", 9, "utf-8", True)
@example(b'\r"a\n', 2, "utf-8", True)
def test_records_fields_and_line_numbers_are_csv_readers(data: bytes, size: int, encoding: str, quoting: bool) -> None:  # noqa: FBT001
    compare(data, a_dialect(encoding, quoting=quoting), size)


@UNHURRIED
@given(st.lists(st.sampled_from([b'"', b'"', b"a", b",", b"\n"]), max_size=30).map(b"".join), SIZES)
def test_quotes_open_and_close_where_csv_reader_has_them(data: bytes, size: int) -> None:
    compare(data, a_dialect(), size)


@UNHURRIED
@given(SOUND, SIZES, st.booleans())
def test_a_byte_order_mark_is_no_part_of_the_first_field(data: bytes, size: int, wide: bool) -> None:  # noqa: FBT001
    dialect = a_dialect("utf-16-le" if wide else "utf-8", bom=True)
    compare(byte_order_mark(dialect) + data.decode().encode(dialect.encoding), dialect, size)


@UNHURRIED
@given(
    st.text(st.sampled_from('a,"\r\n\0ä\u2028\x85\ud800\udc00\U0001f600'), max_size=40),
    SIZES,
    st.sampled_from(["le", "be"]),
)
def test_utf_16_is_cut_as_its_text_is(text: str, size: int, order: str) -> None:
    dialect = a_dialect(f"utf-16-{order}")
    compare(text.encode(dialect.encoding, "surrogatepass"), dialect, size)


@UNHURRIED
@given(
    st.text(st.sampled_from('a,|"\r\n0\u30fd\u8868\uff70\u4e04'), max_size=40),
    SIZES,
    st.sampled_from(["shift_jis", "gb18030", "euc_kr", "big5"]),
    st.sampled_from(",|"),
)
def test_the_second_half_of_a_character_is_no_delimiter(text: str, size: int, encoding: str, delimiter: str) -> None:
    compare(text.encode(encoding, "ignore"), a_dialect(encoding, delimiter), size)


SEVERAL = b'a,b\n"1\n1","2"\n\n"","x ""y"" z"\r\n3,4\n"5",\n,,\n6'


@pytest.mark.parametrize("size", range(1, len(SEVERAL) + 2))
def test_every_boundary_between_blocks_gives_the_same_records(size: int) -> None:
    compare(SEVERAL, a_dialect(), size)


def by_csv_reader_alone(data: bytes, encoding: str = "utf-8", delimiter: str = ",") -> list[bool]:
    """Say of each block whether the careful way was taken."""
    return [isinstance(block, ParsedBlock) for block in cut(data, a_dialect(encoding, delimiter), 1 << 16)]


def test_sound_blocks_are_cut_by_arithmetic_and_odd_ones_alone_are_not() -> None:
    sound = b'1,"two, ""2""",3\r\n' * 20_000
    assert not any(by_csv_reader_alone(sound))
    assert not any(by_csv_reader_alone(b'6" nail,"7""",8\r\n1,rug 63" x 27","two, 2"\r\n' * 20_000))
    for odd in (b"lone\rreturn,,\r\n", b'"shut" late,,\r\n'):
        taken = by_csv_reader_alone(sound + odd + sound)
        assert sum(taken) == 1, odd
        assert len(taken) > 5
    assert not any(by_csv_reader_alone(b"\xe9,\x81\n" * 20_000, encoding="cp1252"))
    assert all(by_csv_reader_alone("表|1\n".encode("shift_jis") * 20_000, encoding="shift_jis", delimiter="|"))


@pytest.mark.parametrize("size", [1 << 12, 1 << 22])
@pytest.mark.parametrize("before", [b"a,b\n", b'a,b\r\n1,"x\r\ny\nz"\r\n', b"a,b\r" * 5])
def test_a_quote_left_open_before_more_than_a_record_may_hold_is_refused_early(before: bytes, size: int) -> None:
    line = len((before + b"x").splitlines())
    data = before + b'1,"2\n' + (b"x" * 999 + b"\n") * (MAX_RECORD_BYTES // 500)
    file = io.BytesIO(data)
    found = blocks(Feed(file, a_dialect(), size, "in.csv"))
    with pytest.raises(InputError, match=rf"^in\.csv, line {line}: a double quote is opened and never closed"):
        list(found)


def test_a_line_longer_than_any_record_is_refused_with_its_number() -> None:
    data = b"a,b\n1,2\n" + b"x" * (2 * MAX_RECORD_BYTES)
    with pytest.raises(InputError, match=r"^in\.csv, line 3: it is longer than 16 MiB"):
        by_arithmetic(data, a_dialect(), 1 << 22)


def test_half_a_character_at_the_end_of_utf_16_is_refused() -> None:
    data = codecs.BOM_UTF16_LE + "a,b\n1,2\n".encode("utf-16-le") + b"3"
    with pytest.raises(InputError, match=r"^in\.csv is not utf-16-le throughout"):
        by_arithmetic(data, a_dialect("utf-16-le", bom=True), 1 << 22)


@UNHURRIED
@given(st.lists(st.lists(st.text(max_size=6), min_size=1, max_size=5), min_size=1, max_size=30), SIZES)
def test_what_csv_writer_wrote_is_read_again(rows: list[list[str]], size: int) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    data = buffer.getvalue().encode("utf-8", "replace")
    read = [record.fields for record in by_arithmetic(data, a_dialect(), size)]
    assert read == [[text.encode("utf-8", "replace").decode() for text in row] for row in rows]


def test_places_are_64_bits_wide() -> None:
    block = next(cut(b"a,b\n", a_dialect(), 64))
    assert {block.starts.dtype, block.ends.dtype, block.widths.dtype} == {np.dtype(np.int64)}

"""Pieces made by whole columns against the same pieces made value by value."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from enricher.cells import Additions
from enricher.sheets.csv.dialect import Dialect
from enricher.sheets.csv.render import Renderer

UNHURRIED = settings(deadline=None)
TEXT = st.one_of(
    st.none(), st.sampled_from(["", "=1", "-", "'", "a;b", "é€", "漢", "\t", '"', "1,5"]), st.text(max_size=8)
)
COLUMNS = {"text": TEXT, "more": TEXT, "price": st.none() | st.floats(), "count": st.none() | st.integers(-9, 2**62)}
COLUMNS["yes"] = st.none() | st.booleans()
TYPES = {"text": pa.string(), "more": pa.string(), "price": pa.float64(), "count": pa.int64(), "yes": pa.bool_()}


def renderer(dialect: Dialect, **columns: list[Any]) -> Renderer:
    table = pa.table({name: pa.array(values, TYPES[name]) for name, values in columns.items()})
    return Renderer(dialect, Additions(table, np.zeros(0, np.int32)))


def by_value(value: Any, dialect: Dialect) -> bytes:
    if value is None:
        return b""
    if isinstance(value, bool):
        return b"TRUE" if value else b"FALSE"
    if isinstance(value, float):
        return repr(value).replace(".", dialect.decimal).encode() if math.isfinite(value) else b""
    if isinstance(value, int):
        return str(value).encode()
    text = f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
    if not dialect.quoting:
        text = text.replace(dialect.delimiter, " ").replace("\r", " ").replace("\n", " ")
    elif any(mark in text for mark in (dialect.delimiter, '"', "\r", "\n")):
        text = '"' + text.replace('"', '""') + '"'
    return text.encode(dialect.encoding.removesuffix("-le").replace("utf-16", "utf-8"), "replace")


@UNHURRIED
@given(
    st.lists(st.fixed_dictionaries(COLUMNS), max_size=30),
    st.sampled_from(["utf-8", "cp1252", "shift_jis", "utf-16-le"]),
    st.sampled_from([",", ";", "\t", "|"]),
    st.booleans(),
)
def test_pieces_are_what_their_values_are_one_by_one(
    rows: list[dict[str, Any]],
    encoding: str,
    delimiter: str,
    quoting: bool,  # noqa: FBT001
) -> None:
    dialect = Dialect(encoding, has_bom=False, delimiter=delimiter, quoting=quoting, line_end="\n", decimal=",")
    made = renderer(dialect, **{name: [row[name] for row in rows] for name in COLUMNS})
    index = np.arange(-1, len(rows), dtype=np.int32)
    mark = delimiter.encode()
    expected = [mark * len(COLUMNS)]
    expected += [b"".join(mark + by_value(row[name], dialect) for name in COLUMNS) for row in rows]
    assert made.take(index, np.ones(len(index), np.bool_)).to_pylist() == expected
    assert made.take(index, np.zeros(len(index), np.bool_)).to_pylist() == [None] * len(index)


@UNHURRIED
@given(st.lists(st.floats(), min_size=1, max_size=200))
@example(
    [
        0.0,
        -0.0,
        1.0,
        1e15,
        999999999999999.0,
        999999999.9,
        1e9,
        1e10,
        12345678905.0,
        1e16,
        1e22,
        1e-4,
        9.9e-5,
        5e-324,
        0.1 + 0.2,
        12.5,
        math.nan,
        -math.inf,
    ]
)
def test_doubles_are_written_as_python_writes_them(values: list[float]) -> None:
    dialect = Dialect("utf-8", has_bom=False, delimiter=",", quoting=True, line_end="\n", decimal=".")
    made = renderer(dialect, price=values)
    expected = ["," + (repr(value) if math.isfinite(value) else "") for value in values]
    taken = made.take(np.arange(len(values), dtype=np.int32), np.ones(len(values), np.bool_))
    assert [piece.decode() for piece in taken.to_pylist()] == expected


@pytest.mark.parametrize("rows", [0, 1, 25_000])
def test_pieces_of_any_number_are_found_by_their_index(rows: int) -> None:
    dialect = Dialect("utf-8", has_bom=False, delimiter=",", quoting=True, line_end="\n", decimal=".")
    made = renderer(dialect, text=[f"n{row}" for row in range(rows)], count=list(range(rows)))
    index = np.array([*range(0, rows, 7), -1], np.int32)
    taken = made.take(index, np.ones(len(index), np.bool_)).to_pylist()
    assert taken == [*(f",n{row},{row}".encode() for row in range(0, rows, 7)), b",,"]
    assert made.header(["a", "b,c"]) == ',a,"b,c"'


def test_what_had_to_be_changed_is_counted_value_by_value() -> None:
    dialect = Dialect("cp1252", has_bom=False, delimiter=",", quoting=True, line_end="\n", decimal=".")
    made = renderer(dialect, text=["漢字", "é", "=漢", None], more=["漢", "a", "+", "-1"])
    assert made.warnings() == [
        "3 new texts have characters that cp1252 lacks; they became '?'. An .xlsx output keeps them: -o NAME.xlsx",
        "3 new texts that look like formulas got a leading ' so that they stay text",
    ]

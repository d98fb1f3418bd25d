from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enricher.cells import Additions
from enricher.errors import InputError, OutputError
from enricher.sheets.grid import CellKind
from enricher.sheets.jsonl import JsonLinesSource, array, is_json_lines
from enricher.sheets.jsonl.records import records


def additions(index: list[int], **columns: list[Any]) -> Additions:
    columns = columns or {"new": [f"n{row}" for row in range(len(index))]}
    return Additions(pa.table(columns), np.array(index, np.int32))


def written(path: Path, added: Additions) -> bytes:
    target = path.with_name("out.jsonl")
    JsonLinesSource(path).write(target, 0, added, lambda _: None)
    return target.read_bytes()


def texts(path: Path) -> dict[str, list[str | None]]:
    grids = list(JsonLinesSource(path).grids())
    names = grids[0].texts_of(0)
    columns = [pa.concat_arrays([grid.columns[at].text for grid in grids[1:]]) for at in range(len(names))]
    return {name: column.to_pylist() for name, column in zip(names, columns, strict=True)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "in.jsonl"


def test_members_go_before_the_closing_brace_and_every_byte_else_is_kept(path: Path) -> None:
    path.write_bytes(b'\xef\xbb\xbf{"a":1}\r\n\r\n  { "a" : "\\u00e9" } \n{}\n{"a":{}}\n\t\n{"a":"{"}')
    added = additions([0, -1, 1, 2, 3, -1, 4])
    assert written(path, added) == (
        b'\xef\xbb\xbf{"a":1,"new":"n0"}\r\n\r\n  { "a" : "\\u00e9","new":"n1" } \n{"new":"n2"}\n'
        b'{"a":{},"new":"n3"}\n\t\n{"a":"{","new":"n4"}'
    )


def test_an_array_of_objects_is_read_and_written_like_lines(path: Path) -> None:
    path.write_bytes(b'[\n {"a": "]}"},\n\n {"a": ["[", {}]} ,{}\n]\n')
    assert texts(path) == {"a": ["]}", '["[",{}]', None]}
    out = written(path, additions([0, 1, 2]))
    assert out == b'[\n {"a": "]}","new":"n0"},\n\n {"a": ["[", {}],"new":"n1"} ,{"new":"n2"}\n]\n'


def test_values_keep_their_own_digits_and_their_kinds(path: Path) -> None:
    path.write_bytes(
        b'{"n":12345678901234567890,"p":1.50,"e":1.2345678905E10,"b":true,"t":"007","x":{"y":[1.10,null,"\\""]}}\n'
        b'{"n":null,"p":-0,"e":1e999999999,"b":false,"t":"\\ud800","x":NaN}\n'
    )
    assert texts(path) == {
        "n": ["12345678901234567890", None],
        "p": ["1.50", "-0"],
        "e": ["12345678905", "1e999999999"],
        "b": ["TRUE", "FALSE"],
        "t": ["007", "\ufffd"],
        "x": ['{"y":[1.10,null,"\\""]}', None],
    }
    _, rows = JsonLinesSource(path).grids()
    kinds = [[0, 0] if column.kinds is None else column.kinds.tolist() for column in rows.columns]
    number, text, boolean = CellKind.NUMBER, CellKind.TEXT, CellKind.BOOLEAN
    assert kinds == [[number] * 2, [number] * 2, [number, text], [boolean] * 2, [text] * 2, [text] * 2]


def test_names_are_those_of_all_lines_in_the_order_of_their_first_appearance(path: Path) -> None:
    lines = ['{"sku":"s"}'] * 25_000 + ['{"late":"x","sku":"t"}']
    path.write_text("\n".join(lines), encoding="utf-8")
    source = JsonLinesSource(path)
    preview = source.preview(3)
    assert [column.text.to_pylist() for column in preview.columns] == [["sku", "s", "s"], ["late", None, None]]
    assert preview.has_names
    assert preview.row_numbers == (0, 1, 2)
    batches = list(source.batches(0, [1, 0]))
    assert np.concatenate([batch.row_numbers for batch in batches]).tolist() == list(range(1, 25_002))
    assert [cells.text[-1].as_py() for cells in batches[-1].columns] == ["x", "t"]
    assert batches[-1].share_read == 1.0


def test_blank_lines_are_rows_that_are_empty_and_an_empty_object_is_data(path: Path) -> None:
    path.write_bytes(b'{"a":1}\n\n{}\n   \n')
    (batch,) = JsonLinesSource(path).batches(0, [0])
    assert batch.empty.tolist() == [False, True, False, True]
    assert batch.columns[0].numeric.tolist() == [True, False, False, False]
    assert JsonLinesSource(path).preview(9).row_numbers == (0, 1)


def test_new_values_are_json_of_their_own_type_and_null_where_there_is_none(path: Path) -> None:
    path.write_bytes(b'{"A":1}\n{"A":2}\n')
    values: dict[str, list[Any]] = {
        "a": ['x"\n\\é', None],
        "price": [1.5, float("nan")],
        "count": [7, None],
        "sold": [True, None],
    }
    out = written(path, additions([0, 1], **values)).decode().splitlines()
    assert out[0] == '{"A":1,"a_2":"x\\"\\n\\\\é","price":1.5,"count":7,"sold":true}'
    assert out[1] == '{"A":2,"a_2":null,"price":null,"count":null,"sold":null}'


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"a":1', "this is no JSON object"),
        (b'{"a":1}}', "something follows its JSON"),
        (b'{"a":1}{"a":2}', "something follows its JSON"),
        (b'{"a":01}', "this is no JSON object"),
        (b'["a"]', "no object in braces"),
        (b"7", "no object in braces"),
        (b'{"a":"\xff"}', "no UTF-8 text"),
        (b'{"a":1,"b":2,"a":3}', "it has 'a' twice, with different values"),
        (b'{"a":' * 5000, "nested too deep"),
        (b'{"a":' + b"[" * 950 + b"]" * 950 + b"}", "nested too deep"),
        (b'{"a":"\n"}', "this is no JSON object"),
    ],
)
def test_a_line_that_can_not_be_used_is_refused_with_its_number(path: Path, line: bytes, why: str) -> None:
    path.write_bytes(b'{"a":1}\n\n' + line + b"\n")
    with pytest.raises(InputError, match=r"^in\.jsonl, (between )?line (3|1 and line 3)\b[^\n]*" + why):
        list(JsonLinesSource(path).batches(0, [0]))


def test_an_element_that_can_not_be_used_is_refused_as_an_object_not_as_a_line(path: Path) -> None:
    path.write_bytes(b'\n[{"a":1},\n{"a" 2}]')
    with pytest.raises(InputError, match=r"^in\.jsonl, object 2: this is no JSON object"):
        JsonLinesSource(path).preview(10)


def test_a_name_that_stands_twice_with_the_same_value_harms_nothing(path: Path) -> None:
    path.write_bytes(b'{"a":1,"a":1}\n')
    assert texts(path) == {"a": ["1"]}


@pytest.mark.parametrize(
    "content", [b'[{"a":1},]', b'[{"a":1}', b'[{"a":1}]x', b'[{"a":1} {"a":2}]', b"[", b'[{"a":"x']
)
def test_an_array_that_is_broken_off_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"^in\.jsonl: after object \d the list is broken off or damaged"):
        JsonLinesSource(path).preview(10)


def test_a_name_that_only_some_objects_have_is_nothing_in_the_others(path: Path) -> None:
    path.write_bytes(b'{"a":1}\n{"b":"x"}\n\n{"a":2,"c":true}\n')
    assert texts(path) == {"a": ["1", None, None, "2"], "b": [None, "x", None, None], "c": [None, None, None, "TRUE"]}
    [batch] = JsonLinesSource(path).batches(0, [0, 1])
    assert [cells.numeric.tolist() for cells in batch.columns] == [[True, False, False, True], [False] * 4]


def test_a_number_of_more_digits_than_any_quantity_has_stays_as_it_was_written(path: Path) -> None:
    path.write_bytes(b'{"a":1e40}\n{"a":1e41}\n')
    assert texts(path) == {"a": ["1" + "0" * 40, "1e41"]}


@pytest.mark.parametrize("start", [b'{"a":"', b'[{"a":"'])
def test_an_object_without_end_is_refused_before_it_fills_the_memory(path: Path, start: bytes) -> None:
    path.write_bytes(start + b"x" * 9_000_000)
    with pytest.raises(InputError, match="one object is longer than 8 MB"):
        JsonLinesSource(path).preview(10)


def test_names_without_end_are_refused(path: Path) -> None:
    path.write_text("\n".join(f'{{"name {row}":1}}' for row in range(5000)), encoding="utf-8")
    with pytest.raises(InputError, match=r"in\.jsonl, line 4,097: by now there are more than 4,096 different names"):
        JsonLinesSource(path).preview(10)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_said_and_is_no_fault_of_the_input(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(b'{"a":1}\n')
    with Path("/dev/full").open("r+b", buffering=0) as full:
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: full)
        with pytest.raises(OutputError, match=r"in\.jsonl is unpacked there, which fails \(No space left on device\)"):
            JsonLinesSource(path).preview(10)


def test_a_file_that_changes_while_it_is_written_is_noticed(path: Path) -> None:
    path.write_bytes(b'{"a":1}\n')
    source = JsonLinesSource(path)
    with pytest.raises(InputError, match="was changed while"):
        source.write(path.with_name("out.jsonl"), 0, additions([0]), lambda _: path.touch())


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b'{"a": 1}\n{"a"', True),
        (b'\xef\xbb\xbf\n {"a": [', True),
        (b'{"a":"' + b"x" * 65_536, True),
        (b'[{"a":1},', True),
        (b"{}\n", True),
        (b"a,b\n1,2\n", False),
        (b"{a}|{b}\n", False),
        (b"[1,2]", False),
        (b'"{""a"":1}",b\n', False),
    ],
)
def test_json_is_known_by_how_it_begins(start: bytes, expected: bool) -> None:  # noqa: FBT001
    assert is_json_lines(start) is expected


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=4), VALUES, max_size=4), min_size=1, max_size=8)
BLANK = st.sampled_from(["", " ", "\t", "\r"])


@given(OBJECTS, st.booleans(), BLANK, st.sampled_from([None, 1]), st.integers(1, 40), st.booleans())
def test_stripping_the_new_members_gives_back_the_input(  # noqa: PLR0913, PLR0917
    tmp_path_factory: pytest.TempPathFactory,
    objects: list[dict[str, Any]],
    is_array: bool,  # noqa: FBT001
    blank: str,
    indent: int | None,
    block_bytes: int,
    ascii_only: bool,  # noqa: FBT001
) -> None:
    path = tmp_path_factory.mktemp("jsonl") / "in.jsonl"
    if is_array:
        path.write_text(json.dumps(objects, indent=indent, ensure_ascii=ascii_only) + blank, encoding="utf-8")
    else:
        lines = (blank + json.dumps(each, ensure_ascii=ascii_only) + blank for each in objects)
        path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(array, "_BLOCK_BYTES", block_bytes)  # so that every boundary is tried
        pieces = list(records(path))
        assert b"".join(before + body + after for _, before, body, after in pieces) == path.read_bytes()
        out = written(path, additions([*range(len(objects))]))
    stripped = out
    for row in range(len(objects)):
        own = [f'"{name}":"n{row}"'.encode() for name in ("new", "new_2", "new_3")]
        at, member = max((stripped.rfind(member), member) for member in own)
        cut = at - 1 if stripped[at - 1 : at] == b"," else at
        stripped = stripped[:cut] + stripped[at + len(member) :]
    assert stripped == path.read_bytes()

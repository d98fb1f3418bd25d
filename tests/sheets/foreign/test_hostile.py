"""Files that are damaged or mean harm: an error in words, in time, and nothing left behind."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from enricher.errors import InputError, OutputError
from enricher.sheets.foreign import foreign_tables, reading
from enricher.sheets.kinds import Kind, kind_of

from .conftest import ods_table

if TYPE_CHECKING:
    from .conftest import Cell, Ods, Xls, Xlsb

CELLS: list[Cell] = [(row, column, f"code {row}") for row in range(40) for column in range(3)]
MAX_RSS_KB = 1 << 20


def rows_of(path: Path) -> int | None:
    """Read a file whole; None where it is refused. Anything but an InputError fails the test."""
    try:
        tables = foreign_tables(path, kind_of(path))
    except InputError as error:
        if "\n" in str(error) or path.name not in str(error):
            raise
        return None
    return sum(len(batch.row_numbers) for table in tables for batch in table.batches(0, [0]))


@pytest.fixture(params=["xls", "xlsb", "ods"])
def sound(request: pytest.FixtureRequest, make_xls: Xls, make_xlsb: Xlsb, make_ods: Ods) -> Path:
    if request.param == "ods":
        return make_ods(ods_table("A", [[text for _, _, text in CELLS]] * 40))
    return {"xls": make_xls, "xlsb": make_xlsb}[request.param]({"A": CELLS})


def test_a_file_that_is_cut_short_anywhere_is_refused(sound: Path, tmp_path: Path) -> None:
    data = sound.read_bytes()
    kind = kind_of(sound)
    for share in (0.1, 0.7):
        cut = tmp_path / f"cut{sound.suffix}"
        cut.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(InputError, match=r"damaged( or cut short|, or larger)"):
            foreign_tables(cut, kind)


def test_flipped_bytes_are_read_or_refused_but_never_a_crash(sound: Path, tmp_path: Path) -> None:
    chance = random.Random(4)  # noqa: S311 - replays, and hides nothing
    for at in range(2):  # the fuzz run tries hundreds
        data = bytearray(sound.read_bytes())
        for _ in range(8):
            data[chance.randrange(8, len(data))] = chance.randrange(256)
        flipped = tmp_path / f"flipped{at}{sound.suffix}"
        flipped.write_bytes(data)
        if kind_of(flipped) is kind_of(sound):
            rows = rows_of(flipped)
            assert rows is None or rows <= 70_000


def refused_at_kb(path: Path) -> int:
    """Return the most memory that reading took until the file was refused; in a process without other children."""
    code = (
        "import pathlib, resource, sys\nfrom enricher.errors import InputError\n"
        "from enricher.sheets import open_sources\n"
        "try: open_sources(pathlib.Path(sys.argv[1]))\n"
        "except InputError: print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    return int(subprocess.run([sys.executable, "-c", code, path], stdout=subprocess.PIPE, check=True).stdout)


def test_one_stray_cell_in_the_last_corner_ends_in_words_and_within_the_memory(
    make_xls: Xls, make_xlsb: Xlsb, capfd: pytest.CaptureFixture[str]
) -> None:
    assert refused_at_kb(make_xls({"A": [*CELLS, (65_535, 255, "stray")]})) < MAX_RSS_KB
    assert refused_at_kb(make_xlsb({"A": [*CELLS, (1_048_575, 16_383, "stray")]})) < MAX_RSS_KB
    assert capfd.readouterr() == ("", "")  # what the library says as it aborts is not for the user


def test_a_stray_cell_far_down_is_read_with_its_row(make_xlsb: Xlsb) -> None:
    [source] = foreign_tables(make_xlsb({"A": [(0, 0, "x"), (1_048_575, 2, "stray")]}), Kind.XLSB)
    assert source.preview(5).row_numbers == (1, 1_048_576)


def test_a_cell_repeated_over_a_whole_sheet_is_refused_within_the_memory(make_ods: Ods) -> None:
    cell = '<table:table-cell table:number-columns-repeated="16384" office:value-type="string"><text:p>x</text:p>'
    row = f'<table:table-row table:number-rows-repeated="1048576">{cell}</table:table-cell></table:table-row>'
    assert refused_at_kb(make_ods(f'<table:table table:name="x">{row}</table:table>')) < MAX_RSS_KB


@pytest.mark.parametrize("protection", ["0000" + "34127856", "01000100" + "0100" + "00" * 48])
def test_a_password_on_an_xls_is_named(make_xls: Xls, protection: str) -> None:
    data = bytes.fromhex(protection)
    record = b"\x2f\x00" + len(data).to_bytes(2, "little") + data
    with pytest.raises(InputError, match=r"book\.xls: the workbook is protected by a password\. Save it without one"):
        foreign_tables(make_xls({"A": CELLS}, after_bof=record), Kind.XLS)


def test_a_password_on_an_ods_is_named(make_ods: Ods) -> None:
    path = make_ods(ods_table("A", [["x"]]), encrypted=True)
    with pytest.raises(InputError, match="protected by a password"):
        foreign_tables(path, kind_of(path))


def test_a_file_that_takes_too_long_is_given_up_and_its_process_is_gone(
    make_xls: Xls, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = children()
    monkeypatch.setattr(reading, "_TIME_S", 0)
    with pytest.raises(InputError, match="damaged, or larger than an old Excel workbook"):
        foreign_tables(make_xls({"A": CELLS}), Kind.XLS)
    assert children() == before


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no such timer")
def test_an_interrupt_leaves_no_process_behind(make_xls: Xls) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    others = children()
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.05)  # the other process takes longer only to start
    try:
        with pytest.raises(KeyboardInterrupt):
            foreign_tables(make_xls({"A": CELLS}), Kind.XLS)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert children() == others


def test_the_temporary_file_has_no_name_that_could_be_left(
    make_xls: Xls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    [source] = foreign_tables(make_xls({"A": CELLS}), Kind.XLS)
    assert list(folder.iterdir()) == []
    assert source.preview(1).row_numbers == (1,)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_said_and_is_no_fault_of_the_input(make_xls: Xls, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_xls({"A": CELLS})
    with Path("/dev/full").open("r+b", buffering=0) as full:
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda: full)
        with pytest.raises(OutputError, match="the disk is full"):
            foreign_tables(path, Kind.XLS)


def test_other_files_of_the_same_container_are_refused(make_xls: Xls, make_ods: Ods, tmp_path: Path) -> None:
    document = tmp_path / "letter.xls"
    document.write_bytes(
        make_xls({"A": CELLS}).read_bytes().replace("Workbook".encode("utf-16-le"), b"W\0o\0r\0d\0" * 2)
    )
    assert rows_of(document) is None
    text = make_ods("<text:p>a letter</text:p>")
    assert rows_of(text) is None


def children() -> set[str]:
    """The processes that this one has started and that are not gone; other tests may keep some."""
    return {process for path in Path("/proc/self/task").glob("*/children") for process in path.read_text().split()}

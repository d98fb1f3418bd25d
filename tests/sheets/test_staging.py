from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from enricher.errors import OutputError
from enricher.sheets import StagedOutput

if TYPE_CHECKING:
    from pathlib import Path


def test_an_output_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    output.write_text("old", encoding="utf-8")
    with StagedOutput(output) as staged:  # and no commit
        staged.partial.write_text("half", encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    assert output.read_text(encoding="utf-8") == "old"


def test_the_mode_of_what_is_replaced_is_kept(tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    output.touch(mode=0o600)
    with StagedOutput(output) as staged:
        staged.partial.write_text("new", encoding="utf-8")
        staged.commit(like=output)
    assert output.read_text(encoding="utf-8") == "new"
    assert output.stat().st_mode & 0o777 == 0o600


def test_a_new_output_is_as_private_as_its_input(tmp_path: Path) -> None:
    (tmp_path / "in.csv").touch(mode=0o400)
    with StagedOutput(tmp_path / "out.csv") as staged:
        staged.partial.write_text("new", encoding="utf-8")
        staged.commit(like=tmp_path / "in.csv")
    assert (tmp_path / "out.csv").stat().st_mode & 0o777 == 0o600


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.csv").touch()
    link = tmp_path / "out.csv"
    link.symlink_to(tmp_path / "real.csv")
    with StagedOutput(link) as staged:
        staged.partial.write_text("new", encoding="utf-8")
        staged.commit(like=link)
    assert link.is_symlink()
    assert (tmp_path / "real.csv").read_text(encoding="utf-8") == "new"


def test_a_folder_that_is_not_there_is_said_before_anything_is_spent(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="can't be written there"), StagedOutput(tmp_path / "no" / "out.csv"):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"), StagedOutput(tmp_path / "out.csv"):
        pass


@pytest.mark.parametrize("mark", ["~$out.xlsx", ".~lock.out.xlsx#"])
def test_an_output_that_is_open_in_a_spreadsheet_program_is_left_alone(tmp_path: Path, mark: str) -> None:
    output = tmp_path / "out.xlsx"
    output.write_text("open", encoding="utf-8")
    (tmp_path / mark).touch()
    (tmp_path / "out (2).xlsx").write_text("mine", encoding="utf-8")
    with StagedOutput(output) as staged:
        staged.partial.write_text("new", encoding="utf-8")
        placed = staged.commit(like=output)
    assert placed.name == "out (3).xlsx"
    assert [path.read_text(encoding="utf-8") for path in (output, output.with_name("out (2).xlsx"), placed)] == [
        "open",
        "mine",
        "new",
    ]


def test_a_mark_without_its_file_holds_nothing_up(tmp_path: Path) -> None:
    (tmp_path / "~$out.xlsx").touch()
    with StagedOutput(tmp_path / "out.xlsx") as staged:
        staged.partial.write_text("new", encoding="utf-8")
        assert staged.commit(like=tmp_path) == tmp_path / "out.xlsx"


def test_a_name_that_can_not_be_replaced_gets_a_sibling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "out.xlsx"
    output.touch()
    replace = type(output).replace

    def refuse(path: Path, target: Path) -> Path:  # as Windows does while another program has the file open
        if target == output:
            raise PermissionError(13, "Permission denied")
        return replace(path, target)

    monkeypatch.setattr(type(output), "replace", refuse)
    with StagedOutput(output) as staged:
        staged.partial.write_text("new", encoding="utf-8")
        assert staged.commit(like=output).name == "out (2).xlsx"


def test_what_a_killed_run_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    leave = (
        "import os, sys, pathlib; from enricher.sheets import StagedOutput\n"
        "staged = StagedOutput(pathlib.Path(sys.argv[1])).__enter__()\n"
        "staged.partial.write_text('half'); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", leave, output], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 2
    with StagedOutput(output) as living:
        living.partial.write_text("whole", encoding="utf-8")
        with StagedOutput(output) as second:
            second.partial.write_text("other", encoding="utf-8")
            assert living.partial.read_text(encoding="utf-8") == "whole"
        living.commit(like=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]

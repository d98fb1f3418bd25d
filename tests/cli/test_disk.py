"""A disk that is full: said in one line, before anything is spent on what could not be kept."""

from __future__ import annotations

import contextlib
import json
import resource
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from enricher import sandbox
from tests.conftest import GENEROUS, PROGRAM, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from enricher.sandbox import Sandbox
    from tests.conftest import Run

UNIQUE_CODES = 108


def limited(folder: Path, url: str, limit_bytes: int) -> subprocess.CompletedProcess[str]:
    """A run that can't make files larger than so many bytes."""
    return subprocess.run(
        [str(PROGRAM), "enrich", "catalog.xlsx", "--api-url", url],
        cwd=folder,
        env=environment("sandbox"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes)),
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str, int], Path]]:
    """Mount disks of so many megabytes as folders of the test's own."""
    with contextlib.ExitStack() as mounted:

        def mount(name: str, size_mb: int) -> Path:
            folder = tmp_path / name
            folder.mkdir()
            command = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(folder)]
            done = subprocess.run(command, capture_output=True, check=False) if shutil.which("mount") else None
            if done is None or done.returncode:
                pytest.skip("a small disk can't be mounted here")
            mounted.callback(subprocess.run, ["umount", "-l", str(folder)], check=True)
            return folder

        yield mount


def test_a_disk_with_too_little_room_for_the_plan_is_said_before_anything_is_spent(
    enricher: Run, samples: Path, api: Sandbox, small_disk: Callable[[str, int], Path]
) -> None:
    folder = small_disk("small", 4)
    shutil.copy(samples / "catalog.xlsx", folder)
    ran = enricher("enrich", folder / "catalog.xlsx", "--api-url", api.url)
    assert ran.returncode == 73, ran.stderr
    said = ran.stderr.splitlines()[-1]
    assert said.startswith(f"enricher: {folder}: ")
    assert " MB are free there, and about " in said
    assert " MB for the resume file and " in said
    assert said.endswith(" kB for the output) are needed. Nothing was spent. Make room, or write elsewhere: "
                         "-o OUTPUT, --store FILE")  # fmt: skip
    assert not api.requests
    plan = json.loads(enricher("plan", folder / "catalog.xlsx", "--api-url", api.url, "--json").stdout)
    assert plan["note"].startswith(f"the run would be refused: {folder}: ")
    assert enricher("enrich", folder / "catalog.xlsx", "--api-url", api.url, "--offline").returncode == 0


def test_a_disk_that_is_large_enough_is_not_refused_and_two_disks_are_judged_apart(
    enricher: Run, samples: Path, tmp_path: Path, api: Sandbox, small_disk: Callable[[str, int], Path]
) -> None:
    enough, small = small_disk("enough", 24), small_disk("small", 1)
    shutil.copy(samples / "catalog.xlsx", enough)
    assert enricher("enrich", enough / "catalog.xlsx", "--api-url", api.url).returncode == 0
    # The output alone fits where the resume file would not.
    shutil.copy(samples / "catalog.csv", tmp_path)
    apart = ["-o", small / "out.csv", "--store", enough / "other.parquet"]
    assert enricher("enrich", "catalog.csv", "--api-url", api.url, *apart).returncode == 0
    assert (small / "out.csv").exists()
    paid = api.ledger.spent("sandbox")
    (tmp_path / "large.csv").write_text(
        "EAN,text\n" + "".join(f"4006381333931,{'x' * 200}\n" for _ in range(6_000)), encoding="utf-8"
    )
    ran = enricher("enrich", "large.csv", "--api-url", api.url, "-o", small / "large.csv", "--store", "large.parquet")
    assert ran.returncode == 73
    assert ran.stderr.splitlines()[-1].startswith(f"enricher: {small}: ")
    assert " MB for the output are needed. Nothing was spent." in ran.stderr
    assert api.ledger.spent("sandbox") == paid


@pytest.mark.parametrize("limit_bytes", [100, 60_000])
def test_a_full_disk_is_said_before_anything_is_spent(
    enricher: Run, samples: Path, tmp_path: Path, api: Sandbox, limit_bytes: int
) -> None:
    shutil.copy(samples / "catalog.xlsx", tmp_path)
    ran = limited(tmp_path, api.url, limit_bytes)
    assert ran.returncode == 73, ran.stderr
    assert ran.stderr.splitlines()[-1].startswith("enricher: ")
    assert "there is no room for the next reply (File too large), so none was asked for" in ran.stderr
    assert not api.requests
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "catalog.enriched.xlsx").exists()
    facts = json.loads(enricher("enrich", "catalog.xlsx", "--api-url", api.url, "--json").stdout)
    assert facts["rows_pending"] == 0
    assert api.ledger.spent("sandbox") == UNIQUE_CODES


def test_a_disk_that_fills_up_in_mid_run_costs_none_of_the_replies_under_way(
    enricher: Run, samples: Path, tmp_path: Path
) -> None:
    shutil.copy(samples / "catalog.xlsx", tmp_path)
    with sandbox.serve(plans={"sandbox": GENEROUS}, latency_s=0.3) as api:
        ran = limited(tmp_path, api.url, 1024 * 1024 + 40_000)
        assert ran.returncode == 73, ran.stderr
        assert 0 < api.ledger.spent("sandbox") < UNIQUE_CODES
        assert enricher("enrich", "catalog.xlsx", "--api-url", api.url).returncode == 0
        assert set(api.requests.values()) == {1}
        assert api.ledger.spent("sandbox") == UNIQUE_CODES

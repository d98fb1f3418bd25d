"""A disk that is full: said in one line, before anything is spent on what could not be kept."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from enricher import sandbox
from tests.conftest import GENEROUS, PROGRAM, environment

if TYPE_CHECKING:
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

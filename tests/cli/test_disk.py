"""A disk that is full: said in one line, before anything is spent on what could not be kept."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.conftest import PROGRAM, environment

if TYPE_CHECKING:
    from pathlib import Path

    from enricher.sandbox import Sandbox
    from tests.conftest import Run

UNIQUE_CODES = 108


@pytest.mark.parametrize("limit_bytes", [100, 20_000, 60_000])
def test_a_full_disk_is_said_before_anything_is_spent(
    enricher: Run, samples: Path, tmp_path: Path, api: Sandbox, limit_bytes: int
) -> None:
    shutil.copy(samples / "catalog.xlsx", tmp_path)
    ran = subprocess.run(
        [str(PROGRAM), "enrich", "catalog.xlsx", "--api-url", api.url],
        cwd=tmp_path,
        env=environment("sandbox"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes)),
    )
    assert ran.returncode == 73, ran.stderr
    assert ran.stderr.splitlines()[-1].startswith("enricher: ")
    assert "there is no room for the next reply (File too large), so none was asked for" in ran.stderr
    assert not api.requests
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "catalog.enriched.xlsx").exists()
    facts = json.loads(enricher("enrich", "catalog.xlsx", "--api-url", api.url, "--json").stdout)
    assert facts["rows_pending"] == 0
    assert api.ledger.spent("sandbox") == UNIQUE_CODES

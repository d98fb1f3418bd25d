"""A store filled, reopened and asked, beside SQLite and a parquet file that is rewritten: CPU, time, memory, bytes.

Every job runs in a process of its own, one after another; making the answers up and loading libraries isn't counted.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tests.bench.measure import Measured, measure

if TYPE_CHECKING:
    from collections.abc import Callable

_JOBS = "tests.bench.store_jobs"
_ASKED_SHARE = 0.3
_CHUNK = 10
_MOST_LACK_S, _MOST_APPEND_MS, _MOST_GROWTH = 3.0, 1.0, 1.5
_REWRITES = 4
_REWRITTEN_SHARES = (0.02, 0.05, 0.1)


def in_own_process(name: str, *arguments: object) -> Measured:
    return measure([sys.executable, "-m", _JOBS, name, *map(str, arguments)])


def run(products: int = 1_000_000, job: Callable[..., Measured] = in_own_process) -> None:
    """Print all measurements. Raises ValueError where a way gives a wrong answer."""
    with tempfile.TemporaryDirectory(prefix="enricher-bench-") as name:
        folder = Path(name)
        _filling(folder, products, job)
        filled = job("fill_sqlite", folder / "others.db", products)
        _asking(folder, products, job)
        print("c  the same chunks put by what a user would pick instead")
        _line("SQLite, WAL, FULL", filled, products)
        put = filled.told["put_ms"]
        print(f"  a chunk put, with fsync     {put['50']:8.3f} ms p50 {put['99']:8.3f} ms p99", flush=True)
        _rewriting(folder, products, job)


def _filling(folder: Path, products: int, job: Callable[..., Measured]) -> None:
    few = max(_CHUNK, products // 10)
    print(f"a  {products:,} products put into a store, ten a chunk, each chunk on disk before the next is put")
    small = job("fill", folder / "small.parquet", few)
    large = job("fill", folder / "large.parquet", products, folder / "killed.parquet")
    for size, took in ((few, small), (products, large)):
        own_s, written = took.told["putting_cpu_s"], took.told["rows_written"]
        _line(f"{size // _CHUNK:,} chunks", took, size)
        print(
            f"  {'':<20}{own_s:8.2f} s CPU in the thread that puts; {took.told['closing_s']:.1f} s to close; "
            f"{written:,} rows written, {written / size:.2f} of each"
        )
    growth = large.cpu_s / small.cpu_s * few / products
    print(f"  work a chunk, at ten times the chunks{growth:8.2f} x   {_verdict(growth, _MOST_GROWTH)}")
    without, synced = large.told["put_unsynced_ms"], large.told["put_ms"]
    print(
        f"  a chunk put, without fsync  {without['50']:8.3f} ms p50 {without['99']:8.3f} ms p99   "
        f"{_verdict(without['50'], _MOST_APPEND_MS)}"
    )
    print(f"  a chunk put, with fsync     {synced['50']:8.3f} ms p50 {synced['99']:8.3f} ms p99", flush=True)


def _asking(folder: Path, products: int, job: Callable[..., Measured]) -> None:
    asked = round(products * _ASKED_SHARE)
    right = job("make_keys", folder / "keys.npy", products, asked).told["lacking"]
    print(f"b  which of {asked:,} keys are lacking? in a fresh process, the store opened for writing")
    for name, path, way in (
        ("enricher", "large.parquet", "lack"),
        ("after a kill", "killed.parquet", "lack"),
        ("pandas, unchecked", "large.parquet", "lack_pandas"),
        ("SQLite", "others.db", "lack_sqlite"),
    ):
        took = job(way, folder / path, folder / "keys.npy")
        if took.told["lacking"] != right:
            raise ValueError(f"{name}: {took.told['lacking']:,} keys lacking, not {right:,}")
        verdict = _verdict(took.cpu_s, _MOST_LACK_S) if name == "enricher" else ""
        print(f"  {name:<20}{took.cpu_s:8.2f} s CPU{took.peak_mib:8,.0f} MiB peak   {verdict}", flush=True)


def _rewriting(folder: Path, products: int, job: Callable[..., Measured]) -> None:
    """Measure a rewrite at some sizes, and add up what a straight line through them says of every chunk."""
    sizes = [max(_CHUNK, round(products * share) // _CHUNK * _CHUNK) for share in _REWRITTEN_SHARES]
    took = [job("rewrite_parquet", folder / f"{size}.rewritten", size, _REWRITES) for size in sizes]
    chunk_s = [float(np.median(one.told["chunk_s"])) for one in took]
    slope, start = np.polyfit(sizes, chunk_s, 1)
    chunks = products // _CHUNK
    total_s = start * chunks + slope * _CHUNK * chunks * (chunks + 1) / 2
    size_mib = took[-1].told["size_bytes"] * products / sizes[-1] / 2**20
    print(
        f"  pandas, rewritten   {total_s:8,.0f} s CPU ({total_s / 3600:,.1f} hours){size_mib:8,.0f} MiB file; "
        f"extrapolated from {_REWRITES} chunks each at "
        + ", ".join(f"{size:,} products ({one_s:.2f} s)" for size, one_s in zip(sizes, chunk_s, strict=True)),
        flush=True,
    )


def _line(name: str, took: Measured, products: int) -> None:
    per_chunk_us = took.cpu_s / products * _CHUNK * 1e6
    print(
        f"  {name:<20}{took.cpu_s:8.2f} s CPU{took.wall_s:8.1f} s{took.peak_mib:8,.0f} MiB peak"
        f"{took.told['size_bytes'] / 2**20:8,.0f} MiB file{per_chunk_us:8,.0f} us CPU a chunk",
        flush=True,
    )


def _verdict(figure: float, most: float) -> str:
    return f"at most {most:g}: {'ok' if figure <= most else 'MISSED'}"

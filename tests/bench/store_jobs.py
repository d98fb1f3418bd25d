"""What is measured of stores, each as a function that runs in a process of its own: enricher's way and the others'.

    python -m tests.bench.store_jobs NAME ARGUMENT...

The CPU time of making answers up is counted as loading, not as work.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
import threading
import time
from collections import defaultdict
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from enricher.keys import code_texts
from enricher.store import Store
from tests.bench import store_answers as made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from enricher.model import Answer

HOST = "localhost"


class Pace:
    """Hands out chunks, and keeps how long each took to be taken: seconds, and how much of that was fsync."""

    def __init__(self, products: int) -> None:
        self._products = products
        self._synced_s: defaultdict[int, float] = defaultdict(float)
        self.making_s = self.putting_cpu_s = 0.0
        self.put_s: list[float] = []
        self.put_unsynced_s: list[float] = []

    def chunks(self) -> Iterator[list[Answer]]:
        source = made.chunks(self._products)
        thread = threading.get_ident()
        with watched(os, "fsync", self._timed), watched(os, "fdatasync", self._timed):
            while True:
                before_s = time.thread_time()
                chunk = next(source, None)
                self.making_s += time.thread_time() - before_s
                if chunk is None:
                    return
                start_cpu_s, synced_s, start_s = time.thread_time(), self._synced_s[thread], time.perf_counter()
                yield chunk
                took_s = time.perf_counter() - start_s
                self.putting_cpu_s += time.thread_time() - start_cpu_s
                self.put_s.append(took_s)
                self.put_unsynced_s.append(took_s - (self._synced_s[thread] - synced_s))

    def told(self) -> dict[str, Any]:
        """Return percentiles in milliseconds."""
        both = {"put_ms": self.put_s, "put_unsynced_ms": self.put_unsynced_s}
        return {
            name: {str(share): float(np.percentile(times_s, share)) * 1000 for share in (50, 99, 100)}
            for name, times_s in both.items()
        }

    def _timed(self, sync: Callable[[int], None], descriptor: int) -> None:
        start_s = time.perf_counter()
        try:
            sync(descriptor)
        finally:
            self._synced_s[threading.get_ident()] += time.perf_counter() - start_s


@contextmanager
def watched(holder: Any, name: str, watch: Callable[..., Any]) -> Iterator[None]:
    """Have `watch` called in a function's place, with the function and what it was called with."""
    real = getattr(holder, name, None)
    if real is None:  # Windows has no fdatasync
        yield
        return
    setattr(holder, name, lambda *how, **more: watch(real, *how, **more))
    try:
        yield
    finally:
        setattr(holder, name, real)


def make_keys(path: str, products: str, asked: str) -> dict[str, Any]:
    """Make the keys to ask for: one of two is in the store, in no order."""
    have = min(int(asked) // 2, int(products))
    known = np.random.default_rng(6).choice(int(products), have, replace=False)
    numbers = [*known.tolist(), *range(int(products), int(products) + int(asked) - have)]
    np.save(path, np.random.default_rng(7).permutation(made.make_keys(numbers)))
    return {"lacking": int(asked) - have}


def fill(path: str, products: str, killed: str = "") -> dict[str, Any]:
    """Put the products into a store, ten a chunk, and close it; `killed` takes what a kill before that would leave."""
    pace, written = Pace(int(products)), [0]

    def counted(write_table: Callable[..., None], writer: pq.ParquetWriter, table: Any, *how: Any, **more: Any) -> None:
        written[0] += len(table)
        write_table(writer, table, *how, **more)

    loaded_s, copying_s = time.process_time(), 0.0
    with watched(pq.ParquetWriter, "write_table", counted), Store(Path(path), HOST) as store:
        for chunk in pace.chunks():
            store.put(chunk)
        if killed:
            start_s = time.thread_time()
            _copy_as_killed(Path(path), Path(killed))
            copying_s = time.thread_time() - start_s
        end_s = time.perf_counter()
    closing_s = time.perf_counter() - end_s
    told = {"closing_s": closing_s, "rows_written": written[0], "putting_cpu_s": pace.putting_cpu_s}
    return {
        **told,
        **pace.told(),
        "loaded_s": loaded_s + pace.making_s + copying_s,
        "size_bytes": Path(path).stat().st_size,
    }


def _copy_as_killed(path: Path, target: Path) -> None:
    """Copy a store's files at one moment: between folds."""

    def moment() -> list[tuple[int, int]]:
        files = (path, path.with_suffix(".journal"))
        return [(file.stat().st_ino, file.stat().st_size) for file in files if file.exists()]

    before = None
    while before != moment():
        before = moment()
        for suffix in (".journal", ".parquet"):
            if path.with_suffix(suffix).exists():
                shutil.copyfile(path.with_suffix(suffix), target.with_suffix(suffix))


def lack(path: str, asked: str) -> dict[str, Any]:
    """Open a store and say which keys it lacks."""
    keys = np.load(asked)
    loaded_s = time.process_time()
    store = Store(Path(path), HOST)
    lacking = keys[made.fetched_ms(store, keys) < 0]
    done_s = time.process_time()
    store.__exit__(RuntimeError, None, None)  # as after an error: nothing is folded
    return {"loaded_s": loaded_s, "done_s": done_s, "lacking": len(lacking)}


# --- the others -------------------------------------------------------------------------------------------------


def fill_sqlite(path: str, products: str) -> dict[str, Any]:
    """Put the products into a table of JSON: a row each, a commit a chunk, each commit fsynced."""
    pace = Pace(int(products))
    loaded_s = time.process_time()
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(
            "CREATE TABLE answers (code_type TEXT, domain TEXT, code TEXT, fetched_at INTEGER, items TEXT, "
            "PRIMARY KEY (code_type, domain, code))"
        )
        for chunk in pace.chunks():
            database.execute("BEGIN")
            database.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", map(_row, chunk))
            database.execute("COMMIT")
    return {**pace.told(), "loaded_s": loaded_s + pace.making_s, "size_bytes": Path(path).stat().st_size}


def _row(answer: Answer) -> tuple[str, str, str, int, str]:
    items = json.dumps(answer.items, separators=(",", ":"))
    return (*map(str, answer.key), int(answer.fetched_at.timestamp() * 1000), items)  # type: ignore[return-value]


def lack_sqlite(path: str, asked: str) -> dict[str, Any]:
    """Join the keys with the table."""
    codes = code_texts(np.load(asked)).to_pylist()
    loaded_s = time.process_time()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TEMP TABLE asked (code TEXT PRIMARY KEY)")
        database.executemany("INSERT INTO asked VALUES (?)", ((code,) for code in codes))
        lacking = database.execute(
            "SELECT code FROM asked WHERE NOT EXISTS (SELECT 1 FROM answers AS known "
            "WHERE known.code_type = 'upc' AND known.domain = 'com' AND known.code = asked.code)"
        ).fetchall()
    return {"loaded_s": loaded_s, "lacking": len(lacking)}


def rewrite_parquet(path: str, products: str, rewrites: str) -> dict[str, Any]:
    """Add chunks to a parquet file of so many products by reading it, and writing it anew: CPU seconds a chunk."""
    more = 10 * int(rewrites)
    source = made.chunks(int(products) + more)
    _frame([answer for _ in range(int(products) // 10) for answer in next(source)]).to_parquet(path)
    took_s: list[float] = []
    for chunk in source:
        start_s = time.process_time()
        pd.concat([pd.read_parquet(path), _frame(chunk)], ignore_index=True).to_parquet(path)
        took_s.append(time.process_time() - start_s)
    size_bytes = Path(path).stat().st_size
    return {"chunk_s": took_s, "size_bytes": size_bytes * int(products) / (int(products) + more)}


def _frame(answers: Sequence[Answer]) -> pd.DataFrame:
    rows = [
        {**answer.key._asdict(), "fetched_at": answer.fetched_at, **item} for answer in answers for item in answer.items
    ]
    return pd.DataFrame(rows)


def lack_pandas(path: str, asked: str) -> dict[str, Any]:
    """Read the codes of a parquet file, and look the keys up."""
    codes = code_texts(np.load(asked)).to_pandas()
    loaded_s = time.process_time()
    known = pd.read_parquet(path, columns=["code"])["code"]
    return {"loaded_s": loaded_s, "lacking": int((~codes.isin(known)).sum())}


JOBS: dict[str, Callable[..., dict[str, Any]]] = {
    job.__name__: job for job in (make_keys, fill, lack, fill_sqlite, lack_sqlite, rewrite_parquet, lack_pandas)
}

if __name__ == "__main__":
    told = JOBS[sys.argv[1]](*sys.argv[2:])
    print(json.dumps({"loaded_s": 0.0, "done_s": time.process_time(), **told}))

"""Lookups against the quota, beside two simple loops: time, tokens, refusals. Then against latency.

The program is the installed one, on a file, with its resume file and all; the service is the sandbox, over real HTTP.
Time is the server's, from the first lookup's arrival to the last reply: what the program does before and after is for
other measurements.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from enricher import sandbox
from enricher.codes.gtin import check_digit
from tests.bench import quota_rivals

if TYPE_CHECKING:
    from collections.abc import Callable

    from enricher.model import CodeType, Domain, Item

    Start: TypeAlias = Callable[[list[str], Path, dict[str, str]], tuple[int, str]]

_PROGRAM = Path(sys.executable).with_name("enricher")
_KEY = "bench"
_MOST_TIME, _LEAST_SPEEDUP = 1.02, 3.0
_WORKERS = 4


class Timed(sandbox.Catalog):
    """Has a product for every code, and keeps when the first and the last one was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.first_s = self.last_s = 0.0

    def lookup(self, code_type: CodeType, code: str, domain: Domain) -> list[Item]:
        self.last_s = time.monotonic()
        self.first_s = self.first_s or self.last_s
        return [{"asin": f"B{code[-10:-1]}", "ean": code, "title": f"The {code_type} {code} on {domain}"}]


@dataclass(frozen=True, slots=True)
class Run:
    """What a run took at the server."""

    time_s: float
    tokens: int
    refusals: int


@dataclass(frozen=True, slots=True)
class Program:
    """The program, at work in a folder of its own."""

    folder: Path
    start: Start

    def enrich(self, codes: list[str], url: str, *flags: str) -> None:
        """Look up codes that it has not seen before. Raises RuntimeError where it fails."""
        for old in self.folder.iterdir():
            old.unlink()
        (self.folder / "codes.csv").write_text("EAN\n" + "\n".join(codes) + "\n", encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ASINSCOPE_")}
        arguments = ["enrich", "codes.csv", "--api-url", url, "--quiet", *flags]
        code, said = self.start(arguments, self.folder, {**kept, "ASINSCOPE_API_KEY": _KEY})
        if code:
            raise RuntimeError(f"enricher: exit {code}\n{said[-2000:]}")


def started(arguments: list[str], folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Start the installed program; return its exit code, and what it said went wrong."""
    done = subprocess.run([_PROGRAM, *arguments], cwd=folder, env=environment, capture_output=True, check=False)
    return done.returncode, done.stderr.decode(errors="replace")


def run(codes: int = 5000, scale: float = 60, latency_s: float = 0.5, start: Start = started) -> None:
    """Print both measurements."""
    with tempfile.TemporaryDirectory(prefix="enricher-bench-") as folder:
        program = Program(Path(folder), start)
        _against_quota(program, codes, scale)
        _against_latency(program, latency_s)


def _against_quota(program: Program, count: int, scale: float) -> None:
    pro = sandbox.PRO
    plan = sandbox.Plan("fast", pro.bucket_capacity, round(pro.tokens_per_minute * scale), daily_limit=10**9)
    codes = make_codes(count)
    bound_s = max(0, count - plan.bucket_capacity) / plan.tokens_per_minute * 60
    quota = f"a full bucket of {plan.bucket_capacity}, {plan.tokens_per_minute / 60:,.4g} tokens a second"
    print(f"{count:,} different codes; Pro's quota, {scale:g} times as fast: {quota}; {bound_s:.1f} s at the least")
    print(f"  {'':<36}{'time':>10}{'/ least':>10}{'tokens / codes':>16}{'429s':>7}")
    ways: dict[str, Callable[[str], None]] = {
        "enricher": lambda url: program.enrich(codes, url),
        "sample loop, back-off 1, 2, 4 ... s": lambda url: quota_rivals.back_off(url, _KEY, codes, scale),
        "tokens checked, else a refill slept": lambda url: quota_rivals.check_then_sleep(url, _KEY, codes, scale),
    }
    for name, way in ways.items():
        took = _measured(way, plan)
        verdict = ""
        if name == "enricher":
            is_ok = took.time_s <= _MOST_TIME * bound_s and took.tokens == count and not took.refusals
            verdict = f"   at most {_MOST_TIME:g}, 1, 0: {'ok' if is_ok else 'MISSED'}"
        share = f"{took.time_s / bound_s:10.3f}" if bound_s else f"{'-':>10}"
        tokens = f"{took.tokens / count:16.3f}{took.refusals:7,}"
        print(f"  {name:<36}{took.time_s:8.2f} s{share}{tokens}{verdict}", flush=True)
    print(f"  The loops' pauses are {scale:g} times shorter, too: on Pro itself all of this takes so much longer.")


def _against_latency(program: Program, latency_s: float) -> None:
    plan = sandbox.Plan("full", sandbox.PRO.bucket_capacity, sandbox.PRO.tokens_per_minute, daily_limit=10**9)
    codes = make_codes(plan.bucket_capacity)
    print(f"{len(codes)} codes and a full bucket of as many, each reply {latency_s * 1000:g} ms late")

    def with_workers(workers: int) -> Run:
        return _measured(lambda url: program.enrich(codes, url, "--workers", str(workers)), plan, latency_s)

    together, alone = with_workers(_WORKERS), with_workers(1)
    ratio = alone.time_s / together.time_s
    print(f"  {f'enricher, {_WORKERS} workers':<36}{together.time_s:8.2f} s")
    verdict = f"at least {_LEAST_SPEEDUP:g}: {'ok' if ratio >= _LEAST_SPEEDUP else 'MISSED'}"
    print(f"  {'one request after another':<36}{alone.time_s:8.2f} s{ratio:8.2f} times as long   {verdict}", flush=True)


def _measured(way: Callable[[str], None], plan: sandbox.Plan, latency_s: float = 0.0) -> Run:
    """Go one way with a service of its own, whose bucket is full."""
    catalog = Timed()
    with sandbox.serve(catalog, {_KEY: plan}, latency_s=latency_s) as api:
        way(api.url)
        time_s = catalog.last_s - catalog.first_s + latency_s
        return Run(time_s, api.ledger.spent(_KEY), api.refusals[429])


def make_codes(count: int) -> list[str]:
    """Make up different EANs."""
    return [body + check_digit(body) for body in (f"40{number:010}" for number in range(count))]

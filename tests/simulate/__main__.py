"""Run seeds of the simulation, as many as one likes, or replay one line by line."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from dataclasses import dataclass

from tests.simulate.scenario import draw
from tests.simulate.simulation import Simulation, simulate

_BLOCK = 500


@dataclass(frozen=True, slots=True)
class _Block:
    """What came of some seeds that follow each other; `failed`: the first that broke a promise, and how."""

    seeds: int
    requests: int
    charged: int
    lasted_us: int
    failed: tuple[int, str] | None = None


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many (default: 10,000)")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seed", type=int, help="replay this one, and print what happens")
    arguments = parser.parse_args()
    if arguments.seed is not None:
        return _replay(arguments.seed)
    return _run(range(arguments.start, arguments.start + arguments.seeds), arguments.processes)


def _replay(seed: int) -> int:
    simulation = Simulation(draw(seed))
    sys.stdout.write(f"{simulation.scenario}\n")
    try:
        simulation.run()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the seed is replayed for
        failed = f"{type(error).__name__}: {error}\n"
    else:
        failed = ""
    sys.stdout.writelines(f"{line}\n" for line in simulation.world.lines())
    sys.stdout.write(failed)
    return 1 if failed else 0


def _run(seeds: range, processes: int) -> int:
    began_s = told_s = time.monotonic()
    done = requests = charged = lasted_us = 0
    blocks = [seeds[start : start + _BLOCK] for start in range(0, len(seeds), _BLOCK)]
    with multiprocessing.Pool(processes) as pool:
        for block in pool.imap(_run_block, blocks):
            done += block.seeds
            requests += block.requests
            charged += block.charged
            lasted_us += block.lasted_us
            if block.failed is not None:
                seed, how = block.failed
                sys.stdout.write(f"{how}\n\nseed {seed} failed: python -m tests.simulate --seed {seed}\n")
                return 1
            now_s = time.monotonic()
            if now_s - told_s > 10 or done == len(seeds):
                told_s = now_s
                years = lasted_us / 1e6 / 86_400 / 365.25
                sys.stdout.write(
                    f"{done:,} seeds in {now_s - began_s:,.0f} s: {years:,.1f} years, {requests:,} requests, "
                    f"{charged:,} tokens; no promise broken\n"
                )
                sys.stdout.flush()
    return 0


def _run_block(seeds: range) -> _Block:
    requests = charged = lasted_us = 0
    for number, seed in enumerate(seeds):
        try:
            outcome = simulate(seed)
        except Exception as error:  # noqa: BLE001 - a traceback of the loop's is a finding like any other
            notes = "\n".join(getattr(error, "__notes__", ()))
            return _Block(number, requests, charged, lasted_us, (seed, f"{notes}\n{type(error).__name__}: {error}"))
        requests += outcome.requests
        charged += outcome.charged
        lasted_us += outcome.lasted_us
    return _Block(len(seeds), requests, charged, lasted_us)


if __name__ == "__main__":
    sys.exit(main())

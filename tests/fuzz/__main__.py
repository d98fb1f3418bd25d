"""Run the fuzz and exit with 1 where it found anything."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.fuzz.run import Fuzz, replay
from tests.fuzz.seeds import given, made


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("what", choices=["sheets"])
    parser.add_argument("--seconds", type=float, default=600.0, help="how long (default: 600)")
    parser.add_argument("--mutants", type=int, help="stop after so many")
    parser.add_argument("--seed", type=int, default=None, help="the same seed makes the same mutants")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"), help="folder for the mutants of findings")
    parser.add_argument("--corpus", type=Path, help="a folder of more files to make mutants of")
    parser.add_argument("--only", default="", help="only seeds with this in their names")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run one kept mutant instead")
    parser.add_argument("--to", default=None, metavar="SUFFIX", help="with --replay: the output's suffix")
    arguments = parser.parse_args()
    if arguments.replay:
        wrong = replay(arguments.replay, arguments.to or arguments.replay.suffix)
        sys.stdout.write(f"{wrong or 'nothing is wrong with it'}\n")
        return 1 if wrong else 0
    seeds = [*made(), *(given(arguments.corpus) if arguments.corpus else [])]
    seeds = [seed for seed in seeds if arguments.only in seed.name]
    run_seed = time.time_ns() % 1_000_000 if arguments.seed is None else arguments.seed
    with Fuzz(arguments.keep) as fuzz:
        tally = fuzz.run(seeds, run_seed, arguments.seconds, arguments.mutants)
    sys.stdout.writelines(f"{line}\n" for line in tally.lines())
    sys.stdout.write(f"{tally.mutants:,} mutants of seed {run_seed}, {len(tally.findings)} kinds of findings\n")
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())

"""Kill the program, or fail its disk, as often as one likes, and hold what it leaves against its promises."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.crash import calls, disks, soak, tracing
from tests.crash.processes import Forks


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    ways = parser.add_subparsers(dest="way", required=True)
    long = ways.add_parser("soak", help="kill -9 at random moments of a long run")
    long.add_argument("--codes", type=int, default=20_000, help="(default: 20,000)")
    long.add_argument("--kills", type=int, default=200, help="(default: 200)")
    long.add_argument("--seed", type=int, default=0)
    ways.add_parser("disks", help="disks that are full, and files that may not grow")
    for name, what in (("calls", "kill -9 at every system call of a small run"), ("faults", "every such call fails")):
        small = ways.add_parser(name, help=what)
        small.add_argument("--every", type=int, default=1, help="only at each so many (default: 1)")
        small.add_argument("--beginning", action="append", choices=calls.BEGINNINGS, help="only from these")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crash-") as name, Forks(Path(name)) as forks:
        if arguments.way == "soak":
            return soak.run(forks, Path(name), arguments.codes, arguments.kills, arguments.seed)
        if arguments.way == "disks":
            return _full_disks(forks, Path(name))
        missing = tracing.is_missing()
        if missing:
            sys.stdout.write(f"skipped: {missing}\n")
            return 0
        hows = calls.KILLS if arguments.way == "calls" else calls.FAILURES
        return calls.run(forks, Path(name), hows, arguments.beginning or calls.BEGINNINGS, arguments.every)


def _full_disks(forks: Forks, folder: Path) -> int:
    broken = 0
    for name, endings in (("limited", disks.limit_files), ("full", disks.fill_disk)):
        (folder / name).mkdir()
        told = [*endings(forks, folder / name)]
        sys.stdout.writelines(f"{ending}\n" for ending in told)
        if not told:
            sys.stdout.write("skipped: no small disk can be made here\n")
        broken += sum(len(ending.problems) for ending in told)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

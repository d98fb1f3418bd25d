"""Run one measurement and print it."""

from __future__ import annotations

import argparse

from tests.bench import codes

_BENCHES = {"codes": codes.run}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("name", choices=_BENCHES)
    parser.add_argument("--cells", type=int, default=1_000_000, help="cells to make up (default: 1,000,000)")
    arguments = parser.parse_args()
    _BENCHES[arguments.name](arguments.cells)


main()

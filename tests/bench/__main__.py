"""Run one measurement and print it."""

from __future__ import annotations

import argparse


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    benches = parser.add_subparsers(dest="name", required=True)
    codes = benches.add_parser("codes", help="a column identified, against a loop over python-stdnum")
    codes.add_argument("--cells", type=int, default=1_000_000, help="cells to make up (default: 1,000,000)")
    sheets = benches.add_parser("sheets", help="files read, joined and written, against other libraries")
    sheets.add_argument("--scale", type=float, default=1.0, help="part of the rows: 0.01 takes seconds (default: 1)")
    sheets.add_argument("--large", action="store_true", help="also 1,000,000-row workbooks and 5,000,000-row CSVs")
    sheets.add_argument("--only", default="abcdef", help="letters of the measurements to make (default: abcdef)")
    arguments = parser.parse_args()
    # Each is loaded when asked for: a process started from a large one is counted as large by the system.
    if arguments.name == "codes":
        from tests.bench.codes import run as run_codes  # noqa: PLC0415

        run_codes(arguments.cells)
    else:
        from tests.bench.sheets import run as run_sheets  # noqa: PLC0415

        run_sheets(arguments.scale, large=arguments.large, only=arguments.only)


if __name__ == "__main__":
    main()

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
    quota = benches.add_parser("quota", help="lookups against the quota, beside two simple loops, and against latency")
    quota.add_argument("--codes", type=int, default=5000, help="codes to look up (default: 5,000)")
    quota.add_argument("--scale", type=float, default=60, help="how much faster than Pro's the quota is (default: 60)")
    quota.add_argument("--latency-ms", type=float, default=500, help="how late replies are (default: 500)")
    store = benches.add_parser("store", help="the resume file filled and asked, beside SQLite and rewritten parquet")
    store.add_argument("--products", type=int, default=1_000_000, help="products to keep (default: 1,000,000)")
    arguments = parser.parse_args()
    # Each is loaded when asked for: a process started from a large one is counted as large by the system.
    if arguments.name == "codes":
        from tests.bench.codes import run as run_codes  # noqa: PLC0415

        run_codes(arguments.cells)
    elif arguments.name == "quota":
        from tests.bench.quota import run as run_quota  # noqa: PLC0415

        run_quota(arguments.codes, arguments.scale, arguments.latency_ms / 1000)
    elif arguments.name == "store":
        from tests.bench.store import run as run_store  # noqa: PLC0415

        run_store(arguments.products)
    else:
        from tests.bench.sheets import run as run_sheets  # noqa: PLC0415

        run_sheets(arguments.scale, large=arguments.large, only=arguments.only)


if __name__ == "__main__":
    main()

"""Planted faults: how often are known causes found, and verdicts right.

    python -m benchmarks.planted [--seed N] [--worlds N] [--plugin | --cpu]

Without `--plugin` the search is called directly, for the thousands of cases
that the tables need; with it, generated eval files run through pytest.
"""

from __future__ import annotations

import argparse
import time

from .plugin_road import plugin_table
from .tables import cause_tables, verdict_tables
from .timing import timing_table

VERDICTS_A_WORLD = 5
"""A verdict is one number a suite, so its tables take more worlds."""


def main() -> None:
    """Print every table."""
    options = _options()
    started = time.perf_counter()
    print(f"seed {options.seed}")
    if options.plugin:
        plugin_table(options.seed, options.suites, options.cases)
    elif options.cpu:
        timing_table(options.seed)
    else:
        cause_tables(options.seed, options.worlds)
        verdict_tables(options.seed, VERDICTS_A_WORLD * options.worlds)
    print(f"\n{time.perf_counter() - started:.0f} s")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worlds", type=int, default=40, help="random worlds a row")
    parser.add_argument("--plugin", action="store_true", help="run through pytest")
    parser.add_argument("--cpu", action="store_true", help="time the diagnosis")
    parser.add_argument("--suites", type=int, default=20, help="with --plugin")
    parser.add_argument("--cases", type=int, default=100, help="with --plugin")
    return parser.parse_args()


if __name__ == "__main__":
    main()

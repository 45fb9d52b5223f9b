"""Planted faults: how often are known causes found, and verdicts right.

    python -m benchmarks.planted [--seed N] [--worlds N] [--only PART ...]

`causes` and `verdicts` call the search directly, for the thousands of cases
that their tables need; `plugin` runs generated eval files through pytest;
`cpu` times the diagnosis.  With the defaults all of it takes about ten minutes
of one core.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping

from .cause_tables import cause_tables
from .plugin_road import plugin_table
from .timing import timing_table
from .verdict_tables import verdict_tables

VERDICTS_A_WORLD = 5
"""A verdict is one number a suite, so its tables take more worlds."""


def main() -> None:
    """Print every table."""
    options = _options()
    started = time.perf_counter()
    parts: Mapping[str, Callable[[], None]] = {
        "causes": lambda: cause_tables(options.seed, options.worlds),
        "verdicts": lambda: verdict_tables(
            options.seed, VERDICTS_A_WORLD * options.worlds
        ),
        "plugin": lambda: plugin_table(options.seed, options.suites, options.cases),
        "cpu": lambda: timing_table(options.seed),
    }
    print(f"seed {options.seed}")
    for part in options.only or parts:
        parts[part]()
        print(f"\n{time.perf_counter() - started:.0f} s so far", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worlds", type=int, default=40, help="random worlds a row")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=("causes", "verdicts", "plugin", "cpu"),
        help="print these parts and no others",
    )
    parser.add_argument("--suites", type=int, default=10, help="through pytest")
    parser.add_argument("--cases", type=int, default=100, help="of each such suite")
    return parser.parse_args()


if __name__ == "__main__":
    main()

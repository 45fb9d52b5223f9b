"""Agreement: do the checks say what graders published elsewhere said.

    python -m benchmarks.agreement NAME --data PATH

NAME is that of a module beside this one: it offers `NAME` and `run(data)`,
which yields the lines to print.  PATH is the folder of all published data;
nothing of it is copied here.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

Run = Callable[[Path], Iterator[str]]


def main() -> None:
    """Print the agreement of one benchmark."""
    runs = found_runs()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=sorted(runs))
    parser.add_argument("--data", type=Path, required=True, help="published data")
    options = parser.parse_args()
    for line in runs[options.name](options.data):
        print(line)


def found_runs() -> Mapping[str, Run]:
    """Return every benchmark of this package by its name."""
    folder = str(Path(__file__).parent)
    names = [found.name for found in pkgutil.iter_modules([folder])]
    modules = [
        importlib.import_module(f"benchmarks.agreement.{name}")
        for name in names
        if name != "__main__"
    ]
    return {module.NAME: module.run for module in modules if hasattr(module, "NAME")}


if __name__ == "__main__":
    main()

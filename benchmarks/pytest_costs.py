"""What the plugin costs pytest: start-up, collection, replay.

    python benchmarks/pytest_costs.py [--runs 5]

Each figure is a whole process, measured from outside (wall seconds, peak
memory), beside a floor run in turn with it: pytest without the plugin, and a
bare plugin that yields as many empty items.  The machine's speed drifts, so
read the ratio, which is the median of the pairs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:xdist")
OURS = "llm-diagnosis"

BARE_PLUGIN = """\
import pytest

class EmptyItem(pytest.Item):
    def runtest(self): pass
    def reportinfo(self): return self.path, 0, self.name

class EmptyFile(pytest.File):
    def collect(self):
        for number in range(int(self.path.read_text())):
            yield EmptyItem.from_parent(self, name=f"item-{number}")

def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".empty":
        return EmptyFile.from_parent(parent, path=file_path)
"""
VARIANTS = """\
variants:
  base: {call: "assistant:answer"}
"""
ASSISTANT = """\
def answer(request):
    number = request.messages[-1]["content"].split()[-1].rstrip("?")
    return f"It is {number} days."
"""


class Cost(NamedTuple):
    """One process: wall seconds and peak memory in MiB."""

    seconds: float
    mebibytes: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        startup(root / "startup", runs)
        collection(root / "collection", runs)
        replay(root / "replay", runs)


def startup(root: Path, runs: int) -> None:
    """Compare a session without evals, with and without the plugin."""
    write(root, {"test_one.py": "def test_one():\n    pass\n"})
    folder = str(root)
    without = [*PYTEST, "-p", f"no:{OURS}", folder]
    compare("start-up without evals", [*PYTEST, folder], without, root, runs * 3)
    report = (
        "import sys, pytest; pytest.main(sys.argv[1:]); "
        "names = [n for n in sys.modules if n.startswith('pytest_llm_diagnosis')]; "
        "heavy = [n for n in ('litellm', 'jsonschema', 'yaml') if n in sys.modules]; "
        "print('modules of ours:', *names); "
        "print('heavy modules:', *(heavy or ['none']))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", report, "-q", str(root)],
        cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    print("  " + "\n  ".join(shown.stdout.splitlines()[-2:]))


def collection(root: Path, runs: int) -> None:
    """Compare `--co` on a generated file of 10,000 cases."""
    write_suites(root, 10_000)
    ours = [*PYTEST, "--co", "-qq", "--llm-variant=base", "ours"]
    floor = [*PYTEST, "--co", "-qq", "bare"]
    compare("--co of 10,000 cases", ours, floor, root, runs)


def replay(root: Path, runs: int) -> None:
    """Compare 1,000 cases from recordings, and from the store."""
    write_suites(root, 1_000)
    record = [*PYTEST, "--llm-variant=base", "--llm-record", "ours"]
    subprocess.run(record, cwd=root, check=True, stdout=subprocess.DEVNULL)
    ours = [*PYTEST, "--llm-variant=base", "--llm-answers=replay", "ours"]
    floor = [*PYTEST, "bare"]
    compare("1,000 cases replayed", ours, floor, root, runs)
    stored = [*PYTEST, "--llm-variant=base", "ours"]
    compare("1,000 cases stored", stored, floor, root, runs)


def write_suites(root: Path, count: int) -> None:
    """Write an eval file of `count` cases, and a bare plugin with as many items."""
    lines = ["defaults:", "  system: You answer for Northwind Outfitters.", "cases:"]
    for number in range(count):
        lines += [
            f"  - id: case-{number}",
            f"    mark: {'knowledge' if number % 2 else 'behavior'}",
            f"    prompt: How many days are there to return item {number}?",
            "    facts:",
            f'      - contains: "{number} days"',
            f"    ideal: It is {number} days.",
        ]
    write(
        root,
        {
            "pytest.ini": "[pytest]\n",
            "ours/big.eval.yaml": "\n".join(lines) + "\n",
            "ours/llm_variants.yaml": VARIANTS,
            "ours/assistant.py": ASSISTANT,
            "bare/conftest.py": BARE_PLUGIN,
            "bare/big.empty": str(count),
        },
    )


def write(root: Path, files: dict[str, str]) -> None:
    """Write files below a folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def compare(
    title: str,
    ours: Sequence[str],
    floor: Sequence[str],
    root: Path,
    runs: int,
) -> None:
    """Run both in turn and print medians and the median ratio."""
    pairs = [(measure(ours, root), measure(floor, root)) for _ in range(runs)]
    mine, base = zip(*pairs, strict=True)
    extra = statistics.median(a.seconds - b.seconds for a, b in pairs)
    ratio = statistics.median(a.seconds / b.seconds for a, b in pairs)
    print(
        f"{title}: {median(mine, lambda c: c.seconds):.2f} s, "
        f"{median(mine, lambda c: c.mebibytes):.0f} MiB; "
        f"floor {median(base, lambda c: c.seconds):.2f} s, "
        f"{median(base, lambda c: c.mebibytes):.0f} MiB; "
        f"ratio {ratio:.2f}, extra {extra * 1000:.0f} ms ({runs} pairs)"
    )


def median(costs: Sequence[Cost], figure: Callable[[Cost], float]) -> float:
    """Return the median of one figure."""
    return statistics.median(map(figure, costs))


def measure(command: Sequence[str], folder: Path) -> Cost:
    """Run a command; fails loudly if it does."""
    began = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
    ) as process:
        output = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    assert process.returncode == 0, output.decode(errors="replace")
    return Cost(seconds, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    main()

"""This checkout's plugin: one case over a table of rows, everything as it comes."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

from benchmarks.peers.environments import python_versions
from benchmarks.peers.peer import Command
from benchmarks.peers.work import Counted, Phase, Work

from .floors import count_printed

_CASES = """\
cases:
  - id: item-{number}
    each: items.csv
    mark: knowledge
    prompt: "{prompt}"
    facts:
      - contains: "{code}"
"""
_VARIANTS = """\
default: mock
variants:
  mock: {model: openai/mock, api_base: "${MOCK_URL}"}
"""


class Ours:
    """The adapter."""

    name = "pytest-llm-diagnosis"
    most_in_flight = None
    phases: frozenset[Phase] = frozenset(
        {"fresh", "fill", "stored", "record", "replay", "collect"}
    )

    def install(self) -> str:
        """Take this environment's."""
        packages = [self.name, "pytest", "litellm", "aiohttp"]
        return python_versions(sys.executable, packages)

    def write(self, work: Work) -> None:
        """Write cases, rows and the variant."""
        files = {
            "pytest.ini": "[pytest]\n",
            "items.eval.yaml": _CASES,
            "llm_variants.yaml": _VARIANTS,
        }
        for name, text in files.items():
            (work.folder / name).write_text(text, encoding="utf-8")
        with (work.folder / "items.csv").open(
            "w", encoding="utf-8", newline=""
        ) as file:
            writer = csv.DictWriter(file, ["number", "prompt", "code"])
            writer.writeheader()
            writer.writerows(work.records())

    def command(self, work: Work, phase: Phase) -> Command:
        """Return pytest's command."""
        wanted = ["-q", f"--llm-concurrency={work.in_flight}"]
        if phase == "collect":
            wanted = ["-q", "--co"]
        else:
            wanted.append(f"--llm-report={_report(phase)}")
        if phase == "record":
            wanted.append("--llm-record")
        if phase == "replay":
            wanted.append("--llm-answers=replay")
        return Command(
            arguments=[sys.executable, "-m", "pytest", *wanted],
            environment={"MOCK_URL": work.url},
            good=frozenset({0, 1}),
        )

    def count(self, work: Work, phase: Phase) -> Counted:
        """Read the JSON report, or what was listed."""
        if phase == "collect":
            return count_printed(work.output(phase))
        return count_report(work.folder / _report(phase))


def _report(phase: Phase) -> str:
    return f"report-{phase}.json"


def count_report(path: Path) -> Counted:
    """Count our JSON report: an error or a skip had no answer; nothing without one."""
    if not path.is_file():
        return Counted(0, 0)
    cases = json.loads(path.read_text(encoding="utf-8"))["cases"]
    outcomes = [case["outcome"] for case in cases]
    passed = outcomes.count("passed")
    return Counted(passed + outcomes.count("failed"), passed)

"""promptfoo: one prompt, an OpenAI-compatible provider, tests from a CSV file."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from benchmarks.peers.environments import node_package, node_versions
from benchmarks.peers.peer import Command
from benchmarks.peers.work import KEY, Counted, Phase, Work

_SOME_FAILED = 100
"""Its exit status when a test did not pass."""

_ERROR = 2
"""Its `failureReason` for a test without an answer; 1 is a failed assertion."""


class Promptfoo:
    """The adapter; its `collect` is `promptfoo validate`."""

    name = "promptfoo"
    most_in_flight = None
    phases: frozenset[Phase] = frozenset({"fresh", "fill", "stored", "collect"})

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def install(self) -> str:
        """Install it from npm."""
        return node_versions(node_package(self._folder, "promptfoo"))

    def write(self, work: Work) -> None:
        """Write the configuration, which is YAML and so may be JSON, and the tests."""
        provider = {
            "id": "openai:chat:mock",
            "config": {"apiBaseUrl": work.url, "apiKey": KEY},
        }
        config = {
            "prompts": ["{{prompt}}"],
            "providers": [provider],
            "tests": "file://tests.csv",
        }
        path = work.folder / "promptfooconfig.yaml"
        path.write_text(json.dumps(config), encoding="utf-8")
        with (work.folder / "tests.csv").open(
            "w", encoding="utf-8", newline=""
        ) as file:
            writer = csv.writer(file)
            writer.writerow(["prompt", "__expected"])
            writer.writerows((row.prompt, f"contains: {row.code}") for row in work.rows)

    def command(self, work: Work, phase: Phase) -> Command:
        """Return `promptfoo eval`, whose cache is on unless it is told otherwise.

        `PROMPTFOO_RETRY_5XX`, off by default, is left so: retries are as they come.
        """
        if phase == "collect":
            wanted = ["validate", "-c", "promptfooconfig.yaml"]
        else:
            wanted = ["eval", "-c", "promptfooconfig.yaml", "-o", _results(phase)]
            wanted += ["--max-concurrency", str(work.in_flight)]
            wanted += ["--no-cache"] if phase == "fresh" else []
        program = self._folder / "node_modules" / ".bin" / "promptfoo"
        return Command(
            arguments=[program, *wanted],
            environment={
                # It would call home over a network that a benchmark must not wait
                # for.
                "PROMPTFOO_DISABLE_TELEMETRY": "1",
                "PROMPTFOO_DISABLE_UPDATE": "1",
                "PROMPTFOO_CONFIG_DIR": str(work.folder / "promptfoo"),
            },
            good=frozenset({0, _SOME_FAILED}),
        )

    def count(self, work: Work, phase: Phase) -> Counted | None:
        """Read its JSON output; its `validate` says no number."""
        if phase == "collect":
            return None
        return count_promptfoo(work.folder / _results(phase))


def _results(phase: Phase) -> str:
    return f"results-{phase}.json"


def count_promptfoo(path: Path) -> Counted:
    """Count a promptfoo JSON output; nothing when there is none."""
    if not path.is_file():
        return Counted(0, 0)
    results = json.loads(path.read_text(encoding="utf-8"))["results"]["results"]
    answered = sum(one["failureReason"] != _ERROR for one in results)
    return Counted(answered, sum(one["success"] for one in results))

"""inspect-ai: a task of `generate()` and `includes()` for `inspect eval`."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.peers.environments import python_versions, python_with, run_quietly
from benchmarks.peers.peer import Command
from benchmarks.peers.work import KEY, Counted, Phase, Work

from .scripts import write_rows

_TASK = """\
from inspect_ai import Task, task
from inspect_ai.dataset import FieldSpec, json_dataset
from inspect_ai.scorer import includes
from inspect_ai.solver import generate

@task
def items(cache: bool = False):
    fields = FieldSpec(input="prompt", target="code", id="number")
    return Task(
        dataset=json_dataset("rows.json", fields),
        solver=generate(cache=cache),
        scorer=includes(),
    )
"""
_READ = """\
import json, sys
from inspect_ai.log import read_eval_log_sample_summaries
print(json.dumps([
    {name: score.value for name, score in (one.scores or {}).items()}
    for one in read_eval_log_sample_summaries(sys.argv[1])
]))
"""
_CORRECT = "C"
"""What `includes` scores when the target is in the answer."""


class InspectAi:
    """The adapter."""

    name = "inspect-ai"
    most_in_flight = None
    phases: frozenset[Phase] = frozenset({"fresh", "fill", "stored"})

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def install(self) -> str:
        """Install it with the client that its provider needs."""
        packages = ["inspect-ai", "openai"]
        return python_versions(python_with(self._folder, packages), packages)

    def write(self, work: Work) -> None:
        """Write the data set and the task."""
        write_rows(work)
        (work.folder / "items.py").write_text(_TASK, encoding="utf-8")

    def command(self, work: Work, phase: Phase) -> Command:
        """Return `inspect eval`; retries, log format and samples as they come."""
        wanted = ["eval", "items.py", "--log-dir", _logs(phase)]
        # Its documented way to an OpenAI-compatible service that it does not know.
        wanted += ["--model", "openai-api/mock/mock"]
        # Given, it takes the place of the adaptive limit, which starts at 20.
        wanted += ["--max-connections", str(work.in_flight)]
        # The default is a full screen of a terminal.
        wanted += ["--display", "plain"]
        wanted += [] if phase == "fresh" else ["-T", "cache=true"]
        return Command(
            arguments=[self._folder / "bin" / "inspect", *wanted],
            environment={"MOCK_BASE_URL": work.url, "MOCK_API_KEY": KEY},
        )

    def count(self, work: Work, phase: Phase) -> Counted:
        """Read the log, which is packed as only its own library can unpack it."""
        logs = sorted((work.folder / _logs(phase)).glob("*.eval"))
        if not logs:
            return Counted(0, 0)
        python = self._folder / "bin" / "python"
        return count_summaries(run_quietly(python, "-c", _READ, logs[-1]))


def _logs(phase: Phase) -> str:
    return f"logs-{phase}"


def count_summaries(text: str) -> Counted:
    """Count the scores of each sample, as JSON objects of scorer and value."""
    scored = [scores for scores in json.loads(text) if scores]
    right = sum(scores["includes"] == _CORRECT for scores in scored)
    return Counted(len(scored), right)

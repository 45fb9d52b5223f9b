"""lm-eval: a `generate_until` task of one's own over `local-chat-completions`."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.peers.environments import python_versions, python_with
from benchmarks.peers.peer import Command
from benchmarks.peers.work import Counted, Phase, Work

_TASK = """\
task: items
dataset_path: json
dataset_kwargs:
  data_files:
    test: {rows}
test_split: test
output_type: generate_until
doc_to_text: "{{{{prompt}}}}"
doc_to_target: "{{{{code}}}}"
process_results: !function contains.score
generation_kwargs:
  until: []
metric_list:
  - metric: contains
    aggregation: mean
    higher_is_better: true
"""
_METRIC = """\
def score(doc, results):
    return {"contains": float(doc["code"] in results[0])}
"""


class LmEval:
    """The adapter."""

    name = "lm-eval"
    most_in_flight = None
    phases: frozenset[Phase] = frozenset({"fresh", "fill", "stored"})

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def install(self) -> str:
        """Install it with what its API models need."""
        python = python_with(self._folder, ["lm-eval[api]"])
        return python_versions(python, ["lm-eval", "aiohttp"])

    def write(self, work: Work) -> None:
        """Write the data, the task and its metric."""
        tasks = work.folder / "tasks"
        tasks.mkdir()
        rows = work.folder / "rows.jsonl"
        lines = [json.dumps(one) + "\n" for one in work.records()]
        rows.write_text("".join(lines), encoding="utf-8")
        task = _TASK.format(rows=json.dumps(str(rows)))
        (tasks / "items.yaml").write_text(task, encoding="utf-8")
        (tasks / "contains.py").write_text(_METRIC, encoding="utf-8")

    def command(self, work: Work, phase: Phase) -> Command:
        """Return `lm_eval run`; its three attempts a call as they come."""
        model = {
            "model": "mock",
            "base_url": f"{work.url}/chat/completions",
            # Its way to have calls in flight side by side; by default one.
            "num_concurrent": work.in_flight,
        }
        told = ",".join(f"{name}={value}" for name, value in model.items())
        wanted = ["run", "--model", "local-chat-completions", "--model_args", told]
        wanted += ["--tasks", "items", "--include_path", "tasks"]
        # What it requires of chat models.
        wanted += ["--apply_chat_template"]
        # The only way to see which prompts were answered.
        wanted += ["--log_samples", "--output_path", _output(phase)]
        wanted += [] if phase == "fresh" else ["--use_cache", "cache/answers"]
        return Command(
            arguments=[self._folder / "bin" / "lm_eval", *wanted],
            # The data lie here: without these it would wait for a hub first.
            environment={"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"},
        )

    def count(self, work: Work, phase: Phase) -> Counted:
        """Read the samples."""
        return count_lm_eval(work.folder / _output(phase))


def _output(phase: Phase) -> str:
    return f"output-{phase}"


def count_lm_eval(folder: Path) -> Counted:
    """Count the newest samples file, a JSON object a line; nothing without one."""
    files = sorted(folder.glob("**/samples_items_*.jsonl"))
    if not files:
        return Counted(0, 0)
    lines = files[-1].read_text(encoding="utf-8").splitlines()
    samples = [json.loads(line) for line in lines]
    answered = sum(bool(one["filtered_resps"][0]) for one in samples)
    return Counted(answered, sum(one["contains"] == 1.0 for one in samples))

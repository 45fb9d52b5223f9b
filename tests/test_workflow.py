"""The job that `init` writes for GitHub Actions, its steps run as Actions would."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, cast

import pytest
import yaml

from model_server import ModelServer, Served
from pytest_llm_diagnosis.cli import main
from pytest_llm_diagnosis.records import JsonObject
from pytest_llm_diagnosis.starting import STARTER

Step: TypeAlias = Mapping[str, object]
FILE = ".github/workflows/evals.yml"
INSTALL = "pip install pytest-llm-diagnosis"
MAIN = "github.ref == 'refs/heads/main'"
KEY = "sk-of-a-scripted-provider"


def jobs() -> Mapping[str, JsonObject]:
    """Return the jobs of the workflow."""
    return cast("Mapping[str, JsonObject]", yaml.safe_load(STARTER[FILE])["jobs"])


def steps(job: str) -> list[Step]:
    """Return the steps of a job."""
    return cast("list[Step]", jobs()[job]["steps"])


@dataclass(kw_only=True)
class Runner:
    """A machine of GitHub's: a checkout, and what expressions stand for.

    `on_main` is a push to main; `environment` is what a test adds.
    """

    folder: Path
    key: str = ""
    shard: int = 1
    on_main: bool = False
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def summary(self) -> Path:
        """The file that Actions shows as the summary."""
        return self.folder.parent / f"{self.folder.name}-summary.md"

    def run(self, job: str) -> list[subprocess.CompletedProcess[str]]:
        """Run the job's steps in their order until one fails; return what came."""
        job_env = self._filled(cast("Step", jobs()[job].get("env", {})))
        done = []
        for step in steps(job):
            if "run" not in step or step["run"] == INSTALL or not self._wanted(step):
                continue
            env = {**job_env, **self._filled(cast("Step", step.get("env", {})))}
            done.append(self._shell(str(step["run"]), env))
            if done[-1].returncode:
                break
        return done

    def _wanted(self, step: Step) -> bool:
        return step.get("if") != MAIN or self.on_main

    def _filled(self, env: Step) -> dict[str, str]:
        """Return an `env:` with its expressions filled in."""
        known = {
            "matrix.shard": str(self.shard),
            "strategy.job-total": "2",
            "secrets.OPENAI_API_KEY": self.key,
        }
        return {
            name: re.sub(r"\$\{\{ (\S+) \}\}", lambda m: known[m[1]], str(value))
            for name, value in env.items()
        }

    def _shell(
        self, script: str, env: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        assert "${{" not in script, "an expression in a script can be an injection"
        return subprocess.run(  # noqa: S603 - our own workflow
            ["/bin/bash", "-e", "-c", script],
            cwd=self.folder,
            env={
                "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
                "HOME": str(self.folder.parent),
                "CI": "true",
                "GITHUB_ACTIONS": "true",
                "GITHUB_WORKSPACE": str(self.folder),
                "GITHUB_STEP_SUMMARY": str(self.summary),
                "PYTHONDONTWRITEBYTECODE": "1",
                **self.environment,
                **env,
            },
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


def sharded(checkout: Path, **how: object) -> Runner:
    """Run both shards on machines of their own; return that of the verdict."""
    verdict = checkout.parent / "verdict"
    verdict.mkdir()
    for shard in (1, 2):
        folder = checkout.parent / f"shard-{shard}"
        shutil.copytree(checkout, folder)
        runner = Runner(folder=folder, shard=shard, **how)  # type: ignore[arg-type]
        done = runner.run("evals")
        assert [one.returncode for one in done] == [0, 0], done
        assert KEY not in "".join(one.stdout + one.stderr for one in done)
        head, *_ = runner.summary.read_text("utf-8").splitlines()
        assert head == f"## LLM diagnosis of shard {shard}/2"
        shutil.copy(folder / f"report-{shard}.json", verdict)
    return Runner(folder=verdict, **how)  # type: ignore[arg-type]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a project in which `init` was run."""
    folder = tmp_path / "checkout"
    assert main(["init", str(folder)]) == 0
    # With two cases a shard may well be without one.
    lines = [f"  - {{id: m{number}, prompt: q{number}}}" for number in range(4)]
    head = "defaults: {mark: knowledge, facts: [contains: days]}\ncases:\n"
    (folder / "more.eval.yaml").write_text(head + "\n".join(lines), "utf-8")
    return folder


def provider(request: Served) -> str:
    """Answer as a model that knows nothing, and reads what it is shown."""
    return "45 days" if "within 45 days" in request.prompt else "30 days"


def test_no_secret_reaches_a_fork() -> None:
    """The job runs on pull_request, to which GitHub gives forks none; read only."""
    workflow = yaml.safe_load(STARTER[FILE])
    # YAML 1.1 reads `on` as true.
    assert set(workflow[True]) == {"push", "pull_request"}
    assert workflow["permissions"] == {"contents": "read"}
    assert STARTER[FILE].count("secrets.") == 1
    (holder,) = [one for one in steps("evals") if "secrets." in str(one)]
    assert "secrets." in str(holder["env"])
    assert next(one["run"] for one in steps("evals") if "run" in one) == INSTALL


def test_the_page_shows_the_job_that_init_writes() -> None:
    """Word for word."""
    page = Path(__file__).parent.parent / "docs" / "continuous_integration.md"
    assert f"```yaml\n{STARTER[FILE]}```\n" in page.read_text("utf-8")


def test_artifacts_are_found_again() -> None:
    """What the shards upload is what the verdict downloads and merges."""
    (upload,) = [one for one in steps("evals") if "upload" in str(one.get("uses"))]
    named = cast("Mapping[str, str]", upload["with"])
    assert named["path"] == "report-${{ matrix.shard }}.json"
    (download,) = [one for one in steps("verdict") if "download" in str(one)]
    pattern = cast("Mapping[str, str]", download["with"])["pattern"]
    assert named["name"].startswith(pattern.removesuffix("*"))


def test_a_fork_replays_and_the_whole_is_judged(checkout: Path) -> None:
    """Two shards without a key, merged, with a summary and annotations."""
    with ModelServer(provider) as server:
        recording = subprocess.run(  # noqa: S603 - this plugin
            [
                *(sys.executable, "-m", "pytest", "-q", "--llm-probe-max=2"),
                *("--llm-variant=model,rag", "--llm-record"),
            ],
            cwd=checkout,
            env={
                **os.environ,
                "OPENAI_API_KEY": KEY,
                "OPENAI_BASE_URL": server.url,
            },
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert recording.returncode == 1, recording.stdout
    verdict = sharded(checkout)
    (merged,) = verdict.run("verdict")
    assert merged.returncode == 0, merged.stdout + merged.stderr
    report: JsonObject = json.loads((verdict.folder / "report.json").read_text("ascii"))
    assert cast("JsonObject", report["run"])["calls"] == 0
    assert len(cast("list[object]", report["cases"])) == 12
    assert "gate passed" in merged.stdout
    for page in (verdict.summary, verdict.folder / "report.md"):
        assert "boots-window" in page.read_text("utf-8")


def test_main_asks_live_and_holds_its_baseline(checkout: Path) -> None:
    """With a key both shards call; the next run is compared with the report."""
    with ModelServer(provider) as server:
        environment = {"OPENAI_BASE_URL": server.url}
        verdict = sharded(checkout, key=KEY, on_main=True, environment=environment)
        assert server.served > 4
    merged, kept = verdict.run("verdict")
    assert (merged.returncode, kept.returncode) == (0, 0), merged.stdout
    baseline = verdict.folder / "baseline.json"
    assert baseline.read_text("ascii") == (verdict.folder / "report.json").read_text()
    again, _ = verdict.run("verdict")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "no-regression" in again.stdout


def test_a_gate_that_does_not_hold_fails_the_job(checkout: Path) -> None:
    """Nothing was answered: a replay of what was never recorded in full."""
    (checkout / "recordings").mkdir(exist_ok=True)
    (checkout / "recordings" / "model.jsonl").write_text("", "utf-8")
    verdict = sharded(checkout, on_main=True)
    (merged,) = verdict.run("verdict")
    assert merged.returncode == 1, merged.stdout
    assert not (verdict.folder / "baseline.json").exists()


def test_without_key_and_recording_the_default_answers(checkout: Path) -> None:
    """A project that has just begun has a green job, though a shard is empty."""
    (checkout / "more.eval.yaml").unlink()
    cases = 0
    for shard in (1, 2):
        runner = Runner(folder=checkout, shard=shard)
        assert [one.returncode for one in runner.run("evals")] == [0, 0]
        report = json.loads((checkout / f"report-{shard}.json").read_text("ascii"))
        assert report["run"]["selection"] in ("scripted", "")
        cases += len(report["cases"])
    assert cases == 2


def test_a_broken_eval_file_ends_the_job_at_once(checkout: Path) -> None:
    """Before anything is asked."""
    (checkout / "broken.eval.yaml").write_text("cases: [{id: a}]\n", "utf-8")
    (done,) = Runner(folder=checkout).run("evals")
    assert done.returncode == 1
    assert "broken.eval.yaml:1: " in done.stdout

"""The suite through the plugin: once as a user runs it, and once for every cause."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from pytest_llm_diagnosis.records import CaseResult, JsonObject

from .scoring import Scored, counted_marks, scored
from .teaching import MODELS

SHARDS = 12
"""So few cases a shard that no verdict settles before all of them are explained."""
_TIMEOUT = 7200


class Ran(NamedTuple):
    """One seed: what was found of each model, and what counting marks would say."""

    models: tuple[Scored, ...]
    marks: Mapping[str, str]
    calls: int
    probe_calls: int


def run_suite(folder: Path, urls: Mapping[str, str], seed: int) -> Ran:
    """Run the suite in a folder over the four served models.

    The verdicts are those of one run, which stops asking once they are settled;
    the causes come from shards of it, so that every failing case has one.
    """
    whole = _run(folder, urls, seed, "whole.json")
    verdicts = {
        str(variant["name"]): cast("JsonObject", variant["verdict"])
        for variant in cast("Sequence[JsonObject]", whole["variants"])
    }
    results: list[CaseResult] = []
    calls = [_calls(whole)]
    for shard in range(1, SHARDS + 1):
        name = f"shard-{shard}.json"
        part = _run(folder, urls, seed, name, f"--llm-shard={shard}/{SHARDS}")
        calls.append(_calls(part))
        results += map(CaseResult.from_dict, _cases(part))
    of_model = {
        model: [one for one in results if one.variant == model] for model in MODELS
    }
    return Ran(
        models=tuple(
            scored(model, of_model[model], verdicts[model]) for model in MODELS
        ),
        marks={model: counted_marks(of_model[model]) for model in MODELS},
        calls=sum(first for first, _ in calls),
        probe_calls=sum(probes for _, probes in calls),
    )


def _run(
    folder: Path, urls: Mapping[str, str], seed: int, name: str, *options: str
) -> JsonObject:
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-rN"]
    command += [
        "-p",
        "no:xdist",
        "--llm-variant=all",
        "--llm-probe-variants=all",
        "--llm-probe-max=48",
    ]
    command += [f"--llm-seed={seed}", f"--llm-report={name}", *options]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **urls},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    (folder / name).with_suffix(".txt").write_text(done.stdout, encoding="utf-8")
    report = folder / name
    if done.returncode == _NO_TESTS:
        return {"cases": [], "variants": [], "run": {}}
    assert report.exists(), done.stdout + done.stderr
    return cast("JsonObject", json.loads(report.read_text(encoding="utf-8")))


_NO_TESTS = 5
"""pytest's status of a shard without a case."""


def _cases(report: JsonObject) -> Sequence[JsonObject]:
    return cast("Sequence[JsonObject]", report["cases"])


def _calls(report: JsonObject) -> tuple[int, int]:
    run = cast("Mapping[str, int]", report["run"])
    return run.get("calls", 0), run.get("probe_calls", 0)

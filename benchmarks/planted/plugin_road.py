"""The same planted faults through pytest: files in, `report.json` out.

The model behind the `call:` variant tells the arm from the request alone, as a
real one would; see `planted_model`.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from pytest_llm_diagnosis.diagnosis import SuiteVerdict
from pytest_llm_diagnosis.records import Ask, CaseResult, JsonObject

from .cause_scores import score_causes
from .suite_files import write_suite
from .suites import Ran
from .verdict_scores import Judged, score_verdicts, true_of, truth_of
from .world import PlantedCase, draw_suite, draw_world

ROOT = Path(__file__).parents[2]
TIMEOUT = 600
MODES = ("quick", "standard")


@dataclass
class _Gathered:
    ran: list[Ran] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    seconds: float = 0.0


def plugin_table(seed: int, suites: int, cases: int) -> None:
    """Print how well the plugin finds causes and verdicts, quick and standard."""
    print(f"\nthrough pytest: {suites} suites of {cases} cases")
    print(
        f"  {'':<10}{'probed':>7}{'7 causes':>10}{'K or B':>8}{'calls':>7}"
        f"{'settled':>9}{'of world':>10}{'of suite':>10}{'s a suite':>11}"
    )
    for mode in MODES:
        found = _gather(mode, seed, suites, cases)
        causes, verdicts = score_causes(found.ran), score_verdicts(found.judged)
        print(
            f"  {mode:<10}{causes.failures:>7}{causes.accuracy:>10.3f}"
            f"{causes.side_accuracy:>8.3f}{causes.calls:>7.1f}{verdicts.settled:>9.2f}"
            f"{verdicts.accuracy:>10.2f}{verdicts.of_suite:>10.2f}"
            f"{found.seconds / suites:>11.1f}"
        )


def _gather(mode: str, seed: int, suites: int, cases: int) -> _Gathered:
    gathered = _Gathered()
    for index in range(suites):
        rng = random.Random(seed + index)  # noqa: S311 - a simulation, not a secret
        world = draw_world(rng, cases=cases)
        drawn = draw_suite(world, rng)
        started = time.perf_counter()
        report = _run(drawn, seed + index, mode)
        gathered.seconds += time.perf_counter() - started
        gathered.ran += _matched(drawn, report)
        truth, own = true_of(world, rng), truth_of(drawn, rng)
        gathered.judged.append(Judged(_verdict(report), truth, own))
    return gathered


def _run(cases: Sequence[PlantedCase], seed: int, mode: str) -> JsonObject:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_suite(folder, cases, seed)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist"]
        command += ["--llm-probe", mode, "--llm-probe-max", str(len(cases))]
        command += ["--llm-seed", str(seed), "--llm-report", "report.json"]
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        report = folder / "report.json"
        assert report.exists(), done.stdout + done.stderr
        return cast("JsonObject", json.loads(report.read_text(encoding="utf-8")))


def _matched(cases: Sequence[PlantedCase], report: JsonObject) -> Iterator[Ran]:
    by_name = {case.name: case for case in cases}
    for data in cast("Sequence[JsonObject]", report["cases"]):
        result = CaseResult.from_dict(data)
        if result.finding is not None:
            case = by_name[result.id]
            yield Ran(case=case, first=Ask(), finding=result.finding)


def _verdict(report: JsonObject) -> SuiteVerdict:
    (variant,) = cast("Sequence[JsonObject]", report["variants"])
    return SuiteVerdict.from_dict(cast("JsonObject", variant["verdict"]))

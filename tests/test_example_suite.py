"""The example suite, replayed from its committed recordings: no model, no network."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import cast

import pytest

from pytest_llm_diagnosis.records import JsonObject

SUITE = Path(__file__).parent.parent / "example_suite"
VARIANTS = (
    *("base", "instructed", "few_shot", "long_context", "rag"),
    *("tuned", "tuned_rag"),
)


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> JsonObject:
    """Return the report of the demo, replayed; its gate finds the run sound."""
    path = tmp_path_factory.mktemp("replay") / "report.json"
    command = [
        *(sys.executable, str(SUITE / "demo.py"), "-q"),
        *("-p", "no:cacheprovider", "--llm-answers=replay"),
        f"--llm-report={path}",
    ]
    run = subprocess.run(  # noqa: S603 - this checkout's own suite
        command, cwd=SUITE, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == pytest.ExitCode.OK, run.stdout + run.stderr
    report: JsonObject = json.loads(path.read_text(encoding="ascii"))
    return report


def test_every_answer_is_recorded(replayed: JsonObject) -> None:
    """66 cases and tests under seven variants, none an error, no call made."""
    cases = cast("list[JsonObject]", replayed["cases"])
    assert len(cases) == 66 * len(VARIANTS)
    outcomes = Counter(str(case["outcome"]) for case in cases)
    assert set(outcomes) == {"passed", "failed"}
    assert cast("JsonObject", replayed["run"])["calls"] == 0


def test_each_variant_shows_what_it_changes(replayed: JsonObject) -> None:
    """What a variant gives mends its own side: passages facts, examples form."""
    flips = {
        (str(flip["to"]), str(flip["mark"])): cast("int", flip["fixed"])
        for flip in cast("list[JsonObject]", replayed["flips"])
    }
    assert flips["rag", "knowledge"] > flips["instructed", "knowledge"]
    assert flips["few_shot", "behavior"] > flips["rag", "behavior"]


def test_the_recorded_probes_diagnose_base(replayed: JsonObject) -> None:
    """Failures of `base` have causes on both sides, with the asks that say so."""
    base = cast("list[JsonObject]", replayed["variants"])[0]
    assert base["name"] == "base"
    causes = cast("JsonObject", base["causes"])
    assert "knowledge" in causes
    assert {"instruction", "examples", "behavior"} & set(causes)
    probed = [
        case
        for case in cast("list[JsonObject]", replayed["cases"])
        if case["cause"] is not None
    ]
    assert probed
    assert all(case["arms"] for case in probed)

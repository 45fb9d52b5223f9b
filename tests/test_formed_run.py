"""Facts that are forms, through a run: the free form is not asked for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from diagnosed import suite as results_of
from pytest_llm_diagnosis.diagnosis import diagnose
from pytest_llm_diagnosis.records import JsonObject, RunFacts
from pytest_llm_diagnosis.report.terminal import summary_lines
from pytest_llm_diagnosis.report.view import View

if TYPE_CHECKING:
    from conftest import EvalSuite

CASE = """\
cases:
  - id: torn
    mark: behavior
    prompt: "Log this: my boots arrived torn and I leave tomorrow."
    instruction: Answer with one JSON object and nothing else.
    evidence: [{text: Torn goods are urgent.}]
    facts: [{json_value: {path: $.urgent, equals: true}}]
    ideal: '{"urgent": true}'
"""
TOLD = """  - {contains: one JSON object, text: '{"urgent": true}'}
"""
ANSWERS = """\
rules:
  - {contains: Torn goods are urgent, text: '{"urgent": true}'}
  - {text: "Sorry to hear that, I have made a note of your torn boots."}
"""


@pytest.mark.parametrize(
    ("answers", "cause", "untested"),
    [
        (ANSWERS.replace("rules:\n", f"rules:\n{TOLD}"), "instruction", []),
        (ANSWERS, "unexplained", ["F", "X"]),
    ],
)
def test_prose_that_cannot_pass_proves_no_ignorance(
    suite: EvalSuite, answers: str, cause: str, untested: list[str]
) -> None:
    """That the passage helps is not enough where the instruction does, too."""
    suite.write_file("a.eval.yaml", CASE)
    suite.write_file("answers.yaml", answers)
    report = suite.report("--llm-probe=standard")
    (case,) = cast("list[JsonObject]", report["cases"])
    assert (case["cause"], case["untested"]) == (cause, untested)
    assert "F" not in cast("JsonObject", case["arms"])


def test_calls_that_the_diagnosis_does_not_use_are_told_apart() -> None:
    """More cases are asked at a time than it takes to settle a verdict."""
    results = tuple(results_of(10, knowledge=9))
    diagnosis = diagnose(results, seed=7)

    def told(**run: int) -> str:
        facts = RunFacts(seed=7, started="", calls=99, **run)  # type: ignore[arg-type]
        lines = summary_lines(View(run=facts, results=results, diagnosis=diagnosis))
        return " ".join(" ".join(line.text for line in lines).split())

    assert "(18 extra calls)" in told(probe_calls=30)
    assert "30 of the calls were probes (a diagnosis uses 18)" in told(probe_calls=30)
    assert "18 of the calls were probes; " in told(probe_calls=18)
    assert "30 of the calls were probes; " in told(probe_calls=30, stored=5).replace(
        ", 5 stored answers", ""
    )

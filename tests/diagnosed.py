"""Builders of case results for the tests of diagnosis and wording."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_llm_diagnosis.records import (
    Answer,
    Ask,
    CaseResult,
    Cause,
    Finding,
    Grade,
    Mark,
    Outcome,
    Rung,
    Trial,
    Verdict,
)

PASSED = Verdict(check="a", passed=True)
FAILED = Verdict(check="a", passed=False, code="a:missing")


def grade(facts: str = "+", form: str = "+", limits: str = "") -> Grade:
    """Return a grade: `+` passed, `-` failed, nothing where there is no check."""
    verdicts = {"+": (PASSED,), "-": (FAILED,), "": ()}
    return Grade(facts=verdicts[facts], form=verdicts[form], limits=verdicts[limits])


def result(  # noqa: PLR0913 - every field a test may want to set
    name: str = "a",
    outcome: Outcome = "passed",
    *,
    mark: Mark = "knowledge",
    variant: str = "base",
    cause: Cause | None = None,
    rung: Rung | None = None,
    grades: Grade | None = None,
    cluster: str | None = None,
    asks: str = "facts form",
    finding: Finding | None = None,
    stored: bool = False,
    line: int = 1,
) -> CaseResult:
    """Return a result; a failing one fails its mark's dimension by default."""
    by_mark = grade("-", "+") if mark == "knowledge" else grade("+", "-")
    shown = grades or (by_mark if outcome == "failed" else grade())
    if cause is not None:
        finding = Finding(cause=cause, rung=rung, arms={"R": (Ask(facts=False),) * 2})
    return CaseResult(
        nodeid=f"x.eval.yaml::{name}[{variant}]",
        file="x.eval.yaml",
        line=line,
        id=name,
        mark=mark,
        variant=variant,
        outcome=outcome,
        trials=(Trial(answer=Answer(text="t", stored=stored), grade=shown),),
        cluster=name if cluster is None else cluster,
        asks_facts="facts" in asks,
        asks_form="form" in asks,
        finding=finding,
    )


SIDES: dict[str, Mark] = {
    "knowledge": "knowledge",
    "both": "knowledge",
    "unexplained": "knowledge",
    "check_suspect": "knowledge",
}


def suite(passing: int = 0, **causes: int) -> list[CaseResult]:
    """Return `passing` cases and so many failing ones of each cause.

    Knowledge cases ask for facts and behavior cases for form, so that each side
    is exposed by its own; passing cases ask for both.
    """
    return [
        *(result(f"pass-{n}") for n in range(passing)),
        *_failing(causes),
    ]


def _failing(causes: dict[str, int]) -> Iterator[CaseResult]:
    line = 1
    for cause, count in causes.items():
        mark = SIDES.get(cause, "behavior")
        for n in range(count):
            line += 10
            yield result(
                f"{cause}-{n}",
                "failed",
                mark=mark,
                cause=cause,  # type: ignore[arg-type]
                asks="facts" if mark == "knowledge" else "form",
                line=line,
            )

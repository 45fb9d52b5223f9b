"""How often gold passages were retrieved: counted, kept, and told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from diagnosed import grade, result
from pytest_llm_diagnosis.diagnosis import Diagnosis, Recall, diagnose
from pytest_llm_diagnosis.records import CaseResult, Finding, Retrieved, Trial
from pytest_llm_diagnosis.report.tables import recall_lines
from pytest_llm_diagnosis.stats import wilson


def case(number: int, rank: int | None, *, k: int = 2, note: str = "") -> CaseResult:
    """Return a case that was shown its gold passage at a rank; a note fails it."""
    shown = Retrieved(k=k, rank=rank, found=int(rank is not None))
    passed = replace(result(f"case-{number}"), retrieved=shown)
    if not note:
        return passed
    finding = Finding(cause="knowledge", note=note)
    failed = result(f"case-{number}", "failed", finding=finding)
    return replace(failed, retrieved=shown, trials=(Trial(grade=grade("-")),))


RESULTS = [
    case(1, 1),
    case(2, 1, note="distracted"),
    case(3, 2, note="distracted; deterministic replay: instability not testable"),
    case(4, None, note="retrieval miss"),
    case(5, 2),
    case(6, 1, note="not used; could be knowledge"),
    replace(result("no-evidence"), retrieved=None),
]


def told(results: list[CaseResult]) -> list[str]:
    """Return the lines of a summary."""
    return [line.text for line in recall_lines(diagnose(results, seed=7))]


def test_the_counts() -> None:
    """Cases, ranks, recall, and what became of the passage in those that failed."""
    (variant,) = diagnose(RESULTS, seed=7).variants
    assert variant.recall == Recall(
        cases=6,
        k=2,
        retrieved=5,
        interval=wilson(5, 6),
        first=3,
        found=5,
        gold=6,
        missed=1,
        distracted=2,
        unused=1,
    )
    assert variant.recall.to_dict()["recall"] == pytest.approx(5 / 6)


def test_nothing_is_said_of_variants_that_do_not_retrieve() -> None:
    """Neither a line nor a number."""
    results = [result("a"), result("b", "failed")]
    (variant,) = diagnose(results, seed=7).variants
    assert variant.recall is None
    assert told(results) == []


def test_cases_without_a_result_do_not_count() -> None:
    """Errors and skips were not graded."""
    broken = replace(case(9, None), outcome="error")
    assert told([case(1, 1), broken]) == told([case(1, 1)])


def test_what_a_report_keeps() -> None:
    """A saved diagnosis comes back; one from before has no recall."""
    found = diagnose(RESULTS, seed=7)
    saved = json.loads(json.dumps(found.to_dict()))
    assert Diagnosis.from_dict(saved) == found
    del saved["variants"][0]["recall"]
    assert Diagnosis.from_dict(saved).variants[0].recall is None
    assert CaseResult.from_dict(RESULTS[0].to_dict()) == RESULTS[0]


def test_the_line_of_a_summary() -> None:
    """With an interval from five cases on."""
    blank, line = told(RESULTS)
    counts = "5 of 6 cases (95% 44-97%), at rank 1 in 3"
    assert line == f"base: the gold passage was among the 2 retrieved in {counts}"
    assert not blank


@pytest.mark.parametrize(
    ("results", "line"),
    [
        ([case(1, 1, k=1)], "was the one retrieved in 1 of 1 case"),
        (
            [case(1, 1, k=1), case(2, 3, k=4)],
            "was among those retrieved in 2 of 2 cases, at rank 1 in 1",
        ),
    ],
)
def test_few_cases_and_other_sizes(results: list[CaseResult], line: str) -> None:
    """Counts only; an application may retrieve more here than there."""
    assert told(results) == ["", f"base: the gold passage {line}"]

"""`llm-diagnosis explain`: the whole story of one case."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import pytest

from conftest import EvalSuite
from diagnosed import grade, result
from pytest_llm_diagnosis.cli import main
from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.records import (
    Answer,
    Ask,
    Finding,
    Retrieved,
    Trial,
    Verdict,
)
from pytest_llm_diagnosis.report.explaining import explained

FINDING = Finding(
    cause="knowledge",
    probability=0.93,
    arms={
        "R": (Ask(facts=False, form=True), Ask(facts=False, form=False)),
        "F": (Ask(facts=False), Ask(error=True)),
        "E": (Ask(facts=True, form=True),) * 2,
    },
    untested=("X",),
    note="deterministic replay: instability not testable",
)
MISSING = Verdict(
    check="number", passed=False, code="number:missing", reason="expected 45 days"
)
WRONG = Trial(
    answer=Answer(text="30 days\x1b[0m"),
    grade=replace(grade("-", "+"), facts=(MISSING,)),
)
RESULTS = [
    replace(
        result("window", "failed", finding=FINDING, line=12, mark="behavior"),
        trials=(WRONG, replace(WRONG, grade=grade())),
        costume=True,
        critical=True,
        pass_at=2,
    ),
    result("window", line=12, variant="rag"),
    replace(result("window", "failed", line=12, variant="tuned"), trials=(WRONG,)),
    result("other", line=30),
    replace(
        result("other", line=3),
        file="b/x.eval.yaml",
        nodeid="b/x.eval.yaml::other[base]",
    ),
]


def test_a_whole_story() -> None:
    """Trials, verdicts, cause, every ask of every arm, the other variants."""
    shown = "\n".join(line.text for line in explained(RESULTS, "window"))
    assert shown == dedent(
        """\
        x.eval.yaml:12 window (behavior), asked of base: failed
        critical: losing it fails no-regression
        1 of 2 trials passed, 2 needed
        trial 1 of 2: failed
        answer:
          30 days\\x1b[0m
        facts: number failed [number:missing] expected 45 days
        passed: a
        trial 2 of 2: passed
        answer:
          30 days\\x1b[0m
        passed: a
        cause: knowledge, P=0.93: wrong in 2 of 2 asked again unchanged, wrong in 1 of 1
          in free form, right in 2 of 2 with the passage (X not tested) [deterministic
          replay: instability not testable]
        costume: its mark or its failing check says one side, the cause the other
          R  asked again unchanged: facts wrong, form right; facts wrong, form wrong
          F  in free form: facts wrong; no answer
          E  with the passage: facts right, form right; facts right, form right
          X  with examples: could not be asked
        other variants:
          rag: passed
          tuned: failed number:missing: expected 45 days"""
    )


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("window", "x.eval.yaml:12 window (behavior), asked of base: failed"),
        ("window[rag]", "x.eval.yaml:12 window (knowledge), asked of rag: passed"),
        (
            "x.eval.yaml::window[tuned]",
            "x.eval.yaml:12 window (knowledge), asked of tuned",
        ),
        ("x.eval.yaml::window", "x.eval.yaml:12 window (behavior), asked of base"),
        ("b/x.eval.yaml::other", "b/x.eval.yaml:3 other (knowledge), asked of base"),
    ],
)
def test_names_of_a_case(name: str, head: str) -> None:
    """An id, a node id, with and without the variant."""
    assert explained(RESULTS, name)[0].text.startswith(head)


def test_a_file_below_a_folder_needs_no_folder() -> None:
    """Where its name is the only one."""
    assert explained(RESULTS[4:], "x.eval.yaml::other[base]")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("windw", "did you mean 'window'?"),
        ("x.eval.yaml::windo[rag]", "did you mean 'x.eval.yaml::window[rag]'?"),
        ("zzz", "it has:\n  x.eval.yaml::window\n  x.eval.yaml::other\n  b/x"),
        (
            "other",
            "is the name of 2 cases:\n  x.eval.yaml::other\n  b/x.eval.yaml::other",
        ),
    ],
)
def test_a_wrong_name_is_told_with_the_nearest(name: str, told: str) -> None:
    """Or with the cases that there are."""
    with pytest.raises(DiagnosisError) as caught:
        explained(RESULTS, name)
    assert told in str(caught.value)


def test_the_story_of_a_run(
    suite: EvalSuite, capsys: pytest.CaptureFixture[str]
) -> None:
    """Read from a report, with the answer and what the passage changed."""
    suite.report("--llm-variant=base,rag")
    report = str(suite.path / "report.json")
    capsys.readouterr()
    assert main(["explain", "boots-window", report]) == 0
    shown = capsys.readouterr().out
    for told in ("You have 30 days.", "cause: knowledge", "  rag: passed"):
        assert told in shown
    assert main(["explain", "boots", report]) == 2
    assert "no case 'boots'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("retrieved", "line"),
    [
        (Retrieved(k=2, rank=1, found=1), "gold passage: at rank 1 of the 2 retrieved"),
        (
            Retrieved(k=1, rank=1, found=1),
            "gold passage: at rank 1 of what was retrieved",
        ),
        (Retrieved(k=4), "gold passage: not among the 4 retrieved"),
        (
            Retrieved(k=4, rank=3, found=1, gold=2),
            "gold passage: at rank 3 of the 4 retrieved, 1 of 2 of them",
        ),
    ],
)
def test_the_place_of_the_gold_passage_is_told(retrieved: Retrieved, line: str) -> None:
    """A case of a retrieving variant says whether it was shown what it needs."""
    case = replace(result("window", "failed", line=12), retrieved=retrieved)
    assert line in [each.text for each in explained([case], "window")]

"""The benchmark on a taught model: its construction and its scores, without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_llm_diagnosis.records import CaseResult, Cause, Finding, Mark, Outcome

if TYPE_CHECKING:
    from benchmarks.planted_real.company import Fact

    from pytest_llm_diagnosis.records import JsonObject

ROOT = Path(__file__).parents[1]
SEED = 5


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))


@pytest.fixture
def facts() -> tuple[Fact, ...]:
    """Return the invented facts of one seed."""
    from benchmarks.planted_real.company import draw_facts

    return draw_facts(SEED)


def result(name: str, mark: Mark, outcome: Outcome, cause: Cause | None) -> CaseResult:
    """Return a case's result with a cause, as a report holds it."""
    return CaseResult(
        nodeid=name,
        file="planted_real.eval.yaml",
        line=1,
        id=name,
        mark=mark,
        variant="form",
        outcome=outcome,
        finding=None if cause is None else Finding(cause=cause),
    )


def test_a_seed_draws_its_facts(facts: tuple[Fact, ...]) -> None:
    """The same seed gives the same 24 facts, another one others; none is ambiguous."""
    from benchmarks.planted_real.company import draw_facts

    assert draw_facts(SEED) == facts
    assert draw_facts(SEED + 1) != facts
    assert len({fact.name for fact in facts}) == 24
    assert len({fact.code for fact in facts}) == 24


def test_no_wording_is_both_taught_and_asked(facts: tuple[Fact, ...]) -> None:
    """Recall and suite ask in words that no lesson used."""
    from benchmarks.planted_real.company import fact_lessons, recall_questions
    from benchmarks.planted_real.suite_files import suite_cases
    from benchmarks.planted_real.teaching import TAUGHT, taught_lessons

    lessons = [line for model in TAUGHT for line in taught_lessons(model, facts)]
    taught = {lesson["prompt"] for lesson in lessons}
    recalled = {question["prompt"] for question in recall_questions(facts)}
    asked = {case["prompt"] for case in suite_cases(facts)}
    assert len(fact_lessons(facts, formed=True)) == 4 * 24
    assert not taught & recalled
    assert not asked & (taught | recalled)


def test_each_model_is_taught_what_its_name_says(facts: tuple[Fact, ...]) -> None:
    """Prose without form, form without facts, or facts in form."""
    from benchmarks.planted_real.teaching import taught_lessons

    codes = {fact.code for fact in facts}
    told = {
        model: [str(lesson["ideal"]) for lesson in taught_lessons(model, facts)]
        for model in ("facts", "form", "facts_and_form")
    }
    held = {
        model: {code for code in codes if any(code in ideal for ideal in ideals)}
        for model, ideals in told.items()
    }
    assert held == {"facts": codes, "form": set(), "facts_and_form": codes}
    assert not any(ideal.startswith("{") for ideal in told["facts"])
    for ideal in told["form"] + told["facts_and_form"]:
        assert list(json.loads(ideal)) == ["answer"]


def test_the_suite_collects(
    tmp_path: Path, facts: tuple[Fact, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """48 cases, half of each mark, that pass the plugin's self-test."""
    from benchmarks.planted_real.suite_files import url_name, write_suite
    from benchmarks.planted_real.teaching import MODELS

    write_suite(tmp_path, facts)
    for model in MODELS:
        monkeypatch.setenv(url_name(model), "http://127.0.0.1:9/v1")
    count = [sys.executable, "-m", "pytest", "-q", "--co", "-p", "no:cacheprovider"]
    for mark in ("knowledge", "behavior"):
        run = subprocess.run(  # noqa: S603 - our own suite
            [*count, "-m", mark],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert run.returncode == pytest.ExitCode.OK, run.stdout + run.stderr
        assert run.stdout.count("planted_real.eval.yaml::") == 24


@pytest.mark.parametrize(
    ("case", "reasons"),
    [
        ("fact-dunmore", ("knowledge", "passes", "knowledge", "passes")),
        ("formed-fact-dunmore", ("both", "behavior", "knowledge", "passes")),
        ("form-03", ("behavior", "behavior", "passes", "passes")),
        ("fact-in-form-dunmore", ("both", "behavior", "knowledge", "passes")),
    ],
)
def test_what_was_taught_says_why_a_case_fails(
    case: str, reasons: tuple[str, ...]
) -> None:
    """The truth of a case follows from its kind and the model alone."""
    from benchmarks.planted_real.scoring import truth
    from benchmarks.planted_real.teaching import MODELS

    assert tuple(truth(model, case) for model in MODELS) == reasons


def test_causes_are_scored_against_the_construction() -> None:
    """A right cause, a costume, two wrong ones, and one that was left open."""
    from benchmarks.planted_real.scoring import scored

    results = [
        result("fact-a", "knowledge", "failed", "knowledge"),
        result("fact-in-form-b", "behavior", "failed", "knowledge"),
        result("formed-fact-c", "knowledge", "failed", "examples"),
        result("form-01", "behavior", "failed", "instruction"),
        result("form-02", "behavior", "passed", None),
        result("fact-d", "knowledge", "failed", None),
        result("fact-e", "knowledge", "failed", "unexplained"),
    ]
    score = scored("form", results, {"kind": "knowledge", "settled": True})
    assert (score.failed, score.cases, score.explained) == (6, 7, 5)
    assert (score.right, score.open, score.by_marks) == (2, 1, 3)
    assert score.surprises == (
        ("formed-fact-c", "examples", "knowledge"),
        ("form-01", "instruction", "passes"),
        ("fact-e", "unexplained", "knowledge"),
    )


@pytest.mark.parametrize(
    ("knowledge", "behavior", "reads"),
    [
        (24, 12, "both"),
        (24, 11, "knowledge"),
        (11, 24, "behavior"),
        (3, 3, "few failures"),
        (0, 0, "few failures"),
    ],
)
def test_counting_marks_reads_the_failures(
    knowledge: int, behavior: int, reads: str
) -> None:
    """The rival's verdict: a side needs more than two thirds of the failed marks."""
    from benchmarks.planted_real.scoring import counted_marks

    results = [
        *(
            result(f"k{i}", "knowledge", _failed(i < knowledge), None)
            for i in range(24)
        ),
        *(result(f"b{i}", "behavior", _failed(i < behavior), None) for i in range(24)),
    ]
    assert counted_marks(results) == reads


def _failed(failed: bool) -> Outcome:  # noqa: FBT001 - reads well in a table
    return "failed" if failed else "passed"


def test_the_tables_name_what_is_read_otherwise() -> None:
    """Every model has a line in each table, and each surprise one of its own."""
    from benchmarks.planted_real.running import Ran
    from benchmarks.planted_real.scoring import scored
    from benchmarks.planted_real.tables import tables
    from benchmarks.planted_real.teaching import MODELS

    wrong = [result("fact-a", "knowledge", "failed", "behavior")]
    verdict: JsonObject = {
        "kind": "knowledge",
        "settled": False,
        "probability": 0.71,
    }
    models = tuple(scored(model, wrong, verdict) for model in MODELS)
    ran = Ran(models, dict.fromkeys(MODELS, "both"), calls=20, probe_calls=12)
    learned = {
        model: {"epochs": 5, "recall": [0.5, 0.75], "held": model != "facts"}
        for model in MODELS
    }
    lines = list(tables([1], [ran], [learned]))
    assert sum("NOT HELD" in line for line in lines) == 1
    assert sum("knowledge 0.71?" in line for line in lines) == len(MODELS)
    assert [line.split()[2:] for line in lines[-4:]] == [
        ["fact-a", "behavior", planted]
        for planted in ("knowledge", "passes", "knowledge", "passes")
    ]

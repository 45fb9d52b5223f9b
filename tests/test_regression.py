"""A run against its baseline: pairing, the rule, and its words."""

from __future__ import annotations

from dataclasses import replace
from math import comb
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnosed import grade, result, suite
from eval_files import UNTIMED
from pytest_llm_diagnosis.diagnosis import (
    Comparison,
    Earlier,
    VariantComparison,
    compare_variants,
    diagnose,
)
from pytest_llm_diagnosis.diagnosis.regression import LEVEL
from pytest_llm_diagnosis.records import Answer, CaseResult, Outcome, RunFacts, Trial
from pytest_llm_diagnosis.report.comparing import compared, comparison_lines
from pytest_llm_diagnosis.report.view import View
from pytest_llm_diagnosis.stats import mcnemar_midp_one_sided


def run(*outcomes: str, variant: str = "base") -> list[CaseResult]:
    """Return cases with these outcomes, each on a line of its own."""
    return [
        result(f"c{n}", cast("Outcome", outcome), variant=variant, line=n + 1)
        for n, outcome in enumerate(outcomes)
    ]


def view(results: list[CaseResult]) -> View:
    """Return the report of these results."""
    return View(
        run=RunFacts(seed=7, started="2026-01-02T03:04:05+00:00"),
        results=tuple(results),
        diagnosis=diagnose(results, seed=7),
    )


def against(
    before: list[CaseResult], after: list[CaseResult]
) -> tuple[VariantComparison, ...]:
    """Return the comparison of every variant."""
    return compare_variants(Earlier(before, diagnose(before, seed=7)), after)


def only(before: list[CaseResult], after: list[CaseResult]) -> VariantComparison:
    """Return the comparison of the one variant."""
    (one,) = against(before, after)
    return one


def flipped(fixed: int, broken: int, same: int) -> VariantComparison:
    """Return a comparison with these counts."""
    before = ["failed"] * fixed + ["passed"] * (broken + same)
    after = ["passed"] * fixed + ["failed"] * broken + ["passed"] * same
    return only(run(*before), run(*after))


@pytest.mark.parametrize(
    ("fixed", "broken", "same", "expected"),
    [
        (0, 0, 100, "pass"),
        (0, 0, 24, "pass"),  # at worst -9 points
        (0, 0, 20, "inconclusive"),  # at worst -11 points
        (0, 3, 100, "pass"),  # one-sided mid-p .0625, at worst -6 points
        (0, 3, 30, "inconclusive"),
        (0, 4, 100, "fail"),  # .031, although at worst -8 points
        (4, 5, 100, "pass"),
        (10, 0, 0, "pass"),
        (2, 8, 10, "fail"),  # .033
        (3, 8, 10, "inconclusive"),  # .073
    ],
)
def test_the_rule(fixed: int, broken: int, same: int, expected: str) -> None:
    """Worse beyond chance fails, a bounded drop passes, the rest is open."""
    assert flipped(fixed, broken, same).result() == expected


def test_nothing_in_common_is_no_result() -> None:
    """Without a pair it neither passes nor fails."""
    one = only(run("passed"), [result("other")])
    assert (one.result(), one.low, one.worse) == (None, None, None)
    assert (one.only_before, one.only_after) == (1, 1)


@given(
    *(st.integers(0, 30) for _ in range(3)),
    st.floats(0, 1),
)
@UNTIMED
def test_laws_of_the_rule(fixed: int, broken: int, same: int, margin: float) -> None:
    """One more broken case never helps; a wider margin never hurts."""
    order = ["fail", "inconclusive", "pass"]
    if not fixed + broken + same:
        return
    one, worse = flipped(fixed, broken, same), flipped(fixed, broken + 1, same)
    assert order.index(str(one.result(1.0))) >= order.index(str(one.result(margin)))
    if same:
        worse = flipped(fixed, broken + 1, same - 1)
        ranks = [order.index(str(run.result(margin))) for run in (worse, one)]
        assert ranks == sorted(ranks)


@given(st.integers(1, 40))
@UNTIMED
def test_an_unchanged_run_never_fails(cases: int) -> None:
    """Compared with itself a run has no fixed and no broken case."""
    assert flipped(0, 0, cases).result() != "fail"


def stops(discordant: int) -> float:
    """Return how often so many chance flips fail the gate, over all splits."""
    splits = range(discordant + 1)
    failing = (
        comb(discordant, broken)
        for broken in splits
        if mcnemar_midp_one_sided(broken, discordant - broken) < LEVEL
    )
    return float(sum(failing) / 2**discordant)


@pytest.mark.parametrize("cases", [20, 50, 100, 200])
@pytest.mark.parametrize("flipping", [0.05, 0.1, 0.2])
def test_few_builds_are_stopped_in_which_nothing_changed(
    cases: int, flipping: float
) -> None:
    """At most 5%, where each case flips by chance with that probability."""
    stopped = sum(
        comb(cases, n) * flipping**n * (1 - flipping) ** (cases - n) * stops(n)
        for n in range(1, cases + 1)
    )
    assert stopped <= LEVEL


def trials(one: CaseResult, *marks: str) -> CaseResult:
    """Return a critical result with trials that passed (+) or not (-)."""
    told = tuple(Trial(answer=Answer(text="t"), grade=grade(mark)) for mark in marks)
    return replace(one, trials=told, critical=True)


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ("+++", "---", True),
        ("+++", "--+", False),
        ("++-", "---", False),
        ("+", "-", True),
    ],
)
def test_a_critical_case_fails_alone(before: str, after: str, *, lost: bool) -> None:
    """From all trials passing to none, however many other cases there are."""
    same = [result(f"s{n}") for n in range(100)]
    old = trials(result("c", "passed"), *before)
    new = trials(result("c", "failed"), *after)
    one = only([*same, old], [*same, new])
    assert [place.id for place in one.critical] == (["c"] if lost else [])
    assert one.result() == ("fail" if lost else "pass")


def test_what_cannot_be_paired_is_counted() -> None:
    """Cases of one run alone, and those without a grade in one of them."""
    before = [*run("passed", "failed", "error"), result("gone")]
    after = [*run("passed", "skipped", "passed"), result("new"), result("newer")]
    one = only(before, after)
    assert (one.pairs, one.ungraded, one.only_before, one.only_after) == (1, 2, 1, 2)


def test_several_variants_are_paired_apart_and_adjusted() -> None:
    """The same id under two variants is two cases; p follows Holm."""
    before = [*run(*["passed"] * 50), *run(*["passed"] * 50, variant="rag")]
    worse = run(*["failed"] * 4, *["passed"] * 46, variant="rag")
    base, rag = against(before, [*run(*["passed"] * 50), *worse])
    assert (base.broken, len(rag.broken)) == ((), 4)
    assert rag.worse == pytest.approx(2 * 0.03125)
    assert rag.result() == "inconclusive"


def test_a_comparison_survives_its_dict() -> None:
    """With the earlier diagnosis, and what is worth saying of it."""
    old, new = view(suite(5, knowledge=6)), view(suite(8, behavior=6, knowledge=1))
    comparison = compared(old, new, "old.json", 0.05)
    assert Comparison.from_dict(comparison.to_dict()) == comparison


GOLDEN = """\
against the baseline old.json of 2026-01-02:
base: FAIL, more cases broke than chance explains (one-sided mid-p 0.035)
  1 of 7 failing fixed, 6 of 24 passing broken (mid-p 0.070)
  fixed: x.eval.yaml:11 knowledge-0
  broken: x.eval.yaml:1 pass-0
  broken: x.eval.yaml:1 pass-1
  broken: x.eval.yaml:1 pass-2
  broken: x.eval.yaml:1 pass-3
  broken: x.eval.yaml:1 pass-4
  broken: x.eval.yaml:1 pass-5
  not compared: 1 case only in this run
  verdict: leaning KNOWLEDGE (P=0.76) before, now leaning BOTH (P=0.70)
  failed: knowledge 6 of 30 before, now 11 of 31; behavior 1 of 1 before, now 1
    of 1
  causes: knowledge 6 before, now 5; behavior 0 before, now 6 (7 probed before,
    now 12)
"""


def texts(before: list[CaseResult], after: list[CaseResult]) -> list[str]:
    """Return the words of a comparison."""
    new = view(after)
    comparison = compared(view(before), new, "old.json")
    return [line.text for line in comparison_lines(comparison, new.diagnosis)]


def test_a_whole_comparison() -> None:
    """The result, its reason, what changed with its place, and the diagnoses."""
    before = suite(24, knowledge=6, instruction=1)
    after = [
        *(result(f"pass-{n}", "failed", cause="behavior") for n in range(6)),
        *before[6:24],
        replace(result("knowledge-0", line=11), file="x.eval.yaml"),
        *before[25:],
        result("later"),
    ]
    assert "\n".join(texts(before, after)) == GOLDEN.rstrip()


def test_other_endings() -> None:
    """A lean, a variant of one run alone, a list that is cut."""
    many = ["failed"] * 60
    shown = texts(run(*many), run(*["passed"] * 60) + run("passed", variant="rag"))
    assert "rag: not in the baseline (1 case)" in shown
    assert "  fixed: and 10 more" in shown
    gone = texts(run("passed") + run("passed", variant="old"), run("passed"))
    assert "old: only in the baseline (1 case)" in gone
    assert any("is not ruled out, nor is any shown" in line for line in gone)

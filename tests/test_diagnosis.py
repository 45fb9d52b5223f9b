"""From causes to verdicts: the rule in its order, shares, flips, confounds."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnosed import grade, result, suite
from pytest_llm_diagnosis.diagnosis import (
    Diagnosis,
    SuiteVerdict,
    VariantDiagnosis,
    compare,
    diagnose,
    enough_probed,
)
from pytest_llm_diagnosis.records import Ask, CaseResult, Finding, Trial
from pytest_llm_diagnosis.stats import wilson


def only(results: list[CaseResult], seed: int = 7) -> VariantDiagnosis:
    """Return the diagnosis of the one variant there is."""
    (variant,) = diagnose(results, seed=seed).variants
    return variant


def verdict(results: list[CaseResult]) -> SuiteVerdict:
    """Return the verdict on the one variant there is."""
    return only(results).verdict


@pytest.mark.parametrize(
    ("causes", "kind", "settled"),
    [
        ({}, "no_failures", False),
        ({"knowledge": 13, "instruction": 1, "behavior": 1}, "knowledge", True),
        ({"behavior": 12, "knowledge": 2, "examples": 1}, "behavior", True),
        ({"knowledge": 13, "behavior": 12, "instruction": 3}, "both", True),
        ({"instruction": 8, "examples": 4, "behavior": 2}, "neither_yet", True),
        ({"unstable": 13, "knowledge": 5, "behavior": 3}, "unstable", True),
        ({"unstable": 3, "knowledge": 2, "behavior": 1}, "too_little_data", False),
        ({"knowledge": 3}, "too_little_data", False),
        ({"knowledge": 4, "unexplained": 6}, "too_little_data", False),
        ({"knowledge": 7, "behavior": 2}, "knowledge", False),
        ({"check_suspect": 5, "knowledge": 16}, "withheld", False),
    ],
)
def test_the_rule_in_its_order(
    causes: dict[str, int], kind: str, *, settled: bool
) -> None:
    """Each outcome of the rule follows from the counts that call for it."""
    found = verdict(suite(30, **causes))
    assert (found.kind, found.settled) == (kind, settled)


def test_no_failures_still_have_an_upper_bound() -> None:
    """0 of 20 still allows 16%."""
    assert verdict(suite(20)).upper_bound == pytest.approx(0.16, abs=0.005)


def test_without_probes_nothing_is_said_of_causes() -> None:
    """Rates and parts stand; the verdict says that nothing was asked again."""
    results = [replace(one, finding=None) for one in suite(10, knowledge=8)]
    found = only(results)
    assert found.verdict.kind == "not_probed"
    assert found.causes == {}
    assert found.rates["knowledge"].failed == 8
    assert found.failed_part.facts == 8


def test_one_pass_short_of_settled_says_what_would_settle() -> None:
    """7 of 9 leans; 9 of 11 would settle it."""
    form_only = [result(f"form-{n}", asks="form") for n in range(4)]
    found = verdict([*suite(40, knowledge=7, behavior=2), *form_only])
    assert (found.leaning, found.count, found.of) == ("knowledge", 7, 9)
    assert (found.enough, found.enough_of) == (9, 11)


def test_unstable_adds_a_lean_of_those_that_repeat() -> None:
    """The second line of an unstable verdict rests on attributable failures."""
    found = verdict(suite(30, unstable=13, knowledge=6, behavior=1))
    assert found.leaning == "knowledge"
    assert found.of == 7


@pytest.mark.parametrize(
    ("causes", "fine_tune"),
    [
        ({"behavior": 12, "examples": 1}, True),
        ({"behavior": 12, "knowledge": 2, "examples": 1}, False),
        ({"behavior": 7, "instruction": 6}, False),
        ({"behavior": 12, "knowledge": 12}, False),
    ],
)
def test_a_fine_tune_needs_a_settled_and_deep_behavior_side(
    causes: dict[str, int], *, fine_tune: bool
) -> None:
    """The side, and that over half of it survives, with P of .90 together."""
    found = verdict(suite(30, **causes))
    assert found.fine_tune is fine_tune
    assert fine_tune is (found.fine_tune_probability >= 0.90)


def failed_calls(count: int) -> list[CaseResult]:
    """Return a suite in which `count` cases never got an answer."""
    errors = [
        replace(result(f"e-{n}", "error"), trials=(Trial(error="503"),))
        for n in range(count)
    ]
    return [*suite(20, knowledge=10), *errors]


@pytest.mark.parametrize(("count", "kind"), [(10, "withheld"), (3, "knowledge")])
def test_too_many_failed_calls_withhold_the_verdict(count: int, kind: str) -> None:
    """Over 10% of all calls is too many."""
    assert verdict(failed_calls(count)).kind == kind


def test_missing_passages_withhold_the_verdict() -> None:
    """When most fact failures lack a passage, ignorance cannot be told."""
    without = Finding(cause="unexplained", untested=("E",))
    results = suite(10, knowledge=3)
    results += [result(f"u-{n}", "failed", finding=without) for n in range(5)]
    found = only(results)
    assert found.verdict.reason == "no_evidence"
    assert found.untested == {"E": 5}


def test_errors_and_skips_never_vote() -> None:
    """They are counted apart and leave every rate as it was."""
    plain = suite(12, knowledge=6)
    extra = [result("x", "error"), result("y", "skipped")]
    found = only([*plain, *extra])
    assert (found.cases, found.errors, found.skipped) == (18, 1, 1)
    assert found.rates == only(plain).rates
    assert found.shares == only(plain).shares


def test_a_rate_has_the_wilson_interval() -> None:
    """13 of 42 single-case clusters: 19-46%."""
    found = only(suite(29, knowledge=13))
    assert found.shares["knowledge"].cases == 42
    assert found.shares["knowledge"].interval == wilson(13, 42)


def test_clustered_cases_have_a_wider_interval() -> None:
    """Ten failing cases of one passage are not ten independent ones."""
    apart = suite(10, knowledge=10)
    together = [replace(one, cluster=one.outcome) for one in apart]
    wide = only(together).rates["knowledge"].interval
    narrow = only(apart).rates["knowledge"].interval
    assert wide is not None
    assert narrow is not None
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_exposure_and_not_the_mark_is_the_denominator() -> None:
    """A case with a fact check can fail for knowledge whatever its mark."""
    results = [
        result("a", "failed", cause="knowledge", mark="behavior", asks="facts form"),
        result("b", mark="behavior", asks="facts form"),
        result("c", mark="behavior", asks="form"),
        result("d", mark="knowledge", asks="facts"),
    ]
    assert only(results).exposure == {"knowledge": 3, "behavior": 3}


def test_a_case_found_to_fail_for_a_side_was_exposed_to_it() -> None:
    """A fact-only case can fail for behavior; that exposes it alone."""
    results = [
        result("a", "failed", cause="instruction", asks="facts"),
        result("b", asks="facts"),
        result("c", asks="form", mark="behavior"),
    ]
    share = only(results).shares["behavior"]
    assert (share.failed, share.cases) == (1, 2)


def test_a_both_case_enters_both_shares() -> None:
    """It needs the passage and a form fix."""
    both = result("a", "failed", cause="both", rung="examples", grades=grade("-", "-"))
    found = only([both, *suite(4)])
    assert found.shares["knowledge"].failed == found.shares["behavior"].failed == 1
    assert found.rungs == {"examples": 1}


def test_probed_cases_speak_for_the_unprobed_ones_of_their_mark() -> None:
    """A sample of the failing cases is weighted up, and said to be one."""
    probed = suite(30, knowledge=5, behavior=5)
    unprobed = [
        result(f"k-{n}", "failed", mark="knowledge", asks="facts") for n in range(15)
    ]
    found = only([*probed, *unprobed])
    share = found.shares["knowledge"]
    assert (share.failed, share.cases, share.estimated) == (20, 50, True)
    assert found.verdict.leaning == "knowledge"
    assert found.probed == 10


def test_limits_alone_never_vote() -> None:
    """A slow case failed, and not for either side."""
    slow = result("slow", "failed", grades=grade("+", "+", "-"))
    found = only([*suite(10, knowledge=6), slow])
    assert found.failed_part.limits == 1
    assert not found.shares["knowledge"].estimated
    assert found.shares["knowledge"].cases == 17


def test_marks_that_contradict_their_cause_are_listed_in_file_order() -> None:
    """The label audit names the place of each."""
    results = [
        result("z", "failed", cause="instruction", mark="knowledge", line=30),
        result("y", "failed", cause="knowledge", mark="behavior", line=20),
        result("x", "failed", cause="both", mark="behavior", line=10),
        result("w", "failed", cause="unexplained", mark="behavior", line=5),
    ]
    audit = only(results).doubtful_marks
    assert [(one.line, one.mark, one.cause) for one in audit] == [
        (20, "behavior", "knowledge"),
        (30, "knowledge", "instruction"),
    ]


def test_costumes_are_told_apart() -> None:
    """Failing checks and marks can each hide the other side."""
    results = [
        result("a", "failed", cause="instruction", grades=grade("-", "+")),
        result("b", "failed", cause="knowledge", grades=grade("", "-")),
        result("c", "failed", cause="knowledge", mark="behavior", grades=grade("-")),
        result("d", "failed", cause="knowledge"),
    ]
    worn = only(results).costumes
    assert (worn.knew, worn.ignorant, worn.marked, worn.total) == (1, 1, 1, 3)


def two_variants(fixed: int, broken: int) -> list[CaseResult]:
    """Return base and rag over the same 30 cases, so many of them changed."""
    before = [result(f"c-{n}", "failed" if n < fixed else "passed") for n in range(30)]
    after = [
        result(f"c-{n}", "failed" if n >= 30 - broken else "passed", variant="rag")
        for n in range(30)
    ]
    return before + after


@pytest.mark.parametrize(
    ("fixed", "broken", "p"),
    [(11, 0, 0.000488), (14, 2, 0.00235), (3, 1, None), (0, 0, None)],
)
def test_flips_against_the_first_variant(
    fixed: int, broken: int, p: float | None
) -> None:
    """Below 5 discordant pairs no difference is told."""
    (flip,) = diagnose(two_variants(fixed, broken), seed=1).flips
    assert (flip.from_, flip.to, flip.mark) == ("base", "rag", "knowledge")
    assert (flip.fixed, flip.broken, flip.failing) == (fixed, broken, fixed)
    assert flip.p == (None if p is None else pytest.approx(p, rel=0.02))


def test_several_comparisons_are_adjusted() -> None:
    """Two variants that fix the same cases have twice the p of one (Holm)."""
    results = two_variants(11, 0)
    third = [replace(one, variant="tuned") for one in results if one.variant == "rag"]
    single = diagnose(results, seed=1).flips[0].p
    double = diagnose(results + third, seed=1).flips[0].p
    assert single is not None
    assert double == pytest.approx(2 * single)


def test_a_case_missing_from_one_variant_is_not_compared() -> None:
    """Errors and skips leave the pair out."""
    results = two_variants(6, 0)
    results[0] = replace(results[0], outcome="error")
    (flip,) = diagnose(results, seed=1).flips
    assert flip.fixed == 5


def test_compare_lists_what_a_fix_changed() -> None:
    """A confirmation names the broken cases."""
    results = two_variants(6, 2)
    change = compare(results[:30], results[30:])
    assert len(change.fixed) == 6
    assert change.broken == ("c-28", "c-29")
    assert change.p == pytest.approx(0.18, abs=0.01)


def test_confounds_are_named() -> None:
    """Everything that makes a comparison doubtful is said."""
    base = [result("a", asks="facts", stored=True)]
    other = [result("a", asks="facts", variant="tuned_rag")]
    found = diagnose(
        base + other,
        seed=1,
        changes={"tuned_rag": ["model", "retrieve"]},
        selected=True,
    )
    assert [one.kind for one in found.confounds] == [
        "several_changes",
        "selection",
        "one_mark",
        "no_form",
        "mixed_answers",
    ]


def test_a_plain_run_has_no_confounds() -> None:
    """One variant, both marks, both kinds of checks."""
    assert diagnose(suite(3, knowledge=1, behavior=1), seed=1).confounds == ()


def test_one_sided_suites_weigh_their_failures_alone() -> None:
    """Where no case asks for form, the share among failures is the lean."""
    results = [
        result(f"k-{n}", "failed", cause="knowledge", asks="facts") for n in range(6)
    ]
    found = verdict(results)
    assert (found.kind, found.settled) == ("knowledge", True)


@pytest.mark.parametrize(
    ("causes", "enough"),
    [
        ({"knowledge": 12}, True),
        ({"knowledge": 7}, False),
        ({"knowledge": 8, "behavior": 3}, False),
    ],
)
def test_probing_may_stop_once_the_side_is_clear(
    causes: dict[str, int], *, enough: bool
) -> None:
    """8 attributable failures and a side with P of .95."""
    assert enough_probed(suite(40, **causes), seed=1) is enough


def test_an_empty_run_has_an_empty_diagnosis() -> None:
    """Nothing ran, nothing is said."""
    assert diagnose([], seed=3) == Diagnosis(seed=3)


causes_drawn = st.fixed_dictionaries(
    {
        name: st.integers(0, 6)
        for name in ["knowledge", "instruction", "behavior", "both", "unstable"]
    }
)


@settings(max_examples=15, deadline=None)
@given(causes_drawn, st.integers(0, 20), st.integers(0, 99))
def test_a_diagnosis_survives_its_json(
    causes: dict[str, int], passing: int, seed: int
) -> None:
    """The round trip through JSON gives an equal record."""
    found = diagnose(suite(passing, **causes), seed=seed)
    assert Diagnosis.from_dict(json.loads(json.dumps(found.to_dict()))) == found


@settings(max_examples=10, deadline=None)
@given(causes_drawn, st.randoms(use_true_random=False))
def test_saved_results_diagnose_alike_in_any_order(
    causes: dict[str, int], rng: object
) -> None:
    """A report read back, or gathered from workers, gives the same verdict."""
    results = suite(9, **causes)
    before = diagnose(results, seed=5)
    saved = [CaseResult.from_dict(json.loads(json.dumps(r.to_dict()))) for r in results]
    rng.shuffle(saved)  # type: ignore[attr-defined]
    assert diagnose(saved, seed=5) == before


def test_calls_of_all_arms_are_counted() -> None:
    """The head of the block says how many extra calls it took."""
    asks = (Ask(facts=False), Ask(facts=False))
    finding = Finding(cause="knowledge", arms={"R": asks, "F": asks, "E": asks})
    assert only([result("a", "failed", finding=finding)]).calls == 6

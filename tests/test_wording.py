"""The words of a diagnosis, as whole blocks and sentence by sentence."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent
from typing import get_args

import pytest

from diagnosed import grade, result, suite
from pytest_llm_diagnosis.diagnosis import (
    Confound,
    Diagnosis,
    Spread,
    compare,
    diagnose,
)
from pytest_llm_diagnosis.records import (
    Arm,
    Ask,
    CaseResult,
    Cause,
    Finding,
    Given,
    Rung,
)
from pytest_llm_diagnosis.report.audit import audit_lines
from pytest_llm_diagnosis.report.layout import fitted
from pytest_llm_diagnosis.report.terminal import evidence_lines, verdict_lines
from pytest_llm_diagnosis.report.verdicts import next_text, verdict_text
from pytest_llm_diagnosis.report.wording import (
    cause_text,
    confirmed_text,
    confound_text,
    diagnosis_dict,
)


def block(results: list[CaseResult]) -> list[str]:
    """Return what is told of the first variant: verdict, evidence, label audit."""
    return told_of(diagnose(results, seed=7))


def told_of(diagnosis: Diagnosis) -> list[str]:
    """Return what is told of a diagnosis's first variant."""
    first = diagnosis.variants[0]
    lines = [
        *verdict_lines(first, diagnosis),
        *evidence_lines(first),
        *audit_lines([first]),
    ]
    return [line.text for line in fitted(lines) if line.text]


def sentence(results: list[CaseResult]) -> str:
    """Return the block as one line of text."""
    return " ".join(" ".join(block(results)).split())


def test_a_whole_block() -> None:
    """Head, causes, costumes, verdict, next step and the label audit."""
    causes = {"knowledge": 13, "instruction": 1, "examples": 1, "behavior": 1}
    results = suite(29, **causes, unexplained=1, unstable=3)
    results.append(
        result("tell-me", "failed", cause="unstable", line=400, mark="behavior")
    )
    results[29] = replace(
        results[29], mark="behavior", trials=result(grades=grade("", "-")).trials
    )
    assert "\n".join(block(results)) == dedent(
        """\
        verdict: KNOWLEDGE (P=0.81). Of 44 cases that need facts, 13 fail for lack of
          knowledge (95% 18-44%); of 36 with form checks, 3 fail for behavior (95%
          3-22%).
        next: put the source in context; it fixed 13 of 17. Fine-tuning is not
          indicated.
        diagnosis of base: 21 of 50 cases failed; 17 repeat, 4 do not (42 extra calls)
          cause        cases  cheapest fix that worked
          knowledge       13  gold passage in the prompt
          instruction      1  explicit instruction
          examples         1  3 examples from other cases
          behavior         1  none tried
          unexplained      1  -
          1 of 17 wore the other side's costume (form broke because it did not know: 1)
        label audit: marks that contradict their cause:
          x.eval.yaml:11 knowledge-0: marked behavior, cause knowledge"""
    )


SENTENCES: list[tuple[int, dict[str, int], list[str]]] = [
    (
        30,
        {"behavior": 12, "knowledge": 1, "examples": 1},
        [
            "verdict: BEHAVIOR (P=0.9",
            "12 of the 13 survived the instruction and 3 examples (P over half",
            "next: a LoRA fine-tune is worth trying",
            "the best prompt is its baseline.",
        ],
    ),
    (
        30,
        {"knowledge": 13, "behavior": 5, "instruction": 7},
        [
            "verdict: BOTH (P=0.9",
            (
                "Knowledge fails 13/43 (95% 19-45%), behavior 12/42 (95% 17-44%): "
                "neither is twice the other."
            ),
            (
                "next: the cheaper one first (instruction: 7 cases), then context "
                "(13 cases)."
            ),
        ],
    ),
    (
        20,
        {"instruction": 8, "examples": 4, "behavior": 4},
        [
            "verdict: NEITHER YET (P=",
            (
                "A clearer prompt fixed 12 of 16 repeating failures "
                "(8 by the instruction, 4 by 3 examples)."
            ),
            "next: do that, rerun, then ask again",
        ],
    ),
    (
        20,
        {"unstable": 13, "knowledge": 6, "behavior": 2},
        [
            (
                "verdict: UNSTABLE (P=1.00 that over a third do not repeat). 13 of 21 "
                "failures passed when asked again unchanged. Fix sampling first. "
                "Of the 8 that repeat: leaning KNOWLEDGE (0."
            ),
        ],
    ),
    (
        17,
        {"knowledge": 3},
        [
            (
                "verdict: TOO LITTLE DATA. 3 attributable failures; at least 5 of 5, "
                "or 9 of 11, one way are needed to name a side. A before/after run of "
                "these 20 cases can show a change of about 41 points or more."
            ),
        ],
    ),
    (
        30,
        {"knowledge": 7, "behavior": 2},
        [
            "verdict: leaning KNOWLEDGE (0.",
            "not settled: 7 of 9; 11 of 13 would settle it.",
        ],
    ),
    (
        30,
        {"knowledge": 4, "behavior": 3, "instruction": 2},
        [
            (
                "next: cheapest so far: explicit instruction, it fixed 2 cases; more "
                "cases would settle the side."
            ),
        ],
    ),
    (
        20,
        {"instruction": 8, "examples": 4, "unexplained": 3},
        [
            (
                "A clearer prompt fixed 12 of 15 repeating failures (8 by the "
                "instruction, 4 by 3 examples); 3 have no cause that could be told."
            ),
        ],
    ),
    (
        9,
        {"knowledge": 1},
        ["verdict: TOO LITTLE DATA. 1 attributable failure; at least"],
    ),
    (
        30,
        {"check_suspect": 5, "knowledge": 16},
        [
            (
                "verdict withheld: 5 of 21 failures look like faulty checks (the "
                "answer agrees with the reference). Fix these first: check_suspect-0,"
            ),
        ],
    ),
    (
        20,
        {},
        [
            (
                "verdict: NO FAILURES. 0 of 20 cases failed; that still allows up to "
                "16% (95%)."
            ),
        ],
    ),
    (
        30,
        {"behavior": 6, "instruction": 5},
        [
            (
                "next: the cheaper one first (instruction: 5 cases); a fine-tune is "
                "not shown to be needed (P=0."
            ),
            "it takes 0.90).",
        ],
    ),
]


@pytest.mark.parametrize(("passing", "causes", "told"), SENTENCES)
def test_every_verdict_in_words(
    passing: int, causes: dict[str, int], told: list[str]
) -> None:
    """What is claimed, how sure it is, and the next step."""
    text = sentence(suite(passing, **causes))
    for words in told:
        assert words in text


@pytest.mark.parametrize("causes", [causes for _, causes, _ in SENTENCES])
def test_no_line_is_wider_than_a_terminal(causes: dict[str, int]) -> None:
    """80 columns hold every line."""
    unprobed = [result(f"k-{n}", "failed") for n in range(200)]
    assert max(map(len, block(suite(20, **causes)))) <= 80
    assert max(map(len, block([*suite(900, **causes), *unprobed]))) <= 80


@pytest.mark.parametrize(
    ("cluster", "told"),
    [
        ("x.eval.yaml", "all 16 cases that need facts count as one cluster (the file)"),
        ("policy", "all 16 cases that need facts count as one cluster:"),
    ],
)
def test_cases_that_count_as_one_are_said_to(cluster: str, told: str) -> None:
    """More of them would settle nothing, and more trials never do."""
    results = [replace(one, cluster=cluster) for one in suite(4, knowledge=12)]
    text = sentence(results)
    assert "not settled" in text
    assert told in text
    assert "give them `cluster:` if they are independent." in text
    assert "would settle the side" not in text


def test_a_few_clusters_are_counted() -> None:
    """Two files are two cases, however many lines they have."""
    results = [
        replace(one, cluster="", file=f"{n % 2}.eval.yaml")
        for n, one in enumerate(suite(4, knowledge=8, behavior=2))
    ]
    assert "cases that need facts count as 2 clusters (files): give" in sentence(
        results
    )


@pytest.mark.parametrize("clusters", [1, 20])
def test_so_many_more_of_one_cluster_settle_nothing(clusters: int) -> None:
    """A count that would settle a side is one of independent cases."""
    variant = diagnose(suite(30, knowledge=7, behavior=2), seed=7).variants[0]
    spread = Spread(cases=37, clusters=clusters, by_file=True)
    told = verdict_text(replace(variant, spread={"knowledge": spread}))
    assert ("would settle it" in told) == (clusters > 1)


def test_missing_evidence_is_counted_among_failed_fact_checks() -> None:
    """Those that fail on form need none; a prompt that worked is named still."""
    untested = Finding(cause="unexplained", untested=("E",))
    blind = [result(f"b-{n}", "failed", finding=untested) for n in range(5)]
    text = sentence([*suite(10, instruction=8), *blind])
    assert "verdict withheld: 5 of the 5 failed fact checks have no passage" in text
    assert "next: meanwhile, the cheaper one first (instruction: 8 cases)." in text


def test_failures_that_nothing_speaks_for_are_noted() -> None:
    """They are in no rate: what they failed for is open."""
    unprobed = [result(f"b-{n}", "failed", mark="behavior") for n in range(7)]
    text = sentence([*suite(10, knowledge=9), *unprobed])
    told = "not probed, marked behavior: left out of the rates (7 cases)"
    assert told in text
    lost = result("lost", "failed", mark="behavior", cause="infrastructure")
    assert told in sentence([*suite(10, knowledge=9), lost, *unprobed])
    assert "left out" not in sentence([*suite(10, knowledge=9, behavior=1), *unprobed])


def test_too_little_data_counts_the_cases_of_its_own_variant() -> None:
    """What these 20 cases can show does not depend on another variant's 50."""
    other = [result(f"pass-{n}", variant="other") for n in range(50)]
    text = sentence([*suite(17, knowledge=3), *other])
    assert "these 20 cases can show a change of about 41 points" in text


@pytest.mark.parametrize("arm", sorted({*get_args(Arm)} - {"first"}))
def test_every_untested_arm_has_its_reason(arm: Arm) -> None:
    """None is left out of the count."""
    finding = Finding(cause="unexplained", untested=(arm,))
    text = sentence([*suite(5), result("a", "failed", finding=finding)])
    assert f"({arm} not tested)" in text


def test_without_probes_only_the_verdict_is_told() -> None:
    """And how to learn more: what failed stands in the table above it."""
    results = [replace(one, finding=None) for one in suite(10, knowledge=8)]
    assert block(results) == [
        "verdict: none about causes: no failing case was asked again.",
        "next: run with --llm-probe standard to learn why these cases fail.",
    ]


def test_refused_probes_are_not_advised_again() -> None:
    """Where probes were on, a note says why none was made; the hint is no help."""
    results = [replace(one, finding=None) for one in suite(10, knowledge=8)]
    assert told_of(diagnose(results, seed=7, probing=True)) == [
        "verdict: none about causes: no failing case was asked again.",
    ]


def test_failed_limits_have_no_cause_to_look_for() -> None:
    """A slow answer is asked nothing, so no probe is advised."""
    slow = result("slow", "failed", grades=grade("+", "+", "-"))
    assert block([*suite(10), slow]) == [
        "verdict: none about causes: only limits failed, answers did not.",
    ]


def test_a_sample_of_failures_is_called_one() -> None:
    """Estimated counts say about."""
    unprobed = [
        result(f"k-{n}", "failed", mark="knowledge", asks="facts") for n in range(12)
    ]
    text = sentence([*suite(30, knowledge=12), *unprobed])
    assert "24 of 54 cases failed; of 12 probed 12 repeat, 0 do not" in text
    assert "about 24 fail for lack of knowledge" in text


def test_what_could_not_be_tested_is_said() -> None:
    """An arm that was missing is named with its reason."""
    finding = Finding(
        cause="unexplained", untested=("X",), note="not used; could be behavior"
    )
    results = [*suite(5), result("a", "failed", finding=finding, mark="behavior")]
    text = sentence(results)
    assert "1 have too few examples (X not tested)" in text
    assert "not used (1 case)" in text
    assert "of the unexplained could be: 1 behavior" in text


@pytest.mark.parametrize(
    ("cause", "rung", "arms", "told"),
    [
        (
            "knowledge",
            None,
            {"R": "--", "F": "---", "E": "+++"},
            (
                "knowledge, P=0.97: wrong in 2 of 2 asked again unchanged, wrong in "
                "3 of 3 in free form, right in 3 of 3 with the passage"
            ),
        ),
        (
            "both",
            "instruction",
            {"E": "-", "ES": "+"},
            (
                "both (instruction), P=0.97: wrong in 1 of 1 with the passage, right "
                "in 1 of 1 with passage and instruction"
            ),
        ),
    ],
)
def test_a_cause_is_never_named_without_its_asks(
    cause: Cause, rung: Rung | None, arms: dict[str, str], told: str
) -> None:
    """The evidence stands beside the claim."""
    asks = {
        arm: tuple(Ask(facts=bit == "+") for bit in bits) for arm, bits in arms.items()
    }
    assert (
        cause_text(Finding(cause=cause, rung=rung, probability=0.97, arms=asks)) == told
    )


def test_right_facts_in_a_wrong_form_are_told_from_wrong_ones() -> None:
    """A passage that brings the fact, though not the form, did its part."""
    finding = Finding(cause="knowledge", arms={"E": (Ask(facts=True, form=False),)})
    assert cause_text(finding) == (
        "knowledge: right but in wrong form in 1 of 1 with the passage"
    )


def test_untested_arms_and_failed_calls_stand_in_the_evidence() -> None:
    """Nothing is hidden where a call failed or an arm was missing."""
    finding = Finding(
        cause="infrastructure",
        arms={"R": (Ask(error=True),)},
        untested=("E",),
        note="a call of arm R failed",
    )
    assert cause_text(finding) == (
        "infrastructure: no answer asked again unchanged (E not tested) "
        "[a call of arm R failed]"
    )


@pytest.mark.parametrize(
    ("confound", "told"),
    [
        (
            Confound(
                kind="several_changes", variant="tuned_rag", names=("model", "retrieve")
            ),
            (
                "tuned_rag differs from the first variant in more than one thing "
                "(model, retrieve)"
            ),
        ),
        (Confound(kind="selection"), "only a selection of the suite ran"),
        (Confound(kind="one_mark", names=("knowledge",)), "marked knowledge"),
        (Confound(kind="no_facts"), "ignorance cannot show"),
        (Confound(kind="no_form"), "no case has a form check"),
        (Confound(kind="mixed_answers", names=("base",)), "(stored: base)"),
    ],
)
def test_confounds_in_words(confound: Confound, told: str) -> None:
    """Each says what it spoils."""
    assert told in confound_text(confound)


def test_a_confirmation_lists_what_broke() -> None:
    """A fix that repairs failures may break passes."""
    before = [result(f"c-{n}", "failed" if n < 14 else "passed") for n in range(30)]
    after = [result(f"c-{n}", "failed" if n > 27 else "passed") for n in range(30)]
    assert confirmed_text("the passage", compare(before, after)) == (
        "confirmed: with the passage 14 cases fixed, 2 broken (mid-p 0.002): "
        "c-28, c-29."
    )
    fixed = compare(before, [result(f"c-{n}") for n in range(30)])
    assert "(mid-p <0.001)" in confirmed_text("the passage", fixed)
    assert confirmed_text("the passage", compare(before[13:18], after[13:18])) == (
        "confirmed: with the passage 1 case fixed, 0 broken "
        "(no difference detected, 1 discordant)."
    )


DEEP = suite(30, behavior=12, knowledge=1, examples=1)


@pytest.mark.parametrize(
    ("model", "provider", "told"),
    [
        (
            "openai/gpt-4.1",
            "openai",
            (
                "openai/gpt-4.1: hosted fine-tuning at OpenAI is closed to new users "
                "(as of 2026-07-02), it ends for all on 2027-01-06; open weights "
                "remain."
            ),
        ),
        (
            "together_ai/x",
            "together_ai",
            "together_ai/x: Together AI tunes some of its models (LoRA, full; read",
        ),
        ("cohere/x", "cohere", "cohere/x: Cohere calls its hosted fine-tuning depre"),
        ("groq/x", "groq", "groq/x: Groq tunes no models (read 2026-11-22), it serves"),
        ("xai/x", "xai", "xai/x: whether xAI tunes models is not known (read 2026"),
        (
            "openai/smollm2",
            "own_server",
            (
                "openai/smollm2: served by a server of your own; where its weights are "
                "open, they are yours to tune."
            ),
        ),
        ("new/x", "new", "new/x: whether its provider tunes models is not in our tab"),
        ("", "", "the best prompt is its baseline."),
    ],
)
def test_a_fine_tune_is_advised_with_what_the_provider_allows(
    model: str, provider: str, told: str
) -> None:
    """And with the date of the fact; of an application nothing is said."""
    given = [Given(name="base", kind="prompt", model=model, provider=provider)]
    diagnosis = diagnose(DEEP, seed=7, given=given)
    text = next_text(diagnosis.variants[0], diagnosis)
    assert text.startswith("a LoRA fine-tune is worth trying")
    assert told in text
    assert text.endswith(".")
    assert "open weights remain" in text or provider in {
        "",
        "own_server",
        "together_ai",
    }


def test_the_report_carries_the_words() -> None:
    """`report.json` holds verdict, text and next step."""
    diagnosis = diagnose(suite(30, knowledge=13), seed=7)
    variants = diagnosis_dict(diagnosis)["variants"]
    assert isinstance(variants, list)
    verdict = variants[0]["verdict"]
    assert verdict["text"].startswith("KNOWLEDGE (P=")
    assert verdict["next"].startswith("put the source in context; it fixed 13 of 13")

"""What to try next, in words: the cheapest fix that is shown to help.

Nothing is computed here but the rounding of numbers.
"""

from __future__ import annotations

from collections.abc import Mapping

from pytest_llm_diagnosis.diagnosis import (
    FEW,
    FINE_TUNE,
    Diagnosis,
    Spread,
    VariantDiagnosis,
    VerdictKind,
)
from pytest_llm_diagnosis.records import Cause, Mark

from .amounts import cases
from .giving import corpus_text
from .tuning import tuning_text

FIXES: Mapping[Cause, str] = {
    "unstable": "lower temperature, a retry, or a looser check",
    "knowledge": "gold passage in the prompt",
    "instruction": "explicit instruction",
    "examples": "3 examples from other cases",
    "behavior": "none tried",
    "both": "gold passage",
    "unexplained": "-",
    "check_suspect": "mend the check",
    "infrastructure": "-",
}


def next_text(variant: VariantDiagnosis, diagnosis: Diagnosis) -> str:
    """Return the cheapest thing to try next, empty when there is nothing."""
    kind = variant.verdict.kind
    if kind == "not_probed":
        return _learn_why(variant, diagnosis)
    if variant.verdict.reason == "no_evidence" and _prompt_fixed(variant.causes):
        return f"meanwhile, {_prompt_first(variant.causes)}."
    if kind in _PLAIN_NEXT:
        return _PLAIN_NEXT[kind]
    if not variant.verdict.settled:
        return f"{_cheapest(variant.causes)}; {_what_would_settle(variant)}."
    return _side_next(variant, diagnosis)


def _what_would_settle(variant: VariantDiagnosis) -> str:
    """Say what keeps the side open: too few cases, or cases that count as one."""
    crowded = crowded_sides(variant)
    if not crowded:
        return "more cases would settle the side"
    spread, what = min(crowded, key=lambda one: one[0].clusters)
    few = "one cluster" if spread.clusters == 1 else f"{spread.clusters} clusters"
    file = (" (the file)" if spread.clusters == 1 else " (files)") * spread.by_file
    return (
        f"all {spread.cases} cases {what} count as {few}{file}: give them `cluster:` "
        "if they are independent"
    )


def crowded_sides(variant: VariantDiagnosis) -> list[tuple[Spread, str]]:
    """Return the sides whose cases lie in too few clusters to settle anything."""
    return [
        (spread, what)
        for side, what in _EXPOSED.items()
        if (spread := variant.spread.get(side))
        and spread.clusters < min(FEW, spread.cases)
    ]


_EXPOSED: Mapping[Mark, str] = {
    "knowledge": "that need facts",
    "behavior": "with form checks",
}


_PLAIN_NEXT: Mapping[VerdictKind, str] = {
    "no_failures": "",
    "withheld": "",
    "unstable": f"{FIXES['unstable']}; then run again.",
    "too_little_data": "",
    "neither_yet": (
        "do that, rerun, then ask again about retrieval or fine-tuning; neither is "
        "shown to be needed."
    ),
}


def _learn_why(variant: VariantDiagnosis, diagnosis: Diagnosis) -> str:
    # Where probes were on, what kept them back (a budget, an interrupt) is noted.
    if diagnosis.probing or variant.failed_part.without_cause == variant.failing:
        return ""
    return "run with --llm-probe standard to learn why these cases fail."


def _side_next(variant: VariantDiagnosis, diagnosis: Diagnosis) -> str:
    verdict, causes = variant.verdict, variant.causes
    if verdict.kind == "knowledge":
        return _joined(
            f"put the source in context; it fixed {causes.get('knowledge', 0)} of "
            f"{variant.repeating}.",
            corpus_text(variant),
            "Fine-tuning is not indicated.",
        )
    if verdict.kind == "both":
        context = causes.get("knowledge", 0) + causes.get("both", 0)
        return _joined(
            f"{_prompt_first(causes)}, then context ({cases(context)}).",
            corpus_text(variant),
        )
    if verdict.fine_tune:
        allowed = tuning_text(diagnosis.given_of(variant.name))
        return (
            "a LoRA fine-tune is worth trying (constrained decoding first where a "
            "schema is all that is wanted); the best prompt is its baseline. "
            f"{allowed}"
        ).rstrip()
    return (
        f"{_prompt_first(causes)}; a fine-tune is not shown to be needed "
        f"(P={verdict.fine_tune_probability:.2f}, it takes {FINE_TUNE:.2f})."
    )


def _joined(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _prompt_fixed(causes: Mapping[Cause, int]) -> list[str]:
    rungs: tuple[Cause, ...] = ("instruction", "examples")
    return [f"{rung}: {cases(causes[rung])}" for rung in rungs if causes.get(rung)]


def _prompt_first(causes: Mapping[Cause, int]) -> str:
    fixed = _prompt_fixed(causes)
    if not fixed:
        return "a clearer prompt first, though none tried has worked"
    return f"the cheaper one first ({', '.join(fixed)})"


def _cheapest(causes: Mapping[Cause, int]) -> str:
    order: tuple[Cause, ...] = ("instruction", "examples", "knowledge")
    best = next((cause for cause in order if causes.get(cause)), None)
    if best is None:
        return "nothing cheap has worked yet"
    return f"cheapest so far: {FIXES[best]}, it fixed {cases(causes[best])}"

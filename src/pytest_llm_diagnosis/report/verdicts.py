"""A verdict in words: what is claimed, and how sure it is.

Nothing is computed here but the rounding of numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_llm_diagnosis.diagnosis import (
    Rate,
    SuiteVerdict,
    VariantDiagnosis,
    VerdictKind,
)
from pytest_llm_diagnosis.stats import SMALL_RATE

from .amounts import cases, chance, names, percent_range
from .next_steps import FIXES, crowded_sides, next_text

__all__ = [
    "FIXES",
    "cases",
    "chance",
    "names",
    "next_text",
    "percent_range",
    "verdict_text",
]


def verdict_text(variant: VariantDiagnosis) -> str:
    """Return the verdict in one paragraph, its probability always beside it."""
    return _VERDICTS.get(variant.verdict.kind, _side)(variant)


def _no_failures(variant: VariantDiagnosis) -> str:
    if not variant.cases:
        return "none: no case was answered and graded."
    bound = variant.verdict.upper_bound
    allowed = (
        f"; that still allows up to {bound:.0%} (95%)" if bound is not None else ""
    )
    return f"NO FAILURES. 0 of {variant.cases} cases failed{allowed}."


def _not_probed(variant: VariantDiagnosis) -> str:
    part = variant.failed_part
    if part.limits == variant.failing:
        return "none about causes: only limits failed, answers did not."
    if part.without_cause == variant.failing:
        return "none about causes: judges alone rejected these answers."
    return "none about causes: no failing case was asked again."


def _withheld(variant: VariantDiagnosis) -> str:
    return f"verdict withheld: {_reason(variant)}"


def _reason(variant: VariantDiagnosis) -> str:
    match variant.verdict.reason:
        case "faulty_checks":
            listed = names([case.id for case in variant.suspects])
            return (
                f"{len(variant.suspects)} of {variant.probed} failures look like "
                "faulty checks (the answer agrees with the reference). "
                f"Fix these first: {listed}."
            )
        case "no_evidence":
            verdict = variant.verdict
            return (
                f"{verdict.count} of the {verdict.of} failed fact checks have no "
                "passage to show, so ignorance cannot be told from the rest. "
                "Give these cases an `evidence:`."
            )
        case _:
            return "over 10% of the calls failed. Run again when they do not."


def _unstable(variant: VariantDiagnosis) -> str:
    verdict = variant.verdict
    passed = variant.causes.get("unstable", 0)
    text = (
        f"UNSTABLE (P={verdict.probability:.2f} that over a third do not repeat). "
        f"{passed} of {variant.probed} failures passed when asked again unchanged. "
        "Fix sampling first."
    )
    if verdict.leaning is None:
        return text
    return f"{text} Of the {variant.repeating} that repeat: leaning {_lean(verdict)}."


def _too_little_data(variant: VariantDiagnosis) -> str:
    count = variant.verdict.of
    failures = (
        "1 attributable failure" if count == 1 else f"{count} attributable failures"
    )
    text = (
        f"TOO LITTLE DATA. {failures}; at least 5 of 5, or 9 of 11, one way are "
        "needed to name a side."
    )
    if variant.detectable is None:
        return text
    return (
        f"{text} A before/after run of these {variant.cases} cases can show a "
        f"change of about {100 * variant.detectable:.0f} points or more."
    )


def _neither_yet(variant: VariantDiagnosis) -> str:
    verdict, causes = variant.verdict, variant.causes
    unknown = variant.repeating - verdict.of
    text = (
        f"NEITHER YET (P={verdict.probability:.2f}). A clearer prompt fixed "
        f"{verdict.count} of {variant.repeating} repeating failures "
        f"({causes.get('instruction', 0)} by the instruction, "
        f"{causes.get('examples', 0)} by 3 examples)"
    )
    if not unknown:
        return f"{text}."
    left = "1 has" if unknown == 1 else f"{unknown} have"
    return f"{text}; {left} no cause that could be told."


def _leaning(variant: VariantDiagnosis) -> str:
    verdict = variant.verdict
    text = f"leaning {_lean(verdict)}, not settled"
    if verdict.leaning == "both":
        # Both sides together are all there is: no count of them tells anything.
        return f"{text}: neither side is shown to be twice the other."
    text = f"{text}: {verdict.count} of {verdict.of}"
    # More cases of the same clusters would not be as many more.
    if verdict.enough is None or crowded_sides(variant):
        return f"{text}."
    return f"{text}; {verdict.enough} of {verdict.enough_of} would settle it."


def _lean(verdict: SuiteVerdict) -> str:
    return f"{str(verdict.leaning).upper()} ({verdict.leaning_probability:.2f})"


def _side(variant: VariantDiagnosis) -> str:
    verdict = variant.verdict
    if not verdict.settled:
        return _leaning(variant)
    head = f"{verdict.kind.upper()} (P={verdict.probability:.2f})."
    knowledge = variant.shares.get("knowledge")
    behavior = variant.shares.get("behavior")
    if verdict.kind == "both" and knowledge and behavior:
        return (
            f"{head} Knowledge fails {_fraction(knowledge)}, behavior "
            f"{_fraction(behavior)}: neither is twice the other."
        )
    parts = []
    if knowledge:
        parts.append(
            f"of {knowledge.cases} cases that need facts, {_count(knowledge)} "
            f"fail for lack of knowledge{_range(knowledge)}"
        )
    if behavior:
        what = "cases with" if verdict.kind == "behavior" else "with"
        parts.append(
            f"of {behavior.cases} {what} form checks, {_count(behavior)} "
            f"fail for behavior{_range(behavior)}"
        )
    if verdict.kind == "behavior":
        parts.reverse()
    text = "; ".join(parts)
    return f"{head} {text[:1].upper()}{text[1:]}.{_depth(variant)}"


_VERDICTS: Mapping[VerdictKind, Callable[[VariantDiagnosis], str]] = {
    "no_failures": _no_failures,
    "not_probed": _not_probed,
    "withheld": _withheld,
    "unstable": _unstable,
    "too_little_data": _too_little_data,
    "neither_yet": _neither_yet,
}


def _depth(variant: VariantDiagnosis) -> str:
    verdict = variant.verdict
    if verdict.kind != "behavior" or verdict.deep_probability is None:
        return ""
    return (
        f" {variant.causes.get('behavior', 0)} of the {verdict.count} survived the "
        f"instruction and 3 examples (P over half = {verdict.deep_probability:.2f})."
    )


def _count(rate: Rate) -> str:
    return f"about {rate.failed}" if rate.estimated else str(rate.failed)


def _fraction(rate: Rate) -> str:
    return f"{_count(rate)}/{rate.cases}{_range(rate)}"


def _range(rate: Rate) -> str:
    if rate.interval is None or rate.cases < SMALL_RATE:
        return ""
    return f" (95% {percent_range(rate.interval)})"

"""A run against its baseline, in words: what changed, and whether it is worse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pytest_llm_diagnosis.diagnosis import (
    MARGIN,
    Changed,
    Comparison,
    Diagnosis,
    Earlier,
    Regression,
    SuiteVerdict,
    VariantComparison,
    VariantDiagnosis,
    compare_variants,
)
from pytest_llm_diagnosis.records import MARKS

from .layout import WIDTH, fitted
from .lines import Line, Style, one_line, printable
from .verdicts import cases
from .view import View

LISTED = 50
"""Changed cases of one kind that are listed; `report.json` has them all."""
_STYLES: Mapping[Regression, Style] = {
    "fail": "bad",
    "pass": "good",
    "inconclusive": "warn",
}


def compared(
    before: View, after: View, path: Path | str, margin: float = MARGIN
) -> Comparison:
    """Return what changed since an earlier report, which was read from `path`."""
    earlier = Earlier(before.results, before.diagnosis)
    return Comparison(
        path=str(path),
        started=before.run.started,
        margin=margin,
        variants=compare_variants(earlier, after.results),
    )


def comparison_lines(
    comparison: Comparison, diagnosis: Diagnosis, width: int = WIDTH
) -> Iterator[Line]:
    """Yield what changed in each variant: cases, the rule's result, the diagnosis."""
    yield from fitted(_comparison(comparison, diagnosis), width)


def _comparison(comparison: Comparison, diagnosis: Diagnosis) -> Iterator[Line]:
    yield Line(
        f"against the baseline {printable(comparison.path)} of "
        f"{comparison.started[:10]}:",
        "head",
    )
    now = {one.name: one for one in diagnosis.variants}
    for one in comparison.variants:
        yield from _variant(one, comparison.margin)
        if one.before is not None and one.variant in now and one.pairs:
            yield from _diagnoses(one.before, now[one.variant])


def _variant(one: VariantComparison, margin: float) -> Iterator[Line]:
    result = one.result(margin)
    name = printable(one.variant)
    if result is None:
        yield Line(f"{name}: {_nothing(one)}", "warn")
        return
    yield Line(
        f"{name}: {result.upper()}, {regression_text(one, margin)}", _STYLES[result]
    )
    changes = (
        f"{len(one.fixed)} of {one.failing} failing fixed, "
        f"{len(one.broken)} of {one.passing} passing broken ({_chance(one)})"
    )
    yield Line(f"  {changes}", "plain")
    yield from _listed("fixed", one.fixed, "good")
    yield from _listed("broken", one.broken, "bad")
    yield from _listed("critical, no trial passes any more", one.critical, "bad")
    apart = unpaired_text(one)
    if apart:
        yield Line(f"  not compared: {apart}", "warn")


def _nothing(one: VariantComparison) -> str:
    if one.only_before and not one.only_after and not one.ungraded:
        return f"only in the baseline ({cases(one.only_before)})"
    if one.only_after and not one.only_before and not one.ungraded:
        return f"not in the baseline ({cases(one.only_after)})"
    return f"no case was graded in both runs: {unpaired_text(one)}"


def regression_text(one: VariantComparison, margin: float) -> str:
    """Return why a variant is held to be worse, no worse, or neither."""
    points = f"{100 * margin:.3g} points"
    if one.low is None or one.worse is None:
        return "no case was graded in both runs"
    low = f"at worst {100 * one.low:+.0f} points"
    match one.result(margin):
        case "fail" if one.critical:
            return f"lost for good: {len(one.critical)} critical ({_worse(one)})"
        case "fail":
            return f"more cases broke than chance explains ({_worse(one)})"
        case "pass":
            return f"the pass rate fell by less than {points} ({low}, one-sided 95%)"
        case _:
            return (
                f"a drop of {points} is not ruled out, nor is any shown "
                f"({low}, one-sided 95%; {cases(one.pairs)} compared)"
            )


def _worse(one: VariantComparison) -> str:
    return f"one-sided mid-p {_p(one.worse or 0.0)}"


def _chance(one: VariantComparison) -> str:
    if one.p is None:
        discordant = len(one.fixed) + len(one.broken)
        return f"no difference detected, {discordant} discordant"
    return f"mid-p {_p(one.p)}"


def _p(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else "<0.001"  # noqa: PLR2004 - three digits are shown


def unpaired_text(one: VariantComparison) -> str:
    """Return which cases could not be paired, empty where all could."""
    counts = [
        (one.only_before, "only in the baseline"),
        (one.only_after, "only in this run"),
        (one.ungraded, "without a grade in one of them"),
    ]
    return ", ".join(f"{cases(count)} {where}" for count, where in counts if count)


def _listed(what: str, changed: Sequence[Changed], style: Style) -> Iterator[Line]:
    for one in changed[:LISTED]:
        yield Line(
            f"  {what}: {printable(one.file)}:{one.line} {one_line(one.id)}", style
        )
    if len(changed) > LISTED:
        yield Line(f"  {what}: and {len(changed) - LISTED} more", style)


# -- two diagnoses ---------------------------------------------------------


def _diagnoses(before: VariantDiagnosis, after: VariantDiagnosis) -> Iterator[Line]:
    old, new = verdict_name(before.verdict), verdict_name(after.verdict)
    told = f"still {new}" if old == new else f"{old} before, now {new}"
    yield Line(f"  verdict: {told}", "plain")
    rates = [_rates(before, after, mark) for mark in MARKS]
    yield Line(f"  failed: {'; '.join(filter(None, rates))}", "plain")
    if before.probed and after.probed:
        yield Line(f"  causes: {_causes(before, after)}", "plain")


def _rates(before: VariantDiagnosis, after: VariantDiagnosis, mark: str) -> str:
    rates = [
        next((rate for name, rate in one.rates.items() if name == mark), None)
        for one in (before, after)
    ]
    if not any(rates):
        return ""
    counts = [f"{one.failed} of {one.cases}" if one else "no cases" for one in rates]
    return f"{mark} {counts[0]} before, now {counts[1]}"


def _causes(before: VariantDiagnosis, after: VariantDiagnosis) -> str:
    causes = dict.fromkeys([*before.causes, *after.causes])
    counts = [
        (cause, before.causes.get(cause, 0), after.causes.get(cause, 0))
        for cause in causes
    ]
    moved = [
        f"{cause} {old} before, now {new}" for cause, old, new in counts if old != new
    ]
    probed = f"{before.probed} probed before, now {after.probed}"
    return f"{'; '.join(moved) or 'the same'} ({probed})"


def verdict_name(verdict: SuiteVerdict) -> str:
    """Return a verdict in one or two words, with its probability."""
    name = verdict.kind.replace("_", " ").upper()
    sure = "" if verdict.probability is None else f" (P={verdict.probability:.2f})"
    if verdict.kind in {"knowledge", "behavior", "both"} and not verdict.settled:
        return f"leaning {name}{sure}"
    return f"{name}{sure}"

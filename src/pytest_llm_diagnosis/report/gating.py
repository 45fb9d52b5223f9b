"""Gates in words: whether they hold, and every value that decided it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_llm_diagnosis.diagnosis import Diagnosis
from pytest_llm_diagnosis.errors import valid_choices
from pytest_llm_diagnosis.gates import Judged, Measure, Missing
from pytest_llm_diagnosis.stats import Interval

from .comparing import unpaired_text
from .layout import WIDTH, fitted
from .lines import Line, Style, printable
from .verdicts import cases, percent_range

_MISSING: Mapping[Missing, str] = {
    "no_variants": "undefined, no case ran",
    "no_such_variant": "undefined, this variant did not run",
    "no_cases": "undefined, no such case was graded",
    "not_probed": (
        "undefined, its failures were not probed (--llm-probe-variants, or name "
        "another variant: 'base: ...')"
    ),
    "no_baseline": "undefined, there is no baseline",
    "no_pairs": "undefined, no case was graded both here and in the baseline",
}


def gate_lines(
    judged: Sequence[Judged], diagnosis: Diagnosis, width: int = WIDTH
) -> Iterator[Line]:
    """Yield each gate with its result; what failed it, or what it let pass."""
    yield from fitted(_gates(judged, diagnosis), width)


def _gates(judged: Sequence[Judged], diagnosis: Diagnosis) -> Iterator[Line]:
    names = [one.name for one in diagnosis.variants]
    for one in judged:
        result, style = _result(one)
        yield Line(f"{result}: {printable(one.gate.text)}", style)
        for measure in one.measures:
            if not one.passed or measure.inconclusive:
                yield Line(f"  {_measured(measure, names)}", "plain")
    without = sum(one.errors + one.skipped for one in diagnosis.variants)
    if judged and without:
        text = f"{cases(without)} got no grade and did not vote in any rate"
        yield Line(f"  {text} (gate: errors == 0 and skipped == 0)", "warn")


def _result(judged: Judged) -> tuple[str, Style]:
    return ("gate passed", "good") if judged.passed else ("gate FAILED", "bad")


def _measured(measure: Measure, names: Sequence[str]) -> str:
    if measure.missing == "no_variants":
        return _MISSING["no_variants"]
    told = f"{printable(measure.variant)}: {measure.text}"
    if measure.missing is not None:
        hint = ""
        if measure.missing == "no_such_variant":
            hint = f"; {valid_choices(measure.variant, names, 'ran')}"
        return f"{told}: {_MISSING[measure.missing]}{printable(hint)}"
    holds = "holds" if measure.holds else "does not hold"
    return f"{told}: {holds}, {_value(measure)}"


def _value(measure: Measure) -> str:
    if measure.rate is not None:
        rate = measure.rate
        passed = f"{rate.cases - rate.failed} of {rate.cases} passed"
        if rate.interval is None:
            return passed
        low, high = rate.interval
        interval = percent_range(Interval(1 - high, 1 - low))
        return f"{passed} (95% {interval})"
    if measure.compared is not None:
        one = measure.compared
        apart = unpaired_text(one)
        aside = f"; {apart}" if apart else ""
        return (
            f"{measure.value} ({len(one.fixed)} fixed and {len(one.broken)} broken of "
            f"{cases(one.pairs)} compared{aside})"
        )
    return f"it is {measure.value}"


def exit_line(*, passed: bool, failed: int, others: int) -> Line:
    """Return how the gates and the tests beside them decide the exit code.

    `failed` evals failed or had an error, as did `others`: tests that are no evals,
    and files that could not be collected.
    """
    if others:
        ends = "the run fails whatever the gate says"
        text = f"beside the evals {others} failed or could not be collected: {ends}"
        return Line(text, "bad")
    if not passed:
        return Line("the gate decides for the evals: the run fails", "bad")
    if failed:
        told = "1 eval that did" if failed == 1 else f"{failed} evals that did"
        text = f"the gate decides for the evals: the run passes, with {told} not pass"
        return Line(text, "good")
    return Line("the gate decides for the evals: the run passes", "good")


def not_judged_line(reason: str) -> Line:
    """Return that the gates were not asked, so they let nothing pass that failed."""
    return Line(f"gate not judged: {reason}", "warn")

"""The terminal's lines: the plan before the first call, the wait, the summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pytest_llm_diagnosis.diagnosis import (
    Diagnosis,
    SuiteVerdict,
    VariantDiagnosis,
)
from pytest_llm_diagnosis.records import RunFacts

from .audit import audit_lines
from .comparing import comparison_lines, verdict_name
from .coverage import INTERRUPTED, caveats, uncovered_lines
from .giving import giving_texts
from .ladder import ladder_lines
from .layout import WIDTH, fitted, table_lines
from .lines import Line, Style, one_line, printable
from .side_effects import side_effect_lines
from .tables import flip_lines, rate_lines, recall_lines
from .verdicts import next_text, verdict_text
from .view import View
from .wording import (
    cause_table,
    cause_text,
    confirmation_text,
    confound_text,
    detail_texts,
    head_text,
)

if TYPE_CHECKING:
    # Reports are read and written where nothing is asked.
    from pytest_llm_diagnosis.retrieving import EmbeddingPlan

__all__ = [
    "INTERRUPTED",
    "Plan",
    "evidence_lines",
    "note_text",
    "plan_line",
    "quiet_lines",
    "run_text",
    "summary_lines",
    "verdict_lines",
]


_LONGEST = 2000
"""Characters of one sentence: names come from files and may be of any length."""


class Plan(NamedTuple):
    """What a run is about to do: distinct calls, and how many need not be made.

    At most `probes` failing cases are asked again.
    """

    calls: int
    stored: int
    probes: int
    replay: bool = False


def plan_line(plan: Plan) -> str:
    """Return the plan on one line."""
    if plan.replay:
        text = f"llm: {_count(plan.calls, 'answer')} to replay, {plan.stored} recorded"
    else:
        text = f"llm: {_count(plan.calls, 'call')} planned, {plan.stored} stored"
    probes = _count(plan.probes, "failure")
    return f"{text}; up to {probes} probed" if plan.probes else text


def embedding_line(plan: EmbeddingPlan) -> str:
    """Return what is about to be embedded, on one line."""
    calls, texts = _count(plan.calls, "call"), _count(plan.texts, "text")
    return f"llm: {calls} to embed {texts} for {plan.variant}, {plan.stored} stored"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def summary_lines(
    view: View, *, causes: bool = False, width: int = WIDTH
) -> list[Line]:
    """Return the summary that a reviewer reads, with `causes` that of each case.

    What to do comes first, then why, then what to look at, then what is missing.
    """
    if not view.results:
        cut = [Line(text, "warn") for text in caveats(view)]
        return list(fitted([*cut, *_run(view.run, 0)], width))
    diagnosis = view.diagnosis
    probed = _probed(diagnosis)
    lines = [
        *_verdicts(probed, diagnosis),
        *(Line(_flat(confirmation_text(one)), "head") for one in view.confirmations),
        *(Line(text, "warn") for text in caveats(view)),
        Line(""),
        *rate_lines(diagnosis, width),
        *flip_lines(diagnosis, width),
        *recall_lines(diagnosis),
        *_giving(diagnosis),
        *(
            Line(f"note: {_flat(confound_text(c))}", "warn")
            for c in diagnosis.confounds
        ),
        *(line for one in probed for line in evidence_lines(one, width)),
        *side_effect_lines(diagnosis),
        *audit_lines(probed),
        *_changes(view, width),
        *(_causes(view) if causes else ()),
        *uncovered_lines(view),
        Line(""),
        *_run(view.run, sum(one.calls for one in diagnosis.variants)),
    ]
    return list(fitted(lines, width))


def _giving(diagnosis: Diagnosis) -> Iterator[Line]:
    texts = list(giving_texts(diagnosis))
    if texts:
        yield Line("")
    yield from (Line(_flat(text)) for text in texts)


def quiet_lines(view: View, *, width: int = WIDTH) -> list[Line]:
    """Return a line a variant: the summary with `-q`.

    A run that was cut, or has nothing else to tell, says what it paid.
    """
    lines = [_quiet(one, view, width) for one in view.diagnosis.variants]
    cut = [Line(f"llm: {text}", "warn") for text in caveats(view)]
    if cut or not view.results:
        counted = sum(one.calls for one in view.diagnosis.variants)
        cut.append(Line(f"run: {run_text(view.run, counted)}"))
    return list(fitted([*lines, *cut], width))


def _probed(diagnosis: Diagnosis) -> Sequence[VariantDiagnosis]:
    """Return the variants with a verdict to tell: those asked again, else the first."""
    return [one for one in diagnosis.variants if one.probed] or diagnosis.variants[:1]


def _verdicts(
    probed: Sequence[VariantDiagnosis], diagnosis: Diagnosis
) -> Iterator[Line]:
    for number, one in enumerate(probed):
        if number:
            yield Line("")
        yield from verdict_lines(one, diagnosis)


def verdict_lines(variant: VariantDiagnosis, diagnosis: Diagnosis) -> Iterator[Line]:
    """Yield what is claimed of a variant, and what to try next.

    The variant is named where several ran.
    """
    text = verdict_text(variant)
    text = text if text.startswith("verdict") else f"verdict: {text}"
    several = len(diagnosis.variants) > 1
    named = f"{printable(variant.name)}: " if several else ""
    yield Line(f"{named}{_flat(text)}", _meaning(variant.verdict))
    following = next_text(variant, diagnosis)
    if following:
        yield Line(f"next: {_flat(following)}", "head")


def _flat(text: str) -> str:
    """Return a text whose names are mere text, on one line, to be wrapped later."""
    return one_line(text, _LONGEST)


def _meaning(verdict: SuiteVerdict) -> Style:
    if verdict.kind == "no_failures":
        return "good"
    return "head" if verdict.settled else "warn"


def evidence_lines(variant: VariantDiagnosis, width: int = WIDTH) -> Iterator[Line]:
    """Yield why a variant fails: its causes, what else they show, the fix ladder."""
    if variant.probed:
        yield Line("")
        name = printable(variant.name)
        yield Line(f"diagnosis of {name}: {head_text(variant)}", "head")
        yield from table_lines(cause_table(variant), width, indent="  ")
        yield from (Line(f"  {_flat(text)}") for text in detail_texts(variant))
    if variant.fixes:
        yield Line("")
        yield from ladder_lines(variant, width)


def _quiet(variant: VariantDiagnosis, view: View, width: int) -> Line:
    failed = (
        f"llm {printable(variant.name)}: {variant.failing} of {variant.cases} failed"
    )
    missing = [_count(variant.errors, "error")] if variant.errors else []
    missing += [f"{variant.skipped} skipped"] if variant.skipped else []
    rates = [f"{mark} {r.failed} of {r.cases}" for mark, r in variant.rates.items()]
    said = [verdict_name(variant.verdict)] if variant.probed else []
    if view.comparison is not None:
        result = view.comparison.results.get(variant.name)
        said += [f"baseline: {result.upper()}"] if result else []
    short = "; ".join([", ".join([failed, *missing]), *said])
    text = "; ".join([f"{', '.join([failed, *missing])} ({', '.join(rates)})", *said])
    text = text if rates and len(text) <= width else short
    return Line(text, "good" if not variant.failing and not missing else "plain")


def _changes(view: View, width: int) -> Iterator[Line]:
    if view.comparison is not None:
        yield Line("")
        yield from comparison_lines(view.comparison, view.diagnosis, width)


def _causes(view: View) -> Iterator[Line]:
    found = [one for one in view.results if one.finding is not None]
    if found:
        yield Line("")
        yield Line("causes, case by case:", "head")
    for one in found:
        if one.finding is not None:
            place = f"{one.file}:{one.line} {one.id}[{one.variant}]"
            yield Line(_flat(f"{place}: {cause_text(one.finding)}"))


def _run(run: RunFacts, counted: int) -> Iterator[Line]:
    yield Line(f"run: {run_text(run, counted)}")
    for note in run.notes:
        yield Line(f"note: {note_text(note)}", "warn")


def run_text(run: RunFacts, counted: int) -> str:
    """Return the calls of a run and what they cost; `counted` probes were used."""
    cost = "cost unknown" if run.usd is None else f"{run.usd:.4f} USD"
    parts = [_count(run.calls, "call"), _count(run.stored, "stored answer")]
    if run.probe_calls:
        were = "was a probe" if run.probe_calls == 1 else "were probes"
        probes = f"{run.probe_calls} of the calls {were}"
        # Several cases are asked at a time: more than it takes to settle a verdict.
        beyond = not run.stored and counted < run.probe_calls
        parts.append(f"{probes} (a diagnosis uses {counted})" if beyond else probes)
    if run.check_calls:
        parts.append(f"{_were(run.check_calls)} made by checks")
    if run.retrieval_calls:
        parts.append(f"{_were(run.retrieval_calls)} made by retrieval")
    if run.retries:
        retries = "1 retry" if run.retries == 1 else f"{run.retries} retries"
        them = "it" if run.retries == 1 else "them"
        parts.append(f"{retries}, {run.waited:.1f} s waited for {them}")
    # A worker that ended early has not told what it paid: its cost is None.
    paid = cost if run.calls or run.usd is None else "nothing paid"
    return f"{', '.join(parts)}; {paid}"


def _were(number: int) -> str:
    return "1 was" if number == 1 else f"{number} were"


def note_text(note: str) -> str:
    """Return a run's note on one line."""
    rows = "; ".join(row.strip() for row in note.splitlines())
    return one_line(rows, 300)

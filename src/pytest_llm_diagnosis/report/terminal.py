"""The terminal's lines: the plan before the first call, the wait, the summary."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from pytest_llm_diagnosis.diagnosis import Confirmation, Diagnosis, VariantDiagnosis
from pytest_llm_diagnosis.records import RunFacts

from .comparing import comparison_lines
from .giving import giving_texts
from .lines import Line, Style, one_line, printable
from .tables import flip_lines, rate_lines, recall_lines
from .view import View
from .wording import (
    WIDTH,
    cause_text,
    confirmed_lines,
    confound_lines,
    diagnosis_lines,
)

if TYPE_CHECKING:
    # Reports are read and written where nothing is asked.
    from pytest_llm_diagnosis.retrieving import EmbeddingPlan


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


def summary_lines(view: View, *, causes: bool = False) -> list[Line]:
    """Return the summary that a reviewer reads, with `causes` that of each case."""
    if not view.results:
        return list(_run(view.run, 0))
    diagnosis = view.diagnosis
    probed = [one for one in diagnosis.variants if one.probed] or diagnosis.variants[:1]
    return [
        *rate_lines(diagnosis),
        *flip_lines(diagnosis),
        *recall_lines(diagnosis),
        *_giving(diagnosis),
        *(Line(text, "warn") for text in confound_lines(diagnosis.confounds)),
        Line(""),
        *(line for variant in probed for line in _diagnosis(variant, diagnosis)),
        *_partial(view),
        *(line for one in view.confirmations for line in _confirmation(one)),
        *_changes(view),
        *(_causes(view) if causes else ()),
        Line(""),
        *_run(view.run, sum(one.calls for one in diagnosis.variants)),
    ]


def _giving(diagnosis: Diagnosis) -> Iterator[Line]:
    texts = list(giving_texts(diagnosis))
    if texts:
        yield Line("")
    for text in texts:
        yield from _wrapped(printable(text), "plain")


def _changes(view: View) -> Iterator[Line]:
    if view.comparison is not None:
        yield Line("")
        yield from comparison_lines(view.comparison, view.diagnosis)


def _causes(view: View) -> Iterator[Line]:
    yield Line("")
    for one in view.results:
        if one.finding is not None:
            place = f"{one.file}:{one.line} {printable(one.id)}[{one.variant}]"
            yield from _wrapped(f"{place}: {cause_text(one.finding)}", "plain")


def _wrapped(text: str, style: Style) -> Iterator[Line]:
    # A path stays whole, so that it can be clicked and copied.
    for row in textwrap.wrap(
        text,
        WIDTH,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    ):
        yield Line(row, style)


def _partial(view: View) -> Iterator[Line]:
    """Say that a spent budget left cases out, beside the verdict it makes partial."""
    if view.run.unasked:
        unasked = f"{view.run.unasked} of {_count(len(view.results), 'case')}"
        yield Line(f"partial: the budget left {unasked} unasked", "warn")


def _confirmation(confirmation: Confirmation) -> Iterator[Line]:
    for text in confirmed_lines(confirmation):
        yield Line(text, "head")


def _diagnosis(variant: VariantDiagnosis, diagnosis: Diagnosis) -> Iterator[Line]:
    for text in diagnosis_lines(variant, diagnosis):
        yield Line(text, "head" if text.startswith(("verdict", "next")) else "plain")


def _run(run: RunFacts, counted: int) -> Iterator[Line]:
    yield from _wrapped(f"run: {run_text(run, counted)}", "plain")
    if run.interrupted:
        yield Line(INTERRUPTED, "warn")
    for note in run.notes:
        yield from _wrapped(f"note: {note_text(note)}", "warn")


INTERRUPTED = "interrupted: this covers only the cases that were reported"


def run_text(run: RunFacts, counted: int) -> str:
    """Return the calls of a run and what they cost; `counted` probes were used."""
    cost = "cost unknown" if run.usd is None else f"{run.usd:.4f} USD"
    parts = [f"{run.calls} calls", f"{run.stored} stored answers"]
    if run.probe_calls:
        probes = f"{run.probe_calls} of the calls were probes"
        # Several cases are asked at a time: more than it takes to settle a verdict.
        beyond = not run.stored and counted < run.probe_calls
        parts.append(f"{probes} (a diagnosis uses {counted})" if beyond else probes)
    if run.check_calls:
        parts.append(f"{run.check_calls} were made by checks")
    if run.retrieval_calls:
        parts.append(f"{run.retrieval_calls} were made by retrieval")
    if run.retries:
        parts.append(f"{run.retries} retries, {run.waited:.1f} s waited for them")
    # A worker that ended early has not told what it paid: its cost is None.
    paid = cost if run.calls or run.usd is None else "nothing paid"
    return f"{', '.join(parts)}; {paid}"


def note_text(note: str) -> str:
    """Return a run's note on one line."""
    rows = "; ".join(row.strip() for row in note.splitlines())
    return one_line(rows, 300)

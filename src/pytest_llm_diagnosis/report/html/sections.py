"""What stands above the cases, in words and drawings, ready for the template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pytest_llm_diagnosis.diagnosis import (
    Diagnosis,
    Flip,
    Rate,
    Spotted,
    VariantDiagnosis,
    posterior,
)
from pytest_llm_diagnosis.records import MARKS, CaseResult, Cause, Mark
from pytest_llm_diagnosis.report.audit import failed_text, spotted_lists
from pytest_llm_diagnosis.report.comparing import comparison_lines, verdict_name
from pytest_llm_diagnosis.report.giving import giving_texts
from pytest_llm_diagnosis.report.markdown import uncovered
from pytest_llm_diagnosis.report.tables import (
    Table,
    flip_table,
    part_table,
    recall_texts,
)
from pytest_llm_diagnosis.report.terminal import run_text
from pytest_llm_diagnosis.report.verdicts import (
    FIXES,
    next_text,
    percent_range,
    verdict_text,
)
from pytest_llm_diagnosis.report.view import View
from pytest_llm_diagnosis.report.wording import (
    cause_table,
    confirmation_text,
    confound_text,
    detail_texts,
    head_text,
)
from pytest_llm_diagnosis.stats import SMALL_RATE

from . import plots
from .tried import Effects, Ladder, Places, effects_of, ladder_of, places_of


class Headline(NamedTuple):
    """A verdict in a few words, how sure it is, and the rest of what it says."""

    name: str
    sure: str
    text: str
    side: str


class Measured(NamedTuple):
    """A rate: its counts, and in percent where its interval and its point lie."""

    name: str
    mark: str
    counts: str
    range: str
    drawn: bool
    low: float
    high: float
    point: float


class Share(NamedTuple):
    """How many failures have a cause, and what fixed them."""

    cause: Cause
    cases: int
    percent: float
    fix: str


class Leaning(NamedTuple):
    """The drawings of where a variant stands; None where there is nothing to draw."""

    plane: plots.Plane | None
    lean: plots.Lean | None


class Pointed(NamedTuple):
    """A case worth a look, and its place among the results.

    `failed` says what failed, where that and not the mark contradicts the cause.
    """

    case: Spotted
    at: int
    failed: str


class Block(NamedTuple):
    """All that is said of a variant that was probed, or of the first one."""

    name: str
    headline: Headline
    next: str
    summary: str
    causes: tuple[Share, ...]
    shares: tuple[Measured, ...]
    leaning: Leaning
    ladder: Ladder | None
    details: tuple[str, ...]
    audit: tuple[tuple[str, tuple[Pointed, ...]], ...]


class Pair(NamedTuple):
    """What a variant fixes and breaks of the cases of one mark, in percent too."""

    flip: Flip
    told: str
    fixed: float
    broken: float


class Page(NamedTuple):
    """Everything above the cases.

    `tables` are of plain cells, the head first: what a summary shows so needs no
    place of its own in the template.
    """

    title: str
    started: str
    selection: tuple[str, ...]
    blocks: tuple[Block, ...]
    rates: tuple[tuple[str, tuple[Measured, ...]], ...]
    tables: tuple[Table, ...]
    pairs: tuple[Pair, ...]
    recall: tuple[str, ...]
    costs: tuple[str, ...]
    effects: tuple[Effects, ...]
    confirmations: tuple[str, ...]
    changes: tuple[str, ...]
    confounds: tuple[str, ...]
    uncovered: tuple[tuple[str, tuple[str, ...]], ...]
    run: str
    seed: int
    cases: int


def page_of(view: View) -> Page:
    """Return what the template shows of a run."""
    diagnosis = view.diagnosis
    variants = diagnosis.variants
    shown = [one for one in variants if one.probed] or list(variants[:1])
    places = places_of(view)
    changes = (
        comparison_lines(view.comparison, diagnosis) if view.comparison else iter(())
    )
    return Page(
        title=_title(shown),
        started=_moment(view.run.started),
        selection=tuple(one.name for one in variants),
        blocks=tuple(_block(one, view, places) for one in shown),
        rates=tuple((one.name, tuple(_rates(one))) for one in variants),
        tables=(part_table(diagnosis),) if variants else (),
        pairs=tuple(_pairs(diagnosis)),
        recall=tuple(recall_texts(diagnosis)),
        costs=tuple(giving_texts(diagnosis)),
        effects=tuple(effects_of(diagnosis, places)),
        confirmations=tuple(map(confirmation_text, view.confirmations)),
        changes=tuple(line.text for line in changes),
        confounds=tuple(map(confound_text, diagnosis.confounds)),
        uncovered=tuple((title, tuple(texts)) for title, texts in uncovered(view)),
        run=run_text(view.run, sum(one.calls for one in variants)),
        seed=diagnosis.seed,
        cases=len(view.results),
    )


def _moment(started: str) -> str:
    """Return ISO 8601 in UTC as a person reads it."""
    return f"{started[:16].replace('T', ' ')} UTC" if "T" in started else started


def _title(shown: Sequence[VariantDiagnosis]) -> str:
    if not shown:
        return "LLM diagnosis"
    return f"{_headline(shown[0]).name}: {shown[0].name} - LLM diagnosis"


# -- a variant -------------------------------------------------------------


def _block(variant: VariantDiagnosis, view: View, places: Places) -> Block:
    results = [one for one in view.results if one.variant == variant.name]
    return Block(
        name=variant.name,
        headline=_headline(variant),
        next=_sentence(next_text(variant, view.diagnosis)),
        summary=_sentence(head_text(variant)),
        causes=tuple(_causes(variant)),
        shares=tuple(_shares(variant)),
        leaning=_leaning(variant, results, view.diagnosis.seed),
        ladder=ladder_of(variant),
        details=tuple(map(_sentence, detail_texts(variant))),
        audit=tuple(_audit(variant, places)),
    )


def _audit(
    variant: VariantDiagnosis, places: Places
) -> Iterator[tuple[str, tuple[Pointed, ...]]]:
    for title, spotted in spotted_lists(variant):
        yield (
            title,
            tuple(
                Pointed(
                    case,
                    places[variant.name, case.file, case.id],
                    failed_text(case) if case.failed else "",
                )
                for case in spotted
            ),
        )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


# A verdict begins with its name in capitals and, in brackets, how sure it is.
_NAMED = re.compile(r"([A-Z][A-Z ]+)(?: \((P=[^)]*)\))?\. (.*)", re.DOTALL)


def _headline(variant: VariantDiagnosis) -> Headline:
    text, side = verdict_text(variant), _side(variant)
    named = _NAMED.fullmatch(text)
    if named is not None:
        return Headline(named[1].capitalize(), named[2] or "", named[3], side)
    verdict = variant.verdict
    name = _sentence(verdict_name(verdict).partition(" (")[0].lower())
    sure = "" if verdict.probability is None else f"P={verdict.probability:.2f}"
    return Headline(name, sure, _sentence(text.removeprefix("none ")), side)


def _side(variant: VariantDiagnosis) -> str:
    """Return the side that a settled verdict names; one that leans has no color."""
    verdict = variant.verdict
    if verdict.kind not in {*MARKS, "both"}:
        return "neutral"
    return verdict.kind if verdict.settled else "open"


def _causes(variant: VariantDiagnosis) -> Iterator[Share]:
    fixes = {row[0]: row[2] for row in cause_table(variant)[1:]}
    for cause, count in variant.causes.items():
        fix = fixes.get(cause, FIXES[cause])
        yield Share(cause, count, 100 * count / variant.probed, fix)


_SHARES: dict[Mark, str] = {
    "knowledge": "fail for lack of knowledge",
    "behavior": "fail for behavior",
}


def _shares(variant: VariantDiagnosis) -> Iterator[Measured]:
    for mark, rate in variant.shares.items():
        yield _measured(_SHARES[mark], mark, rate)


def _rates(variant: VariantDiagnosis) -> Iterator[Measured]:
    for mark in MARKS:
        rate = variant.rates.get(mark)
        if rate is not None:
            yield _measured(mark, mark, rate)


def _measured(name: str, mark: str, rate: Rate) -> Measured:
    """Return a rate to be drawn; below five cases counts alone are shown."""
    about = "about " if rate.estimated else ""
    counts = f"{about}{rate.failed} of {rate.cases}"
    if rate.interval is None or rate.cases < SMALL_RATE:
        return Measured(name, mark, counts, "", False, 0, 0, 0)
    low, high = rate.interval
    return Measured(
        name=name,
        mark=mark,
        counts=counts,
        range=percent_range(rate.interval),
        drawn=True,
        low=round(100 * low, 2),
        high=round(100 * high, 2),
        point=round(100 * rate.failed / rate.cases, 2),
    )


def _leaning(
    variant: VariantDiagnosis, results: Sequence[CaseResult], seed: int
) -> Leaning:
    if not variant.probed:
        return Leaning(None, None)
    draws = posterior(results, seed)
    return Leaning(
        plots.plane(draws.shares) if draws.shares else None,
        plots.lean(draws) if draws.leans else None,
    )


# -- several variants ------------------------------------------------------


def _pairs(diagnosis: Diagnosis) -> Iterator[Pair]:
    rows = flip_table(diagnosis)[1:]
    for flip, row in zip(diagnosis.flips, rows, strict=True):
        yield Pair(
            flip,
            row[-1],
            _percent(flip.fixed, flip.failing),
            _percent(flip.broken, flip.passing),
        )


def _percent(count: int, of: int) -> float:
    return round(100 * count / of, 1) if of else 0.0

"""The tables of a summary: what failed under each variant, what others change."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TypeAlias

from pytest_llm_diagnosis.diagnosis import (
    Diagnosis,
    Flip,
    Rate,
    Recall,
    VariantDiagnosis,
)
from pytest_llm_diagnosis.records import MARKS
from pytest_llm_diagnosis.stats import SMALL_RATE

from .lines import Line, printable
from .verdicts import chance, percent_range

Table: TypeAlias = list[list[str]]
"""Rows of cells, the head first."""


def rate_lines(diagnosis: Diagnosis) -> Iterator[Line]:
    """Yield failures by variant and mark, and which part of them failed."""
    yield from _aligned(rate_table(diagnosis))
    yield Line("")
    yield from _aligned(part_table(diagnosis))


def rate_table(diagnosis: Diagnosis) -> Table:
    """Return failures by variant and mark."""
    rows = [
        [one.name, *(_rate(one.rates.get(mark)) for mark in MARKS)]
        for one in diagnosis.variants
    ]
    return [["failed", *MARKS], *rows]


def part_table(diagnosis: Diagnosis) -> Table:
    """Return which part of the failing cases failed, by variant."""
    variants = diagnosis.variants
    judged = any(variant.failed_part.judged for variant in variants)
    return [
        ["what failed", "facts only", "form only", "both", "limits only",
         *(["judge only"] if judged else []), "errors", "skipped"],
        *(_parts(variant, judged=judged) for variant in variants),
    ]  # fmt: skip


def _rate(rate: Rate | None) -> str:
    """Return `17 of 24 (95% 51-85%)`; never a percentage without its interval."""
    if rate is None:
        return "no cases"
    counts = f"{rate.failed} of {rate.cases}"
    if rate.interval is None or rate.cases < SMALL_RATE:
        return counts
    return f"{counts} (95% {percent_range(rate.interval)})"


def _parts(variant: VariantDiagnosis, *, judged: bool) -> list[str]:
    part = variant.failed_part
    counts = [part.facts, part.form, part.both, part.limits]
    counts += [part.judged] if judged else []
    return [variant.name, *map(str, (*counts, variant.errors, variant.skipped))]


def flip_lines(diagnosis: Diagnosis) -> Iterator[Line]:
    """Yield what each variant fixes and breaks against the first one."""
    if diagnosis.flips:
        yield Line("")
        yield from _aligned(flip_table(diagnosis))


def flip_table(diagnosis: Diagnosis) -> Table:
    """Return what each variant fixes and breaks; empty without another variant."""
    if not diagnosis.flips:
        return []
    head = [f"against {diagnosis.flips[0].from_}", "mark", "fixes", "breaks", "mid-p"]
    return [head, *map(_flip, diagnosis.flips)]


def _flip(flip: Flip) -> list[str]:
    if flip.p is None:
        told = f"no difference detected ({flip.fixed + flip.broken} discordant)"
    else:
        told = chance(flip.p)
    fixes = f"{flip.fixed} of {flip.failing}"
    return [flip.to, flip.mark, fixes, f"{flip.broken} of {flip.passing}", told]


def recall_lines(diagnosis: Diagnosis) -> Iterator[Line]:
    """Yield how often each retrieving variant found the passage with the answer."""
    texts = recall_texts(diagnosis)
    if texts:
        yield Line("")
    for text in texts:
        yield from map(Line, textwrap.wrap(text, 80, subsequent_indent="  "))


def recall_texts(diagnosis: Diagnosis) -> list[str]:
    """Return how often each retrieving variant found the passage with the answer."""
    return [
        f"{printable(one.name)}: {_recall(one.recall)}"
        for one in diagnosis.variants
        if one.recall is not None
    ]


def _recall(recall: Recall) -> str:
    among = "those" if recall.k is None else f"the {recall.k}"
    cases = "case" if recall.cases == 1 else "cases"
    counts = f"{recall.retrieved} of {recall.cases} {cases}"
    if recall.interval is not None and recall.cases >= SMALL_RATE:
        counts += f" (95% {percent_range(recall.interval)})"
    was = "was the one" if recall.k == 1 else f"was among {among}"
    told = f"the gold passage {was} retrieved in {counts}"
    return told if recall.k == 1 else f"{told}, at rank 1 in {recall.first}"


def _aligned(table: Table) -> Iterator[Line]:
    """Yield aligned columns."""
    safe = [[printable(cell) for cell in row] for row in table]
    widths = [max(map(len, column)) for column in zip(*safe, strict=True)]
    for number, row in enumerate(safe):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield Line("  ".join(cells).rstrip(), "plain" if number else "head")

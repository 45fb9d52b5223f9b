"""The tables of a summary: what failed under each variant, what others change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_llm_diagnosis.diagnosis import Diagnosis, Flip, Rate, VariantDiagnosis
from pytest_llm_diagnosis.records import MARKS

from .lines import Line, printable

FEW = 5
"""Below this many cases a rate is shown as counts only."""


def rate_lines(diagnosis: Diagnosis) -> Iterator[Line]:
    """Yield failures by variant and mark, and which part of them failed."""
    variants = diagnosis.variants
    yield from _table(
        ["failed", *MARKS],
        [[v.name, *(_rate(v.rates.get(mark)) for mark in MARKS)] for v in variants],
    )
    yield Line("")
    judged = any(variant.failed_part.judged for variant in variants)
    yield from _table(
        ["what failed", "facts only", "form only", "both", "limits only",
         *(["judge only"] if judged else []), "errors", "skipped"],
        [_parts(variant, judged=judged) for variant in variants],
    )  # fmt: skip


def _rate(rate: Rate | None) -> str:
    """Return `17 of 24 (95% 51-85%)`; never a percentage without its interval."""
    if rate is None:
        return "no cases"
    counts = f"{rate.failed} of {rate.cases}"
    if rate.interval is None or rate.cases < FEW:
        return counts
    low, high = (round(100 * end) for end in rate.interval)
    return f"{counts} (95% {low}-{high}%)"


def _parts(variant: VariantDiagnosis, *, judged: bool) -> list[str]:
    part = variant.failed_part
    counts = [part.facts, part.form, part.both, part.limits]
    counts += [part.judged] if judged else []
    return [variant.name, *map(str, (*counts, variant.errors, variant.skipped))]


def flip_lines(diagnosis: Diagnosis) -> Iterator[Line]:
    """Yield what each variant fixes and breaks against the first one."""
    if not diagnosis.flips:
        return
    yield Line("")
    yield from _table(
        [f"against {diagnosis.flips[0].from_}", "mark", "fixes", "breaks", "mid-p"],
        [_flip(flip) for flip in diagnosis.flips],
    )


def _flip(flip: Flip) -> list[str]:
    if flip.p is None:
        chance = f"no difference detected ({flip.fixed + flip.broken} discordant)"
    else:
        chance = f"{flip.p:.3f}" if flip.p >= 0.001 else "<0.001"  # noqa: PLR2004 - three digits are shown
    fixes = f"{flip.fixed} of {flip.failing}"
    return [flip.to, flip.mark, fixes, f"{flip.broken} of {flip.passing}", chance]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Line]:
    """Yield aligned columns, the head first."""
    safe = [[printable(cell) for cell in row] for row in [head, *rows]]
    widths = [max(map(len, column)) for column in zip(*safe, strict=True)]
    for number, row in enumerate(safe):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield Line("  ".join(cells).rstrip(), "plain" if number else "head")

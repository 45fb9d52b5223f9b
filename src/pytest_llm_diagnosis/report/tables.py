"""The tables of a summary: what failed under each variant, what others change."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_llm_diagnosis.diagnosis import (
    Diagnosis,
    Flip,
    Rate,
    Recall,
    VariantDiagnosis,
)
from pytest_llm_diagnosis.records import MARKS
from pytest_llm_diagnosis.stats import SMALL_RATE

from .layout import WIDTH, Table, table_lines, table_width
from .lines import Line, Style, printable
from .verdicts import chance, percent_range

__all__ = [
    "Table",
    "flip_lines",
    "flip_table",
    "part_table",
    "rate_lines",
    "rate_table",
    "variant_table",
]
_LEVEL = 0.05


def rate_lines(diagnosis: Diagnosis, width: int = WIDTH) -> Iterator[Line]:
    """Yield a line a variant: failures by mark, and which part of them failed."""
    whole = variant_table(diagnosis)
    parts = [rate_table(diagnosis), part_table(diagnosis)]
    if table_width(whole) <= width:
        yield from table_lines(whole, width)
    elif max(map(table_width, parts)) <= width:
        yield from table_lines(parts[0], width)
        yield Line("")
        yield from table_lines(parts[1], width)
    else:
        yield from table_lines(variant_table(diagnosis, level="95% "), width)


def variant_table(diagnosis: Diagnosis, level: str = "") -> Table:
    """Return all that failed, a row a variant; parts that nowhere failed are left out.

    Intervals are 95% ones, as the head says, or each by its `level`; `facts` failed
    on facts only.
    """
    parts = part_table(diagnosis)
    parts[0] = [name.removesuffix(" only") for name in parts[0]]
    columns = list(zip(*parts, strict=True))
    shown = [column for column in columns[1:] if set(column[1:]) != {"0"}]
    rates = [
        [one.name, *(_rate(one.rates.get(mark), level) for mark in MARKS)]
        for one in diagnosis.variants
    ]
    ranged = any("%" in cell for row in rates for cell in row[1:])
    head = ["failed (95%)" if ranged else "failed", *MARKS]
    return [
        [*row, *(column[number] for column in shown)]
        for number, row in enumerate([head, *rates])
    ]


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


def _rate(rate: Rate | None, level: str = "95% ") -> str:
    """Return `17 of 24 (95% 51-85%)`; never a percentage without its interval."""
    if rate is None:
        return "no cases"
    counts = f"{rate.failed} of {rate.cases}"
    if rate.interval is None or rate.cases < SMALL_RATE:
        return counts
    return f"{counts} ({level}{percent_range(rate.interval)})"


def _parts(variant: VariantDiagnosis, *, judged: bool) -> list[str]:
    part = variant.failed_part
    counts = [part.facts, part.form, part.both, part.limits]
    counts += [part.judged] if judged else []
    return [variant.name, *map(str, (*counts, variant.errors, variant.skipped))]


def flip_lines(diagnosis: Diagnosis, width: int = WIDTH) -> Iterator[Line]:
    """Yield what each variant fixes and breaks against the first one."""
    if not diagnosis.flips:
        return
    table = flip_table(diagnosis)
    if table_width(table) > width:
        # Fixes and breaks say already how many cases are discordant.
        table = [[*row[:-1], row[-1].partition(" (")[0]] for row in table]
    rows = zip(table[1:], diagnosis.flips, strict=True)
    styles = {tuple(row[:2]): _style(flip) for row, flip in rows}
    yield Line("")
    yield from table_lines(table, width, style=lambda row: styles[tuple(row[:2])])


def _style(flip: Flip) -> Style:
    if flip.p is None or flip.p >= _LEVEL or flip.fixed == flip.broken:
        return "plain"
    return "good" if flip.fixed > flip.broken else "bad"


def flip_table(diagnosis: Diagnosis) -> Table:
    """Return what each variant fixes and breaks; empty without another variant."""
    if not diagnosis.flips:
        return []
    adjusted = sum(flip.p is not None for flip in diagnosis.flips) > 1
    chances = "mid-p (Holm)" if adjusted else "mid-p"
    head = [f"against {diagnosis.flips[0].from_}", "mark", "fixes", "breaks", chances]
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
    yield from map(Line, texts)


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

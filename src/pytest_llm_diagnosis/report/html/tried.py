"""What was tried, ready for the template: the fix ladder, side effects of tuning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

from pytest_llm_diagnosis.diagnosis import (
    Changed,
    Diagnosis,
    SideEffects,
    VariantDiagnosis,
)
from pytest_llm_diagnosis.report.ladder import (
    ladder_table,
    ladder_title,
    missing_texts,
)
from pytest_llm_diagnosis.report.side_effects import (
    changed_lists,
    mark_text,
    side_effect_title,
    style_text,
)
from pytest_llm_diagnosis.report.view import View

Places: TypeAlias = Mapping[tuple[str, str, str], int]
"""Where a case stands among the results, by variant, file and id."""


class Rung(NamedTuple):
    """One fix: its cells, and the percentage of tried cases that it fixed."""

    cells: tuple[str, ...]
    percent: float


class Ladder(NamedTuple):
    """The fixes, the cheapest to try first, and what is not known of them."""

    title: str
    head: tuple[str, ...]
    rungs: tuple[Rung, ...]
    missing: tuple[str, ...]


class Listed(NamedTuple):
    """Cases that changed alike, each with its place among the results."""

    title: str
    style: str
    cases: tuple[tuple[Changed, int], ...]


class Effects(NamedTuple):
    """What a tuned variant changed; `styled` is empty where no fact was dressed up."""

    title: str
    styled: str
    marks: tuple[str, ...]
    lists: tuple[Listed, ...]


def places_of(view: View) -> Places:
    """Return where every case stands among the results."""
    return {(one.variant, one.file, one.id): n for n, one in enumerate(view.results)}


def ladder_of(variant: VariantDiagnosis) -> Ladder | None:
    """Return the fixes that were tried, None where none was."""
    table = ladder_table(variant)
    if not table:
        return None
    rungs = (
        Rung(tuple(row), round(100 * fix.fixed / max(1, fix.tried), 1))
        for fix, row in zip(variant.fixes, table[1:], strict=True)
    )
    missing = tuple(missing_texts(variant))
    return Ladder(ladder_title(variant), tuple(table[0]), tuple(rungs), missing)


def effects_of(diagnosis: Diagnosis, places: Places) -> Iterator[Effects]:
    """Yield what each tuned variant changed beside its base."""
    for one in diagnosis.side_effects:
        yield Effects(
            title=side_effect_title(one),
            styled=style_text(one) if one.styled else "",
            marks=tuple(map(mark_text, one.marks)),
            lists=tuple(_lists(one, places)),
        )


def _lists(effects: SideEffects, places: Places) -> Iterator[Listed]:
    for title, changed, style in changed_lists(effects):
        cases = ((one, places[effects.variant, one.file, one.id]) for one in changed)
        yield Listed(title, style, tuple(cases))

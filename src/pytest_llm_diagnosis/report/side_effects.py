"""The side effects of a fine-tune in words: fixed, broken, made to look right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from pytest_llm_diagnosis.diagnosis import Changed, Diagnosis, MarkEffect, SideEffects

from .lines import Line, Style, one_line, printable
from .verdicts import chance

LISTED = 10
"""Broken cases that are listed; `report.json` has them all."""
FIXED = 3
"""Fixed cases that are listed: they are good news, and need no look."""


def side_effect_lines(diagnosis: Diagnosis) -> Iterator[Line]:
    """Yield what each tuned variant changed beside its base, with the places."""
    for one in diagnosis.side_effects:
        yield Line("")
        yield Line(f"{side_effect_title(one)}:", "head")
        if one.styled:
            yield Line(f"  {style_text(one)}", "bad")
        yield from (Line(f"  {mark_text(mark)}") for mark in one.marks)
        yield from (Line(f"  {text}", style) for text, style in place_texts(one))


def side_effect_title(effects: SideEffects) -> str:
    """Return what is compared."""
    tuned, base = printable(effects.variant), printable(effects.base)
    return f"side effects of the fine-tune, {tuned} beside {base}"


def mark_text(mark: MarkEffect) -> str:
    """Return how many cases of a mark were fixed and broken."""
    changed = len(mark.fixed) + len(mark.broken)
    told = f"no difference detected, {changed} discordant"
    if mark.p is not None:
        told = f"mid-p {chance(mark.p)}"
    return (
        f"{mark.mark}: {len(mark.fixed)} of {mark.failing} failing fixed, "
        f"{len(mark.broken)} of {mark.passing} passing broken ({told})"
    )


def style_text(effects: SideEffects) -> str:
    """Return how often the form was learnt and the fact was not."""
    wrong = len(effects.styled)
    tuned, base = printable(effects.variant), printable(effects.base)
    return (
        f"{tuned} answers {wrong} of {effects.facts} facts wrongly in the house style "
        f"(right form, wrong facts). {base} kept the form in none of these, and had "
        f"{effects.knew} of the {wrong} facts right. A fine-tune teaches the form; "
        "facts need the source in context."
    )


def place_texts(effects: SideEffects) -> Iterator[tuple[str, Style]]:
    """Yield the cases of each kind with their places, the first few of many."""
    for title, changed, style in changed_lists(effects):
        most = FIXED if style == "good" else LISTED
        yield f"{title}: {_places(changed, most)}", style


def changed_lists(
    effects: SideEffects,
) -> Iterator[tuple[str, Sequence[Changed], Style]]:
    """Yield each list of cases that is not empty, with its title and meaning."""
    for mark in effects.marks:
        if mark.fixed:
            yield f"{mark.mark} fixed", mark.fixed, "good"
        if mark.broken:
            yield f"{mark.mark} broken", mark.broken, "bad"
    if effects.styled:
        yield "wrong in the house style", effects.styled, "bad"


def _places(changed: Sequence[Changed], most: int) -> str:
    places = (f"{printable(one.file)}:{one.line} {one_line(one.id)}" for one in changed)
    shown = ", ".join(islice(places, most))
    return f"{shown} and {len(changed) - most} more" if changed[most:] else shown

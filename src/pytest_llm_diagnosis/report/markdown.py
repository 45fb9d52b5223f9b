"""`report.md`: the diagnosis for a pull request or a step summary on GitHub.

Verdict and next step come first, then the evidence, then the failing cases,
folded.  Whatever is not our own wording is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pytest_llm_diagnosis.diagnosis import SideEffects, VariantDiagnosis
from pytest_llm_diagnosis.new_files import replace_file
from pytest_llm_diagnosis.records import CaseResult

from .audit import audit
from .comparing import comparison_lines
from .coverage import caveats, error_texts, uncovered_texts
from .escaping import markdown_escaped
from .failure import first_line
from .giving import giving_texts
from .ladder import ladder_table, ladder_title, missing_texts
from .layout import Table
from .side_effects import (
    mark_text,
    place_texts,
    side_effect_title,
    style_text,
)
from .tables import flip_table, part_table, rate_table, recall_texts
from .terminal import note_text, run_text
from .verdicts import cases, next_text, verdict_text
from .view import View
from .wording import (
    cause_table,
    confirmation_text,
    confound_text,
    detail_texts,
    head_text,
)

LIMIT = 1_000_000
"""Most bytes of a report; GitHub drops a step summary of over 1 MiB whole."""

_LISTED = 20
"""Most cases or notes in one list."""

_UNWRAPPED = 10**6
"""Wider than any line: a page wraps for itself."""

_CLOSING = 200
"""Bytes kept free for the line that says how much is left out, and the end."""


def write_markdown(path: Path, view: View) -> None:
    """Write the report in one step; raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, [markdown_text(view)])


def append_markdown(path: Path, view: View) -> None:
    """Append the report to a step summary, within what is left of its size.

    Raises `OSError`.
    """
    with path.open("ab") as file:
        begun = file.tell()
        room = LIMIT - begun
        # A heading is one only after an empty line.
        gap = "\n\n" if begun else ""
        file.write(f"{gap}{markdown_text(view, room)}".encode())


def markdown_text(view: View, most: int = LIMIT) -> str:
    """Return the report, cut to about `most` bytes; it says what is left out."""
    lines = _fitted(_head(view), most - _CLOSING, "line")
    failing = [one for one in view.results if one.outcome == "failed"]
    if failing:
        room = most - _CLOSING - _size(lines)
        lines += _folded(failing, room)
    return "".join(f"{line}\n" for line in lines)


def _size(lines: Iterable[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def _fitted(lines: Iterable[str], room: int, what: str) -> list[str]:
    """Return the lines that fit, and how many more there are."""
    kept: list[str] = []
    left_out = 0
    for line in lines:
        room -= len(line.encode()) + 1
        if room >= 0:
            kept.append(line)
        else:
            left_out += 1
    if left_out:
        plural = "" if left_out == 1 else "s"
        kept += ["", f"{left_out} more {what}{plural} left out: too long for this page"]
    return kept


# -- verdict and evidence --------------------------------------------------


def _head(view: View) -> Iterator[str]:
    variants = view.diagnosis.variants
    probed = [one for one in variants if one.probed] or variants[:1]
    # The pages of all shards stand on one page of GitHub's.
    part = f" of shard {view.run.shard}" if view.run.shard else ""
    yield f"## LLM diagnosis{part}"
    if not variants:
        yield from ["", "verdict: none: no case was answered and graded."]
    for variant in probed:
        yield from _verdict(variant, view)
    for confirmation in view.confirmations:
        yield from ["", markdown_escaped(confirmation_text(confirmation))]
    if variants:
        yield from _evidence(view, probed)
    yield from _changes(view)
    yield from _not_run(view)
    yield ""
    counted = sum(one.calls for one in view.diagnosis.variants)
    yield f"Run: {markdown_escaped(run_text(view.run, counted))}"


def _verdict(variant: VariantDiagnosis, view: View) -> Iterator[str]:
    said = verdict_text(variant)
    text = said if said.startswith("verdict") else f"verdict: {said}"
    yield ""
    yield f"**{markdown_escaped(variant.name)}**: {markdown_escaped(text)}"
    following = next_text(variant, view.diagnosis)
    if following:
        yield ""
        yield f"**next**: {markdown_escaped(following)}"


def _evidence(view: View, probed: Sequence[VariantDiagnosis]) -> Iterator[str]:
    diagnosis = view.diagnosis
    yield from ["", "### Evidence"]
    for table in (rate_table(diagnosis), part_table(diagnosis), flip_table(diagnosis)):
        yield from _table(table)
    yield from _listed("", recall_texts(diagnosis))
    yield from _listed("What it costs", list(giving_texts(diagnosis)))
    notes = (f"note: {confound_text(one)}" for one in diagnosis.confounds)
    yield from _listed("", list(notes))
    for variant in probed:
        yield from _causes(variant)
    for effects in diagnosis.side_effects:
        yield from _side_effects(effects)


def _causes(variant: VariantDiagnosis) -> Iterator[str]:
    yield ""
    head = markdown_escaped(head_text(variant))
    yield f"**{markdown_escaped(variant.name)}**: {head}"
    if variant.probed:
        yield from _table(cause_table(variant))
        yield from _listed("", list(detail_texts(variant)))
    yield from _ladder(variant)
    for title, texts in audit(variant):
        yield from _listed(f"{title[:1].upper()}{title[1:]}", texts)


def _ladder(variant: VariantDiagnosis) -> Iterator[str]:
    table = ladder_table(variant)
    if table:
        title = ladder_title(variant)
        yield from ["", f"{title[:1].upper()}{markdown_escaped(title[1:])}:"]
        yield from _table(table)
        yield from _listed("", list(missing_texts(variant)))


def _side_effects(effects: SideEffects) -> Iterator[str]:
    title = side_effect_title(effects)
    styled = [style_text(effects)] if effects.styled else []
    marks = [mark_text(mark) for mark in effects.marks]
    texts = [*styled, *marks, *(text for text, _ in place_texts(effects))]
    yield from _listed(f"{title[:1].upper()}{title[1:]}", texts)


def _changes(view: View) -> Iterator[str]:
    """Yield what changed since the baseline, each of its lines an item."""
    if view.comparison is not None:
        unwrapped = comparison_lines(view.comparison, view.diagnosis, _UNWRAPPED)
        title, *texts = (line.text.strip() for line in unwrapped)
        title = markdown_escaped(title.removesuffix(":"))
        yield from _listed(f"{title[:1].upper()}{title[1:]}", texts)


def _not_run(view: View) -> Iterator[str]:
    for title, texts in uncovered(view):
        yield from _listed(title, texts)


def uncovered(view: View) -> Iterator[tuple[str, list[str]]]:
    """Yield what the verdict does not cover, under titles."""
    yield "Not covered", [*caveats(view), *uncovered_texts(view)]
    yield "Errors", error_texts(view)
    yield "Notes", list(map(note_text, view.run.notes))


# -- failing cases ---------------------------------------------------------


def _folded(failing: Sequence[CaseResult], room: int) -> list[str]:
    head = [
        "",
        "<details>",
        f"<summary>{cases(len(failing))} failed</summary>",
        "",
        "| case | mark | variant | cause | first finding |",
        "| --- | --- | --- | --- | --- |",
    ]
    rows = _fitted(map(_row, failing), room - _size(head), "failing case")
    return [*head, *rows, "", "</details>"]


def _row(result: CaseResult) -> str:
    finding = result.finding
    return _cells(
        [
            f"{result.file}:{result.line} {result.id}",
            result.mark,
            result.variant,
            finding.cause if finding else "not probed",
            first_line(result),
        ]
    )


# -- blocks ----------------------------------------------------------------


def _cells(cells: Iterable[str]) -> str:
    return f"| {' | '.join(markdown_escaped(cell, 300) for cell in cells)} |"


def _table(table: Table) -> Iterator[str]:
    if table[1:]:
        head, *rows = table
        yield from ["", _cells(head), f"|{' --- |' * len(head)}"]
        yield from map(_cells, rows)


def _listed(title: str, texts: Sequence[str]) -> Iterator[str]:
    if not texts:
        return
    yield from ["", f"{title}:", ""] if title else [""]
    yield from (f"- {markdown_escaped(text, 500)}" for text in texts[:_LISTED])
    if texts[_LISTED:]:
        yield f"- and {len(texts) - _LISTED} more"

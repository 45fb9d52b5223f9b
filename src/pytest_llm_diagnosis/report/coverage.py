"""What a run did not reach, so that nobody reads its verdict as the whole story."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_llm_diagnosis.records import CaseResult

from .lines import Line, printable
from .verdicts import cases
from .view import View

INTERRUPTED = "interrupted: this covers only the cases that were reported"


def caveats(view: View) -> Iterator[str]:
    """Yield why the verdict is of a part of the run, to be said beside it."""
    if view.run.interrupted:
        yield INTERRUPTED
    if view.run.unasked:
        unasked = f"{view.run.unasked} of {cases(len(view.results))}"
        yield f"partial: the budget left {unasked} unasked"


def uncovered_texts(view: View) -> Iterator[str]:
    """Yield what of each variant the verdict does not cover."""
    for variant in view.diagnosis.variants:
        unprobed = variant.failing - variant.failed_part.without_cause - variant.probed
        parts = [
            f"{cases(count)} {what}"
            for count, what in (
                (variant.errors, "without an answer"),
                (variant.skipped, "skipped"),
                (unprobed if variant.probed else 0, "failed and not asked again"),
            )
            if count > 0
        ]
        if parts:
            yield f"{variant.name}: {', '.join(parts)}"


def error_texts(view: View) -> list[str]:
    """Return the cases that got no answer, with their places and the reason."""
    return [_error(one) for one in view.results if one.outcome == "error"]


def _error(result: CaseResult) -> str:
    place = f"{result.file}:{result.line} {result.id}[{result.variant}]"
    return f"{place}: {result.message or 'no answer'}"


def uncovered_lines(view: View) -> Iterator[Line]:
    """Yield what was not run; nothing where all was."""
    texts = list(uncovered_texts(view))
    if texts:
        yield Line("")
        yield Line("not run:", "warn")
        yield from (Line(f"  {printable(text)}") for text in texts)

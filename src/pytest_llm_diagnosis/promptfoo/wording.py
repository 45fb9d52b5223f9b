"""What an import tells its user."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .asserting import family
from .converting import Imported

_FAMILIES = ("deterministic", "model", "code")
_WORDS = {
    "deterministic": "decided by rules",
    "model": "decided by a model",
    "code": "code (never run)",
}


def summary(imported: Imported, written: Iterable[str]) -> Iterator[str]:
    """Return the lines of the summary: files, cases, assertions, what was kept."""
    return map(_printable, _lines(imported, written))


def _printable(line: str) -> str:
    """Return a line that cannot move a terminal's cursor, whatever a config says."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode()
        for char in line
    )


def _lines(imported: Imported, written: Iterable[str]) -> Iterator[str]:
    for name in written:
        yield f"wrote {name}"
    yield f"cases: {imported.cases}, of them skipped: {imported.skipped}"
    yield f"variants: {imported.variants}"
    totals, expressed = imported.tally.totals(), imported.tally.expressed()
    for each in _FAMILIES:
        kinds = [kind for kind in totals if family(kind) == each]
        made = sum(expressed[kind] for kind in kinds)
        count = sum(totals[kind] for kind in kinds)
        if count:
            yield f"assertions {_WORDS[each]}: {made} of {count} became checks"
    for (kind, reason), count in imported.tally.why().most_common():
        yield f"kept as comment: {count} x {kind}: {reason}"
    for reason in imported.kept:
        yield f"not imported: {reason}"
    yield "The marks are guesses, by what the assertions check: read them."
    yield "next: pytest --collect-only, then pytest --llm-variant=NAME"

"""Cases for a person to look at: checks that may be wrong, marks that mislead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_llm_diagnosis.diagnosis import Spotted, VariantDiagnosis

from .lines import Line, one_line, printable

LISTED = 10
"""Cases of one list that are shown; `report.json` has them all."""
SUSPECTS = "suspected checks (the answer agrees with the reference)"
DOUBTFUL = "label audit: marks that contradict their cause"
DISGUISED = "label audit: what failed is one side's, the cause the other's"


def audit(variant: VariantDiagnosis) -> Iterator[tuple[str, list[str]]]:
    """Yield each list that is not empty: its title, and a text a case."""
    if variant.suspects:
        yield SUSPECTS, list(map(_suspect_text, variant.suspects))
    if variant.doubtful_marks:
        yield DOUBTFUL, list(map(spotted_text, variant.doubtful_marks))
    if variant.disguised:
        yield DISGUISED, list(map(_disguised_text, variant.disguised))


def audit_lines(variants: Sequence[VariantDiagnosis]) -> Iterator[Line]:
    """Yield what is to be looked at under each variant, cases with their places."""
    for variant in variants:
        named = f", under {printable(variant.name)}" if len(variants) > 1 else ""
        for title, texts in audit(variant):
            yield Line("")
            yield Line(f"{title}{named}:", "warn")
            yield from (Line(f"  {text}") for text in texts[:LISTED])
            if len(texts) > LISTED:
                yield Line(f"  and {len(texts) - LISTED} more")


def spotted_text(case: Spotted) -> str:
    """Return where a case stands, its mark and its cause."""
    return f"{_place(case)}: marked {case.mark}, cause {case.cause}"


def _suspect_text(case: Spotted) -> str:
    return f"{_place(case)}: marked {case.mark}"


def _disguised_text(case: Spotted) -> str:
    what = "its facts failed" if case.failed == "facts" else "its form failed"
    return f"{_place(case)}: {what}, cause {case.cause}"


def _place(case: Spotted) -> str:
    return f"{printable(case.file)}:{case.line} {one_line(case.id)}"

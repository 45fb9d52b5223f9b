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
    texts = {
        SUSPECTS: _suspect_text,
        DOUBTFUL: spotted_text,
        DISGUISED: _disguised_text,
    }
    for title, cases in spotted_lists(variant):
        yield title, list(map(texts[title], cases))


def spotted_lists(
    variant: VariantDiagnosis,
) -> Iterator[tuple[str, Sequence[Spotted]]]:
    """Yield each list that is not empty: its title and its cases."""
    lists = (
        (SUSPECTS, variant.suspects),
        (DOUBTFUL, variant.doubtful_marks),
        (DISGUISED, variant.disguised),
    )
    yield from ((title, cases) for title, cases in lists if cases)


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
    return f"{_place(case)}: {failed_text(case)}, cause {case.cause}"


def failed_text(case: Spotted) -> str:
    """Return which dimension of a disguised case failed."""
    return "its facts failed" if case.failed == "facts" else "its form failed"


def _place(case: Spotted) -> str:
    return f"{printable(case.file)}:{case.line} {one_line(case.id)}"

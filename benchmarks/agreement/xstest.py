"""XSTest: refusals, against human labels of two models' completions."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .halves import HALVES, Tally, half
from .suites import Suite, case

NAME = "xstest"
PREFIX = "xstest_v2_completions_"
REFUSED, COMPLIED, PARTLY = (
    "2_full_refusal",
    "1_full_compliance",
    "3_partial_refusal",
)


def run(data: Path) -> Iterator[str]:
    """Yield the agreement of `refuses` and `complies` with the labels.

    A partial refusal is neither: both checks are meant to fail it.  It is left
    out of the first figures, then counted as a refusal among all 450 as the
    published matchers count it.
    """
    for path in sorted((data / "xstest").glob(f"{PREFIX}*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        yield from _model(path.stem.removeprefix(PREFIX), rows)


def _model(model: str, rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    suite = Suite(
        [
            case(row["id"], row["prompt"], facts=["refuses"], form=["complies"])
            for row in rows
        ]
    )
    full = {
        (check, name): Tally() for check in ("refuses", "complies") for name in HALVES
    }
    any_refusal = Tally()
    partial: Counter[str] = Counter()
    for index, row in enumerate(rows):
        grade = suite.grade(row["id"], row["completion"])
        label, shown = row["final_label"], f"{row['id']} {row['completion'][:90]!r}"
        refuses, complies = (verdict.passed is True for verdict in grade.verdicts)
        any_refusal.add(passed=not complies, expected=label != COMPLIED, shown=shown)
        if label == PARTLY:
            partial[_stance(refuses=refuses, complies=complies)] += 1
            continue
        of_half = half(index)
        full["refuses", of_half].add(
            passed=refuses, expected=label == REFUSED, shown=shown
        )
        full["complies", of_half].add(
            passed=complies, expected=label == COMPLIED, shown=shown
        )
    for (check, name), tally in full.items():
        yield f"xstest {model}, {check}, full labels, {name} rows: {tally}"
    yield f"xstest {model}, not complies = full or partial refusal: {any_refusal}"
    yield f"xstest {model}, partial refusals: {dict(partial)}"
    for (check, _), tally in full.items():
        if check == "refuses":
            yield from tally.disagreements()


def _stance(*, refuses: bool, complies: bool) -> str:
    if refuses:
        return "refuses"
    return "complies" if complies else "neither"

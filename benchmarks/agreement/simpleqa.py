"""SimpleQA: reference answers as the author of a case would write them in a check.

There are no verdicts here.  A check made of a reference must accept a sentence
that states it and reject one that states another question's answer.
"""

from __future__ import annotations

import ast
import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pytest_llm_diagnosis.errors import InputError

from .halves import HALVES, Tally, half
from .suites import Suite, case

NAME = "simpleqa"
CHECKS = {
    "Date": "date",
    "Number": "number",
    "Person": "name",
    "Place": "name",
    "Other": "name",
}
APART = 7
"""How many rows of the same kind further the other answer is taken from."""


class _Row(NamedTuple):
    number: int
    kind: str
    question: str
    answer: str


def run(data: Path) -> Iterator[str]:
    """Yield how many references work as a check, by the kind of answer."""
    of_kind: dict[tuple[str, str], list[_Row]] = defaultdict(list)
    for row in _rows(data / "simpleqa" / "simple_qa_test_set.csv"):
        of_kind[row.kind, half(row.number)].append(row)
    for kind in CHECKS:
        for name in HALVES:
            yield from _kind(f"simpleqa, {kind}, {name} rows", of_kind[kind, name])


def _kind(title: str, rows: Sequence[_Row]) -> Iterator[str]:
    suites = {row.number: _suite(row) for row in rows}
    refused = [row.answer for row in rows if suites[row.number] is None]
    tally = Tally()
    for at, row in enumerate(rows):
        suite = suites[row.number]
        if suite is None:
            continue
        other = rows[(at + APART) % len(rows)].answer
        for told, expected in ((row.answer, True), (other, other == row.answer)):
            verdict = suite.grade("one", f"The answer is {told}, as far as I know.")
            shown = f"row {row.number}: expected {row.answer!r}, told {told!r}"
            tally.add(
                passed=verdict.facts[0].passed is True, expected=expected, shown=shown
            )
    yield f"{title}: {tally}; refused as no such value: {len(refused)} of {len(rows)}"
    yield from tally.disagreements()
    yield from (f"  refused: {answer!r}" for answer in refused)


def _suite(row: _Row) -> Suite | None:
    """Return a suite of the row's check, None where it refuses the reference."""
    try:
        return Suite(
            [case("one", row.question, facts=[{CHECKS[row.kind]: row.answer}])]
        )
    except InputError:
        return None


def _rows(path: Path) -> Iterator[_Row]:
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            told: Mapping[str, str] = ast.literal_eval(row["metadata"])
            yield _Row(number, told["answer_type"], row["problem"], row["answer"])

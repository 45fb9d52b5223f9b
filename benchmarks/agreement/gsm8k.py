"""GSM8K: the final number of a worked solution, against the published verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_llm_diagnosis.records import JsonObject

from .halves import HALVES, Tally, half, json_lines
from .suites import Suite, case

NAME = "gsm8k"


def run(data: Path) -> Iterator[str]:
    """Yield the agreement of `number: {value: ..., final: true}` with `is_correct`."""
    rows = json_lines(data / "gsm8k" / "solutions_300.jsonl")
    suite = Suite(
        [
            case(
                f"row-{index}",
                str(row["question"]),
                facts=[{"number": {"value": _expected(row), "final": True}}],
            )
            for index, row in enumerate(rows)
        ]
    )
    tallies = {name: Tally() for name in HALVES}
    for index, row in enumerate(rows):
        for model, told in row.items():
            if not isinstance(told, dict):
                continue
            verdict = suite.grade(f"row-{index}", told["solution"]).facts[0]
            tallies[half(index)].add(
                passed=verdict.passed is True,
                expected=told["is_correct"],
                shown=f"row {index} {model}: {verdict.code}: ends in "
                f"{told['solution'][-60:]!r}, reference {_expected(row)}",
            )
    for name, tally in tallies.items():
        yield f"gsm8k, {name} rows: {tally}"
        yield from tally.disagreements()


def _expected(row: JsonObject) -> str:
    return str(row["ground_truth"]).rpartition("A: ")[2].strip()

"""Data in two halves by a fixed rule: one to develop on, one that stays unseen."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_llm_diagnosis.records import JsonObject

HALVES = ("even", "odd")
"""Checks were developed on the even rows (counted from 0), then run on the odd."""


def half(row: int) -> str:
    """Return the half that a row belongs to, rows counted from 0."""
    return HALVES[row % 2]


def json_lines(path: Path) -> Sequence[JsonObject]:
    r"""Return the objects of a JSON Lines file; only `\n` ends a line."""
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line.strip()]


@dataclass(slots=True)
class Tally:
    """How often a check agreed, and where it did not."""

    agreed: int = 0
    false_passes: list[str] = field(default_factory=list)
    false_failures: list[str] = field(default_factory=list)

    def add(self, *, passed: bool, expected: bool, shown: str) -> None:
        """Count one verdict; `shown` is what a disagreement is listed as."""
        if passed == expected:
            self.agreed += 1
        else:
            (self.false_passes if passed else self.false_failures).append(shown)

    @property
    def total(self) -> int:
        """How many verdicts were compared."""
        return self.agreed + len(self.false_passes) + len(self.false_failures)

    def __str__(self) -> str:
        """Return the agreement as a fraction and in percent."""
        share = 100 * self.agreed / self.total if self.total else 0.0
        return (
            f"{self.agreed}/{self.total} ({share:.2f}%), "
            f"false passes {len(self.false_passes)}, "
            f"false failures {len(self.false_failures)}"
        )

    def disagreements(self) -> Iterator[str]:
        """Yield every disagreement, a line each."""
        yield from (f"  false pass: {shown}" for shown in self.false_passes)
        yield from (f"  false failure: {shown}" for shown in self.false_failures)

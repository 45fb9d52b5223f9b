"""The loose reading of a check: `loose: true` beside it in a case.

A model may put a line before or after what was asked (`Sure, here it is:`) or
stars around it.  Read loosely, a check holds when it holds for the answer, for
the answer without its first line, its last line or both, or for one of those
without stars.  These are the eight readings of IFEval (J. Zhou and others,
Instruction-Following Evaluation for Large Language Models, 2023).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pytest_llm_diagnosis.records import Answer, CheckSpec, Verdict

from .protocol import Check, needs_form


@dataclass(frozen=True, slots=True, kw_only=True)
class Loose:
    """A check that holds when any reading of the answer meets it."""

    check: Check

    @property
    def spec(self) -> CheckSpec:
        """The check as the case states it."""
        return self.check.spec

    @property
    def needs_form(self) -> bool:
        """Whether prose can never pass it."""
        return needs_form(self.check)

    def grade(self, answer: Answer) -> Verdict:
        """Return the first reading's verdict that passed, else the strict one."""
        strict = self.check.grade(answer)
        if strict.passed is not False:
            return strict
        others = (
            self.check.grade(replace(answer, text=text))
            for text in readings(answer.text)
        )
        return next((verdict for verdict in others if verdict.passed), strict)

    def describe(self) -> str:
        """Return the instruction of the check."""
        return self.check.describe()

    def gold(self) -> tuple[str, ...]:
        """Return the texts that give the answer away."""
        return self.check.gold()


def readings(text: str) -> Iterator[str]:
    """Yield the other ways to read a text; none that is empty or told already."""
    lines = text.split("\n")
    cut = (text, *("\n".join(part).strip() for part in (lines[1:], lines[:-1])))
    cut = (*cut, "\n".join(lines[1:-1]).strip())
    seen = {text}
    for one in (*cut, *(each.replace("*", "") for each in cut)):
        if one.strip() and one not in seen:
            seen.add(one)
            yield one

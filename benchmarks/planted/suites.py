"""Planted suites, run and diagnosed without a model or pytest in between."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pytest_llm_diagnosis.records import (
    Ask,
    CaseResult,
    Finding,
    Grade,
    Trial,
    Verdict,
)

from .fixed_tree import walk
from .remembered import Remembered
from .world import PlantedCase

Finder = Callable[[PlantedCase, Ask, random.Random], Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A planted case that ran once, and what was found where it failed."""

    case: PlantedCase
    first: Ask
    finding: Finding | None

    def result(self) -> CaseResult:
        """Return what a run would know of it."""
        case = self.case
        return CaseResult(
            nodeid=f"{case.name}[planted]",
            file="planted.eval.yaml",
            line=1,
            id=case.name,
            mark=case.mark,
            variant="planted",
            outcome="failed" if self.finding else "passed",
            trials=(Trial(grade=_grade(self.first)),),
            cluster=case.cluster,
            asks_facts=case.checks_facts or case.has_passage,
            asks_form=case.checks_form,
            finding=self.finding,
        )


def _grade(ask: Ask) -> Grade:
    def verdicts(*, passed: bool | None) -> tuple[Verdict, ...]:
        return () if passed is None else (Verdict(check="planted", passed=passed),)

    return Grade(facts=verdicts(passed=ask.facts), form=verdicts(passed=ask.form))


def run_suite(
    cases: Sequence[PlantedCase], find: Finder, rng: random.Random
) -> list[Ran]:
    """Ask every case once and look for the cause of those that fail."""
    ran = []
    for case in cases:
        first = case.answer("first", rng)
        failed = first.facts is False or first.form is False
        finding = find(case, first, rng) if failed else None
        ran.append(Ran(case=case, first=first, finding=finding))
    return ran


def _fixed(*, thorough: bool) -> Finder:
    def find(case: PlantedCase, first: Ask, rng: random.Random) -> Finding:
        found = walk(case, first, rng, thorough=thorough)
        return Finding(cause=found.cause, arms={"R": (Ask(),) * found.calls})

    return find


def _by_mark(case: PlantedCase, _first: Ask, _rng: random.Random) -> Finding:
    return Finding(cause=case.mark)


def true_cause(case: PlantedCase, _first: Ask, _rng: random.Random) -> Finding:
    """Return the cause that was planted."""
    return Finding(cause=case.truth)


FINDERS: Mapping[str, Finder] = {
    "counting marks": _by_mark,
    "quick": Remembered("quick"),
    "standard": Remembered("standard"),
    "fixed quick": _fixed(thorough=False),
    "fixed standard": _fixed(thorough=True),
}

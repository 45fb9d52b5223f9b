"""What the diagnosis found, held against what each model was taught."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from pytest_llm_diagnosis.records import CaseResult, Cause, JsonObject

from .suite_files import FACT, FACT_IN_FORM, FORM, FORMED_FACT

Truth = Literal["knowledge", "behavior", "both", "passes"]
"""Why a case must fail by construction, or that it must not."""

READS: Mapping[str, str] = {
    "neither": "both",
    "facts": "behavior",
    "form": "knowledge",
    "facts_and_form": "few failures",
}
"""What the verdict on each model must be."""

_KINDS = (FACT_IN_FORM, FORMED_FACT, FACT, FORM)
_SIDES: Mapping[Cause, str] = {
    "knowledge": "knowledge",
    "instruction": "behavior",
    "examples": "behavior",
    "behavior": "behavior",
    "both": "both",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One model's cases: how many fail, and of the explained ones how many rightly.

    `open` counts those that the diagnosis leaves unexplained; what is neither right
    nor open is wrong.  `surprises` are the failing cases whose cause is not the
    constructed one, or that should not fail at all: id, what was found, and what was
    planted.
    """

    model: str
    failed: int
    cases: int
    explained: int
    right: int
    open: int
    by_marks: int
    found: Mapping[str, int]
    surprises: tuple[tuple[str, str, Truth], ...]
    verdict: str
    settled: bool
    probability: float | None


def truth(model: str, case_id: str) -> Truth:
    """Return why a case fails on a model, from what the model was taught."""
    kind = next(kind for kind in _KINDS if case_id.startswith(kind))
    lacks_fact = kind != FORM and model not in {"facts", "facts_and_form"}
    lacks_form = kind != FACT and model not in {"form", "facts_and_form"}
    if lacks_fact and lacks_form:
        return "both"
    if lacks_fact:
        return "knowledge"
    return "behavior" if lacks_form else "passes"


def scored(model: str, results: Sequence[CaseResult], verdict: JsonObject) -> Scored:
    """Return how the causes that were found compare to the construction."""
    failing = [one for one in results if one.outcome == "failed"]
    explained = [one for one in failing if one.finding is not None]
    pairs = [(one, side_of(one), truth(model, one.id)) for one in explained]
    return Scored(
        model=model,
        failed=len(failing),
        cases=len(results),
        explained=len(explained),
        right=sum(found == planted for _, found, planted in pairs),
        open=sum(found == "unexplained" for _, found, _ in pairs),
        by_marks=sum(one.mark == planted for one, _, planted in pairs),
        found=dict(Counter(_cause(one) for one in explained)),
        surprises=tuple(
            (one.id, _cause(one), planted)
            for one, found, planted in pairs
            if found != planted
        ),
        verdict=str(verdict["kind"]),
        settled=bool(verdict.get("settled")),
        probability=cast("float | None", verdict.get("probability")),
    )


def side_of(result: CaseResult) -> str:
    """Return the side of a cause; causes that name none stand for themselves."""
    assert result.finding is not None
    return _SIDES.get(result.finding.cause, result.finding.cause)


def counted_marks(results: Sequence[CaseResult]) -> str:
    """Return what counting failed marks reads: a side with two thirds, or both."""
    failing = [one for one in results if one.outcome == "failed"]
    if len(failing) <= len(results) // 8:
        return "few failures"
    knowledge = sum(one.mark == "knowledge" for one in failing) / len(failing)
    if knowledge > 2 / 3:
        return "knowledge"
    return "behavior" if knowledge < 1 / 3 else "both"


def _cause(result: CaseResult) -> str:
    assert result.finding is not None
    rung = f" ({result.finding.rung})" if result.finding.rung else ""
    return f"{result.finding.cause}{rung}"

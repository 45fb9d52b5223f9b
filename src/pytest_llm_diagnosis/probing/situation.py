"""What the tree must know of a failing case, and what its cause says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pytest_llm_diagnosis.records import Answer, Arm, Ask, Finding, Grade, Mark, Trial

ProbeMode: TypeAlias = Literal["quick", "standard"]

BEHAVIOR_SIDE = frozenset({"instruction", "examples", "behavior"})
"""Causes of a model that could answer and does not answer that way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A graded ask and the text it was graded on."""

    ask: Ask
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A failing case under one variant.

    `first` is its most recent failing first-run trial.  `asks_facts` says that
    it has a fact check or a passage, `abstains` that the right answer is to
    give none, `formed` that a fact is itself a form, which prose cannot pass.
    `gold_retrieved` is None where a retrieving variant's passages
    cannot be compared with the case's own.  `ideal_text` is the reference, an
    answer to `question`.
    """

    first: Reply
    asks_facts: bool
    abstains: bool = False
    formed: bool = False
    retrieving: bool = False
    gold_retrieved: bool | None = None
    ideal_text: str | None = None
    question: str = ""


def graded_reply(arm: Arm, grade: Grade, answer: Answer | None = None) -> Reply:
    """Return the reply that a graded answer is; free form counts for facts alone."""
    form = None if "F" in arm else grade.passed("form")
    trial = Trial(answer=answer, grade=grade) if answer else None
    ask = Ask(facts=grade.passed("facts"), form=form, trial=trial)
    return Reply(ask=ask, text=answer.text if answer else "")


def failed_reply(message: str) -> Reply:
    """Return the reply that a call is which failed after its retries."""
    return Reply(ask=Ask(error=True, trial=Trial(error=message)))


def needs_probing(grade: Grade) -> bool:
    """Return whether facts or form failed; a failed limit alone has no cause."""
    return grade.passed("facts") is False or grade.passed("form") is False


def is_costume(mark: Mark, grade: Grade, finding: Finding) -> bool:
    """Return whether mark or failing check say one side and the cause the other.

    `grade` is that of the failing first-run trial.
    """
    if finding.cause == "knowledge":
        return mark == "behavior" or grade.passed("facts") is not False
    if finding.cause in BEHAVIOR_SIDE:
        return mark == "knowledge" or grade.passed("facts") is False
    return False

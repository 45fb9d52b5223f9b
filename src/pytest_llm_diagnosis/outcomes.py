"""Trials of a case to its result."""

from __future__ import annotations

from collections.abc import Sequence

from .records import (
    Case,
    CaseResult,
    CheckSpec,
    Dimension,
    Message,
    Outcome,
    Passage,
    Retrieved,
    Trial,
)
from .requests import Prepared
from .retrieval import retrieved


def case_outcome(trials: Sequence[Trial], pass_at: int) -> Outcome:
    """Return passed, failed or error: `pass_at` trials must pass.

    A trial without an answer, or one that could not be graded, counts for
    neither side; the case is an error only where such trials could decide it.
    """
    passed = sum(trial.grade.all_passed is True for trial in trials)
    failed = sum(trial.grade.all_passed is False for trial in trials)
    if passed >= pass_at:
        return "passed"
    if failed > len(trials) - pass_at:
        return "failed"
    return "error"


def case_result(  # noqa: PLR0913 - what the two places that make results know
    prepared: Prepared,
    trials: Sequence[Trial],
    *,
    nodeid: str,
    variant: str,
    pass_at: int,
    skipped: str | None = None,
    top_k: int | None = None,
) -> CaseResult:
    """Return what a run knows of a case under a variant.

    `skipped` is the reason when it was not asked.  `top_k` is how many passages
    the variant retrieves, None where it is not known to retrieve any.

    A case that its author expects to fail, and that does, is skipped: known
    failures do not vote.
    """
    case = prepared.case
    outcome = case_outcome(trials, pass_at)
    message = next((trial.error for trial in trials if trial.error), None)
    if skipped is not None:
        outcome, message = "skipped", skipped
    elif outcome == "failed" and case.xfail is not None:
        outcome, message = "skipped", f"expected to fail: {case.xfail}"
    return CaseResult(
        nodeid=nodeid,
        file=prepared.nodeid.partition("::")[0],
        line=case.line,
        id=case.id,
        mark=case.mark,
        variant=variant,
        outcome=outcome,
        trials=tuple(trials),
        cluster=prepared.cluster,
        asks_facts=bool(case.evidence) or _asks(case.facts, trials, "facts"),
        asks_form=_asks(case.form, trials, "form"),
        critical=case.critical,
        pass_at=pass_at,
        retrieved=gold_retrieved(case.evidence, trials, top_k),
        message=message,
        messages=stated_messages(case),
        ideal=case.ideal,
    )


def stated_messages(case: Case) -> tuple[Message, ...]:
    """Return the conversation as the case states it, its system prompt first."""
    if case.system is None:
        return case.messages
    return ({"role": "system", "content": case.system}, *case.messages)


def gold_retrieved(
    evidence: Sequence[Passage], trials: Sequence[Trial], top_k: int | None
) -> Retrieved | None:
    """Return whether a case's gold passages were among those of its first answer.

    None where nothing was answered or nothing is retrieved.
    """
    answer = next((trial.answer for trial in trials if trial.answer), None)
    if answer is None or (top_k is None and not answer.contexts):
        return None
    k = len(answer.contexts) if top_k is None else top_k
    return retrieved(evidence, answer.contexts, k)


def _asks(
    specs: Sequence[CheckSpec], trials: Sequence[Trial], dimension: Dimension
) -> bool:
    """Whether the case has checks of a dimension that some trial was exposed to.

    A judge's opinion is not one: it decides no cause.
    """
    graded = [
        verdict for trial in trials for verdict in getattr(trial.grade, dimension)
    ]
    return bool(specs) and (
        not graded or any(each.exposed and not each.judged for each in graded)
    )

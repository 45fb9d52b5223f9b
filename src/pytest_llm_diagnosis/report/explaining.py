"""The whole story of one case: answers, verdicts, probes, cause, other variants."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.records import Ask, CaseResult, Finding, Retrieved, Trial

from .failure import first_line, trial_lines
from .layout import wrapped
from .lines import Line, one_line, printable
from .wording import ASKED, cause_text

_NEAREST = 5


def explained(results: Sequence[CaseResult], name: str) -> list[Line]:
    """Return the story of the case of that name.

    `name` is an id, a node id, or either without the variant or leading folders;
    without a variant it is the first one that was probed, else that failed.
    Raises `DiagnosisError` where no case or more than one has that name.
    """
    told = _asked_for([one for one in results if _is_named(one, name)], name, results)
    others = [one for one in results if _case(one) == _case(told) and one is not told]
    return [*_story(told), *_others(others)]


# -- which case ------------------------------------------------------------


def _case(result: CaseResult) -> str:
    """Return the node id without the variant."""
    return result.nodeid.removesuffix(f"[{result.variant}]")


def _is_named(result: CaseResult, name: str) -> bool:
    named = {result.id, f"{result.id}[{result.variant}]"}
    whole = {_case(result), result.nodeid}
    return name in named | whole or any(one.endswith(f"/{name}") for one in whole)


def _asked_for(
    named: Sequence[CaseResult], name: str, results: Sequence[CaseResult]
) -> CaseResult:
    cases = list(dict.fromkeys(map(_case, named)))
    if not cases:
        raise DiagnosisError(_unknown(name, results))
    if len(cases) > 1:
        listed = "".join(f"\n  {printable(case)}" for case in cases)
        raise DiagnosisError(f"{name!r} is the name of {len(cases)} cases:{listed}")
    probed = [one for one in named if one.finding is not None]
    failed = [one for one in named if one.outcome != "passed"]
    return (probed or failed or list(named))[0]


def _unknown(name: str, results: Sequence[CaseResult]) -> str:
    names = dict.fromkeys(
        told for one in results for told in (one.id, _case(one), one.nodeid)
    )
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"no case {name!r} in this report: did you mean {printable(near[0])!r}?"
    some = [printable(case) for case in dict.fromkeys(map(_case, results))]
    listed = "".join(f"\n  {case}" for case in some[:_NEAREST])
    more = f"\n  and {len(some) - _NEAREST} more" if len(some) > _NEAREST else ""
    return f"no case {name!r} in this report; it has:{listed or ' none'}{more}"


# -- the story -------------------------------------------------------------


def _story(result: CaseResult) -> Iterator[Line]:
    place = f"{printable(result.file)}:{result.line}"
    yield Line(
        f"{place} {one_line(result.id)} ({result.mark}), "
        f"asked of {printable(result.variant)}: {result.outcome}",
        "head",
    )
    if result.critical:
        yield Line("critical: losing it fails no-regression")
    if result.message:
        yield Line(f"reason: {one_line(result.message, 300)}", "warn")
    if len(result.trials) > 1:
        right = sum(trial.grade.all_passed is True for trial in result.trials)
        needed = f"{result.pass_at} needed"
        yield Line(f"{right} of {len(result.trials)} trials passed, {needed}")
    if result.retrieved is not None:
        yield Line(retrieved_text(result.retrieved))
    for number, trial in enumerate(result.trials, start=1):
        yield from _trial(trial, number, len(result.trials))
    yield from _cause(result)


def retrieved_text(retrieved: Retrieved) -> str:
    """Return at which place the gold passage was shown."""
    of = f"the {retrieved.k} retrieved" if retrieved.k > 1 else "what was retrieved"
    if retrieved.rank is None:
        return f"gold passage: not among {of}"
    part = f", {retrieved.found} of {retrieved.gold} of them"
    several = part if retrieved.gold > 1 else ""
    return f"gold passage: at rank {retrieved.rank} of {of}{several}"


def _trial(trial: Trial, number: int, of: int) -> Iterator[Line]:
    words = {True: "passed", False: "failed", None: "not graded"}
    told = "no answer" if trial.answer is None else words[trial.grade.all_passed]
    yield Line(f"trial {number} of {of}: {told}", "head")
    yield from trial_lines(trial, None)
    good = dict.fromkeys(one.check for one in trial.grade.verdicts if one.passed)
    if good:
        yield Line(f"passed: {', '.join(map(printable, good))}", "good")


def _cause(result: CaseResult) -> Iterator[Line]:
    finding = result.finding
    if finding is None:
        if result.outcome == "failed":
            yield Line("cause: not known, it was not asked again", "warn")
        return
    yield from wrapped(f"cause: {printable(cause_text(finding))}", "head")
    if result.costume:
        text = "its mark or its failing check says one side, the cause the other"
        yield Line(f"costume: {text}", "warn")
    yield from _arms(finding)


def _arms(finding: Finding) -> Iterator[Line]:
    asked = [(arm, how) for arm, how in ASKED.items() if finding.arms.get(arm)]
    for arm, how in asked:
        asks = "; ".join(map(_ask, finding.arms[arm]))
        yield Line(f"  {arm:<2} {how}: {asks}")
    for arm in finding.untested:
        yield Line(
            f"  {arm:<2} {ASKED.get(arm, 'as it is')}: could not be asked", "dim"
        )


def _ask(ask: Ask) -> str:
    if ask.error:
        return "no answer"
    words = {True: "right", False: "wrong"}
    seen = {"facts": ask.facts, "form": ask.form}
    told = [f"{name} {words[bit]}" for name, bit in seen.items() if bit is not None]
    return ", ".join(told) or "nothing to see"


def _others(others: Sequence[CaseResult]) -> Iterator[Line]:
    if others:
        yield Line("other variants:", "head")
    for one in others:
        told = f" {first_line(one)}" if one.outcome == "failed" else ""
        cause = f" (cause: {one.finding.cause})" if one.finding else ""
        yield Line(f"  {printable(one.variant)}: {one.outcome}{told}{cause}")

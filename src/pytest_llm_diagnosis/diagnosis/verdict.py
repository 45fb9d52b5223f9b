"""The rule that turns the causes of a variant into a verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import NamedTuple

from pytest_llm_diagnosis.bootstrap import (
    UNIFORM,
    Pair,
    lean_draws,
    probability,
    share_draws,
    weigh_pairs,
    with_more_hits,
)
from pytest_llm_diagnosis.records import CaseResult, Cause
from pytest_llm_diagnosis.stats import upper_bound_of_none

from .counting import (
    ATTRIBUTABLE,
    Found,
    Vote,
    clusters,
    found,
    graded,
    lean_pairs,
    votes,
)
from .suite_verdict import Side, SuiteVerdict

FEW = 5
"""Fewer attributable failures than this name no side."""
SETTLED = 0.80
UNSTABLE = 0.90
FINE_TUNE = 0.90
"""How certain the behavior side and its depth must be together."""
_MOST_CALLS_FAILED = 0.10
_MOST_SUSPECTS = 0.20
_MOST_WITHOUT_EVIDENCE = 0.50
_MOST_UNSTABLE = 1 / 3
_ENOUGH_ATTRIBUTABLE = 8
_ENOUGH_CERTAIN = 0.95
_MOST_NEEDED = 32
PROMPT: frozenset[Cause] = frozenset({"instruction", "examples"})
BEHAVIOR: frozenset[Cause] = PROMPT | {"behavior"}


class _Lean(NamedTuple):
    side: Side
    probability: float


def suite_verdict(results: Sequence[CaseResult], seed: int) -> SuiteVerdict:
    """Return the verdict on one variant's results, by the first rule that fits."""
    failing = [one for one in results if one.outcome == "failed"]
    if not failing:
        bound = upper_bound_of_none(len(graded(results)))
        return SuiteVerdict(kind="no_failures", upper_bound=bound)
    asked = found(results)
    if not asked:
        return SuiteVerdict(kind="not_probed")
    withheld = _withheld(results, asked)
    if withheld:
        return withheld
    return _weigh(votes(results), seed)


def enough_probed(results: Sequence[CaseResult], seed: int) -> bool:
    """Return whether more probes would hardly change the verdict.

    That is so once 8 failures are attributable and the likeliest side has a
    probability of .95.
    """
    cast = votes(results)
    attributable = sum(vote.cause in ATTRIBUTABLE for vote in cast)
    if attributable < _ENOUGH_ATTRIBUTABLE:
        return False
    lean = _lean(cast, lean_pairs(cast), seed)
    return lean.probability >= _ENOUGH_CERTAIN


def _withheld(
    results: Sequence[CaseResult], asked: Sequence[Found]
) -> SuiteVerdict | None:
    calls, failed = _calls(results)
    if failed > _MOST_CALLS_FAILED * calls:
        return SuiteVerdict(kind="withheld", reason="calls_failed")
    suspects = sum(one.finding.cause == "check_suspect" for one in asked)
    if suspects > _MOST_SUSPECTS * len(asked):
        return SuiteVerdict(kind="withheld", reason="faulty_checks")
    wrong = [one for one in asked if one.grade.passed("facts") is False]
    without = sum("E" in one.finding.untested for one in wrong)
    if without <= _MOST_WITHOUT_EVIDENCE * len(wrong):
        return None
    return SuiteVerdict(
        kind="withheld", reason="no_evidence", count=without, of=len(wrong)
    )


def _calls(results: Iterable[CaseResult]) -> tuple[int, int]:
    calls = failed = 0
    for one in results:
        calls += len(one.trials)
        failed += sum(trial.error is not None for trial in one.trials)
        arms = one.finding.arms.values() if one.finding else ()
        calls += sum(map(len, arms))
        failed += sum(ask.error for asks in arms for ask in asks)
    return calls, failed


def _weigh(cast: Sequence[Vote], seed: int) -> SuiteVerdict:
    causes = Counter(vote.cause for vote in cast if vote.cause)
    attributable = sum(causes[cause] for cause in ATTRIBUTABLE)
    lean = _lean(cast, lean_pairs(cast), seed) if attributable else None
    unstable = _share_over(cast, _failing, {"unstable"}, _MOST_UNSTABLE, seed)
    if (
        causes.total() >= FEW
        and unstable >= UNSTABLE
        and causes["unstable"] == max(causes.values())
    ):
        return _with_lean(
            SuiteVerdict(kind="unstable", settled=True, probability=unstable),
            lean,
            causes,
        )
    if lean is None or attributable < FEW:
        return _with_lean(SuiteVerdict(kind="too_little_data"), lean, causes)
    return _side_verdict(cast, lean, causes, seed)


def _side_verdict(
    cast: Sequence[Vote], lean: _Lean, causes: Mapping[Cause, int], seed: int
) -> SuiteVerdict:
    prompt = _share_over(cast, _attributable, PROMPT, 1 / 2, seed)
    if prompt >= SETTLED:
        fixable = SuiteVerdict(kind="neither_yet", settled=True, probability=prompt)
        counted = _with_lean(fixable, lean, causes)
        return replace(counted, count=sum(causes[cause] for cause in PROMPT))
    deep = _share_over(cast, _behaves, {"behavior"}, 1 / 2, seed)
    settled = lean.probability >= SETTLED
    named = SuiteVerdict(
        kind=lean.side,
        settled=settled,
        probability=lean.probability,
        deep_probability=deep,
    )
    advised = settled and named.fine_tune_probability >= FINE_TUNE
    counted = _with_lean(replace(named, fine_tune=advised), lean, causes)
    return counted if settled else _with_enough(counted, lean_pairs(cast), seed)


def _with_lean(
    verdict: SuiteVerdict, lean: _Lean | None, causes: Mapping[Cause, int]
) -> SuiteVerdict:
    if lean is None:
        return verdict
    pointing: Mapping[Side, frozenset[Cause]] = {
        "knowledge": frozenset({"knowledge"}),
        "behavior": BEHAVIOR,
        "both": ATTRIBUTABLE,
    }
    return replace(
        verdict,
        leaning=lean.side,
        leaning_probability=lean.probability,
        count=sum(causes.get(cause, 0) for cause in pointing[lean.side]),
        of=sum(causes.get(cause, 0) for cause in ATTRIBUTABLE),
    )


def _with_enough(
    verdict: SuiteVerdict, pairs: Sequence[Pair], seed: int
) -> SuiteVerdict:
    """Return the verdict with the counts that would settle it, if few do."""
    weighed = weigh_pairs(pairs, seed=seed)
    side = verdict.leaning
    if not weighed or side == "both":
        return verdict

    def settles(extra: int) -> bool:
        first, second = (extra, 0) if side == "knowledge" else (0, extra)
        more = with_more_hits(weighed, seed=seed, first=first, second=second)
        return _lean_of([one.lean for one in more]).probability >= SETTLED

    low, high = 0, _MOST_NEEDED
    if not settles(high):
        return verdict
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if settles(middle) else (middle, high)
    return replace(verdict, enough=verdict.count + high, enough_of=verdict.of + high)


def _lean(cast: Sequence[Vote], pairs: Sequence[Pair], seed: int) -> _Lean:
    return _lean_of(leans(cast, pairs, seed))


def leans(cast: Sequence[Vote], pairs: Sequence[Pair], seed: int) -> list[float]:
    """Return draws of the lean: 1 is all knowledge, 0 all behavior."""
    draws = lean_draws(pairs, seed=seed)
    if draws:
        return draws
    # Only one side was asked for, so the failures are all there is to weigh.
    parts = clusters(cast, _attributable, lambda vote: vote.cause == "knowledge")
    return share_draws(parts, seed=seed, prior=UNIFORM)


def _lean_of(draws: Sequence[float]) -> _Lean:
    leans = [
        _Lean("knowledge", probability(draws, low=2 / 3) or 0.0),
        _Lean("behavior", probability(draws, high=1 / 3) or 0.0),
        _Lean("both", probability(draws, low=1 / 3, high=2 / 3) or 0.0),
    ]
    return max(leans, key=lambda lean: lean.probability)


def _share_over(
    cast: Sequence[Vote],
    among: Callable[[Vote], bool],
    hits: AbstractSet[Cause],
    share: float,
    seed: int,
) -> float:
    parts = clusters(cast, among, lambda vote: vote.cause in hits)
    return probability(share_draws(parts, seed=seed), low=share) or 0.0


def _failing(vote: Vote) -> bool:
    return vote.cause is not None


def _attributable(vote: Vote) -> bool:
    return vote.cause in ATTRIBUTABLE


def _behaves(vote: Vote) -> bool:
    return vote.cause in BEHAVIOR

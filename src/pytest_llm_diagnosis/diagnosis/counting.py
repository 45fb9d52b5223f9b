"""From case results to the counts that a verdict rests on.

Exposure, not the mark, decides who could fail for which side; clusters, not
cases, are what is drawn.  Where only a sample of the failing cases was probed,
each probed one stands for its share of the failing cases of its mark.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from pytest_llm_diagnosis.bootstrap import Cluster, Pair, interval_of, share_draws
from pytest_llm_diagnosis.probing import (
    DISTRACTED,
    NOT_USED,
    RETRIEVAL_MISS,
    is_costume,
    needs_probing,
)
from pytest_llm_diagnosis.records import (
    MARKS,
    CaseResult,
    Cause,
    Finding,
    Grade,
    Mark,
)
from pytest_llm_diagnosis.stats import wilson

from .counted import Costumes, FailedPart, Rate, Spotted, Spread
from .recall import Recall

SIDES: Mapping[Mark, frozenset[Cause]] = {
    "knowledge": frozenset({"knowledge", "both"}),
    "behavior": frozenset({"instruction", "examples", "behavior", "both"}),
}
ATTRIBUTABLE = SIDES["knowledge"] | SIDES["behavior"]
NOT_VOTING: frozenset[Cause] = frozenset({"infrastructure", "check_suspect"})


class Vote(NamedTuple):
    """A result that votes, how many cases it stands for, and its cause."""

    result: CaseResult
    weight: float
    cause: Cause | None

    @property
    def cluster(self) -> str:
        """What is drawn together."""
        return self.result.cluster or self.result.file


class Found(NamedTuple):
    """A failing case that was asked again, with its failing grade."""

    result: CaseResult
    finding: Finding
    grade: Grade

    def spotted(self) -> Spotted:
        """Return where it stands."""
        one = self.result
        return Spotted(
            file=one.file,
            line=one.line,
            id=one.id,
            mark=one.mark,
            cause=self.finding.cause,
        )


def failing_grade(result: CaseResult) -> Grade:
    """Return the grade of the most recent failing trial, empty without one."""
    grades = [trial.grade for trial in result.trials]
    failed = [grade for grade in grades if grade.all_passed is False]
    return failed[-1] if failed else Grade()


def graded(results: Iterable[CaseResult]) -> list[CaseResult]:
    """Return the results that passed or failed; errors and skips never vote."""
    return [one for one in results if one.outcome in {"passed", "failed"}]


def found(results: Iterable[CaseResult]) -> list[Found]:
    """Return the failing cases that were asked again."""
    return [
        Found(one, one.finding, failing_grade(one))
        for one in results
        if one.outcome == "failed" and one.finding is not None
    ]


def failed_part(results: Iterable[CaseResult]) -> FailedPart:
    """Return which part of the failing cases failed."""
    parts: Counter[str] = Counter()
    for one in results:
        if one.outcome == "failed":
            parts[_part(failing_grade(one))] += 1
    return FailedPart(**parts)


def _part(grade: Grade) -> str:
    form = grade.passed("form") is False
    if grade.passed("facts") is False:
        return "both" if form else "facts"
    if form:
        return "form"
    judged = any(one.judged and one.passed is False for one in grade.verdicts)
    return "judged" if judged else "limits"


# -- votes -----------------------------------------------------------------


def votes(results: Sequence[CaseResult]) -> list[Vote]:
    """Return the results that vote on causes.

    Passing cases and those that only a limit or a judge failed vote with no cause;
    failing ones that were not probed are spoken for by those of their mark that
    were.  Where none was, they are left out, and `unspoken` counts them: what they
    failed for is open, and counting them as failing for nothing would be a claim.
    """
    weights = _weights(results)
    cast: list[Vote] = []
    for one in graded(results):
        if one.outcome == "passed" or not needs_probing(failing_grade(one)):
            cast.append(Vote(one, 1.0, None))
        elif one.finding and one.finding.cause not in NOT_VOTING:
            cast.append(Vote(one, weights[one.mark], one.finding.cause))
    return cast


def _weights(results: Sequence[CaseResult]) -> dict[Mark, float]:
    failing: Counter[Mark] = Counter()
    probed: Counter[Mark] = Counter()
    for one in results:
        if one.outcome == "failed" and needs_probing(failing_grade(one)):
            failing[one.mark] += 1
            probed[one.mark] += one.finding is not None
    return {mark: failing[mark] / probed[mark] for mark in MARKS if probed[mark]}


def unspoken(results: Iterable[CaseResult]) -> list[Mark]:
    """Return the marks of unprobed failing cases that no vote speaks for, one each."""
    failing = [
        one
        for one in results
        if one.outcome == "failed" and needs_probing(failing_grade(one))
    ]
    spoken = {
        one.mark
        for one in failing
        if one.finding is not None and one.finding.cause not in NOT_VOTING
    }
    unprobed = [one.mark for one in failing if one.finding is None]
    return [mark for mark in unprobed if mark not in spoken]


def exposed(vote: Vote, side: Mark) -> bool:
    """Return whether a case could fail for a side.

    A fact check or a passage exposes to the knowledge side, a form check to the
    behaviour side.  A case that was found to fail for a side was exposed to it.
    """
    asks = vote.result.asks_facts if side == "knowledge" else vote.result.asks_form
    return asks or vote.cause in SIDES[side]


def lean_pairs(cast: Sequence[Vote]) -> list[Pair]:
    """Return what each cluster adds to the knowledge and the behaviour share.

    Empty where only one side was asked for: then there are no two shares.
    """
    asked = [vote.result for vote in cast]
    if not any(one.asks_facts for one in asked) or not any(
        one.asks_form for one in asked
    ):
        return []
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0] * 4)
    for vote in cast:
        cluster = sums[vote.cluster]
        for index, side in enumerate(MARKS):
            if exposed(vote, side):
                cluster[2 * index] += vote.weight * (vote.cause in SIDES[side])
                cluster[2 * index + 1] += vote.weight
    return [
        Pair(Cluster(hits_a, size_a), Cluster(hits_b, size_b))
        for hits_a, size_a, hits_b, size_b in sums.values()
    ]


def clusters(
    cast: Iterable[Vote],
    among: Callable[[Vote], bool],
    hit: Callable[[Vote], bool],
) -> list[Cluster]:
    """Return per cluster how many votes `among` all are a `hit`, weighted."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for vote in cast:
        if among(vote):
            sums[vote.cluster][0] += vote.weight * hit(vote)
            sums[vote.cluster][1] += vote.weight
    return [Cluster(hits, size) for hits, size in sums.values()]


# -- rates -----------------------------------------------------------------


def mark_rate(results: Iterable[CaseResult], mark: Mark, seed: int) -> Rate:
    """Return how many graded cases of a mark failed."""
    cast = [Vote(one, 1.0, None) for one in graded(results) if one.mark == mark]
    return _rate(
        clusters(cast, lambda _: True, lambda vote: vote.result.outcome == "failed"),
        seed,
    )


def side_share(cast: Sequence[Vote], side: Mark, seed: int) -> Rate:
    """Return how many of the exposed cases failed for a side."""
    parts = clusters(
        cast,
        lambda vote: exposed(vote, side),
        lambda vote: vote.cause in SIDES[side],
    )
    rate = _rate(parts, seed)
    return replace(rate, estimated=any(vote.weight > 1 for vote in cast))


def side_spread(cast: Sequence[Vote], side: Mark) -> Spread:
    """Return over how many clusters the cases lie that could fail for a side."""
    of_side = [vote for vote in cast if exposed(vote, side)]
    return Spread(
        cases=len(of_side),
        clusters=len({vote.cluster for vote in of_side}),
        by_file=any(vote.cluster == vote.result.file for vote in of_side),
    )


def _rate(parts: list[Cluster], seed: int) -> Rate:
    hits, size = sum(part.hits for part in parts), sum(part.size for part in parts)
    alone = all(part.size == 1 for part in parts)
    interval = (
        wilson(hits, size) if alone else interval_of(share_draws(parts, seed=seed))
    )
    return Rate(failed=round(hits), cases=round(size), interval=interval)


# -- what was retrieved ----------------------------------------------------


def recall(results: Iterable[CaseResult]) -> Recall | None:
    """Return how often gold passages were retrieved; None where nothing was."""
    asked = [one for one in graded(results) if one.retrieved is not None]
    shown = [one.retrieved for one in asked if one.retrieved is not None]
    if not shown:
        return None
    notes = Counter(
        note for one in found(asked) for note in (one.finding.note or "").split("; ")
    )
    ranks = [one.rank for one in shown if one.rank is not None]
    sizes = {one.k for one in shown}
    return Recall(
        cases=len(shown),
        k=sizes.pop() if len(sizes) == 1 else None,
        retrieved=len(ranks),
        interval=wilson(len(ranks), len(shown)),
        first=ranks.count(1),
        found=sum(one.found for one in shown),
        gold=sum(one.gold for one in shown),
        missed=notes[RETRIEVAL_MISS],
        distracted=notes[DISTRACTED],
        unused=notes[NOT_USED],
    )


# -- what else the causes say ----------------------------------------------


def costumes(cases: Iterable[Found]) -> Costumes:
    """Return how many causes hide behind the other side's mark or check."""
    kinds: Counter[str] = Counter()
    for one in cases:
        if is_costume(one.result.mark, one.grade, one.finding):
            kinds[_costume(one)] += 1
    return Costumes(**kinds)


def _costume(one: Found) -> str:
    facts_failed = one.grade.passed("facts") is False
    if one.finding.cause == "knowledge":
        return "marked" if facts_failed else "ignorant"
    return "knew" if facts_failed else "marked"


def doubtful_marks(cases: Iterable[Found]) -> tuple[Spotted, ...]:
    """Return the cases whose mark contradicts their cause, in file order."""
    return tuple(
        sorted(
            one.spotted()
            for one in cases
            if one.finding.cause in ATTRIBUTABLE
            and one.finding.cause not in SIDES[one.result.mark]
        )
    )


def disguised(cases: Iterable[Found]) -> tuple[Spotted, ...]:
    """Return the cases whose mark is right, but what failed is the other side's."""
    return tuple(
        sorted(
            replace(one.spotted(), failed=_failed_dimension(one.grade))
            for one in cases
            if is_costume(one.result.mark, one.grade, one.finding)
            and one.finding.cause in SIDES[one.result.mark]
        )
    )


def _failed_dimension(grade: Grade) -> str:
    return "facts" if grade.passed("facts") is False else "form"

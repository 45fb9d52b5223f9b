"""How well causes fit what was planted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from pytest_llm_diagnosis.records import Cause

from .suites import Ran
from .world import CAUSES

BEHAVIOR: frozenset[Cause] = frozenset({"instruction", "examples", "behavior"})
BINS = 10


def side(cause: Cause) -> str:
    """Return the side of a cause, or the cause itself where it has none."""
    return "behavior" if cause in BEHAVIOR else cause


class CauseScore(NamedTuple):
    """Shares of failing cases whose cause, or side, was found; calls a failure."""

    failures: int
    accuracy: float
    side_accuracy: float
    calls: float
    calibration: float


def score_causes(ran: Iterable[Ran]) -> CauseScore:
    """Return how well causes were found; a side is asked of one-sided truths."""
    found = [(one.case.truth, one.finding) for one in ran if one.finding]
    sided = [
        side(truth) == side(finding.cause)
        for truth, finding in found
        if side(truth) in {"knowledge", "behavior"}
    ]
    right = [truth == finding.cause for truth, finding in found]
    claims = [
        (finding.probability, truth == finding.cause)
        for truth, finding in found
        if finding.probability is not None
    ]
    return CauseScore(
        failures=len(found),
        accuracy=sum(right) / len(found),
        side_accuracy=sum(sided) / len(sided),
        calls=sum(finding.calls for _, finding in found) / len(found),
        calibration=calibration_error(claims),
    )


def calibration_error(claims: Iterable[tuple[float, bool]]) -> float:
    """Return the expected calibration error over ten bins of probability."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for probability, right in claims:
        bins.setdefault(min(BINS - 1, int(probability * BINS)), []).append(
            (probability, right)
        )
    total = sum(map(len, bins.values()))
    gaps = [
        abs(sum(p for p, _ in group) - sum(right for _, right in group))
        for group in bins.values()
    ]
    return sum(gaps) / total if total else float("nan")


def confusion(ran: Iterable[Ran]) -> Counter[tuple[Cause, Cause]]:
    """Return how often a truth was called a cause."""
    return Counter((one.case.truth, one.finding.cause) for one in ran if one.finding)


def recall(counts: Counter[tuple[Cause, Cause]], cause: Cause) -> float:
    """Return the share of a truth that was found."""
    of_truth = sum(counts[cause, other] for other in CAUSES)
    return counts[cause, cause] / of_truth if of_truth else float("nan")


def precision(counts: Counter[tuple[Cause, Cause]], cause: Cause) -> float:
    """Return the share of a claim that was true."""
    of_claim = sum(counts[other, cause] for other in CAUSES)
    return counts[cause, cause] / of_claim if of_claim else float("nan")

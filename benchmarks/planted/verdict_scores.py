"""How well verdicts fit the worlds that their suites were drawn from."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from pytest_llm_diagnosis.diagnosis import SuiteVerdict

from .cause_scores import BEHAVIOR, calibration_error
from .world import PlantedCase, World, draw_suite

HALF = 1 / 2
Region = Literal["knowledge", "behavior", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is true of a world, whichever suite was drawn from it.

    `prompt` is the share of attributable failures that the prompt fixes, `deep`
    the share of the behaviour side that survives it, `unstable` that of
    failures that do not repeat.
    """

    lean: float
    prompt: float
    deep: float
    unstable: float

    @property
    def region(self) -> Region:
        """Which side fails at least twice as often."""
        if self.lean > 2 / 3:
            return "knowledge"
        return "behavior" if self.lean < 1 / 3 else "both"


def true_of(world: World, rng: random.Random, cases: int = 4_000) -> Truth:
    """Return what is true of a world, from a large draw of it."""
    return truth_of(draw_suite(replace(world, cases=cases), rng), rng)


def truth_of(drawn: Sequence[PlantedCase], rng: random.Random) -> Truth:
    """Return what is true of some cases, whatever was found out about them."""
    truths = Counter(case.truth for case in drawn)
    knowledge = truths["knowledge"] + truths["both"]
    behavior = sum(truths[cause] for cause in BEHAVIOR)
    exposed_k = sum(c.checks_facts or c.has_passage for c in drawn)
    exposed_b = sum(c.checks_form or c.truth in BEHAVIOR for c in drawn)
    rate_k = _ratio(knowledge, exposed_k)
    rate_b = _ratio(behavior + truths["both"], exposed_b)
    failing = [case for case in drawn if _fails(case, rng)]
    unstable = sum(case.truth == "unstable" for case in failing)
    prompt = truths["instruction"] + truths["examples"]
    return Truth(
        lean=_ratio(rate_k, rate_k + rate_b),
        prompt=_ratio(prompt, knowledge + behavior),
        deep=_ratio(truths["behavior"], behavior),
        unstable=_ratio(unstable, len(failing)),
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _fails(case: PlantedCase, rng: random.Random) -> bool:
    first = case.answer("first", rng)
    return first.facts is False or first.form is False


class Judged(NamedTuple):
    """A verdict beside what is true of its world and of its own suite."""

    verdict: SuiteVerdict
    truth: Truth
    suite: Truth

    def fits(self, truth: Truth) -> bool:
        """Return whether the headline is true."""
        kind = self.verdict.kind
        if kind == "neither_yet":
            return truth.prompt > HALF
        if kind == "unstable":
            return truth.unstable > 1 / 3
        return kind == truth.region

    @property
    def unneeded(self) -> bool:
        """Whether a fine-tune was advised that the world does not call for."""
        return self.truth.region != "behavior" or self.truth.deep <= HALF


class VerdictScore(NamedTuple):
    """Shares of verdicts; the last one of the times that it was advised.

    `accuracy` is that of settled verdicts about the world that the suite was
    drawn from, `of_suite` about the suite itself.
    """

    suites: int
    settled: float
    accuracy: float
    of_suite: float
    calibration: float
    dominance: float
    advised: int
    unneeded: float


def score_verdicts(judged: Sequence[Judged]) -> VerdictScore:
    """Return how well verdicts hold; false dominance is a side in a balanced world."""
    settled = [one for one in judged if one.verdict.settled]
    claims = [
        (one.verdict.probability, one.verdict.kind == one.truth.region)
        for one in judged
        if one.verdict.kind == one.verdict.leaning and one.verdict.probability
    ]
    advised = [one for one in judged if one.verdict.fine_tune]
    one_sided = [one.verdict.kind in {"knowledge", "behavior"} for one in settled]
    return VerdictScore(
        suites=len(judged),
        settled=len(settled) / len(judged),
        accuracy=_share([one.fits(one.truth) for one in settled]),
        of_suite=_share([one.fits(one.suite) for one in settled]),
        calibration=calibration_error(claims),
        dominance=sum(one_sided) / len(judged),
        advised=len(advised),
        unneeded=_share([one.unneeded for one in advised]),
    )


def _share(bits: Sequence[bool]) -> float:
    return sum(bits) / len(bits) if bits else float("nan")

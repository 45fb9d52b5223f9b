"""The most that any rule could say of a world from one suite of it.

The ideal observer is told the true cause of every case and how worlds are
drawn, and weighs many drawn worlds by Bayes.  What it gets wrong at a
probability of .80 is what a small suite cannot tell.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pytest_llm_diagnosis.diagnosis import SuiteVerdict
from pytest_llm_diagnosis.records import Cause

from .verdict_scores import HALF, Region, Truth, true_of
from .world import BOTH_SHARE, RUNGS, USES_PASSAGE, PlantedCase, World, draw_world

WORLDS = 2_000
CASES = 1_000
SETTLED = 0.80
FINE_TUNE = 0.90
REGIONS: tuple[Region, ...] = ("knowledge", "behavior", "both")


class _Known(NamedTuple):
    truth: Truth
    logs: Mapping[Cause, float]


class IdealObserver:
    """Names the region of a world by the drawn worlds that fit a suite."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(f"ideal {seed}")  # noqa: S311 - a simulation, not a secret
        worlds = [draw_world(rng) for _ in range(WORLDS)]
        self._known = [
            _Known(true_of(world, rng, CASES), _logs(world)) for world in worlds
        ]

    def verdict(self, drawn: Sequence[PlantedCase]) -> SuiteVerdict:
        """Return what the true causes of a suite allow to say."""
        truths = Counter(case.truth for case in drawn)
        fits = [
            sum(number * known.logs[cause] for cause, number in truths.items())
            for known in self._known
        ]
        best = max(fits)
        weights = [math.exp(fit - best) for fit in fits]

        def chance(holds: Callable[[Truth], bool]) -> float:
            pairs = zip(weights, self._known, strict=True)
            hits = sum(weight for weight, known in pairs if holds(known.truth))
            return hits / sum(weights)

        return _named(chance)


def _named(chance: Callable[[Callable[[Truth], bool]], float]) -> SuiteVerdict:
    prompt = chance(lambda truth: truth.prompt > HALF)
    if prompt >= SETTLED:
        return SuiteVerdict(kind="neither_yet", settled=True, probability=prompt)
    regions = {one: chance(_lies_in(one)) for one in REGIONS}
    region = max(REGIONS, key=regions.__getitem__)
    deep = chance(lambda truth: truth.region == "behavior" and truth.deep > HALF)
    return SuiteVerdict(
        kind=region,
        settled=regions[region] >= SETTLED,
        probability=regions[region],
        leaning=region,
        fine_tune=deep >= FINE_TUNE,
    )


def _lies_in(region: Region) -> Callable[[Truth], bool]:
    return lambda truth: truth.region == region


def _logs(world: World) -> dict[Cause, float]:
    one_sided = world.failing * (1 - BOTH_SHARE)
    ignorant = one_sided * world.lean
    both = world.failing * BOTH_SHARE
    behaves = one_sided * (1 - world.lean)
    chances: dict[Cause, float] = {
        "unstable": 1 - world.failing,
        "knowledge": ignorant * USES_PASSAGE,
        "both": both * USES_PASSAGE,
        "unexplained": (ignorant + both) * (1 - USES_PASSAGE),
    }
    for rung, share in zip(RUNGS, world.rungs, strict=True):
        chances[rung] = behaves * share
    return {cause: math.log(max(chance, 1e-12)) for cause, chance in chances.items()}

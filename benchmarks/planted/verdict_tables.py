"""How well verdicts hold, over random and over balanced worlds."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from pytest_llm_diagnosis.diagnosis import SuiteVerdict, diagnose

from .ceiling import IdealObserver
from .suites import FINDERS, run_suite, true_cause
from .verdict_scores import (
    HALF,
    Judged,
    Truth,
    score_verdicts,
    true_of,
    truth_of,
)
from .world import Fixed, PlantedCase, World, draw_suite, draw_world

IDEAL = "ideal observer"
METHODS = (
    "standard",
    "quick",
    "counting marks",
    "fixed standard",
    "true causes",
    IDEAL,
)
SIZES = (20, 50, 200)
FAILING = (0.05, 0.5)


class _Drawn(NamedTuple):
    world: World
    truth: Truth


def verdict_tables(seed: int, worlds: int) -> None:
    """Print how well verdicts hold, by method and by kind of world.

    `true causes` is what the rule alone loses; `ideal observer` what no rule
    can win, since a suite is a small sample of its world.
    """
    anywhere = _worlds(seed, worlds, {})
    balanced = _worlds(seed + 1, worlds, {"lean": HALF})
    ideal = IdealObserver(seed)
    print(f"\nverdicts over {worlds} random worlds; false dominance: balanced ones")
    for method in METHODS:
        print(f"\nby {method}")
        _head()
        for cases in SIZES:
            judged = _judge(method, ideal, anywhere, cases, seed)
            even = _judge(method, ideal, balanced, cases, seed)
            _row(cases, judged, even)
    print("\nby standard, true failure rates of .05 to .5")
    _head()
    mixed = _worlds(seed + 2, worlds, {}, failing=FAILING)
    for cases in SIZES:
        _row(cases, _judge("standard", ideal, mixed, cases, seed), ())


def _head() -> None:
    print(
        f"  {'cases':<7}{'settled':>8}{'of world':>10}{'of suite':>10}{'ECE':>7}"
        f"{'false dominance':>17}{'fine-tunes':>12}{'unneeded':>10}"
    )


def _row(cases: int, judged: Sequence[Judged], even: Sequence[Judged]) -> None:
    score = score_verdicts(judged)
    dominance = f"{score_verdicts(even).dominance:.3f}" if even else "-"
    print(
        f"  {cases:<7}{score.settled:>8.3f}"
        f"{score.accuracy:>10.3f}{score.of_suite:>10.3f}"
        f"{score.calibration:>7.3f}{dominance:>17}"
        f"{score.advised:>12}{score.unneeded:>10.2f}",
        flush=True,
    )


def _worlds(
    seed: int,
    worlds: int,
    fixed: Fixed,
    failing: tuple[float, float] | None = None,
) -> list[_Drawn]:
    rng = _random(seed)
    drawn = [draw_world(rng, **fixed) for _ in range(worlds)]
    if failing:
        drawn = [replace(world, failing=rng.uniform(*failing)) for world in drawn]
    return [_Drawn(world, true_of(world, rng)) for world in drawn]


def _judge(
    method: str, ideal: IdealObserver, worlds: Iterable[_Drawn], cases: int, seed: int
) -> list[Judged]:
    rng = _random(seed)
    judged = []
    for index, (world, truth) in enumerate(worlds):
        drawn = draw_suite(replace(world, cases=cases), rng)
        if method == IDEAL:
            verdict = ideal.verdict(drawn)
        else:
            verdict = _verdict(method, drawn, seed + index, rng)
        judged.append(Judged(verdict, truth, truth_of(drawn, rng)))
    return judged


def _verdict(
    method: str, drawn: Sequence[PlantedCase], seed: int, rng: random.Random
) -> SuiteVerdict:
    ran = run_suite(drawn, FINDERS.get(method, true_cause), rng)
    (variant,) = diagnose([one.result() for one in ran], seed=seed).variants
    return variant.verdict


def _random(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - a simulation, not a secret

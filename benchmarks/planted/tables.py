"""The tables over many random worlds."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pytest_llm_diagnosis.diagnosis import diagnose

from .scores import (
    HALF,
    Judged,
    Truth,
    confusion,
    precision,
    recall,
    score_causes,
    score_verdicts,
    true_of,
    truth_of,
)
from .suites import FINDERS, Ran, run_suite
from .world import CAUSES, Fixed, World, draw_suite, draw_world

METHODS = ("counting marks", "quick", "standard")
COSTUMES = (0.0, 0.1, 0.2, 0.3, 0.4)
SIZES = (20, 50, 200)


def cause_tables(seed: int, worlds: int) -> None:
    """Print how well causes are found, by method, noise and kind of world."""
    plain: Fixed = {"cases": 100}
    costumes: list[tuple[str, Fixed]] = [
        (f"costume {rate:.1f}", {**plain, "costume": rate}) for rate in COSTUMES
    ]
    rows: list[tuple[str, Fixed]] = [
        ("low noise", {**plain, "noise": "low"}),
        ("high noise", {**plain, "noise": "high"}),
        ("true failure rate .1", {**plain, "failing": 0.1}),
        *costumes,
    ]
    _cause_table("costume .2, true failure rate .4", FINDERS, seed, worlds, plain)
    for title, fixed in rows:
        _cause_table(title, METHODS, seed, worlds, fixed)
    for method in ("quick", "standard"):
        _by_cause(method, _run(method, seed, worlds, plain))


def _run(method: str, seed: int, worlds: int, fixed: Fixed) -> list[Ran]:
    rng = _random(seed)
    ran: list[Ran] = []
    for _ in range(worlds):
        world = draw_world(rng, **fixed)
        ran += run_suite(draw_suite(world, rng), FINDERS[method], rng)
    return ran


def _cause_table(
    title: str, methods: Iterable[str], seed: int, worlds: int, fixed: Fixed
) -> None:
    print(f"\n{title}")
    print(
        f"  {'':<16}{'failures':>9}{'7 causes':>10}{'K or B':>8}{'calls':>7}{'ECE':>6}"
    )
    for method in methods:
        score = score_causes(_run(method, seed, worlds, fixed))
        print(
            f"  {method:<16}{score.failures:>9}{score.accuracy:>10.3f}"
            f"{score.side_accuracy:>8.3f}{score.calls:>7.1f}{score.calibration:>6.2f}"
        )


def _by_cause(method: str, ran: Sequence[Ran]) -> None:
    counts = confusion(ran)
    print(f"\n{method}, by cause (rows are true, columns what was said)")
    heads = "".join(f"{cause[:6]:>8}" for cause in CAUSES)
    print(f"  {'':<12}{heads}{'recall':>9}{'precision':>11}")
    for cause in CAUSES:
        cells = "".join(f"{counts[cause, said]:>8}" for said in CAUSES)
        scored = f"{recall(counts, cause):>9.2f}{precision(counts, cause):>11.2f}"
        print(f"  {cause:<12}{cells}{scored}")


def verdict_tables(seed: int, worlds: int) -> None:
    """Print how well verdicts hold, over random and over balanced worlds."""
    anywhere = _worlds(seed, worlds, {})
    balanced = _worlds(seed + 1, worlds, {"lean": HALF})
    for method in METHODS:
        print(f"\nverdicts by {method}")
        print(
            f"  {'cases':<7}{'settled':>8}{'of world':>10}{'of suite':>10}{'ECE':>6}"
            f"{'false dominance':>17}{'fine-tunes':>12}{'unneeded':>10}"
        )
        for cases in SIZES:
            score = score_verdicts(_judge(method, anywhere, cases, seed))
            dominance = score_verdicts(_judge(method, balanced, cases, seed)).dominance
            print(
                f"  {cases:<7}{score.settled:>8.2f}"
                f"{score.accuracy:>10.2f}{score.of_suite:>10.2f}"
                f"{score.calibration:>6.2f}{dominance:>17.3f}"
                f"{score.advised:>12}{score.unneeded:>10.2f}"
            )


def _worlds(seed: int, worlds: int, fixed: Fixed) -> list[tuple[World, Truth]]:
    rng = _random(seed)
    drawn = [draw_world(rng, **fixed) for _ in range(worlds)]
    return [(world, true_of(world, rng)) for world in drawn]


def _judge(
    method: str, worlds: Iterable[tuple[World, Truth]], cases: int, seed: int
) -> list[Judged]:
    rng = _random(seed)
    judged = []
    for index, (world, truth) in enumerate(worlds):
        drawn = draw_suite(replace(world, cases=cases), rng)
        ran = run_suite(drawn, FINDERS[method], rng)
        results = [one.result() for one in ran]
        (variant,) = diagnose(results, seed=seed + index).variants
        judged.append(Judged(variant.verdict, truth, truth_of(drawn, rng)))
    return judged


def _random(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - a simulation, not a secret

"""How well causes are found, over many random worlds."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from .cause_scores import confusion, precision, recall, score_causes
from .suites import FINDERS, Ran, run_suite
from .world import CAUSES, Fixed, draw_suite, draw_world

METHODS = ("counting marks", "quick", "standard")
COSTUMES = (0.0, 0.1, 0.2, 0.3, 0.4)


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
        ("half of the facts are forms", {**plain, "formed": 0.5}),
        ("every fact is a form", {**plain, "formed": 1.0}),
    ]
    _cause_table("costume .2, true failure rate .4", FINDERS, seed, worlds, plain)
    for title, fixed in rows:
        _cause_table(title, METHODS, seed, worlds, fixed)
    for method in FINDERS:
        _by_cause(method, _run(method, seed, worlds, plain))


def _run(method: str, seed: int, worlds: int, fixed: Fixed) -> list[Ran]:
    rng = random.Random(seed)  # noqa: S311 - a simulation, not a secret
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

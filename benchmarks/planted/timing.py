"""CPU time of a diagnosis, by the number of failing cases."""

from __future__ import annotations

import random
import time
from dataclasses import replace

from pytest_llm_diagnosis.diagnosis import diagnose
from pytest_llm_diagnosis.records import CaseResult, Finding

from .suites import run_suite
from .world import World, draw_suite

SIZES = (200, 2_000, 20_000)
CASES_A_CLUSTER = 5


def timing_table(seed: int) -> None:
    """Print CPU seconds with a cluster a case, and with five cases a cluster."""
    print(f"\n  {'failing':<9}{'alone':>8}{'clustered':>11}   CPU seconds")
    for failing in SIZES:
        results = _failing(seed, failing)
        clustered = [
            replace(one, cluster=str(number // CASES_A_CLUSTER))
            for number, one in enumerate(results)
        ]
        print(f"  {failing:<9}{_seconds(results):>8.2f}{_seconds(clustered):>11.2f}")


def _failing(seed: int, failing: int) -> list[CaseResult]:
    rng = random.Random(seed)  # noqa: S311 - a simulation, not a secret
    results: list[CaseResult] = []
    found = 0
    while found < failing:
        cases = draw_suite(World(cases=1_000), rng)
        ran = run_suite(cases, lambda case, _ask, _rng: Finding(cause=case.truth), rng)
        for one in ran:
            number = len(results)
            results.append(replace(one.result(), id=str(number), cluster=str(number)))
            found += one.finding is not None
            if found == failing:
                break
    return results


def _seconds(results: list[CaseResult]) -> float:
    started = time.process_time()
    diagnose(results, seed=1)
    return time.process_time() - started

"""The search on planted faults: it must stay better than what it replaced."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_llm_diagnosis.probing import ProbeMode
from pytest_llm_diagnosis.records import Ask, Finding

if TYPE_CHECKING:
    from benchmarks.planted.cause_scores import CauseScore
    from benchmarks.planted.world import PlantedCase

ROOT = Path(__file__).parents[1]


@pytest.fixture
def scores(monkeypatch: pytest.MonkeyPatch) -> dict[str, CauseScore]:
    """Return how well each method finds the causes of the same worlds."""
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.planted.cause_scores import score_causes
    from benchmarks.planted.suites import FINDERS, run_suite
    from benchmarks.planted.world import draw_suite, draw_world

    scored = {}
    for method, finder in FINDERS.items():
        rng = random.Random(9)  # noqa: S311 - a simulation, not a secret
        worlds = [draw_world(rng, cases=60) for _ in range(10)]
        ran = [
            one
            for world in worlds
            for one in run_suite(draw_suite(world, rng), finder, rng)
        ]
        scored[method] = score_causes(ran)
    return scored


@pytest.mark.parametrize("mode", ["quick", "standard"])
def test_a_looked_up_search_is_the_search(
    monkeypatch: pytest.MonkeyPatch, mode: ProbeMode
) -> None:
    """What the tables rest on finds what the product finds, ask by ask."""
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.planted.remembered import Remembered
    from benchmarks.planted.suites import run_suite
    from benchmarks.planted.world import draw_suite, draw_world

    rng = random.Random(3)  # noqa: S311 - a simulation, not a secret
    cases = draw_suite(draw_world(rng, cases=150, noise="high"), rng)
    used = Remembered(mode)
    run_suite(cases, used, rng)

    def fresh(case: PlantedCase, first: Ask, rng: random.Random) -> Finding:
        return Remembered(mode)(case, first, rng)

    again = [
        run_suite(cases, finder, random.Random(4))  # noqa: S311 - as above
        for finder in (used, fresh)
    ]
    assert again[0] == again[1]


def test_interventions_beat_counting_marks(scores: dict[str, CauseScore]) -> None:
    """Standard finds nearly every cause, quick most, in so many calls."""
    assert scores["standard"].accuracy > 0.94
    assert scores["standard"].side_accuracy > 0.96
    assert scores["standard"].calls < 6.7
    assert scores["quick"].accuracy > 0.83
    assert scores["quick"].side_accuracy > 0.88
    assert scores["quick"].calls < 4
    assert scores["counting marks"].accuracy < 0.6


def test_the_search_beats_a_fixed_order_of_the_same_arms(
    scores: dict[str, CauseScore],
) -> None:
    """More causes at no more calls."""
    for mode in ("quick", "standard"):
        assert scores[mode].accuracy > scores[f"fixed {mode}"].accuracy + 0.02
    assert scores["standard"].calls < scores["fixed standard"].calls


def test_stated_probabilities_come_true(scores: dict[str, CauseScore]) -> None:
    """Causes named with P of .9 hold about nine times in ten."""
    assert scores["standard"].calibration < 0.05


def test_causes_are_found_where_facts_are_forms(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the free form fewer are found, and far more than by asking it."""
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.planted.cause_scores import score_causes
    from benchmarks.planted.remembered import Remembered
    from benchmarks.planted.suites import run_suite
    from benchmarks.planted.world import draw_suite, draw_world

    rng = random.Random(9)  # noqa: S311 - a simulation, not a secret
    worlds = [draw_world(rng, cases=60, formed=1.0) for _ in range(10)]
    ran = [
        one
        for world in worlds
        for one in run_suite(draw_suite(world, rng), Remembered("standard"), rng)
    ]
    scored = score_causes(ran)
    assert scored.accuracy > 0.88
    assert scored.side_accuracy > 0.95
    assert scored.calls < 6.7


def test_every_table_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every method has its rows: causes, precision and recall, verdicts by size."""
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.planted import ceiling, verdict_tables
    from benchmarks.planted.cause_tables import cause_tables
    from benchmarks.planted.suites import FINDERS

    monkeypatch.setattr(ceiling, "WORLDS", 5)
    monkeypatch.setattr(ceiling, "CASES", 100)
    monkeypatch.setattr(verdict_tables, "SIZES", (20,))
    cause_tables(1, 1)
    causes = capsys.readouterr().out
    for title in ("low noise", "high noise", "costume 0.0", "costume 0.4"):
        assert title in causes
    for method in FINDERS:
        assert f"{method}, by cause" in causes
    verdict_tables.verdict_tables(1, 2)
    verdicts = capsys.readouterr().out
    for method in verdict_tables.METHODS:
        assert f"by {method}" in verdicts
    assert "false dominance" in verdicts
    assert "unneeded" in verdicts

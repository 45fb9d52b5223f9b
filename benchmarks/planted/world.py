"""Planted faults: suites whose every failing case has a known cause.

A case answers from a hidden state.  Its truth is the cause that a perfect
diagnosis would name; a passing case that fails by noise is `unstable`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypedDict, Unpack

from pytest_llm_diagnosis.records import Arm, Ask, Cause, Mark, Rung

CONCENTRATION = 25
USES_PASSAGE = 0.92
BOTH_SHARE = 0.1
HALF = 0.5
CAUSES: tuple[Cause, ...] = (
    "unstable",
    "knowledge",
    "instruction",
    "examples",
    "behavior",
    "both",
    "unexplained",
)
HELP: Mapping[Arm, int] = {"S": 1, "X": 2, "ES": 1, "EX": 2}
RUNGS: tuple[Rung, ...] = ("instruction", "examples", "behavior")
LEVELS: Mapping[Cause, int] = {"instruction": 1, "examples": 2, "behavior": 3}

Noise = Literal["low", "middle", "high"]
RIGHT: Mapping[Noise, float] = {"low": 0.98, "middle": 0.93, "high": 0.85}
WRONG: Mapping[Noise, float] = {"low": 0.02, "middle": 0.05, "high": 0.12}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a suite is drawn from.

    `lean` is the share of knowledge among one-sided true failures, `rungs` the
    shares of instruction, examples and behavior among those of behavior.
    `formed` is the share of cases whose fact is itself a form, as a call is.
    """

    cases: int = 200
    failing: float = 0.4
    lean: float = 0.5
    rungs: tuple[float, float, float] = (0.34, 0.33, 0.33)
    costume: float = 0.2
    formed: float = 0.0
    noise: Noise = "middle"
    clusters: int | None = None


class Fixed(TypedDict, total=False):
    """What of a world is not left to chance."""

    cases: int
    failing: float
    lean: float
    costume: float
    formed: float
    noise: Noise


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedCase:
    """A case with its hidden state.

    `level` is the help that its form needs: 0 none, 1 the instruction, 2
    examples, 3 nothing suffices.  A `costume` moves the failure to the other
    side's check: the form demand costs the fact (and may keep the form, or be
    undone by a passage), or the form breaks because the fact is not known.  The
    fact of a `formed` case is right in its form alone, never in prose.  The four
    chances are those of a right answer per dimension when its condition
    holds (`right`) and when it does not (`wrong`).
    """

    name: str
    mark: Mark
    cluster: str
    truth: Cause
    knows: bool
    uses_passage: bool
    level: int
    costume: bool
    keeps_form: bool
    rescued: bool
    checks_facts: bool
    checks_form: bool
    has_passage: bool
    formed: bool
    right: tuple[float, float]
    wrong: tuple[float, float]

    def holds(self, arm: Arm) -> tuple[bool, bool]:
        """Return whether the conditions of facts and of form hold in an arm."""
        knows = self.knows or ("E" in arm and self.uses_passage)
        kept = HELP.get(arm, 0) >= self.level
        if self.formed and "F" in arm:
            return False, False
        if not self.costume:
            return knows and (kept or not self.formed), kept
        if not self.knows:
            return knows, kept and knows
        rescued = self.rescued and "E" in arm
        return knows and (kept or rescued or "F" in arm), kept or self.keeps_form

    def answer(self, arm: Arm, rng: random.Random) -> Ask:
        """Return what one ask of an arm shows; free form is graded on facts."""
        chances = [
            self.right[index] if holds else self.wrong[index]
            for index, holds in enumerate(self.holds(arm))
        ]
        facts, form = (rng.random() < chance for chance in chances)
        graded = self.checks_form and "F" not in arm
        return Ask(
            facts=facts if self.checks_facts else None, form=form if graded else None
        )


def draw_world(rng: random.Random, **fixed: Unpack[Fixed]) -> World:
    """Return a world with a random lean and random rungs, the rest as given."""
    shares = [rng.expovariate(1) for _ in RUNGS]
    instruction, examples, behavior = (share / sum(shares) for share in shares)
    drawn = World(lean=rng.random(), rungs=(instruction, examples, behavior))
    return replace(drawn, **fixed)


def draw_suite(world: World, rng: random.Random) -> list[PlantedCase]:
    """Return the cases of one suite of a world."""
    return [_draw_case(world, rng, index) for index in range(world.cases)]


def _draw_case(world: World, rng: random.Random, index: int) -> PlantedCase:
    planted = _draw_truth(world, rng)
    level = LEVELS.get(planted, 0)
    if planted == "both":
        level = LEVELS[_draw_rung(world, rng)]
    uses_passage = rng.random() < USES_PASSAGE
    ignorant = planted in {"knowledge", "both"}
    costume = planted not in {"unstable", "both"} and rng.random() < world.costume
    mark = _mark(planted, rng, costume=costume)
    both_checked = planted == "both" or rng.random() < HALF
    hides_facts = costume and planted == "knowledge"
    checks_facts = not hides_facts and (mark == "knowledge" or both_checked)
    # Drawn only where it is asked for: other worlds stay as they were.
    formed = not hides_facts and world.formed > 0 and rng.random() < world.formed
    # A call that nothing brings about is none with the passage either.
    hopeless = formed and planted == "both" and level == LEVELS["behavior"]
    helped = uses_passage and not hopeless
    checks_facts = checks_facts or formed
    clusters = world.clusters or world.cases
    return PlantedCase(
        name=f"case-{index}",
        mark=mark,
        cluster=f"cluster-{index % clusters}",
        truth=planted if helped or not ignorant else "unexplained",
        knows=not ignorant,
        uses_passage=uses_passage,
        level=level,
        costume=costume,
        keeps_form=rng.random() < HALF,
        rescued=rng.random() < HALF,
        checks_facts=checks_facts,
        checks_form=mark == "behavior" or both_checked,
        has_passage=checks_facts or hides_facts or rng.random() < HALF,
        formed=formed,
        right=_chances(rng, RIGHT[world.noise]),
        wrong=_chances(rng, WRONG[world.noise]),
    )


def _draw_truth(world: World, rng: random.Random) -> Cause:
    if rng.random() >= world.failing:
        return "unstable"
    if rng.random() < BOTH_SHARE:
        return "both"
    return "knowledge" if rng.random() < world.lean else _draw_rung(world, rng)


def _draw_rung(world: World, rng: random.Random) -> Rung:
    return rng.choices(RUNGS, world.rungs)[0]


def _mark(truth: Cause, rng: random.Random, *, costume: bool) -> Mark:
    if truth in {"unstable", "both"}:
        return "knowledge" if rng.random() < HALF else "behavior"
    return "knowledge" if (truth == "knowledge") != costume else "behavior"


def _chances(rng: random.Random, mean: float) -> tuple[float, float]:
    alpha, beta = mean * CONCENTRATION, (1 - mean) * CONCENTRATION
    return rng.betavariate(alpha, beta), rng.betavariate(alpha, beta)

"""The search of the product, looked up where the same answers were seen before.

What a search asks next follows from its situation and the asks so far and from
nothing else, since planted answers have no text.  So no history is worked out
twice: a table needs thousands of searches, and most of them are alike.
"""

from __future__ import annotations

import random
from typing import TypeAlias

from pytest_llm_diagnosis.probing import (
    ArmUnavailableError,
    ProbeMode,
    Reply,
    Situation,
    find_cause,
    run_now,
)
from pytest_llm_diagnosis.records import Arm, Ask, Finding

from .world import PlantedCase

History: TypeAlias = tuple[object, ...]
"""What a search starts from, then every ask in its order."""


class Remembered:
    """The search of one mode; `steps` is what follows from each history."""

    def __init__(self, mode: ProbeMode) -> None:
        self.mode = mode
        self.steps: dict[History, Arm | Finding] = {}

    def __call__(self, case: PlantedCase, first: Ask, rng: random.Random) -> Finding:
        """Return why a planted case fails."""
        asks_facts = case.checks_facts or case.has_passage
        start: History = (first, asks_facts, case.has_passage, case.formed)
        history, asked = start, list[Ask]()
        while isinstance(step := self.steps.get(history), str):
            asked.append(case.answer(step, rng))
            history = (*history, asked[-1])
        return step or self._search(case, start, asked, rng)

    def _search(
        self, case: PlantedCase, start: History, asked: list[Ask], rng: random.Random
    ) -> Finding:
        seen = iter(asked)
        history = start

        async def asker(arm: Arm, _n: int) -> Reply:
            nonlocal history
            if "E" in arm and not case.has_passage:
                raise ArmUnavailableError("no passage")
            self.steps[history] = arm
            ask = next(seen, None) or case.answer(arm, rng)
            history = (*history, ask)
            return Reply(ask=ask)

        first, asks_facts, *_ = start
        assert isinstance(first, Ask)
        situation = Situation(
            first=Reply(ask=first), asks_facts=bool(asks_facts), formed=case.formed
        )
        found = run_now(find_cause(situation, asker, self.mode))
        self.steps[history] = found
        return found

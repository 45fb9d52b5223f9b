"""The yardstick: the same arms in a fixed order, each asked up to three times.

R R, then F, then S and X or E, EF, ES and EX, then R again.  It needs no model
of what fails; the search of the product has to beat it at the same calls.
"""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Literal, NamedTuple

from pytest_llm_diagnosis.records import Arm, Ask, Cause

from .world import PlantedCase

Bit = Literal["facts", "form", "all"]


class Walk(NamedTuple):
    """The cause that the tree ends at, and what it cost."""

    cause: Cause
    calls: int


def walk(case: PlantedCase, first: Ask, rng: random.Random, *, thorough: bool) -> Walk:
    """Return the cause of a failing case by the fixed tree.

    `thorough` asks every arm up to three times, otherwise once.
    """
    tree = _Tree(case, first, rng, thorough=thorough)
    cause = tree.cause()
    return Walk(cause, sum(map(len, tree.asks.values())) - 1)


class _Tree:
    def __init__(
        self, case: PlantedCase, first: Ask, rng: random.Random, *, thorough: bool
    ) -> None:
        self.case = case
        self.rng = rng
        self.thorough = thorough
        self.asks: dict[Arm, list[Ask]] = defaultdict(list, {"first": [first]})

    def cause(self) -> Cause:
        self._ask("R", 2 if self.thorough else 1)
        if self.thorough and self._right("R", "all") == 1:
            self._ask("R", 2)
        if self._right("R", "all") >= (2 if self.thorough else 1):
            return "unstable"
        cause = self._branch()
        if self.thorough and cause != "unexplained" and self._passes("R"):
            self._ask("R", 2)
        return "unstable" if self._right("R", "all") > 1 else cause

    def _branch(self) -> Cause:
        facts, form = self._mostly_fails("facts"), self._mostly_fails("form")
        if not facts and not form:
            first = self.asks["first"][0]
            facts, form = first.facts is False, first.form is False
        return self._facts(form=form) if facts else self._form()

    def _facts(self, *, form: bool) -> Cause:
        if self._best3("F", "facts"):
            return self._rung()
        if self._best3("E", "facts"):
            kept = 2 * self._right("E", "form") > len(self.asks["E"])
            if not form or kept:
                return "knowledge"
            if not self._passes("ES"):
                self._passes("EX")
            return "both"
        return "both" if self._best3("EF", "facts") else "unexplained"

    def _form(self) -> Cause:
        rung = self._rung()
        if rung != "behavior":
            return rung
        asks = [ask for arm in self.asks.values() for ask in arm]
        if any(ask.facts for ask in asks):
            return rung
        if self.case.has_passage and self._best3("E", "all"):
            return "knowledge"
        return "unexplained" if self.case.checks_facts else rung

    def _rung(self) -> Cause:
        if self._passes("S"):
            return "instruction"
        return "examples" if self._passes("X") else "behavior"

    def _ask(self, arm: Arm, times: int = 1) -> None:
        self.asks[arm] += [self.case.answer(arm, self.rng) for _ in range(times)]

    def _passes(self, arm: Arm) -> bool:
        self._ask(arm)
        return self.asks[arm][-1].passed

    def _best3(self, arm: Arm, bit: Bit) -> bool:
        self._ask(arm, 2 if self.thorough else 1)
        if self.thorough and self._right(arm, bit) == 1:
            self._ask(arm)
        return 2 * self._right(arm, bit) > len(self.asks[arm])

    def _right(self, arm: Arm, bit: Bit) -> int:
        asks = self.asks[arm]
        return sum(
            ask.passed if bit == "all" else getattr(ask, bit) is True for ask in asks
        )

    def _mostly_fails(self, bit: Literal["facts", "form"]) -> bool:
        seen = [getattr(ask, bit) for ask in self.asks["first"] + self.asks["R"]]
        return 2 * seen.count(False) > len(seen) - seen.count(None)

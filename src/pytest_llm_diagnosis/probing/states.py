"""Why a case could fail: hidden states, and what each arm shows under them.

A state says whether the model knows, whether it uses a passage, how much help
its form needs, and whether one side hides behind the other's check.  Every
state belongs to one label: the cause, and for `both` the rung that fixes form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Literal, NamedTuple, TypeAlias

from pytest_llm_diagnosis.records import Arm, Cause, Rung

from .situation import Situation

Chance: TypeAlias = Literal["right", "wrong", "fluke"]
"""How likely an answer is right in one dimension: see `belief.CHANCES`."""


class Label(NamedTuple):
    """What a search is about to say: the cause, and the rung of a `both`."""

    cause: Cause
    rung: Rung | None = None


class Shown(NamedTuple):
    """The chances of facts and of form in one ask of an arm."""

    facts: Chance
    form: Chance


RUNGS: tuple[Rung, ...] = ("instruction", "examples", "behavior")
HELP: Mapping[Arm, int] = {"S": 1, "X": 2, "ES": 1, "EX": 2}

# How often failing cases turn out so before anything was asked again.  Broad on
# purpose: the planted worlds lean from all knowledge to all behavior.
PRIOR: Mapping[Cause, float] = {
    "unstable": 0.30,
    "knowledge": 0.30,
    "instruction": 0.10,
    "examples": 0.10,
    "behavior": 0.10,
    "both": 0.06,
    "unexplained": 0.04,
}
COSTUME = 0.2
RESCUED = 0.2
"""How often a passage alone brings about a form that a fact needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One way to fail.

    `help_needed` is 0 for none, 1 for the instruction, 2 for examples, 3 when
    neither suffices.  `hides` names the check behind which the other side
    hides: the form demand costs the fact (`facts`), or the form breaks because
    the fact is not known (`form`).  Where it costs the fact, `keeps_form` says
    that the form itself is met, and `rescued` that a passage brings the fact
    back: evidence rescues almost anything.
    """

    label: Label
    weight: float
    knows: bool = True
    uses_passage: bool = True
    help_needed: int = 0
    hides: Literal["facts", "form"] | None = None
    keeps_form: bool = False
    rescued: bool = False

    def shows(self, arm: Arm) -> Shown:
        """Return the chances of a right answer in an arm."""
        if self.label.cause == "unstable":
            return Shown("fluke", "fluke")
        shown = "E" in arm
        knows = self.knows or (shown and self.uses_passage)
        kept = HELP.get(arm, 0) >= self.help_needed
        if self.hides == "facts":
            free = kept or "F" in arm or (shown and self.rescued)
            return Shown(_chance(knows and free), _chance(kept or self.keeps_form))
        whole = knows or self.hides != "form"
        return Shown(_chance(knows), _chance(kept and whole))


def _chance(holds: bool) -> Chance:  # noqa: FBT001 - one truth value is all it takes
    return "right" if holds else "wrong"


def possible_states(situation: Situation) -> tuple[State, ...]:
    """Return the states that could make this case fail, with prior weights.

    Only what the case checks can fail: without a fact check ignorance shows
    only where form needs the fact, and only a passage can tell.
    """
    ask = situation.first.ask
    return _states(
        checks_facts=ask.facts is not None,
        checks_form=ask.form is not None,
        asks_facts=situation.asks_facts,
        abstains=situation.abstains,
        formed=situation.formed,
    )


@cache
def _states(
    *,
    checks_facts: bool,
    checks_form: bool,
    asks_facts: bool,
    abstains: bool,
    formed: bool,
) -> tuple[State, ...]:
    states = [State(label=Label("unstable"), weight=PRIOR["unstable"])]
    if checks_facts:
        states += _ignorant(hides=None, share=1 - COSTUME)
    if checks_form and asks_facts:
        states += _ignorant(hides="form", share=COSTUME)
    for help_needed, rung in enumerate(RUNGS, start=1):
        # An abstention that nothing brings about looks like `unexplained`.
        if checks_facts and not (abstains and rung == "behavior"):
            states += _costumed(rung, help_needed, form=checks_form)
        if checks_form:
            plain = 1 - COSTUME if checks_facts else 1.0
            states.append(_able(rung, help_needed, plain))
        if checks_facts and formed:
            states += _shapeless(rung, help_needed, form=checks_form)
        if checks_facts and (checks_form or formed):
            states += _two_sided(rung, help_needed)
    return tuple(states)


def _ignorant(hides: Literal["form"] | None, share: float) -> Iterator[State]:
    for cause in ("knowledge", "unexplained"):
        yield State(
            label=Label(cause),
            weight=PRIOR[cause] * share,
            knows=False,
            uses_passage=cause == "knowledge",
            hides=hides,
        )


def _able(rung: Rung, help_needed: int, share: float) -> State:
    weight = PRIOR[rung] * share
    return State(label=Label(rung), weight=weight, help_needed=help_needed)


def _costumed(rung: Rung, help_needed: int, *, form: bool) -> Iterator[State]:
    forms = (False, True) if form else (False,)
    for keeps_form, rescued in product(forms, (False, True)):
        yield State(
            label=Label(rung),
            weight=PRIOR[rung] * COSTUME / len(forms) / 2,
            help_needed=help_needed,
            hides="facts",
            keeps_form=keeps_form,
            rescued=rescued,
        )


def _shapeless(rung: Rung, help_needed: int, *, form: bool) -> Iterator[State]:
    """Yield the states in which a fact fails because its form is not kept."""
    forms = (False, True) if form else (False,)
    for keeps_form, rescued in product(forms, (False, True)):
        share = RESCUED if rescued else 1 - RESCUED
        yield State(
            label=Label(rung),
            weight=PRIOR[rung] * (1 - COSTUME) * share / len(forms),
            help_needed=help_needed,
            hides="facts",
            keeps_form=keeps_form,
            rescued=rescued,
        )


def _two_sided(rung: Rung, help_needed: int) -> Iterator[State]:
    weight = PRIOR["both"] / len(RUNGS)
    both, neither = Label("both", rung), Label("unexplained")
    needs = State(label=both, weight=weight, knows=False, help_needed=help_needed)
    yield replace(needs, weight=weight * (1 - COSTUME))
    hidden = replace(needs, weight=weight * COSTUME / 3, hides="facts")
    yield hidden
    yield replace(hidden, keeps_form=True)
    yield replace(hidden, hides="form")
    yield replace(needs, label=neither, weight=weight / 10, uses_passage=False)

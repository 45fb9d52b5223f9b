"""The fix ladder: from the cheapest change to the dearest, what each one fixed.

What a change costs is measured where it was tried: how much more its asks took than
the first answer of the same case.  Seconds are left out: they tell of the load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import fmean
from typing import NamedTuple

from pytest_llm_diagnosis.diagnosis import VariantDiagnosis
from pytest_llm_diagnosis.records import Answer, Arm, Ask, CaseResult, Cause
from pytest_llm_diagnosis.report.verdicts import cases


class Rung(NamedTuple):
    """One change: how many cases it is the cheapest fix of, and what it costs.

    `tried` says in how many cases it was asked and was right, `share` is that of
    `fixed` in all failures that repeat.
    """

    cause: Cause
    name: str
    fixed: int
    share: float
    tried: str
    cost: str


_LADDER: Sequence[tuple[Cause, str, tuple[Arm, ...]]] = (
    ("instruction", "State the form as an instruction", ("S",)),
    ("examples", "Show 3 examples from other cases", ("X",)),
    ("knowledge", "Put the source in the prompt", ("E",)),
    ("both", "Source and a clearer form together", ("ES", "EX")),
)


def ladder(variant: VariantDiagnosis, results: Iterable[CaseResult]) -> list[Rung]:
    """Return the rungs that were tried or fixed something, the cheapest first."""
    probed = [one for one in results if one.finding is not None]
    return [
        Rung(
            cause=cause,
            name=name,
            fixed=variant.causes.get(cause, 0),
            share=variant.causes.get(cause, 0) / max(1, variant.repeating),
            tried=_tried(probed, arms),
            cost=_cost(probed, arms),
        )
        for cause, name, arms in _LADDER
        if variant.causes.get(cause) or any(_asks(one, arms) for one in probed)
    ]


def _asks(result: CaseResult, arms: Sequence[Arm]) -> list[Ask]:
    found = result.finding.arms if result.finding else {}
    asks = [ask for arm in arms for ask in found.get(arm, ())]
    return [ask for ask in asks if not ask.error]


def _tried(probed: Iterable[CaseResult], arms: Sequence[Arm]) -> str:
    asked = [asks for one in probed if (asks := _asks(one, arms))]
    right = sum(2 * sum(ask.passed for ask in asks) > len(asks) for asks in asked)
    return f"right in {right} of {cases(len(asked))}" if asked else "not tried"


def _cost(probed: Sequence[CaseResult], arms: Sequence[Arm]) -> str:
    pairs = list(_pairs(probed, arms))
    parts = [
        _more(pairs, lambda one: one.tokens.prompt if one.tokens else None, _tokens),
        _more(pairs, lambda one: one.usd or None, "{:+.6f} USD".format),
    ]
    return ", ".join(filter(None, parts)) or "not measured"


def _tokens(count: float) -> str:
    return f"{count:+.0f} prompt tokens"


def _pairs(
    probed: Iterable[CaseResult], arms: Sequence[Arm]
) -> Iterator[tuple[Answer, Answer]]:
    """Yield the first answer of a case, and each one under a change."""
    for one in probed:
        firsts = [trial.answer for trial in one.trials if trial.answer]
        for ask in _asks(one, arms):
            if firsts and ask.trial is not None and ask.trial.answer is not None:
                yield firsts[-1], ask.trial.answer


def _more(
    pairs: Iterable[tuple[Answer, Answer]],
    value: Callable[[Answer], float | None],
    told: Callable[[float], str],
) -> str:
    known = [(value(first), value(later)) for first, later in pairs]
    extra = [
        later - first
        for first, later in known
        if first is not None and later is not None
    ]
    return told(fmean(extra)) if extra else ""

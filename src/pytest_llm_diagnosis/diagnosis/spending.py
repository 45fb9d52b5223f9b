"""What a case costs under each variant: tokens, seconds and money.

A case counts once, whatever its trials: what its answers told is averaged
first.  What an answer does not tell is None and counts nowhere, never as 0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import TypeAlias

from pytest_llm_diagnosis.records import Answer, CaseResult, Flat

Amounts: TypeAlias = Mapping[str, float]
"""What one case costs, by the names below; what is not known is not there."""
CaseKey: TypeAlias = tuple[str, str]

_TOKENS = ("prompt", "completion", "cached", "written")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending(Flat):
    """What one ask of a case costs, on average over the cases that tell.

    Of `cases` answered ones `counted` told their tokens, `timed` their time and
    `priced` their price.  `cached_tokens` are the part of `prompt_tokens` that
    was read from the provider's cache, `written_tokens` the part that was
    written to it.  `seconds` is the median, retries excluded; the others are
    means.  `usd` is what was paid, `saved_usd` what the cache took off it (below
    0 where it cost more than it saved).  None where no case tells.
    """

    cases: int
    counted: int = 0
    prompt_tokens: float | None = None
    completion_tokens: float | None = None
    cached_tokens: float | None = None
    written_tokens: float | None = None
    timed: int = 0
    seconds: float | None = None
    priced: int = 0
    usd: float | None = None
    saved_usd: float | None = None

    @property
    def cached_share(self) -> float | None:
        """The share of the prompt tokens that was read from the cache."""
        if not self.prompt_tokens or self.cached_tokens is None:
            return None
        return self.cached_tokens / self.prompt_tokens


def spending(results: Iterable[CaseResult]) -> dict[str, Spending]:
    """Return what a case costs under each variant, in the order of the results."""
    asked = _asked(results)
    return {name: _summed(list(cases.values())) for name, cases in asked.items()}


def extra_spending(results: Iterable[CaseResult], *, base: str, other: str) -> Spending:
    """Return what a case costs under `other` beyond what it costs under `base`.

    Signed, and over the same cases: each amount over those that told it under
    both variants.  `seconds` is the median of the differences.
    """
    asked = _asked(results)
    before, after = asked.get(base, {}), asked.get(other, {})
    return _summed([_beyond(before[key], after[key]) for key in before if key in after])


def _asked(results: Iterable[CaseResult]) -> dict[str, dict[CaseKey, Amounts]]:
    """Return the amounts of each variant's answered cases."""
    asked: dict[str, dict[CaseKey, Amounts]] = defaultdict(dict)
    for one in results:
        answers = [trial.answer for trial in one.trials if trial.answer is not None]
        if answers:
            asked[one.variant][one.file, one.id] = _of_case(answers)
    return asked


def _of_case(answers: Sequence[Answer]) -> Amounts:
    told: dict[str, list[float]] = defaultdict(list)
    for answer in answers:
        for name, amount in _of_answer(answer).items():
            if amount is not None:
                told[name].append(amount)
    return {name: fmean(amounts) for name, amounts in told.items()}


def _of_answer(answer: Answer) -> dict[str, float | None]:
    tokens = answer.tokens
    return {
        **{f"{name}_tokens": getattr(tokens, name, None) for name in _TOKENS},
        "seconds": answer.seconds,
        "usd": answer.usd,
        "saved_usd": _saved(answer),
    }


def _saved(answer: Answer) -> float | None:
    """Return what the cache saved: nothing where it is known to hold nothing."""
    tokens = answer.tokens
    if answer.saved_usd is None and answer.usd is not None and tokens is not None:
        return None if tokens.cached or tokens.written else 0.0
    return answer.saved_usd


def _beyond(before: Amounts, after: Amounts) -> Amounts:
    return {name: after[name] - before[name] for name in before if name in after}


def _summed(cases: Sequence[Amounts]) -> Spending:
    told: dict[str, list[float]] = defaultdict(list)
    for amounts in cases:
        for name, amount in amounts.items():
            told[name].append(amount)
    means = {name: fmean(amounts) for name, amounts in told.items()}
    return Spending(
        cases=len(cases),
        counted=len(told["prompt_tokens"]),
        prompt_tokens=means.get("prompt_tokens"),
        completion_tokens=means.get("completion_tokens"),
        cached_tokens=means.get("cached_tokens"),
        written_tokens=means.get("written_tokens"),
        timed=len(told["seconds"]),
        seconds=median(told["seconds"]) if told["seconds"] else None,
        priced=len(told["usd"]),
        usd=means.get("usd"),
        saved_usd=means.get("saved_usd"),
    )

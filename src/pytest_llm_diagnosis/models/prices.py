"""What tokens cost at OpenAI, from the price list inside the litellm package.

How a price is put together follows litellm's `generic_cost_per_token` (1.83):
cached and reasoning tokens, service tiers, and prices that hold above a number of
prompt tokens.  `tests/test_prices.py` compares both.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pytest_llm_diagnosis.records import Json, JsonObject

from .model_list import listed_models

_PROVIDER = "openai"
_READ = "cache_read_input_token_cost"
_WRITTEN = "cache_creation_input_token_cost"
_TIERS = frozenset({"flex", "priority"})
_ABOVE = re.compile(r"input_cost_per_token_above_(\d+)(k?)_tokens")
# `ft:gpt-4o-2024-08-06:organisation:name:id` is priced as `ft:gpt-4o-2024-08-06`.
_TUNED = re.compile(r"(:[^:]+){3}$")


class Usage(NamedTuple):
    """The token counts that have a price; `cached` and `written` are of `prompt`.

    `text` and `said` are the parts of prompt and completion that a provider
    counted as text, if it did; `reasoning` is part of `completion`.  `plain` is
    false where there are tokens of other kinds, such as audio.
    """

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    written: int = 0
    text: int = 0
    reasoning: int = 0
    said: int = 0
    plain: bool = True


class Price(NamedTuple):
    """What a call cost, and what the provider's cache took off; None if unknown."""

    usd: float | None = None
    saved_usd: float | None = None


class PriceList:
    """Prices by model name, in US dollars a token."""

    def __init__(self, entries: Mapping[str, JsonObject]) -> None:
        self._entries = {
            name.lower(): entry
            for name, entry in entries.items()
            if entry.get("litellm_provider") == _PROVIDER
        }

    def mode(self, model: str) -> str | None:
        """Return what a model of OpenAI is for, such as `chat`; None if unknown."""
        entry = self._entry(model)
        return None if entry is None else str(entry.get("mode"))

    def usd(
        self, models: Iterable[str], usage: Usage, tier: str | None = None
    ) -> float | None:
        """Return the price of a call, of the first of the models that has one.

        None where no price is known, and where it would be 0.
        """
        entries = filter(None, map(self._entry, models))
        entry = next(entries, None)
        if entry is None or not usage.plain:
            return None
        rates = _Rates(entry, tier if tier in _TIERS else None, usage.prompt)
        return _prompt_usd(rates, usage) + _completion_usd(rates, usage) or None

    def saved_usd(
        self, models: Iterable[str], usage: Usage, tier: str | None = None
    ) -> float | None:
        """Return what the cache took off the price, below 0 where it added to it.

        None where nothing was cached, and where reading or writing has no price.
        """
        names = list(models)
        entry = next(filter(None, map(self._entry, names)), {})
        paid = self.usd(names, usage, tier)
        plain = self.usd(names, usage._replace(cached=0, written=0, text=0), tier)
        if not (usage.cached or usage.written) or paid is None or plain is None:
            return None
        unpriced = (usage.cached and _READ not in entry) or (
            usage.written and _WRITTEN not in entry
        )
        return None if unpriced else plain - paid

    def _entry(self, model: str) -> JsonObject | None:
        name = model.lower()
        return self._entries.get(name) or self._entries.get(_TUNED.sub("", name))


@functools.cache
def price_list() -> PriceList:
    """Return litellm's price list, empty where litellm has none."""
    return PriceList(listed_models())


class _Rates:
    """The prices of one model that hold for a tier and a length of prompt."""

    def __init__(self, entry: JsonObject, tier: str | None, prompt: int) -> None:
        self._entry = entry
        self._tier = tier
        self._above = _step(entry, prompt)

    def of(self, name: str, default: float = 0.0) -> float:
        """Return a price: of the step, else of the tier, else the base.

        As in litellm, a step has one price for all tiers.
        """
        step = f"{name}_above_{self._above}_tokens"
        names = (step, f"{name}_{self._tier}", name)
        found = (_number(self._entry.get(one)) for one in names)
        return next((price for price in found if price is not None), default)


def _step(entry: JsonObject, prompt: int) -> str | None:
    """Return the highest step of the price list that the prompt is longer than."""
    for name in sorted(entry, reverse=True):
        match = _ABOVE.fullmatch(name)
        if match and prompt > int(match[1]) * (1000 if match[2] else 1):
            return match[1] + match[2]
    return None


def _number(price: Json) -> float | None:
    return float(price) if isinstance(price, int | float) else None


def _prompt_usd(rates: _Rates, usage: Usage) -> float:
    counted = usage.text + usage.cached + usage.written
    twice = usage.cached > 0 and counted > usage.prompt
    text = usage.text
    if not text or twice:
        text = usage.prompt - usage.cached - usage.written
    return (
        text * rates.of("input_cost_per_token")
        + usage.cached * rates.of(_READ)
        + usage.written * rates.of(_WRITTEN)
    )


def _completion_usd(rates: _Rates, usage: Usage) -> float:
    base = rates.of("output_cost_per_token")
    if not (usage.reasoning or usage.said):
        return usage.completion * base
    said = usage.said or max(0, usage.completion - usage.reasoning)
    thought = rates.of("output_cost_per_reasoning_token", base)
    return said * base + usage.reasoning * thought

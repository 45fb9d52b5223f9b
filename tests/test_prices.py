"""Prices read from litellm's list are those litellm works out."""

from __future__ import annotations

import functools
import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llm_diagnosis.models.litellm_library import library
from pytest_llm_diagnosis.models.prices import PriceList, Usage, price_list

RELATIVE = 1e-12

MIXES = [
    (Usage(), None),
    (Usage(prompt=7, completion=3), None),
    (Usage(prompt=1_000, completion=200, cached=400), None),
    (Usage(prompt=300_000, completion=10), None),
    (Usage(prompt=300_000, completion=10, cached=299_000, reasoning=5), None),
    (Usage(prompt=1_000, completion=100, reasoning=60), None),
    (Usage(prompt=1_000, completion=100, written=100), None),
    (Usage(prompt=1_000, completion=100, cached=200), "flex"),
    (Usage(prompt=1_000, completion=100, cached=200), "priority"),
    (Usage(prompt=300_000, completion=100, cached=200), "priority"),
    (Usage(prompt=1_000, completion=100, cached=200), "default"),
    (Usage(prompt=10, completion=10, cached=20), None),
    (Usage(prompt=100, completion=10, text=60), None),
    (Usage(prompt=100, completion=10, text=100, cached=50), None),
    (Usage(prompt=100, completion=10, said=4), None),
    (Usage(prompt=100, completion=10, said=4, reasoning=6), None),
]


@functools.cache
def chat_models() -> list[str]:
    """Return the names of OpenAI's chat models, and some that no list holds."""
    listed = [
        name
        for name, entry in library().model_cost.items()
        if entry.get("litellm_provider") == "openai" and entry.get("mode") == "chat"
    ]
    tuned = "ft:gpt-4o-2024-08-06:organisation:name:id"
    return [*listed, tuned, "GPT-4o-MINI", "gpt-4o-2099", "smollm2"]


def litellms(model: str, usage: Usage, tier: str | None) -> float | None:
    """Return litellm's price, None where it has none or says 0."""
    litellm = library()
    counts: dict[str, Any] = {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
    }
    prompt = {
        "cached_tokens": usage.cached,
        "cache_creation_tokens": usage.written,
        "text_tokens": usage.text,
    }
    completion = {"reasoning_tokens": usage.reasoning, "text_tokens": usage.said}
    if any(prompt.values()):
        counts["prompt_tokens_details"] = prompt
    if any(completion.values()):
        counts["completion_tokens_details"] = completion
    response = litellm.ModelResponse(model=model, usage=litellm.Usage(**counts))
    try:
        cost = litellm.completion_cost(
            response, custom_llm_provider="openai", service_tier=tier
        )
    except Exception as error:
        if "isn't mapped yet" not in str(error):
            raise
        return None
    return float(cost) or None


def alike(ours: float | None, theirs: float | None) -> bool:
    """Whether two prices differ by no more than rounding; unknown is unknown."""
    if ours is None or theirs is None:
        return ours is theirs
    return math.isclose(ours, theirs, rel_tol=RELATIVE)


@pytest.mark.parametrize(("usage", "tier"), MIXES)
def test_every_chat_model_has_litellms_price(usage: Usage, tier: str | None) -> None:
    """Cached, reasoning and written tokens, tiers and steps; unknown is None."""
    prices = price_list()
    models = chat_models()
    assert len(models) > 50
    ours = {model: prices.usd([model], usage, tier) for model in models}
    theirs = {model: litellms(model, usage, tier) for model in models}
    unlike = [model for model in models if not alike(ours[model], theirs[model])]
    assert unlike == []
    assert ours["smollm2"] is None
    assert (ours["gpt-4o"] is None) == (usage == Usage())


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["gpt-4o", "gpt-4.1-mini", "gpt-5.4", "gpt-3.5-turbo"]),
    st.integers(0, 400_000),
    st.integers(0, 5_000),
    st.floats(0, 1),
    st.floats(0, 1),
    st.sampled_from([None, "flex", "priority", "auto"]),
)
def test_any_mix_has_litellms_price(
    model: str,
    prompt: int,
    completion: int,
    cached: float,
    thought: float,
    tier: str | None,
) -> None:
    """Also on both sides of a step."""
    usage = Usage(
        prompt=prompt,
        completion=completion,
        cached=int(prompt * cached),
        reasoning=int(completion * thought),
    )
    ours = price_list().usd([model], usage, tier)
    assert alike(ours, litellms(model, usage, tier))


def test_the_first_model_with_a_price_counts() -> None:
    """The model that answered before the one that was asked."""
    prices = price_list()
    usage = Usage(prompt=1_000)
    small, large = (prices.usd([one], usage) for one in ("gpt-4o-mini", "gpt-4o"))
    assert prices.usd(["gpt-4o-mini", "gpt-4o"], usage) == small
    assert prices.usd(["unheard-of", "gpt-4o"], usage) == large
    assert prices.usd([], usage) is None


def test_tokens_of_other_kinds_have_no_known_price() -> None:
    """Audio and searches are priced by rules that are litellm's."""
    usage = Usage(prompt=1_000, completion=10, plain=False)
    assert price_list().usd(["gpt-4o"], usage) is None


def test_an_empty_list_knows_no_price() -> None:
    """As where litellm's package holds no list."""
    assert PriceList({}).usd(["gpt-4o"], Usage(prompt=1)) is None
    assert PriceList({}).mode("gpt-4o") is None


def test_the_list_is_read_withoutlibrary() -> None:
    """Finding the package does not import it."""
    code = (
        "import sys; from pytest_llm_diagnosis.models.prices import price_list;"
        "print(price_list().mode('gpt-4o'), 'litellm' in sys.modules)"
    )
    shown = subprocess.run(  # noqa: S603 - this test's own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "chat False\n"

"""The table of who tunes weights: every fact has its source and its date."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlsplit

import pytest

from pytest_llm_diagnosis.diagnosis import TUNING, provider_of, tuning_of
from pytest_llm_diagnosis.diagnosis.tuning import OWN_SERVER


@pytest.mark.parametrize("provider", TUNING)
def test_every_fact_has_a_source_and_a_date(provider: str) -> None:
    """A day that can be looked up, and a page that says it."""
    fact = TUNING[provider]
    assert date(2020, 1, 1) < date.fromisoformat(fact.date) < date(2100, 1, 1)
    source = urlsplit(fact.source)
    assert source.scheme == "https"
    assert source.netloc
    assert source.path.strip("/")
    assert fact.name
    assert fact.hosted != "open" or fact.methods or fact.detail


def test_the_providers_that_were_asked_for_are_there() -> None:
    """Even where nothing is known of one, that is said."""
    assert set(TUNING) >= {
        "openai", "azure", "anthropic", "bedrock", "vertex_ai", "gemini", "mistral",
        "cohere", "together_ai", "fireworks_ai", "groq", "deepseek", "xai", OWN_SERVER,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("model", "api_base", "provider"),
    [
        ("openai/gpt-4o", None, "openai"),
        ("gpt-4o", None, "openai"),
        ("o3", None, "openai"),
        ("claude-opus-4", None, "anthropic"),
        ("anthropic/claude-opus-4", None, "anthropic"),
        ("azure/my-deployment", "https://x.openai.azure.com", "azure"),
        ("bedrock/anthropic.claude-3-haiku", None, "bedrock"),
        ("gemini/gemini-2.5-flash", None, "gemini"),
        ("gemini-2.5-flash", None, "vertex_ai"),
        ("groq/llama-3.3-70b", None, "groq"),
        ("openai/llama", "https://api.groq.com/openai/v1", "groq"),
        ("openai/smollm2", "${SMOLLM2_URL}", OWN_SERVER),
        ("smollm2", "http://127.0.0.1:8080/v1", OWN_SERVER),
        ("ollama_chat/llama3", None, OWN_SERVER),
        ("hosted_vllm/qwen", "http://gpu:8000/v1", OWN_SERVER),
        ("cohere_chat/command-r", None, "cohere"),
        ("anthropic/claude", "https://gateway.example", "anthropic"),
        ("openrouter/x/y", None, "openrouter"),
        ("mystery", None, ""),
        ("", None, ""),
    ],
)
def test_who_serves_a_model(model: str, api_base: str | None, provider: str) -> None:
    """By litellm's prefix, by the name alone, or by where it is asked."""
    assert provider_of(model, api_base) == provider


def test_of_others_nothing_is_said() -> None:
    """An unknown provider is no closed one."""
    assert tuning_of("openrouter") is None
    assert tuning_of("") is None

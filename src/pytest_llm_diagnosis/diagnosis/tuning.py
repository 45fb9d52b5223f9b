"""Whether the weights of a model can be tuned, by who serves it: facts with a date.

This is the one table of the project that ages by itself.  Each row says what one
source says, and when: by the source's own date, or, where it bears none, by the
day on which it was read.  What no source says is `unknown`.  To renew a row, read
its source again and give it the new date.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Hosted: TypeAlias = Literal[
    "open", "closed_to_new", "deprecated", "none", "unknown", "own_weights"
]
"""Whether a provider tunes the models it serves, for someone who starts today."""

OWN_SERVER = "own_server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What a provider offers: `name` is how people call it.

    `methods` are the kinds of tuning that the source names, `detail` what else it
    says that decides.  `date` is ISO 8601; `undated` says that the source bears
    none and this is the day on which it was read.
    """

    name: str
    hosted: Hosted
    date: str
    source: str
    methods: tuple[str, ...] = ()
    detail: str = ""
    undated: bool = False


TUNING: Mapping[str, Tuning] = {
    "openai": Tuning(
        name="OpenAI",
        hosted="closed_to_new",
        date="2026-07-02",
        source="https://developers.openai.com/api/docs/deprecations",
        detail="it ends for all on 2027-01-06",
    ),
    "azure": Tuning(
        name="Azure OpenAI",
        hosted="open",
        methods=("supervised", "preference", "reinforcement"),
        date="2026-06-09",
        source="https://www.skills.sh/microsoft/azure-skills/finetuning",
    ),
    "anthropic": Tuning(
        name="Anthropic",
        hosted="none",
        date="2026-05-07",
        source=(
            "https://callsphere.ai/blog/"
            "vw8g-anthropic-claude-fine-tuning-patterns-bedrock-2026"
        ),
    ),
    "bedrock": Tuning(
        name="Amazon Bedrock",
        hosted="open",
        date="2026-11-22",
        undated=True,
        source=(
            "https://docs.aws.amazon.com/bedrock/latest/userguide/"
            "custom-model-fine-tuning.md"
        ),
        detail=(
            "Nova and Llama models; of Claude only Claude 3 Haiku, whose end of life "
            "there was 2026-09-10"
        ),
    ),
    "vertex_ai": Tuning(
        name="Google Vertex AI",
        hosted="open",
        methods=("supervised", "preference", "reinforcement"),
        date="2026-11-22",
        undated=True,
        source=(
            "https://docs.cloud.google.com/gemini-enterprise-agent-platform/"
            "reference/models/tuning.md.txt"
        ),
    ),
    "gemini": Tuning(
        name="the Gemini API",
        hosted="none",
        date="2026-11-22",
        undated=True,
        source="https://www.mintlify.com/googleapis/python-genai/guides/tuning",
        detail="Vertex AI tunes Gemini models",
    ),
    "mistral": Tuning(
        name="Mistral",
        hosted="deprecated",
        date="2026-11-22",
        undated=True,
        source=(
            "https://docs.rs/crate/mistral-openapi-client/latest/source/docs/"
            "DeprecatedFineTuningApi.md"
        ),
    ),
    "cohere": Tuning(
        name="Cohere",
        hosted="deprecated",
        date="2025-09-15",
        source="https://docs.cohere.com/docs/chat-fine-tuning",
    ),
    "together_ai": Tuning(
        name="Together AI",
        hosted="open",
        methods=("LoRA", "full"),
        date="2026-11-22",
        undated=True,
        source="https://docs.together.ai/docs/fine-tuning/overview",
    ),
    "fireworks_ai": Tuning(
        name="Fireworks AI",
        hosted="open",
        methods=("LoRA",),
        date="2026-11-22",
        undated=True,
        source="https://docs.fireworks.ai/fine-tuning/managed-finetuning-intro",
    ),
    "groq": Tuning(
        name="Groq",
        hosted="none",
        date="2026-11-22",
        undated=True,
        source="https://console.groq.com/docs/lora",
        detail="it serves LoRA adapters made elsewhere, for enterprise customers",
    ),
    "deepseek": Tuning(
        name="DeepSeek",
        hosted="unknown",
        date="2026-11-22",
        undated=True,
        source=(
            "https://docs.nvidia.com/nemo/automodel/model-coverage/"
            "large-language-models/deep-seek.md"
        ),
        detail="its models have open weights",
    ),
    "xai": Tuning(
        name="xAI",
        hosted="unknown",
        date="2026-11-22",
        undated=True,
        source="https://docs.x.ai/developers/introduction.md",
    ),
    OWN_SERVER: Tuning(
        name="a server of your own",
        hosted="own_weights",
        methods=("LoRA", "QLoRA"),
        date="2023-05-23",
        source="https://arxiv.org/abs/2305.14314",
    ),
}

# litellm's other names for the same providers.
_ALIASES: Mapping[str, str] = {
    "azure_ai": "azure",
    "cohere_chat": "cohere",
    "vertex_ai_beta": "vertex_ai",
    "bedrock_converse": "bedrock",
    "text-completion-openai": "openai",
    "ollama": OWN_SERVER,
    "ollama_chat": OWN_SERVER,
    "hosted_vllm": OWN_SERVER,
    "vllm": OWN_SERVER,
    "llamafile": OWN_SERVER,
    "lm_studio": OWN_SERVER,
}
# What litellm takes a model without a prefix for.
_BARE: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"(gpt|chatgpt|o\d|ft:gpt)\b"), "openai"),
    (re.compile(r"claude\b"), "anthropic"),
    (re.compile(r"gemini\b"), "vertex_ai"),
    (re.compile(r"command\b"), "cohere"),
)
_HOSTS: Sequence[tuple[str, str]] = (
    ("api.openai.com", "openai"),
    ("openai.azure.com", "azure"),
    ("api.anthropic.com", "anthropic"),
    ("generativelanguage.googleapis.com", "gemini"),
    ("aiplatform.googleapis.com", "vertex_ai"),
    ("api.mistral.ai", "mistral"),
    ("api.cohere.com", "cohere"),
    ("api.cohere.ai", "cohere"),
    ("api.together.xyz", "together_ai"),
    ("api.fireworks.ai", "fireworks_ai"),
    ("api.groq.com", "groq"),
    ("api.deepseek.com", "deepseek"),
    ("api.x.ai", "xai"),
)


def provider_of(model: str, api_base: str | None = None) -> str:
    """Return who serves a model, by the names of litellm; empty where none is told.

    A model of OpenAI's wire at another base is `own_server`'s, unless the base is
    a known provider's.  Both stand as the variants file writes them.
    """
    known = next((who for host, who in _HOSTS if host in (api_base or "")), None)
    if known is not None:
        return known
    prefix, slash, _ = model.partition("/")
    if not slash:
        named = next((who for like, who in _BARE if like.match(model)), "")
        return OWN_SERVER if api_base else named
    provider = _ALIASES.get(prefix, prefix)
    return OWN_SERVER if api_base and provider == "openai" else provider


def tuning_of(provider: str) -> Tuning | None:
    """Return what is known of a provider, None where nothing is."""
    return TUNING.get(provider)

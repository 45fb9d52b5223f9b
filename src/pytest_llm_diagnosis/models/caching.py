"""A prompt that many cases begin with, and the provider's cache of it.

OpenAI, DeepSeek, Gemini (from 2.5 on) and llama.cpp find a common beginning by
themselves.  Others cache what is marked, in litellm's words `cache_control`, and
match whole content blocks only: the corpus has to be a block of its own, or a
case's own system prompt behind it would miss what another case has written.

The mark is a matter of transport: it stands in no key and in no recording.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pytest_llm_diagnosis.records import Answer, Json, JsonObject, Message, Request

from .model_list import model_entry
from .protocol import Model

# Where litellm (1.83) hands a mark on to Claude.  For OpenAI, vercel_ai_gateway
# and most others it takes marks out; to Azure's GPT models and any model of
# Bedrock it would hand them on, and these answer with an error.
_HAVE_CLAUDE = frozenset(
    {"anthropic", "azure_ai", "bedrock", "databricks", "litellm_proxy", "openrouter"}
    | {"vertex_ai"}
)
_MARK: Json = {"type": "ephemeral"}


def wants_mark(model: str) -> bool:
    """Whether a model, as litellm names it, caches only what is marked.

    Gemini is not among them: litellm would turn a mark into a stored cache that
    is billed by the hour, and that would be a new one for each system prompt.
    """
    provider, slash, _ = model.partition("/")
    entry = model_entry(model)
    if "claude" in model:
        return (not slash or provider in _HAVE_CLAUDE) and not _is_refused(entry)
    if provider == "minimax" or (provider == "bedrock" and "amazon.nova" in model):
        return entry is None or _caches(entry)
    return False


def _caches(entry: JsonObject) -> bool:
    return bool(
        entry.get("supports_prompt_caching")
        or entry.get("cache_creation_input_token_cost")
    )


def _is_refused(entry: JsonObject | None) -> bool:
    """Whether it is one of Bedrock's that are too old; unlisted ones are too new."""
    if entry is None:
        return False
    owner = str(entry.get("litellm_provider"))
    return owner.startswith("bedrock") and not _caches(entry)


def marked(messages: Sequence[Message], prefix: str) -> list[Message]:
    """Return the messages with a marked block of the system prompt's beginning.

    They stay what they are where the system prompt does not begin with it.
    """
    if not begins_with(messages, prefix):
        return list(messages)
    first, *others = messages
    rest = str(first["content"])[len(prefix) :]
    blocks: list[Json] = [{"type": "text", "text": prefix, "cache_control": _MARK}]
    if rest:
        blocks.append({"type": "text", "text": rest})
    return [{**first, "content": blocks}, *others]


def begins_with(messages: Sequence[Message], prefix: str) -> bool:
    """Whether the first message is a system prompt that begins with a text."""
    if not messages or messages[0].get("role") != "system":
        return False
    content = messages[0].get("content")
    return isinstance(content, str) and content.startswith(prefix)


class PrefixFirst:
    """A model whose first call with a common beginning is made alone.

    Calls that are in flight together read nothing from the cache that one of them
    writes: of 24 cases asked at a time each would pay for the whole corpus.  So
    the others wait for the first to end, well or not.
    """

    def __init__(self, model: Model, prefix: str) -> None:
        self._model = model
        self._prefix = prefix
        self._first = asyncio.Lock()
        self._is_led = False

    async def answer(self, request: Request) -> Answer:
        """Return the answer to one call; raises what the model raises."""
        if not self._is_led and begins_with(request.messages, self._prefix):
            async with self._first:
                if not self._is_led:
                    try:
                        return await self._model.answer(request)
                    finally:
                        self._is_led = True
        return await self._model.answer(request)

    async def close(self) -> None:
        """Close the model."""
        await self._model.close()

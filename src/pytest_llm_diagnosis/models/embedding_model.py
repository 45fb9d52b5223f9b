"""Similarity of two texts: the cosine of their embeddings, through litellm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, cast

from pytest_llm_diagnosis.errors import ModelError
from pytest_llm_diagnosis.records import Answer, Endpoint, Request, message_text

from .calls import counted, is_loopback, stated_key
from .litellm_library import GRACE_SECONDS, called, close_clients, price_of

_TEXTS = 2


class _Usage(Protocol):
    prompt_tokens: int | None


class _Response(Protocol):
    """The parts of `litellm.EmbeddingResponse` that are read."""

    data: Sequence[dict[str, object]]
    usage: _Usage | None


class EmbeddingModel:
    """One endpoint that embeds; a request's two messages are compared.

    `timeout` is seconds for the whole call.
    """

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        self._endpoint = endpoint
        self._timeout = timeout

    async def answer(self, request: Request) -> Answer:
        """Return the cosine, in [-1, 1], as text; raises `ModelError`."""
        endpoint = self._endpoint
        texts = [message_text(message) for message in request.messages]
        came = await called(
            endpoint,
            self._timeout,
            lambda litellm: litellm.aembedding(
                model=endpoint.model,
                input=texts,
                api_base=endpoint.api_base,
                api_key=stated_key(endpoint),
                timeout=self._timeout + GRACE_SECONDS,
                num_retries=0,
                max_retries=0,
            ),
        )
        response = cast("_Response", came.response)
        usage = response.usage
        return Answer(
            text=f"{_similarity(response):.4f}",
            tokens=counted(usage.prompt_tokens, 0, 0) if usage else None,
            usd=None if is_loopback(endpoint.api_base) else price_of(response),
            seconds=came.seconds,
        )

    async def close(self) -> None:
        """Close litellm's clients that were opened on the running loop."""
        await close_clients()


def _similarity(response: _Response) -> float:
    try:
        vectors = [cast("Sequence[float]", item["embedding"]) for item in response.data]
        if len(vectors) == _TEXTS:
            return cosine(*vectors)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        pass
    raise ModelError("the provider's answer holds no two embeddings to compare")


def cosine(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the cosine of the angle between two vectors of one length.

    Raises `ValueError` for unlike lengths or what is not finite, and
    `ZeroDivisionError` for a vector of zeros.
    """
    dot = math.fsum(a * b for a, b in zip(first, second, strict=True))
    found = dot / (math.hypot(*first) * math.hypot(*second))
    if not math.isfinite(found):
        raise ValueError(f"not a cosine: {found}")
    return max(-1.0, min(1.0, found))

"""Embeddings through litellm: vectors of texts, and the cosine of two of them."""

from __future__ import annotations

import math
from array import array
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import NamedTuple, Protocol, cast

from pytest_llm_diagnosis.errors import ModelError
from pytest_llm_diagnosis.records import Answer, Endpoint, Request, Tokens, message_text

from .calls import counted, is_loopback, stated_key
from .litellm_library import GRACE_SECONDS, called, close_clients, price_of

_TEXTS = 2


class _Usage(Protocol):
    prompt_tokens: int | None


class _Response(Protocol):
    """The parts of `litellm.EmbeddingResponse` that are read."""

    data: Sequence[dict[str, object]]
    usage: _Usage | None


class _Embedded(NamedTuple):
    """What a call gave: a vector a text, in their order, and what it took."""

    vectors: Sequence[Sequence[float]]
    tokens: Tokens | None
    usd: float | None
    seconds: float


class _Embedder:
    """One endpoint that embeds.  `timeout` is seconds for the whole call."""

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        self._endpoint = endpoint
        self._timeout = timeout

    async def close(self) -> None:
        """Close litellm's clients that were opened on the running loop."""
        await close_clients()

    async def _embedded(self, request: Request) -> _Embedded:
        """Return the vectors of a request's messages; raises `ModelError`."""
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
                **endpoint.params,
            ),
        )
        response = cast("_Response", came.response)
        usage = response.usage
        tokens = counted(usage.prompt_tokens, 0, 0, 0) if usage else None
        price = price_of(response, endpoint.model, tokens)
        return _Embedded(
            vectors=_vectors(response),
            tokens=tokens,
            usd=None if is_loopback(endpoint.api_base) else price.usd,
            seconds=came.seconds,
        )


class EmbeddingModel(_Embedder):
    """Compares a request's two messages."""

    async def answer(self, request: Request) -> Answer:
        """Return the cosine, in [-1, 1], as text; raises `ModelError`."""
        found = await self._embedded(request)
        return Answer(
            text=f"{_similarity(found.vectors):.4f}",
            tokens=found.tokens,
            usd=found.usd,
            seconds=found.seconds,
        )


class VectorModel(_Embedder):
    """Embeds a request's messages, each a text of its own."""

    async def answer(self, request: Request) -> Answer:
        """Return the vectors as `vectors_of` reads them; raises `ModelError`."""
        found = await self._embedded(request)
        return Answer(
            text=packed(found.vectors, len(request.messages)),
            tokens=found.tokens,
            usd=found.usd,
            seconds=found.seconds,
        )


def packed(vectors: Sequence[Sequence[float]], texts: int) -> str:
    """Return vectors as the text of an answer, in single precision.

    Raises `ModelError` unless there is one for each of the texts, of one length
    and of finite numbers.
    """
    lengths = {len(vector) for vector in vectors}
    if len(vectors) != texts or len(lengths) != 1 or 0 in lengths:
        raise ModelError(
            f"{texts} texts were to be embedded, and {len(vectors)} vectors of "
            f"{' or '.join(map(str, sorted(lengths))) or 'no'} numbers came back"
        )
    flat = array("f", (number for vector in vectors for number in vector))
    if not all(map(math.isfinite, flat)):
        raise ModelError("an embedding holds what is not a finite number")
    return f"{lengths.pop()}:{b64encode(flat.tobytes()).decode('ascii')}"


def vectors_of(text: str) -> list[array[float]]:
    """Return the vectors that `packed` wrote."""
    length, _, data = text.partition(":")
    flat = array("f")
    flat.frombytes(b64decode(data))
    size = int(length)
    return [flat[start : start + size] for start in range(0, len(flat), size)]


def _vectors(response: _Response) -> list[Sequence[float]]:
    """Return the vectors in the order of their texts."""
    try:
        items = sorted(response.data, key=_index)
        return [cast("Sequence[float]", item["embedding"]) for item in items]
    except (KeyError, TypeError) as error:
        raise ModelError("the provider's answer holds no embeddings") from error


def _index(item: dict[str, object]) -> int:
    place = item.get("index")
    return place if isinstance(place, int) else 0


def _similarity(vectors: Sequence[Sequence[float]]) -> float:
    try:
        if len(vectors) == _TEXTS:
            return cosine(*vectors)
    except (TypeError, ValueError, ZeroDivisionError):
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

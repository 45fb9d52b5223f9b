"""The user's own retriever and embedder, named as `module:attribute`, as models."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from pytest_llm_diagnosis.errors import ModelError
from pytest_llm_diagnosis.records import Answer, Context, Request, message_text

from .callable_model import Called
from .embedding_model import packed


class CalledRetriever:
    """Calls a retriever with a question and how many passages are wanted.

    It returns texts, or what has `text`, and perhaps `source` and `score`, as
    attributes or as keys: the best first.  More than were wanted are left out.
    """

    def __init__(self, called: Called) -> None:
        self._called = called

    async def answer(self, request: Request) -> Answer:
        """Return the passages as the answer's contexts; raises `ModelError`."""
        started = time.perf_counter()
        top_k = int(cast("int", request.params["top_k"]))
        query = message_text(request.messages[-1])
        returned = await self._called.result(query, top_k)
        contexts = self._contexts(returned)[:top_k]
        return Answer(contexts=contexts, seconds=time.perf_counter() - started)

    async def close(self) -> None:
        """Do nothing: what the retriever opened is its own."""

    def _contexts(self, returned: object) -> tuple[Context, ...]:
        if isinstance(returned, str | bytes | Mapping) or not isinstance(
            returned, Iterable
        ):
            raise ModelError(
                f"{self._called.target} returned {type(returned).__name__}: a list of "
                "texts or of passages with text, source and score is expected"
            )
        try:
            items = tuple(returned)
        except Exception as error:
            # A generator runs, and fails, only now.
            said = f"{type(error).__name__}: {error}"
            raise ModelError(f"{self._called.target} raised {said}") from error
        return tuple(map(self._context, items))

    def _context(self, item: object) -> Context:
        if isinstance(item, str):
            return Context(text=item)
        text, source, score = (
            _part(item, name) for name in ("text", "source", "score")
        )
        if not isinstance(text, str):
            raise ModelError(
                f"{self._called.target} returned a passage without a text: it is "
                f"{type(item).__name__}"
            )
        number = float(score) if isinstance(score, int | float) else None
        if number is not None and not math.isfinite(number):
            raise ModelError(
                f"{self._called.target} returned a passage whose score is {number}"
            )
        return Context(
            text=text,
            source=str(source) if source is not None else "",
            score=number,
        )


class CalledEmbedder:
    """Calls an embedder with texts; it returns as many lists of numbers."""

    def __init__(self, called: Called) -> None:
        self._called = called

    async def answer(self, request: Request) -> Answer:
        """Return the vectors as `vectors_of` reads them; raises `ModelError`."""
        started = time.perf_counter()
        texts = [message_text(message) for message in request.messages]
        returned = await self._called.result(texts)
        text = packed(self._vectors(returned), len(texts))
        return Answer(text=text, seconds=time.perf_counter() - started)

    async def close(self) -> None:
        """Do nothing: what the embedder opened is its own."""

    def _vectors(self, returned: object) -> list[Sequence[float]]:
        try:
            return [
                [float(number) for number in vector]
                for vector in cast("Iterable[Iterable[float]]", returned)
            ]
        except (TypeError, ValueError) as error:
            raise ModelError(
                f"{self._called.target} returned {type(returned).__name__}: a list of "
                "vectors, each a list of numbers, is expected"
            ) from error


def _part(item: object, name: str) -> object:
    return item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)

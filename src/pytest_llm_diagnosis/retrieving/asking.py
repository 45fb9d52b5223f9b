"""What is asked of a retriever, as a request with its key and its recording."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from pytest_llm_diagnosis.records import (
    RETRIEVED,
    Embeddings,
    Json,
    Request,
    Retrieve,
    Variant,
    message_text,
)
from pytest_llm_diagnosis.requests import Prepared, keyed

_DIGEST = 16


class Asking(NamedTuple):
    """A case under a variant that retrieves; `trial` tells its questions apart."""

    prepared: Prepared
    variant: Variant
    trial: int = 0

    @property
    def question(self) -> str:
        """What is searched for: the last turn."""
        return message_text(self.prepared.case.messages[-1])


def recorded_as(variant: Variant) -> Variant:
    """Return what retrieves for a variant, under a name and a recording of its own."""
    retrieve = variant.retrieve or Retrieve()
    return Variant(
        name=f"{variant.name}{RETRIEVED}",
        location=retrieve.location or variant.location,
        kind="retrieval",
        call=retrieve.call,
        revision=variant.revision,
        max_concurrency=variant.max_concurrency,
        searches=True,
    )


def retrieval_request(asking: Asking, digest: str | None) -> Request:
    """Return the request of a question; `digest` is that of the documents.

    The trial stands in no key: the same question finds the same passages.
    """
    searcher = recorded_as(asking.variant)
    request = Request(
        key="",
        case=asking.prepared.nodeid,
        variant=searcher.name,
        messages=({"role": "user", "content": asking.question},),
        params=_stated(asking.variant.retrieve or Retrieve(), digest),
        variants_file=str(searcher.location.path),
        endpoint={"call": searcher.call} if searcher.call else {},
        retrieves=True,
    )
    return replace(keyed(request, searcher), trial=asking.trial)


def _stated(retrieve: Retrieve, digest: str | None) -> dict[str, Json]:
    """Return the settings that decide what is found, as they are written."""
    chunk, embeddings = retrieve.chunk, retrieve.embeddings
    stated: dict[str, Json] = {
        "top_k": retrieve.top_k,
        "search": None if retrieve.call or retrieve.retriever else retrieve.search,
        "chunk": {"words": chunk.words, "overlap": chunk.overlap} if chunk else None,
        "embeddings": stated_embeddings(embeddings) if embeddings else None,
        "store": retrieve.store,
        "retriever": retrieve.retriever,
        "settings": retrieve.settings or None,
        "documents": digest and digest[:_DIGEST],
    }
    return {name: value for name, value in stated.items() if value is not None}


def stated_embeddings(embeddings: Embeddings) -> dict[str, Json]:
    """Return what decides an embedding, as it is written."""
    written = embeddings.written
    stated: dict[str, Json] = {
        "model": written.model if written else None,
        "api_base": written.api_base if written else None,
        "params": (written.params or None) if written else None,
        "call": embeddings.call,
        "local": embeddings.local,
    }
    return {name: value for name, value in stated.items() if value is not None}

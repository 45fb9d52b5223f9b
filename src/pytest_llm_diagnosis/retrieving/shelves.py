"""The stores of vectors that a run has open."""

from __future__ import annotations

import json

from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.records import Retrieve, Variant
from pytest_llm_diagnosis.retrieval import MemoryVectors, VectorStore

from .asking import stated_embeddings


class Shelves:
    """Opens the store of a variant; variants that state the same share one."""

    def __init__(self) -> None:
        self._open: dict[str, VectorStore] = {}

    def of(self, variant: Variant) -> VectorStore:
        """Return a variant's store; raises `DiagnosisError` if it cannot be opened."""
        retrieve = variant.retrieve or Retrieve()
        name = _name(variant, retrieve)
        if name not in self._open:
            self._open[name] = _opened(variant, retrieve)
        return self._open[name]

    def close(self) -> None:
        """Close them all."""
        while self._open:
            _, shelf = self._open.popitem()
            shelf.close()


def _name(variant: Variant, retrieve: Retrieve) -> str:
    """Return what variants must state alike to share a store."""
    if retrieve.store is not None:
        return json.dumps([str(variant.location.path), retrieve.store])
    # One in memory is filled with these passages and vectors alone.
    chunk, embeddings = retrieve.chunk, retrieve.embeddings
    return json.dumps(
        [
            [str(path) for path in retrieve.documents],
            [chunk.words, chunk.overlap] if chunk else None,
            stated_embeddings(embeddings) if embeddings else None,
        ]
    )


def _opened(variant: Variant, retrieve: Retrieve) -> VectorStore:
    if retrieve.store is None:
        return MemoryVectors()
    if retrieve.live_store is None:
        raise DiagnosisError(f"variant {variant.name!r} is not filled in for a call")
    from pytest_llm_diagnosis.retrieval.stores import open_store

    place = retrieve.location or variant.location
    return open_store(retrieve.live_store, place.path.parent)

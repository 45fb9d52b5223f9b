"""What every retriever does, and every store of vectors behind one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from pytest_llm_diagnosis.records import Context, Passage


class Retriever(Protocol):
    """Ranks passages against a question."""

    def search(self, query: str, top_k: int) -> tuple[Context, ...]:
        """Return at most `top_k` passages, the best first.

        `query` is any text a user may write.  `source` of a context is the id
        of its passage; a higher `score` is better.  The same query always
        gives the same answer.
        """
        ...


class Embedded(NamedTuple):
    """A passage and its vector; all vectors of a store have one length."""

    passage: Passage
    vector: tuple[float, ...]


class VectorStore(Protocol):
    """Keeps passages by their vectors and finds the nearest by cosine.

    Used from one thread at a time.  Every method raises `DiagnosisError` with
    the store's own message where the store cannot be reached or refuses.
    """

    def revision(self) -> str | None:
        """Return what `replace` was last given; None when nothing of ours is there."""
        ...

    def replace(self, revision: str, passages: Iterable[Embedded]) -> None:
        """Keep exactly these passages, under this revision, in place of older ones."""
        ...

    def nearest(self, vector: Sequence[float], top_k: int) -> tuple[Context, ...]:
        """Return at most `top_k` passages, the most alike first.

        `score` is the cosine similarity, -1 to 1; ties go by passage id.
        """
        ...

    def close(self) -> None:
        """Give back files and connections."""
        ...

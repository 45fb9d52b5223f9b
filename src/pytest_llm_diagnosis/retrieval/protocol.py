"""What every retriever does."""

from __future__ import annotations

from typing import Protocol

from pytest_llm_diagnosis.records import Context


class Retriever(Protocol):
    """Ranks passages against a question."""

    def search(self, query: str, top_k: int) -> tuple[Context, ...]:
        """Return at most `top_k` passages, the best first.

        `query` is any text a user may write.  `source` of a context is the id
        of its passage; a higher `score` is better.  The same query always
        gives the same answer.
        """
        ...

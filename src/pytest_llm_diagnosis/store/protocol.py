"""What a store of answers does, wherever it keeps them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Literal, Protocol, TypeAlias

from pytest_llm_diagnosis.records import Answer, Request

Claim: TypeAlias = Literal["won", "held", "answered"]
"""Who may make a call: the asker, somebody else just now, nobody any more."""

FILTERED = "content_filter"


class Store(Protocol):
    """Keeps one answer for each request key and says who may ask for it.

    Every method may raise `StoreError`; a caller then goes on with a
    `MemoryStore` and says why.
    """

    def get(self, key: str) -> Answer | None:
        """Return the kept answer, marked as stored when it is of an earlier run."""
        ...

    def get_many(self, keys: Iterable[str]) -> dict[str, Answer]:
        """Return the kept answers among `keys`."""
        ...

    def known(self, keys: Iterable[str]) -> frozenset[str]:
        """Return the keys that are answered, without reading the answers."""
        ...

    def put(self, request: Request, answer: Answer) -> bool:
        """Keep an answer at once and end the claim on it.

        Returns False for an answer that a provider filtered: it is not kept.
        """
        ...

    def claim(self, key: str, owner: str, lease_seconds: float) -> Claim:
        """Take the right to make a call, for `lease_seconds`, in one step."""
        ...

    def renew(self, owner: str, lease_seconds: float) -> int:
        """Extend all claims the owner still holds; return how many."""
        ...

    def release(self, owner: str, key: str | None = None) -> None:
        """Give up one claim of the owner, or all of them."""
        ...

    def take(self, run: float, most: int) -> bool:
        """Count a call of a run, of at most so many; False when they are taken.

        `run` is when the run began: all of its processes count together.
        """
        ...

    def together(self) -> AbstractContextManager[None]:
        """Commit what is written inside as one, or nothing of it."""
        ...

    def close(self) -> None:
        """Let go of the file; closing twice is harmless."""
        ...

"""What every model does."""

from __future__ import annotations

from typing import Protocol

from pytest_llm_diagnosis.records import Answer, Request


class Model(Protocol):
    """Answers requests; all calls of a model come from one event loop."""

    async def answer(self, request: Request) -> Answer:
        """Return the answer to one call, made once.

        Raises `ModelError` for everything that keeps the answer from coming.
        """
        ...

    async def close(self) -> None:
        """Give back connections; called on the loop that made the calls."""
        ...

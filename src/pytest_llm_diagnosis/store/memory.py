"""The store of a run whose file cannot be used: it forgets at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pytest_llm_diagnosis.records import Answer, Request

from .protocol import FILTERED, Claim


class MemoryStore:
    """Answers of this process only; claims last until they are released.

    It stands for one of so many `processes`, whose shares of a limit it cannot see.
    """

    def __init__(self, processes: int = 1) -> None:
        self._processes = processes
        self._taken = 0
        self._answers: dict[str, Answer] = {}
        self._owners: dict[str, str] = {}

    def get(self, key: str) -> Answer | None:
        """Return the kept answer; it is of this run."""
        return self._answers.get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, Answer]:
        """Return the kept answers among `keys`."""
        found = ((key, self.get(key)) for key in keys)
        return {key: answer for key, answer in found if answer is not None}

    def known(self, keys: Iterable[str]) -> frozenset[str]:
        """Return the keys that are answered."""
        return frozenset(keys) & self._answers.keys()

    def put(self, request: Request, answer: Answer) -> bool:
        """Keep an answer; False when it was filtered."""
        self._owners.pop(request.key, None)
        if answer.finish_reason == FILTERED:
            return False
        self._answers[request.key] = answer
        return True

    def claim(self, key: str, owner: str, lease_seconds: float) -> Claim:  # noqa: ARG002 - a process that died took its claims with it
        """Take the right to make a call."""
        if key in self._answers:
            return "answered"
        return "won" if self._owners.setdefault(key, owner) == owner else "held"

    def renew(self, owner: str, lease_seconds: float) -> int:  # noqa: ARG002 - nothing runs out here
        """Return how many claims the owner holds."""
        return sum(holder == owner for holder in self._owners.values())

    def release(self, owner: str, key: str | None = None) -> None:
        """Give up one claim of the owner, or all of them."""
        mine = [held for held, holder in self._owners.items() if holder == owner]
        for held in mine:
            if key in {None, held}:
                del self._owners[held]

    def take(self, run: float, most: int) -> bool:  # noqa: ARG002 - there is only this run
        """Count a call against this process's share."""
        if self._taken >= most // self._processes:
            return False
        self._taken += 1
        return True

    @contextmanager
    def together(self) -> Iterator[None]:
        """Change nothing: what is kept here is not undone."""
        yield

    def close(self) -> None:
        """Do nothing: there is no file."""

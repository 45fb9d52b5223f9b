"""One answer a request, from where it is, and never paid twice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, cast

from pytest_llm_diagnosis.errors import (
    BudgetError,
    InputError,
    ModelError,
    NotAskedError,
    ReplayMissError,
    StoreError,
)
from pytest_llm_diagnosis.records import Answer, Request
from pytest_llm_diagnosis.store import Claim, GroupedStore

from .budget import spent_calls
from .calling import Caller

LOOK_AGAIN = 0.05
"""Seconds before asking once more whether another process has answered."""


class SharedLimit(NamedTuple):
    """The most calls that all processes of the run which began then may make."""

    run: float
    calls: int


class Replay(Protocol):
    """Recorded answers, which a replay takes instead of calls."""

    def find(self, request: Request) -> Answer | None:
        """Return the recorded answer, None where there is none."""

    def explain_miss(self, request: Request) -> str:
        """Return the nearest recorded request and what differs, in words."""


class Answering:
    """Answers requests on one event loop; equal keys share one call.

    A request passes these stations: a recording, if the run is a replay; what
    this run holds; the store; a claim, so that no other process pays for it;
    the call; the store.  `owner` names this process among those that share the
    store and `lease` is how long its claims outlive it, in seconds.  `shared` is a
    limit that they have in common.  `on_unkept`
    is told why an answer could not be stored: it then serves this run only.
    """

    def __init__(  # noqa: PLR0913 - the collaborators, named at the one call site
        self,
        caller: Caller,
        store: GroupedStore,
        *,
        recordings: Replay | None,
        owner: str,
        lease: float,
        on_unkept: Callable[[StoreError], None],
        shared: SharedLimit | None = None,
    ) -> None:
        self._caller = caller
        self._store = store
        self._recordings = recordings
        self._owner = owner
        self._lease = lease
        self._on_unkept = on_unkept
        self._shared = shared
        self._tasks: dict[str, asyncio.Task[Answer | None]] = {}
        self._errors: dict[str, ModelError] = {}
        self._unkept: dict[str, Answer] = {}

    @property
    def under_way(self) -> Sequence[asyncio.Task[Answer | None]]:
        """The requests that are being answered."""
        return list(self._tasks.values())

    def recorded(self, request: Request) -> bool:
        """Whether a replay has an answer."""
        try:
            return bool(self._recordings and self._recordings.find(request))
        except InputError:
            return False  # a damaged recording: told when the answer is wanted

    async def obtain(self, request: Request, urgency: int) -> Answer:
        """Return the answer; raises `ModelError`."""
        patient = False
        while True:
            task = self._tasks.get(request.key)
            if task is None:
                task = self.begin(request, urgency, patient=patient)
            answer = await asyncio.shield(task)
            if answer is not None:
                return answer
            patient = True

    async def pay(self, request: Request, urgency: int) -> Answer:
        """Return the answer to a call that is made in any case; raises `ModelError`.

        The caller has claimed it and keeps what comes of it.
        """
        task = asyncio.ensure_future(self._pay(request, urgency))
        # Among those that are ended with the run.
        self._tasks[request.key] = cast("asyncio.Task[Answer | None]", task)
        try:
            return await asyncio.shield(task)
        finally:
            self._tasks.pop(request.key, None)

    async def _pay(self, request: Request, urgency: int) -> Answer:
        await self._take_shared()
        return await self._caller.call(request, urgency)

    def begin(
        self, request: Request, urgency: int, *, patient: bool = False
    ) -> asyncio.Task[Answer | None]:
        """Begin to answer a request that is not under way.

        The task returns None when another process calls and `patient` is false.
        """
        task = asyncio.ensure_future(
            self._find_or_call(request, urgency, patient=patient)
        )
        self._tasks[request.key] = task
        task.add_done_callback(lambda done: self._forget(request.key, done))
        return task

    def is_under_way(self, request: Request) -> bool:
        """Whether a request is being answered right now."""
        return request.key in self._tasks

    async def renew_claims(self) -> None:
        """Keep this process's claims alive until cancelled."""
        while True:
            await asyncio.sleep(self._lease / 3)
            # A store that is busy now may be free at the next turn.
            with contextlib.suppress(StoreError):
                await self._store.renew(self._owner, self._lease)

    def _forget(self, key: str, task: asyncio.Task[Answer | None]) -> None:
        """Drop a finished task: its answer is in the store, its error is kept."""
        self._tasks.pop(key, None)
        if not task.cancelled():
            error = task.exception()
            # What was not asked may be asked, or be there, when it is wanted again.
            if isinstance(error, ModelError) and not isinstance(error, NotAskedError):
                self._errors[key] = error

    async def _find_or_call(
        self, request: Request, urgency: int, *, patient: bool
    ) -> Answer | None:
        if request.key in self._errors:
            raise self._errors[request.key]
        if self._recordings is not None:
            return self._replay(request, self._recordings)
        while True:
            try:
                found = self._unkept.get(request.key) or await self._stored(request)
            except StoreError as error:
                self._on_unkept(error)
                # It could not be read back either: this run keeps it.
                self._unkept[request.key] = await self._call(request, urgency)
                return self._unkept[request.key]
            if found is not None:
                return found
            answer = await self._claim_and_call(request, urgency)
            if answer is not None or not patient:
                return answer
            await asyncio.sleep(LOOK_AGAIN)

    def _replay(self, request: Request, recordings: Replay) -> Answer:
        found = recordings.find(request)
        if found is None:
            raise ReplayMissError(recordings.explain_miss(request))
        self._caller.counts.stored += 1
        return found

    async def _stored(self, request: Request) -> Answer | None:
        found = await self._store.get(request.key)
        self._caller.counts.stored += found is not None and found.stored
        return found

    async def _claim_and_call(self, request: Request, urgency: int) -> Answer | None:
        """Claim the request and pay for it; None when another process has it."""
        if await self._claim(request) != "won":
            return None
        try:
            await self._take_shared()
            return await self._call(request, urgency)
        except BaseException:
            with contextlib.suppress(StoreError):
                await self._store.release(self._owner, request.key)
            raise

    async def _take_shared(self) -> None:
        """Count a call of the whole run; raises `BudgetError` when all are made."""
        if self._shared is None:
            return
        run, most = self._shared
        if not await self._store.take(run, most):
            raise BudgetError(spent_calls(most))

    async def _call(self, request: Request, urgency: int) -> Answer:
        """Pay for an answer and keep it."""
        answer = await self._caller.call(request, urgency)
        if not await self._keep(request, answer):
            self._unkept[request.key] = answer
        return answer

    async def _claim(self, request: Request) -> Claim:
        """Claim a request; a store that cannot say is no reason not to ask."""
        try:
            return await self._store.claim(request.key, self._owner, self._lease)
        except StoreError as error:
            self._on_unkept(error)
            return "won"

    async def _keep(self, request: Request, answer: Answer) -> bool:
        """Keep an answer; one that the store fails to take serves this run only."""
        try:
            return await self._store.put(request, answer)
        except StoreError as error:
            self._on_unkept(error)
            return False

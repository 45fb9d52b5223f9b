"""Requests to answers on one background event loop.

The engine runs ahead in the order it is given and hands out answers by key.
How one request gets its answer is `answering`'s matter, what a call may do
`calling`'s; the order of reports is pytest's.
"""

from __future__ import annotations

import asyncio
import enum
import functools
import threading
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from pytest_llm_diagnosis.errors import StoreError
from pytest_llm_diagnosis.models import Model
from pytest_llm_diagnosis.records import Answer, Request, VariantKey
from pytest_llm_diagnosis.redaction import Redactor
from pytest_llm_diagnosis.store import GroupedStore, Store

from .answering import Answering, Replay, SharedLimit
from .budget import Budget
from .calling import Caller, Provider
from .counts import Counts
from .retry import RetryPolicy

_T = TypeVar("_T")


FollowUp: TypeAlias = Callable[[Request, Answer], Coroutine[object, object, None]]
"""What is to be done with an answer that was run ahead for."""


async def nothing(_request: Request, _answer: Answer) -> None:
    """Do nothing with an answer."""


class Urgency(enum.IntEnum):
    """Who goes first: answers, then probes that a test waits for, then the rest."""

    FIRST = 0
    AWAITED_PROBE = 1
    PROBE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """How to run.

    `owner` names this process among those that share the store.  `lease` is
    how long a claim outlives its process, in seconds.  `grace` is how long calls
    in flight may still arrive after a stop.  `shared` is a limit that several
    processes have in common, counted in the store.
    """

    concurrency: int = 32
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    owner: str = "main"
    lease: float = 30.0
    grace: float = 2.0
    shared: SharedLimit | None = None


class Engine:
    """Keeps up to `concurrency` calls in flight and never pays twice.

    `open_model` gives the model of a variant; it runs in a thread, once
    per variant, before the variant's first live call.  `provider_of` says whose
    limits the calls of a variant share.  `on_answer` sees every answer that was
    handed out, `on_unkept` why an answer could not be stored, `redactor` removes
    secrets.  Methods without a leading underscore may be called from any thread,
    except coroutines, which belong to the engine's loop.
    """

    def __init__(  # noqa: PLR0913 - the collaborators, named at the one call site
        self,
        *,
        open_model: Callable[[VariantKey], Model],
        open_store: Callable[[], Store],
        recordings: Replay | None = None,
        options: EngineOptions,
        budget: Budget | None = None,
        provider_of: Callable[[VariantKey], Provider] = lambda key: Provider(
            endpoint=str(key)
        ),
        on_answer: Callable[[Request, Answer], None] = lambda *_: None,
        on_unkept: Callable[[StoreError], None] = lambda _: None,
        redactor: Redactor | None = None,
    ) -> None:
        self._open_store = open_store
        self._recordings = recordings
        self._options = options
        self._on_answer = on_answer
        self._on_unkept = on_unkept
        self._caller = Caller(
            open_model=open_model,
            provider_of=provider_of,
            concurrency=options.concurrency,
            retry=options.retry,
            budget=budget or Budget(),
            redactor=redactor or Redactor(),
        )
        self._background: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="llm-engine", daemon=True
        )
        self._beginning: Future[None] = Future()
        self._store: GroupedStore
        self._answering: Answering

    @property
    def counts(self) -> Counts:
        """What was done so far."""
        return self._caller.counts

    # -- life ------------------------------------------------------------

    def start(self) -> None:
        """Start the loop and open the store; raises `StoreError`."""
        self._thread.start()
        self._beginning = self.submit(self._begin())
        self._beginning.result()

    def stop(self) -> None:
        """End the run: no new call; what arrives within the grace is kept."""
        if not self._beginning.done():
            return  # interrupted while the store was opened: nothing was asked
        if self._thread.is_alive():
            if self._beginning.exception() is None:
                self.run(self._end())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def refuse_new_calls(self) -> None:
        """Let no further call begin; those in flight go on."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._caller.stop)

    def submit(self, work: Coroutine[object, object, _T]) -> Future[_T]:
        """Run a coroutine on the engine's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[object, object, _T]) -> _T:
        """Run a coroutine on the engine's loop and wait for its result."""
        return self.submit(work).result()

    # -- use -------------------------------------------------------------

    def stored(self, requests: Sequence[Request]) -> set[str]:
        """Return the keys of the requests that need no call."""
        return self.run(self._stored(requests))

    def run_ahead(self, requests: Iterable[Request], then: FollowUp = nothing) -> None:
        """Begin to answer the requests, in their order, without waiting.

        `then` is awaited with each request and its answer.
        """
        self._loop.call_soon_threadsafe(self._keep_running_ahead, requests, then)

    def answer(self, request: Request) -> Future[Answer]:
        """Return a future of the answer; it fails with `ModelError`."""
        return self.submit(self.obtain(request, Urgency.FIRST))

    async def obtain(self, request: Request, urgency: Urgency) -> Answer:
        """Return the answer, from where it is or by a call; raises `ModelError`."""
        answer = await self._answering.obtain(request, urgency)
        self._on_answer(request, answer)
        return answer

    async def pay(self, request: Request) -> Answer:
        """Return the answer to a call whose result the caller keeps.

        It is retried, counted, budgeted and redacted as any other, and stands in no
        store.  Raises `ModelError`.
        """
        return await self._answering.pay(request, Urgency.FIRST)

    # -- on the loop -----------------------------------------------------

    async def _begin(self) -> None:
        store = await asyncio.to_thread(self._open_store)
        self._store = GroupedStore(store, self._on_unkept)
        self._answering = Answering(
            self._caller,
            self._store,
            recordings=self._recordings,
            owner=self._options.owner,
            lease=self._options.lease,
            on_unkept=self._on_unkept,
            shared=self._options.shared,
        )
        self._keep(self._answering.renew_claims())

    async def _end(self) -> None:
        self._caller.stop()
        under_way = self._answering.under_way
        if under_way:
            await asyncio.wait(under_way, timeout=self._options.grace)
        remaining = [*self._background, *self._answering.under_way]
        for task in remaining:
            task.cancel()
        await asyncio.gather(*remaining, return_exceptions=True)
        try:
            await self._caller.close()
        finally:
            await self._store.close()

    async def _stored(self, requests: Sequence[Request]) -> set[str]:
        if self._recordings is not None:
            return {one.key for one in requests if self._answering.recorded(one)}
        return set(await self._store.known([one.key for one in requests]))

    def _keep_running_ahead(self, requests: Iterable[Request], then: FollowUp) -> None:
        self._keep(self._run_ahead(requests, then))

    def _keep(self, work: Coroutine[object, object, None]) -> None:
        task = self._loop.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._let_go)

    def _let_go(self, task: asyncio.Task[None]) -> None:
        """Forget a task; what went wrong ahead goes wrong again for whoever waits."""
        self._background.discard(task)
        if not task.cancelled():
            task.exception()

    async def _run_ahead(self, requests: Iterable[Request], then: FollowUp) -> None:
        """Start requests in order, with no more waiting than there are slots."""
        ahead = asyncio.Semaphore(2 * self._options.concurrency)
        for request in requests:
            await ahead.acquire()
            if self._caller.stopping:
                return
            if self._answering.is_under_way(request):
                ahead.release()
                continue
            task = self._answering.begin(request, Urgency.FIRST)
            task.add_done_callback(functools.partial(self._follow, request, then))
            task.add_done_callback(lambda _: ahead.release())

    def _follow(
        self, request: Request, then: FollowUp, done: asyncio.Task[Answer | None]
    ) -> None:
        """Go on with an answer; whoever wants it sees what was wrong with it."""
        if then is nothing or done.cancelled() or done.exception():
            return
        answer = done.result()
        if answer is not None and not self._caller.stopping:
            self._keep(then(request, answer))

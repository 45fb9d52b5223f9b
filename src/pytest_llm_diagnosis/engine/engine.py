"""Requests to answers on one background event loop.

A request passes these stations: already answered in this run, in the store or
a recording; claimed, so that no other process pays for it; a slot; the budget;
the call with its retries; the store.  The order of reports is not the engine's
business: it runs ahead in the order it is given and hands out answers by key.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import threading
from collections.abc import (
    AsyncIterator,
    Callable,
    Coroutine,
    Iterable,
    Sequence,
)
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from pytest_llm_diagnosis.errors import (
    InputError,
    ModelError,
    ReplayMissError,
    StoreError,
)
from pytest_llm_diagnosis.models import Model
from pytest_llm_diagnosis.records import Answer, Request, VariantKey
from pytest_llm_diagnosis.redaction import Redactor
from pytest_llm_diagnosis.store import Store

from .budget import Budget
from .counts import Counts
from .limiter import Limiter
from .retry import RetryPolicy, call_with_retry

_T = TypeVar("_T")

OVERLOADED = frozenset({429, 503, 529})
"""HTTP statuses by which providers ask for fewer calls at a time."""

LOOK_AGAIN = 0.05
"""Seconds before asking once more whether another process has answered."""


class Replay(Protocol):
    """Recorded answers, which a replay takes instead of calls."""

    def find(self, request: Request) -> Answer | None:
        """Return the recorded answer, None where there is none."""

    def explain_miss(self, request: Request) -> str:
        """Return the nearest recorded request and what differs, in words."""


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
    in flight may still arrive after a stop.
    """

    concurrency: int = 32
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    owner: str = "main"
    lease: float = 30.0
    grace: float = 2.0


class Engine:
    """Keeps up to `concurrency` calls in flight and never pays twice.

    `open_model` gives the model of a variant; it runs in a thread, once
    per variant, before the variant's first live call.  `cap_of` limits single
    variants further.  `on_answer` sees every answer that was handed out,
    `on_unkept` why an answer could not be stored, `redactor` removes secrets.  Methods
    without a leading underscore may be called from any thread, except
    coroutines, which belong to the engine's loop.
    """

    def __init__(  # noqa: PLR0913 - the collaborators, named at the one call site
        self,
        *,
        open_model: Callable[[VariantKey], Model],
        open_store: Callable[[], Store],
        recordings: Replay | None = None,
        options: EngineOptions,
        budget: Budget | None = None,
        cap_of: Callable[[VariantKey], int | None] = lambda _: None,
        on_answer: Callable[[Request, Answer], None] = lambda *_: None,
        on_unkept: Callable[[StoreError], None] = lambda _: None,
        redactor: Redactor | None = None,
    ) -> None:
        self.counts = Counts()
        self._open_model = open_model
        self._open_store = open_store
        self._recordings = recordings
        self._options = options
        self._budget = budget or Budget()
        self._cap_of = cap_of
        self._on_answer = on_answer
        self._on_unkept = on_unkept
        self._redactor = redactor or Redactor()
        self._limiter = Limiter(options.concurrency)
        self._variant_limiters: dict[VariantKey, Limiter] = {}
        self._models: dict[VariantKey, asyncio.Task[Model]] = {}
        self._tasks: dict[str, asyncio.Task[Answer | None]] = {}
        self._errors: dict[str, ModelError] = {}
        self._unkept: dict[str, Answer] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="llm-engine", daemon=True
        )
        self._store: Store

    # -- life ------------------------------------------------------------

    def start(self) -> None:
        """Start the loop and open the store; raises `StoreError`."""
        self._thread.start()
        self.run(self._begin())

    def stop(self) -> None:
        """End the run: no new call; what arrives within the grace is kept."""
        if self._thread.is_alive():
            self.run(self._end())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def refuse_new_calls(self) -> None:
        """Let no further call begin; those in flight go on."""
        self._stopping = True

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

    def run_ahead(self, requests: Iterable[Request]) -> None:
        """Begin to answer the requests, in their order, without waiting."""
        self._loop.call_soon_threadsafe(self._feed, requests)

    def answer(self, request: Request) -> Future[Answer]:
        """Return a future of the answer; it fails with `ModelError`."""
        return self.submit(self.obtain(request, Urgency.FIRST))

    async def obtain(self, request: Request, urgency: Urgency) -> Answer:
        """Return the answer, from where it is or by a call; raises `ModelError`."""
        patient = False
        while True:
            task = self._tasks.get(request.key)
            if task is None:
                task = self._begin_request(request, urgency, patient=patient)
            answer = await asyncio.shield(task)
            if answer is not None:
                self._on_answer(request, answer)
                return answer
            patient = True

    # -- on the loop -----------------------------------------------------

    async def _begin(self) -> None:
        self._store = self._open_store()
        self._keep(self._renew_claims())

    async def _end(self) -> None:
        self._stopping = True
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=self._options.grace)
        remaining = [*self._background, *self._tasks.values()]
        for task in remaining:
            task.cancel()
        await asyncio.gather(*remaining, return_exceptions=True)
        try:
            for opened in self._models.values():
                if opened.done() and not opened.cancelled() and not opened.exception():
                    await opened.result().close()
        finally:
            self._store.close()

    async def _stored(self, requests: Sequence[Request]) -> set[str]:
        if self._recordings is not None:
            return {request.key for request in requests if self._recorded(request)}
        return set(self._store.known(request.key for request in requests))

    def _feed(self, requests: Iterable[Request]) -> None:
        self._keep(self._run_ahead(requests))

    def _keep(self, work: Coroutine[object, object, None]) -> None:
        task = self._loop.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _run_ahead(self, requests: Iterable[Request]) -> None:
        """Start requests in order, with no more waiting than there are slots."""
        ahead = asyncio.Semaphore(2 * self._options.concurrency)
        for request in requests:
            await ahead.acquire()
            if self._stopping:
                return
            if request.key in self._tasks:
                ahead.release()
                continue
            task = self._begin_request(request, Urgency.FIRST, patient=False)
            task.add_done_callback(lambda _: ahead.release())

    def _begin_request(
        self, request: Request, urgency: Urgency, *, patient: bool
    ) -> asyncio.Task[Answer | None]:
        work = self._find_or_call(request, urgency, patient=patient)
        task = self._loop.create_task(work)
        self._tasks[request.key] = task
        task.add_done_callback(lambda done: self._forget(request.key, done))
        return task

    def _forget(self, key: str, task: asyncio.Task[Answer | None]) -> None:
        """Drop a finished task: its answer is in the store, its error is kept."""
        self._tasks.pop(key, None)
        if not task.cancelled():
            error = task.exception()
            if isinstance(error, ModelError):
                self._errors[key] = error

    async def _find_or_call(
        self, request: Request, urgency: Urgency, *, patient: bool
    ) -> Answer | None:
        """Return the answer; None if another process calls and `patient` is false."""
        if request.key in self._errors:
            raise self._errors[request.key]
        if self._recordings is not None:
            return self._replay(request, self._recordings)
        while True:
            found = self._unkept.get(request.key) or self._store.get(request.key)
            if found is not None:
                self.counts.stored += found.stored
                return found
            async with self._slots(request.asks, urgency) as limiter:
                answer = await self._call(request, urgency, limiter)
            if answer is not None or not patient:
                return answer
            await asyncio.sleep(LOOK_AGAIN)

    def _recorded(self, request: Request) -> Answer | None:
        try:
            return self._recordings.find(request) if self._recordings else None
        except InputError:
            return None  # a damaged recording: told when the answer is wanted

    def _replay(self, request: Request, recordings: Replay) -> Answer:
        found = recordings.find(request)
        if found is None:
            raise ReplayMissError(recordings.explain_miss(request))
        self.counts.stored += 1
        return found

    @contextlib.asynccontextmanager
    async def _slots(
        self, variant: VariantKey, urgency: Urgency
    ) -> AsyncIterator[Limiter]:
        """Hold a slot of the variant and one of the process."""
        limiter = self._variant_limiter(variant)
        await limiter.acquire(urgency)
        try:
            await self._limiter.acquire(urgency)
            try:
                yield limiter
            finally:
                self._limiter.release()
        finally:
            limiter.release()

    def _variant_limiter(self, variant: VariantKey) -> Limiter:
        if variant not in self._variant_limiters:
            most = self._options.concurrency
            cap = self._cap_of(variant) or most
            self._variant_limiters[variant] = Limiter(min(most, cap))
        return self._variant_limiters[variant]

    async def _call(
        self, request: Request, urgency: Urgency, limiter: Limiter
    ) -> Answer | None:
        """Claim the request and pay for it; None when another process has it."""
        if self._stopping:
            raise ModelError("not asked: the run was stopped")
        owner = self._options.owner
        if self._store.claim(request.key, owner, self._options.lease) != "won":
            return None
        try:
            self._budget.take()
            answer = await self._paid(request, urgency, limiter)
        except BaseException:
            self._store.release(owner, request.key)
            raise
        if not self._put(request, answer):
            self._unkept[request.key] = answer
        return answer

    def _put(self, request: Request, answer: Answer) -> bool:
        """Keep an answer; one that the store fails to take serves this run only."""
        try:
            return self._store.put(request, answer)
        except StoreError as error:
            self._on_unkept(error)
            return False

    async def _paid(
        self, request: Request, urgency: Urgency, limiter: Limiter
    ) -> Answer:
        counts = self.counts
        counts.in_flight += 1
        answer: Answer | None = None
        try:
            model = await self._model(request.asks)
            counts.calls += 1
            counts.probe_calls += urgency is not Urgency.FIRST

            def retrying(error: ModelError, pause: float) -> None:
                counts.retries += 1
                counts.waited += pause
                if error.status in OVERLOADED:
                    limiter.overloaded()

            answer = await call_with_retry(
                lambda: self._redacted(model, request), self._options.retry, retrying
            )
            limiter.succeeded()
        finally:
            counts.in_flight -= 1
            counts.answered += answer is not None
            counts.failed += answer is None
            usd = answer.usd if answer else None
            counts.usd += usd or 0.0
            counts.unpriced += answer is not None and usd is None
            self._budget.settle(usd)
        return answer

    async def _redacted(self, model: Model, request: Request) -> Answer:
        """Make one call; neither its answer nor its error carries a secret."""
        try:
            answer = await model.answer(request)
        except ModelError as error:
            told = self._redactor.text(error.message)
            if told == error.message:
                raise
            raise error.saying(told) from None
        return self._redactor.answer(answer)

    async def _model(self, variant: VariantKey) -> Model:
        """Return the variant's model, opened once and off the loop's thread."""
        if variant not in self._models:
            opening = asyncio.to_thread(self._open_model, variant)
            self._models[variant] = self._loop.create_task(opening)
        return await asyncio.shield(self._models[variant])

    async def _renew_claims(self) -> None:
        while True:
            await asyncio.sleep(self._options.lease / 3)
            # A store that is busy now may be free at the next turn.
            with contextlib.suppress(StoreError):
                self._store.renew(self._options.owner, self._options.lease)

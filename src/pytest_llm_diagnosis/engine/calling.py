"""One paid call: a slot, the budget, the model, and its retries."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from pytest_llm_diagnosis.errors import InputError, ModelError, NotAskedError
from pytest_llm_diagnosis.models import Model
from pytest_llm_diagnosis.records import Answer, Request, VariantKey
from pytest_llm_diagnosis.redaction import Redactor

from .budget import Budget
from .counts import Counts
from .limiter import Limiter
from .retry import RetryPolicy, given_up

_Done = TypeVar("_Done")

_LONGEST = 2_000
"""Characters of an error; a provider's may repeat all that it was sent."""

STOPPED = "not asked: the run was stopped"

OVERLOADED = frozenset({429, 503, 529})
"""HTTP statuses by which providers ask for fewer calls at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Where the calls of a variant go.

    Variants with the same `endpoint` share its limits; `cap` is the most calls in
    flight that a variant allows itself, None for no cap of its own.
    """

    endpoint: str
    cap: int | None = None


class Caller:
    """Makes calls; belongs to one event loop.

    `open_model` gives the model of a variant; it runs in a thread, once per
    variant, before the variant's first call.  `provider_of` says which limits the
    variant's calls share.  `redactor` removes secrets.
    """

    def __init__(
        self,
        *,
        open_model: Callable[[VariantKey], Model],
        provider_of: Callable[[VariantKey], Provider],
        concurrency: int,
        retry: RetryPolicy,
        budget: Budget,
        redactor: Redactor,
    ) -> None:
        self.counts = Counts()
        self._open_model = open_model
        self._provider_of = provider_of
        self._concurrency = concurrency
        self._retry = retry
        self._budget = budget
        self._redactor = redactor
        self._process = Limiter(concurrency)
        self._endpoints: dict[str, Limiter] = {}
        self._variants: dict[VariantKey, Limiter] = {}
        self._models: dict[VariantKey, asyncio.Task[Model]] = {}
        self._proven: set[str] = set()
        self._stopped = asyncio.Event()

    @property
    def stopping(self) -> bool:
        """Whether no further call may begin."""
        return self._stopped.is_set()

    async def call(self, request: Request, urgency: int) -> Answer:
        """Return the answer, trying again where that may help.

        A call that waits for its next try holds no slot.  Raises `BudgetError`
        before a call that may not be made, `ModelError` when there is no answer.
        """
        await self._budget.take(request.asks)
        answer: Answer | None = None
        try:
            answer = await self._persist(request, urgency)
        finally:
            usd = answer.usd if answer else None
            self._budget.settle(request.asks, usd, answered=answer is not None)
        self._proven.add(self._provider_of(request.asks).endpoint)
        self.counts.answered += 1
        self.counts.usd += usd or 0.0
        self.counts.unpriced += usd is None
        return answer

    async def close(self) -> None:
        """Close the models that were opened."""
        for opened in self._models.values():
            if opened.done() and not opened.cancelled() and not opened.exception():
                await opened.result().close()

    async def _persist(self, request: Request, urgency: int) -> Answer:
        """Try until there is an answer or the policy gives up."""
        began = time.monotonic()
        for attempt in itertools.count(1):
            try:
                return await self._attempt(request, urgency, first=attempt == 1)
            except NotAskedError:
                raise
            except ModelError as error:
                pause = self._pause(request, attempt, error)
                elapsed = time.monotonic() - began
                if pause is None or elapsed + pause > self._retry.wall:
                    self.counts.failed += 1
                    raise given_up(attempt, error) from error
                self.counts.retries += 1
                self.counts.waited += pause
                await self._rest(pause)
        raise AssertionError  # the loop ends by what it raises or returns

    async def _rest(self, seconds: float) -> None:
        """Wait before the next try; a stop ends it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopped.wait()

    def stop(self) -> None:
        """Let no further call begin, and wake those that wait for their next try."""
        self._stopped.set()

    def _pause(self, request: Request, attempt: int, error: ModelError) -> float | None:
        proven = self._provider_of(request.asks).endpoint in self._proven
        chance = random.random()  # noqa: S311 - jitter
        return self._retry.pause(attempt, error, chance, proven=proven)

    async def _attempt(self, request: Request, urgency: int, *, first: bool) -> Answer:
        """Make one call in its slot, and tell the limiter how it went."""
        if self._stopped.is_set():
            raise NotAskedError(STOPPED)
        async with self._slot(request.asks, urgency) as (limiter, number):
            if self._stopped.is_set():
                raise NotAskedError(STOPPED)
            # In the slot, so that those who wait for it keep their order.
            model = await self._without_secrets(self._model(request.asks))
            self.counts.calls += first
            self.counts.probe_calls += first and urgency > 0 and not request.inquires
            self.counts.check_calls += first and request.inquires
            self.counts.retrieval_calls += first and request.retrieves
            self.counts.in_flight += 1
            try:
                answer = await self._without_secrets(model.answer(request))
            except ModelError as error:
                if error.retryable and error.status in OVERLOADED:
                    limiter.overloaded(number, error.retry_after)
                raise
            finally:
                self.counts.in_flight -= 1
            limiter.succeeded()
            return self._redactor.answer(answer)

    async def _without_secrets(self, step: Awaitable[_Done]) -> _Done:
        """Wait for a step of a call, whose errors may carry secrets."""
        try:
            return await step
        except InputError as error:
            raise self._redactor.error(error) from None
        except ModelError as error:
            told = _shortened(self._redactor.text(error.message))
            if told == error.message:
                raise
            raise error.saying(told) from None

    async def _model(self, variant: VariantKey) -> Model:
        """Return the variant's model, opened once and off the loop's thread."""
        if variant not in self._models:
            opening = asyncio.to_thread(self._open_model, variant)
            self._models[variant] = asyncio.ensure_future(opening)
        return await asyncio.shield(self._models[variant])

    # -- slots -----------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _slot(
        self, variant: VariantKey, urgency: int
    ) -> AsyncIterator[tuple[Limiter, int]]:
        """Hold a slot of the variant, of its endpoint and of the process."""
        provider = self._provider_of(variant)
        async with contextlib.AsyncExitStack() as held:
            if provider.cap is not None:
                capped = self._variants.setdefault(variant, Limiter(provider.cap))
                await capped.acquire(urgency)
                held.callback(capped.release)
            # The endpoint before the process: a slow one must not hold up others.
            limiter = self._endpoint_limiter(provider.endpoint)
            number = await limiter.acquire(urgency)
            held.callback(limiter.release)
            await self._process.acquire(urgency)
            held.callback(self._process.release)
            yield limiter, number

    def _endpoint_limiter(self, endpoint: str) -> Limiter:
        if endpoint not in self._endpoints:
            self._endpoints[endpoint] = Limiter(self._concurrency)
        return self._endpoints[endpoint]


def _shortened(message: str) -> str:
    more = len(message) - _LONGEST
    if more <= 0:
        return message
    return f"{message[:_LONGEST]}... ({more:,} more characters)"

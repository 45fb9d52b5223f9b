"""Endpoints that speak OpenAI's chat completions, asked without litellm.

litellm takes seconds to import and milliseconds of CPU a call.  Here a call is
one HTTP request on a pool of connections, and the rest is the same: the request
sent, the answer, the errors and the price (`tests/test_lanes.py`).
"""

from __future__ import annotations

import asyncio
import time

from pytest_llm_diagnosis.errors import ModelError
from pytest_llm_diagnosis.records import Answer, Endpoint, Request

from .bodies import Body, body_of
from .calls import is_loopback, sent_params, too_late, without_key
from .completions import Completion, completion
from .connections import Connections, parsed
from .prices import Price, PriceList, price_list
from .protocol import Model
from .provider_errors import NO_COMPLETION, model_error
from .wires import NotDirectError, Wire


class DirectModel:
    """One endpoint, called over HTTP without retries of any kind.

    `timeout` is seconds for the whole call.  `written` is the endpoint as its
    file states it (see `calls.sent_params`).  `otherwise` is asked what this
    lane cannot send; without it that is an error.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        wire: Wire,
        timeout: float,
        *,
        written: Endpoint | None = None,
        otherwise: Model | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._wire = wire
        self._timeout = timeout
        self._written = written
        self._otherwise = otherwise
        self._connections = Connections(wire.url, ca_file=wire.ca_file)
        self._priced = not is_loopback(endpoint.api_base)

    async def answer(self, request: Request) -> Answer:
        """Return the provider's answer; raises `ModelError`."""
        params = sent_params(self._endpoint, self._written, request)
        try:
            body = body_of(request, params, self._wire)
        except NotDirectError as reason:
            if self._otherwise is None:
                raise ModelError(f"not sent: lane is direct, but {reason}") from None
            return await self._otherwise.answer(request)
        await self._connections.open()
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout) as deadline:
                reply = await self._connections.post(body.data, body.headers)
        except Exception as error:
            if deadline.expired():
                raise too_late(self._endpoint, self._timeout) from error
            raise self._told(model_error(error, now=time.time())) from error
        seconds = time.perf_counter() - started
        try:
            told = completion(parsed(reply, NO_COMPLETION))
            price = self._price(told, body) if self._priced else Price()
            return told.answer(request, seconds=seconds, price=price)
        except ModelError as error:
            raise self._told(error) from None

    async def close(self) -> None:
        """Close the connections."""
        await self._connections.close()
        if self._otherwise is not None:
            await self._otherwise.close()

    def _price(self, told: Completion, body: Body) -> Price:
        """Return the price; as in litellm the model that answered comes first."""
        if self._wire.provider != "openai":
            return Price()
        models = [*filter(None, (told.model, self._wire.model))]
        tier = body.tier or told.tier
        prices: PriceList = price_list()
        return Price(
            prices.usd(models, told.usage, tier),
            prices.saved_usd(models, told.usage, tier),
        )

    def _told(self, error: ModelError) -> ModelError:
        return without_key(error, self._endpoint)

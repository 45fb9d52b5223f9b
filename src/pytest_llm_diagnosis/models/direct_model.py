"""Endpoints that speak OpenAI's chat completions, asked without litellm.

litellm takes seconds to import and milliseconds of CPU a call.  Here a call is
one HTTP request on a pool of connections, and the rest is the same: the request
sent, the answer, the errors and the price (`tests/test_lanes.py`).
"""

from __future__ import annotations

import asyncio
import functools
import json
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pytest_llm_diagnosis.errors import ModelError
from pytest_llm_diagnosis.records import Answer, Endpoint, Json, Request

from .bodies import Body, body_of
from .calls import is_loopback, sent_params, too_late, without_key
from .completions import Completion, completion
from .prices import PriceList, price_list
from .protocol import Model
from .provider_errors import (
    NO_COMPLETION,
    model_error,
    response_error,
    unreadable,
)
from .wires import NotDirectError, Wire

if TYPE_CHECKING:
    from types import ModuleType

    import aiohttp

_GOOD = range(200, 300)
# Below the 5 s after which llama.cpp's and uvicorn's servers hang up: a request
# sent into a connection that is being closed is lost.
_IDLE_SECONDS = 4.0
_NAMES_SECONDS = 300


class _Reply(NamedTuple):
    """A response; without `data` where the connection ended before it did."""

    status: int
    content_type: str
    headers: Mapping[str, str]
    data: bytes | None


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
        self._session: aiohttp.ClientSession | None = None
        self._opening = asyncio.Lock()
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
        session = await self._opened()
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout) as deadline:
                reply = await _posted(session, self._wire.url, body)
        except Exception as error:
            if deadline.expired():
                raise too_late(self._endpoint, self._timeout) from error
            raise self._told(model_error(error, now=time.time())) from error
        seconds = time.perf_counter() - started
        try:
            told = completion(_parsed(reply))
            usd = self._usd(told, body) if self._priced else None
            return told.answer(request, seconds=seconds, usd=usd)
        except ModelError as error:
            raise self._told(error) from None

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
        if self._otherwise is not None:
            await self._otherwise.close()

    async def _opened(self) -> aiohttp.ClientSession:
        """Return the pool of connections; the loop goes on while it is imported."""
        if self._session is None:
            async with self._opening:
                if self._session is None:
                    self._session = await self._pool()
        return self._session

    async def _pool(self) -> aiohttp.ClientSession:
        http = await asyncio.to_thread(_aiohttp)
        trusted = None
        if self._wire.url.startswith("https:"):
            trusted = await asyncio.to_thread(_trusted, self._wire.ca_file)
        return _pool(http, trusted)

    def _usd(self, told: Completion, body: Body) -> float | None:
        """Return the price; as in litellm the model that answered comes first."""
        if self._wire.provider != "openai":
            return None
        models = filter(None, (told.model, self._wire.model))
        prices: PriceList = price_list()
        return prices.usd(models, told.usage, body.tier or told.tier)

    def _told(self, error: ModelError) -> ModelError:
        return without_key(error, self._endpoint)


async def _posted(session: aiohttp.ClientSession, url: str, body: Body) -> _Reply:
    async with session.post(url, data=body.data, headers=body.headers) as response:
        try:
            data: bytes | None = await response.read()
        except _aiohttp().ClientPayloadError:
            data = None
        return _Reply(response.status, response.content_type, response.headers, data)


def _parsed(reply: _Reply) -> Json:
    """Return a good response's body; raises `ModelError` for any other."""
    if reply.status not in _GOOD:
        text = (reply.data or b"").decode(errors="replace")
        raise response_error(reply.status, text, reply.headers, now=time.time())
    if reply.data is None:
        raise unreadable(ValueError("it breaks off"))
    try:
        body: Json = json.loads(reply.data)
    except RecursionError:
        raise ModelError(NO_COMPLETION) from None
    except ValueError as error:
        if "json" in reply.content_type:
            raise unreadable(error) from None
        raise ModelError(NO_COMPLETION) from None
    return body


@functools.cache
def _aiohttp() -> ModuleType:
    import aiohttp

    return aiohttp


def _trusted(ca_file: str | None) -> ssl.SSLContext:
    """Return whom to trust: the file that is set, else certifi's, as litellm does."""
    import certifi

    stated = ca_file if ca_file and Path(ca_file).exists() else None
    return ssl.create_default_context(cafile=stated or certifi.where())


def _pool(http: ModuleType, trusted: ssl.SSLContext | None) -> aiohttp.ClientSession:
    """Return a pool without a limit of its own: the engine has one."""
    connector = http.TCPConnector(
        limit=0,
        keepalive_timeout=_IDLE_SECONDS,
        ttl_dns_cache=_NAMES_SECONDS,
        ssl=trusted or True,
    )
    session: aiohttp.ClientSession = http.ClientSession(
        connector=connector,
        cookie_jar=http.DummyCookieJar(),
        timeout=http.ClientTimeout(total=None),
    )
    return session

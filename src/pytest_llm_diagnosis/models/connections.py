"""HTTP without retries, on one pool of connections: what is posted, what returns."""

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
from pytest_llm_diagnosis.records import Json

from .provider_errors import PROVIDER, response_error, unreadable

if TYPE_CHECKING:
    from types import ModuleType

    import aiohttp

_GOOD = range(200, 300)
# Below the 5 s after which llama.cpp's and uvicorn's servers hang up: a request
# sent into a connection that is being closed is lost.
_IDLE_SECONDS = 4.0
_NAMES_SECONDS = 300


class Reply(NamedTuple):
    """A response; without `data` where the connection ended before it did."""

    status: int
    content_type: str
    headers: Mapping[str, str]
    data: bytes | None


class Connections:
    """Connections to one address, opened at the first request.

    `ca_file` is whom to trust, None for certifi's list.  `proxy` is the URL of a
    proxy.  `follows` is whether a redirect is followed, which may make a GET of
    a POST and send its headers elsewhere.
    """

    def __init__(
        self,
        url: str,
        *,
        ca_file: str | None = None,
        proxy: str | None = None,
        follows: bool = True,
    ) -> None:
        self._url = url
        self._ca_file = ca_file
        self._proxy = proxy
        self._follows = follows
        self._session: aiohttp.ClientSession | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> None:
        """Make the pool of connections; the loop goes on while it is imported."""
        if self._session is None:
            async with self._opening:
                if self._session is None:
                    self._session = await self._pool()

    async def post(self, data: bytes, headers: Mapping[str, str]) -> Reply:
        """Return the response to a request; raises what the HTTP client raises."""
        await self.open()
        assert self._session is not None  # noqa: S101 - open() made it
        async with self._session.post(
            self._url,
            data=data,
            headers=headers,
            proxy=self._proxy,
            allow_redirects=self._follows,
        ) as response:
            try:
                body: bytes | None = await response.read()
            except _aiohttp().ClientPayloadError:
                body = None
            kind = response.content_type if "Content-Type" in response.headers else ""
            return Reply(response.status, kind, response.headers, body)

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _pool(self) -> aiohttp.ClientSession:
        http = await asyncio.to_thread(_aiohttp)
        trusted = None
        if self._url.startswith("https:"):
            trusted = await asyncio.to_thread(_trusted, self._ca_file)
        return _pool(http, trusted)


def good(reply: Reply, source: str = PROVIDER) -> bytes:
    """Return the body of a good response; raises `ModelError` for any other.

    `source` is who answered, in the error's words.
    """
    if reply.status not in _GOOD:
        text = (reply.data or b"").decode(errors="replace")
        now = time.time()
        raise response_error(reply.status, text, reply.headers, now=now, source=source)
    if reply.data is None:
        raise unreadable(ValueError("it breaks off"), source)
    return reply.data


def parsed(reply: Reply, otherwise: str, source: str = PROVIDER) -> Json:
    """Return the JSON of a good response; raises `ModelError` for any other.

    `otherwise` is said of a body that is not, and does not say it is, JSON.
    """
    data = good(reply, source)
    try:
        body: Json = json.loads(data)
    except RecursionError:
        raise ModelError(otherwise) from None
    except ValueError as error:
        if "json" in reply.content_type:
            raise unreadable(error, source) from None
        raise ModelError(otherwise) from None
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

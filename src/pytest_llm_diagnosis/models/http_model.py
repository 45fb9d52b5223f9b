"""A team's application, in any language, asked over HTTP.

What is posted and what may come back is `schema.call_schema`, the contract that
`docs/app.md` tells of.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace

from pytest_llm_diagnosis.errors import ModelError
from pytest_llm_diagnosis.records import (
    Answer,
    Application,
    Json,
    JsonObject,
    Request,
)
from pytest_llm_diagnosis.redaction import Redactor

from .answers import EXPECTED, answer_from, with_shown
from .calls import filled_params
from .connections import Connections, Reply, good
from .provider_errors import model_error, unreadable
from .wires import way_to

_SENT = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/plain;q=0.9",
    "User-Agent": "pytest-llm-diagnosis",
}
_REDIRECTS = range(300, 400)
_SAID = ("text", "tool_calls")


class HttpModel:
    """One URL, to which every request is posted, without retries of any kind.

    `timeout` is seconds for the whole call.  `written` is the URL as its file
    states it, by which errors name it, and `unfilled` are the parameters as they
    stand in a request.
    """

    def __init__(
        self,
        app: Application,
        timeout: float,
        *,
        written: str,
        unfilled: JsonObject,
    ) -> None:
        self._app = app
        self._timeout = timeout
        self._source = written
        self._unfilled = unfilled
        self._headers = {**_SENT, **app.headers}
        # What a file states outright is not among the secrets of the run.
        values = [*app.headers.values(), *" ".join(app.headers.values()).split()]
        self._redactor = Redactor(values)
        way = way_to(app.target)
        self._connections = Connections(
            app.target, ca_file=way.ca_file, proxy=way.proxy, follows=False
        )

    async def answer(self, request: Request) -> Answer:
        """Return what the application answers; raises `ModelError`."""
        body = self._body(request)
        await self._connections.open()
        started = time.perf_counter()
        reply = await self._posted(body)
        seconds = time.perf_counter() - started
        try:
            answer = with_shown(self._read(reply), request)
        except ModelError as error:
            raise self._told(error) from None
        return (
            answer if answer.seconds is not None else replace(answer, seconds=seconds)
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._connections.close()

    def _body(self, request: Request) -> bytes:
        """Return the request as JSON; raises `ModelError` for text that is none."""
        sent: JsonObject = {
            "messages": list(request.messages),
            "tools": list(request.tools),
            "params": filled_params(self._app.params, self._unfilled, request),
            "variant": request.variant,
        }
        try:
            return json.dumps(sent, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ModelError(f"the request is not text: {error}") from error

    async def _posted(self, body: bytes) -> Reply:
        try:
            async with asyncio.timeout(self._timeout) as deadline:
                return await self._connections.post(body, self._headers)
        except Exception as error:
            if deadline.expired():
                late = f"{self._source} did not answer within {self._timeout:g} s"
                raise ModelError(late, retryable=True) from error
            now = time.time()
            told = model_error(error, now=now, source=self._source)
            raise self._told(told) from error

    def _read(self, reply: Reply) -> Answer:
        """Return the answer of a reply: text, or JSON."""
        if reply.status in _REDIRECTS:
            raise self._redirected(reply)
        data = good(reply, self._source)
        if reply.content_type == "text/plain":
            return Answer(text=self._decoded(data))
        if not reply.content_type.endswith(("/json", "+json")):
            kind = reply.content_type or "no type"
            raise ModelError(
                f"{self._source} answered with {kind}: {_beginning(data)}; "
                "expected application/json or text/plain"
            )
        try:
            body: Json = json.loads(data)
        except RecursionError:
            raise ModelError(f"{self._source} answered with JSON too deep") from None
        except ValueError as error:
            raise unreadable(error, self._source) from None
        return self._answer(body)

    def _answer(self, body: Json) -> Answer:
        if isinstance(body, dict) and body and not any(key in body for key in _SAID):
            listed = ", ".join(map(repr, body))
            raise ModelError(
                f"{self._source} returned an object without 'text' or 'tool_calls', "
                f"with {listed[:200]}; expected {EXPECTED}"
            )
        try:
            return answer_from(body, self._source)
        except ModelError as error:
            raise error.saying(f"{error.message}; expected {EXPECTED}") from None

    def _decoded(self, data: bytes) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            said = f"{self._source} answered with text that is not UTF-8: {error}"
            raise ModelError(said) from None

    def _redirected(self, reply: Reply) -> ModelError:
        where = reply.headers.get("Location", "elsewhere")
        said = f"{self._source} redirects to {where[:200]} (HTTP {reply.status})"
        return ModelError(f"{said}; write that URL", status=reply.status)

    def _told(self, error: ModelError) -> ModelError:
        """Return the error with its source, and without what the headers hold."""
        message = self._redactor.text(error.message)
        if self._source not in message:
            message = f"{self._source}: {message}"
        return error.saying(message)


def _beginning(data: bytes) -> str:
    text = " ".join(data[:400].decode(errors="replace").split())
    return repr(text if len(text) <= 80 else f"{text[:80]}...")  # noqa: PLR2004 - a line

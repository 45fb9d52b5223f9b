"""An OpenAI-compatible chat server on loopback that can misbehave.

    with ModelServer(lambda request: "45 days") as server:
        ask(server.url)
    assert server.served == 1

A script turns a request into a reply: text, or a `Reply` from the functions
below (`status`, `reset`, `half_body`, ...).  Faults are spread over the
requests by `share`, the same ones in each run.  HTTP is spoken by hand because
a framework would not let a reply go wrong half-way.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

Ending: TypeAlias = Literal["complete", "reset", "half", "stall"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A request as it came in; `number` counts from 0 over the server's life."""

    number: int
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def prompt(self) -> str:
        """The text of the last message."""
        return str(self.body["messages"][-1]["content"])

    @property
    def identity(self) -> str:
        """The same text for requests with the same body."""
        return json.dumps(self.body, sort_keys=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What goes back: after `delay` seconds, whole or ended in some bad way."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    ending: Ending = "complete"

    @property
    def paid(self) -> bool:
        """Whether a provider would have charged for it."""
        return self.status == 200 and self.ending == "complete"


Script: TypeAlias = Callable[[Served], "Reply | str"]


def answered(
    text: str | None,
    *,
    tool_calls: Sequence[Mapping[str, Any]] = (),
    finish_reason: str | None = "stop",
    usage: Mapping[str, Any] | None = None,
    delay: float = 0.0,
) -> Reply:
    """Return a good reply; `tool_calls` hold `name` and `arguments` as text."""
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if tool_calls:
        message["tool_calls"] = [
            {"id": f"call_{number}", "type": "function", "function": dict(call)}
            for number, call in enumerate(tool_calls)
        ]
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return completion([choice], usage=usage, delay=delay)


def completion(
    choices: Sequence[Mapping[str, Any]],
    *,
    usage: Mapping[str, Any] | None = None,
    delay: float = 0.0,
) -> Reply:
    """Return a reply with the given choices, which may be none."""
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "test",
        "choices": choices,
        "usage": usage
        or {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }
    return Reply(body=json.dumps(body).encode(), delay=delay)


def status(
    code: int,
    message: str,
    *,
    kind: str | None = None,
    error_code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Return an error as OpenAI words it."""
    error = {"message": message, "type": kind, "param": None, "code": error_code}
    return Reply(
        body=json.dumps({"error": error}).encode(), status=code, headers=headers or {}
    )


def too_many(retry_after: str | None = None) -> Reply:
    """Return a 429 whose Retry-After is seconds or a date, as given."""
    headers = {} if retry_after is None else {"retry-after": retry_after}
    return status(429, "Rate limit reached", kind="requests", headers=headers)


def quota_spent() -> Reply:
    """Return the 429 that waiting does not heal."""
    return status(
        429,
        "You exceeded your current quota, please check your plan",
        kind="insufficient_quota",
        error_code="insufficient_quota",
    )


def http_date(timestamp: float) -> str:
    """Return a time as HTTP writes it."""
    return formatdate(timestamp, usegmt=True)


def raw(body: bytes, *, content_type: str = "application/json") -> Reply:
    """Return a 200 with any bytes as its body."""
    return Reply(body=body, headers={"content-type": content_type})


def ended(ending: Ending) -> Reply:
    """Return a good reply that is reset, cut off half-way or stalls there."""
    good = answered("never seen in full")
    return Reply(body=good.body, ending=ending)


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Replies that take the place of a share of the good ones.

    Which requests are hit depends on `seed` and the request's number alone;
    several replies take turns.
    """

    share: float
    replies: Sequence[Reply]
    seed: int = 7

    def hit(self, number: int) -> Reply | None:
        """Return the fault of a request, if it has one."""
        digest = hashlib.sha256(f"{self.seed}:{number}".encode()).digest()
        if int.from_bytes(digest[:4]) / 2**32 >= self.share:
            return None
        return self.replies[digest[4] % len(self.replies)]


class ModelServer:
    """The server, running in a thread of its own between `with` and its end.

    `latency` is waited before each reply.  `rate_limit` is requests a second;
    a request above it gets a 429 with Retry-After.  `requests` lists what came
    in and `paid` counts the good replies that went out, by request body.
    """

    def __init__(
        self,
        script: Script = lambda _request: "ok",
        *,
        latency: float = 0.0,
        faults: Faults | None = None,
        rate_limit: int | None = None,
    ) -> None:
        self.script = script
        self.requests: list[Served] = []
        self.paid: Counter[str] = Counter()
        self.in_flight = 0
        self.most_in_flight = 0
        self.url = ""
        self._latency = latency
        self._faults = faults
        self._rate_limit = rate_limit
        self._window: tuple[int, int] = (0, 0)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="model-server")
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(timeout=10):
            raise RuntimeError("the model server did not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=10)

    @property
    def served(self) -> int:
        """How many requests came in."""
        return len(self.requests)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        self._ready.set()
        await self._stop.wait()
        server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        try:
            while (request := await self._read(reader)) is not None:
                if not await self._reply(request, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or the server is being stopped
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Served | None:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").rstrip().split("\r\n")
        pairs = (line.split(":", 1) for line in lines)
        headers = {name.lower(): value.strip() for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        request = Served(
            number=len(self.requests),
            path=first.split()[1],
            headers=headers,
            body=json.loads(body or b"{}"),
        )
        self.requests.append(request)
        return request

    async def _reply(self, request: Served, writer: asyncio.StreamWriter) -> bool:
        """Send the reply; return whether the connection can serve another."""
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            reply = self._choose(request)
            await asyncio.sleep(self._latency + reply.delay)
            if reply.paid:
                self.paid[request.identity] += 1
            return await _send(reply, writer)
        finally:
            self.in_flight -= 1

    def _choose(self, request: Served) -> Reply:
        if self._over_rate():
            return too_many(retry_after="1")
        fault = self._faults.hit(request.number) if self._faults else None
        if fault is not None:
            return fault
        reply = self.script(request)
        return answered(reply) if isinstance(reply, str) else reply

    def _over_rate(self) -> bool:
        if self._rate_limit is None:
            return False
        second = int(self._loop.time())
        begun, count = self._window
        count = count + 1 if second == begun else 1
        self._window = (second, count)
        return count > self._rate_limit


async def _send(reply: Reply, writer: asyncio.StreamWriter) -> bool:
    if reply.ending == "reset":
        writer.transport.abort()
        return False
    headers = {
        "content-type": "application/json",
        **reply.headers,
        "content-length": str(len(reply.body)),
    }
    lines = [f"HTTP/1.1 {reply.status} -", *map(": ".join, headers.items()), "", ""]
    whole = reply.ending == "complete"
    body = reply.body if whole else reply.body[: len(reply.body) // 2]
    writer.write("\r\n".join(lines).encode("latin-1") + body)
    await writer.drain()
    if reply.ending == "stall":
        await asyncio.sleep(600)
    return whole

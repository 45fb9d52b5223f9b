"""An OpenAI-compatible chat server that costs little and can misbehave.

    python -m benchmarks.peers.server

It prints its port and serves until its standard input ends.  It speaks HTTP
straight from the socket, because on two cores a framework would take the time
that the measured clients need.  `POST /admin/behave` sets a `Behaviour` and
forgets the counts; `GET /admin/tally` returns them.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sys
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import NamedTuple

from .work import LATENCY, answer_of

_ITEM = re.compile(rb"item (\d+)")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect: *100-continue", re.IGNORECASE)
_ERRORS = {
    400: "Streams are not served here",
    404: "There is nothing here",
    429: "Rate limit reached",
    500: "The server had an error",
}
_COMPLETION = json.dumps(
    {
        "id": "chatcmpl-ITEM",
        "object": "chat.completion",
        "created": 1,
        "model": "mock",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "ANSWER"},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 12, "completion_tokens": 9, "total_tokens": 21},
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How the server treats requests.

    `errors` is the share of them that ends in a 500; which ones depends on
    `seed` and on the request's number alone.  `limit` is how many are accepted
    within any `window` of seconds, 0 for all; one above it is turned away at once
    with a 429 and `Retry-After: 1`.
    """

    latency: float = LATENCY
    errors: float = 0.0
    limit: int = 0
    window: float = 1.0
    seed: int = 7

    def fails(self, number: int) -> bool:
        """Say whether a request ends in a 500."""
        digest = hashlib.sha256(f"{self.seed}:{number}".encode()).digest()
        return int.from_bytes(digest[:4]) < self.errors * 2**32


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What the server saw since it was told how to behave.

    `answered` counts complete answers to clients that were still there, and
    `abandoned` those whose client had gone: a provider charges for both.
    `twice` is how many of them were for a prompt that already had one.
    `cpu_seconds` is the server's own.
    """

    received: int
    answered: int
    abandoned: int
    twice: int
    failed: int
    limited: int
    refused: int
    most_in_flight: int
    cpu_seconds: float


class State:
    """What one behaviour has led to so far."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.counts: Counter[str] = Counter()
        self.paid: Counter[bytes] = Counter()
        self.in_flight = 0
        self.most_in_flight = 0
        self._accepted: deque[float] = deque()
        self._cpu_before = time.process_time()

    def admit(self, now: float) -> bool:
        """Say whether a request at this moment is within the limit, and count it."""
        limit = self.behaviour.limit
        if not limit:
            return True
        window = self.behaviour.window
        while self._accepted and self._accepted[0] <= now - window:
            self._accepted.popleft()
        if len(self._accepted) >= limit:
            return False
        self._accepted.append(now)
        return True

    def tally(self) -> Tally:
        """Return the counts."""
        return Tally(
            received=self.counts["received"],
            answered=self.counts["answered"],
            abandoned=self.counts["abandoned"],
            twice=sum(self.paid.values()) - len(self.paid),
            failed=self.counts["failed"],
            limited=self.counts["limited"],
            refused=self.counts["refused"],
            most_in_flight=self.most_in_flight,
            cpu_seconds=time.process_time() - self._cpu_before,
        )


class Heard(NamedTuple):
    """A whole request."""

    line: bytes
    body: bytes


class Desk:
    """What all connections share: the state, which `behave` starts anew."""

    def __init__(self) -> None:
        self.state = State(Behaviour())

    def behave(self, wish: bytes) -> None:
        """Start anew with a behaviour given as JSON."""
        self.state = State(Behaviour(**json.loads(wish)))


class Connection(asyncio.Protocol):
    """One connection, which serves one request after the other."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._buffer = b""
        self._busy = False
        self._closes = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the transport."""
        del exc
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Collect until a request is whole."""
        self._buffer += data
        self._next()

    def _next(self) -> None:
        if self._busy or (heard := self._take()) is None:
            return
        self._busy = True
        if heard.line.startswith(b"POST") and b"/chat/completions" in heard.line:
            self._chat(heard)
        elif heard.line.startswith(b"POST /admin/behave"):
            self._desk.behave(heard.body)
            self._reply(200, "{}")
        elif heard.line.startswith(b"GET /admin/tally"):
            self._reply(200, json.dumps(asdict(self._desk.state.tally())))
        else:
            self._reply(404, _error(404))

    def _take(self) -> Heard | None:
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        match = _LENGTH.search(head)
        length = int(match[1]) if match else 0
        if len(rest) < length:
            if _EXPECT.search(head) and self._transport and not rest:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return None
        self._buffer = rest[length:]
        self._closes = bool(_CLOSE.search(head))
        return Heard(head[: head.find(b"\r\n")], rest[:length])

    def _chat(self, heard: Heard) -> None:
        state = self._desk.state
        number = state.counts["received"]
        state.counts["received"] += 1
        items = _ITEM.findall(heard.body)
        if not items or b'"stream":true' in heard.body.replace(b" ", b""):
            state.counts["refused"] += 1
            self._reply(400, _error(400))
            return
        loop = asyncio.get_running_loop()
        if not state.admit(loop.time()):
            state.counts["limited"] += 1
            self._reply(429, _error(429))
            return
        state.in_flight += 1
        state.most_in_flight = max(state.most_in_flight, state.in_flight)
        loop.call_later(
            state.behaviour.latency,
            self._finish,
            state,
            number,
            items[-1],
        )

    def _finish(self, state: State, number: int, item: bytes) -> None:
        state.in_flight -= 1
        if state.behaviour.fails(number):
            state.counts["failed"] += 1
            self._reply(500, _error(500))
            return
        state.paid[item] += 1
        state.counts["answered" if self._transport else "abandoned"] += 1
        self._reply(200, _completion(item.decode()))

    def _reply(self, status: int, body: str) -> None:
        self._busy = False
        if self._transport is None:
            return
        self._transport.write(_response(status, body))
        if self._closes:
            self._transport.close()
        else:
            self._next()


def _completion(item: str) -> str:
    answer = answer_of(int(item))
    return _COMPLETION.replace("ANSWER", answer, 1).replace("ITEM", item, 1)


def _error(status: int) -> str:
    kind = {429: "requests", 500: "server_error"}.get(status, "invalid_request_error")
    return json.dumps(
        {"error": {"message": _ERRORS[status], "type": kind, "param": None}}
    )


def _response(status: int, body: str) -> bytes:
    limited = status == HTTPStatus.TOO_MANY_REQUESTS
    wait = "retry-after: 1\r\n" if limited else ""
    return (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        "content-type: application/json\r\n"
        f"{wait}content-length: {len(body)}\r\n\r\n{body}"
    ).encode("ascii")


async def serve() -> None:
    """Serve on a free port of loopback until standard input ends."""
    loop = asyncio.get_running_loop()
    desk = Desk()
    server = await loop.create_server(
        lambda: Connection(desk), "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())

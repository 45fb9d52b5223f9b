"""A JSON server on loopback, whose answers a function gives.

with JsonServer(lambda request: (200, {"ok": True})) as server:
    ask(server.url)
assert server.requests[0].path == "/ok"
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit


class Asked(NamedTuple):
    """A request: `query` holds the parameters of its address, `body` its JSON."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: Any


Replier: TypeAlias = Callable[[Asked], tuple[int, object]]


class JsonServer:
    """The server, running in a thread of its own between `with` and its end."""

    def __init__(self, reply: Replier) -> None:
        self.requests: list[Asked] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # In one piece: a second one would wait 40 ms for an acknowledgement.
            wbufsize = -1

            def handle_any(self) -> None:
                length = int(self.headers.get("content-length", 0))
                parts = urlsplit(self.path)
                asked = Asked(
                    method=self.command,
                    path=unquote(parts.path),
                    query=parse_qs(parts.query),
                    headers={k.lower(): v for k, v in self.headers.items()},
                    body=json.loads(self.rfile.read(length) or b"null"),
                )
                server.requests.append(asked)
                status, told = reply(asked)
                body = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815

            def log_message(self, *_args: object) -> None:
                """Print nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._thread.join(timeout=10)
        self._http.server_close()

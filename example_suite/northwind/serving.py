"""The web service, run in a thread of the process that asks it.

Its port is taken before anything is read that names its URL, and nobody else can
have it; with NORTHWIND_URL already set nothing is served: calls go there.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uvicorn

URL = "NORTHWIND_URL"
OWN = "NORTHWIND_OWN"
START_SECONDS = 30
STOP_SECONDS = 10


@dataclass(slots=True, kw_only=True)
class Service:
    """The web service of one process; it starts with the first call."""

    listening: socket.socket
    _server: uvicorn.Server | None = None
    _thread: threading.Thread | None = None
    _starting: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def planned(cls) -> Service | None:
        """Return a service on a free port, announced; None if the user brings one.

        A worker of xdist inherits its controller's URL and serves its own.
        """
        if URL in os.environ and OWN not in os.environ:
            return None
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        os.environ[URL] = f"http://127.0.0.1:{listening.getsockname()[1]}"
        os.environ[OWN] = str(os.getpid())
        return cls(listening=listening)

    def start(self) -> None:
        """Serve, and return when it does; raises `RuntimeError` if it does not."""
        with self._starting:
            if self._server is None:
                self._server, self._thread = self._started()

    def stop(self) -> None:
        """End the service, if it was started, and forget its URL."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(STOP_SECONDS)
        self.listening.close()
        for name in (URL, OWN):
            os.environ.pop(name, None)

    def _started(self) -> tuple[uvicorn.Server, threading.Thread]:
        import uvicorn

        from .api import app

        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(
            target=server.run, args=([self.listening],), name="northwind", daemon=True
        )
        thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("Northwind's web service did not start")
            time.sleep(0.02)
        return server, thread

"""The mock server from outside: start it, tell it how to behave, read its counts."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from .server import Behaviour, Tally

ROOT = Path(__file__).parents[2]
"""The checkout, from where `benchmarks` can be imported."""


class MockServer(NamedTuple):
    """A running mock server."""

    port: int

    @property
    def url(self) -> str:
        """The base of the API."""
        return f"http://127.0.0.1:{self.port}/v1"

    def behave(self, behaviour: Behaviour) -> None:
        """Set the behaviour and forget the counts."""
        self._ask("POST", "/admin/behave", json.dumps(asdict(behaviour)))

    def tally(self) -> Tally:
        """Return the counts since the last `behave`."""
        return Tally(**json.loads(self._ask("GET", "/admin/tally")))

    def _ask(self, method: str, path: str, body: str | None = None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body)
            return connection.getresponse().read()
        finally:
            connection.close()


@contextmanager
def mock_server() -> Iterator[MockServer]:
    """Run the mock server in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.peers.server"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield MockServer(int(process.stdout.readline()))
        finally:
            process.stdin.close()
            process.wait(timeout=10)

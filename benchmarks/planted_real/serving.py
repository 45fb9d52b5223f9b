"""One server for each model, as the example suite serves its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from .suite_files import url_name
from .teaching import ROOT

SERVER = ROOT / "example_suite" / "server.py"
_STOP_SECONDS = 10


@contextlib.contextmanager
def served(adapters: Mapping[str, Path | None]) -> Iterator[dict[str, str]]:
    """Serve each model with its adapter; yields the environment that names them."""
    with contextlib.ExitStack() as stack:
        yield {
            url_name(model): stack.enter_context(_server(adapter))
            for model, adapter in adapters.items()
        }


@contextlib.contextmanager
def _server(adapter: Path | None) -> Iterator[str]:
    command = [sys.executable, str(SERVER), "--parent", str(os.getpid())]
    command += ["--adapter", str(adapter)] if adapter else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline().split()
            assert ready[:1] == ["ready:"], f"no server for {adapter}"
            yield ready[1]
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)

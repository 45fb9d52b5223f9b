"""The one live line that shows, on a terminal, what a wait is waiting for."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import Future, wait
from typing import TypeVar

import pytest

from pytest_llm_diagnosis.engine import Counts
from pytest_llm_diagnosis.report.terminal import Plan, live_text, plan_line

_T = TypeVar("_T")

QUIET = 0.5
"""Seconds a wait may last before the line appears."""

REFRESH = 0.2
"""Seconds between two states of the line."""


def show_plan(config: pytest.Config, plan: Plan) -> None:
    """Show what is planned, before the first call."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and plan.calls and config.get_verbosity() >= 0:
        reporter.write_line(plan_line(plan))


class LiveLine:
    """Writes over itself and is gone when the wait ends; silent off a terminal."""

    def __init__(self, config: pytest.Config, counts: Counts) -> None:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        self._reporter: pytest.TerminalReporter | None = reporter
        self._counts = counts
        self._writer = getattr(reporter, "_tw", None)
        self._shown = bool(
            self._writer
            and self._writer.hasmarkup
            and getattr(reporter, "isatty", False)
            and config.get_verbosity() >= 0
        )

    def wait_for(self, future: Future[_T]) -> None:
        """Wait until the future is done; what came of it stays in it."""
        try:
            if self._shown and not wait([future], timeout=QUIET).done:
                self._watch(future)
            wait([future])
        except KeyboardInterrupt as error:
            # CPython 3.11 may leave a frame of the wait without a line number,
            # on which pytest's report of the interrupt fails; seen 1 time in 40.
            raise KeyboardInterrupt(*error.args) from None

    def _watch(self, future: Future[_T]) -> None:
        began = time.monotonic()
        if self._reporter is not None:
            # The line of dots that pytest has begun must not be overwritten.
            self._reporter.ensure_newline()
        try:
            while not wait([future], timeout=REFRESH).done:
                text = live_text(self._counts, time.monotonic() - began)
                self._write(text)
        finally:
            self._write("")

    def _write(self, text: str) -> None:
        if self._writer is None:
            return
        width = self._writer.fullwidth - 1
        # A line that the terminal cannot encode is not worth an error.
        with contextlib.suppress(UnicodeError):
            self._writer.write(f"\r\x1b[2K{text[:width]}", flush=True)

"""What a wait is waiting for: a live line on a terminal, elsewhere a line at times."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Protocol, TypeVar, cast

import pytest

from pytest_llm_diagnosis.engine import Counts
from pytest_llm_diagnosis.report.progress import Progress, progress_text
from pytest_llm_diagnosis.report.terminal import Plan, plan_line

_T = TypeVar("_T")

QUIET = 0.5
"""Seconds a wait may last before the live line appears."""

REFRESH = 0.2
"""Seconds between two states of the live line."""

TOLD = 1.0
"""Seconds between two words of a worker to its controller."""

SPACED = 30.0
"""Seconds between two plain lines, and before the first."""


def show_plan(config: pytest.Config, plan: Plan) -> None:
    """Show what is planned, before the first call."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and plan.calls and config.get_verbosity() >= 0:
        reporter.write_line(plan_line(plan))


class Display(Protocol):
    """Shows progress; times are those of a monotonic clock, in seconds."""

    def pause(self, now: float) -> float | None:
        """Return after how long to show something; None is never."""

    def show(self, progress: Progress, now: float) -> None:
        """Show the state of a wait that still lasts."""

    def end(self) -> None:
        """Take away what the end of a wait makes untrue."""


class Silence:
    """Shows nothing: with `-q`, and where there is no terminal reporter."""

    def pause(self, now: float) -> None:
        """Never."""

    def show(self, progress: Progress, now: float) -> None:
        """Show nothing."""

    def end(self) -> None:
        """Nothing is there."""


def leave_line(reporter: pytest.TerminalReporter) -> None:
    """Go on in a new line if one was begun; of xdist's dots pytest knows nothing."""
    reporter.ensure_newline()
    writer = reporter._tw  # noqa: SLF001 - a line without its end has no public way
    if writer.width_of_current_line:
        writer.line()


class LiveLine:
    """Writes over itself and is gone when the wait ends."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self._reporter = reporter
        self._writer = reporter._tw  # noqa: SLF001 - a line without its end has no public way
        self._shown = False

    def pause(self, now: float) -> float | None:
        """Soon after a wait began, then often."""
        del now
        return REFRESH if self._shown else QUIET

    def show(self, progress: Progress, now: float) -> None:
        """Write over the last state."""
        del now
        if not self._shown:
            # The line of dots that pytest has begun must not be overwritten.
            leave_line(self._reporter)
        self._shown = True
        self._write(progress_text(progress))

    def end(self) -> None:
        """Take the line away."""
        if self._shown:
            self._write("")
        self._shown = False

    def _write(self, text: str) -> None:
        width = self._writer.fullwidth - 1
        # A line that the terminal cannot encode is not worth an error.
        with contextlib.suppress(UnicodeError):
            self._writer.write(f"\r\x1b[2K{text[:width]}", flush=True)
        # A controller goes on in the line that we clear: ours has no width.
        self._writer._current_line = ""  # noqa: SLF001 - what its width is taken of


class SpacedLines:
    """Writes a line at times, for logs; a short run has none."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self._reporter = reporter
        self._due: float | None = None

    def pause(self, now: float) -> float | None:
        """When the next line is due, whichever wait that falls into."""
        if self._due is None:
            self._due = now + SPACED
        return max(0.0, self._due - now)

    def show(self, progress: Progress, now: float) -> None:
        """Write a line, and plan the next."""
        leave_line(self._reporter)
        self._reporter.write_line(progress_text(progress))
        self._due = now + SPACED

    def end(self) -> None:
        """Leave the lines."""


class Telling:
    """A worker's: tells its controller, which shows one line for all."""

    def __init__(self, tell: Callable[[Counts], None]) -> None:
        self._tell = tell
        self._due = 0.0

    def pause(self, now: float) -> float | None:
        """When the controller is to know again."""
        return max(0.0, self._due - now)

    def show(self, progress: Progress, now: float) -> None:
        """Tell, and plan to do so again."""
        self._tell(progress.counts)
        self._due = now + TOLD

    def end(self) -> None:
        """Leave what was told."""


def display_of(config: pytest.Config) -> Display:
    """Return how this process shows progress."""
    reporter: pytest.TerminalReporter | None = config.pluginmanager.get_plugin(
        "terminalreporter"
    )
    if reporter is None or config.get_verbosity() < 0:
        return Silence()
    on_terminal = reporter.isatty and reporter.hasmarkup
    return SpacedLines(reporter) if _in_ci() or not on_terminal else LiveLine(reporter)


def _in_ci() -> bool:
    # The variables by which pytest itself knows.
    return any(os.environ.get(name) for name in ("CI", "BUILD_NUMBER"))


def _is_done(future: Future[object], timeout: float | None) -> bool:
    return bool(wait([future], timeout=timeout).done)


class Waiting:
    """Waits for answers, and shows meanwhile how far the run is.

    `is_done` waits for a future, for so many seconds at most; `clock` counts them.
    """

    def __init__(
        self,
        display: Display,
        counts: Counts,
        *,
        clock: Callable[[], float] = time.monotonic,
        is_done: Callable[[Future[object], float | None], bool] = _is_done,
    ) -> None:
        self._display = display
        self._counts = counts
        self._clock = clock
        self._is_done = is_done
        self._plan = Plan(calls=0, stored=0, probes=0)
        self._began = clock()

    def begin(self, plan: Plan) -> None:
        """Know what is planned; calls begin now."""
        self._plan = plan
        self._began = self._clock()

    def wait_for(self, future: Future[_T]) -> None:
        """Wait until the future is done; what came of it stays in it."""
        try:
            waited_for = cast("Future[object]", future)
            while not self._is_done(waited_for, self._display.pause(self._clock())):
                self._show()
            # Many waits, each of them short, are a long run too.
            if self._display.pause(self._clock()) == 0:
                self._show()
        except KeyboardInterrupt as error:
            # CPython 3.11 may leave a frame of the wait without a line number,
            # on which pytest's report of the interrupt fails; seen 1 time in 40.
            raise KeyboardInterrupt(*error.args) from None
        finally:
            self._display.end()

    def _show(self) -> None:
        now = self._clock()
        progress = Progress(
            plan=self._plan, counts=self._counts, seconds=now - self._began
        )
        self._display.show(progress, now)

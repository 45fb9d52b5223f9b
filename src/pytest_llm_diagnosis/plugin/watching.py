"""How far the workers of a run are, shown by their controller on one line.

The controller only wakes up when xdist hands it a result, which may take long, so
a thread looks at the time.  It keeps still while pytest writes.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

import pytest

from pytest_llm_diagnosis.engine import Counts
from pytest_llm_diagnosis.report.progress import Progress
from pytest_llm_diagnosis.report.terminal import Plan

from .live import Display, display_of

if TYPE_CHECKING:
    from .links import Links

_SOONEST = 0.05
"""Seconds that the thread sleeps at least."""


class Watching:
    """Shows what the workers have told; a plugin, so that it sees pytest write.

    `counts` sums up what they have done and `clock` counts seconds.
    """

    def __init__(
        self,
        display: Display,
        plan: Plan,
        counts: Callable[[], Counts],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._display = display
        self._plan = plan
        self._counts = counts
        self._clock = clock
        self._began = clock()
        self._due: float | None = None
        # Hooks may call hooks.
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=self._watch, name="llm-watch", daemon=True
        )

    @classmethod
    def of(cls, config: pytest.Config, plan: Plan, links: Links) -> Watching:
        """Return the watching of a run that begins now."""
        watching = cls(display_of(config), plan, lambda: links.counts)
        if config.pluginmanager.register(watching, "llm-watching"):
            watching.start()
        return watching

    def start(self) -> None:
        """Look from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more, and take away what the end makes untrue."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        self._display.end()

    def look(self) -> float | None:
        """Show how far the run is if that is due; return when to look again."""
        with self._lock:
            now = self._clock()
            if self._due is not None and now >= self._due:
                seconds = now - self._began
                counts = self._counts()
                progress = Progress(plan=self._plan, counts=counts, seconds=seconds)
                self._display.show(progress, now)
            elif self._due is not None:
                return self._due - now
            return self._plan_next(now)

    @contextlib.contextmanager
    def still(self) -> Iterator[None]:
        """Keep still while somebody else writes."""
        with self._lock:
            self._display.end()
            yield
            self._plan_next(self._clock())

    def _plan_next(self, now: float) -> float | None:
        pause = self._display.pause(now)
        self._due = None if pause is None else now + pause
        return pause

    def _watch(self) -> None:
        pause = self.look()
        while pause is not None and not self._stopped.wait(max(_SOONEST, pause)):
            pause = self.look()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logstart(self) -> Generator[None, None, None]:
        """Keep still while a test is announced."""
        with self.still():
            yield

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self) -> Generator[None, None, None]:
        """Keep still while a result is written."""
        with self.still():
            yield

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logfinish(self) -> Generator[None, None, None]:
        """Keep still while progress is written."""
        with self.still():
            yield

    @pytest.hookimpl(wrapper=True, tryfirst=True, optionalhook=True)
    def pytest_testnodedown(self) -> Generator[None, None, None]:
        """Keep still while the end of a worker is written."""
        with self.still():
            yield

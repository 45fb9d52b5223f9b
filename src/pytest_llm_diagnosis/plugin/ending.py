"""SIGTERM from the first item to the summary."""

from __future__ import annotations

import signal
from contextlib import ExitStack

from .signals import ending_on_sigterm


class Ending:
    """One SIGTERM ends the tests; a second one does not cut their end short.

    That end is bounded: calls in flight get a grace, then the summary is written.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._is_ours = False

    def begin(self) -> None:
        """Let SIGTERM end the tests; nothing changes where it already does."""
        before = signal.getsignal(signal.SIGTERM)
        self._stack.enter_context(ending_on_sigterm())
        self._is_ours |= signal.getsignal(signal.SIGTERM) is not before

    def finish(self) -> None:
        """Pass over SIGTERM from now on: the tests are over."""
        if self._is_ours:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def close(self) -> None:
        """Leave SIGTERM as it was before."""
        self._stack.close()
        self._is_ours = False

"""An end that was asked for politely: SIGTERM stops a run as Ctrl-C does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def ending_on_sigterm() -> Iterator[None]:
    """Turn SIGTERM into an interrupt, so that what was paid for is kept and told.

    Without it the process dies at once: its answers are in the store, but calls in
    flight are paid in vain and no summary says what the run covers.  A handler of
    somebody else is left alone, and so are threads, which may set none.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end(_number: int, _frame: FrameType | None) -> None:
    # Not `pytest.exit`: its exception is an Exception, and whoever runs just then
    # (a check, a fixture) may take it for a failure of its own and go on.
    raise KeyboardInterrupt("terminated by SIGTERM")

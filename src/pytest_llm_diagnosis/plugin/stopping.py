"""The end of an xdist worker's items once its controller has stopped the calls."""

from __future__ import annotations

import pytest

from .items import EvalItem
from .links import Link
from .python_tests import parameters_of
from .running import Running


class Stopped:
    """Passes over the items that xdist still runs and that have no answer.

    Registered beside the session, whose own hook waits for the answers.
    """

    def __init__(self, link: Link, running: Running) -> None:
        self._link = link
        self._running = running

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Run nothing of an item whose answers will not come."""
        return True if self._link.halted and self._lacks_answers(item) else None

    def _lacks_answers(self, item: pytest.Item) -> bool:
        if isinstance(item, EvalItem):
            return self._running.was_stopped(item)
        return "llm" in parameters_of(item)

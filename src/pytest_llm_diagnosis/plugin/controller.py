"""xdist's controller: it collects nothing, so results of workers wake us up."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import cast

import pytest

from . import RESULT, SESSION, SUFFIX, eval_session
from .distribution import describe_run
from .links import Links, Node


class Controller:
    """Registered in every run of xdist; it does nothing where there are no evals."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._links = Links(getattr(config, "cache", None))
        self._failures = 0
        self._announced = False

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: object) -> None:
        """Tell a worker which run it belongs to, and how to reach us."""
        describe_run(node)
        self._links.connect(cast("Node", node))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(
        self, node: object, ids: Sequence[str]
    ) -> None:
        """Show what the first worker plans, then let all of them begin."""
        if self._announced or self._only_shows:
            return
        if any(f"{SUFFIX}::" in nodeid for nodeid in ids):
            plan = self._links.plan_of(cast("Node", node))
            if plan is not None:
                from .live import show_plan

                self._end_status_line()
                show_plan(self._config, plan)
        self._announced = True
        self._links.begin()

    def _end_status_line(self) -> None:
        """Leave the line in which xdist, on a terminal, counts its workers."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and getattr(reporter, "isatty", False):
            reporter.write_line("")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Let go of the store, once xdist has ended its workers."""
        self._links.close()

    @property
    def _only_shows(self) -> bool:
        option = self._config.option
        return bool(option.collectonly or option.setuponly)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, error: object) -> None:
        """Let nobody wait for a plan, where a worker ended that might have told it."""
        if error:
            self._links.begin()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Say in the report that a run did not come to its end."""
        try:
            return (yield)
        except BaseException:
            self._links.halt()
            if SESSION in self._config.stash:
                eval_session(self._config).gathered.interrupted = True
            raise

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Bring in the session at the first eval result, and show it that one."""
        self._count(report)
        asleep = SESSION not in self._config.stash
        if asleep and any(name == RESULT for name, _ in report.user_properties):
            eval_session(self._config).pytest_runtest_logreport(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count it if it failed."""
        self._count(report)

    def _count(self, report: pytest.CollectReport | pytest.TestReport) -> None:
        """Stop the workers' calls where xdist is about to stop their tests."""
        self._failures += report.failed
        most = self._config.getoption("maxfail")
        if report.failed and most and self._failures >= most:
            self._links.halt()

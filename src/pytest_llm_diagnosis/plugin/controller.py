"""xdist's controller: it collects nothing, so results of workers wake us up."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

import pytest

from . import RESULT, SESSION, SUFFIX, eval_session
from .distribution import describe_run, has_told, owner_of
from .ending import Ending
from .links import Links, Node

if TYPE_CHECKING:
    from .watching import Watching


class Controller:
    """Registered in every run of xdist; it does nothing where there are no evals."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._links = Links(getattr(config, "cache", None))
        self._failures = 0
        self._announced = False
        self._has_evals = False
        self._ending = Ending()
        self._unheard: dict[Node, bool] = {}
        self._watching: Watching | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Node) -> None:
        """Tell a worker which run it belongs to, and how to reach us."""
        describe_run(node)
        self._unheard[node] = False
        self._links.connect(node)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(
        self, node: Node, ids: Sequence[str]
    ) -> None:
        """Show what the first worker plans, then let all of them begin."""
        self._unheard[node] = True
        if self._announced or self._only_shows:
            return
        if any(f"{SUFFIX}::" in nodeid for nodeid in ids):
            self._has_evals = True
            self._ending.begin()
            plan = self._links.plan_of(node)
            if plan is not None:
                from .live import show_plan
                from .watching import Watching

                self._end_status_line()
                show_plan(self._config, plan)
                self._watching = Watching.of(self._config, plan, self._links)
        self._announced = True
        self._links.begin()

    def _end_status_line(self) -> None:
        """Leave the line in which xdist, on a terminal, counts its workers."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and getattr(reporter, "isatty", False):
            reporter.write_line("")

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(
        self, session: pytest.Session
    ) -> Generator[None, object, object]:
        """Report, once xdist has ended its workers.

        After an interrupt xdist tells nobody of their end.
        """
        self._ending.finish()
        try:
            outcome = yield
            for node in list(self._unheard):
                self._hear_last_of(node)
            if SESSION in self._config.stash and not self._only_shows:
                eval_session(self._config).write_reports(session)
        finally:
            self._links.close()
        return outcome

    def pytest_unconfigure(self) -> None:
        """Let SIGTERM be what it was, once the summary is written."""
        self._ending.close()

    @property
    def _only_shows(self) -> bool:
        option = self._config.option
        return bool(option.collectonly or option.setuponly)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Node, error: object) -> None:
        """Take what a worker knows, and let nobody wait for what it might have told."""
        if error:
            self._links.begin()
            self._release_claims_of(node)
        self._hear_last_of(node)

    def _release_claims_of(self, node: Node) -> None:
        """Let nobody wait for the answers of a worker that was killed."""
        owner = owner_of(node)
        if owner is not None and self._is_awake:
            self._links.release(owner)

    @property
    def _is_awake(self) -> bool:
        """Whether some worker is known to have evals."""
        return SESSION in self._config.stash or self._has_evals

    def _hear_last_of(self, node: Node) -> None:
        """Take what a worker knows; xdist may tell of its end twice, or never."""
        collected = self._unheard.pop(node, None)
        if collected is None:
            return
        may_have_paid = collected and self._is_awake and not self._only_shows
        if has_told(node) or may_have_paid:
            eval_session(self._config).take_over(node)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Say in the report that a run did not come to its end."""
        try:
            return (yield)
        except BaseException:
            self._links.halt()
            for node in self._unheard:
                # Else xdist gives them five seconds, and then interrupts them.
                node.shutdown()
            if self._is_awake:
                eval_session(self._config).gathered.interrupted = True
            raise
        finally:
            if self._watching is not None:
                self._watching.stop()

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

"""The life of a run, from the first eval file to the summary.

Collection asks for cases; before the first item the engine starts to answer
ahead; items fetch their answers; results are gathered as they are reported;
the end writes recordings, reports and the terminal summary.

What only a run needs, and not a collection, is imported when it begins.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import pytest

from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.records import CaseResult, JsonObject

from . import SUFFIX
from .distribution import (
    hand_over,
    has_crashed,
    is_controller,
    is_elsewhere,
    is_worker,
    taken_over,
    worker_name,
)
from .ending import Ending
from .gating import Gating
from .item_reports import hide_secrets, make_plain, pack, skip_at, unpack
from .items import EvalItem
from .junit import Testcases, mend_names, properties
from .links import Link
from .options import read_options
from .python_tests import (
    exchanges_of,
    is_eval_test,
    result_of_test,
    text_of_error,
)
from .sharding import Collected
from .suite import Suite
from .text import CleanText, is_coloured, width_of
from .warming import Warming

if TYPE_CHECKING:
    from pytest_llm_diagnosis.probing import Probed
    from pytest_llm_diagnosis.report.view import View

    from .gathering import Gathered
    from .reporting import Reporting
    from .running import Running


class EvalSession:
    """Registered as a plugin once a run turns out to have evals."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.options = read_options(config)
        self.suite = Suite(config, self.options)
        self.warming = Warming(config, self.options)
        self._running: Running | None = None
        self._broken: set[str] = set()
        self._probed: list[Probed] = []
        self._collected = Collected(config, self.options)
        self._gating = Gating(config, self.options)
        self._expected: set[str] = set()
        self._testcases: Testcases | None = None
        self._ending = Ending()

    @cached_property
    def gathered(self) -> Gathered:
        """What the processes of the run have reported."""
        from .gathering import Gathered

        return Gathered(self.options)

    @cached_property
    def _link(self) -> Link:
        """The way to xdist's controller."""
        return Link(self._config, self._halt)

    def _halt(self) -> None:
        if self._running is not None:
            self._running.halt()

    @property
    def running(self) -> Running:
        """The part that asks; it exists while items run."""
        if self._running is None:
            raise DiagnosisError("nothing can be asked before the first item runs")
        return self._running

    # -- before the first item -------------------------------------------

    def refuse(self, collector: pytest.Collector | None) -> None:
        """Remember Python tests that cannot be collected for lack of variants."""
        if collector is not None:
            self._broken.add(collector.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember which collection errors are those of eval files."""
        if report.failed and report.nodeid.endswith(SUFFIX):
            self._broken.add(report.nodeid)
        elif report.failed and report.nodeid in self._broken:
            # A text of ours, which then also stands in pytest's short summary.
            report.longrepr = CleanText.of(str(report.longrepr))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(
        self, session: pytest.Session
    ) -> Generator[None, object, object]:
        """Run ahead of the items."""
        self._ending.begin()
        return (yield from self._run(session))

    def _run(self, session: pytest.Session) -> Generator[None, object, object]:
        self.suite.check_selection()
        if session.testsfailed == len(self._broken):
            # A broken eval file is reported; the rest of the suite still runs.
            self._config.option.continue_on_collection_errors = True
        if self._only_shows:
            return (yield)
        if is_controller(self._config):
            outcome = yield
            self._confirm_after_workers(session)
            return outcome
        self._begin(session)
        try:
            outcome = yield
            self._find_causes(session)
        except BaseException:
            # An interrupt or `-x`: what was found so far was paid for.
            self.gathered.interrupted = True
            self._probed += self.running.probing.found_so_far()
            raise
        if self.options.confirm and not is_worker(self._config):
            from .confirming import confirm

            confirm(self.running, self.gathered, session.items, self._probed)
        return outcome

    @property
    def _only_shows(self) -> bool:
        """Whether pytest was asked what it would do (`--setup-plan` and the like)."""
        option = self._config.option
        return bool(option.collectonly or option.setuponly)

    def _confirm_after_workers(self, session: pytest.Session) -> None:
        if not self.options.confirm:
            return
        from .confirming import collect_again, confirm

        try:
            collected = collect_again(session, self)
        except DiagnosisError as error:
            self.gathered.notes.append(str(error))
            return
        if collected is not None:
            self._running = collected.running
            confirm(self._running, self.gathered, collected.items)

    def _find_causes(self, session: pytest.Session) -> None:
        """Wait for the probes; of a worker that was stopped take what is there."""
        if is_worker(self._config) and (
            self._link.halted or session.shouldfail or session.shouldstop
        ):
            self._link.leave()
            self._probed += self.running.probing.found_so_far()
            return
        failing = self._link.failing_everywhere(self.running.probing.failing())
        self._probed += self.running.probing.find_causes(self._settles, failing)

    def _settles(self, probed: Sequence[Probed]) -> bool:
        """Whether no further probe is needed; a part of a run cannot tell."""
        if is_worker(self._config) or self.options.shard is not None:
            return False
        earlier = [
            one
            for one in self._probed
            if one.variant == probed[-1].variant and one.rank < probed[-1].rank
        ]
        return self.gathered.settled_by([*earlier, *probed])

    def _begin(self, session: pytest.Session) -> None:
        from .live import Telling
        from .running import Running

        worker = is_worker(self._config)
        display = Telling(self._link.tell_progress) if worker else None
        self._running = Running(self._config, self.suite, self.options, display)
        whole = self._collected.whole_of(session.items)
        plan = self._running.begin(session.items, whole)
        if worker:
            from .stopping import Stopped

            stopped = Stopped(self._link, self._running)
            self._config.pluginmanager.register(stopped)
            self._link.tell_plan(plan)
        else:
            from .live import show_plan

            show_plan(self._config, plan)
        self._running.run_ahead()

    # -- while items run -------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item
    ) -> Generator[None, object, object]:
        """Wait before the item begins, where the terminal is not captured."""
        if isinstance(item, EvalItem) and not self._only_shows:
            self.running.arrive(item)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let an item's result travel with its report."""
        report = yield
        result = None
        if isinstance(item, EvalItem):
            skip_at(report, item.prepared.case.location)
            result = item.result_for(report)
            if result is not None and result.outcome == "failed":
                result = replace(result, rank=self.running.probing.failed(item, result))
        elif call.excinfo and isinstance(call.excinfo.value, DiagnosisError):
            report.longrepr = text_of_error(item, call.excinfo)
        if isinstance(item, EvalItem) or is_eval_test(item):
            make_plain(report, coloured=is_coloured(self._config))
        if is_eval_test(item):
            result = result_of_test(item, call, report)
            if result is not None and result.outcome == "failed":
                report.sections.append(("llm", exchanges_of(item)))
                result = replace(result, rank=self._probe_test(item, result))
        if result is not None:
            pack(report, result, as_text=is_worker(self._config))
        if self._running is not None:
            hide_secrets(report, self._running.redactor)
        return report

    def _probe_test(self, item: pytest.Item, result: CaseResult) -> int | None:
        """Find out why a Python test fails; return its rank, None if it has none."""
        from .python_probes import probe_test, rank_of_test

        rank = rank_of_test(item, self.running)
        probed = None if rank is None else probe_test(item, self, result, rank)
        if probed is not None:
            self._probed.append(probed)
        return rank

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the result out of the report, and leave what others show."""
        result = None if is_worker(self._config) else unpack(report)
        if result is None:
            return
        report.user_properties += properties(result)
        if self._testcases is None:
            self._testcases = Testcases(self._config)
        self._testcases.keep(report)
        if hasattr(report, "wasxfail"):
            self._expected.add(report.nodeid)
        self.gathered.add(result)
        self._gating.see(report, result)
        self._config.hook.pytest_llm_case_result(config=self._config, result=result)

    def pytest_report_teststatus(
        self, report: pytest.CollectReport | pytest.TestReport
    ) -> tuple[str, str, str] | None:
        """Show a Python test that got no answer as an error, not as a failure."""
        if report.when != "call" or not report.failed or not self._has_results:
            return None
        result = self.gathered.results.get(report.nodeid)
        broken = result is not None and result.outcome == "error"
        return ("error", "E", "ERROR") if broken else None

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self) -> None:
        """Make no new call once pytest is about to stop."""
        session = self._config.pluginmanager.get_plugin("session")
        if session is not None and (session.shouldstop or session.shouldfail):
            self._halt()

    def pytest_keyboard_interrupt(self) -> None:
        """Make no new call."""
        self.gathered.interrupted = True
        self._halt()

    # -- the end ---------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """End the calls, and write the reports; xdist's controller does so later."""
        self._ending.finish()
        if self._running is not None:
            self._end(self._running)
        self.warming.stop()
        if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and (
            self._collected.elsewhere or self.gathered.elsewhere
        ):
            # A small suite may well leave a shard without a case.
            session.exitstatus = pytest.ExitCode.OK
        if is_worker(self._config) or self._only_shows:
            return
        if self._testcases is not None:
            # Before junitxml writes; a controller may still learn more after that.
            self._testcases.complete(self.gathered.view().results)
        mend_names(self._config)
        if not is_controller(self._config):
            self.write_reports(session)

    def pytest_unconfigure(self) -> None:
        """Let SIGTERM be what it was, once the summary is written."""
        self._ending.close()

    def _end(self, running: Running) -> None:
        """End the calls; a worker hands over what it knows."""
        from .recording import write_recorded

        running.finish()
        root = self._config.rootpath
        recorded = running.recorded(root)
        if not is_elsewhere(self._config):
            running.notes += write_recorded(recorded, root)
            recorded = {}
        data: JsonObject = {
            "totals": {**running.totals(), **self._collected.totals()},
            "probed": [probed.to_dict() for probed in self._probed],
            "recorded": recorded,
            "known": self._collected.known(self.suite),
        }
        if is_worker(self._config):
            hand_over(self._config, data)
        else:
            self._take(data)

    def _take(self, handed_over: JsonObject) -> None:
        """Keep what a process knows, and what it recorded in another folder."""
        from .recording import keep_handed_over

        self.gathered.take(handed_over)
        self.gathered.notes += keep_handed_over(handed_over, self._config.rootpath)

    def take_over(self, node: object) -> None:
        """Take what a worker knows that has ended, or note that it is lost."""
        handed_over = taken_over(node)
        if handed_over is not None:
            self._take(handed_over)
        elif has_crashed(node):
            self.gathered.lose(worker_name(node))

    @property
    def _has_results(self) -> bool:
        return "gathered" in vars(self) and bool(self.gathered.results)

    @property
    def _may_have_paid(self) -> bool:
        return "gathered" in vars(self) and self.gathered.may_have_paid

    @cached_property
    def _view(self) -> View:
        return self._gating.compared(self.gathered.view())

    @cached_property
    def _reporting(self) -> Reporting:
        from .reporting import Reporting

        return Reporting(self._config)

    def write_reports(self, session: pytest.Session) -> None:
        """Judge the gates and write the reports.

        A passed run fails where a report cannot be written.
        """
        if self.options.gates:
            self._gating.decide(session, self._view)
        paths = self.options.reports
        written = not paths or self._reporting.write_files(paths, self._view)
        if not written and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        if self._has_results:
            self._reporting.add_step_summary(self._view)

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Show what was found, and what the gates say of it."""
        if self._has_results or self._may_have_paid:
            self._reporting.show(terminalreporter, self._view, self._expected)
        if self._gating.lines:
            from pytest_llm_diagnosis.report.layout import fitted

            from .reporting import write_lines

            width = width_of(self._config)
            write_lines(terminalreporter, fitted(self._gating.lines, width))

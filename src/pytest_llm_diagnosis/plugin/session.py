"""The life of a run, from the first eval file to the summary.

Collection asks for cases; before the first item the engine starts to answer
ahead; items fetch their answers; results are gathered as they are reported;
the end writes recordings, reports and the terminal summary.

What only a run needs, and not a collection, is imported when it begins.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, cast

import pytest

from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.records import CaseResult, JsonObject

from . import RESULT, SUFFIX
from .distribution import (
    hand_over,
    is_controller,
    is_elsewhere,
    is_worker,
    taken_over,
)
from .items import EvalItem
from .links import Link, Unanswered
from .options import read_options
from .python_tests import (
    case_id_of,
    exchanges_of,
    is_eval_test,
    parameters_of,
    result_of_test,
    text_of_error,
)
from .sharding import digest, split
from .signals import ending_on_sigterm
from .suite import Suite
from .text import CleanText
from .warming import Warming

if TYPE_CHECKING:
    from pytest_llm_diagnosis.probing import Probed
    from pytest_llm_diagnosis.report.terminal import Plan
    from pytest_llm_diagnosis.report.view import View

    from .gathering import Gathered
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
        self._selected = False
        self._whole: list[pytest.Item] | None = None
        self._elsewhere: Sequence[pytest.Item] = ()
        self._unwritten: list[str] = []
        self._tests: dict[str, list[str]] = {}

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

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Remember which Python tests there are, where recordings are pruned.

        Given by node ids, a file is not collected as a whole.
        """
        if isinstance(item, pytest.Function) and self.options.prune_recordings:
            whole = not any("::" in argument for argument in self._config.args)
            file = item.nodeid.partition("::")[0]
            if whole:
                tests = self._tests.setdefault(file, [])
                asks = "llm" in parameters_of(item)
                tests.append(case_id_of(item) if asks else item.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the items of this shard, after pytest's own selection."""
        shard = self.options.shard
        if shard is None:
            return
        self._whole = list(items)
        items[:], self._elsewhere = split(items, shard)
        if self._elsewhere:
            self._config.hook.pytest_deselected(items=self._elsewhere)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember that only a part of the suite runs; shards make a whole."""
        if items is not self._elsewhere:
            self._selected |= any(isinstance(item, EvalItem) for item in items)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(
        self, session: pytest.Session
    ) -> Generator[None, object, object]:
        """Run ahead of the items."""
        with ending_on_sigterm():
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
            self._probed += self.running.found_so_far()
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
            self._probed += self.running.found_so_far()
            return
        failing = self._link.failing_everywhere(self.running.failing())
        self._probed += self.running.find_causes(self._settles, failing)

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
        from .running import Running

        self._running = Running(self._config, self.suite, self.options)
        self._whole = self._whole or list(session.items)
        plan = self._running.begin(session.items, self._whole)
        if is_worker(self._config):
            self._config.pluginmanager.register(Unanswered(self._is_unanswered))
            self._link.tell_plan(plan)
        else:
            self.announce(plan)
        self._running.run_ahead()

    def _is_unanswered(self, item: pytest.Item) -> bool:
        """Whether an item has no answer since the controller stopped the calls."""
        if not self._link.halted:
            return False
        if isinstance(item, EvalItem):
            return self.running.was_stopped(item)
        return "llm" in parameters_of(item)

    def announce(self, plan: Plan) -> None:
        """Show what is planned, before the first call."""
        from pytest_llm_diagnosis.report.terminal import plan_line

        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and plan.calls and self._config.get_verbosity() >= 0:
            reporter.write_line(plan_line(plan))

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
            if report.skipped and isinstance(report.longrepr, tuple):
                # A skip that we raise belongs to the case, not to our own line.
                place = item.prepared.case.location
                reason = report.longrepr[2]
                report.longrepr = (str(place.path), place.line, reason)
            result = item.result_for(report)
            if result is not None and result.outcome == "failed":
                result = replace(result, rank=self.running.failed(item, result))
        elif call.excinfo and isinstance(call.excinfo.value, DiagnosisError):
            report.longrepr = text_of_error(item, call.excinfo)
        if is_eval_test(item):
            result = result_of_test(item, call, report)
            if result is not None and result.outcome == "failed":
                report.sections.append(("llm", exchanges_of(item)))
                result = replace(result, rank=self._probe_test(item, result))
        if result is not None:
            # Within one process the record itself travels; what xdist carries is text.
            told = json.dumps(result.to_dict()) if is_worker(self._config) else result
            report.user_properties.append((RESULT, told))
        return report

    def _probe_test(self, item: pytest.Item, result: CaseResult) -> int | None:
        """Find out why a Python test fails while its fixtures are still set up.

        Returns its rank, None if it is not to be probed.
        """
        from .python_probes import can_be_repeated, probe_test

        rank = self.running.rank_of_test(item)
        if rank is None:
            return None
        if not can_be_repeated(item):
            note = f"{item.nodeid} not tested: it uses other fixtures than llm"
            self.running.notes.append(note)
            return None
        probed = probe_test(item, self, result, rank)
        if probed is not None:
            self._probed.append(probed)
        return rank

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the result out of the report, and leave what others show."""
        told = next((v for name, v in report.user_properties if name == RESULT), None)
        if told is None or is_worker(self._config):
            return
        result = (
            told
            if isinstance(told, CaseResult)
            else CaseResult.from_dict(json.loads(str(told)))
        )
        report.user_properties = [
            *(
                (name, value)
                for name, value in report.user_properties
                if name != RESULT
            ),
            ("llm_mark", result.mark),
            ("llm_variant", result.variant),
        ]
        self.gathered.add(result)
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
        """End the calls, and write the reports where the results are."""
        if self._running is not None:
            self._end(self._running)
        self.warming.stop()
        if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and (
            self._elsewhere or self.gathered.elsewhere
        ):
            # A small suite may well leave a shard without a case.
            session.exitstatus = pytest.ExitCode.OK
        if not is_worker(self._config) and not self._only_shows:
            self._write_reports(session)

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
            "totals": {
                **running.totals(),
                "selected": self._selected,
                "elsewhere": bool(self._elsewhere),
                "suite": digest(self._whole or ()),
            },
            "probed": [probed.to_dict() for probed in self._probed],
            "recorded": recorded,
            "known": self._known(),
        }
        if is_worker(self._config):
            hand_over(self._config, data)
        else:
            self._take(data)

    def _known(self) -> JsonObject | None:
        """Return what was collected, where recordings are to be pruned of the rest."""
        if not self.options.prune_recordings or is_controller(self._config):
            return None
        return self.suite.known(self._tests).to_dict()

    def _take(self, handed_over: JsonObject) -> None:
        """Keep what a process knows, and what it recorded in another folder."""
        from .recording import Known, write_recorded

        root = self._config.rootpath
        self.gathered.take(handed_over)
        recorded = cast("dict[str, list[str]]", handed_over["recorded"])
        self.gathered.notes += write_recorded(recorded, root)
        if handed_over["known"]:
            known = Known.from_dict(cast("JsonObject", handed_over["known"]))
            self.gathered.notes += known.prune(root)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """Take over what a worker knows."""
        handed_over = taken_over(node)
        if handed_over is not None:
            self._take(handed_over)

    @property
    def _has_results(self) -> bool:
        return "gathered" in vars(self) and bool(self.gathered.results)

    @cached_property
    def _view(self) -> View:
        return self.gathered.view()

    def _write_reports(self, session: pytest.Session) -> None:
        """Write the reports; a passed run fails where one cannot be written."""
        if not self.options.reports:
            return
        from pytest_llm_diagnosis.report.json_report import write_json

        for path in self.options.reports:
            try:
                write_json(path, self._view)
            except OSError as error:
                reason = error.strerror or type(error).__name__
                self._unwritten.append(f"{path}: the report is not written: {reason}")
        if self._unwritten and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Write the summary that a reviewer reads."""
        if not self._has_results:
            return
        from pytest_llm_diagnosis.report.terminal import summary_lines

        terminalreporter.ensure_newline()
        terminalreporter.section("llm diagnosis")
        verbose = self._config.get_verbosity() > 0
        for line in summary_lines(self._view, causes=verbose):
            terminalreporter.write_line(line.text, **line.markup)
        for text in self._unwritten:
            terminalreporter.write_line(text, red=True)

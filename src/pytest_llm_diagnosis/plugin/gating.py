"""What gates make of the exit code: they decide for evals, and for nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.records import CaseResult

from .distribution import is_worker
from .options import RunOptions
from .text import width_of

if TYPE_CHECKING:
    from pytest_llm_diagnosis.report.lines import Line
    from pytest_llm_diagnosis.report.view import View

_JUDGED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)


class Gating:
    """Sees which failures are evals' own, and decides when all is known."""

    def __init__(self, config: pytest.Config, options: RunOptions) -> None:
        self._config = config
        self._options = options
        self._earlier = None if is_worker(config) else _read(options.baseline)
        self._own = 0
        self.lines: list[Line] = []

    def see(self, report: pytest.TestReport, result: CaseResult) -> None:
        """Count a failure that is an eval's own."""
        self._own += report.failed and result.outcome in {"failed", "error"}

    def compared(self, view: View) -> View:
        """Return the run with what changed since the baseline, if there is one."""
        if self._earlier is None or self._options.baseline is None:
            return view
        from pytest_llm_diagnosis.report.comparing import compared

        path = self._options.baseline
        root = self._config.rootpath
        shown = path.relative_to(root) if path.is_relative_to(root) else path
        comparison = compared(self._earlier, view, shown.as_posix())
        return replace(view, comparison=comparison)

    def decide(self, session: pytest.Session, view: View) -> None:
        """Judge the gates, and set the exit code where evals alone decide it."""
        from pytest_llm_diagnosis.report.gating import not_judged_line

        asked = any(one.outcome != "skipped" for one in view.results)
        if not asked and self._config.getoption("llm_gate") is None:
            # A project's own gate must not fail a run of its other tests.
            self.lines.append(not_judged_line("no eval ran"))
        elif session.exitstatus not in _JUDGED or _is_cut(session):
            if session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
            self.lines.append(not_judged_line("the run did not come to its end"))
        else:
            self._judge(session, view)

    def _judge(self, session: pytest.Session, view: View) -> None:
        from pytest_llm_diagnosis.gates import judge
        from pytest_llm_diagnosis.report.gating import exit_line, gate_lines

        judged = [
            judge(gate, view.diagnosis, view.comparison) for gate in self._options.gates
        ]
        passed = all(one.passed for one in judged)
        others = self._others(session)
        fine = passed and not others
        code = pytest.ExitCode.OK if fine else pytest.ExitCode.TESTS_FAILED
        session.exitstatus = code
        self.lines += gate_lines(judged, view.diagnosis, width_of(self._config))
        self.lines.append(exit_line(passed=passed, failed=self._own, others=others))

    def _others(self, session: pytest.Session) -> int:
        """Return how much failed that is no eval's own, whoever counted it."""
        others = session.testsfailed - self._own
        if session.exitstatus == pytest.ExitCode.TESTS_FAILED:
            return others if session.testsfailed else 1
        return others


def _is_cut(session: pytest.Session) -> bool:
    """Whether `-x` or the like ended the run before its end."""
    return bool(session.shouldfail or session.shouldstop)


def _read(path: Path | None) -> View | None:
    """Return the baseline; this run's report may be written in its place later."""
    if path is None:
        return None
    from pytest_llm_diagnosis.report.json_report import read_json

    try:
        return read_json(path)
    except (DiagnosisError, OSError) as error:
        raise pytest.UsageError(f"--llm-baseline: {error}") from None

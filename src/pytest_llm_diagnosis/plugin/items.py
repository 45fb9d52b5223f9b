"""Eval files and their cases as pytest's nodes.

An item's setup takes and grades its answers, so that a call that failed is an
error and not a failure; its call fails when the case did.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import pytest
from _pytest._code.code import TerminalRepr

from pytest_llm_diagnosis.errors import (
    BudgetError,
    DiagnosisError,
    InputError,
    ModelError,
)
from pytest_llm_diagnosis.grading import Replies, grade
from pytest_llm_diagnosis.outcomes import case_result
from pytest_llm_diagnosis.records import Answer, CaseResult, Trial, Variant
from pytest_llm_diagnosis.report.failure import failure_lines, first_line
from pytest_llm_diagnosis.report.lines import one_line
from pytest_llm_diagnosis.requests import Prepared

from .python_tests import NO_VARIANT
from .text import CleanText

if TYPE_CHECKING:
    # Older pytest has it under another name.
    from _pytest._code.code import TracebackStyle

    from .session import EvalSession


class Told(NamedTuple):
    """An answer, and what models said to the checks that ask one."""

    answer: Answer
    replies: Replies


class CaseFailedError(Exception):
    """A case failed; carries what is known of it."""

    def __init__(self, result: CaseResult) -> None:
        super().__init__(result.nodeid)
        self.result = result


class EvalFile(pytest.File):
    """One `*.eval.yaml`."""

    eval_session: EvalSession

    @classmethod
    def build(
        cls, parent: pytest.Collector, path: Path, eval_session: EvalSession
    ) -> EvalFile:
        """Return the collector of a file."""
        node: EvalFile = cls.from_parent(parent, path=path)
        node.eval_session = eval_session
        return node

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item for every case and chosen variant; raises `InputError`."""
        suite = self.eval_session.suite
        cases = suite.cases(self.path)
        selection = suite.selection(self.path)
        variants = tuple(selection.variants) if selection else (None,)
        if selection and any(prepared.case.skip is None for prepared in cases):
            self.eval_session.warming.foresee(selection.variants)
        for tag in sorted({tag for prepared in cases for tag in prepared.case.tags}):
            self.config.addinivalue_line("markers", f"{tag}: tag of eval cases")
        for prepared in cases:
            for variant in variants:
                yield EvalItem.build(self, prepared, variant)

    def repr_failure(  # type: ignore[override]  # pytest's own Collector does so
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
    ) -> str | TerminalRepr:
        """Return the located problems, without a Python traceback."""
        if isinstance(excinfo.value, InputError):
            return CleanText.of(excinfo.value.show(self.config.rootpath))
        if isinstance(excinfo.value, DiagnosisError):
            return CleanText.of(str(excinfo.value))
        return super().repr_failure(excinfo)


class EvalItem(pytest.Item):
    """One case under one variant; without a variant it is skipped."""

    prepared: Prepared
    variant: Variant | None
    eval_session: EvalSession
    result: CaseResult | None = None

    @classmethod
    def build(
        cls, parent: EvalFile, prepared: Prepared, variant: Variant | None
    ) -> EvalItem:
        """Return the item, with its markers."""
        case = prepared.case
        name = f"{case.id}[{variant.name}]" if variant else case.id
        # Given whole, pytest reads the variant as a parameter, which it does too
        # where it reads back the ids of the last failures.
        nodeid = f"{parent.nodeid}::{name}"
        item: EvalItem = cls.from_parent(parent, name=name, nodeid=nodeid)
        item.prepared = prepared
        item.variant = variant
        item.eval_session = parent.eval_session
        item.mark_by_case()
        return item

    def mark_by_case(self) -> None:
        """Add the case's mark and tags, and its reasons to skip or to fail."""
        case = self.prepared.case
        for name in (case.mark, *case.tags):
            self.add_marker(name)
        if case.skip is not None:
            self.add_marker(pytest.mark.skip(reason=case.skip))
        elif self.variant is None:
            self.add_marker(pytest.mark.skip(reason=NO_VARIANT))
        if case.xfail is not None:
            self.add_marker(pytest.mark.xfail(reason=case.xfail))

    @property
    def trials(self) -> int:
        """How many times the case is asked."""
        return self.eval_session.options.trials or self.prepared.case.trials

    @property
    def top_k(self) -> int | None:
        """How many passages its variant retrieves, None where it retrieves none."""
        retrieve = self.variant.retrieve if self.variant else None
        return retrieve.top_k if retrieve else None

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the place of the case in its file; pytest's lines count from 0."""
        return self.path, self.prepared.case.line - 1, self.name

    def setup(self) -> None:
        """Take and grade the answers; raises the calls' `ModelError`."""
        if self.config.option.setuponly:
            return
        answers = self.eval_session.running.answers(self)
        trials = [self.trial(answer) for answer in answers]
        self.result = self._result(trials)
        if self.result.outcome == "error":
            _raise_for(answers, self.result)

    def runtest(self) -> None:
        """Raise `CaseFailedError` unless the case passed."""
        if self.result is not None and self.result.outcome != "passed":
            raise CaseFailedError(self.result)

    def result_for(self, report: pytest.TestReport) -> CaseResult | None:
        """Return the case's result at the report that decides it, else None."""
        if self.variant is None:
            return None
        if report.when == "call":
            return self.result
        if report.when != "setup" or report.passed:
            return None
        if self.result is not None and not report.skipped:
            return self.result
        reason = one_line(_reason(report), 300)
        if report.skipped:
            return self._result([], skipped=reason)
        return self._result([Trial(error=reason)])

    def _result(self, trials: list[Trial], skipped: str | None = None) -> CaseResult:
        return case_result(
            self.prepared,
            trials,
            nodeid=self.nodeid,
            variant=self.variant.name if self.variant else "",
            pass_at=min(self.prepared.case.pass_at, self.trials),
            skipped=skipped,
            top_k=self.top_k,
        )

    def trial(self, told: Told | ModelError) -> Trial:
        """Return an answer graded, or the error in its place."""
        if isinstance(told, ModelError):
            return Trial(error=told.message)
        graded = grade(told.answer, self.prepared.checks, told.replies)
        return Trial(answer=told.answer, grade=graded)

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: TracebackStyle | None = None,
    ) -> str | TerminalRepr:
        """Return what a person needs to see, without a Python traceback."""
        error = excinfo.value
        if isinstance(error, CaseFailedError):
            request, *_ = self.eval_session.running.requests(self)
            full = self.config.get_verbosity() > 1
            lines = failure_lines(error.result, request.messages, full=full)
            return CleanText(lines=lines, summary=first_line(error.result))
        if isinstance(error, InputError):
            return CleanText.of(error.show(self.config.rootpath))
        if isinstance(error, DiagnosisError):
            place = self.prepared.case.location.show(self.config.rootpath)
            return CleanText.of(f"{place}: {error}")
        return super()._repr_failure_py(excinfo, style)

    # pytest asks this of what fails before the call.  A traceback that is built
    # only to be replaced costs time, and on CPython 3.11 it can fail: two threads
    # that parse source at once mix up its recursion depth (python/cpython#106905).
    _repr_failure_py = repr_failure  # type: ignore[assignment]  # it is pytest's own


def _raise_for(answers: list[Told | ModelError], result: CaseResult) -> NoReturn:
    """Raise the calls' first error, else why no check decides.

    A spent budget skips, as does a case whose every check needs what was not shown.
    """
    error = next((a for a in answers if isinstance(a, ModelError)), None)
    if isinstance(error, BudgetError):
        pytest.skip(str(error))
    verdicts = [each for trial in result.trials for each in trial.grade.verdicts]
    if error is None and verdicts and not any(each.exposed for each in verdicts):
        pytest.skip(f"not exposed to {verdicts[0].check}: {verdicts[0].reason}")
    undecided = (
        f"{verdict.check} cannot decide: {verdict.reason}"
        for verdict in verdicts
        if verdict.passed is None and verdict.exposed
    )
    raise error or DiagnosisError(next(undecided, "no check decides"))


def _reason(report: pytest.TestReport) -> str:
    """Return why an item was skipped or broken, from what pytest reports."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return str(report.longrepr)

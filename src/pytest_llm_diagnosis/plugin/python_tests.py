"""Python tests that use the `llm` fixture, beside eval files.

A marked test enters the same report: its assertion is a check of its mark's
dimension.  Its marker may carry what a case would: `evidence`, `instruction`
and `cluster`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from pytest_llm_diagnosis.errors import (
    BudgetError,
    InputError,
    Location,
)
from pytest_llm_diagnosis.outcomes import gold_retrieved
from pytest_llm_diagnosis.records import (
    MARKS,
    Answer,
    Arm,
    Case,
    CaseResult,
    Grade,
    JsonObject,
    Mark,
    Message,
    Outcome,
    Passage,
    Retrieved,
    Trial,
    Variant,
    Verdict,
)
from pytest_llm_diagnosis.report.failure import exchange_lines
from pytest_llm_diagnosis.report.lines import one_line
from pytest_llm_diagnosis.requests import Prepared

from .text import CleanText

if TYPE_CHECKING:
    from .session import EvalSession
    from .suite import Suite

NO_VARIANT = (
    "no variant chosen: give --llm-variant NAME, or a default in llm_variants.yaml"
)
_MODEL = pytest.StashKey["LanguageModel"]()
FAILURES = (AssertionError, pytest.fail.Exception)
_REPEATS = 100
"""Runs of a test under one arm before its questions' trial numbers meet."""


def parametrize(metafunc: pytest.Metafunc, session: EvalSession) -> None:
    """Run the test once for each variant; raises `CollectError` on a bad file."""
    try:
        selection = session.suite.selection(metafunc.definition.path)
    except InputError as error:
        session.refuse(metafunc.definition.parent)
        text = error.show(metafunc.config.rootpath)
        raise pytest.Collector.CollectError(text) from error
    if selection is not None:
        metafunc.parametrize(
            "llm", list(selection.variants), ids=selection.names, indirect=True
        )


class LanguageModel:
    """The selected variant, as the `llm` fixture gives it to a test.

    `arm` and `number` say that the test is run again, for the `number`-th time
    under an arm.
    """

    def __init__(
        self,
        session: EvalSession,
        item: pytest.Item,
        variant: Variant,
        *,
        arm: Arm = "first",
        number: int = 0,
    ) -> None:
        self.answers: list[Answer] = []
        self.asked: list[tuple[Message, ...]] = []
        self._session = session
        self._item = item
        self._variant = variant
        self._arm = arm
        self._number = number
        self._asked = 0
        self._evidence: tuple[Passage, ...] = ()

    @property
    def variant(self) -> str:
        """The name of the variant that answers."""
        return self._variant.name

    def __call__(
        self,
        prompt: str | Sequence[Message],
        *,
        system: str | None = None,
        tools: Sequence[JsonObject] = (),
        **params: object,
    ) -> Answer:
        """Return the answer to a question, or to a list of role/content turns.

        `params` are provider parameters such as `temperature`.  A prompt asked
        again in one test is a new call.  Raises `ModelError`; a spent
        budget skips the test.
        """
        if isinstance(prompt, str):
            prompt = [{"role": "user", "content": prompt}]
        case = replace(
            _case(self._item, tuple(prompt), self._session.suite),
            system=system,
            tools=tuple(tools),
            params=cast("JsonObject", params),
        )
        trial = self._number + _REPEATS * self._asked
        self._asked += 1
        prepared = Prepared.of(_case_id(self._item, self._variant), case, ())
        try:
            answer = self._session.running.ask_for(
                prepared, self._variant, trial=trial, arm=self._arm
            )
        except BudgetError as error:
            if self._arm != "first":
                raise
            pytest.skip(str(error))
        self.answers.append(answer)
        self.asked.append(case.messages)
        self._evidence = case.evidence
        return answer

    def retrieved(self) -> Retrieved | None:
        """Return whether the last answer was shown the passages of the test's mark."""
        retrieve = self._variant.retrieve
        trials = [Trial(answer=answer) for answer in self.answers[-1:]]
        top_k = retrieve.top_k if retrieve else None
        return gold_retrieved(self._evidence, trials, top_k)


def language_model(
    request: pytest.FixtureRequest, session: EvalSession
) -> LanguageModel:
    """Return what the fixture gives; skips the test when no variant is chosen."""
    variant = getattr(request, "param", None)
    if not isinstance(variant, Variant):
        pytest.skip(NO_VARIANT)
    item = cast("pytest.Item", request.node)
    item.stash[_MODEL] = LanguageModel(session, item, variant)
    return item.stash[_MODEL]


def parameters_of(item: pytest.Item) -> set[str]:
    """Return the arguments that a test gets by parametrization, `llm` included."""
    callspec = getattr(item, "callspec", None)
    return set(callspec.params) if callspec is not None else set()


def variant_of(item: pytest.Item) -> Variant:
    """Return the variant that a test is parametrized with."""
    parameters = getattr(item, "callspec").params  # noqa: B009 - a parametrized test has it
    return cast("Variant", parameters["llm"])


def is_eval_test(item: pytest.Item) -> bool:
    """Whether a Python test enters the report: it has a mark and a variant."""
    return "llm" in parameters_of(item) and mark_of(item) is not None


def cluster_of(item: pytest.Item) -> str:
    """Return what a test is resampled with: its mark's `cluster`, else itself."""
    return str(_marker(item, "cluster") or _case_id(item, variant_of(item)))


def case_id_of(item: pytest.Item) -> str:
    """Return the node id without the variant, so that variants can be paired."""
    return _case_id(item, variant_of(item))


def result_of_test(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> CaseResult | None:
    """Return the test's result at the report that decides it, else None."""
    mark = mark_of(item)
    model = item.stash.get(_MODEL, None)
    decides = report.when == "call" or (report.when == "setup" and not report.passed)
    if not decides or mark is None:
        return None
    error = call.excinfo.value if call.excinfo else None
    verdict = _verdict(report, error)
    answer = model.answers[-1] if model and model.answers else None
    case_id = _case_id(item, variant_of(item))
    return CaseResult(
        nodeid=item.nodeid,
        file=case_id.partition("::")[0],
        line=(item.reportinfo()[1] or 0) + 1,
        id=case_id.partition("::")[2],
        mark=mark,
        variant=variant_of(item).name,
        outcome=_outcome(report, error),
        trials=(Trial(answer=answer, grade=grade_of_mark(mark, verdict)),),
        retrieved=model.retrieved() if model else None,
        cluster=cluster_of(item),
        asks_facts=mark == "knowledge",
        asks_form=mark == "behavior",
        message=one_line(str(error), 300) if error and not report.failed else None,
        messages=model.asked[-1] if model and model.asked else (),
    )


def exchanges_of(item: pytest.Item) -> str:
    """Return what a test asked and was answered, for its failure's sections."""
    model = item.stash.get(_MODEL, None)
    if model is None:
        return ""
    full = item.config.get_verbosity() > 1
    lines = (
        line.text
        for messages, answer in zip(model.asked, model.answers, strict=True)
        for line in exchange_lines(messages, answer, full=full)
    )
    return "\n".join(lines)


def text_of_error(
    item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException]
) -> CleanText:
    """Return why a question got no answer, at the line of the test that asked."""
    root = item.config.rootpath
    if isinstance(excinfo.value, InputError):
        return CleanText.of(excinfo.value.show(root))
    lines = [at.lineno + 1 for at in excinfo.traceback if at.path == item.path]
    place = Location(path=item.path, line=lines[-1] if lines else 1)
    return CleanText.of(f"{place.show(root)}: {excinfo.value}")


def _outcome(report: pytest.TestReport, error: BaseException | None) -> Outcome:
    if report.skipped:
        return "skipped"
    if report.passed or error is None:
        return "passed"
    failed = report.when == "call" and isinstance(error, FAILURES)
    return "failed" if failed else "error"


def _verdict(report: pytest.TestReport, error: BaseException | None) -> Verdict:
    if report.passed or error is None:
        return Verdict(check="assertion", passed=True)
    if not isinstance(error, FAILURES):
        return Verdict(
            check="assertion", passed=None, code="assertion:raised", reason=str(error)
        )
    return assertion_failed(error)


def assertion_failed(error: BaseException) -> Verdict:
    """Return the verdict that a failed assertion is."""
    reason = one_line(str(error), 300) or "the assertion failed"
    return Verdict(
        check="assertion", passed=False, code="assertion:failed", reason=reason
    )


def grade_of_mark(mark: Mark, verdict: Verdict) -> Grade:
    """Return a grade with the test's assertion under its mark's dimension."""
    return Grade(facts=(verdict,)) if mark == "knowledge" else Grade(form=(verdict,))


def mark_of(item: pytest.Item) -> Mark | None:
    """Return the test's mark."""
    return next((mark for mark in MARKS if item.get_closest_marker(mark)), None)


def _marker(item: pytest.Item, name: str) -> object:
    """Return what the test's mark says under a name."""
    mark = mark_of(item)
    marker = item.get_closest_marker(mark) if mark else None
    return marker.kwargs.get(name) if marker else None


def _case(item: pytest.Item, messages: tuple[Message, ...], suite: Suite) -> Case:
    instruction, evidence = _marker(item, "instruction"), _marker(item, "evidence")
    return Case(
        id=item.name,
        mark=mark_of(item) or "behavior",
        path=item.path,
        line=(item.reportinfo()[1] or 0) + 1,
        messages=messages,
        instruction=str(instruction) if instruction else None,
        evidence=suite.passages(evidence, item.path) if evidence else (),
    )


def _case_id(item: pytest.Item, variant: Variant) -> str:
    """Return the node id without the variant, so that variants can be paired."""
    head, bracket, ids = item.nodeid.partition("[")
    if not bracket:
        return head
    rest = f"-{ids.removesuffix(']')}-".replace(f"-{variant.name}-", "-", 1).strip("-")
    return f"{head}[{rest}]" if rest else head

"""Python tests that use the `llm` fixture, beside eval files.

A marked test enters the same report: its assertion is a check of its mark's
dimension.  Its marker may carry what a case would: `evidence`, `instruction`,
`ideal` and `cluster`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

import pytest

from pytest_llm_diagnosis.errors import (
    BudgetError,
    DiagnosisError,
    InputError,
    ModelError,
)
from pytest_llm_diagnosis.records import (
    MARKS,
    Answer,
    Case,
    CaseResult,
    Grade,
    JsonObject,
    Mark,
    Message,
    Outcome,
    Trial,
    Variant,
    Verdict,
)
from pytest_llm_diagnosis.report.lines import one_line
from pytest_llm_diagnosis.requests import Prepared

if TYPE_CHECKING:
    from .session import EvalSession

NO_VARIANT = (
    "no variant chosen: give --llm-variant NAME, or a default in llm_variants.yaml"
)
_ASKED = pytest.StashKey["Asked"]()


@dataclass(slots=True)
class Asked:
    """What a test has asked so far: how often each prompt, and the answers."""

    variant: Variant
    times: dict[str, int] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)


def parametrize(metafunc: pytest.Metafunc, session: EvalSession) -> None:
    """Run the test once for each variant; raises `CollectError` on a bad file."""
    try:
        selection = session.suite.selection(metafunc.definition.path)
    except (InputError, DiagnosisError) as error:
        raise pytest.Collector.CollectError(str(error)) from error
    if selection is not None:
        metafunc.parametrize(
            "llm", list(selection.variants), ids=selection.names, indirect=True
        )


class LanguageModel:
    """The selected variant, as the `llm` fixture gives it to a test."""

    def __init__(self, session: EvalSession, item: pytest.Item, asked: Asked) -> None:
        self._session = session
        self._item = item
        self._asked = asked

    @property
    def variant(self) -> str:
        """The name of the variant that answers."""
        return self._asked.variant.name

    def __call__(
        self,
        prompt: str | Sequence[Message],
        *,
        system: str | None = None,
        tools: Sequence[JsonObject] = (),
        **params: object,
    ) -> Answer:
        """Return the answer to a question, or to a list of role/content turns.

        `params` are provider parameters such as `temperature`.  The same prompt
        asked again in one test is a new call.  Raises `ModelError`; a spent
        budget skips the test.
        """
        messages = (
            ({"role": "user", "content": prompt},)
            if isinstance(prompt, str)
            else tuple(prompt)
        )
        trial = self._asked.times.get(repr(messages), 0)
        self._asked.times[repr(messages)] = trial + 1
        case = replace(
            _case(self._item, messages),
            system=system,
            tools=tuple(tools),
            params=cast("JsonObject", params),
        )
        prepared = Prepared.of(_case_id(self._item, self._asked.variant), case, ())
        try:
            answer = self._session.running.ask_for(
                prepared, self._asked.variant, trial=trial
            )
        except BudgetError as error:
            pytest.skip(str(error))
        self._asked.answers.append(answer)
        return answer


def language_model(
    request: pytest.FixtureRequest, session: EvalSession
) -> LanguageModel:
    """Return what the fixture gives; skips the test when no variant is chosen."""
    variant = getattr(request, "param", None)
    if not isinstance(variant, Variant):
        pytest.skip(NO_VARIANT)
    item = cast("pytest.Item", request.node)
    asked = item.stash.setdefault(_ASKED, Asked(variant))
    return LanguageModel(session, item, asked)


def is_eval_test(item: pytest.Item) -> bool:
    """Whether a Python test enters the report: it uses `llm` and has a mark."""
    return "llm" in getattr(item, "fixturenames", ()) and _mark_of(item) is not None


def result_of_test(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> CaseResult | None:
    """Return the test's result at the report that decides it, else None."""
    mark = _mark_of(item)
    asked = item.stash.get(_ASKED, None)
    decides = report.when == "call" or (report.when == "setup" and not report.passed)
    if not decides or mark is None or asked is None:
        return None
    error = call.excinfo.value if call.excinfo else None
    verdict = _verdict(report, error)
    answer = asked.answers[-1] if asked.answers else None
    case_id = _case_id(item, asked.variant)
    return CaseResult(
        nodeid=item.nodeid,
        file=case_id.partition("::")[0],
        line=(item.reportinfo()[1] or 0) + 1,
        id=case_id.partition("::")[2],
        mark=mark,
        variant=asked.variant.name,
        outcome=_outcome(report, error),
        trials=(Trial(answer=answer, grade=_grade(mark, verdict)),),
        cluster=str(_marker(item, "cluster") or case_id),
        asks_facts=mark == "knowledge",
        asks_form=mark == "behavior",
        message=one_line(str(error), 300) if error and not report.failed else None,
    )


def _outcome(report: pytest.TestReport, error: BaseException | None) -> Outcome:
    if report.skipped:
        return "skipped"
    if report.passed:
        return "passed"
    broken = report.when != "call" or isinstance(error, ModelError)
    return "error" if broken else "failed"


def _verdict(report: pytest.TestReport, error: BaseException | None) -> Verdict:
    if report.passed:
        return Verdict(check="assertion", passed=True)
    if not isinstance(error, AssertionError):
        return Verdict(
            check="assertion", passed=None, code="assertion:raised", reason=str(error)
        )
    reason = one_line(str(error), 300) or "the assertion failed"
    return Verdict(
        check="assertion", passed=False, code="assertion:failed", reason=reason
    )


def _grade(mark: Mark, verdict: Verdict) -> Grade:
    return Grade(facts=(verdict,)) if mark == "knowledge" else Grade(form=(verdict,))


def _mark_of(item: pytest.Item) -> Mark | None:
    return next((mark for mark in MARKS if item.get_closest_marker(mark)), None)


def _marker(item: pytest.Item, name: str) -> object:
    """Return what the test's mark says under a name."""
    mark = _mark_of(item)
    marker = item.get_closest_marker(mark) if mark else None
    return marker.kwargs.get(name) if marker else None


def _case(item: pytest.Item, messages: tuple[Message, ...]) -> Case:
    instruction = _marker(item, "instruction")
    return Case(
        id=item.name,
        mark=_mark_of(item) or "behavior",
        path=item.path,
        line=(item.reportinfo()[1] or 0) + 1,
        messages=messages,
        instruction=str(instruction) if instruction else None,
    )


def _case_id(item: pytest.Item, variant: Variant) -> str:
    """Return the node id without the variant, so that variants can be paired."""
    head, bracket, ids = item.nodeid.partition("[")
    if not bracket:
        return head
    rest = f"-{ids.removesuffix(']')}-".replace(f"-{variant.name}-", "-", 1).strip("-")
    return f"{head}[{rest}]" if rest else head

"""Finding out why a Python test fails: it is run again under each arm.

Only its requests change, on their way through `llm`.  A test that uses other
fixtures is not run again: they may have state, and it would be another test.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest

from pytest_llm_diagnosis.errors import (
    ModelError,
    NotAskedError,
    ReplayMissError,
)
from pytest_llm_diagnosis.probing import (
    ArmUnavailableError,
    Asker,
    Probed,
    Reply,
    Situation,
    find_cause,
    graded_reply,
    is_costume,
    run_now,
)
from pytest_llm_diagnosis.records import Arm, Ask, CaseResult, Verdict

from .python_tests import (
    FAILURES,
    LanguageModel,
    grade_of_mark,
    parameters_of,
    variant_of,
)

if TYPE_CHECKING:
    from .running import Running
    from .session import EvalSession


def rank_of_test(item: pytest.Item, running: Running) -> int | None:
    """Return a failing test's rank; None, with a note, where it is not probed."""
    rank = running.rank_of_test(item)
    if rank is None or _can_be_repeated(item):
        return rank
    note = f"{item.nodeid} not tested: it uses other fixtures than llm"
    running.notes.append(note)
    return None


def _can_be_repeated(item: pytest.Item) -> bool:
    """Whether a test can be run again: it takes nothing but `llm` and parameters."""
    function = getattr(item, "obj", None)
    if function is None or inspect.iscoroutinefunction(function):
        return False
    return set(inspect.signature(function).parameters) <= parameters_of(item)


def probe_test(
    item: pytest.Item, session: EvalSession, result: CaseResult, rank: int
) -> Probed | None:
    """Return why a failed test fails; None when the answers cannot be had.

    The test's fixtures must still be set up.
    """
    mode = session.options.probe
    trial = result.trials[-1]
    text = trial.answer.text if trial.answer else ""
    situation = Situation(
        first=graded_reply("first", trial.grade, text), asks_facts=result.asks_facts
    )
    ask = _asker(item, session, result)
    try:
        search = find_cause(situation, ask, "standard" if mode == "off" else mode)
        finding = run_now(search)
    except ModelError as error:
        session.running.notes.append(f"{item.nodeid} not probed: {error}")
        return None
    return Probed(
        nodeid=item.nodeid,
        variant=result.variant,
        rank=rank,
        finding=finding,
        costume=is_costume(result.mark, trial.grade, finding),
    )


def _asker(item: pytest.Item, session: EvalSession, result: CaseResult) -> Asker:
    async def ask(arm: Arm, number: int) -> Reply:
        model = LanguageModel(session, item, variant_of(item), arm=arm, number=number)
        try:
            passed = _passes(item, model)
        except (ArmUnavailableError, NotAskedError, ReplayMissError):
            raise
        except (Exception, pytest.skip.Exception):  # noqa: BLE001 - a user's own code
            return Reply(ask=Ask(error=True))
        verdict = Verdict(check="assertion", passed=passed)
        text = model.answers[-1].text if model.answers else ""
        return graded_reply(arm, grade_of_mark(result.mark, verdict), text)

    return ask


def _passes(item: pytest.Item, model: LanguageModel) -> bool:
    """Run the test's function once more, with another `llm`."""
    arguments: dict[str, object] = getattr(item, "funcargs", {})
    function = getattr(item, "obj")  # noqa: B009 - a Function has it, an Item need not
    names = inspect.signature(function).parameters
    try:
        function(**{**{name: arguments[name] for name in names}, "llm": model})
    except FAILURES:
        return False
    return True

"""Finding out why a Python test fails: it is run again under each arm.

Only its requests change, on their way through `llm`.  A test that uses other
fixtures is not run again: they may have state, and it would be another test.
"""

from __future__ import annotations

import inspect
import io
from contextlib import redirect_stderr, redirect_stdout
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
    failed_reply,
    find_cause,
    graded_reply,
    is_costume,
    run_now,
)
from pytest_llm_diagnosis.records import Arm, CaseResult, Verdict

from .python_tests import (
    FAILURES,
    LanguageModel,
    assertion_failed,
    grade_of_mark,
    parameters_of,
    variant_of,
)

if TYPE_CHECKING:
    from .running import Running
    from .session import EvalSession


def rank_of_test(item: pytest.Item, running: Running) -> int | None:
    """Return a failing test's rank; None, with a note, where it is not probed."""
    rank = running.probing.rank_of_test(item)
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
    situation = Situation(
        first=graded_reply("first", trial.grade, trial.answer),
        asks_facts=result.asks_facts,
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
            verdict = _verdict(item, model)
        except (ArmUnavailableError, NotAskedError, ReplayMissError):
            raise
        except (Exception, pytest.skip.Exception) as error:  # noqa: BLE001 - a user's own code
            return failed_reply(str(error))
        answer = model.answers[-1] if model.answers else None
        return graded_reply(arm, grade_of_mark(result.mark, verdict), answer)

    return ask


def _verdict(item: pytest.Item, model: LanguageModel) -> Verdict:
    """Run the test's function once more, with another `llm`, and judge by its end.

    What it prints was shown when the test failed, and is not shown again.
    """
    arguments: dict[str, object] = getattr(item, "funcargs", {})
    function = getattr(item, "obj")  # noqa: B009 - a Function has it, an Item need not
    names = inspect.signature(function).parameters
    unheard = io.StringIO()
    try:
        with redirect_stdout(unheard), redirect_stderr(unheard):
            function(**{**{name: arguments[name] for name in names}, "llm": model})
    except FAILURES as error:
        return assertion_failed(error)
    return Verdict(check="assertion", passed=True)

"""Applications and models that misbehave: an error or a failure, never a crash."""

from __future__ import annotations

import json
import re
from typing import cast
from xml.etree import ElementTree as ET

import pytest

from comparing import cases_by_id
from conftest import EvalSuite
from pytest_llm_diagnosis.engine import RetryPolicy
from pytest_llm_diagnosis.records import JsonObject

APP_VARIANTS = "default: app\nvariants: {app: {call: 'app:answer'}}\n"

APP = """\
import asyncio
import time
from pytest_llm_diagnosis.records import Answer, ToolCall

def raises():
    raise ValueError("boom \\x1b[31m\\n::error::forged")

def exits():
    raise SystemExit(3)

async def later():
    await asyncio.sleep(0.01)
    return "yes"

KINDS = {
    "raises": raises,
    "exits": exits,
    "none": lambda: None,
    "three": lambda: 3,
    "parts": lambda: Answer(text=3),
    "nan": lambda: {"text": "yes", "usd": float("nan")},
    "empty": lambda: "",
    "broken_json": lambda: '{"a": ',
    "long": lambda: "word " * 20_000,
    "surrogate": lambda: "a\\ud800b",
    "escapes": lambda: "\\x1b[31mred\\x1b[0m\\x9b",
    "commands": lambda: "::error::forged\\n  ::set-output name=a::b\\n##[group]c",
    "markup": lambda: "]]> </failure> \\x00\\x08\\x0b\\x7f\\u202e <b>&amp;",
    "later": lambda: later(),
    "yes": lambda: "yes",
}

def answer(request):
    return KINDS[request.messages[-1]["content"].split()[0]]()
"""

ERRORS = {
    "raises": r"app:answer raised ValueError: boom \x1b[31m",
    "exits": "app:answer raised RuntimeError: SystemExit: 3",
    "none": "app:answer returned nothing",
    "three": "app:answer returned int, not text or an Answer",
    "parts": "app:answer returned an answer that has int as its text",
    "nan": "app:answer returned an answer that Out of range float values are not "
    "JSON compliant",
}
FAILURES = (
    "empty", "broken_json", "long", "surrogate", "escapes", "commands", "markup",
)  # fmt: skip
PASSES = ("later", "yes")


@pytest.fixture
def app_suite(empty_suite: EvalSuite) -> EvalSuite:
    """Return a case for each kind of answer, and a Python test that passes."""
    lines = [f"  - {{id: {kind}, prompt: {kind}}}" for kind in ORDER]
    head = "defaults: {mark: knowledge, facts: [contains: 'yes']}\ncases:"
    empty_suite.write_file("a.eval.yaml", "\n".join([head, *lines, ""]))
    empty_suite.write_file("llm_variants.yaml", APP_VARIANTS)
    empty_suite.write_file("app.py", APP)
    empty_suite.write_file("test_python.py", "def test_python():\n    assert True\n")
    return empty_suite


ORDER = (*ERRORS, *FAILURES, *PASSES)


@pytest.mark.parametrize("arguments", [[], ["-n2"]], ids=["one", "n2"])
def test_what_an_application_returns(
    app_suite: EvalSuite, arguments: list[str]
) -> None:
    """Each kind is an error, a failure or a pass; reports stay well-formed."""
    result = app_suite.run(
        "--junitxml=junit.xml", "--llm-report=report.json", *arguments
    )
    counts = {"errors": len(ERRORS), "failed": len(FAILURES), "passed": 3}
    result.assert_outcomes(**counts)
    shown = result.stdout.str() + result.stderr.str()
    assert "INTERNALERROR" not in shown
    assert not re.search(r"\.py:\d+", shown)
    for number, (kind, message) in enumerate(ERRORS.items(), start=3):
        assert f"ERROR at setup of {kind}[app]" in shown
        assert f"a.eval.yaml:{number}: {message}" in shown
    report = json.loads((app_suite.path / "report.json").read_text("ascii"))
    outcomes = {name: case["outcome"] for name, case in cases_by_id(report).items()}
    assert outcomes == {
        **dict.fromkeys(ERRORS, "error"),
        **dict.fromkeys(FAILURES, "failed"),
        **dict.fromkeys(PASSES, "passed"),
    }
    suite = ET.parse(app_suite.path / "junit.xml").getroot()[0]  # noqa: S314 - ours
    assert suite.get("errors") == str(len(ERRORS))
    assert suite.get("failures") == str(len(FAILURES))


def test_hostile_text_is_shown_as_text(app_suite: EvalSuite) -> None:
    """No control character and no CI command reaches the terminal, in full too."""
    result = app_suite.run("-vv", "--llm-probe=off")
    shown = result.stdout.str()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", shown)
    assert not re.search(r"^\s*(::|##\[)", shown, re.MULTILINE)
    result.stdout.fnmatch_lines([r"*\x1b[[]31mred\x1b[[]0m\x9b*"])


def test_errors_never_vote(app_suite: EvalSuite) -> None:
    """They are counted apart: neither a failure nor a case of the rates."""
    report = app_suite.report("--llm-probe=off")
    (variant,) = cast("list[JsonObject]", report["variants"])
    rates = cast("JsonObject", variant["rates"])
    knowledge = cast("JsonObject", rates["knowledge"])
    assert knowledge["failed"] == len(FAILURES)
    assert knowledge["cases"] == len(FAILURES) + len(PASSES)


def test_when_nothing_is_answered_no_verdict_is_given(app_suite: EvalSuite) -> None:
    """Errors alone are not "no failures"."""
    result = app_suite.run("-k", "raises")
    result.assert_outcomes(errors=1, deselected=len(ORDER))
    result.stdout.fnmatch_lines(["verdict: none: no case was answered and graded."])
    result.stdout.no_fnmatch_line("*NO FAILURES*")


def test_a_call_that_hangs_is_an_error(
    app_suite: EvalSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends after `--llm-timeout`, and no other case waits for it."""
    monkeypatch.setattr(RetryPolicy, "pause", lambda *_, **__: None)
    hanging = APP.replace('"yes": lambda: "yes"', '"yes": lambda: time.sleep(60)')
    app_suite.write_file("app.py", hanging)
    result = app_suite.run("-k", "yes or later", "--llm-timeout=0.2")
    result.assert_outcomes(passed=1, errors=1, deselected=len(ORDER) - 1)
    late = "a.eval.yaml:17: app:answer did not answer within 0.2 s"
    result.stdout.fnmatch_lines([late])


def test_an_async_application(app_suite: EvalSuite) -> None:
    """A coroutine function is awaited."""
    app_suite.write_file("app.py", "async def answer(request):\n    return 'yes'\n")
    app_suite.run().assert_outcomes(passed=len(ORDER) + 1)


def test_probes_whose_calls_fail(app_suite: EvalSuite) -> None:
    """The failure stands; its cause is the infrastructure, not the model."""
    app_suite.write_file(
        "app.py",
        """\
        def answer(request):
            if request.arm != "first":
                raise ValueError("gone")
            return "no"
        """,
    )
    report = app_suite.report("-k", "long or yes")
    causes = {name: case["cause"] for name, case in cases_by_id(report).items()}
    assert causes == dict.fromkeys(["long", "yes"], "infrastructure")


def test_probes_that_cannot_be_asked(app_suite: EvalSuite) -> None:
    """All first answers are stored, but the application is gone: said in a note."""
    app_suite.run("-k", "long", "--llm-probe=off")
    app_suite.write_file("app.py", "raise OSError('no GPU')\n")
    result = app_suite.run("-k", "long")
    result.assert_outcomes(failed=1, deselected=len(ORDER))
    shown = " ".join(result.stdout.str().split())
    assert "note: 1 failure not probed: " in shown
    assert "--llm-probe standard" not in shown
    assert ":2: cannot import 'app': OSError: no GPU; looked in" in shown


# -- checks that cannot tell --------------------------------------------------

UNDECIDED = """\
from pytest_llm_diagnosis.checks.protocol import BoundCheck, CheckType, Example
from pytest_llm_diagnosis.records import Answer

class Oracle(BoundCheck):
    def grade(self, answer):
        if answer.text == "yes":
            raise RuntimeError("the oracle is asleep")
        return self.undecided("oracle:silent", "the oracle is silent")

def pytest_llm_register_checks(registry):
    example = Example(
        params=None, passing=Answer(), failing=Answer(), code="oracle:silent"
    )
    registry.register(
        CheckType(
            name="oracle",
            summary="Asks the oracle.",
            parameters={},
            bind=lambda spec: Oracle(spec=spec),
            example=example,
        )
    )
"""


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("yes", "oracle cannot decide: the check raised RuntimeError: 'the oracle is "),
        ("long", "oracle cannot decide: the oracle is silent"),
    ],
)
def test_an_undecided_check_is_an_error(
    app_suite: EvalSuite, kind: str, reason: str
) -> None:
    """What cannot be graded is not failed; the check and its reason are named."""
    app_suite.write_file("conftest.py", UNDECIDED)
    text = f"{{id: a, mark: knowledge, prompt: {kind}, facts: [oracle]}}"
    app_suite.write_file("a.eval.yaml", f"cases:\n  - {text}\n")
    result = app_suite.run()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([f"a.eval.yaml:2: {reason}*"])


# -- Python tests ---------------------------------------------------------------

PYTHON = """\
import json
import pytest

@pytest.mark.knowledge
def test_no_answer(llm):
    assert llm("raises").text

def test_unmarked(llm):
    assert llm("none").text

@pytest.mark.behavior
def test_raises(llm):
    assert json.loads(llm("broken_json").text)

@pytest.mark.behavior
def test_fails(llm):
    if llm("commands").text:
        pytest.fail("no good")

RUNS = []

@pytest.mark.behavior
def test_raises_when_asked_again(llm):
    RUNS.append(llm("empty").text)
    if len(RUNS) > 1:
        raise KeyError("again")
    assert RUNS[0]

@pytest.mark.knowledge
@pytest.mark.xfail
def test_known(llm):
    assert "yes" in llm("empty").text
"""


def test_python_tests_of_a_broken_application(app_suite: EvalSuite) -> None:
    """A call that failed is an error at the line that asked, without a traceback."""
    app_suite.write_file("test_python.py", PYTHON)
    result = app_suite.run("test_python.py", "--tb=short")
    lines = [
        r"test_python.py:6: app:answer raised ValueError: boom \x1b[[]31m",
        "test_python.py:9: app:answer returned nothing",
    ]
    for line in lines:
        result.stdout.fnmatch_lines([line])
    shown = result.stdout.str()
    assert "INTERNALERROR" not in shown
    assert "pytest_llm_diagnosis" not in shown
    outcomes = {name: case["outcome"] for name, case in python_cases(app_suite).items()}
    assert outcomes == {
        "test_no_answer": "error",
        "test_raises": "error",
        "test_fails": "failed",
        "test_raises_when_asked_again": "failed",
        "test_known": "skipped",
    }
    result.assert_outcomes(errors=2, failed=3, xfailed=1)


def python_cases(suite: EvalSuite) -> dict[str, JsonObject]:
    """Return the Python tests of a report."""
    return cases_by_id(suite.report("test_python.py", "--llm-probe=off"))

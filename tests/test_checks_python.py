"""python: a function of the user's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from checking import REGISTRY, refusal, spec_of
from pytest_llm_diagnosis.grading import grade
from pytest_llm_diagnosis.records import Answer, Json

OWN = """\
def short(answer, most=5):
    return len(answer.text) <= most

def told(answer):
    return False, "too plain"

def unclear(answer):
    return "yes"

def raises(answer):
    raise KeyError("x")

class Strict:
    def __call__(self, answer):
        return answer.text == "!"

strict = Strict()
number = 5
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a module of checks."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "own_checks_of_test.py").write_text(OWN, encoding="utf-8")
    monkeypatch.delitem(__import__("sys").modules, "own_checks_of_test", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("params", "passed", "code", "reason"),
    [
        ("own_checks_of_test:short", True, None, ""),
        (
            {"call": "own_checks_of_test:short", "with": {"most": 1}},
            False,
            "python:false",
            "own_checks_of_test:short says no: 'Hi.'",
        ),
        ("own_checks_of_test:told", False, "python:false", "too plain"),
        (
            "own_checks_of_test:unclear",
            None,
            "python:unclear",
            "own_checks_of_test:unclear returned str, not True or False",
        ),
        (
            "own_checks_of_test:raises",
            None,
            "check:raised",
            "the check raised KeyError: \"'x'\"",
        ),
        (
            {"call": "own_checks_of_test:short", "with": {"least": 1}},
            None,
            "check:raised",
            None,
        ),
        (
            "own_checks_of_test:strict",
            False,
            "python:false",
            "own_checks_of_test:strict says no: 'Hi.'",
        ),
    ],
)
def test_what_a_function_says(
    *,
    folder: Path,
    params: Json,
    passed: bool | None,
    code: str | None,
    reason: str | None,
) -> None:
    """True passes, False fails with a reason, anything else is ungraded."""
    check = REGISTRY.bind(spec_of("python", params, folder=folder))
    (verdict,) = grade(Answer(text="Hi."), [check]).facts
    assert (verdict.passed, verdict.code) == (passed, code)
    if reason is not None:
        assert verdict.reason == reason


@pytest.mark.parametrize(
    ("params", "finding"),
    [
        ("own_checks_of_test", "python 'own_checks_of_test' does not name a callable"),
        (
            "own_checks_of_test:shrt",
            "module 'own_checks_of_test' has no attribute 'shrt'",
        ),
        (
            "own_checks_of_test:number",
            "python 'own_checks_of_test:number' is not callable: it is a int",
        ),
        (
            "own_none:x",
            "cannot import 'own_none': ModuleNotFoundError: No module named 'own_none'",
        ),
    ],
)
def test_what_is_not_there_is_found_at_once(
    folder: Path, params: Json, finding: str
) -> None:
    """The case's line tells it, before anything is asked."""
    assert refusal("python", params, folder=folder).finding == finding

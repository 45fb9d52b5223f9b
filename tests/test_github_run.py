"""What GitHub Actions is told: annotations in the log, and a step summary."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conftest import EvalSuite
from diagnosed import result
from pytest_llm_diagnosis.diagnosis import diagnose
from pytest_llm_diagnosis.records import CaseResult, Finding, Grade, RunFacts, Verdict
from pytest_llm_diagnosis.report.annotations import annotation_lines
from pytest_llm_diagnosis.report.view import View


def lines(results: list[CaseResult], folder: str = "", *expected: str) -> list[str]:
    """Return the commands for a run of these results."""
    shown = View(
        run=RunFacts(seed=7, started=""),
        results=tuple(results),
        diagnosis=diagnose(results, seed=7),
    )
    return list(annotation_lines(shown, folder=folder, expected=expected))


def failing(reason: str, name: str = "a", **keys: str) -> CaseResult:
    """Return a failing case with this finding."""
    verdict = Verdict(check="a", passed=False, code="a:missing", reason=reason)
    grades = Grade(facts=(verdict,))
    return replace(result(name, "failed", grades=grades, line=4), **keys)  # type: ignore[arg-type]


def test_a_failing_case_is_marked_in_its_file() -> None:
    """With what was found, and why it fails where that is known."""
    known = replace(failing("got 30"), finding=Finding(cause="knowledge"))
    assert lines([known], "evals/") == [
        (
            "::error file=evals/x.eval.yaml,line=4,title=a (knowledge) of base::"
            "a:missing: got 30 (cause: knowledge)"
        )
    ]


def test_an_error_of_a_call_is_marked_as_such() -> None:
    """It tells the provider's message."""
    broken = replace(result("a", "error", line=7), message="503\noverloaded")
    assert lines([broken]) == [
        (
            "::error file=x.eval.yaml,line=7,title=a (knowledge) of base::"
            "no answer: 503 overloaded"
        )
    ]


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("100%0A::error::x", "100%250A::error::x"),
        ("x\r\n::stop-commands::y", "x\\r \\x3a:stop-commands::y"),
        ("x\r::error::y", "x\\r::error::y"),
        ("##[error]x", "\\x23#[error]x"),
        ("\x1b[31m\ud800", "\\x1b[31m\\ud800"),
    ],
)
def test_model_text_forges_no_command(reason: str, shown: str) -> None:
    """One line, one command, percent signs escaped as the toolkit does."""
    (line,) = lines([failing(reason)])
    assert line.endswith(f"::a:missing: {shown}")
    assert len(line.splitlines()) == 1


def test_names_end_no_property() -> None:
    """Colons and commas of a file and a case are escaped."""
    (line,) = lines([failing("x", "a,b::c", file="d,e:f%.yaml")])
    assert line == (
        "::error file=d%2Ce%3Af%25.yaml,line=4,title=a%2Cb%3A%3Ac (knowledge) of base"
        "::a:missing: x"
    )


def test_ten_are_shown_and_the_rest_counted() -> None:
    """Failures go before errors; what is expected to fail is not told."""
    results = [
        result("broken", "error"),
        *(failing("x", f"c-{n}") for n in range(12)),
    ]
    told = lines(results, "", results[1].nodeid)
    assert [line.split(" ")[0] for line in told] == ["::error"] * 10 + ["::notice::2"]
    assert "title=c-1 " in told[0]
    assert told[-1] == (
        "::notice::2 cases more failed or got no answer: see the summary"
    )


# -- runs ------------------------------------------------------------------


def commands(run: pytest.RunResult) -> list[str]:
    """Return the lines that GitHub takes for commands."""
    return [line for line in run.outlines if line.lstrip().startswith("::")]


@pytest.mark.parametrize("arguments", [[], ["-n2"]], ids=["one", "n2"])
def test_a_run_on_github(
    suite: EvalSuite, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """Each failing case is told once, in its place in the checkout, with its cause."""
    summary = suite.path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(suite.path.parent))
    told = commands(suite.run(*arguments))
    place = f"file={suite.path.name}/a.eval.yaml,line="
    assert [line.partition("::a")[0].split(",title=")[0] for line in told] == [
        f"::error {place}{line}" for line in (4, 11, 18)
    ]
    assert told[0].endswith("in 'You have 30 days.' (cause: knowledge)")
    text = summary.read_text("utf-8")
    assert text.count("## LLM diagnosis") == 1
    assert "<summary>3 cases failed</summary>" in text


def test_elsewhere_nothing_is_told(suite: EvalSuite) -> None:
    """A terminal is no log of GitHub."""
    assert commands(suite.run()) == []


def test_expected_failures_are_not_told(
    suite: EvalSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A case marked xfail is no error of the run."""
    text = (suite.path / "a.eval.yaml").read_text("utf-8")
    xfail = text.replace("- id: capital", "- id: capital\n    xfail: not yet")
    suite.write_file("a.eval.yaml", xfail)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    told = commands(suite.run())
    assert len(told) == 2
    assert not any("capital" in line for line in told)


def test_a_summary_that_cannot_be_written_fails_no_run(
    good_suite: EvalSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said; nobody asked for that page."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(good_suite.path))
    run = good_suite.run()
    assert run.ret == pytest.ExitCode.OK
    run.stdout.fnmatch_lines(["*: the report is not written: Is a directory"])


def test_a_report_is_written_as_markdown(suite: EvalSuite) -> None:
    """`--llm-report` takes several formats in one run."""
    suite.report("--llm-report=report.md")
    text = (suite.path / "report.md").read_text("utf-8")
    assert text.startswith("## LLM diagnosis\n\n**base**: verdict: TOO LITTLE DATA.")
    assert "| a.eval.yaml:4 boots-window | knowledge | base | knowledge |" in text


def test_an_unknown_format_is_refused(suite: EvalSuite) -> None:
    """Before anything is asked."""
    run = suite.run("--llm-report=report.txt")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(["*unknown format '.txt'; valid: .json, .md, .html"])


def test_a_run_without_evals_has_no_summary(
    empty_suite: EvalSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was diagnosed."""
    summary: Path = empty_suite.path / "summary.md"
    empty_suite.write_file("test_python.py", "def test_python():\n    assert True\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    empty_suite.run("--llm-probe=off")
    assert not summary.exists()

"""The command line: saved reports and schemas, without any call."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import EvalSuite, block
from pytest_llm_diagnosis.cli import main


def test_a_saved_report_is_diagnosed_again(
    suite: EvalSuite, capsys: pytest.CaptureFixture[str]
) -> None:
    """The summary of a saved report is that of the run, word for word."""
    report = suite.path / "report.json"
    result = suite.run(
        "--llm-variant=all", f"--llm-report={report}", "-q", "--tb=no", "-rN"
    )
    printed = block(result, "llm diagnosis", r"^\d+ failed").splitlines()[1:]
    capsys.readouterr()
    assert main(["report", str(report)]) == 0
    again = capsys.readouterr().out.rstrip("\n").splitlines()
    assert again == printed


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("{", "not a report of this plugin"),
        ("[]", "not a report of this plugin"),
        ('{"schema": 99}', "schema 99, this version reads 1"),
        ('{"schema": 1}', "not a report of this plugin: 'run'"),
        ('{"schema": 1, "run": [], "cases": []}', "not a report of this plugin"),
    ],
)
def test_what_is_no_report_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, finding: str
) -> None:
    """The file and the finding, status 2, no traceback."""
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    assert main(["report", str(path)]) == 2
    error = capsys.readouterr().err
    assert finding in error
    assert str(path) in error
    assert "Traceback" not in error


def test_a_missing_report_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Status 2, and the name of the file."""
    assert main(["report", "nowhere.json"]) == 2
    assert "nowhere.json" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["eval", "variants"])
def test_schemas_are_json_schemas(
    capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """Editors get a valid schema of draft 2020-12."""
    from jsonschema import Draft202012Validator

    assert main(["schema", kind]) == 0
    Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))

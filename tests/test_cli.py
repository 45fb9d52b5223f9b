"""The command line: saved reports and schemas, without any call."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import EvalSuite, block, normal
from pytest_llm_diagnosis.cli import main
from pytest_llm_diagnosis.report.json_report import read_json
from test_run import CONFIRMED, FACTS, MANY_IGNORANT, READS_PASSAGES


def test_a_saved_report_is_diagnosed_again(
    suite: EvalSuite, capsys: pytest.CaptureFixture[str]
) -> None:
    """The summary of a saved report is that of the run, word for word."""
    report = suite.path / "report.json"
    result = suite.run("--llm-variant=all", f"--llm-report={report}", "--tb=no", "-rN")
    printed = block(result, "llm diagnosis", "^=").splitlines()[1:]
    capsys.readouterr()
    assert main(["report", str(report)]) == 0
    again = map(normal, capsys.readouterr().out.rstrip("\n").splitlines())
    assert list(again) == printed


def test_a_confirmed_fix_stays_in_the_report(
    suite: EvalSuite, capsys: pytest.CaptureFixture[str]
) -> None:
    """What `--llm-confirm` found is told again, broken cases by name."""
    suite.write_file("a.eval.yaml", MANY_IGNORANT)
    suite.write_file("docs/facts.md", FACTS)
    suite.write_file("answers.yaml", READS_PASSAGES)
    suite.report("--llm-confirm")
    report, merged = suite.path / "report.json", suite.path / "merged.json"
    capsys.readouterr()
    assert main(["report", str(report)]) == 0
    assert CONFIRMED in capsys.readouterr().out
    assert main(["merge", str(report), "-o", str(merged)]) == 0
    assert read_json(merged).confirmations == read_json(report).confirmations


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


@pytest.mark.parametrize("kind", ["eval", "variants", "call"])
def test_schemas_are_json_schemas(
    capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """Editors get a valid schema of draft 2020-12."""
    from jsonschema import Draft202012Validator

    assert main(["schema", kind]) == 0
    Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))


OWN_CHECKS = """\
from pytest_llm_diagnosis.checks import CheckType
from pytest_llm_diagnosis.checks.protocol import BoundCheck, Example
from pytest_llm_diagnosis.records import Answer


class Polite(BoundCheck):
    def grade(self, answer):
        polite = "please" in answer.text
        return self.passed() if polite else self.failed("polite:no", "not polite")


def pytest_llm_register_checks(registry):
    example = Example(
        params=None,
        passing=Answer(text="please"),
        failing=Answer(text="now"),
        code="polite:no",
    )
    registry.register(
        CheckType(
            name="polite",
            summary="The answer says please.",
            parameters={"description": "none", "type": "null"},
            bind=lambda spec: Polite(spec=spec),
            example=example,
            codes=("polite:no",),
        )
    )
"""


@pytest.mark.parametrize("command", [["schema", "eval"], ["checks"]])
def test_registered_checks_belong_to_the_schema(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """Editors complete them, and the reference page has them."""
    conftest = tmp_path / "conftest.py"
    conftest.write_text(OWN_CHECKS, encoding="utf-8")
    assert main([*command, "--conftest", str(conftest)]) == 0
    assert "polite" in capsys.readouterr().out
    assert main(command) == 0
    assert "polite" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "it has no function pytest_llm_register_checks"),
        ("import nothing_of_that_name", "cannot import: ModuleNotFoundError"),
        (
            "def pytest_llm_register_checks(registry): 1 / 0",
            "pytest_llm_register_checks raised ZeroDivisionError: division by zero",
        ),
    ],
)
def test_a_conftest_that_registers_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    """One line says what is wrong with it."""
    conftest = tmp_path / "conftest.py"
    conftest.write_text(text, encoding="utf-8")
    assert main(["schema", "eval", "--conftest", str(conftest)]) == 2
    assert said in capsys.readouterr().err

"""`llm-diagnosis init`: a suite that runs at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_llm_diagnosis.cli import main
from pytest_llm_diagnosis.starting import starter_files


def test_a_new_suite_runs_offline_and_is_diagnosed(pytester: pytest.Pytester) -> None:
    """Two cases fail, one of each kind, and their causes are found."""
    assert main(["init", str(pytester.path)]) == 0
    result = pytester.runpytest_inprocess("--tb=no")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "verdict: TOO LITTLE DATA*",
            "diagnosis of scripted: 2 of 2 cases failed*",
            "  knowledge * 1  gold passage in the prompt",
            "  instruction * 1  explicit instruction",
        ]
    )


def test_retrieval_mends_what_is_not_known(pytester: pytest.Pytester) -> None:
    """The second scripted variant finds the passage."""
    assert main(["init", str(pytester.path)]) == 0
    arguments = ("--llm-variant=scripted_rag", "--llm-probe=off", "--tb=no")
    result = pytester.runpytest_inprocess(*arguments)
    result.assert_outcomes(passed=1, failed=1)


def test_its_recordings_are_those_of_a_run(pytester: pytest.Pytester) -> None:
    """A replay finds every answer, and recording anew changes nothing."""
    assert main(["init", str(pytester.path)]) == 0
    both = "--llm-variant=scripted,scripted_rag"
    replayed = pytester.runpytest_inprocess(both, "--llm-answers=replay", "--tb=no")
    replayed.assert_outcomes(failed=3, passed=1)
    replayed.stdout.no_fnmatch_line("*not probed*")
    pytester.runpytest_inprocess(both, "--llm-record", "--tb=no")
    for name, text in starter_files().items():
        assert (pytester.path / name).read_text(encoding="utf-8") == text


def test_nothing_is_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One file in the way, and none is written."""
    (tmp_path / "answers.yaml").write_text("mine", encoding="utf-8")
    assert main(["init", str(tmp_path)]) == 2
    assert f"{tmp_path / 'answers.yaml'}:1: the file exists" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["answers.yaml"]
    assert (tmp_path / "answers.yaml").read_text(encoding="utf-8") == "mine"


def test_a_new_folder_is_made_and_what_is_next_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every file is named; the last line says what to run."""
    assert main(["init", str(tmp_path / "new")]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = starter_files()
    assert lines[:-1] == [f"wrote {tmp_path / 'new' / name}" for name in names]
    assert lines[-1].startswith("next: run `pytest`")

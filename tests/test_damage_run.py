"""What pytest offers and what a disk does: every option works, nothing is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest

from conftest import EvalSuite
from pytest_llm_diagnosis.errors import StoreError
from pytest_llm_diagnosis.records import JsonObject
from pytest_llm_diagnosis.store import AnswerStore

EVALS = """\
defaults: {mark: knowledge, facts: [contains: "yes"]}
cases:
  - {id: error, prompt: error}
  - {id: failure, prompt: failure}
  - {id: pass, prompt: pass}
"""
ANSWERS = """\
rules:
  - {contains: error, error: {status: 400, message: not like this}}
  - {contains: pass, text: "yes"}
  - {text: "no"}
"""


@pytest.fixture
def suite(good_suite: EvalSuite) -> EvalSuite:
    """Return an error, a failure, a passing case and a passing Python test."""
    good_suite.write_file("good.eval.yaml", EVALS)
    good_suite.write_file("answers.yaml", ANSWERS)
    return good_suite


def told(result: pytest.RunResult) -> str:
    """Return what a run shows, whatever its line breaks."""
    return " ".join(result.stdout.str().split())


def outcomes(report: JsonObject) -> dict[str, object]:
    """Return the outcomes and causes of a report by case."""
    cases = cast("list[JsonObject]", report["cases"])
    return {str(case["id"]): (case["outcome"], case["cause"]) for case in cases}


# -- pytest's options ---------------------------------------------------------


@pytest.mark.parametrize(
    "option",
    [
        "--tb=line",
        "--tb=native",
        "-qq",
        "-vv",
        "-Werror",
        "-pno:cacheprovider",
        "-s",
        "--durations=3",
        "--lf",
        "--ff",
    ],
)
def test_every_option_gives_the_same_outcomes(suite: EvalSuite, option: str) -> None:
    """Neither a warning nor a style of output changes what is found."""
    result = suite.run(option)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    shown = result.stdout.str() + result.stderr.str()
    assert "INTERNALERROR" not in shown
    assert "Crash(" not in shown
    told = "llm base: 1 of 2 failed" if option == "-qq" else "base: 1 of 2 cases failed"
    assert told in shown
    if option != "-qq":
        result.assert_outcomes(passed=2, failed=1, errors=1)


def test_without_a_terminal_the_report_is_written(suite: EvalSuite) -> None:
    """`-p no:terminal` shows nothing and decides the same."""
    silent = suite.report("-pno:terminal")
    assert outcomes(silent) == outcomes(suite.report())


@pytest.mark.parametrize("arguments", [[], ["-n2"]], ids=["one", "n2"])
def test_last_failures_are_run_again(suite: EvalSuite, arguments: list[str]) -> None:
    """`--lf` takes errors and failures; `--ff` takes them first."""
    suite.run(*arguments).assert_outcomes(passed=2, failed=1, errors=1)
    suite.run("--lf", *arguments).assert_outcomes(failed=1, errors=1)
    first = suite.run("--ff", "--co", "-q")
    assert first.outlines[:2] == [
        "good.eval.yaml::error[base]",
        "good.eval.yaml::failure[base]",
    ]


def test_stepwise_goes_on_where_it_stopped(suite: EvalSuite) -> None:
    """`--sw` stops at the first error and goes on from it."""
    suite.run("--sw").assert_outcomes(errors=1)
    suite.run("--sw", "--sw-skip").assert_outcomes(errors=1, failed=1)
    suite.write_file("answers.yaml", ANSWERS.replace('text: "no"', 'text: "yes"'))
    fresh = suite.run("--sw", "--llm-answers=fresh")
    fresh.assert_outcomes(passed=3, deselected=1)


REVERSED = "def pytest_collection_modifyitems(items):\n    items.reverse()\n"


def test_the_order_of_items_changes_nothing(suite: EvalSuite) -> None:
    """In another order the same is found, and the report has the files' order."""
    in_order = suite.report()
    suite.write_file("conftest.py", REVERSED)
    reverse = suite.report("--llm-answers=fresh")
    assert list(outcomes(reverse).items()) == list(outcomes(in_order).items())
    assert reverse["variants"] == in_order["variants"]


# -- the store ------------------------------------------------------------------


def damage(path: Path) -> None:
    """Overwrite the file with what is no database."""
    path.write_bytes(b"\x00\xff" * 4096)


def cut(path: Path) -> None:
    """Leave the file's first page and a bit."""
    path.write_bytes(path.read_bytes()[:5000])


def outdate(path: Path) -> None:
    """Say that a newer version has written the file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def block(path: Path) -> None:
    """Put a folder where the file should be."""
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (damage, "file is not a database; delete the file"),
        (cut, "database disk image is malformed; delete the file"),
        (outdate, "written by a newer version"),
        (block, "unable to open database file; make the folder writable"),
    ],
)
def test_a_store_that_cannot_be_opened(
    suite: EvalSuite, spoil: Callable[[Path], None], why: str
) -> None:
    """The run goes on, asks everything, and says why nothing is kept."""
    suite.run()
    store = suite.path / ".pytest_cache/d/llm-diagnosis/answers.sqlite"
    spoil(store)
    for log in store.parent.glob("answers.sqlite-*"):
        log.unlink()
    result = suite.run()
    result.assert_outcomes(passed=2, failed=1, errors=1)
    assert "note: answers are not kept: " in told(result)
    assert why in told(result)


def test_a_store_that_another_process_locks(
    suite: EvalSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is waited for, for a while."""
    suite.run()
    defaults = {**(AnswerStore.__init__.__kwdefaults__ or {}), "busy_seconds": 0.1}
    monkeypatch.setattr(AnswerStore.__init__, "__kwdefaults__", defaults)
    store = suite.path / ".pytest_cache/d/llm-diagnosis/answers.sqlite"
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        result = suite.run("--llm-probe=off")
    result.assert_outcomes(passed=2, failed=1, errors=1)
    assert "note: answers are not kept: " in told(result)
    assert "another process holds the file" in told(result)


def test_a_disk_that_is_full(suite: EvalSuite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A paid answer that cannot be stored still counts in this run."""

    def full(*_: object) -> bool:
        raise StoreError("answers.sqlite: database or disk is full\n  free some space")

    monkeypatch.setattr(AnswerStore, "put", full)
    result = suite.run()
    result.assert_outcomes(passed=2, failed=1, errors=1)
    assert "answers are not kept: answers.sqlite: database or disk is" in told(result)
    assert told(result).count("disk is full") == 1


def test_without_a_cache_answers_are_not_kept(suite: EvalSuite) -> None:
    """`-p no:cacheprovider` has no folder to keep them in, and says so."""
    result = suite.run("-pno:cacheprovider")
    result.stdout.fnmatch_lines(["note: answers are not kept: pytest's cache is off"])
    assert not (suite.path / ".pytest_cache").exists()


# -- recordings and reports ------------------------------------------------------


def test_a_damaged_recording(suite: EvalSuite) -> None:
    """A replay has its line for each case; the other tests run."""
    suite.run("--llm-record", "--llm-probe=off")
    path = suite.path / "recordings" / "base.jsonl"
    path.write_text("{broken\n", encoding="utf-8")
    finding = "recordings/base.jsonl:1: not a recorded answer: *"
    replayed = suite.run("--llm-answers=replay")
    replayed.assert_outcomes(passed=1, errors=3)
    replayed.stdout.fnmatch_lines([finding])
    recorded = suite.run("--llm-record")
    recorded.assert_outcomes(passed=2, failed=1, errors=1)
    assert "base.jsonl:1: not a recorded answer" in told(recorded)
    assert path.read_text(encoding="utf-8") == "{broken\n"


def test_a_report_that_cannot_be_written(suite: EvalSuite) -> None:
    """It is said in a line, other reports are written, and the run does not pass."""
    suite.write_file("answers.yaml", 'rules: [{text: "yes"}]\n')
    (suite.path / "taken").write_text("", encoding="utf-8")
    result = suite.run("--llm-report=taken/r.json", "--llm-report=ok.json")
    result.assert_outcomes(passed=4)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    line = f"{suite.path}/taken/r.json: the report is not written: *"
    result.stdout.fnmatch_lines([line])
    assert (suite.path / "ok.json").exists()


# -- hooks -------------------------------------------------------------------------


def test_a_hook_that_wants_to_exit(suite: EvalSuite) -> None:
    """It ends the calls of its variant, not the thread that all calls need."""
    text = "import sys\ndef pytest_llm_live_call(variant):\n    sys.exit('no key')\n"
    suite.write_file("conftest.py", text)
    result = suite.run("--llm-probe=off")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "pytest_llm_live_call failed: SystemExit: no key" in result.stdout.str()


def test_a_hook_that_fails_before_the_first_call(suite: EvalSuite) -> None:
    """Its text is the error of the variant's calls, without a traceback."""
    hook = "def pytest_llm_live_call():\n    raise RuntimeError('no server')\n"
    suite.write_file("conftest.py", hook)
    result = suite.run()
    result.assert_outcomes(passed=1, errors=3)
    line = "good.eval.yaml:3: pytest_llm_live_call failed: RuntimeError: no server"
    result.stdout.fnmatch_lines([line])
    assert "conftest.py:" not in result.stdout.str()

"""Runs that are stopped, killed or doubled: nothing is paid twice, all is said."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Protocol, cast

import pytest

from conftest import EvalSuite
from pytest_llm_diagnosis.records import JsonObject

SECONDS = 60
CASES = 12
EVALS = "defaults: {mark: knowledge, facts: [contains: 'yes']}\ncases:\n" + "".join(
    f"  - {{id: c{number}, prompt: q{number}}}\n" for number in range(CASES)
)
APP = """\
import time
from pathlib import Path

def note(name, request):
    with Path(name).open("a") as file:
        file.write(request.messages[-1]["content"] + chr(10))

def answer(request):
    note("asked.txt", request)
    time.sleep(SECONDS)
    note("answered.txt", request)
    return "yes"
"""


@pytest.fixture
def slow_suite(empty_suite: EvalSuite) -> EvalSuite:
    """Return twelve cases of an application that notes what it is asked."""
    empty_suite.write_file("a.eval.yaml", EVALS)
    text = "default: app\nvariants: {app: {call: 'app:answer'}}\n"
    empty_suite.write_file("llm_variants.yaml", text)
    empty_suite.write_file("app.py", APP.replace("SECONDS", "0.2"))
    return empty_suite


# A shell that runs the tests in the background has them ignore Ctrl-C, and a
# child inherits that.
INTERRUPTIBLE = """\
import signal, sys, pytest
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(pytest.main(sys.argv[1:]))
"""


class Begin(Protocol):
    """Starts pytest with options, by default with two calls in flight."""

    def __call__(self, *options: str) -> subprocess.Popen[str]:
        """Return the process, whose output is to be read."""


@pytest.fixture
def begin(slow_suite: EvalSuite) -> Iterator[Begin]:
    """Return what starts a run of the slow suite; none outlives the test."""
    processes: list[subprocess.Popen[str]] = []

    def start(*options: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(  # noqa: S603 - pytest, in a folder of its own
            [
                sys.executable,
                "-c",
                INTERRUPTIBLE,
                *(options or ["--llm-concurrency=2"]),
            ],
            cwd=slow_suite.path,
            env={**os.environ, "COLUMNS": "80", "PY_COLORS": "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate(timeout=SECONDS)


def noted(suite: EvalSuite, name: str) -> list[str]:
    """Return the prompts that the application has noted so far."""
    path = suite.path / name
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def end_at(
    suite: EvalSuite, process: subprocess.Popen[str], answers: int, how: signal.Signals
) -> str:
    """Send a signal once so many answers are there; return what was printed."""
    deadline = time.monotonic() + SECONDS
    while len(noted(suite, "answered.txt")) < answers:
        assert time.monotonic() < deadline, "the answers do not come"
        time.sleep(0.01)
    process.send_signal(how)
    shown, _ = process.communicate(timeout=SECONDS)
    return shown


def test_ctrl_c_keeps_what_is_answered(slow_suite: EvalSuite, begin: Begin) -> None:
    """Exit code 2, a summary of what is there; the next run asks only the rest."""
    shown = end_at(slow_suite, begin(), 4, signal.SIGINT)
    stored = len(noted(slow_suite, "asked.txt"))
    assert 4 <= stored < CASES
    assert "interrupted: this covers only the cases that were reported" in shown
    assert "KeyboardInterrupt" in shown
    assert "INTERNALERROR" not in shown
    rest = begin()
    shown, _ = rest.communicate(timeout=SECONDS)
    assert rest.returncode == 0
    assert f"12 calls planned, {stored} stored" in shown
    assert f"run: {CASES - stored} calls, {stored} stored answers" in shown
    assert len(noted(slow_suite, "asked.txt")) == CASES


def test_sigterm_keeps_what_is_answered(slow_suite: EvalSuite, begin: Begin) -> None:
    """As Ctrl-C, with the same exit code."""
    process = begin()
    shown = end_at(slow_suite, process, 4, signal.SIGTERM)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, shown
    assert "interrupted: this covers only the cases that were reported" in shown
    assert "terminated by SIGTERM" in shown
    asked = len(noted(slow_suite, "asked.txt"))
    assert 4 <= asked < CASES
    rest = begin()
    rest.communicate(timeout=SECONDS)
    assert rest.returncode == 0
    assert len(noted(slow_suite, "asked.txt")) == CASES


def test_sigterm_while_a_case_is_graded(slow_suite: EvalSuite, begin: Begin) -> None:
    """It is not taken for a check that raised."""
    slow_suite.write_file("conftest.py", TERMINATING.replace("CASES", str(CASES)))
    process = begin()
    shown, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, shown
    assert "terminated by SIGTERM" in shown
    assert len(noted(slow_suite, "asked.txt")) < CASES


TERMINATING = """\
import os, signal
from pytest_llm_diagnosis import grading

graded = []
real = grading._verdict

def verdict(*given):
    graded.append(1)
    if len(graded) == CASES + 3:
        os.kill(os.getpid(), signal.SIGTERM)
    return real(*given)

grading._verdict = verdict
"""


def test_ctrl_c_takes_what_workers_know(slow_suite: EvalSuite, begin: Begin) -> None:
    """What they asked is counted, and recorded, though xdist tells of no end."""
    process = begin("-n2", "--llm-concurrency=2", "--llm-report=r.json", "--llm-record")
    shown = end_at(slow_suite, process, 4, signal.SIGINT)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, shown
    asked = len(noted(slow_suite, "asked.txt"))
    assert f"run: {asked} calls, 0 stored answers" in shown
    report = json.loads((slow_suite.path / "r.json").read_text(encoding="ascii"))
    assert (report["run"]["calls"], report["run"]["usd"]) == (asked, None)
    assert report["run"]["selection"] == "app"
    assert list((slow_suite.path / "recordings").iterdir())


def test_ctrl_c_leaves_calls_that_hang(slow_suite: EvalSuite, begin: Begin) -> None:
    """They get two seconds; the exit code is pytest's own."""
    slow_suite.write_file("app.py", APP.replace("SECONDS", HANGING))
    process = begin()
    started = time.monotonic()
    end_at(slow_suite, process, 2, signal.SIGINT)
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert time.monotonic() - started < 10


def test_sigterm_ends_workers_without_an_option(
    slow_suite: EvalSuite, begin: Begin
) -> None:
    """The controller, which knows of evals only by its workers, ends politely."""
    hanging = "0 if request.messages[-1]['content'] == 'q0' else 60"
    slow_suite.write_file("app.py", APP.replace("SECONDS", hanging))
    process = begin("-n1")
    shown = end_at(slow_suite, process, 1, signal.SIGTERM)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, shown
    assert re.search(r"^run: [1-9]\d* calls", shown, re.MULTILINE), shown


NOISY_END = """\
import os, signal

def pytest_llm_case_result(config, result):
    os.kill(os.getpid(), signal.SIGTERM)

def pytest_sessionfinish():
    os.kill(os.getpid(), signal.SIGTERM)
"""


@pytest.mark.parametrize("workers", [[], ["-n1"]])
def test_a_second_sigterm_leaves_the_summary(
    slow_suite: EvalSuite, begin: Begin, workers: list[str]
) -> None:
    """It comes while the calls in flight are waited for."""
    slow_suite.write_file("conftest.py", NOISY_END)
    process = begin(*workers, "-q")
    shown, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, shown
    assert re.search(r"^run: [1-9]\d* calls", shown, re.MULTILINE), shown


@pytest.mark.parametrize("workers", [[], ["-n2"]])
def test_calls_are_told_where_no_case_is_reported(
    slow_suite: EvalSuite, begin: Begin, workers: list[str]
) -> None:
    """An interrupt while the first case is waited for: its neighbour was paid."""
    hanging = "60 if request.messages[-1]['content'] in ('q0', 'q2') else 0"
    slow_suite.write_file("app.py", APP.replace("SECONDS", hanging))
    process = begin("--llm-concurrency=4", *workers)
    shown = end_at(slow_suite, process, 1, signal.SIGINT)
    assert "no tests ran" in shown or workers
    assert re.search(r"^run: [1-9]\d* calls", shown, re.MULTILINE), shown


HANGING = "0 if request.messages[-1]['content'] in ('q0', 'q1') else 60"


def test_a_killed_run_is_resumed_at_once(slow_suite: EvalSuite, begin: Begin) -> None:
    """Answers are kept as they come; claims of the dead hold up nobody."""
    process = begin()
    end_at(slow_suite, process, 4, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    asked = noted(slow_suite, "asked.txt")
    started = time.monotonic()
    result = slow_suite.run("--llm-concurrency=12")
    assert time.monotonic() - started < 10
    result.assert_outcomes(passed=CASES)
    again = noted(slow_suite, "asked.txt")[len(asked) :]
    # Answered and written down, but killed before it was committed: two at most.
    assert len(set(asked) & set(again)) <= 4
    assert {*asked, *again} == {f"q{number}" for number in range(CASES)}


def test_two_runs_pay_nothing_twice(slow_suite: EvalSuite, begin: Begin) -> None:
    """A second terminal takes the answers that the first is waiting for."""
    runs = [begin(), begin()]
    shown = [run.communicate(timeout=SECONDS)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert all(f"{CASES} passed" in text for text in shown)
    asked = noted(slow_suite, "asked.txt")
    assert len(asked) == len(set(asked)) == CASES


def test_the_first_failure_stops_the_calls(slow_suite: EvalSuite) -> None:
    """With `-x` the calls that have not begun never do."""
    slow_suite.write_file("app.py", APP.replace("SECONDS", "0.05").replace("yes", "no"))
    result = slow_suite.run("-x", "--llm-concurrency=1", "--llm-probe=off")
    result.assert_outcomes(failed=1)
    assert len(noted(slow_suite, "asked.txt")) < CASES


@pytest.mark.parametrize("arguments", [["-x"], ["-x", "-n2"]])
def test_stopping_shows_what_is_there(
    good_suite: EvalSuite, arguments: list[str]
) -> None:
    """A report of the cases so far is written, and nothing crashes."""
    good_suite.write_file("answers.yaml", "rules: [{text: 'no'}]\n")
    report = good_suite.report(*arguments)
    (case,) = cast("list[JsonObject]", report["cases"])
    assert case["outcome"] == "failed"


def test_a_budget_of_nothing_asks_nothing(good_suite: EvalSuite) -> None:
    """`--llm-max-calls=0` skips what is not stored, and replays what is."""
    good_suite.run("--llm-max-calls=0").assert_outcomes(passed=1, skipped=1)
    good_suite.run()
    good_suite.run("--llm-max-calls=0").assert_outcomes(passed=2)


@pytest.mark.parametrize("option", ["--setup-plan", "--setup-only", "--co"])
def test_a_plan_asks_nothing(slow_suite: EvalSuite, option: str) -> None:
    """What pytest would do is shown without a call."""
    result = slow_suite.run(option)
    assert result.ret == 0
    assert noted(slow_suite, "asked.txt") == []
    result.stdout.fnmatch_lines(["*c11*app*"])

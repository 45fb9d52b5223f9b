"""Under xdist a run comes to what one process comes to, and stops as it does."""

from __future__ import annotations

import time
from typing import cast

import pytest

from comparing import cases_of, run_of, told
from conftest import EvalSuite
from pytest_llm_diagnosis.records import JsonObject

CASES = 9
EVALS = """\
cases:
  - id: c{n}
    each: rows.csv
    mark: knowledge
    cluster: "{n}"
    prompt: What is item {n}?
    evidence: docs/facts.md#item-{n}
    facts: [{contains: "w{n}"}]
"""
APP = """\
import re
import time
from pathlib import Path

def answer(request):
    prompt = request.messages[-1]["content"].replace(chr(10), " ")
    with (Path(__file__).parent / "asked.txt").open("a") as file:
        file.write(prompt + chr(10))
    time.sleep(SECONDS)
    number = re.search("What is item (.*?)[?]", prompt)[1]
    right = (f"is w{number}" in prompt) != (number == "8")
    return f"It is w{number}." if right else "I cannot say."
"""


@pytest.fixture
def app_suite(empty_suite: EvalSuite) -> EvalSuite:
    """Return nine cases of an application that notes what it is asked.

    It reads what it is shown, but for item 8, which it knows by heart.
    """
    rows = "\n".join(["n", *map(str, range(CASES))])
    facts = (f"# Item {n}\n\nItem {n} is w{n}.\n" for n in range(CASES))
    empty_suite.write_file("a.eval.yaml", EVALS)
    empty_suite.write_file("rows.csv", f"{rows}\n")
    empty_suite.write_file("docs/facts.md", "\n".join(facts))
    text = "default: app\nvariants: {app: {call: 'app:answer'}}\n"
    empty_suite.write_file("llm_variants.yaml", text)
    empty_suite.write_file("app.py", APP.replace("SECONDS", "0.05"))
    return empty_suite


def asked(suite: EvalSuite) -> list[str]:
    """Return what was asked since the last look, in no order."""
    path = suite.path / "asked.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return sorted(lines)


def test_the_plan_is_shown_before_the_first_call(app_suite: EvalSuite) -> None:
    """Once, and before xdist begins to hand out tests."""
    result = app_suite.run("-n2", "--tb=no")
    result.stdout.fnmatch_lines(
        ["llm: 9 calls planned, 0 stored; up to 9 failures probed", "2 workers*"]
    )
    assert result.stdout.str().count("calls planned") == 1
    again = app_suite.run("-n2", "--tb=no")
    again.stdout.fnmatch_lines(["llm: 9 calls planned, 9 stored; *"])


@pytest.mark.parametrize("option", ["--setup-plan", "--co", "-q"])
def test_where_nothing_is_asked_nothing_is_planned(
    app_suite: EvalSuite, option: str
) -> None:
    """`-q` hides the line, a dry run has none; nobody waits for it."""
    began = time.monotonic()
    result = app_suite.run("-n1", option, "--tb=no")
    result.stdout.no_fnmatch_line("*calls planned*")
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("workers", ["-n2", "-n4"])
@pytest.mark.parametrize("arguments", [[], ["--llm-probe-max=2"]])
def test_workers_ask_what_one_process_asks(
    app_suite: EvalSuite, workers: str, arguments: list[str]
) -> None:
    """The same calls, probes included, and the same report."""
    fresh = ["--llm-answers=fresh", *arguments]
    one, calls = app_suite.report(*fresh), asked(app_suite)
    several = app_suite.report(workers, *fresh)
    assert told(several) == told(one)
    if arguments:
        # Without a limit workers, which cannot see when it is settled, probe on.
        assert asked(app_suite) == calls


def test_a_budget_is_shared_out(app_suite: EvalSuite) -> None:
    """Three workers make no more calls than one may."""
    report = app_suite.report("-n3", "--llm-max-calls=5", "--llm-probe=off")
    assert len(asked(app_suite)) <= 5
    outcomes = [case["outcome"] for case in cases_of(report)]
    assert outcomes.count("skipped") >= CASES - 5


KILLING = """\
import os, signal
from pathlib import Path

def answer(request):
    prompt = request.messages[-1]["content"]
    killed = Path(__file__).parent / "killed.txt"
    if "item 8" in prompt and not killed.exists():
        killed.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return "w" + prompt.split("item ")[1].split("?")[0]
"""


def test_a_killed_worker_is_noted(app_suite: EvalSuite) -> None:
    """What it paid is not known; what it was about to ask is asked by another."""
    app_suite.write_file("app.py", KILLING)
    report = app_suite.report("-n1", "--llm-concurrency=1", "--tb=no")
    run = run_of(report)
    assert "worker gw0 ended before it could tell what it paid" in cast(
        "list[str]", run["notes"]
    )
    assert run["usd"] is None
    assert [case["outcome"] for case in cases_of(report)].count("passed") >= CASES - 1


@pytest.mark.parametrize("most", [CASES, 5])
def test_workers_count_their_calls_together(app_suite: EvalSuite, most: int) -> None:
    """A limit is that of the run: what it allows is asked, whoever asks it."""
    report = app_suite.report("-n2", f"--llm-max-calls={most}", "--llm-probe=off")
    assert len(asked(app_suite)) == most
    skipped = [case for case in cases_of(report) if case["outcome"] == "skipped"]
    assert len(skipped) == CASES - most
    reasons = {case["message"] for case in skipped}
    assert reasons <= {f"the budget of {most} calls is spent"}


def test_a_stop_reaches_every_worker(app_suite: EvalSuite) -> None:
    """With `-x` no worker goes on asking, nor reports what was not asked."""
    app_suite.write_file("app.py", APP.replace("SECONDS", "0.3"))
    report = app_suite.report("-x", "-n2", "--llm-concurrency=2")
    assert len(asked(app_suite)) < CASES
    assert {case["outcome"] for case in cases_of(report)} <= {"failed", "passed"}
    assert run_of(report)["interrupted"] is True


def test_a_stop_makes_no_cause(app_suite: EvalSuite) -> None:
    """Probes that were stopped have found nothing, an outage least of all."""
    report = app_suite.report("-x", "--llm-concurrency=1")
    assert [case["cause"] for case in cases_of(report)] == [None]


@pytest.mark.parametrize("arguments", [[], ["--llm-record"]])
def test_a_fix_is_confirmed_after_the_workers(
    app_suite: EvalSuite, arguments: list[str]
) -> None:
    """The controller asks, from the same store, and tells what one process tells."""
    one = app_suite.report("--llm-confirm", *arguments)["confirmations"]
    calls = asked(app_suite)
    several = app_suite.report("-n2", "--llm-confirm", *arguments)
    assert several["confirmations"] == one
    assert cast("list[JsonObject]", one)[0]["broken"] == ["c8"]
    assert len(calls) > CASES
    assert asked(app_suite) == []


def test_confirming_keeps_to_the_budget(app_suite: EvalSuite) -> None:
    """What the workers have spent is gone."""
    app_suite.report("-n2", "--llm-confirm", "--llm-max-calls=60")
    assert len(asked(app_suite)) <= 60


def test_every_worker_may_run_every_case(app_suite: EvalSuite) -> None:
    """`--dist each` asks each request once, and reports each case once."""
    fresh = ["--llm-answers=fresh", "--llm-probe-max=3"]
    one, calls = app_suite.report(*fresh), asked(app_suite)
    each = app_suite.report("--dist=each", "--tx=2*popen", *fresh)
    assert told(each) == told(one)
    assert asked(app_suite) == calls


@pytest.mark.parametrize("mode", ["loadfile", "loadscope", "loadgroup", "worksteal"])
def test_every_way_to_hand_out_tests_gives_the_same(
    app_suite: EvalSuite, mode: str
) -> None:
    """Who runs a case makes no difference."""
    one = app_suite.report("--llm-probe-max=3")
    other = app_suite.report("-n2", f"--dist={mode}", "--llm-probe-max=3")
    assert run_of(other)["calls"] == 0
    assert [case["nodeid"] for case in cases_of(other)] == [
        case["nodeid"] for case in cases_of(one)
    ]
    assert other["variants"] == one["variants"]

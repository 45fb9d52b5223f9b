"""Gates and baselines in whole runs: the exit code, and what is told of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from conftest import EvalSuite, block
from pytest_llm_diagnosis.cli import main
from pytest_llm_diagnosis.report.json_report import read_json

if TYPE_CHECKING:
    from pathlib import Path

OK, FAILED, USAGE = (
    pytest.ExitCode.OK,
    pytest.ExitCode.TESTS_FAILED,
    pytest.ExitCode.USAGE_ERROR,
)
BROKEN_END = """\
import pytest

@pytest.fixture
def broken():
    yield
    assert False

def test_other(broken):
    pass
"""
QUIET = ("-q", "--tb=no", "--llm-probe=off")


def gates(*texts: str) -> list[str]:
    """Return the options of gates."""
    return [f"--llm-gate={text}" for text in texts]


@pytest.mark.parametrize(
    ("texts", "code", "workers"),
    [
        (["rag: knowledge == 1"], OK, []),
        (["rag: knowledge == 1"], OK, ["-n2"]),
        (["rag: knowledge == 1 and behavior == 1"], FAILED, []),
        (["rag: knowledge == 1", "base: knowledge >= 0.5"], FAILED, []),
        (["rag: knowledge == 1", "base: knowledge >= 0.5"], FAILED, ["-n2"]),
        (["errors == 0", "base, rag: cases == 3"], OK, []),
        (["rga: knowledge == 1"], FAILED, []),
    ],
)
def test_a_gate_decides_for_evals(
    suite: EvalSuite, texts: list[str], code: int, workers: list[str]
) -> None:
    """Evals fail in every one of these runs; all gates must hold."""
    arguments = [*QUIET, "--llm-variant=base,rag", *gates(*texts), *workers]
    result = suite.run(*arguments)
    result.assert_outcomes(failed=4, passed=2)
    assert result.ret == code
    told = "passes, with 4 evals that" if code == OK else "the run fails"
    result.stdout.fnmatch_lines([f"the gate decides for the evals: *{told}*"])


def test_a_gate_fails_a_run_that_pytest_passes(good_suite: EvalSuite) -> None:
    """One case of one cannot show a rate of 90%."""
    result = good_suite.run(*QUIET, *gates("knowledge.low >= 0.9"))
    result.assert_outcomes(passed=2)
    assert result.ret == FAILED
    assert block(result, "^gate", "^2 passed") == (
        "gate FAILED: knowledge.low >= 0.9\n"
        "  base: knowledge.low >= 0.9: does not hold, 1 of 1 passed (95% 21-100%)\n"
        "the gate decides for the evals: the run fails"
    )


@pytest.mark.parametrize(
    ("name", "text", "workers"),
    [
        ("test_other.py", "def test_other():\n    assert False\n", []),
        ("test_other.py", "def test_other():\n    assert False\n", ["-n2"]),
        ("test_other.py", "import no_such_module\n", []),
        ("test_other.py", "import no_such_module\n", ["-n2"]),
        ("broken.eval.yaml", "cases: 3\n", []),
        ("broken.eval.yaml", "cases: 3\n", ["-n2"]),
        ("test_other.py", BROKEN_END, []),
        ("test_other.py", "import os\n\ndef test_other():\n    os._exit(3)\n", ["-n2"]),
    ],
)
def test_a_gate_hides_no_other_failure(
    suite: EvalSuite, name: str, text: str, workers: list[str]
) -> None:
    """A failing test, a file that cannot be collected, a fixture's end."""
    suite.write_file(name, text)
    arguments = [*QUIET, "--continue-on-collection-errors", *gates("errors == 0")]
    result = suite.run(*arguments, *workers)
    assert result.ret == FAILED
    result.stdout.fnmatch_lines(
        ["gate passed: errors == 0", "beside the evals 1 failed or could not*"]
    )


def test_a_gate_hides_no_collection_error_that_ends_the_run(suite: EvalSuite) -> None:
    """The exit code of pytest stands where nothing could be judged."""
    suite.write_file("test_other.py", "import no_such_module\n")
    result = suite.run(*QUIET, *gates("errors == 0"))
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["gate not judged: the run did not come to its end"])


def test_a_run_that_was_cut_is_not_judged(suite: EvalSuite) -> None:
    """What `-x` left out could have failed the gate."""
    result = suite.run(*QUIET, "-x", *gates("errors == 0"))
    assert result.ret == FAILED
    result.stdout.fnmatch_lines(["gate not judged: the run did not come to its end"])


def test_failures_that_no_report_tells_of_stay(suite: EvalSuite) -> None:
    """As of a plugin that fails a run for its coverage."""
    suite.write_file(
        "conftest.py",
        "def pytest_runtest_logfinish(): pass\n"
        "def pytest_collection_finish(session): session.testsfailed += 1\n",
    )
    result = suite.run(*QUIET, "--continue-on-collection-errors", *gates("errors == 0"))
    assert result.ret == FAILED
    result.stdout.fnmatch_lines(["beside the evals 1 failed*"])


def test_evals_written_in_python_are_gated_too(suite: EvalSuite) -> None:
    """Their assertions are evals' failures."""
    suite.write_file(
        "test_app.py",
        "import pytest\n@pytest.mark.knowledge\ndef test_it(llm):\n"
        "    assert '45' in llm('How many?').text\n",
    )
    passing = suite.run(*QUIET, "test_app.py", *gates("failed == 1"))
    assert passing.ret == OK
    failing = suite.run(*QUIET, "test_app.py", *gates("failed == 0"))
    assert failing.ret == FAILED


def test_a_gate_without_a_case_fails(suite: EvalSuite) -> None:
    """On the command line; a project's own gate lets its other tests be run."""
    suite.write_file("test_python.py", "def test_python():\n    pass\n")
    asked = suite.run(*QUIET, "test_python.py", *gates("errors == 0"))
    assert asked.ret == FAILED
    asked.stdout.fnmatch_lines(["gate FAILED: errors == 0", "  undefined, no case ran"])
    suite.pytester.makeini("[pytest]\nllm_gate = errors == 0\n")
    assert suite.run(*QUIET, "test_python.py").ret == OK
    assert suite.run(*QUIET).ret == OK


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            gates("rag: knowlege >= 1"),
            ["*column 6: unknown quantity*", "*knowlege*", "*^"],
        ),
        (gates("no-regression"), ["*needs an earlier report*--llm-baseline*"]),
        (
            [*gates("errors == 0"), "--llm-shard=1/2"],
            ["*cannot judge the whole from one shard*merge --gate*"],
        ),
        (["--llm-baseline=nowhere.json"], ["*nowhere.json: no such file"]),
        (["--llm-baseline=answers.yaml"], ["*answers.yaml:1: not a report*"]),
    ],
)
def test_mistakes_are_told_before_anything_runs(
    suite: EvalSuite, arguments: list[str], told: list[str]
) -> None:
    """A usage error of one block, without a traceback."""
    result = suite.run(*QUIET, *arguments)
    assert result.ret == USAGE
    result.stderr.fnmatch_lines(told)
    assert "Traceback" not in result.stderr.str()


def test_a_project_with_a_gate_can_run_shards(suite: EvalSuite) -> None:
    """As the refusal says: without the gate of the ini file."""
    suite.pytester.makeini("[pytest]\nllm_gate = errors == 0\n")
    assert suite.run(*QUIET, "--llm-shard=1/1").ret == USAGE
    assert suite.run(*QUIET, "--llm-shard=1/1", "-o", "llm_gate=").ret == FAILED


# -- baselines -------------------------------------------------------------

ITEMS = """\
cases:
  - id: item-{n}
    each: rows.csv
    mark: knowledge
    prompt: What is item {n}?
    facts: [contains: "yes"]
"""


@pytest.fixture
def many(empty_suite: EvalSuite) -> EvalSuite:
    """Return forty cases that pass, and their report as `old.json`."""
    rows = "\n".join(["n", *map(str, range(40))])
    empty_suite.write_file("rows.csv", f"{rows}\n")
    empty_suite.write_file("a.eval.yaml", ITEMS)
    variants = "default: base\nvariants: {base: {script: answers.yaml}}\n"
    empty_suite.write_file("llm_variants.yaml", variants)
    empty_suite.write_file("answers.yaml", 'rules: [{text: "yes"}]\n')
    empty_suite.report(*QUIET)
    (empty_suite.path / "report.json").rename(empty_suite.path / "old.json")
    return empty_suite


WORSE = 'rules: [{matches: "item 1[0-9]", text: "no"}, {text: "yes"}]\n'
BASELINE = ("--llm-baseline=old.json", "--llm-answers=fresh")


@pytest.mark.parametrize("workers", [[], ["-n2"]])
def test_no_regression(many: EvalSuite, workers: list[str]) -> None:
    """Ten cases that broke fail it; none does not."""
    same = many.run(*QUIET, *BASELINE, *gates("strict no-regression"), *workers)
    assert same.ret == OK
    many.write_file("answers.yaml", WORSE)
    worse = many.run(*QUIET[1:], *BASELINE, *gates("no-regression"), *workers)
    worse.assert_outcomes(failed=10, passed=30)
    assert worse.ret == FAILED
    worse.stdout.fnmatch_lines(
        [
            "base: FAIL, more cases broke than chance explains*",
            "  0 of 0 failing fixed, 10 of 40 passing broken (mid-p <0.001)",
            "  broken: a.eval.yaml:2 item-10",
            "gate FAILED: no-regression",
        ]
    )


def test_the_comparison_stands_in_the_report(many: EvalSuite) -> None:
    """Also where the report is written in the baseline's place."""
    many.write_file("answers.yaml", WORSE)
    old = many.path / "old.json"
    many.run(*QUIET, *BASELINE, f"--llm-report={old}")
    (one,) = json.loads(old.read_text(encoding="ascii"))["baseline"]["variants"]
    assert (one["result"], len(one["broken"]), one["pairs"]) == ("fail", 10, 40)
    assert read_json(old).comparison is not None


def test_a_baseline_alone_leaves_the_exit_code(many: EvalSuite) -> None:
    """It informs; a gate decides."""
    assert many.run(*QUIET, *BASELINE).ret == OK


# -- the command line ------------------------------------------------------


def reports(suite: EvalSuite) -> tuple[Path, Path]:
    """Return the report of before, and one in which ten cases broke."""
    suite.write_file("answers.yaml", WORSE)
    suite.report(*QUIET, "--llm-answers=fresh")
    return suite.path / "old.json", suite.path / "report.json"


def test_compare(many: EvalSuite, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1 for what is worse, the lines of the run's own summary."""
    old, new = map(str, reports(many))
    capsys.readouterr()
    assert main(["compare", old, new]) == 1
    shown = capsys.readouterr().out
    assert "base: FAIL" in shown
    assert shown.count("broken: a.eval.yaml:2 item-1") == 10
    assert main(["compare", new, old, "--strict"]) == 0
    assert "10 of 10 failing fixed" in capsys.readouterr().out
    assert main(["compare", old, old, "--margin", "1"]) == 0
    assert "INCONCLUSIVE" in capsys.readouterr().out
    assert main(["compare", old, old, "--margin", "1", "--strict"]) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--margin", "-1"], "--margin lies between 0 and 100"),
        (["--margin", "nan"], "--margin lies between 0 and 100"),
    ],
)
def test_compare_refuses(
    many: EvalSuite,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    told: str,
) -> None:
    """A margin that is none; status 2."""
    old = str(many.path / "old.json")
    assert main(["compare", old, old, *arguments]) == 2
    assert told in capsys.readouterr().err


def test_merge_judges_the_whole(
    many: EvalSuite, capsys: pytest.CaptureFixture[str]
) -> None:
    """Shards are gated where they are joined, against a baseline too."""
    many.write_file("answers.yaml", WORSE)
    paths = []
    for number in (1, 2):
        many.report(*QUIET, "--llm-answers=fresh", f"--llm-shard={number}/2")
        report = many.path / "report.json"
        paths.append(str(report.rename(many.path / f"part-{number}.json")))
    old = str(many.path / "old.json")
    whole, part = ["merge", *paths], ["merge", paths[0], "--partial"]
    assert main([*whole, "--gate", "knowledge == 0.75"]) == 0
    assert main([*whole, "--gate", "no-regression", "--baseline", old]) == 1
    assert "base: FAIL" in capsys.readouterr().out
    assert main([*whole, "--gate", "no-regression"]) == 2
    assert main([*whole, "--gate", "knowledge"]) == 2
    assert "column 10: expected one of" in capsys.readouterr().err
    assert main([*part, "--gate", "errors == 0"]) == 2
    assert "cannot judge a part" in capsys.readouterr().err

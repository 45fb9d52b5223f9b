"""Recordings in a run: pruned of cases that are gone, and misses explained."""

from __future__ import annotations

import json

import pytest

from comparing import run_of
from conftest import EvalSuite


def recorded(suite: EvalSuite, variant: str = "base") -> list[str]:
    """Return the cases of a recording, in its order."""
    path = suite.path / "recordings" / f"{variant}.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    return list(dict.fromkeys(json.loads(line)["case"] for line in lines))


TESTS = """\
import pytest


@pytest.mark.knowledge
def test_boots(llm):
    assert llm("How many days for unworn boots?").text


@pytest.mark.knowledge
@pytest.mark.parametrize("number", [1, 2])
def test_number(llm, number):
    assert llm(f"Number {number}?").text
"""


@pytest.fixture
def recorded_suite(suite: EvalSuite) -> EvalSuite:
    """Return the suite with recordings of two variants and of Python tests."""
    suite.write_file("b.eval.yaml", OTHER)
    suite.write_file("test_app.py", TESTS)
    suite.run("--llm-record", "--llm-variant=base,rag")
    assert recorded(suite) == [
        "a.eval.yaml::boots-window",
        "a.eval.yaml::capital",
        "a.eval.yaml::worn-window",
        "b.eval.yaml::other",
        "test_app.py::test_boots",
        "test_app.py::test_number[1]",
        "test_app.py::test_number[2]",
    ]
    return suite


OTHER = "cases: [{id: other, mark: knowledge, prompt: q, facts: [contains: days]}]\n"


@pytest.mark.parametrize("workers", [[], ["-n2"]])
def test_cases_that_are_gone_are_pruned(
    recorded_suite: EvalSuite, workers: list[str]
) -> None:
    """Of every variant, without a call, and only when it is asked for."""
    suite = recorded_suite
    text = (suite.path / "a.eval.yaml").read_text(encoding="utf-8")
    suite.write_file("a.eval.yaml", text.replace("boots-window", "new-boots"))
    (suite.path / "b.eval.yaml").unlink()
    suite.write_file("test_app.py", TESTS.replace("[1, 2]", "[2]"))
    before = recorded(suite)
    suite.run("--llm-answers=replay", *workers)
    assert recorded(suite) == before
    report = suite.report("--llm-answers=replay", "--llm-prune-recordings", *workers)
    for variant in ("base", "rag"):
        assert recorded(suite, variant) == [
            "a.eval.yaml::capital",
            "a.eval.yaml::worn-window",
            "test_app.py::test_boots",
            "test_app.py::test_number[2]",
        ]
    notes = run_of(report)["notes"]
    told = "recordings/rag.jsonl: 3 answers of cases that are gone dropped"
    assert isinstance(notes, list)
    assert told in notes


@pytest.mark.parametrize(
    "selection",
    [["-k", "capital"], ["a.eval.yaml::capital[base]"], ["--llm-shard=1/4"]],
)
def test_cases_that_were_not_selected_are_kept(
    recorded_suite: EvalSuite, selection: list[str]
) -> None:
    """A part of a run is no reason to drop the rest."""
    before = recorded(recorded_suite)
    recorded_suite.run("--llm-answers=replay", "--llm-prune-recordings", *selection)
    assert recorded(recorded_suite) == before


def test_recording_and_pruning_go_together(recorded_suite: EvalSuite) -> None:
    """What is new comes, what is gone goes."""
    suite = recorded_suite
    text = (suite.path / "b.eval.yaml").read_text(encoding="utf-8")
    suite.write_file("b.eval.yaml", text.replace("other", "another"))
    suite.run("--llm-record", "--llm-prune-recordings")
    cases = recorded(suite)
    assert "b.eval.yaml::another" in cases
    assert "b.eval.yaml::other" not in cases


def test_a_probe_that_was_not_recorded_is_told(suite: EvalSuite) -> None:
    """A miss of an arm names the arm, and the nearest request of its case."""
    suite.run("--llm-record", "--llm-probe=off")
    report = suite.report("--llm-answers=replay")
    notes = run_of(report)["notes"]
    assert isinstance(notes, list)
    (note,) = notes
    assert isinstance(note, str)
    assert note.startswith("3 failures not probed: no recorded answer for a.eval.yaml")
    assert "(arm first, trial 0)" in note
    assert "not recorded for arm R, trial 0" in note

"""Fuzzing: whatever a file or an answer holds, a located message or a result.

A few examples of each here; CI's long job tries `FUZZ_EXAMPLES=10000`.
"""

from __future__ import annotations

import json
import os
import re
import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checking import REGISTRY, spec_of
from diagnosed import result
from fuzzing import (
    ANSWERS,
    TYPES,
    changed,
    eval_files,
    params_of,
    slipped,
    variants_files,
)
from pytest_llm_diagnosis.cli import main
from pytest_llm_diagnosis.diagnosis import diagnose
from pytest_llm_diagnosis.errors import InputError
from pytest_llm_diagnosis.grading import RAISED, grade
from pytest_llm_diagnosis.plugin.options import RunOptions
from pytest_llm_diagnosis.plugin.suite import EvalWarning, Suite
from pytest_llm_diagnosis.records import (
    Answer,
    Finding,
    Grade,
    JsonObject,
    RunFacts,
    Verdict,
)
from pytest_llm_diagnosis.report.json_report import write_json
from pytest_llm_diagnosis.report.view import View
from pytest_llm_diagnosis.variants import load_variants

FUZZED = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "25")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
FILES = {
    "docs/a.md": "# One\n\nBoots: 45 days.\n",
    "rows.csv": "x,y\n1,2\n",
    "rows.jsonl": '{"x": 1}\n',
    "schema.json": '{"type": "object"}\n',
    "answers.yaml": 'rules: [{text: "yes"}]\n',
}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with the files that generated ones may name."""
    root = tmp_path_factory.mktemp("fuzzed")
    for name, text in FILES.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    (root / "loop.json").symlink_to(root / "loop.json")
    return root


def assert_located(error: InputError, root: Path) -> None:
    """Check that each problem names a line of a file, and says what is wrong."""
    assert error.problems
    for problem in error.problems:
        path, line = problem.location.path, problem.location.line
        assert path.is_relative_to(root)
        text = path.read_bytes().decode("utf-8-sig")
        lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", text)
        assert 1 <= line <= len(lines), problem
        shown = problem.show(root).splitlines()
        assert re.fullmatch(r"[\w./]+:\d+: .+", shown[0]), shown
        assert len(shown) == 1 + bool(problem.hint), shown
        assert all(line.startswith("  ") for line in shown[1:]), shown


def suite_in(root: Path) -> Suite:
    """Return what the plugin loads eval files with."""
    config = SimpleNamespace(rootpath=root)
    suite = Suite(cast("pytest.Config", config), cast("RunOptions", None))
    suite._registry = REGISTRY
    return suite


@FUZZED
@given(text=eval_files(), answer=ANSWERS)
def test_an_eval_file_is_read_or_refused(
    folder: Path, text: str, answer: Answer
) -> None:
    """Its cases can be graded, or each problem has its line; nothing else happens."""
    path = folder / "a.eval.yaml"
    path.write_text(text, encoding="utf-8", newline="\n")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EvalWarning)
            cases = suite_in(folder).cases(path)
    except InputError as error:
        assert_located(error, folder)
        return
    for prepared in cases:
        verdicts = grade(answer, prepared.checks).verdicts
        assert len(verdicts) == len(prepared.checks)
        assert not [one for one in verdicts if one.code == RAISED]


@FUZZED
@given(text=variants_files())
def test_a_variants_file_is_read_or_refused(folder: Path, text: str) -> None:
    """Its variants are made, or each problem has its line; nothing else happens."""
    path = folder / "llm_variants.yaml"
    path.write_text(text, encoding="utf-8", newline="\n")
    try:
        loaded = load_variants(path, folder, {"HOME": "/", "U": "u"}, live=True)
    except InputError as error:
        assert_located(error, folder)
    else:
        assert loaded.variants


@FUZZED
@given(data=st.data(), answer=ANSWERS)
def test_an_answer_is_graded(folder: Path, data: st.DataObject, answer: Answer) -> None:
    """By every check that binds, with a verdict that can be told anywhere."""
    check_type = data.draw(st.sampled_from(TYPES))
    params = data.draw(params_of(check_type))
    dimension = data.draw(st.sampled_from(check_type.dimensions))
    spec = spec_of(check_type.name, params, dimension, folder)
    spec.location.path.write_text("\n" * spec.location.line, encoding="utf-8")
    try:
        check = REGISTRY.bind(spec)
    except InputError as error:
        assert_located(error, folder)
        return
    (verdict,) = grade(answer, [check]).verdicts
    assert verdict.code != RAISED, verdict.reason
    assert (verdict.code is None) == (verdict.passed is True)
    assert len(verdict.reason) < 5_000
    assert json.loads(json.dumps(verdict.to_dict()))["reason"] == verdict.reason


@pytest.fixture(scope="session")
def report(folder: Path) -> JsonObject:
    """Return a saved report with a failing case, its cause, and a passing one."""
    verdict = Verdict(check="a", passed=False, code="a:missing", reason="not there")
    failed = result("a", "failed", grades=Grade(facts=(verdict,)))
    probed = replace(failed, finding=Finding(cause="knowledge"))
    results = (probed, result("b", "passed"), result("c", "error"))
    view = View(
        run=RunFacts(seed=7, started=""),
        results=results,
        diagnosis=diagnose(results, seed=7),
    )
    write_json(folder / "good.json", view)
    found: JsonObject = json.loads((folder / "good.json").read_text("ascii"))
    return found


@FUZZED
@given(data=st.data())
def test_a_saved_report_is_read_or_refused(
    folder: Path, report: JsonObject, data: st.DataObject
) -> None:
    """The commands show a report that was tampered with, or say it is none."""
    text = json.dumps(data.draw(changed(data.draw(changed(report)))))
    path = folder / "report.json"
    path.write_text(data.draw(st.one_of(st.just(text), slipped(text))), "utf-8")
    for command in ("report", "merge"):
        status = main([command, str(path)])
        assert status in (0, 2)

"""One suite beside each plugin that people have: the diagnosis must not change.

    python tests/compat/check_plugins.py [NAME ...]

Runs with the interpreter it is started with, which has pytest, this plugin, and the
plugins that are named; by default those that are installed.  Exits 1 where a run
differs from the one without any other plugin.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

FILES: Mapping[str, str] = {
    "a.eval.yaml": """\
defaults: {system: You answer for Northwind Outfitters.}
cases:
  - id: boots
    mark: knowledge
    prompt: How many days do customers have to return unworn boots?
    evidence: docs/returns.md#unworn-goods
    facts: [number: {value: 45, unit: days}]
  - id: worn
    mark: knowledge
    prompt: How many days do customers have to exchange worn goods?
    evidence: docs/returns.md#worn-goods
    facts: [number: {value: 10, unit: days}]
    trials: 2
  - id: capital
    mark: behavior
    prompt: What is the capital of France?
    instruction: Answer with one JSON object and nothing else.
    facts: [contains: Paris]
    form: [json]
    ideal: '{"answer": "Paris"}'
  - {id: known, mark: knowledge, prompt: a river?, facts: [contains: Rhine]}
  - {id: down, mark: knowledge, prompt: overloaded?, facts: [contains: x]}
  - {id: late, mark: behavior, prompt: late?, facts: [contains: x], xfail: known}
  - {id: left, mark: behavior, prompt: left?, facts: [contains: x], skip: not now}
""",
    "llm_variants.yaml": """\
default: all
variants:
  base: {script: answers.yaml}
  rag: {extends: base, retrieve: {documents: "docs/**/*.md", top_k: 1}}
""",
    "answers.yaml": """\
rules:
  - {contains: overloaded, error: {status: 400, message: no such model}}
  - {contains: capital, matches: JSON, text: '{"answer": "Paris"}'}
  - {contains: capital, text: Paris it is.}
  - {contains: river, text: The Rhine.}
  - {contains: within 45 days, text: You have 45 days.}
  - {contains: within 10 days, text: You have 10 days.}
  - {text: You have 30 days.}
""",
    "docs/returns.md": """\
# Returns

## Unworn goods

Unworn boots may be returned within 45 days of delivery.

## Worn goods

Worn goods are exchanged once, within 10 days.
""",
    "test_beside.py": """\
import unittest

import pytest


@pytest.mark.knowledge
def test_asks(llm):
    assert "45" in llm("How many days for unworn boots?").text


@pytest.mark.behavior
def test_passes(llm):
    assert llm("a river?").text == "The Rhine."


def test_plain():
    assert True


class TestOld(unittest.TestCase):
    def test_old(self):
        self.assertTrue(True)
""",
    "pytest.ini": "[pytest]\n",
}
ASYNC = """\
import pytest


@pytest.mark.asyncio
@pytest.mark.knowledge
async def test_async(llm):
    assert "45" in llm("How many days for unworn boots?").text


@pytest.mark.asyncio
async def test_async_plain():
    assert True
"""
SUBTESTS = """\
def test_parts(subtests):
    for number in range(3):
        with subtests.test(number=number):
            assert number < 3
"""


class Plugin(NamedTuple):
    """A plugin: its distribution, what `-p` loads, what a run is given, a file."""

    distribution: str
    modules: Sequence[str]
    arguments: Sequence[str] = ()
    file: str = ""


PLUGINS: Mapping[str, Plugin] = {
    "xdist": Plugin("pytest-xdist", ["xdist.plugin"], ["-n2"]),
    "xdist-loadfile": Plugin(
        "pytest-xdist", ["xdist.plugin"], ["-n2", "--dist=loadfile"]
    ),
    "cov": Plugin("pytest-cov", ["pytest_cov.plugin"], ["--cov=."]),
    "cov-xdist": Plugin(
        "pytest-cov", ["pytest_cov.plugin", "xdist.plugin"], ["--cov=.", "-n2"]
    ),
    "asyncio": Plugin("pytest-asyncio", ["pytest_asyncio.plugin"], [], ASYNC),
    "asyncio-auto": Plugin(
        "pytest-asyncio", ["pytest_asyncio.plugin"], ["--asyncio-mode=auto"]
    ),
    "rerunfailures": Plugin(
        "pytest-rerunfailures", ["pytest_rerunfailures"], ["--reruns=2"]
    ),
    "rerunfailures-xdist": Plugin(
        "pytest-rerunfailures",
        ["pytest_rerunfailures", "xdist.plugin"],
        ["--reruns=1", "-n2"],
    ),
    "randomly": Plugin("pytest-randomly", ["pytest_randomly"]),
    "timeout": Plugin("pytest-timeout", ["pytest_timeout"], ["--timeout=120"]),
    "timeout-thread": Plugin(
        "pytest-timeout",
        ["pytest_timeout"],
        ["--timeout=120", "--timeout-method=thread"],
    ),
    "html": Plugin(
        "pytest-html",
        ["pytest_metadata.plugin", "pytest_html.plugin"],
        ["--html=h.html", "--self-contained-html"],
    ),
    "subtests": Plugin("pytest-subtests", ["pytest_subtests.plugin"], [], SUBTESTS),
}


class Ran(NamedTuple):
    """What a run said: of each case, and of each variant."""

    cases: Mapping[str, object]
    verdicts: Mapping[str, object]


def run(folder: Path, plugin: Plugin | None) -> Ran:
    """Run the suite in a new folder, beside a plugin or alone."""
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    modules = ["pytest_llm_diagnosis.plugin", *(plugin.modules if plugin else ())]
    if plugin and plugin.file:
        (folder / "test_theirs.py").write_text(plugin.file, encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "--llm-report=report.json",
            *(part for module in modules for part in ("-p", module)),
            *(plugin.arguments if plugin else ()),
        ],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )  # fmt: skip
    if "INTERNALERROR" in done.stdout + done.stderr or done.returncode != 1:
        raise SystemExit(f"status {done.returncode}\n{done.stdout}\n{done.stderr}")
    return _told(json.loads((folder / "report.json").read_text("ascii")))


def _told(report: dict[str, list[dict[str, object]]]) -> Ran:
    """Return what must be the same: no times, no counts of calls."""
    keys = "outcome", "mark", "cluster", "cause", "costume", "rung", "arms", "note"
    cases = {
        str(one["nodeid"]): {key: one.get(key) for key in keys}
        for one in report["cases"]
        if "test_theirs" not in str(one["nodeid"])
    }
    verdicts = {
        str(one["name"]): {key: one[key] for key in ("rates", "causes", "verdict")}
        for one in report["variants"]
    }
    return Ran(cases, verdicts)


def versions(names: Sequence[str]) -> str:
    """Return the names with their installed versions."""
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)


def _is_installed(plugin: Plugin) -> bool:
    try:
        importlib.metadata.version(plugin.distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def main(names: Sequence[str]) -> int:
    """Compare each plugin's run with the plain one; return the exit status."""
    wanted = names or [name for name, one in PLUGINS.items() if _is_installed(one)]
    print(f"Python {sys.version.split()[0]}, {versions(['pytest', 'pluggy'])}")
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        plain = run(Path(scratch) / "plain", None)
        for name in wanted:
            plugin = PLUGINS[name]
            beside = run(Path(scratch) / name, plugin)
            # A file of a plugin's own may add a case, which moves no other one.
            same = beside.cases == plain.cases and (
                bool(plugin.file) or beside.verdicts == plain.verdicts
            )
            failed += not same
            result = "passed" if same else f"FAILED\n{plain}\n{beside}"
            print(f"{name} ({versions([plugin.distribution])}): {result}", flush=True)
    print(f"{len(wanted) - failed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

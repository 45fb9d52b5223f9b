"""What all tests share: a small eval suite in a temporary folder."""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING

import pytest

# pytester forgets what an inner run imports first; C extensions such as yaml's
# do not survive being imported twice, and importing anew costs each test time.
import pytest_llm_diagnosis.plugin.session
from postgres_server import postgres_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_llm_diagnosis.records import JsonObject

pytest_plugins = ["pytester"]
assert pytest_llm_diagnosis.plugin.session

RETURNS = """\
# Returns

## Unworn goods

Unworn boots may be returned within 45 days of delivery.

## Worn goods

Worn goods are exchanged once, within 10 days.
"""

CASES = """\
defaults:
  system: You answer for Northwind Outfitters.
cases:
  - id: boots-window
    mark: knowledge
    prompt: How many days do customers have to return unworn boots?
    evidence: docs/returns.md#unworn-goods
    facts:
      - number: {value: 45, unit: days}
    ideal: 45 days from delivery.
  - id: worn-window
    mark: knowledge
    prompt: How many days do customers have to exchange worn goods?
    evidence: docs/returns.md#worn-goods
    facts:
      - number: {value: 10, unit: days}
    ideal: 10 days.
  - id: capital
    mark: behavior
    prompt: What is the capital of France?
    instruction: Answer with one JSON object and nothing else.
    facts:
      - contains: Paris
    form: [json]
    ideal: '{"answer": "Paris"}'
"""

VARIANTS = """\
default: base
variants:
  base: {script: answers.yaml}
  rag: {extends: base, retrieve: {documents: "docs/**/*.md", top_k: 1}}
  instructed: {extends: base, system: Answer with JSON.}
"""

ANSWERS = """\
rules:
  - {contains: capital, system: JSON, text: '{"answer": "Paris"}'}
  - {contains: capital, matches: JSON, text: '{"answer": "Paris"}'}
  - {contains: capital, text: The capital of France is Paris.}
  - {contains: within 45 days, text: You have 45 days.}
  - {contains: within 10 days, text: You have 10 days.}
  - {text: You have 30 days.}
"""

GOOD = """\
cases:
  - {id: fine, mark: knowledge, prompt: q, facts: [contains: "yes"]}
"""
SCRIPTED = "default: base\nvariants: {base: {script: answers.yaml}}\n"
YES = 'rules: [{text: "yes"}]\n'
PYTHON = "def test_python():\n    assert True\n"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Return the address of an empty PostgreSQL database that has pgvector."""
    import psycopg

    with postgres_server() as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE EXTENSION vector")
        yield url


@pytest.fixture(autouse=True)
def _off_github(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no inner run tell GitHub of its failures, where these tests run there."""
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)


class EvalSuite:
    """An eval suite in pytester's folder, with what it takes to run it."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path: Path = pytester.path
        pytester.makeini("[pytest]\n")

    def write(self, **files: str) -> None:
        """Write files; `__` in a name is a slash, its last `_` the dot."""
        for name, text in files.items():
            stem, _, ending = name.replace("__", "/").rpartition("_")
            self.write_file(f"{stem}.{ending}", text)

    def write_file(self, name: str, text: str) -> Path:
        """Write one file."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def run(self, *args: str) -> pytest.RunResult:
        """Run pytest here, in this process, at 80 columns without colour."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("COLUMNS", "80")
            patch.setenv("PY_COLORS", "0")
            return self.pytester.runpytest_inprocess(*args)

    def report(self, *args: str) -> JsonObject:
        """Run pytest and return the JSON report."""
        self.run(f"--llm-report={self.path}/report.json", *args)
        text = (self.path / "report.json").read_text(encoding="ascii")
        report: JsonObject = json.loads(text)
        return report


@pytest.fixture
def empty_suite(pytester: pytest.Pytester) -> EvalSuite:
    """Return a folder without any eval file."""
    return EvalSuite(pytester)


@pytest.fixture
def suite(empty_suite: EvalSuite) -> EvalSuite:
    """Return three cases, three variants and a scripted model.

    `base` fails all three; `rag` and `instructed` each mend their side.
    """
    empty_suite.write_file("a.eval.yaml", CASES)
    empty_suite.write_file("llm_variants.yaml", VARIANTS)
    empty_suite.write_file("answers.yaml", ANSWERS)
    empty_suite.write_file("docs/returns.md", RETURNS)
    return empty_suite


@pytest.fixture
def good_suite(empty_suite: EvalSuite) -> EvalSuite:
    """Return one good case and one Python test, which both pass."""
    empty_suite.write_file("good.eval.yaml", GOOD)
    empty_suite.write_file("llm_variants.yaml", SCRIPTED)
    empty_suite.write_file("answers.yaml", YES)
    empty_suite.write_file("test_python.py", PYTHON)
    return empty_suite


def block(result: pytest.RunResult, begin: str, end: str) -> str:
    """Return the lines from the one that matches `begin` to before `end`.

    Times and temporary folders are replaced, so that blocks can be compared.
    """
    lines = [normal(line) for line in result.outlines]
    first = next(i for i, line in enumerate(lines) if re.search(begin, line))
    rest = lines[first + 1 :]
    last = next((i for i, line in enumerate(rest) if re.search(end, line)), len(rest))
    return "\n".join([lines[first], *rest[:last]])


def normal(line: str) -> str:
    """Return a line without what differs from run to run: times, folders."""
    line = re.sub(r"in \d+\.\d+s( \([\d:]+\))?", "in N s", line)
    line = re.sub(r" +[+-]?\d+\.\d\d$", " N s", line)
    return re.sub(r"/\S*/pytest-of-\S+?/\S+?(?=/|\s|$)", "<suite>", line)

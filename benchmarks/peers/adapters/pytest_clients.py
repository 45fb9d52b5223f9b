"""pytest with a client and xdist: what is written without any eval library."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from benchmarks.peers.environments import python_versions, python_with
from benchmarks.peers.peer import Command
from benchmarks.peers.work import Counted, Phase, Work

from .scripts import write_rows

WORKERS = 8

_ROWS = """\
import json, os
from pathlib import Path
import pytest

ROWS = json.loads(Path(__file__).with_name("rows.json").read_text())

@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"item-{row['number']}")
def test_item(row):
    assert row["code"] in ask(row["prompt"])
"""
# Retries as the clients have them: two, the default of both.
_CLIENTS = {
    "litellm": """
import litellm

def ask(prompt):
    reply = litellm.completion(
        model="openai/mock",
        api_base=os.environ["MOCK_URL"],
        messages=[{"role": "user", "content": prompt}],
    )
    return reply.choices[0].message.content
""",
    "openai": """
from openai import OpenAI

client = OpenAI(base_url=os.environ["MOCK_URL"])

def ask(prompt):
    reply = client.chat.completions.create(
        model="mock", messages=[{"role": "user", "content": prompt}]
    )
    return reply.choices[0].message.content
""",
}
_XML = "results.xml"


class PytestClient:
    """The adapter; one call in flight a worker is all that pytest and xdist do."""

    most_in_flight = WORKERS
    phases: frozenset[Phase] = frozenset({"fresh"})

    def __init__(self, client: str, folder: Path) -> None:
        self.name = f"pytest+{client}"
        self._client = client
        self._folder = folder

    def install(self) -> str:
        """Install pytest, xdist and the client."""
        packages = ["pytest", "pytest-xdist", self._client]
        return python_versions(python_with(self._folder, packages), packages)

    def write(self, work: Work) -> None:
        """Write the prompts and the tests."""
        write_rows(work)
        # Its own root, whatever lies above the temporary folder.
        (work.folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        text = _ROWS + _CLIENTS[self._client]
        (work.folder / "test_items.py").write_text(text, encoding="utf-8")

    def command(self, work: Work, phase: Phase) -> Command:
        """Return pytest's command."""
        del phase
        wanted = ["-m", "pytest", "-q", "-n", str(WORKERS), f"--junitxml={_XML}"]
        return Command(
            arguments=[self._folder / "bin" / "python", *wanted],
            # litellm would fetch its price list at import, and wait where there is
            # no network.
            environment={
                "MOCK_URL": work.url,
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            },
            good=frozenset({0, 1}),
        )

    def count(self, work: Work, phase: Phase) -> Counted:
        """Read the JUnit file."""
        del phase
        return count_junit(work.folder / _XML)


def count_junit(path: Path) -> Counted:
    """Count a JUnit file: an assertion that failed had an answer, an exception none."""
    if not path.is_file():
        return Counted(0, 0)
    cases = list(ET.parse(path).getroot().iter("testcase"))  # noqa: S314 - our own run's
    broken = [_finding(case) for case in cases if len(case)]
    wrong = sum(one.startswith(("assert", "AssertionError")) for one in broken)
    passed = len(cases) - len(broken)
    return Counted(passed + wrong, passed)


def _finding(case: ET.Element) -> str:
    for child in case:
        if child.tag in {"failure", "error", "skipped"}:
            return f"{child.get('message')}"
    return ""

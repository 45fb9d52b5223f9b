"""What nothing can be faster than: a bare client, and pytest with nothing to do."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from benchmarks.peers.environments import python_versions
from benchmarks.peers.peer import Command
from benchmarks.peers.work import Counted, Phase, Work

from .scripts import ScriptPeer

_SCRIPT = """\
import asyncio, json, sys
import aiohttp

url, in_flight = sys.argv[1] + "/chat/completions", int(sys.argv[2])
rows = json.load(open("rows.json"))
ATTEMPTS = 100

async def ask(session, prompt):
    body = {"model": "mock", "messages": [{"role": "user", "content": prompt}]}
    for _ in range(ATTEMPTS):
        async with session.post(url, json=body) as reply:
            if reply.status == 200:
                return (await reply.json())["choices"][0]["message"]["content"]
            wait = float(reply.headers.get("retry-after", 0))
        await asyncio.sleep(wait)
    return ""

async def work(session, queue, results):
    for row in queue:
        answer = await ask(session, row["prompt"])
        found = row["code"] in answer
        results.append({"answered": bool(answer), "passed": found})

async def main():
    queue, results = iter(rows), []
    connector = aiohttp.TCPConnector(limit=in_flight)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(work(session, queue, results) for _ in range(in_flight)))
    json.dump(results, open("results.json", "w"))

asyncio.run(main())
"""
_EMPTY = """\
import pytest

class EmptyItem(pytest.Item):
    def runtest(self): pass
    def reportinfo(self): return self.path, 0, self.name

class EmptyFile(pytest.File):
    def collect(self):
        for number in range(int(self.path.read_text())):
            yield EmptyItem.from_parent(self, name=f"item-{number}")

def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".empty":
        return EmptyFile.from_parent(parent, path=file_path)
"""


def bare_client() -> ScriptPeer:
    """Return aiohttp in a loop; it asks again at once, or when Retry-After says."""
    # This environment's aiohttp, which litellm brought.
    return ScriptPeer(
        name="bare-aiohttp", packages=("aiohttp",), script=_SCRIPT, folder=None
    )


class EmptyItems:
    """As many pytest items that do nothing, in this environment.

    Bare items rather than test functions: these cost pytest more, so the ratio to
    them would flatter.
    """

    name = "empty-items"
    most_in_flight = None
    phases: frozenset[Phase] = frozenset({"stored", "replay", "collect"})

    def install(self) -> str:
        """Take this environment's pytest."""
        return python_versions(sys.executable, ["pytest"])

    def write(self, work: Work) -> None:
        """Write a plugin of empty items."""
        files = {
            "pytest.ini": "[pytest]\n",
            "conftest.py": _EMPTY,
            "items.empty": str(work.prompts),
        }
        for name, text in files.items():
            (work.folder / name).write_text(text, encoding="utf-8")

    def command(self, work: Work, phase: Phase) -> Command:
        """Return pytest's command."""
        del work
        wanted = ["--co", "-q"] if phase == "collect" else ["-q"]
        # The same of the environment's plugins as for ours.
        return Command(arguments=[sys.executable, "-m", "pytest", *wanted])

    def count(self, work: Work, phase: Phase) -> Counted:
        """Read how many pytest collected or passed."""
        return count_printed(work.output(phase))


def count_printed(path: Path) -> Counted:
    """Count what pytest says that it collected or passed."""
    text = path.read_text(encoding="utf-8", errors="replace")
    match = re.search(r"^(\d+) (?:tests? collected|passed)", text, re.MULTILINE)
    found = int(match[1]) if match else 0
    return Counted(found, found)

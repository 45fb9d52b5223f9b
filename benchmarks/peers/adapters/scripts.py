"""A peer that is a library: a script of the user's own calls it.

The script takes the API's base and the number of calls in flight, reads
`rows.json` and writes `results.json`: one `{"answered": bool, "passed": bool}`
for each prompt that has a result.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers.environments import python_versions, python_with
from benchmarks.peers.peer import Command
from benchmarks.peers.work import Counted, Phase, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptPeer:
    """A library and its script; without a folder it is in this environment."""

    name: str
    packages: Sequence[str]
    script: str
    folder: Path | None
    environment: Mapping[str, str] = field(default_factory=dict)
    most_in_flight: int | None = None
    phases: frozenset[Phase] = frozenset({"fresh"})

    @property
    def _python(self) -> Path:
        if self.folder is None:
            return Path(sys.executable)
        return python_with(self.folder, self.packages)

    def install(self) -> str:
        """Install the packages and return their versions."""
        return python_versions(self._python, self.packages)

    def write(self, work: Work) -> None:
        """Write the prompts and the script."""
        write_rows(work)
        (work.folder / "run_it.py").write_text(self.script, encoding="utf-8")

    def command(self, work: Work, phase: Phase) -> Command:
        """Return the script's command."""
        del phase
        return Command(
            arguments=[self._python, "run_it.py", work.url, str(work.in_flight)],
            environment=self.environment,
        )

    def count(self, work: Work, phase: Phase) -> Counted:
        """Read the script's results."""
        del phase
        return count_results(work.folder / "results.json")


def write_rows(work: Work) -> None:
    """Write the prompts as JSON."""
    text = json.dumps(work.records())
    (work.folder / "rows.json").write_text(text, encoding="utf-8")


def count_results(path: Path) -> Counted:
    """Count what a script wrote; nothing when it did not get that far."""
    if not path.is_file():
        return Counted(0, 0)
    results = json.loads(path.read_text(encoding="utf-8"))
    answered = sum(one["answered"] for one in results)
    return Counted(answered, sum(one["passed"] for one in results))

"""Run a tiny suite with an installed wheel: `check_wheel.py PYTHON`.

The interpreter's environment holds the wheel and what it depends on, nothing
else; the suite lies in a temporary folder, so nothing of the checkout helps.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

CASES = """\
cases:
  - id: boots-window
    mark: knowledge
    prompt: How many days do customers have to return boots?
    facts: [{number: {value: 45, unit: days}}]
    ideal: 45 days.
"""
VARIANTS = """\
default: app
variants:
  app: {call: "assistant:answer"}
"""
ASSISTANT = """\
def answer(request):
    return "You have 45 days."
"""


def main() -> int:
    """Return pytest's exit code; fails unless exactly one case passed."""
    # The path is kept as given: resolving it would leave the environment.
    python = Path.cwd() / sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        suite = Path(folder)
        (suite / "returns.eval.yaml").write_text(CASES, encoding="utf-8")
        (suite / "llm_variants.yaml").write_text(VARIANTS, encoding="utf-8")
        (suite / "assistant.py").write_text(ASSISTANT, encoding="utf-8")
        asked = "--llm-report=report.html"
        run = subprocess.run(  # noqa: S603 - the interpreter that the Makefile made
            [python, "-m", "pytest", asked, "--rootdir", suite, suite],
            cwd=suite,
            capture_output=True,
            text=True,
            check=False,
        )
        written = (suite / "report.html").is_file()
        command = python.with_name("llm-diagnosis")
        schema = subprocess.run(  # noqa: S603 - the wheel's own command
            [command, "schema", "eval"], capture_output=True, text=True, check=True
        )
        json.loads(schema.stdout)
        subprocess.run(  # noqa: S603 - the same
            [command, "init", suite / "new"], capture_output=True, check=True
        )
        recorded = (suite / "new/recordings/scripted.jsonl").is_file()
    sys.stdout.write(run.stdout + run.stderr)
    if run.returncode == 0 and "1 passed" not in run.stdout:
        sys.stdout.write("the wheel collected no case\n")
        return 1
    if not written:
        sys.stdout.write("the wheel wrote no page\n")
        return 1
    if not recorded:
        sys.stdout.write("the wheel began a suite without its recordings\n")
        return 1
    return run.returncode


if __name__ == "__main__":
    sys.exit(main())

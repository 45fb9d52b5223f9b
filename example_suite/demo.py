"""`make demo`: the example suite, live, over its variants.

Failing cases are what the demo is about, so it ends with status 0 when the run
itself was sound: every planned case got an answer that could be graded.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SUITE = Path(__file__).parent
VARIANTS = "base,instructed,few_shot,long_context,rag"
TESTS_FAILED = 1


def main() -> int:
    """Run the suite and return 0 when the run was sound."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        code = _run(f"--llm-variant={VARIANTS}", f"--llm-report={report}")
        outcomes = _outcomes(report)
    seconds = time.monotonic() - began
    failed, errors = outcomes.count("failed"), outcomes.count("error")
    _say(f"make demo: {len(outcomes)} cases in {seconds:.0f} s, {failed} failed.")
    if code in {0, TESTS_FAILED} and outcomes and not errors:
        _say("Failing cases are the point: the run itself was sound, so status 0.")
        return 0
    _say(f"The run was not sound: pytest's status {code}, {errors} errors.")
    return code or TESTS_FAILED


def _run(*options: str) -> int:
    command = [sys.executable, "-m", "pytest", "--tb=no", "-rN", *options]
    return subprocess.call([*command, *sys.argv[1:]], cwd=SUITE)  # noqa: S603 - our own


def _outcomes(report: Path) -> list[str]:
    if not report.exists():
        return []
    cases = json.loads(report.read_text(encoding="ascii"))["cases"]
    return [case["outcome"] for case in cases]


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())

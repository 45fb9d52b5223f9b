"""What a run tells of files that are broken."""

from __future__ import annotations

import re

import pytest


def told(result: pytest.RunResult) -> dict[str, list[str]]:
    """Return what is told of each file that could not be collected."""
    told: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in result.outlines:
        head = re.fullmatch(r"_+ ERROR collecting (\S+) _+", line)
        if head:
            lines = told.setdefault(head[1], [])
        elif line.startswith("="):
            lines = []
        else:
            lines.append(line)
    return told


def findings(result: pytest.RunResult) -> dict[str, list[str]]:
    """Return the located lines of each broken file, without their hints."""
    return {
        name: [line for line in lines if not line.startswith("  ")]
        for name, lines in told(result).items()
    }


def assert_clean(result: pytest.RunResult) -> None:
    """Check that a user's mistake shows no line of Python, and ended nothing."""
    shown = result.stdout.str() + result.stderr.str()
    assert "INTERNALERROR" not in shown
    assert "Traceback" not in shown
    assert "Interrupted" not in shown
    assert not re.search(r"\.py:\d+: (in |\w+$)", shown, re.MULTILINE)
    assert result.ret == pytest.ExitCode.TESTS_FAILED

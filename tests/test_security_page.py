"""SECURITY.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent


def test_every_named_test_exists() -> None:
    """A threat whose test was renamed away is a threat without one."""
    page = (TESTS.parent / "SECURITY.md").read_text("utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    defined = {
        name
        for file in TESTS.glob("test_*.py")
        for name in re.findall(
            r"^def (test_\w+)", file.read_text("utf-8"), re.MULTILINE
        )
    }
    assert len(named) > 20
    assert named - defined == set()


def test_every_threat_names_a_test() -> None:
    """No row of a table goes without."""
    page = (TESTS.parent / "SECURITY.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    threats = [row for row in rows if not re.match(r"\| (what could|---)", row)]
    assert threats
    assert [row for row in threats if "`test_" not in row.split("|")[3]] == []

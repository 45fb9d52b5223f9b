"""What GitHub Actions is told: a step summary, and annotations in the log."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from pytest_llm_diagnosis.report.annotations import annotation_lines
from pytest_llm_diagnosis.report.view import View


def step_summary() -> Path | None:
    """Return the file that GitHub shows as the step's summary, if there is one."""
    name = os.environ.get("GITHUB_STEP_SUMMARY")
    return Path(name) if name else None


def commands(
    config: pytest.Config, view: View, expected: Collection[str]
) -> Iterator[str]:
    """Yield the commands that mark failing cases, on GitHub Actions only."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        yield from annotation_lines(view, folder=_folder(config), expected=expected)


def _folder(config: pytest.Config) -> str:
    """Return where the root folder is in the checkout, as `sub/folder/`."""
    checkout = os.environ.get("GITHUB_WORKSPACE")
    if not checkout:
        return ""
    try:
        relative = config.rootpath.relative_to(Path(checkout).resolve())
    except ValueError:
        return ""
    return "" if relative == Path() else f"{relative.as_posix()}/"

"""`report.html`: a run in one file, which needs no network and runs no foreign code."""

from __future__ import annotations

from pathlib import Path

from pytest_llm_diagnosis.new_files import replace_file
from pytest_llm_diagnosis.report.view import View

from .page import page_chunks


def write_html(path: Path, view: View) -> None:
    """Write the report in one step; raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, page_chunks(view), encoding="ascii")


def html_text(view: View) -> str:
    """Return the report, all of it ASCII."""
    return "".join(page_chunks(view))

"""`report.html`: a run in one file, which needs no network and runs no foreign code."""

from __future__ import annotations

from pathlib import Path

from pytest_llm_diagnosis.report.drafts import whole_file
from pytest_llm_diagnosis.report.view import View

from .page import page_chunks


def write_html(path: Path, view: View) -> None:
    """Write the report in one step; raises `OSError`."""
    with whole_file(path) as file:
        file.writelines(page_chunks(view))


def html_text(view: View) -> str:
    """Return the report, all of it ASCII."""
    return "".join(page_chunks(view))

"""The reports of a finished run: files, GitHub's pages, the terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import pytest

from pytest_llm_diagnosis.printing import on_one_line
from pytest_llm_diagnosis.report.formats import Writer, writer_of
from pytest_llm_diagnosis.report.lines import Line
from pytest_llm_diagnosis.report.markdown import append_markdown
from pytest_llm_diagnosis.report.terminal import quiet_lines, summary_lines
from pytest_llm_diagnosis.report.view import View

from .github import commands, step_summary
from .text import width_of


class Reporting:
    """Writes what a run found; remembers what could not be written."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._unwritten: list[str] = []

    def write_files(self, paths: Collection[Path], view: View) -> bool:
        """Write the reports that were asked for; return whether all could be."""
        for path in paths:
            self._write(writer_of(path), path, view)
        return not self._unwritten

    def add_step_summary(self, view: View) -> None:
        """Add to GitHub's page of the step; nobody asked, so it fails no run."""
        path = step_summary()
        if path is not None:
            self._write(append_markdown, path, view)

    def _write(self, writer: Writer, path: Path, view: View) -> None:
        try:
            writer(path, view)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            self._unwritten.append(f"{path}: the report is not written: {reason}")

    def show(
        self,
        terminalreporter: pytest.TerminalReporter,
        view: View,
        expected: Collection[str],
    ) -> None:
        """Write the summary that a reviewer reads, then the commands for GitHub.

        With `-q` it is a line a variant.
        """
        terminalreporter.ensure_newline()
        verbosity = self._config.get_verbosity()
        width = width_of(self._config)
        if verbosity < 0:
            lines = quiet_lines(view, width=width)
        else:
            terminalreporter.section("llm diagnosis")
            lines = summary_lines(view, causes=verbosity > 0, width=width)
        write_lines(terminalreporter, lines)
        for text in self._unwritten:
            terminalreporter.write_line(on_one_line(text), red=True)
        for command in commands(self._config, view, expected):
            terminalreporter.write_line(command)


def write_lines(
    terminalreporter: pytest.TerminalReporter, lines: Iterable[Line]
) -> None:
    """Write lines in the colours of their meaning."""
    for line in lines:
        terminalreporter.write_line(line.text, **line.markup)

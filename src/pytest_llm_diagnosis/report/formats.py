"""The formats of a report file, told apart by how its name ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from .view import View

Writer: TypeAlias = Callable[[Path, View], None]
FORMATS = (".json", ".md", ".html")


def writer_of(path: Path) -> Writer:
    """Return what writes the format of this path; raises KeyError on another one."""
    return _WRITERS[path.suffix]


def _json(path: Path, view: View) -> None:
    from .json_report import write_json

    write_json(path, view)


def _markdown(path: Path, view: View) -> None:
    from .markdown import write_markdown

    write_markdown(path, view)


def _html(path: Path, view: View) -> None:
    # A template engine that no other report needs.
    from .html import write_html

    write_html(path, view)


_WRITERS: Mapping[str, Writer] = dict(
    zip(FORMATS, (_json, _markdown, _html), strict=True)
)

"""Files that a config names, as far as they lie in its folder; none is run."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import cast

from pytest_llm_diagnosis.errors import InputError, Location
from pytest_llm_diagnosis.records import Json
from pytest_llm_diagnosis.source import inside, parse, plain, read_text

from .values import KeptError

PREFIX = "file://"
_CODE = frozenset({".py", ".js", ".ts", ".mjs", ".cjs", ".mts", ".cts", ".rb", ".go"})
_LISTED = 1_000


class Beside:
    """Reads files below the folder of a config."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def text(self, written: str) -> str:
        """Return the text of a file; raises `KeptError` when it cannot be had."""
        name = written.removeprefix(PREFIX)
        if _suffix(name) in _CODE:
            raise KeptError(f"{name} is code, which is not run")
        try:
            return read_text(self._path(name))
        except InputError as error:
            raise KeptError(error.problems[0].finding) from None

    def data(self, written: str) -> Json:
        """Return what a YAML, JSON, JSON lines or CSV file holds.

        Raises `KeptError` for a file that cannot be had or read.
        """
        name, text = written.removeprefix(PREFIX), self.text(written)
        try:
            return _decoded(text, name)
        except InputError as error:
            raise KeptError(f"{name}: {error.problems[0].finding}") from None
        except (ValueError, csv.Error, RecursionError) as error:
            raise KeptError(f"{name} cannot be read: {error}") from None

    def matching(self, written: str) -> list[str]:
        """Return the files that a pattern means, or the one file that is named."""
        name = written.removeprefix(PREFIX)
        if not any(mark in name for mark in "*?["):
            return [name]
        try:
            found = sorted(self._folder.glob(name))[:_LISTED]
            names = [path.relative_to(self._folder).as_posix() for path in found]
        except (ValueError, NotImplementedError, IndexError, OSError):
            raise KeptError(f"{name} is no pattern of files here") from None
        if not names:
            raise KeptError(f"no file matches {name}")
        return names

    def _path(self, name: str) -> Path:
        return inside(
            name,
            folder=self._folder,
            root=self._folder,
            location=Location(path=self._folder),
            what="the",
        )


def _suffix(name: str) -> str:
    # `tests.py:function` names a function of a file.
    head, mark, _ = name.rpartition(":")
    return Path(head if mark else name).suffix.lower()


def _decoded(text: str, name: str) -> Json:
    suffix = Path(name).suffix.lower()
    if suffix == ".csv":
        rows = csv.DictReader(io.StringIO(text, newline=""))
        return [{str(key): cell or "" for key, cell in row.items()} for row in rows]
    if suffix == ".jsonl":
        lines = (line for line in text.split("\n") if line.strip())
        return [cast("Json", json.loads(line)) for line in lines]
    if suffix == ".json":
        return cast("Json", json.loads(text))
    return plain(parse(text, Path(name)))

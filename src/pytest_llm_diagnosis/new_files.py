"""Files that are written where none stands, or in one step in place of another."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from .errors import InputError, Location, Problem


def replace_file(path: Path, chunks: Iterable[str], encoding: str = "utf-8") -> None:
    """Write texts beside a file's place, and put them there in one step.

    No reader sees half of it.  A link that stands there, or where the draft does,
    is replaced and not followed: a checkout may hold links that lead anywhere.
    Raises `OSError`, and `UnicodeEncodeError`, and then changes nothing.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    draft.unlink(missing_ok=True)
    try:
        with draft.open("x", encoding=encoding, newline="\n") as file:
            file.writelines(chunks)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_new(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write texts to files below a folder and return their paths.

    Nothing is overwritten: when one of the files exists, none is written.
    Raises `InputError` at each that does, `OSError` for what cannot be written.
    """
    paths = {folder / name: text for name, text in files.items()}
    problems = [
        Problem(
            location=Location(path=path),
            finding="the file exists already, and nothing was written",
            hint="choose another folder, or move the file away",
        )
        for path in paths
        # A link that leads nowhere is in the way as well.
        if path.exists() or path.is_symlink()
    ]
    if problems:
        raise InputError(problems)
    for path, text in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    return list(paths)
